"""From matrices between blocks of channels to shares between tokens, and between the groups they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from corank.explain.result import Token
from corank.layers.patterns import MixingShape
from corank.layers.tokenizer import Contents, Tokenizer
from corank.models.base import RankingModel


def by_token(g_NN: Tensor, local_NCC: Tensor | None, shape: MixingShape, out_tokens: int) -> Tensor:
    """How much of each token of the result comes from each token [out_tokens, T], rows of sum 1.

    Of the dense operator whose (i, j) block is `G[i, j] (W_B^j)^T`, the sizes of all entries between the
    channels of two tokens are summed, whether blocks end where tokens do or not.

    Args:
        g_NN: G.
        local_NCC: W_B, [N, B, B] or [1, B, B]; the identity if not given.
        shape: T, D and B.
        out_tokens: into how many tokens the result is cut.
    """
    N, B, T = shape.blocks, shape.block, shape.tokens
    channel_NC = torch.arange(N * B).view(N, B)
    from_NCT = torch.nn.functional.one_hot(channel_NC // shape.width, T).double()
    if local_NCC is not None:  # channel b of a block takes from the tokens of its channels a
        local_NCC = local_NCC.double().abs().expand(N, B, B)
        from_NCT = torch.einsum("nab,nat->nbt", local_NCC, from_NCT)
    mixed_LT = (g_NN.double().abs() @ from_NCT.reshape(N, B * T)).view(N * B, T)
    to_L = channel_NC.flatten() // (N * B // out_tokens)
    summed = torch.zeros(out_tokens, T, dtype=torch.float64).index_add_(0, to_L, mixed_LT)
    return summed / summed.sum(1, keepdim=True)


def described(model: RankingModel) -> list[Token]:
    """The tokens of the first layer, with what they hold; none for models without tokens."""
    every = model.token_contents()
    names = [name for child in model.children() if isinstance(child, Tokenizer) for name in child.names]
    names = ["global"] * (len(every) - len(names)) + names
    return [_described(name, contents) for name, contents in zip(names, every, strict=True)]


def holds(token: Token, tokens: Sequence[Token]) -> str:
    """The feature groups that a token holds, in one text."""
    every = {group for other in tokens for group in other.groups}
    together = len(token.groups) > 1 and len(token.groups) == len(every)
    return "all groups" if together else " + ".join(token.groups)


def _described(name: str, contents: Contents) -> Token:
    groups: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    for slot, numbers in contents.items():
        groups[slot.group] += numbers
        fields[slot.name] += numbers
    return Token(name=name, groups=dict(groups), fields=dict(fields))


def merged(
    tokens_TT: Tensor, rows: Sequence[str], columns: Sequence[str]
) -> tuple[Tensor, list[str], list[str]]:
    """Tokens that hold the same put together: columns are summed, rows are means.

    Args:
        tokens_TT: shares between tokens.
        rows, columns: what each holds.

    Returns:
        The shares, and what their rows and columns hold, in the order of first occurrence.
    """
    to, of = list(dict.fromkeys(rows)), list(dict.fromkeys(columns))
    summed = torch.zeros(len(tokens_TT), len(of), dtype=torch.float64)
    summed.index_add_(1, torch.tensor([of.index(name) for name in columns]), tokens_TT.double())
    where = torch.tensor([to.index(name) for name in rows])
    means = torch.zeros(len(to), len(of), dtype=torch.float64).index_add_(0, where, summed)
    return means / torch.bincount(where, minlength=len(to)).unsqueeze(1), to, of
