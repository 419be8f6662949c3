"""Named models and sizes: `create_model("unimixer_lite_s", schema)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from corank.errors import CorankError, unknown
from corank.features.schema import InputSchema
from corank.layers.tokenizer import TokenizerConfig
from corank.models import (
    autoint,
    dcnv2,
    dlrm_mlp,
    fat,
    fm,
    hetero_attention,
    hhsft,
    rankmixer,
    rankmixer_sparse,
    tokenmixer_large,
    transformer,
    unimixer,
    wukong,
)
from corank.models.base import ModelConfig, RankingModel

Sizes = Mapping[str, Mapping[str, Any]]

FAMILIES: dict[str, tuple[type[ModelConfig], Sizes]] = {
    "autoint": (autoint.AutoIntConfig, autoint.SIZES),
    "dcnv2": (dcnv2.DCNv2Config, dcnv2.SIZES),
    "deepfm": (fm.DeepFMConfig, fm.DEEPFM_SIZES),
    "dlrm_mlp": (dlrm_mlp.DLRMMLPConfig, dlrm_mlp.SIZES),
    "fat": (fat.FATConfig, fat.SIZES),
    "fm": (fm.FMConfig, fm.SIZES),
    "hetero_attention": (hetero_attention.HeteroAttentionConfig, hetero_attention.SIZES),
    "hiformer": (hetero_attention.HiFormerConfig, hetero_attention.HIFORMER_SIZES),
    "hhsft": (hhsft.HHSFTConfig, hhsft.SIZES),
    "rankmixer": (rankmixer.RankMixerConfig, rankmixer.SIZES),
    "rankmixer_sparse": (rankmixer_sparse.RankMixerSparseConfig, rankmixer_sparse.SIZES),
    "tokenmixer_large": (tokenmixer_large.TokenMixerLargeConfig, tokenmixer_large.SIZES),
    "transformer": (transformer.TransformerConfig, transformer.SIZES),
    "unimixer": (unimixer.UniMixerConfig, unimixer.SIZES),
    "unimixer_lite": (unimixer.UniMixerLiteConfig, unimixer.LITE_SIZES),
    "unimixer_lite_esuif": (unimixer.UniMixerLiteConfig, unimixer.ESUIF_SIZES),
    "unimixer_lite_factored": (unimixer.UniMixerLiteFactoredConfig, unimixer.LITE_SIZES),
    "wukong": (wukong.WukongConfig, wukong.SIZES),
}


def list_models(pattern: str = "*") -> list[str]:
    """The names that match a pattern, small sizes first.

    >>> list_models("dcnv2*")
    ['dcnv2_xs', 'dcnv2_s', 'dcnv2_m', 'dcnv2_l', 'dcnv2_xl']
    """
    names = [f"{family}_{size}" for family, (_, sizes) in FAMILIES.items() for size in sizes]
    return [name for name in names if fnmatchcase(name, pattern)]


def model_config(name: str, settings: Iterable[str] = ()) -> ModelConfig:
    """The configuration of a named model, with `a.b=c` settings applied.

    Raises:
        CorankError: there is no such model, or a setting does not fit it.
    """
    family, _, size = name.rpartition("_")
    if family not in FAMILIES or size not in FAMILIES[family][1]:
        if name in FAMILIES:
            raise CorankError(
                f"model '{name}' needs a size: {', '.join(f'{name}_{s}' for s in FAMILIES[name][1])}"
            )
        raise unknown("model", name, list_models())
    settings = list(settings)
    config, sizes = FAMILIES[family]
    made = config.parse(sizes[size]).with_settings(settings, where=f"model {name}")
    tokenizer = getattr(made, "tokenizer", None)  # a size may leave `tokens` unused, a setting may not
    if isinstance(tokenizer, TokenizerConfig) and tokenizer.kind != "slices":
        for setting in settings:
            if setting.partition("=")[0].strip() == "tokenizer.tokens":
                raise CorankError(f"model {name}: '{setting}' is of use with tokenizer.kind=slices only")
    return made


def parse_model_config(name: str, values: Mapping[str, Any], where: str) -> ModelConfig:
    """The configuration of a named model from its resolved values, as a run keeps them.

    Raises:
        CorankError: there is no such model, or the values do not fit it.
    """
    family = name.rpartition("_")[0]
    if family not in FAMILIES:
        raise unknown("model", name, list_models(), where)
    return FAMILIES[family][0].parse(values, where)


def create_model(name: str, schema: InputSchema, settings: Iterable[str] = ()) -> RankingModel:
    """Build a named model for inputs of this shape.

    Args:
        name: family and size, as listed by `list_models`.
        schema: the inputs, from `Features.schema`.
        settings: `a.b=c` changes to the size's configuration.

    Raises:
        CorankError: there is no such model, or the sizes do not fit one another or the schema.
    """
    return model_config(name, settings).build(schema)
