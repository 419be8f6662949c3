"""RankMixer with sparse experts (arXiv 2507.15551, section 3.4): every token's feed-forward is several."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.routed_ffn import RoutedFFN
from corank.layers.routing import RoutingConfig, routing_penalty
from corank.models.base import Loss, RankingModel
from corank.models.rankmixer import SIZES as DENSE
from corank.models.rankmixer import RankMixerConfig
from corank.models.tokens import TokenModel


class RankMixerSparseConfig(RankMixerConfig):
    """Sizes of RankMixer with experts; `expansion` is that of each."""

    routing: RoutingConfig = RoutingConfig()

    def feed_forward(self, tokens: int) -> nn.Module:
        """Experts for every token, weighed by ReLU gates."""
        return RoutedFFN(tokens, self.width, self.expansion, self.routing)

    def build(self, schema: InputSchema) -> RankingModel:
        """The model for inputs of this shape."""
        return RankMixerSparse(schema, self)


class RankMixerSparse(TokenModel):
    """RankMixer, with the penalty on its gates."""

    def auxiliary_losses(self, loss: Loss) -> dict[str, Tensor]:
        """`routing`: the penalties of all blocks."""
        return super().auxiliary_losses(loss) | routing_penalty(self)


SIZES: dict[str, dict[str, Any]] = DENSE
