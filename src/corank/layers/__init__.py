"""The mathematics, one idea a file. Plain modules, usable alone.

Legend of the shape suffixes, for the whole package:

    R  requests          S  samples           F  fields            E  concatenated embedding width
    T  tokens            D  token width       N  blocks (of width B, N * B = T * D)
    C  channels in a block (B in the paper)   H  heads             K  experts or domains
    L  elements of a sequence, or bins        V  basis matrices
"""

from corank.layers.attention import Attend, SelfAttention
from corank.layers.batch_norm import BatchNorm
from corank.layers.causal_attention import CausalAttention
from corank.layers.cross import CrossNetwork
from corank.layers.dapga import DAPGA
from corank.layers.domain_ffn import DomainFFN
from corank.layers.dref import DREF
from corank.layers.embedding import FeatureEmbedding
from corank.layers.esuif import ESUIF, ESUIFConfig
from corank.layers.factored import factored_sinkhorn
from corank.layers.factorization import FactorizationMachine
from corank.layers.field_attention import BasisLinear, FieldAttention
from corank.layers.flops import Flops, flops_of
from corank.layers.gfa import GFA
from corank.layers.given import GivenVector
from corank.layers.hetero_attention import CompositeAttention, CompositeProjection, HeteroAttention
from corank.layers.hfa import HFA
from corank.layers.history import HistoryConfig, HistoryPooling
from corank.layers.interacting import InteractingLayer
from corank.layers.mix_revert import MixRevertBlock
from corank.layers.mixing import Mixing
from corank.layers.mixing_families import Attention, Free, Gram, Identity, Projection, TokenPermutation
from corank.layers.mlp import MLP, SplitLinear
from corank.layers.numbers import NumberEmbedding
from corank.layers.per_token import PerTokenFFN, PerTokenLinear, PerTokenSwiGLU
from corank.layers.residual_norm import PostNorm, PreNorm
from corank.layers.rms_norm import RMSNorm
from corank.layers.routed_ffn import RoutedFFN, SharedExpert
from corank.layers.routes import Routes
from corank.layers.routing import ReLURouter, RoutingConfig
from corank.layers.siamese_norm import SiameseNorm
from corank.layers.sinkhorn import sinkhorn
from corank.layers.target_attention import TargetAttention
from corank.layers.temperature import TemperatureConfig
from corank.layers.text_match import TextMatch
from corank.layers.token_mixer import TokenMixer
from corank.layers.tokenizer import Tokenizer, TokenizerConfig
from corank.layers.transformer_block import TransformerBlock
from corank.layers.unimixing import Constraint, LearnedGlobal, LearnedLocal, UniMixingConfig
from corank.layers.unimixing_factored import FactoredGlobal, UniMixingFactoredConfig
from corank.layers.unimixing_lite import BasisLocal, LowRankGlobal, UniMixingLiteConfig
from corank.layers.wukong import WukongLayer

__all__ = [
    "DAPGA",
    "DREF",
    "ESUIF",
    "GFA",
    "HFA",
    "MLP",
    "Attend",
    "Attention",
    "BasisLinear",
    "BasisLocal",
    "BatchNorm",
    "CausalAttention",
    "CompositeAttention",
    "CompositeProjection",
    "Constraint",
    "CrossNetwork",
    "DomainFFN",
    "ESUIFConfig",
    "FactoredGlobal",
    "FactorizationMachine",
    "FeatureEmbedding",
    "FieldAttention",
    "Flops",
    "Free",
    "GivenVector",
    "Gram",
    "HeteroAttention",
    "HistoryConfig",
    "HistoryPooling",
    "Identity",
    "InteractingLayer",
    "LearnedGlobal",
    "LearnedLocal",
    "LowRankGlobal",
    "MixRevertBlock",
    "Mixing",
    "NumberEmbedding",
    "PerTokenFFN",
    "PerTokenLinear",
    "PerTokenSwiGLU",
    "PostNorm",
    "PreNorm",
    "Projection",
    "RMSNorm",
    "ReLURouter",
    "RoutedFFN",
    "Routes",
    "RoutingConfig",
    "SelfAttention",
    "SharedExpert",
    "SiameseNorm",
    "SplitLinear",
    "TargetAttention",
    "TemperatureConfig",
    "TextMatch",
    "TokenMixer",
    "TokenPermutation",
    "Tokenizer",
    "TokenizerConfig",
    "TransformerBlock",
    "UniMixingConfig",
    "UniMixingFactoredConfig",
    "UniMixingLiteConfig",
    "WukongLayer",
    "factored_sinkhorn",
    "flops_of",
    "sinkhorn",
]
