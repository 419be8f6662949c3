"""Spaces and slices hold the rows they name, and an evaluation is plain JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.evaluation.conftest import with_purchase_scores

from corank.errors import CorankError
from corank.evaluation import auc, evaluate_predictions, metric_names, predictions_of, write_evaluation
from corank.evaluation.spaces import slices, space

MakeTable = Callable[..., pa.Table]


def test_spaces_and_slices(make_table: MakeTable) -> None:
    rows = predictions_of(make_table())
    exposed, unexposed = space(rows, "exposed"), space(rows, "unexposed")
    assert exposed.exposed.all()
    assert not unexposed.exposed.any()
    assert exposed.rows + unexposed.rows == space(rows, "entire").rows == rows.rows
    masks = slices(rows)
    assert list(masks) == ["all", "warm", "cold_items", "cold_users", "domain=rec", "domain=search"]
    assert (masks["warm"] == ~(masks["cold_items"] | masks["cold_users"])).all()
    assert (masks["domain=rec"] ^ masks["domain=search"]).all()
    with pytest.raises(CorankError, match="unknown space 'expose'; did you mean 'exposed'"):
        space(rows, "expose")


def with_anywhere(table: pa.Table) -> pa.Table:
    """Labels of all channels: every third row is clicked, every sixth bought."""
    rows = np.arange(table.num_rows)
    table = table.append_column("anywhere_click", pa.array((rows % 3 == 0).astype(np.int8)))
    return table.append_column("anywhere_purchase", pa.array((rows % 6 == 0).astype(np.int8)))


def test_the_space_of_all_channels_has_their_labels(make_table: MakeTable) -> None:
    table = with_anywhere(make_table())
    rows = predictions_of(table)
    found = space(rows, "all_channels")
    assert found.rows == rows.rows
    assert (found.click == (np.arange(rows.rows) % 3 == 0)).all()
    assert (found.purchase == (np.arange(rows.rows) % 6 == 0)).all()
    kept = rows.take(np.arange(7))
    assert (space(kept, "all_channels").purchase == [1, 0, 0, 0, 0, 0, 1]).all()
    measured = evaluate_predictions(rows, ks=[5], resamples=20).metrics["all_channels"]["all"]
    assert measured["auc"].value == pytest.approx(auc(found.score, found.click))
    assert measured["purchase_auc"].value == pytest.approx(auc(found.score, found.purchase))


def test_without_its_labels_all_channels_is_left_out_or_refused(make_table: MakeTable) -> None:
    table = make_table()
    rows = predictions_of(table)
    assert "all_channels" not in evaluate_predictions(rows, ks=[5], resamples=2).metrics
    with pytest.raises(CorankError, match="'all_channels': the predictions have no columns"):
        space(rows, "all_channels")
    half = with_anywhere(table).drop_columns(["anywhere_purchase"])
    with pytest.raises(CorankError, match="no column 'anywhere_purchase'"):
        predictions_of(half)


def test_purchases_are_judged_by_their_own_score_where_there_is_one(make_table: MakeTable) -> None:
    """As clicks would be, with the labels and scores of purchases in place of theirs."""
    rows = predictions_of(with_purchase_scores(with_anywhere(make_table())))
    assert rows.score_purchase is not None
    as_clicks = replace(rows, click=rows.purchase, score=rows.score_purchase, score_purchase=None)
    measured, plain = (evaluate_predictions(one, ks=[5], resamples=20) for one in (rows, as_clicks))
    assert list(measured.metrics["exposed"]["all"]) == list(metric_names([5], purchase_scores=True))
    for where in ("exposed", "entire"):
        found, expected = measured.metrics[where]["warm"], plain.metrics[where]["warm"]
        own = {name.removeprefix("ctcvr_") for name in found if name.startswith("ctcvr_")}
        assert own >= {"auc", "gauc", "ndcg@5", "hr@5", "recall@5", "logloss", "ne", "calibration", "ece"}
        assert all(found[f"ctcvr_{name}"] == expected[name] for name in own)
        assert found["purchase_auc"] != found["ctcvr_auc"]
    everywhere = space(rows, "all_channels")
    assert everywhere.score_purchase is not None
    found = measured.metrics["all_channels"]["all"]
    assert found["ctcvr_auc"].value == pytest.approx(auc(everywhere.score_purchase, everywhere.purchase))


def test_every_space_and_slice_is_measured(make_table: MakeTable, tmp_path: Path) -> None:
    rows = predictions_of(make_table())
    evaluation = evaluate_predictions(rows, ks=[5], resamples=20)
    part = rows.take(rows.exposed & rows.cold_item)
    measured = evaluation.metrics["exposed"]["cold_items"]
    assert tuple(measured) == metric_names([5])
    assert measured["auc"].value == pytest.approx(auc(part.score, part.click))
    size = evaluation.sizes["exposed"]["cold_items"]
    assert (size.rows, size.clicks) == (part.rows, part.click.sum())
    assert measured["mrr"].groups + measured["mrr"].skipped == size.requests

    path = write_evaluation(tmp_path, "test", evaluation)
    assert path == tmp_path / "evaluation" / "test.json"
    plain = json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    estimate = plain["metrics"]["exposed"]["cold_items"]["auc"]
    assert set(estimate) == {"value", "low", "high", "groups", "skipped"}
    assert "own" not in plain["metrics"]
    assert "request itself alone" in plain["notes"]["entire"]


def test_what_is_undefined_is_null(make_table: MakeTable) -> None:
    evaluation = evaluate_predictions(predictions_of(make_table()), ks=[5], resamples=20)
    unexposed = evaluation.metrics["unexposed"]["all"]
    for name in ("auc", "gauc", "gauc_user", "ne", "mrr", "ndcg@5", "calibration"):
        assert (unexposed[name].value, unexposed[name].low) == (None, None), name
    assert unexposed["mrr"].groups == 0
    assert unexposed["logloss"].value is not None


def test_slices_without_rows_are_left_out_and_one_request_has_no_interval(make_table: MakeTable) -> None:
    table = make_table(requests=1)
    never = pa.array(np.zeros(table.num_rows, dtype=bool))
    for name in ("cold_item", "cold_user"):
        table = table.set_column(table.column_names.index(name), name, never)
    evaluation = evaluate_predictions(predictions_of(table), resamples=20)
    assert list(evaluation.metrics["exposed"]) == ["all", "warm"]
    logloss = evaluation.metrics["exposed"]["all"]["logloss"]
    assert logloss.value is not None
    assert (logloss.low, logloss.high) == (None, None)
