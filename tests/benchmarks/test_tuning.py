"""Tuned studies: what runs next is a function of the rows; equal trials; what a summary counts."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import t as student

pytest.importorskip("optuna", reason="needs the extra 'bench'")

import tuning_summary
from corank.evaluation.intervals import paired_difference
from corank.evaluation.predictions import Predictions, predictions_of
from corank.evaluation.ranking import rank
from corank.evaluation.statistics import mean_over_requests
from corank.evaluation.toplist import mrr
from tuning import FINAL, SPREAD, TRIAL, Job, Outcome, Run, Study, Sums, draw, read_runs

SPACE = {"lr": (1e-4, 1e-1), "decay": (1e-3, 1.0)}
BEST = {"a": 1e-3, "b": 3e-2}
"""Where each model's validation metric is highest."""


@dataclass(frozen=True)
class FakeTask:
    """A metric that is known: best at one rate, a little noise by seed, the same 40 requests."""

    name: str = "fake"
    size: str = "small"
    ran: list[Job] = field(default_factory=list)

    def setup(self, model: str) -> str:
        return f"{model} {self.size}"

    def train(self, model: str, settings: Mapping[str, float], seed: int) -> Outcome:
        self.ran.append(Job(model, "", 0, seed, dict(settings)))
        valid = 1 - abs(math.log(settings["lr"] / BEST[model])) / 10
        hits = requests(model, seed)
        return Outcome(valid, {"mrr": float(hits.mean())}, {"mrr": columns(hits)}, {"parameters": 7.0})


def requests(model: str, seed: int) -> Sums:
    """What each request earns: hard and easy ones, one model better, all float32 exactly."""
    g = np.random.default_rng([seed, ord(model)])
    hard = np.random.default_rng(0).integers(0, 8, 40)
    return (hard + 2.0 * (model == "b") + g.integers(0, 2, 40)) / 16


def columns(values: Sums) -> Sums:
    return np.stack([values, np.ones_like(values)], axis=1)


def study(folder: Path, trials: int = 5, task: FakeTask | None = None) -> Study:
    def seeds(model: str) -> int:
        return 3 if model == "a" else 5

    return Study(
        task or FakeTask(), ("a", "b"), SPACE, trials, seeds, folder / "runs.csv", folder / "work", "python x"
    )


def test_a_study_goes_on_from_any_of_its_rows(tmp_path: Path) -> None:
    """Wherever it was broken off, and in whatever order its rows lie, the next job is the same."""
    one = study(tmp_path)
    jobs: list[Job] = []
    while job := one.following("b"):
        jobs.append(job)
        one.do(job)
    rows = read_runs(one.runs)
    assert [row.kind for row in rows] == [TRIAL] * 5 + [FINAL] * 5
    assert [json.loads(row.settings) for row in rows] == [dict(job.drawn) for job in jobs]
    assert one.complete("b")
    assert not one.complete("a")
    lines = one.runs.read_text().splitlines()
    for cut in range(len(rows)):
        kept = lines[1 : 1 + cut]
        random.Random(cut).shuffle(kept)
        one.runs.write_text("\n".join([lines[0], *kept]) + "\n")
        assert one.following("b") == jobs[cut]


def test_a_second_call_does_nothing(tmp_path: Path) -> None:
    one = study(tmp_path)
    assert one.go_on(one.models)
    before = one.runs.read_bytes()
    task = FakeTask()
    assert study(tmp_path, task=task).go_on(one.models)
    assert not task.ran
    assert one.runs.read_bytes() == before


def test_no_run_begins_after_the_time(tmp_path: Path) -> None:
    one = study(tmp_path)
    assert not one.go_on(one.models, until=-math.inf)
    assert not one.runs.exists()


