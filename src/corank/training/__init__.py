"""The loop, its losses and optimizer, checkpoints, and the run folder they fill."""

from corank.training.config import LossConfig, OptimizerConfig, TrainConfig
from corank.training.loop import fit
from corank.training.predict import Scores, score
from corank.training.run import Run, RunInfo

__all__ = ["LossConfig", "OptimizerConfig", "Run", "RunInfo", "Scores", "TrainConfig", "fit", "score"]
