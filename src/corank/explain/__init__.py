"""Looking inside a run: mixing matrices, hidden states, and why an item of a request has its score."""

from corank.explain.explain import explain_run
from corank.explain.result import Explanation

__all__ = ["Explanation", "explain_run"]
