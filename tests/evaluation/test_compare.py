"""Runs are compared on the same rows only; seeds of one model can be put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.evaluation.conftest import with_purchase_scores

from corank.errors import CorankError
from corank.evaluation import compare_runs
from corank.evaluation.compare import CTCVR, METRICS
from corank.evaluation.runs import group_by_seed

MakeTable = Callable[..., pa.Table]
MakeRun = Callable[..., Path]


def known(value: float | None) -> float:
    """The value, which is defined."""
    assert value is not None
    return value


def test_the_better_run_is_better(make_run: MakeRun, make_table: MakeTable) -> None:
    base = make_run("base", make_table(noise=2.0), model="dnn_s")
    better = make_run("better", make_table(noise=0.2), model="dcnv2_s")
    comparison = compare_runs([base, better], metrics=["gauc", "logloss"], resamples=200)
    first, second = comparison.models
    assert (first.name, second.name, first.differences) == ("dnn_s", "dcnv2_s", {})
    gap = second.differences["gauc"]
    assert known(gap.low) > 0
    assert gap.above_zero == 1
    assert gap.value == pytest.approx(known(second.values["gauc"].value) - known(first.values["gauc"].value))
    assert known(second.differences["logloss"].high) < 0
    json.dumps(comparison.to_json(), allow_nan=False)


def test_the_order_of_the_rows_does_not_matter(make_run: MakeRun, make_table: MakeTable) -> None:
    table = make_table(noise=0.5)
    order = np.random.default_rng(0).permutation(table.num_rows)
    base, same, shuffled = (
        make_run("base"),
        make_run("same", table),
        make_run("shuffled", table.take(pa.array(order))),
    )
    plain = compare_runs([base, same], resamples=50).models[1]
    mixed = compare_runs([base, shuffled], resamples=50).models[1]
    assert plain.values == mixed.values
    assert plain.differences == mixed.differences


def test_scores_of_purchases_are_compared_where_all_have_them(
    make_run: MakeRun, make_table: MakeTable
) -> None:
    table, order = with_purchase_scores(make_table()), np.random.default_rng(0).permutation(720)
    ours, theirs = make_run("ours", table), make_run("theirs", with_purchase_scores(make_table(), seed=1))
    shuffled, without = make_run("shuffled", table.take(pa.array(order))), make_run("without")
    found = compare_runs([theirs, ours, shuffled], resamples=20).models
    assert list(found[0].values) == [*METRICS, *CTCVR]
    assert found[1].values == found[2].values
    assert found[1].differences["ctcvr_auc"].value
    assert list(compare_runs([ours, without], resamples=2).models[0].values) == list(METRICS)
    with pytest.raises(CorankError, match="'ctcvr_auc': the predictions have no column 'score_purchase'"):
        compare_runs([ours, without], metrics=["ctcvr_auc"], resamples=2)


def test_labels_of_all_channels_need_to_agree_only_where_both_have_them(
    make_run: MakeRun, make_table: MakeTable
) -> None:
    """A file of another system may lack them: its exposed rows can be compared all the same."""
    table = make_table(noise=0.5)
    for name in ("anywhere_click", "anywhere_purchase"):
        table = table.append_column(name, table["label_" + name.removeprefix("anywhere_")])
    other = table.set_column(
        table.column_names.index("anywhere_click"), "anywhere_click", table["label_purchase"]
    )
    ours, theirs, wrong = make_run("ours", table), make_run("theirs", make_table()), make_run("wrong", other)
    for runs in ([ours, theirs], [theirs, ours]):
        assert (
            compare_runs(runs, metrics=["gauc"], resamples=2).models[1].differences["gauc"].value is not None
        )
    with pytest.raises(CorankError, match="differ in 'anywhere_click'"):
        compare_runs([ours, wrong], metrics=["gauc"], resamples=2)
    with pytest.raises(CorankError, match="no columns 'anywhere_click'"):
        compare_runs([theirs, ours], metrics=["gauc"], space="all_channels", resamples=2)


def test_seeds_are_one_model(make_run: MakeRun, make_table: MakeTable) -> None:
    a = [make_run(f"a{seed}", make_table(noise=1.5, seed=seed), "dnn_s", seed) for seed in range(3)]
    b = [make_run(f"b{seed}", make_table(noise=0.5, seed=9 + seed), "dcnv2_s", seed) for seed in range(2)]
    assert group_by_seed([*a, *b]) == [a, b]
    comparison = compare_runs([a, b], metrics=["gauc"], resamples=200)
    alone = [compare_runs([run], metrics=["gauc"], resamples=0).models[0] for run in a]
    each = [known(model.values["gauc"].value) for model in alone]
    assert comparison.models[0].runs == ("a0", "a1", "a2")
    assert comparison.models[0].values["gauc"].value == pytest.approx(np.mean(each))
    assert known(comparison.models[1].differences["gauc"].low) > 0


def test_what_is_not_one_model(make_run: MakeRun) -> None:
    base, twin = make_run("base"), make_run("twin")
    other = make_run("other", seed=1, rate=0.2)
    assert group_by_seed([base, twin, other]) == [[base], [twin], [other]]
    with pytest.raises(CorankError, match="differ in more than the seed"):
        compare_runs([[base, other]])
    with pytest.raises(CorankError, match="have the same seed"):
        compare_runs([[base, twin]])


def test_other_rows_are_refused(make_run: MakeRun, make_table: MakeTable) -> None:
    base = make_run("base")
    fewer = make_run("fewer", make_table(requests=59), fingerprint="a" * 64)
    sentence = (
        r"fewer and .*base cannot be compared: 708 and 720 rows \(samples aaaaaaaaaaaa and ffffffffffff\)"
    )
    with pytest.raises(CorankError, match=sentence):
        compare_runs([base, fewer])
    table = make_table()
    moved = table.set_column(2, "item_id", [np.asarray(table["item_id"]) + 1])
    with pytest.raises(CorankError, match="their requests or items are not the same"):
        compare_runs([base, make_run("moved", moved)])
    clicked = table.set_column(7, "label_click", [np.ones(720, dtype=np.int8)])
    with pytest.raises(CorankError, match="rows differ in 'click'"):
        compare_runs([base, make_run("clicked", clicked)])


def test_what_is_not_a_run(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="no run was given"):
        compare_runs([])
    with pytest.raises(CorankError, match="no predictions of 'valid'"):
        compare_runs([make_run("run")], split="valid")
    with pytest.raises(CorankError, match="no predictions"):
        compare_runs([tmp_path])
    (tmp_path / "run" / "run.json").write_text("[1]")
    with pytest.raises(CorankError, match="expected an object, found list"):
        compare_runs([tmp_path / "run"])
