"""The days after a simulated log: they follow from it, by a seed of their own, and from no other log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from corank.errors import CorankError
from corank.files import fingerprint
from corank.logs import check_logs, open_logs
from corank.logs.marketplace import MarketplaceConfig, simulate
from corank.logs.marketplace.acting import acted, draw_luck, expected
from corank.logs.marketplace.continuation import go_on, log_end
from corank.logs.marketplace.fresh import Fresh

TINY = ("requests=500", "catalog.items=1500", "catalog.brands=40")
TABLES = ("requests", "candidates", "events", "items", "users")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("continuation") / "log", seed=5, settings=TINY).path


@pytest.fixture(scope="module")
def longer(log: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Fresh]:
    out = tmp_path_factory.mktemp("longer")
    return out, go_on(log, out, 7, 0)


def table(folder: Path, name: str) -> pa.Table:
    return pq.read_table(folder / f"{name}.parquet")


def ended(rows: pa.Table) -> pa.Array:
    """Whether each row is of the time after the log."""
    return pc.greater_equal(
        rows["timestamp"], pa.scalar(log_end(MarketplaceConfig()), rows["timestamp"].type)
    )


def test_the_log_is_its_beginning(log: Path, longer: tuple[Path, Fresh]) -> None:
    folder = longer[0]
    for name in ("items", "users"):
        assert table(folder, name).equals(table(log, name))
    for name in ("requests", "events"):
        rows = table(folder, name)
        before = rows.filter(pc.invert(ended(rows)))
        assert before.drop("session_id").equals(table(log, name).drop("session_id"))
    logged = table(log, "candidates")
    assert table(folder, "candidates").slice(0, len(logged)).equals(logged)


def test_it_is_a_log_of_the_whole_time(longer: tuple[Path, Fresh]) -> None:
    assert list(check_logs(open_logs(longer[0])).findings) == []


def test_as_much_happens_after_the_log_as_in_it(longer: tuple[Path, Fresh]) -> None:
    """The rates of the last seven days of fourteen, which are not those of the cold start, go on."""
    for name, column in (("requests", "domain"), ("events", "action")):
        rows = table(longer[0], name)
        counts = {}
        for after in (False, True):
            late = pc.greater_equal(
                rows["timestamp"], pa.scalar(log_end(MarketplaceConfig(days=7)), rows["timestamp"].type)
            )
            kept = rows.filter(ended(rows) if after else pc.and_(late, pc.invert(ended(rows))))
            counts[after] = {
                entry["values"]: entry["counts"] for entry in pc.value_counts(kept[column]).to_pylist()
            }
        assert counts[True].keys() == counts[False].keys()
        for value, count in counts[True].items():
            other = counts[False][value]
            assert abs(count - other) < 6 * np.sqrt(count + other), (name, value)


def test_its_searches_are_those_of_the_tables(longer: tuple[Path, Fresh]) -> None:
    folder, fresh = longer
    requests = table(folder, "requests")
    searches = requests.filter(pc.and_(ended(requests), pc.equal(requests["domain"], "search")))
    assert searches["request_id"].to_numpy().tolist() == fresh.request_id_R.tolist()
    assert searches["user_id"].to_numpy().tolist() == fresh.user_id_R.tolist()
    candidates = table(folder, "candidates")
    theirs = candidates.filter(pc.is_in(candidates["request_id"], value_set=searches["request_id"]))
    assert theirs["request_id"].to_numpy().tolist() == fresh.request_id_R[fresh.request_A].tolist()
    assert theirs["item_id"].to_numpy().tolist() == fresh.item_A.tolist()
    assert theirs["position"].fill_null(0).to_numpy().tolist() == fresh.position_A.tolist()
    prices = fresh.catalog.price(fresh.item_A, fresh.hours_R[fresh.request_A])
    np.testing.assert_array_equal(theirs["price"].to_numpy(), prices)


def test_what_happened_there_is_as_expected(log: Path, tmp_path: Path) -> None:
    """The walk's clicks and purchases come to the exact expectation, in the scale of its own chance."""
    clicks, purchases, means, spreads = [], [], [], []
    for seed in range(4):
        out = tmp_path / str(seed)
        out.mkdir()
        fresh = go_on(log, out, 10, seed)
        events = table(out, "events")
        own = events.filter(pc.is_in(events["request_id"], value_set=pa.array(fresh.request_id_R)))
        clicks.append(pc.sum(pc.equal(own["action"], "click")).as_py())
        # In the flow of the request alone: what is bought later names no request.
        purchases.append(pc.sum(pc.equal(own["action"], "purchase")).as_py())
        mean, rng = expected(fresh, fresh.position_A), np.random.default_rng(seed)
        drawn = [acted(fresh, fresh.position_A, draw_luck(fresh, rng)) for _ in range(40)]
        means.append((mean.clicks_R.sum(), 0.5 * mean.purchases_R.sum()))
        spreads.append(np.var([one.clicks_R.sum() for one in drawn]))
    assert abs(sum(clicks) - sum(mean[0] for mean in means)) < 4 * np.sqrt(sum(spreads))
    half = sum(mean[1] for mean in means)
    assert half > 15
    assert abs(sum(purchases) - half) < 4 * np.sqrt(half)


