"""The mathematics, one idea a file. Plain modules, usable alone.

Legend of the shape suffixes, for the whole package:

    R  requests          S  samples           F  fields            E  concatenated embedding width
    T  tokens            D  token width       N  blocks (of width B, N * B = T * D)
    C  channels in a block (B in the paper)   H  heads             K  experts or domains
    L  elements of a sequence, or bins        V  basis matrices
"""

from corank.layers.attention import Attend, SelfAttention
from corank.layers.cross import CrossNetwork
from corank.layers.embedding import FeatureEmbedding
from corank.layers.factorization import FactorizationMachine
from corank.layers.field_attention import BasisLinear, FieldAttention
from corank.layers.flops import Flops, flops_of
from corank.layers.hetero_attention import CompositeAttention, CompositeProjection, HeteroAttention
from corank.layers.interacting import InteractingLayer
from corank.layers.mix_revert import MixRevertBlock
from corank.layers.mlp import MLP, SplitLinear
from corank.layers.numbers import NumberEmbedding
from corank.layers.per_token import PerTokenFFN, PerTokenLinear, PerTokenSwiGLU
from corank.layers.pre_norm import PreNormBlock
from corank.layers.rms_norm import RMSNorm
from corank.layers.routed_ffn import RoutedFFN, SharedExpert
from corank.layers.routing import ReLURouter, RoutingConfig
from corank.layers.siamese_norm import SiameseNorm
from corank.layers.sinkhorn import sinkhorn
from corank.layers.token_mixer import TokenMixer
from corank.layers.tokenizer import Tokenizer, TokenizerConfig
from corank.layers.unimixing_lite import UniMixingLite, UniMixingLiteConfig
from corank.layers.wukong import WukongLayer

__all__ = [
    "MLP",
    "Attend",
    "BasisLinear",
    "CompositeAttention",
    "CompositeProjection",
    "CrossNetwork",
    "FactorizationMachine",
    "FeatureEmbedding",
    "FieldAttention",
    "Flops",
    "HeteroAttention",
    "InteractingLayer",
    "MixRevertBlock",
    "NumberEmbedding",
    "PerTokenFFN",
    "PerTokenLinear",
    "PerTokenSwiGLU",
    "PreNormBlock",
    "RMSNorm",
    "ReLURouter",
    "RoutedFFN",
    "RoutingConfig",
    "SelfAttention",
    "SharedExpert",
    "SiameseNorm",
    "SplitLinear",
    "TokenMixer",
    "Tokenizer",
    "TokenizerConfig",
    "UniMixingLite",
    "UniMixingLiteConfig",
    "WukongLayer",
    "flops_of",
    "sinkhorn",
]
