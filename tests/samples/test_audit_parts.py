"""The pieces of an audit by themselves: intervals, stability, deciles, findings."""

from __future__ import annotations

import random

import duckdb
import pytest

from corank.samples.audit.deciles import add_deciles, add_item_deciles
from corank.samples.audit.finding import Finding, Level, Limits, percent, ratio, worst_first
from corank.samples.audit.rates import Cell, Rate, Share, clustered, rates
from corank.samples.audit.stability import stability


def cell(users: list[tuple[int, int]]) -> Cell:
    """Of (rows, counted) of each user."""
    return Cell(
        n=sum(n for n, _ in users),
        y=sum(y for _, y in users),
        users=len(users),
        nn=sum(n * n for n, _ in users),
        ny=sum(n * y for n, y in users),
        yy=sum(y * y for _, y in users),
    )


def test_rows_of_one_user_are_not_independent() -> None:
    alone = clustered(cell([(1, i % 2) for i in range(400)]))
    same = clustered(cell([(10, 10 * (i % 2)) for i in range(40)]))
    assert alone.rate == same.rate == 0.5
    assert alone.low is not None
    assert same.low is not None
    assert 0.5 - alone.low == pytest.approx(1.96 * 0.5 / 20, rel=0.02)
    assert (0.5 - same.low) / (0.5 - alone.low) == pytest.approx(10**0.5, rel=0.06)


def test_intervals_stay_within_0_and_1_and_widen_to_users_where_nothing_varies() -> None:
    none, every = clustered(cell([(1000, 0)] * 10)), clustered(cell([(1000, 1000)] * 10))
    assert (none.low, every.high) == (0, 1)
    assert none.high == pytest.approx(1.959964**2 / (10 + 1.959964**2))
    assert clustered(cell([(50, 20)])) == Rate(20, 50, 0.4)
    assert clustered(cell([])) == Rate(0, 0, None)


def test_intervals_cover() -> None:
    """95 % intervals of shares that differ by user hold the true share about as often as they say."""
    chance = random.Random(0)
    held = 0
    for _ in range(400):
        users = []
        for _ in range(60):
            own = chance.betavariate(1, 9)
            rows = chance.randrange(1, 60)
            users.append((rows, sum(chance.random() < own for _ in range(rows))))
        rate = clustered(cell(users))
        held += rate.low is not None and rate.high is not None and rate.low <= 0.1 <= rate.high
    assert 0.91 <= held / 400 <= 0.99


def test_a_group_that_is_not_there_has_rates_of_none() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows (u INTEGER, x BOOLEAN)")
        assert rates(connection, "rows", {"x": Share("x")}) == {(): {"x": Rate(0, 0, None)}}
        assert rates(connection, "rows", {"x": Share("x")}, by=("u",)) == {}


def test_stability() -> None:
    assert stability([10, 20, 30], [10, 20, 30]) == pytest.approx(0)
    assert stability([50, 50], [60, 40]) == pytest.approx(0.0397, abs=1e-4)
    assert stability([100, 0], [0, 100]) == pytest.approx(2 * 99.5 / 101 * 5.293, rel=0.01)
    assert stability([], []) is None
    assert stability([0, 0], [1, 2]) is None
    assert stability([1, 2, 0], [2, 1, 0]) == stability([1, 2], [2, 1]), (
        "a bin that neither has does not count"
    )


def test_deciles_part_no_equal_values_and_place_any_item() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE tested AS SELECT unnest([0, 0, 0, 0, 2, 3, 4, 5, 6, 9]) AS popularity"
        )
        connection.execute("CREATE TABLE clicks_before AS SELECT unnest([1, 2, 7, 9, 50]) AS popularity")
        add_deciles(connection, "popularity")
        add_item_deciles(connection)
        found = connection.execute("SELECT value, decile FROM popularity_deciles ORDER BY 1").fetchall()
        assert found == [(0, 1), (2, 5), (3, 6), (4, 7), (5, 8), (6, 9), (9, 10)]
        placed = connection.execute("SELECT popularity, decile FROM popularity_places ORDER BY 1").fetchall()
        assert placed == [(0, 1), (1, 5), (2, 5), (7, 10), (9, 10), (50, 10)]


def test_levels_by_threshold() -> None:
    limits = Limits(0.1, 0.25)
    assert [limits.level(value) for value in (0.05, 0.1, 0.2, 0.25, 1)] == [
        "fine",
        "watch",
        "watch",
        "act",
        "act",
    ]


def finding(level: Level, excess: float) -> Finding:
    return Finding(level, f"{level} {excess}", "So it is.", "", excess)


def test_the_worst_come_first_and_what_is_fine_only_fills_up() -> None:
    many = [finding("watch", 1 + i / 10) for i in range(9)] + [finding("act", 3), finding("fine", 0.5)]
    chosen = worst_first(many)
    assert [one.level for one in chosen] == ["act"] + ["watch"] * 6
    assert [one.excess for one in chosen[1:]] == sorted((one.excess for one in chosen[1:]), reverse=True)
    few = worst_first([finding("fine", 0.1), finding("fine", 0.9), finding("watch", 1), finding("fine", 0.2)])
    assert [(one.level, one.excess) for one in few] == [("watch", 1), ("fine", 0.9), ("fine", 0.2)]


def test_ratios_and_percent_are_cautious() -> None:
    assert ratio(Rate(5, 10, 0.5, 0.4, 0.6), Rate(1, 10, 0.1, 0.05, 0.2)) == pytest.approx(2)
    assert ratio(Rate(5, 10, 0.5, 0.4, 0.6), Rate(0, 0, None)) == 0
    assert percent(None) == "n/a"
    assert percent(0.0996) == "10 %"
