"""The size tables of a report say what the manifest counted."""

from __future__ import annotations

from pathlib import Path

from tests.samples.generated import explicit_cuts, random_log, write

from corank.report.sections import Table
from corank.report.sizes import data_section, size_tables
from corank.samples import build_samples


def column(table: Table, name: str) -> list[str]:
    """The texts of a column."""
    at = table.header.index(name)
    return [row[at].text for row in table.rows]


def test_every_stage_source_and_level_is_there(tmp_path: Path) -> None:
    log = random_log(9, "int", events=80)
    settings = [*explicit_cuts(), f"attribution_hours={2.5 / 3600}", "duplicate_events=keep"]
    logs = write(log, "int", tmp_path / "logs")
    manifest = build_samples(logs, tmp_path / "samples", recipe="es3", settings=settings)
    stages, splits, sources, levels, fates = size_tables(manifest)

    assert column(stages, "Stage") == ["exposed", "unexposed", "attributed", "es3"]
    assert column(stages, "Samples") == [f"{stage.samples:,}" for stage in manifest.stages.values()]
    first, last = manifest.stages["exposed"], manifest.stages["es3"]
    assert stages.rows[-1][3].small == (f"{last.clicks / first.clicks:.2f} x",)
    assert column(splits, "Searchified") == [f"{manifest.sizes['train'].searchified.samples:,}", "0", "0"]
    assert column(sources, "Count") == [f"{n:,}" for n in manifest.sizes["train"].label_sources.values() if n]
    assert "logged" not in column(levels, "Level")
    assert column(levels, "Level")
    assert sum(int(count) for count in column(levels, "Count")) == last.requests - first.requests
    assert column(fates, "Fate") == [fate for fate, n in manifest.events.items() if n]

    assert data_section([tmp_path / "samples"]).tables == (stages, splits, sources, levels, fates)


def test_a_recipe_without_pseudo_requests_has_no_levels(tmp_path: Path) -> None:
    logs = write(random_log(9, "int", events=80), "int", tmp_path / "logs")
    settings = [*explicit_cuts(), "duplicate_events=keep"]
    manifest = build_samples(logs, tmp_path / "samples", recipe="exposed", settings=settings)
    assert [table.header[0] for table in size_tables(manifest)] == ["Stage", "Split", "Source", "Fate"]
