"""Users act on orders by made-up scores: more requests make an interval narrower, and luck wider."""

from __future__ import annotations

import numpy as np
import pytest

from corank.abtest.replay import ARMS, Replay, play
from corank.evaluation.abtest import MEASURES, Arm, ArmValues, compare_arms
from corank.logs.marketplace import simulate
from corank.logs.marketplace.acting import worth
from corank.logs.marketplace.continuation import go_on
from corank.progress import QUIET


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory) -> list[Replay]:
    """Five seeds of two days; A orders by a guess of the truth, B by a better one."""
    at = tmp_path_factory.mktemp("play")
    log = simulate(at / "log", settings=("requests=4000", "catalog.items=2000")).path
    made = []
    for seed in range(5):
        (at / str(seed)).mkdir()
        fresh = go_on(log, at / str(seed), 2, seed)
        rng = np.random.default_rng(seed)
        guesses = [
            np.log(worth(fresh) + 1e-9) + noise * rng.standard_normal(len(fresh.item_A))
            for noise in (2.0, 1.5)
        ]
        made.append(play(fresh, guesses, 2, seed, QUIET))
    return made


def compared(replays: list[Replay]) -> tuple[Arm, ...]:
    user_id = np.concatenate([one.fresh.user_id_R for one in replays])
    arms = []
    for key in ARMS:
        played = [one.arms[key].values for one in replays]
        values = {
            w: {m: np.concatenate([one[w][m] for one in played]) for m in played[0][w]} for w in played[0]
        }
        arms.append(ArmValues(key, key, values, 0.0))
    return compare_arms(np.unique(user_id, return_inverse=True)[1], arms)


def width(arm: Arm, way: str, measure: str) -> float:
    gap = arm.effects[way][measure].difference
    assert gap.low is not None
    assert gap.high is not None
    return gap.high - gap.low


def test_more_seeds_give_narrower_intervals(replays: list[Replay]) -> None:
    one, many = compared(replays[:1])[1], compared(replays)[1]
    for way in ("expected", "drawn"):
        for measure in ("clicks", "purchases"):
            assert width(many, way, measure) < 0.7 * width(one, way, measure)


def test_expectations_are_surer_than_draws(replays: list[Replay]) -> None:
    _, better, logging, oracle = compared(replays)
    for arm in (better, logging, oracle):
        for measure in MEASURES:
            assert width(arm, "drawn", measure) > 1.3 * width(arm, "expected", measure)
    for measure in ("clicks", "purchases"):
        gap = better.effects["expected"][measure].difference
        assert gap.low is not None
        assert gap.low > 0


def test_one_luck_for_all_arms_makes_their_difference_surer(replays: list[Replay]) -> None:
    """Without it, B would have had another seed's luck."""
    fresh, first = replays[0].fresh, replays[0].arms["A"].values["drawn"]["clicks"]
    better = replays[0].arms["B"].values["drawn"]["clicks"]
    scores = np.log(worth(fresh) + 1e-9)
    same, other = (
        play(fresh, [scores, scores], 2, seed, QUIET).arms["B"].values["drawn"]["clicks"] for seed in (0, 1)
    )
    assert np.var(better - first) < 0.8 * (np.var(better) + np.var(first))
    assert np.var(same - better) < np.var(other - better)


def test_orders_of_chance_do_not_depend_on_where_candidates_stand(replays: list[Replay]) -> None:
    """Scores that say nothing are ordered by lot, and not as the log happens to hold the candidates."""
    fresh = replays[0].fresh
    same = play(
        fresh, [np.zeros(len(fresh.item_A)), -np.arange(len(fresh.item_A), dtype=np.float64)], 0, 0, QUIET
    )
    shown = same.arms["A"].shown.sum()
    by_lot = shown / len(fresh.item_A)
    assert same.arms["B"].shared.sum() / shown == pytest.approx(by_lot, abs=0.02)
    assert same.arms["logging"].shared.sum() / shown == pytest.approx(by_lot, abs=0.02)
