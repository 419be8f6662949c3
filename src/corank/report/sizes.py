"""How much data there is: the size table of the samples."""

from __future__ import annotations

from pathlib import Path

from corank.report.sections import ABSENT, Cell, Section, Table
from corank.samples import Manifest, read_manifest


def data_section(samples: Path | None) -> Section:
    """The samples' size table, from their manifest.

    Raises:
        CorankError: the folder is not one of samples.
    """
    if samples is None:
        note = "No samples folder was found here; name one to see its sizes."
        return Section("data", "The data", (note,))
    manifest = read_manifest(samples)
    notes = [
        f"Recipe '{manifest.recipe}', seed {manifest.seed}; "
        f"validation begins {manifest.valid_from:%Y-%m-%d %H:%M} UTC, "
        f"test {manifest.test_from:%Y-%m-%d %H:%M} UTC; "
        f"{manifest.items:,} items, {manifest.histories:,} events in histories. "
        f"Fingerprint {manifest.fingerprint[:12]}."
    ]
    return Section("data", "The data", tuple(notes), (_sizes(manifest),))


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
        "Samples by split. The click rate is that of exposed samples; relative means to these alone.",
        header,
        rows,
    )


def _times(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f} x"
