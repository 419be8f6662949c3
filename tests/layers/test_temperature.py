"""The temperature over training."""

from __future__ import annotations

import pytest

from corank.errors import CorankError
from corank.layers import TemperatureConfig


def test_linear_is_the_papers_line() -> None:
    """max(1 - .95 j / J, .05)."""
    for j in range(101):
        assert TemperatureConfig().at(j / 100) == pytest.approx(max(1 - 0.95 * j / 100, 0.05))
    assert TemperatureConfig().at(1.2) == pytest.approx(0.05)
    rising = TemperatureConfig(start=0.1, end=0.4)
    assert [rising.at(done) for done in (0, 0.5, 1)] == pytest.approx([0.1, 0.25, 0.4])


def test_two_stages_are_one_step_down() -> None:
    stages = TemperatureConfig(kind="two_stage", warmup=0.3, start=2.0, end=0.1)
    assert [stages.at(done) for done in (0, 0.29, 0.3, 1)] == [2.0, 2.0, 0.1, 0.1]
    assert [TemperatureConfig(kind="two_stage").at(done) for done in (0.49, 0.5)] == [1.0, 0.05]


def test_constant_is_its_start() -> None:
    assert {TemperatureConfig(kind="constant", start=0.3).at(done) for done in (0, 0.5, 1)} == {0.3}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": "cosine"}, "'kind' = 'cosine'"),
        ({"start": 0}, "'start' = 0"),
        ({"kind": "constant", "end": 0.1}, "a constant temperature has no 'end'"),
        ({"warmup": 0.2}, "a linear temperature has no 'warmup'; a two_stage one has"),
        ({"kind": "two_stage", "warmup": 1.0}, "'warmup' = 1.0"),
    ],
)
def test_settings_that_say_nothing_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        TemperatureConfig.parse(values)