def test_every_model_has_the_same_trials(tmp_path: Path) -> None:
    """As many, and, as far as they are no answer to earlier ones, with the same settings."""
    one = study(tmp_path, trials=SPREAD + 2)
    one.go_on(one.models)
    drawn = {name: [row.settings for row in one.tried(name)] for name in one.models}
    assert {len(rows) for rows in drawn.values()} == {SPREAD + 2}
    assert drawn["a"][:SPREAD] == drawn["b"][:SPREAD]
    assert len(set(drawn["a"])) == SPREAD + 2
    for rows in drawn.values():
        for name, (low, high) in SPACE.items():
            assert all(low <= json.loads(row)[name] <= high for row in rows)


def test_four_trials_cover_every_range() -> None:
    """One in each quarter of each range, of logarithms."""
    drawn = [draw(SPACE, [run("a", 0)] * number) for number in range(4)]
    for name, (low, high) in SPACE.items():
        quarters = {int(4 * math.log(one[name] / low) / math.log(high / low)) for one in drawn}
        assert quarters == {0, 1, 2, 3}


def test_the_best_trial_on_valid_is_trained_with_fresh_seeds(tmp_path: Path) -> None:
    one = study(tmp_path)
    one.go_on(one.models)
    for name in one.models:
        best = max(one.tried(name), key=lambda row: row.valid)
        assert [(row.settings, row.seed) for row in one.finals(name)] == [
            (best.settings, seed) for seed in range(1, 1 + one.seeds(name))
        ]
        assert {row.seed for row in one.tried(name)} == {0}
    assert one.chosen("a") != one.chosen("b")


def test_rows_of_another_size_or_task_do_not_count(tmp_path: Path) -> None:
    study(tmp_path).go_on(["a"])
    for other in (FakeTask(size="large"), FakeTask(name="other")):
        again = study(tmp_path, task=other)
        assert again.following("a") == Job("a", TRIAL, 0, 0, draw(SPACE, []))


def test_given_settings_are_not_tuned(tmp_path: Path) -> None:
    """Round by round: every model's first seed before any model's second."""
    given = {"lr": 0.01, "decay": 0.5}
    one = replace(study(tmp_path, trials=0), space={}, given=given)
    for seeds in (1, 2):
        one.go_on(one.models, seeds=seeds)
    rows = read_runs(one.runs)
    assert [(row.model, row.seed, row.kind) for row in rows] == [
        (name, seed, FINAL) for seed in (1, 2) for name in ("a", "b")
    ]
    assert {row.settings for row in rows} == {json.dumps(given)}


def test_a_row_survives_the_file() -> None:
    one = run("a", 3)
    assert Run.of({name: str(value) for name, value in one.row().items()}) == one


