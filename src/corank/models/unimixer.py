"""UniMixer (arXiv 2604.00590): learned mixing of channel blocks, feed-forwards, residual streams."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.mixing import Mixing, MixingConfig
from corank.layers.per_token import PerTokenSwiGLU
from corank.layers.pooling import Pooling, pool, pooled_width
from corank.layers.residual_norm import Norm, residual
from corank.layers.rms_norm import RMSNorm
from corank.layers.temperature import TemperatureConfig
from corank.layers.tokenizer import TokenizerConfig
from corank.layers.unimixing import UniMixingConfig
from corank.layers.unimixing_factored import UniMixingFactoredConfig
from corank.layers.unimixing_lite import UniMixingLiteConfig
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class MixerConfig(ModelConfig):
    """Sizes of a `UniMixer`, whatever its mixing."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    width: int = Bound(default=64, ge=1)  # D
    blocks: int = Bound(default=2, ge=1)
    expansion: float = Bound(default=1.0, gt=0)  # hidden width of pSwiGLU, in D
    norm: Norm = "siamese"
    pooling: Pooling = "mean"  # of the tokens, before the heads
    temperature: TemperatureConfig = TemperatureConfig()
    mixing: MixingConfig

    def build(self, schema: InputSchema) -> UniMixer:
        """The model for inputs of this shape."""
        return UniMixer(schema, self)


class UniMixerConfig(MixerConfig):
    """With UniMixing."""

    mixing: UniMixingConfig = UniMixingConfig()


class UniMixerLiteConfig(MixerConfig):
    """With UniMixing-Lite, as in the paper."""

    mixing: UniMixingLiteConfig = UniMixingLiteConfig()


class UniMixerLiteFactoredConfig(MixerConfig):
    """With UniMixing-Lite of positive factors."""

    mixing: UniMixingFactoredConfig = UniMixingFactoredConfig()


class UniMixerBlock(nn.Module):
    """`pSwiGLU( RMSNorm( X + UniMixing(X) ) )`; the streams around it carry the residual."""

    PARTS: ClassVar[dict[str, Part]] = {"ffn": "feed_forward"}

    def __init__(self, tokens: int, config: MixerConfig) -> None:
        super().__init__()
        self.mix: Mixing = config.mixing.build(tokens, config.width)
        self.norm = RMSNorm(config.width)
        self.ffn = PerTokenSwiGLU(tokens, config.width, config.expansion)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        o_STD = self.norm(x_STD + self.mix(x_STD))
        out: Tensor = self.ffn(o_STD)
        return out


class UniMixer(RankingModel):
    """Tokens, UniMixer blocks in their residual streams, the tokens' mean or all side by side."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"streams": "mixing"}

    config: MixerConfig

    def __init__(self, schema: InputSchema, config: MixerConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        blocks = [UniMixerBlock(self.tokenizer.tokens, config) for _ in range(config.blocks)]
        self.streams = residual(config.norm, blocks, config.width)
        self.add_heads(pooled_width(config.pooling, self.tokenizer.tokens, config.width))

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample: [S, D], or [S, T * D] if concatenated."""
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        return pool(self.config.pooling, self.streams(x_STD))

    def set_progress(self, done: float) -> None:
        """The temperature of this point of training."""
        for mixing in self.mixings():
            mixing.tau.fill_(self.config.temperature.at(done))


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 8}, "width": 32, "blocks": 1},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 8}, "width": 64, "blocks": 2},
    "m": {"embedding_width": 16, "tokenizer": {"tokens": 16}, "width": 128, "blocks": 2},
    "l": {"embedding_width": 32, "tokenizer": {"tokens": 16}, "width": 256, "blocks": 2},
    "xl": {"embedding_width": 32, "tokenizer": {"tokens": 32}, "width": 512, "blocks": 4},
}

LITE_SIZES = {
    size: {**values, "mixing": {"rank": rank}}
    for (size, values), rank in zip(SIZES.items(), (16, 16, 64, 128, 256), strict=True)
}
ESUIF_SIZES = {
    size: values | {"esuif": {"dref": True, "dapga": True, "domain_heads": True}}
    for size, values in LITE_SIZES.items()
}
