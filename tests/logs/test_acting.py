"""Users who act on lists in any order: expectations are the averages of the simulator's own draws."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pytest

from corank.logs.marketplace import MarketplaceConfig, simulate
from corank.logs.marketplace.acting import Outcome, acted, draw_luck, expected, positions, worth
from corank.logs.marketplace.continuation import go_on
from corank.logs.marketplace.delays import bought_within
from corank.logs.marketplace.fresh import Fresh
from corank.logs.marketplace.outcomes import SECOND, Luck, read_hours

# Dear enough in chances that purchases of one list compete, and editions short enough to run out meanwhile.
EAGER = ("behaviour.buy_base=-1", "behaviour.click_base=-4.5", "catalog.promotion_rate=0.1")
SETTINGS = {
    "market": ("requests=1000", *EAGER),
    "boutique": ("requests=4000", "days=40", "catalog.limited_days=6", "behaviour.later_hours=60", *EAGER),
}
MEASURES = [field.name for field in fields(Outcome)]


@pytest.fixture(scope="module", params=["market", "boutique"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    preset: str = request.param
    at = tmp_path_factory.mktemp("acting")
    log = simulate(at / "log", preset=preset, settings=SETTINGS[preset]).path
    (at / "on").mkdir()
    return go_on(log, at / "on", 3, 0)


def random_order(fresh: Fresh, seed: int) -> npt.NDArray[np.int8]:
    rng = np.random.default_rng(seed)
    return positions(fresh, rng.random(len(fresh.item_A)), rng.random(len(fresh.item_A)))


@pytest.mark.parametrize("order", ["logging", "oracle", "random"])
def test_expectations_are_the_averages_of_draws(fresh: Fresh, order: str) -> None:
    ties = np.zeros(len(fresh.item_A))
    position_A = {
        "logging": fresh.position_A,
        "oracle": positions(fresh, worth(fresh), ties),
        "random": random_order(fresh, 1),
    }[order]
    rng, mean, draws = np.random.default_rng(7), expected(fresh, position_A), 400
    drawn = [acted(fresh, position_A, draw_luck(fresh, rng)) for _ in range(draws)]
    for name in MEASURES:
        totals = np.array([getattr(one, name).sum() for one in drawn])
        gap = totals.mean() - getattr(mean, name).sum()
        assert abs(gap) < 4 * totals.std() / np.sqrt(draws), name
    assert sum(one.purchases_R.sum() for one in drawn) > 1000


def test_an_expectation_is_what_a_plain_loop_says(fresh: Fresh) -> None:
    """Down the list: click, decide, and be the first to; without withdrawals and changes of price."""
    lasting = 0
    found = expected(fresh, fresh.position_A)
    for r in range(0, fresh.requests, 7):
        rows = range(fresh.begin_R[r], fresh.begin_R[r + 1])
        shown = sorted((row for row in rows if fresh.position_A[row]), key=lambda row: fresh.position_A[row])
        clicks, nothing_yet, cheapest, dearest = 0.0, 1.0, 0.0, 0.0
        for row in shown:
            click = float(fresh.position_A[row]) ** -float(fresh.exponent_R[r]) * float(
                fresh.would_click_A[row]
            )
            buy = click * float(fresh.would_buy_A[row])
            prices = (
                np.exp(fresh.catalog.log_price_I[fresh.item_A[row]])
                * fresh.catalog.discount_IT[fresh.item_A[row]]
            )
            clicks += click
            cheapest += nothing_yet * buy * (prices.min() - 0.01)
            dearest += nothing_yet * buy * (prices.max() + 0.01)
            nothing_yet *= 1 - buy
        assert found.clicks_R[r] == pytest.approx(clicks, rel=1e-5)
        if np.isinf(fresh.catalog.death_I[fresh.item_A[shown]]).all():
            lasting += 1
            assert found.purchases_R[r] == pytest.approx(1 - nothing_yet, rel=1e-5)
            assert cheapest <= found.money_R[r] <= dearest
        assert found.purchases_R[r] <= 1 - nothing_yet + 1e-7
    assert lasting


def test_no_order_brings_more_purchases_than_the_oracle(fresh: Fresh) -> None:
    best = expected(fresh, positions(fresh, worth(fresh), np.zeros(len(fresh.item_A)))).purchases_R
    for order in (fresh.position_A, *(random_order(fresh, seed) for seed in range(20))):
        # Reading down a list takes seconds, in which an item may be withdrawn: hence the tolerance.
        assert (best - expected(fresh, order).purchases_R > -1e-6).all()
    assert best.mean() > 1.2 * expected(fresh, fresh.position_A).purchases_R.mean()


def test_as_many_are_shown_as_the_site_shows(fresh: Fresh) -> None:
    order = random_order(fresh, 3)
    for r in range(fresh.requests):
        own = slice(fresh.begin_R[r], fresh.begin_R[r + 1])
        assert sorted(order[own][order[own] > 0]) == sorted(fresh.position_A[own][fresh.position_A[own] > 0])


def test_orders_go_by_score_and_then_by_the_tie(fresh: Fresh) -> None:
    as_shown = np.where(fresh.position_A > 0, -fresh.position_A.astype(float), -1000.0)
    assert positions(fresh, as_shown, np.zeros(len(as_shown))).tolist() == fresh.position_A.tolist()
    alike = np.zeros(len(as_shown))
    assert positions(fresh, alike, -as_shown).tolist() == fresh.position_A.tolist()


def test_luck_is_the_same_wherever_an_item_is_shown(fresh: Fresh) -> None:
    """Of two orders with one luck, lists that are alike lead to the same, to the last bit."""
    one, other = fresh.position_A, fresh.position_A.copy()
    changed = fresh.request_A % 2 == 1
    other[changed] = random_order(fresh, 5)[changed]
    luck = draw_luck(fresh, np.random.default_rng(0))
    same_R = np.arange(fresh.requests) % 2 == 0
    for name in MEASURES:
        for act in (expected, lambda f, position: acted(f, position, luck)):
            a, b = getattr(act(fresh, one), name), getattr(act(fresh, other), name)
            assert (a[same_R] == b[same_R]).all()
    assert (acted(fresh, one, luck).clicks_R != acted(fresh, other, luck).clicks_R).any()


def test_some_requests_alone_are_as_they_were(fresh: Fresh) -> None:
    which_R = np.arange(fresh.requests) % 3 == 1
    part, whole = fresh.take(which_R), expected(fresh, fresh.position_A)
    for name in MEASURES:
        np.testing.assert_array_equal(
            getattr(expected(part, part.position_A), name), getattr(whole, name)[which_R]
        )


@pytest.mark.parametrize("preset", ["market", "boutique"])
@pytest.mark.parametrize("position", [1, 10])
def test_the_delay_of_purchases_has_the_distribution_that_is_drawn(preset: str, position: int) -> None:
    behaviour, size, rng = MarketplaceConfig.preset(preset).behaviour, 100_000, np.random.default_rng(0)
    luck = Luck.draw(behaviour, size, rng)
    later = 0.3 + luck.later_hours_E
    delay = read_hours(np.full(size, position), rng.random(size))
    delay += np.where(luck.now_E < behaviour.buy_now_share, luck.flow_seconds_E * SECOND, later)
    hours = np.array([-1, 0, 0.03, 0.04, 0.1, 0.2, 0.21, 0.3, 0.32, 0.5, 2, 16, 100, 1000, np.inf])
    share = bought_within(behaviour, np.full(len(hours), position), hours)
    assert (np.diff(share) >= 0).all()
    assert (share[:2].tolist(), share[-1]) == ([0, 0], 1)
    for bound, chance in zip(hours, share, strict=True):
        seen = np.mean(delay <= bound)
        assert abs(seen - chance) <= 4 * np.sqrt(chance * (1 - chance) / size) + 1e-9, bound


def test_the_shortest_delays_are_rare_and_exact() -> None:
    """The corners of the sum of two uniform times: reading at most 5 seconds, then 2 to 12 minutes."""
    behaviour = MarketplaceConfig().behaviour.model_copy(update={"buy_now_share": 1.0})
    seconds = np.array([122, 127, 722, 727])
    found = bought_within(behaviour, np.ones(4), seconds * SECOND)
    np.testing.assert_allclose(found, [0, 2.5 / 600, 1 - 2.5 / 600, 1], atol=1e-9)


def test_no_requests_lead_to_nothing(fresh: Fresh) -> None:
    none = fresh.take(np.zeros(fresh.requests, dtype=bool))
    assert (none.requests, len(none.item_A), none.begin_R.tolist()) == (0, 0, [0])
    assert expected(none, none.position_A).clicks_R.tolist() == []