def test_a_summary_is_of_final_runs_alone(tmp_path: Path) -> None:
    one = study(tmp_path)
    one.go_on(one.models)
    a, b = tuning_summary.summary(one, ["mrr"], ["a"])
    values = [requests("a", seed).mean() for seed in (1, 2, 3)]
    assert (a["trials"], a["seeds"], a["complete"]) == (5, 3, True)
    assert a["test_mrr"] == pytest.approx(np.mean(values), abs=1e-5)
    assert a["test_mrr_sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-5)
    assert a["test_mrr_low"] < a["test_mrr"] < a["test_mrr_high"]
    assert a["over_a"] is None
    assert b["over_a_low"] < b["over_a"] < b["over_a_high"]
    assert (a["parameters"], a["interval_over"]) == (7, "requests and seeds")


def test_no_difference_to_a_base_that_is_not_complete(tmp_path: Path) -> None:
    one = study(tmp_path)
    one.go_on(["a"], seeds=2)
    one.go_on(["b"])
    a, b = tuning_summary.summary(one, ["mrr"], ["a"])
    assert (a["complete"], b["complete"], b["over_a"]) == (False, True, None)


def predictions(seed: int, better: float) -> Predictions:
    """40 lists of 5 items, one clicked."""
    g = np.random.default_rng(seed)
    click = np.eye(5, dtype=bool)[np.random.default_rng(0).integers(0, 5, 40)].ravel()
    score = (g.random(200) + better * click) / (1 + better)
    request = np.repeat(np.arange(40), 5)
    same = dict.fromkeys(("label_purchase", "cold_item", "cold_user"), np.zeros(200, bool))
    ids = {"request_id": request, "user_id": request, "item_id": np.arange(200), "domain": ["search"] * 200}
    shown = {"exposed": np.ones(200, bool), "position": np.tile(np.arange(1, 6), 40), "weight": np.ones(200)}
    return predictions_of(pa.table({**ids, **shown, **same, "label_click": click, "score": score}))


def test_differences_are_those_of_the_package(tmp_path: Path) -> None:
    """By request and seed, as `paired_difference` takes them from whole predictions."""
    one = study(tmp_path)
    groups: dict[str, tuple[list[Run], list[Predictions]]] = {"a": ([], []), "b": ([], [])}
    for name, better, seeds in (("a", 0.2, 3), ("b", 0.4, 5)):
        for seed in range(1, seeds + 1):
            made = predictions(100 * ord(name) + seed, better)
            metric = mrr(rank(made.score, made.request), made.click)
            row = replace(run(name, seed), test={"mrr": metric.value})
            one.keep(row, {"mrr": mean_over_requests(metric).columns})
            groups[name][0].append(row)
            groups[name][1].append(made)
    found = tuning_summary.gain(one, groups["a"][0], groups["b"][0], "mrr")
    expected = paired_difference(groups["a"][1], groups["b"][1], ["mrr"])["mrr"]
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-6
    )


def test_runs_of_one_seed_may_be_drawn_together(tmp_path: Path) -> None:
    """Seeds that move both models alike drop out of the difference, and only common ones count."""
    one = study(tmp_path)
    rows = []
    for name, more, seeds in (("a", 0.0, 4), ("b", 0.25, 3)):
        for seed in range(1, seeds + 1):
            row = replace(run(name, seed), test={"mrr": seed / 16 + more})
            one.keep(row, {"mrr": columns(np.full(40, seed / 16 + more))})
            rows.append(row)
    apart = tuning_summary.gain(one, rows[:3], rows[4:], "mrr")
    together = tuning_summary.gain(one, rows[:4], rows[4:], "mrr", same_seeds=True)
    assert (together.value, together.low, together.high) == pytest.approx((0.25, 0.25, 0.25))
    assert apart.low is not None
    assert apart.low < 0.25


def test_without_the_values_by_request_the_interval_is_over_seeds(tmp_path: Path) -> None:
    """Welch's, and the row says so."""
    one = study(tmp_path)
    one.go_on(one.models)
    (row,) = [row for row in tuning_summary.summary(one, ["mrr"], ["a"]) if row["model"] == "b"]
    for path in (one.work / "values").iterdir():
        path.unlink()
    (bare,) = [row for row in tuning_summary.summary(one, ["mrr"], ["a"]) if row["model"] == "b"]
    assert (row["interval_over"], bare["interval_over"]) == ("requests and seeds", "seeds")
    assert bare["over_a"] == row["over_a"]
    first, second = (
        [requests(name, seed).mean() for seed in range(1, n)] for name, n in (("a", 4), ("b", 6))
    )
    parts = [np.var(part, ddof=1) / len(part) for part in (first, second)]
    freedom = sum(parts) ** 2 / sum(p**2 / (n - 1) for p, n in zip(parts, (3, 5), strict=True))
    half = student.ppf(0.975, freedom) * math.sqrt(sum(parts))
    assert bare["over_a_high"] - bare["over_a"] == pytest.approx(half, abs=2e-5)


def run(model: str, seed: int) -> Run:
    return Run(
        "fake", model, "s", '{"lr": 0.1, "decay": 0.1}', FINAL, 0, seed, 0.5, {"mrr": 0.25}, {"parameters": 7}
    )
