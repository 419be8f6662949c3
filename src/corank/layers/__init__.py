"""The mathematics, one idea a file. Plain modules, usable alone.

Legend of the shape suffixes, for the whole package:

    R  requests          S  samples           F  fields            E  concatenated embedding width
    T  tokens            D  token width       N  blocks (of width B, N * B = T * D)
    C  channels in a block (B in the paper)   H  heads             K  experts or domains
    L  elements of a sequence, or bins        V  basis matrices
"""

from corank.layers.cross import CrossNetwork
from corank.layers.embedding import FeatureEmbedding
from corank.layers.factored import factored_sinkhorn
from corank.layers.mixing import Mixing
from corank.layers.mixing_families import Attention, Free, Gram, Identity, Projection, TokenPermutation
from corank.layers.mlp import MLP, SplitLinear
from corank.layers.numbers import NumberEmbedding
from corank.layers.per_token import PerTokenFFN, PerTokenLinear, PerTokenSwiGLU
from corank.layers.residual_norm import PostNorm, PreNorm
from corank.layers.rms_norm import RMSNorm
from corank.layers.siamese_norm import SiameseNorm
from corank.layers.sinkhorn import sinkhorn
from corank.layers.temperature import TemperatureConfig
from corank.layers.token_mixer import TokenMixer
from corank.layers.tokenizer import Tokenizer, TokenizerConfig
from corank.layers.unimixing import Constraint, LearnedGlobal, LearnedLocal, UniMixingConfig
from corank.layers.unimixing_factored import FactoredGlobal, UniMixingFactoredConfig
from corank.layers.unimixing_lite import BasisLocal, LowRankGlobal, UniMixingLiteConfig

__all__ = [
    "MLP",
    "Attention",
    "BasisLocal",
    "Constraint",
    "CrossNetwork",
    "FactoredGlobal",
    "FeatureEmbedding",
    "Free",
    "Gram",
    "Identity",
    "LearnedGlobal",
    "LearnedLocal",
    "LowRankGlobal",
    "Mixing",
    "NumberEmbedding",
    "PerTokenFFN",
    "PerTokenLinear",
    "PerTokenSwiGLU",
    "PostNorm",
    "PreNorm",
    "Projection",
    "RMSNorm",
    "SiameseNorm",
    "SplitLinear",
    "TemperatureConfig",
    "TokenMixer",
    "TokenPermutation",
    "Tokenizer",
    "TokenizerConfig",
    "UniMixingConfig",
    "UniMixingFactoredConfig",
    "UniMixingLiteConfig",
    "factored_sinkhorn",
    "sinkhorn",
]
