"""FAT, the field-aware Transformer (arXiv 2511.12081)."""

from __future__ import annotations

from typing import Any

from pydantic import Field as Bound
from torch import nn

from corank.layers.field_attention import FieldAttention
from corank.layers.tokenizer import TokenizerConfig
from corank.models.hetero_attention import HeteroAttentionConfig


class FATConfig(HeteroAttentionConfig):
    """Sizes of FAT: a token a field, field-specific weights from shared bases, a weight a pair of fields."""

    tokenizer: TokenizerConfig = TokenizerConfig(kind="fields")
    basis: int = Bound(default=4, ge=1)  # V, matrices shared by the fields

    def attention(self, tokens: int) -> nn.Module:
        """Projections from bases, scores times a weight of the two fields."""
        return FieldAttention(tokens, self.width, self.heads, self.basis)


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "width": 16, "blocks": 1, "heads": 2, "basis": 2},
    "s": {"embedding_width": 16, "width": 32, "blocks": 2, "heads": 4, "basis": 4},
    "m": {"embedding_width": 16, "width": 64, "blocks": 2, "heads": 4, "basis": 4},
    "l": {"embedding_width": 32, "width": 128, "blocks": 2, "heads": 8, "basis": 8},
    "xl": {"embedding_width": 32, "width": 256, "blocks": 4, "heads": 8, "basis": 8},
}
