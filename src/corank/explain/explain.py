"""A run looked into: its mixing matrices, its hidden states, and why items of a request score as they do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.errors import CorankError, unknown
from corank.explain.album import Album, read_album
from corank.explain.baselines import BASELINES, Baseline
from corank.explain.layers import MixingLayer, mixing_layers
from corank.explain.matrices import described_layer, moments
from corank.explain.requests import find_request
from corank.explain.result import Explanation, RequestExplanation
from corank.explain.scores import check_groups, explain_scores
from corank.explain.states import Seen, look
from corank.explain.tokens import described
from corank.features.reader import Reader
from corank.features.store import SPLITS, Store
from corank.progress import QUIET, Reporter
from corank.training.run import Run


def explain_run(
    run: Run,
    samples: Path | None,
    split: str = "valid",
    requests: int = 200,
    request: str | None = None,
    items: Sequence[str] = (),
    groups: Sequence[str] = (),
    baseline: str = "mean",
    progress: Reporter = QUIET,
) -> Explanation:
    """Look into the kept weights of a run.

    Args:
        run: a finished run.
        samples: to read requests from; not needed if none is read.
        split: of these requests.
        requests: how many are read for hidden states, attention and the mean embedding: the first, which are
            a random sample.
        request: id of one whose scores are to be explained.
        items: which of its items; those with the best scores if none is named.
        groups: feature groups whose fields are to be shown.
        baseline: `mean` or `missing`.
        progress: where to report.

    Raises:
        CorankError: anything given does not exist or fit.
    """
    zero = _baseline(baseline, request, requests)
    _check(split, request, items, groups)
    model, info = run.model(), run.info()
    check_groups(model, groups, str(run.folder))
    album = read_album(run.snapshots)
    layers, tokens = mixing_layers(model), described(model)
    store = None if samples is None else Store(samples)
    reader, listed = None, None
    if store is not None and (requests or request is not None):
        reader = Reader(store.folder, run.features(), split, run.config()[1].reader)
        listed = None if request is None else find_request(store, split, request)
    if listed is not None:
        listed.places(items)  # before the requests are read
    asked: RequestExplanation | None = None
    with model.folded():
        seen = look(model, layers, reader, requests, progress)
        if reader is not None and listed is not None:
            batch = reader.one(listed.group, listed.row)
            asked = explain_scores(model, batch, listed, items, groups, zero, seen.mean_E(), split)
    named = [(f"layer {i + 1}", layer) for i, layer in enumerate(layers)]
    return Explanation(
        run=str(run.folder),
        model=info.model,
        seed=info.seed,
        simulated=None if store is None else store.manifest.simulated,
        split=split,
        requests=seen.requests,
        samples=seen.samples,
        best_step=info.best_step,
        tokens=tuple(tokens),
        layers=tuple(described_layer(name, layer, tokens, seen, i) for i, (name, layer) in enumerate(named)),
        training=tuple(moments(album, [name for name, layer in named if layer.kind == "learned"])),
        notes=tuple(_notes(layers, info.model, album, seen)),
        request=asked,
    )


def _check(split: str, request: str | None, items: Sequence[str], groups: Sequence[str]) -> None:
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if request is None and (items or groups):
        what = "item" if items else "group"
        raise CorankError(f"explain: --{what} chooses what is shown of a request; name one with --request")


def _baseline(name: str, request: str | None, requests: int) -> Baseline:
    for baseline in BASELINES:
        if name != baseline:
            continue
        if baseline == "mean" and request is not None and not requests:
            raise CorankError(
                "explain: the mean baseline is that of requests read; expected --requests of 1 at least, "
                "or --baseline missing"
            )
        return baseline
    raise unknown("baseline", name, BASELINES)


def _notes(layers: Sequence[MixingLayer], name: str, album: Album | None, seen: Seen) -> list[str]:
    """What is not there, and why."""
    if not layers:
        return [
            f"{name} has no mixing layers: its fields meet in other ways, and there is no matrix to show."
        ]
    notes = []
    kinds = {layer.kind for layer in layers}
    if kinds & {"attention", "products"} and not seen.samples:
        notes.append(f"The matrices of {name} depend on the input, and no request was read.")
    if "learned" not in kinds:
        how = "do not change in training" if kinds == {"fixed"} else "depend on the input"
        notes.append(f"The matrices of {name} {how}: there are no pictures over training.")
    elif album is None:
        notes.append("No pictures over training were kept of this run (its snapshots.moments, or its age).")
    elif (cell := max(layer.cell for layer in album.layout.layers)) > 1:
        notes.append(
            f"Pictures over training are averages of {cell} by {cell} blocks, for the matrices are larger "
            "than snapshots.largest; figures of averages would say something else, and are left out."
        )
    return notes
