"""How much data there is: the size table of the samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.report.sections import ABSENT, Cell, Section, Table
from corank.samples import Manifest, read_manifest


def data_section(samples: Sequence[Path]) -> Section:
    """The size table of each samples folder, from its manifest.

    Raises:
        CorankError: a folder is not one of samples.
    """
    if not samples:
        note = "The samples of these runs were not found; name their folder to see its sizes."
        return Section("data", "The data", (note,))
    manifests = [read_manifest(folder) for folder in samples]
    notes = [
        f"Recipe '{one.recipe}', seed {one.seed}, fingerprint {one.fingerprint[:12]}: "
        f"validation begins {one.valid_from:%Y-%m-%d %H:%M} UTC, test {one.test_from:%Y-%m-%d %H:%M} UTC; "
        f"{one.items:,} items, {one.histories:,} events in histories."
        + (" This log is a simulation: so are all figures on it." if one.simulated else "")
        for one in manifests
    ]
    return Section("data", "The data", tuple(notes), tuple(_sizes(one) for one in manifests))


def _sizes(manifest: Manifest) -> Table:
    header = (
        "Split", "Requests", "Samples", "Exposed", "Unexposed", "Clicks", "Purchases",
        "Click rate", "Samples, relative", "Clicks, relative",
    )  # fmt: skip
    rows = tuple(
        (
            Cell(split),
            Cell(f"{size.requests:,}"),
            Cell(f"{size.total.samples:,}"),
            Cell(f"{size.exposed.samples:,}"),
            Cell(f"{size.unexposed.samples:,}"),
            Cell(f"{size.total.clicks:,}"),
            Cell(f"{size.total.purchases:,}"),
            Cell(f"{size.exposed.clicks / size.exposed.samples:.2%}" if size.exposed.samples else ABSENT),
            Cell(_times(size.samples_per_exposed)),
            Cell(_times(size.clicks_per_exposed)),
        )
        for split, size in manifest.sizes.items()
    )
    return Table(
        f"Recipe '{manifest.recipe}', by split. The click rate is that of exposed samples; relative means to "
        "these alone.",
        header,
        rows,
    )


def _times(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f} x"
