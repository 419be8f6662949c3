"""Scores of a split, in the order of the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from corank.errors import CorankError
from corank.features.reader import Reader
from corank.models.base import RankingModel
from corank.progress import QUIET, Reporter
from corank.training.config import TrainConfig


@dataclass(frozen=True)
class Scores:
    """Predictions of n samples in the order of the store.

    Attributes:
        scores: probability by task, float32 [n].
        clicks, purchases: labels, float32 [n].
        request: int64 [n], the number of each sample's request, ascending.
    """

    scores: dict[str, npt.NDArray[np.float32]]
    clicks: npt.NDArray[np.float32]
    purchases: npt.NDArray[np.float32]
    request: npt.NDArray[np.int64]


def device_of(config: TrainConfig) -> torch.device:
    """The device that a configuration asks for.

    Raises:
        CorankError: it asks for one that is not at hand.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise CorankError("device = 'cuda': no CUDA device is at hand; use device=cpu or device=auto")
    cuda = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")


@torch.inference_mode()
def score(model: RankingModel, reader: Reader, device: torch.device, progress: Reporter = QUIET) -> Scores:
    """Run a model over all batches of a reader; the model is left in the mode it was in."""
    training = model.training
    model.eval()
    parts: dict[str, list[npt.NDArray[np.float32]]] = {task: [] for task in model.config.tasks}
    clicks: list[npt.NDArray[np.float32]] = []
    purchases: list[npt.NDArray[np.float32]] = []
    requests: list[npt.NDArray[np.int64]] = []
    first = 0
    with model.folded(), progress.task("predict", reader.steps()) as task_bar:
        for batch, labels in reader.batches():
            logits = model(batch.to(device))
            for task, made in parts.items():
                made.append(torch.sigmoid(logits[task].float()).cpu().numpy())
            clicks.append(labels.click_S.numpy())
            purchases.append(labels.purchase_S.numpy())
            requests.append(batch.request_of_S.numpy() + first)
            first += batch.requests
            task_bar.advance()
    model.train(training)
    return Scores(
        {task: np.concatenate([np.zeros(0, np.float32), *values]) for task, values in parts.items()},
        np.concatenate([np.zeros(0, np.float32), *clicks]),
        np.concatenate([np.zeros(0, np.float32), *purchases]),
        np.concatenate([np.zeros(0, np.int64), *requests]),
    )
