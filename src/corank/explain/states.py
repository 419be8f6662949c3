"""One pass over some requests: hidden states before and after mixing, attention, mean embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from corank.explain.layers import MixingLayer
from corank.explain.sums import StateSums, WeightSums
from corank.features.batch import Batch, Side
from corank.features.reader import Reader
from corank.models.base import RankingModel
from corank.progress import QUIET, Reporter


@dataclass
class Seen:
    """What the pass over the requests found.

    Attributes:
        requests, samples: how many were read.
        before, after, weights: by layer.
        request_E, sample_E: sums of the embeddings.
    """

    before: list[StateSums]
    after: list[StateSums]
    weights: list[WeightSums]
    requests: int = 0
    samples: int = 0
    request_E: Tensor | None = None
    sample_E: Tensor | None = None

    def mean_E(self) -> Tensor | None:
        """The mean embedding [E_request + E_sample] of requests and of samples; None if none was read."""
        if self.request_E is None or self.sample_E is None:
            return None
        return torch.cat([self.request_E / self.requests, self.sample_E / self.samples])


@torch.inference_mode()
def look(
    model: RankingModel,
    layers: list[MixingLayer],
    reader: Reader | None,
    requests: int,
    progress: Reporter = QUIET,
) -> Seen:
    """Run the model over the first requests of a split (which are a random sample of it) and watch.

    Args:
        model: in the mode for scoring, folded.
        layers: what to watch.
        reader: of the split; without one, nothing is read.
        requests: how many.
    """
    seen = Seen([StateSums() for _ in layers], [StateSums() for _ in layers], [WeightSums() for _ in layers])
    if reader is None or not requests:
        return seen
    with ExitStack() as hooks, progress.task("look", requests) as bar:
        for place, layer in enumerate(layers):
            hooks.callback(layer.module.register_forward_hook(_states(seen, place)).remove)
            if layer.weighs is not None:
                hooks.callback(layer.weighs.register_forward_hook(_weights(seen, place)).remove)
        hooks.callback(model.embedding.register_forward_hook(_embeddings(seen)).remove)
        for batch in _first(reader, requests):
            model(batch)
            seen.requests += batch.requests
            seen.samples += batch.samples
            bar.advance(batch.requests)
    return seen


def _states(seen: Seen, place: int) -> Any:
    def hook(_module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        seen.before[place].add(given[0])
        seen.after[place].add(made)

    return hook


def _weights(seen: Seen, place: int) -> Any:
    def hook(module: nn.Module, given: tuple[Tensor, ...], made: Any) -> None:
        weights = getattr(module, "weights", None)
        if weights is not None:  # attention: of queries, keys and what scales them, without the values
            seen.weights[place].add(weights(*given[:2], *given[3:]))
        else:
            matrix = made if isinstance(made, Tensor) else made.full()
            seen.weights[place].add(matrix.unsqueeze(1))

    return hook


def _embeddings(seen: Seen) -> Any:
    def hook(_module: nn.Module, _given: Any, made: tuple[Tensor, Tensor]) -> None:
        request_E, sample_E = (part.double().sum(0) for part in made)
        seen.request_E = request_E if seen.request_E is None else seen.request_E + request_E
        seen.sample_E = sample_E if seen.sample_E is None else seen.sample_E + sample_E

    return hook


def _first(reader: Reader, requests: int) -> Iterator[Batch]:
    """The batches of the first requests, the last one cut."""
    left = requests
    for batch, _ in reader.batches():
        yield batch if batch.requests <= left else _cut(batch, left)
        left -= batch.requests
        if left <= 0:
            return


def _cut(batch: Batch, requests: int) -> Batch:
    of_S = batch.request_of_S[batch.request_of_S < requests]
    return Batch(_head(batch.request, requests), _head(batch.sample, len(of_S)), of_S)


def _head(side: Side, n: int) -> Side:
    return Side(
        side.ids[:n], side.numbers[:n], [x[:n] for x in side.sequences], [x[:n] for x in side.embeddings]
    )
