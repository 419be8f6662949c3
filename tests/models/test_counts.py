"""Parameters and operations by part: against PyTorch's counter, and against closed formulas."""

from __future__ import annotations

import pytest
from tests.counting import counted
from tests.inputs import make_batch, make_schema

from corank.models import create_model, list_models
from corank.models.counting import PARTS

SCHEMA = make_schema()
SMALL = [name for name in list_models() if name.endswith(("_xs", "_s"))]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("requests", "samples"), [(5, 40), (3, 7)])
@pytest.mark.parametrize("folded", [False, True])
def test_operations_are_those_that_pytorch_counts(
    name: str, requests: int, samples: int, folded: bool
) -> None:
    model = create_model(name, SCHEMA).eval().requires_grad_(False)
    if folded:
        model.fold()
    batch, _ = make_batch(SCHEMA, requests, samples)
    with counted() as counter:
        model(batch)
    counts = model.flop_counts()
    assert counts["total"].of(requests, samples) == counter.get_total_flops()
    assert sum(counts[part].of(1, 1) for part in PARTS) == counts["total"].of(1, 1)


@pytest.mark.parametrize("name", SMALL)
def test_parameters_are_counted_by_part(name: str) -> None:
    model = create_model(name, SCHEMA)
    counts = model.parameter_counts()
    assert list(counts) == [*PARTS, "total"]
    assert counts.pop("total") == sum(counts.values()) == sum(p.numel() for p in model.parameters())
    assert counts["embedding"] > 0
    assert counts["head"] > 0
