"""The comparison of tasks and losses: what is trained, and that the tables told are the CSV's."""

from __future__ import annotations

import csv

import pytest

import tasks
from corank.models import model_config
from corank.training.config import TrainConfig


@pytest.mark.parametrize("group", tasks.GROUPS)
def test_every_loss_is_a_setting_that_builds(group: str) -> None:
    for loss in tasks.GROUPS[group].values():
        given = [f"metric={tasks.CHOSEN_BY[group]}", *loss.settings, *(f"{name}=0.1" for name in loss.space)]
        model_config(tasks.MODEL, [one.removeprefix("model.") for one in given if one.startswith("model.")])
        TrainConfig().with_settings([one for one in given if not one.startswith("model.")])


@pytest.mark.parametrize("group", tasks.GROUPS)
def test_tables_of_losses_are_the_csv(group: str) -> None:
    with tasks.SUMMARY.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    shown = (tasks.ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert "\n".join(tasks.table(rows, group)) in shown
