"""The size table: samples and positives by split, space and stage, counted while the store is written."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.samples.attribution import TIERS
from corank.samples.config import RECIPES, Recipe
from corank.samples.labels import OWN
from corank.samples.manifest import Space, SplitSize, Stage
from corank.samples.searchification import SEARCHIFIED

LABEL_SOURCES = ("own", *TIERS, "searchified")
"""Texts of the codes that steps put into `label_source` and `purchase_source`."""

QUERY_SOURCES = ("logged", "own", "cooccurring", "nearest", "none")
"""Where queries come from: `logged` for search requests, the others for pseudo requests."""

NO_SOURCE = -1
"""Stands for null among the codes of sources."""

assert LABEL_SOURCES[SEARCHIFIED] == "searchified"

Mask = npt.NDArray[np.bool_]


class Tally:
    """Counts one split, piece by piece."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sources = np.zeros(len(LABEL_SOURCES), np.int64)
        self._queries = np.zeros(len(QUERY_SOURCES), np.int64)
        self._stages: Counter[tuple[str, str]] = Counter()

    def add(
        self, requests: pa.Table, samples: pa.Table, lengths: npt.NDArray[np.int32] | npt.NDArray[np.int64]
    ) -> None:
        """Count requests and the flat samples of their lists, which have these lengths (none is empty)."""
        query_R = pc.index_in(requests["query_source"], pa.array(QUERY_SOURCES)).to_numpy()
        logged_R = query_R == QUERY_SOURCES.index("logged")
        self._queries += np.bincount(query_R, minlength=len(QUERY_SOURCES))
        exposed, logged = samples["exposed"].to_numpy(), np.repeat(logged_R, lengths)
        click, purchase = (samples[name].to_numpy() for name in ("label_click", "label_purchase"))
        spaces = {"exposed": exposed & logged, "unexposed": ~exposed & logged, "searchified": ~logged}
        for space, members in spaces.items():
            self._counts[f"{space}_samples"] += int(members.sum())
            self._counts[f"{space}_clicks"] += int(click[members].sum())
            self._counts[f"{space}_purchases"] += int(purchase[members].sum())
        starts = np.append(0, np.cumsum(lengths)[:-1])
        self._counts["requests"] += len(lengths)
        self._counts["without_click"] += int((np.maximum.reduceat(click, starts) == 0).sum())
        sources = tuple(_codes(samples[name]) for name in ("label_source", "purchase_source"))
        self._sources += np.bincount(sources[0][sources[0] != NO_SOURCE], minlength=len(LABEL_SOURCES))
        shown_R = np.logical_or.reduceat(spaces["exposed"], starts)
        self._stage("exposed", shown_R, spaces["exposed"], [source == OWN for source in sources])
        self._stage("unexposed", logged_R, logged, [source == OWN for source in sources])
        self._stage("attributed", logged_R, logged, [source != NO_SOURCE for source in sources])
        self._stage("es3", logged_R | True, logged | True, [source != NO_SOURCE for source in sources])

    def size(self) -> SplitSize:
        """The split's line of the size table."""
        exposed, unexposed, searchified = (
            self._space(name) for name in ("exposed", "unexposed", "searchified")
        )
        total = exposed + unexposed + searchified
        return SplitSize(
            requests=self._counts["requests"],
            requests_without_click=self._counts["without_click"],
            exposed=exposed,
            unexposed=unexposed,
            searchified=searchified,
            label_sources={name: int(n) for name, n in zip(LABEL_SOURCES, self._sources, strict=True)},
            query_sources={name: int(n) for name, n in zip(QUERY_SOURCES, self._queries, strict=True)},
            samples_per_exposed=_ratio(total.samples, exposed.samples),
            clicks_per_exposed=_ratio(total.clicks, self._stages["exposed", "clicks"]),
        )

    def stages(self, recipe: Recipe) -> dict[str, Stage]:
        """What each stage of a recipe came to, the stages before included."""
        names = RECIPES[: RECIPES.index(recipe) + 1]
        keys = ("requests", "samples", "clicks", "purchases")
        return {name: Stage(**{key: self._stages[name, key] for key in keys}) for name in names}

    def _stage(self, name: str, requests: Mask, samples: Mask, labelled: list[Mask]) -> None:
        click, purchase = labelled
        counted = {"samples": samples, "clicks": samples & click, "purchases": samples & purchase}
        for key, members in ({"requests": requests} | counted).items():
            self._stages[name, key] += int(members.sum())

    def _space(self, name: str) -> Space:
        counts = {key: self._counts[f"{name}_{key}"] for key in ("samples", "clicks", "purchases")}
        return Space(**counts)


def _codes(source: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[np.int64] = source.fill_null(NO_SOURCE).to_numpy().astype(np.int64)
    return codes


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
