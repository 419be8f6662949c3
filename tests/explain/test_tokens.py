"""Which token comes from which: against the dense operator entry by entry, and against what models do."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from tests.inputs import make_schema

from corank.explain.result import Token
from corank.explain.tokens import by_token, described, holds, merged
from corank.layers import FeatureEmbedding, TokenizerConfig
from corank.layers.patterns import MixingShape
from corank.models import create_model, list_models

SCHEMA = make_schema()


@pytest.mark.parametrize(
    ("tokens", "width", "block"), [(2, 6, 4), (3, 4, 2), (4, 4, 16), (2, 3, 3), (3, 4, 6)]
)
@pytest.mark.parametrize("local", ["own", "shared", "none"])
@pytest.mark.parametrize("out_tokens", [1, 2])
def test_tokens_are_the_channels_of_the_dense_operator_put_together(
    tokens: int, width: int, block: int, local: str, out_tokens: int
) -> None:
    """Blocks may end where tokens do not; entries may be negative."""
    shape = MixingShape(tokens, width, block)
    N, B, L = shape.blocks, block, tokens * width
    g = torch.randn(N, N, dtype=torch.float64)
    w = None if local == "none" else torch.randn(N if local == "own" else 1, B, B, dtype=torch.float64)
    each = torch.eye(B, dtype=torch.float64).expand(N, B, B) if w is None else w.expand(N, B, B)
    summed = [[0.0] * tokens for _ in range(out_tokens)]
    for i in range(L):
        for j in range(L):
            entry = g[i // B, j // B] * each[j // B, j % B, i % B]
            summed[i // (L // out_tokens)][j // width] += abs(float(entry))
    expected = torch.tensor([[value / sum(row) for value in row] for row in summed], dtype=torch.float64)
    torch.testing.assert_close(by_token(g, w, shape, out_tokens), expected)


def test_tokens_that_hold_the_same_are_put_together() -> None:
    """Against a loop: columns are summed, rows are means, in the order of first occurrence."""
    p = torch.rand(5, 5, dtype=torch.float64)
    p /= p.sum(1, keepdim=True)
    names = ["item", "user", "item", "user + item", "user"]
    found, rows, columns = merged(p, names, names)
    assert rows == columns == ["item", "user", "user + item"]
    for a, row in enumerate(rows):
        for b, column in enumerate(columns):
            to = [i for i in range(5) if names[i] == row]
            of = [j for j in range(5) if names[j] == column]
            expected = sum(float(p[i, j]) for i in to for j in of) / len(to)
            assert float(found[a, b]) == pytest.approx(expected)
    assert found.sum(1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("kind", ["slices", "groups", "fields"])
def test_a_token_is_made_of_the_fields_that_change_it(kind: Literal["slices", "groups", "fields"]) -> None:
    """A field's numbers are moved: the tokens that move are those that are said to hold it."""
    embedding = FeatureEmbedding(SCHEMA, width=8)
    sides = embedding.request_slots, embedding.sample_slots
    tokenizer = TokenizerConfig(kind=kind, tokens=5).build(*sides, width=6)
    inputs = [torch.randn(1, sum(slot.width for slot in side)) for side in sides]
    of = torch.zeros(1, dtype=torch.int64)
    before = tokenizer(*inputs, of)
    for side, slots in enumerate(sides):
        start = 0
        for slot in slots:
            moved = [x.clone() for x in inputs]
            moved[side][:, start : start + slot.width] += 1
            start += slot.width
            changed = (tokenizer(*moved, of) != before).any(-1)[0]
            assert changed.tolist() == [slot in contents for contents in tokenizer.contents]
            assert sum(contents.get(slot, 0) for contents in tokenizer.contents) == slot.width
    assert [sum(contents.values()) for contents in tokenizer.contents] == tokenizer.sizes


@pytest.mark.parametrize("name", list_models("*_xs"))
def test_every_model_with_tokens_says_what_they_hold(name: str) -> None:
    model = create_model(name, SCHEMA)
    tokens = described(model)
    without = name.split("_xs")[0] in {"dcnv2", "deepfm", "dlrm_mlp", "fm"}
    assert (not tokens) == without
    if not without:
        fields = {field for token in tokens for field in token.fields}
        assert fields == {
            slot.name for slot in (*model.embedding.request_slots, *model.embedding.sample_slots)
        }
        assert len({token.name for token in tokens}) == len(tokens)
    if name.startswith("tokenmixer_large"):
        assert (tokens[0].name, holds(tokens[0], tokens)) == ("global", "all groups")


def test_a_token_of_one_group_is_not_all_groups() -> None:
    one = Token(name="user", groups={"user": 4}, fields={"user_id": 4})
    assert holds(one, [one]) == "user"
