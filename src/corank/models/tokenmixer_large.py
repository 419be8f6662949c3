"""TokenMixer-Large (arXiv 2602.06563): mixing that is reverted, and what keeps deep stacks trainable."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Self

import torch
from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.mix_revert import MixRevertBlock
from corank.layers.mlp import SplitLinear
from corank.layers.per_token import PerTokenSwiGLU
from corank.layers.rms_norm import RMSNorm
from corank.layers.routed_ffn import RoutedFFN, SharedExpert
from corank.layers.routing import RoutingConfig, routing_penalty
from corank.layers.tokenizer import Contents, TokenizerConfig
from corank.models.base import Loss, ModelConfig, RankingModel
from corank.models.counting import Part
from corank.models.early import EarlyHeads


class TokenMixerLargeConfig(ModelConfig):
    """Sizes of `TokenMixerLarge`. T counts the global token, one more than the tokenizer makes."""

    tokenizer: TokenizerConfig = TokenizerConfig(tokens=7)
    width: int = Bound(default=64, ge=1)  # D
    heads: int = Bound(default=8, ge=1)  # H, tokens after mixing
    blocks: int = Bound(default=4, ge=1)
    expansion: float = Bound(default=0.5, gt=0)  # hidden width of the feed-forwards, in their own width
    interval: int = Bound(default=2, ge=1)  # blocks that a further residual spans
    down_scale: float = Bound(default=0.01, gt=0)  # of the initial W_down
    early_weight: float = Bound(default=0.1, ge=0)  # of the loss of earlier layers' logits
    sparse: bool = False  # routed experts and a shared one in place of each feed-forward
    routing: RoutingConfig = RoutingConfig()

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(self.sparse, "routing", "sparse=true")
        return self

    def build(self, schema: InputSchema) -> TokenMixerLarge:
        """The model for inputs of this shape."""
        return TokenMixerLarge(schema, self)

    def feed_forward(self, tokens: int, width: int) -> nn.Module:
        """pSwiGLU or, if `sparse`, a shared expert of that size and `routing.experts` routed ones."""
        ffn: nn.Module = PerTokenSwiGLU(tokens, width, self.expansion)
        if self.sparse:
            ffn = SharedExpert(ffn, RoutedFFN(tokens, width, self.expansion, self.routing, kind="swiglu"))
        with torch.no_grad():
            for name, parameter in ffn.named_parameters():
                if name.endswith(("down", "down.weight")):
                    parameter.mul_(self.down_scale)
        return ffn


class TokenMixerLarge(RankingModel):
    """A global token and others, groups of blocks with a residual around each, a norm, the mean."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {
        "everything": "tokenizer",
        "groups": "mixing",
        "norm": "mixing",
        "early": "head",
    }

    config: TokenMixerLargeConfig

    def __init__(self, schema: InputSchema, config: TokenMixerLargeConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        self.everything = SplitLinear(self.request_width, self.sample_width, config.width)
        tokens = self.tokenizer.tokens + 1
        starts = [*range(0, config.blocks, config.interval), config.blocks]
        self.groups = nn.ModuleList(
            nn.Sequential(
                *(
                    MixRevertBlock(tokens, config.width, config.heads, config.feed_forward)
                    for _ in range(end - start)
                )
            )
            for start, end in pairwise(starts)
        )
        self.norm = RMSNorm(config.width)
        self.early = EarlyHeads(len(self.groups) - 1, config.width, config.head_names, config.early_weight)
        self.add_heads(config.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, D]."""
        g_SD = self.everything(request_RE, sample_SE, request_of_S)
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        x_STD = torch.cat([g_SD.unsqueeze(1), x_STD], dim=1)
        for i, group in enumerate(self.groups):
            x_STD = x_STD + group(x_STD)
            z_SD: Tensor = self.norm(x_STD).mean(dim=1)
            if self.training and i < len(self.groups) - 1:
                self.early.keep(i, z_SD)
        return z_SD

    def token_contents(self) -> list[Contents]:
        """The global token is made of all fields."""
        everything = {slot: slot.width for slot in self.embedding.request_slots + self.embedding.sample_slots}
        return [everything, *super().token_contents()]

    def auxiliary_losses(self, loss: Loss) -> dict[str, Tensor]:
        """`early`: the weighted mean loss of earlier groups' logits; `routing` if sparse."""
        return self.early.losses(loss) | routing_penalty(self)


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 7}, "width": 32, "heads": 8},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 7}, "width": 64, "heads": 8},
    "m": {"embedding_width": 16, "tokenizer": {"tokens": 15}, "width": 128, "heads": 16},
    "l": {"embedding_width": 32, "tokenizer": {"tokens": 15}, "width": 256, "heads": 16},
    "xl": {"embedding_width": 32, "tokenizer": {"tokens": 31}, "width": 512, "heads": 32, "blocks": 6},
}
