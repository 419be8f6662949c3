"""From log tables to a samples folder: run the steps, write the store, tell what was done."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from corank.errors import CorankError
from corank.files import fingerprint, refuse_existing, whole_folder
from corank.logs import open_logs
from corank.logs.engine import reading
from corank.progress import QUIET, Reporter
from corank.samples.config import SampleConfig, check_recipe, resolve
from corank.samples.engine import Engine, running
from corank.samples.histories import ORDER
from corank.samples.inputs import describe
from corank.samples.manifest import SPLITS, Column, Manifest, SplitSize, write_manifest
from corank.samples.prepare import STEPS, Prepared, prepare
from corank.samples.store import Rows, row_groups, write_flat, write_split

FLAT_GROUP_ROWS = 1 << 16
"""Rows in a row group of items.parquet and histories.parquet."""


def build_samples(
    logs: str | Path,
    out: str | Path,
    recipe: str = "unexposed",
    seed: int = 0,
    settings: Sequence[str] = (),
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Manifest:
    """Build a list-wise samples folder from a folder of log tables.

    Args:
        logs: folder of the five log tables, as checked by `corank logs check`.
        out: the folder to make (see `docs/reference/samples.md`).
        recipe: `exposed` or `unexposed`: how far to go.
        seed: of the draws and the shuffle; the same log, recipe, settings and seed give the same bytes.
        settings: `key=value` settings of `SampleConfig`.
        overwrite: replace `out` if it exists.
        progress: told of steps and of samples written.

    Raises:
        CorankError: the log, a setting or the output is not as it must be, a split would be empty, or
            training would see one class only.
    """
    out = Path(out)
    chosen, config = check_recipe(recipe), resolve(settings)
    refuse_existing(out, overwrite)
    tables = open_logs(Path(logs))
    with whole_folder(out, overwrite) as folder:
        spill = folder / ".spill"
        with reading(tables.folder), running(spill) as engine:
            with progress.task("preparing samples", STEPS) as task:
                prepared = prepare(engine, tables, chosen, config, seed, task)
            sizes = _write_splits(folder, engine, prepared, config, progress)
            items = write_flat(
                folder / "items.parquet", engine.stream(prepared.items.order_by("item_id")), FLAT_GROUP_ROWS
            )
            events = prepared.history.order_by(*ORDER)
            histories = write_flat(folder / "histories.parquet", engine.stream(events), FLAT_GROUP_ROWS)
            versions = engine.versions()
        shutil.rmtree(spill, ignore_errors=True)
        manifest = Manifest(
            recipe=chosen,
            seed=seed,
            config=config,
            engine=Engine.name,
            versions={"corank": version("corank"), **versions},
            inputs=describe(tables),
            valid_from=prepared.cuts.valid_from,
            test_from=prepared.cuts.test_from,
            sizes=sizes,
            left_out=prepared.left_out,
            events=prepared.events,
            actions=list(prepared.actions),
            columns=_columns(prepared),
            items=items,
            histories=histories,
            simulated=(tables.folder / "simulation.json").is_file(),
            fingerprint=fingerprint(folder),
        )
        write_manifest(folder, manifest)
    return manifest


def _write_splits(
    folder: Path, engine: Engine, prepared: Prepared, config: SampleConfig, progress: Reporter
) -> dict[str, SplitSize]:
    """Write the three splits from one stream of requests and one of samples.

    Raises:
        CorankError: the training split has no click, or nothing else.
    """
    plan = engine.arrow(prepared.lengths)
    split, lengths = plan["_split"].to_numpy(), plan["_samples"].to_numpy()
    requests, samples = Rows(engine.stream(prepared.requests)), Rows(engine.stream(prepared.samples))
    sizes = {}
    with progress.task("writing samples", int(lengths.sum())) as task:
        for index, name in enumerate(SPLITS):
            own = lengths[split == index]
            groups = row_groups(own, config.row_group_samples, config.file_samples)
            sizes[name] = write_split(folder / name, groups, requests, samples, own, task).size()
            if name == "train":
                _refuse_one_class(sizes[name], config)
    return sizes


def _refuse_one_class(train: SplitSize, config: SampleConfig) -> None:
    clicks = train.total.clicks
    if clicks in (0, train.total.samples):
        which = "no" if clicks == 0 else "every"
        raise CorankError(
            f"the training split has one class only: {which} sample of {train.total.samples} is clicked"
            f" (click_actions {', '.join(config.click_actions)}); see: corank logs check"
        )


def _columns(prepared: Prepared) -> dict[str, Column]:
    """The columns of the splits, requests' first."""
    requests, samples = (table.schema().to_pyarrow() for table in (prepared.requests, prepared.samples))
    columns = {field.name: Column(type=str(field.type), kind="request") for field in requests}
    columns |= {field.name: Column(type=str(field.type), kind="list") for field in samples}
    columns["label_source"] = Column(type=str(pa.string()), kind="list")
    return columns
