"""How much data there is: the size table of the samples, and where their labels and queries come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from corank.report.sections import ABSENT, Cell, Section, Table
from corank.samples import Manifest, read_manifest
from corank.samples.manifest import Stage


def data_section(samples: Sequence[Path]) -> Section:
    """The size tables of each samples folder, from its manifest.

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
    tables = [table for one in manifests for table in size_tables(one)]
    return Section("data", "The data", tuple(notes), tuple(tables))


def size_tables(manifest: Manifest) -> list[Table]:
    """Training samples by stage, samples by split, and what labels, queries and events came to."""
    train = manifest.sizes["train"]
    counted = [
        _counts("Positive training samples, by the source of their label.", "Source", train.label_sources),
        _counts(
            "Pseudo requests, by the level at which their query was found.",
            "Level",
            {level: count for level, count in train.query_sources.items() if level != "logged"},
        ),
        _counts("Clicks and purchases of the log, by what became of them.", "Fate", manifest.events),
    ]
    stages = [_stages(manifest)] if manifest.stages else []
    return [*stages, _sizes(manifest), *(table for table in counted if table)]


def _stages(manifest: Manifest) -> Table:
    first = manifest.stages["exposed"]
    keys = ("requests", "samples", "clicks", "purchases")
    rows = tuple(
        (Cell(name), *(_relative(stage, first, key) for key in keys))
        for name, stage in manifest.stages.items()
    )
    return Table(
        "Training samples after each stage of the recipe, and relative to exposed samples alone.",
        ("Stage", "Requests", "Samples", "Clicks", "Purchases"),
        rows,
    )


def _relative(stage: Stage, first: Stage, key: str) -> Cell:
    count, whole = getattr(stage, key), getattr(first, key)
    return Cell(f"{count:,}", (_times(count / whole if whole else None),))


def _counts(caption: str, name: str, counts: Mapping[str, int]) -> Table | None:
    """A table of counts and their shares; nothing where there is nothing to count."""
    total = sum(counts.values())
    rows = tuple(
        (Cell(key), Cell(f"{count:,}"), Cell(f"{count / total:.1%}"))
        for key, count in counts.items()
        if count
    )
    return Table(caption, (name, "Count", "Share"), rows, folded=True) if rows else None


def _sizes(manifest: Manifest) -> Table:
    header = (
        "Split", "Requests", "Samples", "Exposed", "Unexposed", "Searchified", "Clicks", "Purchases",
        "Click rate", "Samples, relative", "Clicks, relative",
    )  # fmt: skip
    rows = tuple(
        (
            Cell(split),
            Cell(f"{size.requests:,}"),
            Cell(f"{size.total.samples:,}"),
            Cell(f"{size.exposed.samples:,}"),
            Cell(f"{size.unexposed.samples:,}"),
            Cell(f"{size.searchified.samples:,}"),
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
