"""Every verb of the command line as a function of the same name and arguments.

Verbs that belong to one room are that room's functions; those that join several rooms are written here.
"""

from corank.abtest import abtest
from corank.logs import check_logs as check
from corank.logs import import_logs
from corank.logs.marketplace import simulate
from corank.models.listing import model_sizes as models
from corank.report import report
from corank.samples import build_samples as samples
from corank.verbs.judging import compare, evaluate, explain, predict
from corank.verbs.look import audit, features
from corank.verbs.training import train

__all__ = [
    "abtest",
    "audit",
    "check",
    "compare",
    "evaluate",
    "explain",
    "features",
    "import_logs",
    "models",
    "predict",
    "report",
    "samples",
    "simulate",
    "train",
]
