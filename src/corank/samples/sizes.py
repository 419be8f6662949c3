"""The size table: samples and positives by split and space, counted while the store is written."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corank.samples.manifest import Space, SplitSize

LABEL_SOURCES = ("own",)
"""Texts of the codes that steps put into `label_source`."""


class Tally:
    """Counts one split, piece by piece."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sources = np.zeros(len(LABEL_SOURCES), np.int64)

    def add(self, samples: pa.Table, lengths: npt.NDArray[np.int64]) -> None:
        """Count flat samples of requests whose lists have these lengths (none is empty)."""
        exposed = samples["exposed"].to_numpy()
        click, purchase = (samples[name].to_numpy() for name in ("label_click", "label_purchase"))
        for space, members in (("exposed", exposed), ("unexposed", ~exposed)):
            self._counts[f"{space}_samples"] += int(members.sum())
            self._counts[f"{space}_clicks"] += int(click[members].sum())
            self._counts[f"{space}_purchases"] += int(purchase[members].sum())
        starts = np.append(0, np.cumsum(lengths)[:-1])
        self._counts["requests"] += len(lengths)
        self._counts["without_click"] += int((np.maximum.reduceat(click, starts) == 0).sum())
        codes = samples["label_source"].drop_null().to_numpy()
        self._sources += np.bincount(codes, minlength=len(LABEL_SOURCES))

    def size(self) -> SplitSize:
        """The split's line of the size table."""
        exposed, unexposed = self._space("exposed"), self._space("unexposed")
        total = exposed + unexposed
        return SplitSize(
            requests=self._counts["requests"],
            requests_without_click=self._counts["without_click"],
            exposed=exposed,
            unexposed=unexposed,
            label_sources={name: int(n) for name, n in zip(LABEL_SOURCES, self._sources, strict=True)},
            samples_per_exposed=_ratio(total.samples, exposed.samples),
            clicks_per_exposed=_ratio(total.clicks, exposed.clicks),
        )

    def _space(self, name: str) -> Space:
        counts = {key: self._counts[f"{name}_{key}"] for key in ("samples", "clicks", "purchases")}
        return Space(**counts)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
