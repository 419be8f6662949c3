"""From log tables to a samples folder: run the steps, write the store, tell what was done."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corank.errors import CorankError
from corank.files import fingerprint, refuse_existing, whole_folder
from corank.logs import open_logs
from corank.logs.engine import reading
from corank.progress import QUIET, Reporter
from corank.samples import plan as planning
from corank.samples import shard as sharding
from corank.samples.all_rows import all_rows
from corank.samples.config import SampleConfig, check_recipe, resolve
from corank.samples.engine import Engine, check_engine, running
from corank.samples.inputs import describe
from corank.samples.manifest import SPLITS, Column, Manifest, SplitSize, Stage, write_manifest
from corank.samples.memory import engine_share, parse_memory, shards_for
from corank.samples.plan import Plan, make_plan
from corank.samples.store import Rows, row_groups, write_flat, write_split
from corank.samples.whole import Whole, whole

FLAT_GROUP_ROWS = 1 << 16
"""Rows in a row group of items.parquet, labels.parquet and histories.parquet."""


def build_samples(
    logs: str | Path,
    out: str | Path,
    recipe: str = "unexposed",
    seed: int = 0,
    settings: Sequence[str] = (),
    engine: str = "duckdb",
    master: str | None = None,
    memory: str | int | None = None,
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Manifest:
    """Build a list-wise samples folder from a folder of log tables.

    Args:
        logs: folder of the five log tables, as checked by `corank logs check`.
        out: the folder to make (see `docs/reference/samples.md`).
        recipe: `exposed`, `unexposed`, `attributed` or `es3`: how far to go.
        seed: of the draws and the shuffle; the same log, recipe, settings and seed give the same bytes.
        settings: `key=value` settings of `SampleConfig`.
        engine: `duckdb`, in this process, or `spark`; the rows are the same.
        master: Spark's master (`local[*]` if None) or the URL of a Spark Connect server (`sc://HOST:PORT`).
        memory: a budget for the process, in bytes or as `2GB`; the users are done in as many shards as it
            takes, to the same rows. Without one DuckDB takes what it finds.
        overwrite: replace `out` if it exists.
        progress: told of steps and of samples written.

    Raises:
        CorankError: the log, a setting or the output is not as it must be, a split would be empty, or
            training would see one class only.
    """
    out = Path(out)
    chosen, config = check_recipe(recipe), resolve(settings)
    refuse_existing(out, overwrite)
    budget = None if memory is None else parse_memory(memory)
    check_engine(engine, master, budget)
    tables = open_logs(Path(logs))
    shards = 1 if budget is None else shards_for(tables, budget)
    limit = None if budget is None else engine_share(budget)
    with whole_folder(out, overwrite) as folder:
        spill = folder / ".spill"
        with reading(tables.folder), running(engine, spill, master, limit) as steps:
            with progress.task("preparing samples", planning.STEPS + shards * sharding.STEPS + 1) as task:
                plan = make_plan(steps, tables, chosen, config, seed, task, shards)
                rows = all_rows(plan, task)
                task.advance(note="items")
                prepared = whole(plan, rows)
            sizes, stages = _write_splits(folder, steps, prepared, plan, progress, ahead=budget is None)
            written = {
                name: write_flat(folder / f"{name}.parquet", steps.stream(table), FLAT_GROUP_ROWS)
                for name, table in prepared.flat.items()
            }
            versions = steps.versions()
        shutil.rmtree(spill, ignore_errors=True)
        manifest = Manifest(
            recipe=chosen,
            seed=seed,
            config=config,
            engine=engine,
            versions={"corank": version("corank"), **versions},
            inputs=describe(tables),
            valid_from=plan.cuts.valid_from,
            test_from=plan.cuts.test_from,
            sizes=sizes,
            stages=stages,
            left_out=plan.left_out,
            events=prepared.events,
            actions=list(plan.actions),
            columns=_columns(prepared),
            items=written["items"],
            labels=written["labels"],
            histories=written["histories"],
            simulated=(tables.folder / "simulation.json").is_file(),
            fingerprint=fingerprint(folder),
        )
        write_manifest(folder, manifest)
    return manifest


def _write_splits(
    folder: Path, engine: Engine, prepared: Whole, plan: Plan, progress: Reporter, ahead: bool
) -> tuple[dict[str, SplitSize], dict[str, Stage]]:
    """Write the three splits from one stream of requests and one of samples; the stages are training's.

    Raises:
        CorankError: the training split has no click, or nothing else.
    """
    split, lengths = _lengths(engine, prepared)
    requests, samples = (
        Rows(tables[0].schema().to_pyarrow(), (batch for table in tables for batch in engine.stream(table)))
        for tables in (prepared.requests, prepared.samples)
    )
    sizes: dict[str, SplitSize] = {}
    stages: dict[str, Stage] = {}
    with progress.task("writing samples", int(lengths.sum())) as task:
        for index, name in enumerate(SPLITS):
            own = lengths[split == index]
            groups = row_groups(own, plan.config.row_group_samples, plan.config.file_samples)
            tally = write_split(folder / name, groups, requests, samples, own, task, ahead)
            sizes[name] = tally.size()
            if name == "train":
                stages = tally.stages(plan.recipe)
                _refuse_one_class(sizes[name], plan.config)
    return sizes, stages


def _lengths(engine: Engine, prepared: Whole) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Split and samples of every request, in as little memory as they take."""
    splits, lengths = [], []
    for table in prepared.lengths:
        rows = engine.arrow(table)
        splits.append(rows["_split"].to_numpy().astype(np.int8))
        lengths.append(rows["_samples"].to_numpy().astype(np.int32))
    return np.concatenate(splits), np.concatenate(lengths)


def _refuse_one_class(train: SplitSize, config: SampleConfig) -> None:
    clicks = train.total.clicks
    if clicks in (0, train.total.samples):
        which = "no" if clicks == 0 else "every"
        raise CorankError(
            f"the training split has one class only: {which} sample of {train.total.samples} is clicked"
            f" (click_actions {', '.join(config.click_actions)}); see: corank logs check"
        )


def _columns(prepared: Whole) -> dict[str, Column]:
    """The columns of the splits, requests' first."""
    requests, samples = (tables[0].schema().to_pyarrow() for tables in (prepared.requests, prepared.samples))
    columns = {field.name: Column(type=str(field.type), kind="request") for field in requests}
    columns |= {field.name: Column(type=str(field.type), kind="list") for field in samples}
    for name in ("label_source", "purchase_source"):
        columns[name] = Column(type=str(pa.string()), kind="list")
    return columns