def test_the_seed_decides_what_comes_after_and_nothing_before(log: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    first, again, other = (
        go_on(log, tmp_path / name, 2, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    assert first.would_click_A.tolist() == again.would_click_A.tolist()
    assert first.hours_R.tolist() != other.hours_R.tolist()
    for name in ("requests", "events"):
        one, two = table(tmp_path / "a", name), table(tmp_path / "c", name)
        one, two = (rows.filter(pc.invert(ended(rows))).drop("session_id") for rows in (one, two))
        assert one.equals(two)


def test_many_chunks_of_users_have_ids_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corank.logs.marketplace.world.CHUNK_REQUESTS", 100)
    log = simulate(tmp_path / "log", settings=TINY).path
    (tmp_path / "on").mkdir()
    fresh = go_on(log, tmp_path / "on", 3, 0)
    assert list(check_logs(open_logs(tmp_path / "on")).findings) == []
    requests = table(tmp_path / "on", "requests")
    searches = requests.filter(pc.and_(ended(requests), pc.equal(requests["domain"], "search")))
    assert sorted(searches["request_id"].to_pylist()) == sorted(fresh.request_id_R.tolist())
    assert len(np.unique(fresh.request_id_R)) == fresh.requests
    assert fresh.begin_R[-1] == len(fresh.item_A) == len(fresh.would_buy_A)


def dearer(rows: pa.Table) -> pa.Table:
    return rows.set_column(
        rows.schema.get_field_index("price"), "price", pc.add(rows["price"], pa.scalar(1, pa.float32()))
    )


CHANGES: dict[str, tuple[str, Callable[[pa.Table], pa.Table]]] = {
    "another price": ("candidates", dearer),
    "a row less": ("events", lambda rows: rows.slice(0, len(rows) - 1)),
    "a row more": ("requests", lambda rows: pa.concat_tables([rows, rows.slice(0, 1)])),
    "a column less": ("items", lambda rows: rows.drop("rating")),
    "another truth": ("truth/requests", lambda rows: rows.slice(1)),
}


@pytest.mark.parametrize(("name", "change"), CHANGES.values(), ids=CHANGES)
def test_a_changed_log_is_not_gone_on_with(
    log: Path, tmp_path: Path, name: str, change: Callable[[pa.Table], pa.Table]
) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    shutil.copytree(log, copy)
    out.mkdir()
    pq.write_table(change(table(copy, name)), copy / f"{name}.parquet")
    with pytest.raises(CorankError, match=f"copy: simulated again, its table {name} comes out otherwise"):
        go_on(copy, out, 1, 0)


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        (None, "copy: not a simulated log"),
        ([], "expected an object with the simulation's 'config' and 'seed'"),
        ({"config": {}, "seed": -1}, "'seed' = -1: expected a whole number, 0 or more"),
        ({"config": {"request": 5}, "seed": 0}, "unknown key 'request'; did you mean 'requests'"),
    ],
)
def test_what_says_how_it_was_made_is_not_trusted(
    log: Path, tmp_path: Path, described: object, sentence: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(log, copy)
    (copy / "simulation.json").unlink()
    if described is not None:
        (copy / "simulation.json").write_text(json.dumps(described))
    with pytest.raises(CorankError, match=sentence):
        go_on(copy, tmp_path, 1, 0)


def test_a_log_without_its_truth_is_refused(log: Path, tmp_path: Path) -> None:
    shutil.copytree(log, tmp_path / "copy", ignore=shutil.ignore_patterns("truth"))
    with pytest.raises(CorankError, match=r"truth/requests.parquet: no such file; expected a log as"):
        go_on(tmp_path / "copy", tmp_path, 1, 0)


def test_editions_go_on_being_withdrawn(tmp_path: Path) -> None:
    small = ("requests=1500", "days=20", "catalog.limited_days=8")
    log = simulate(tmp_path / "log", preset="boutique", settings=small).path
    (tmp_path / "on").mkdir()
    fresh = go_on(log, tmp_path / "on", 10, 0)
    assert list(check_logs(open_logs(tmp_path / "on")).findings) == []
    left = fresh.catalog.death_I[fresh.item_A] - fresh.hours_R[fresh.request_A]
    assert (left > 0).all()
    assert (left < 24).any()
    gone = (fresh.catalog.death_I > 20 * 24) & (fresh.catalog.death_I < 30 * 24)
    assert gone.sum() > 10
