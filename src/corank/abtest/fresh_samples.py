"""The samples of fresh requests, built by the steps and settings of those that the runs were trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.logs.marketplace.continuation import go_on, log_end
from corank.logs.marketplace.fresh import Fresh
from corank.progress import Reporter
from corank.samples import build_samples
from corank.samples.manifest import Manifest

_CHOOSING = 0xAD
"""Tells the seed of which requests are chosen from other seeds."""


def fresh_samples(
    truth: Path,
    store: Path,
    manifest: Manifest,
    days: int,
    requests: int | None,
    seed: int,
    progress: Reporter,
) -> Fresh:
    """Simulate on after a log, and fill `store`, whose test split holds searches of those days alone.

    Args:
        truth: the simulated log.
        store: a folder to make; the log simulated on lies beside it for a while.
        manifest: of the samples that the runs were trained on.
        days: after the log's end.
        requests: so many of the searches, drawn at random; all if None.
        seed: of what happens in those days, and of that draw.
        progress: where to report.

    Returns:
        the requests of the test split.

    Raises:
        CorankError: the log cannot be simulated on, or those days have no searches, or fewer than asked for.
    """
    log = store.with_name("log")
    log.mkdir()
    fresh = go_on(truth, log, days, seed, progress)
    if not fresh.requests or (requests or 0) > fresh.requests:
        wanted = "a test" if requests is None else f"requests = {requests}"
        span = "the day" if days == 1 else f"the {days} days"
        raise CorankError(
            f"{wanted}: {fresh.requests} searches come in {span} after {truth} (seed {seed}); ask for fewer"
            " requests, or for more days"
        )
    build_samples(log, store, "exposed", settings=settings(manifest, fresh), progress=progress)
    shutil.rmtree(log)
    if requests is None or requests == fresh.requests:
        return fresh
    chosen = np.random.default_rng([_CHOOSING, seed]).permutation(fresh.requests) < requests
    fresh = fresh.take(chosen)
    _keep(store, fresh.request_id_R)
    return fresh


def settings(manifest: Manifest, fresh: Fresh) -> list[str]:
    """The settings that give fresh requests the features that the runs were trained on.

    Only what is of no concern to features differs: searches alone are samples, and the splits lie elsewhere.
    The test split of every recipe is the same, so the cheapest is built.
    """
    config = manifest.config.model_copy(
        update={
            "domains": ("search",),
            "pseudo_domains": None,
            "touch_actions": tuple(manifest.actions),  # all that there were, and no newer one
            "valid_from": manifest.test_from,
            "test_from": log_end(fresh.config),
        }
    )
    values = config.model_dump(mode="json", exclude_defaults=True)
    return [f"{name}={json.dumps(value)}" for name, value in values.items()]


def _keep(store: Path, request_id: npt.NDArray[np.int64]) -> None:
    """Leave only some requests in the test split."""
    for path in sorted((store / "test").glob("*.parquet")):
        rows = pq.read_table(path)
        pq.write_table(rows.filter(pc.is_in(rows["request_id"], value_set=pa.array(request_id))), path)
