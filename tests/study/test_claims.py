"""What the studies compare, and when a direction counts as seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from corank.errors import CorankError
from corank.evaluation.intervals import Difference, Draws
from corank.models.registry import model_config
from corank.study import CODESIGN, STUDIES, Study
from corank.study.conditions import Condition, recipes_of
from corank.study.config import StudyConfig
from corank.study.contrasts import NEUTRAL, Contrast, Expected, contrast, mean_over_seeds, verdict
from corank.study.draws import STEP, read_draws, write_draws
from corank.study.rows import Row, read_rows, write_rows
from corank.study.running import chosen, waiting
from tests.study.small import CLAIM, ES3, EXPOSED


@pytest.mark.parametrize("preset", ["quick", "default", "full"])
@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_every_claim_is_of_conditions_that_are_trained(preset: str, study: Study) -> None:
    config = StudyConfig.parse(dict(study.presets[preset]))
    conditions = study.conditions(config)
    keys = [one.key for one in conditions]
    assert len(keys) == len(set(keys))
    for one in conditions:
        model_config(one.registered, one.settings)
    claims = study.claims(config)
    assert {one for claim in claims for one in (*claim.plus, *claim.minus)} <= set(conditions)
    assert len({(claim.name, claim.where) for claim in claims}) == len(claims)
    assert recipes_of(conditions)[-1] == "es3"


def test_bare_models_are_compared_if_named() -> None:
    """ESUIF as its equations are published: of no study until asked for, then of claims of its own."""
    usual, asked = StudyConfig(), StudyConfig(models=("hhfi",))
    bare = set(CODESIGN.conditions(asked)) - set(CODESIGN.conditions(usual))
    assert set(CODESIGN.conditions(usual)) < set(CODESIGN.conditions(asked))
    assert {one.model.endswith("-bare") for one in bare} == {True}
    for one in bare:
        other = model_config(one.registered, one.settings[:-1])
        assert one.settings[-1] == "esuif.residual=false"
        assert model_config(one.registered, one.settings) != other
    claims = CODESIGN.claims(asked)
    assert {one for claim in claims for one in (*claim.plus, *claim.minus)} <= set(CODESIGN.conditions(asked))
    assert len({claim.name for claim in claims}) == len(claims)
    more = {claim.name for claim in claims} - {claim.name for claim in CODESIGN.claims(usual)}
    assert {"residual hhfi+both, es3", "ii hhfi+both-bare"} <= more


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_the_full_study_holds_the_default_one(study: Study) -> None:
    default, full = (StudyConfig.parse(dict(study.presets[name])) for name in ("default", "full"))
    assert default.shared() == full.shared()
    assert set(study.conditions(default)) < set(study.conditions(full))
    assert set(study.claims(default)) < set(study.claims(full))


def test_every_direction_of_the_paper_is_judged() -> None:
    full = StudyConfig.parse(dict(CODESIGN.presets["full"]))
    directions = {claim.name.split()[0] for study in STUDIES.values() for claim in study.claims(full)}
    assert {"i", "ii", "iii", "iv", "v"} <= directions


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
@pytest.mark.parametrize("field", ["sizes", "budgets"])
def test_no_setting_is_skipped(study: Study, field: str) -> None:
    def of(*values: str) -> set[Condition]:
        return set(study.conditions(StudyConfig.parse({field: values})))

    one, other = ("xs", "s") if field == "sizes" else ("steps", "epochs")
    assert of(one) < of(one) | of(other) == of(one, other)


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("rates", (0.1, 0.2, 0.1), "'0.1' is named twice"),
        ("rates", (0.001, 0.0010000001), "'0.001' is named twice"),  # one folder for both
        ("sizes", ("xs", "s", "xs"), "'xs' is named twice"),
        ("budgets", ("steps", "steps"), "'steps' is named twice"),
        ("models", ("hhfi", "hhfi"), "'hhfi' is named twice"),
    ],
)
def test_what_is_named_twice_is_refused(field: str, values: tuple[object, ...], told: str) -> None:
    with pytest.raises(CorankError, match=told):
        StudyConfig.parse({field: values})


def test_the_gain_with_size_is_that_of_the_larger_model_however_sizes_are_named() -> None:
    small_first, large_first = (StudyConfig.parse({"sizes": sizes}) for sizes in (("xs", "s"), ("s", "xs")))
    assert CODESIGN.claims(small_first) == CODESIGN.claims(large_first)
    (gain,) = [claim for claim in CODESIGN.claims(large_first) if claim.name.startswith("iv")]
    added = {(one.recipe, one.size) for one in gain.plus}
    assert added == {("es3", "s"), ("exposed", "xs")}


def row(condition: Condition, kind: str, rate: float, seed: int, valid: float | None) -> Row:
    return Row(
        condition.key,
        "trial" if kind == "trial" else "final",
        rate,
        seed,
        valid,
        1,
        2,
        3,
        2,
        9,
        0.5,
        "ab",
        "c",
    )


def test_trials_come_first_and_a_diverged_one_is_not_chosen() -> None:
    config = StudyConfig(rates=(0.1, 0.2), seeds=2)
    both = [EXPOSED, ES3]
    assert [(job.condition, job.rate) for job in waiting([], both, config, ())] == [
        (EXPOSED, 0.1), (EXPOSED, 0.2), (ES3, 0.1), (ES3, 0.2)
    ]  # fmt: skip
    rows = [
        row(EXPOSED, "trial", 0.1, 0, None),
        row(EXPOSED, "trial", 0.2, 0, 0.6),
        row(ES3, "trial", 0.1, 0, 0.7),
    ]
    assert chosen(rows, EXPOSED, config) == 0.2
    assert chosen(rows, ES3, config) is None
    after = [(job.condition, job.kind, job.rate, job.seed) for job in waiting(rows, both, config, ())]
    assert after == [(ES3, "trial", 0.2, 0), (EXPOSED, "final", 0.2, 1), (EXPOSED, "final", 0.2, 2)]
    begun = {(EXPOSED.key, "final", 0.2, 1)}
    assert (EXPOSED, "final", 0.2, 1) not in [
        (job.condition, job.kind, job.rate, job.seed) for job in waiting(rows, both, config, begun)
    ]
    rows.append(row(ES3, "trial", 0.2, 0, 0.7))
    assert chosen(rows, ES3, config) == 0.1


@pytest.mark.parametrize(
    ("low", "high", "expected", "lower", "word"),
    [
        (0.01, 0.02, "above", False, "reproduced"),
        (0.01, 0.02, "below", False, "refuted"),
        (-0.02, -0.01, "below", False, "reproduced"),
        (-0.02, -0.01, "above", False, "refuted"),
        (-0.01, 0.02, "above", False, "open"),
        (0.0, 0.02, "above", False, "open"),
        (0.01, 0.02, "above", True, "refuted"),
        (-0.02, -0.01, "above", True, "reproduced"),
        (-NEUTRAL / 2, NEUTRAL / 2, "neutral", False, "reproduced"),
        (NEUTRAL / 4, NEUTRAL / 2, "neutral", False, "reproduced"),
        (NEUTRAL / 4, NEUTRAL * 2, "neutral", False, "refuted"),
        (-NEUTRAL * 2, NEUTRAL / 2, "neutral", False, "open"),
        (-NEUTRAL / 2, NEUTRAL / 2, "neutral", True, "open"),
        (NEUTRAL / 4, NEUTRAL / 2, "neutral", True, "refuted"),
        (None, None, "above", False, "open"),
    ],
)
def test_a_verdict_needs_the_whole_interval(
    low: float | None, high: float | None, expected: Expected, lower: bool, word: str
) -> None:
    assert verdict(Difference(0.0, low, high, None), expected, lower) == word


@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=4, max_size=4))
def test_a_contrast_adds_resample_by_resample(values: list[list[float]]) -> None:
    """With one seed each nothing but the requests counts, so the sum can be written out."""
    names = [dataclasses.replace(EXPOSED, model=str(number)) for number in range(4)]
    runs = {
        one.key: [{"m": Draws(own[0], np.array(own[1:]), 9, 0)}]
        for one, own in zip(names, values, strict=True)
    }
    measured = mean_over_seeds(runs)
    claim = Contrast("x", "y", (names[0], names[1]), (names[2], names[3]), "above", "xs", "steps")
    found = contrast(measured, claim, "m")
    a, b, c, d = (np.array(own) for own in values)
    wanted = a + b - c - d
    assert found.value == pytest.approx(wanted[0])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(wanted[1:], [0.025, 0.975])))


def test_more_seeds_that_differ_widen_the_interval() -> None:
    flat = np.full(400, 0.5)

    def span(gap: float) -> float:
        seeds = [{"m": Draws(0.5 + sign * gap, flat + sign * gap, 9, 0)} for sign in (-1, 0, 1)]
        measured = mean_over_seeds({EXPOSED.key: seeds, ES3.key: seeds})
        found = contrast(measured, CLAIM, "m")
        assert found.low is not None
        assert found.high is not None
        assert found.value == pytest.approx(0)
        return found.high - found.low

    assert span(0.0) == pytest.approx(0)
    # The standard error of a difference of two means of three seeds, of deviation .1: .1 * (2 / 3) ** .5.
    assert span(0.1) == pytest.approx(2 * stdtrit(4, 0.975) * 0.1 * (2 / 3) ** 0.5)


def test_an_interval_does_not_depend_on_which_other_conditions_there_are() -> None:
    rng = np.random.default_rng(0)
    others = [dataclasses.replace(EXPOSED, model=name) for name in ("first", "last")]
    runs = {
        one.key: [{"m": Draws(value, rng.normal(value, 0.1, 100), 9, 0)} for value in (0.4, 0.5, 0.7)]
        for one in (others[0], EXPOSED, ES3, others[1])
    }
    together = contrast(mean_over_seeds(runs), CLAIM, "m")
    alone = mean_over_seeds({key: runs[key] for key in (ES3.key, EXPOSED.key)})
    assert contrast(alone, CLAIM, "m") == together
    # Seeds of two conditions are independent, though they have the same values.
    same = mean_over_seeds({EXPOSED.key: runs[EXPOSED.key], ES3.key: runs[EXPOSED.key]})
    found = contrast(same, CLAIM, "m")
    assert found.low is not None
    assert found.low < 0


def test_rows_and_draws_are_read_as_written(tmp_path: Path) -> None:
    rows = [
        row(EXPOSED, "trial", 1e-3, 0, None),
        dataclasses.replace(
            row(ES3, "final", 0.004, 3, 0.712345), test={"exposed.gauc": 0.7, "exposed.auc": 0.5}
        ),
    ]
    write_rows(tmp_path / "runs.csv", rows)
    assert read_rows(tmp_path / "runs.csv") == rows
    assert read_rows(tmp_path / "none.csv") == []
    draws = {
        "a.gauc": Draws(0.7, np.array([0.6123456, np.nan, 0.8]), 10, 2),
        "a.auc": Draws(0.5, np.array([0.4]), 1, 0),
        "a.logloss": Draws(float("nan"), np.array([]), 0, 0),
    }
    write_draws(tmp_path / "draws.parquet", draws)
    found = read_draws(tmp_path / "draws.parquet")
    assert list(found) == list(draws)
    for name, one in draws.items():
        assert (found[name].groups, found[name].skipped) == (one.groups, one.skipped)
        assert np.array_equal(found[name].value, one.value, equal_nan=True)
        assert np.allclose(found[name].resampled, one.resampled, rtol=0, atol=STEP / 2, equal_nan=True)
    (tmp_path / "draws.parquet").write_bytes(b"no")
    with pytest.raises(CorankError, match="not the measures of a run"):
        read_draws(tmp_path / "draws.parquet")
