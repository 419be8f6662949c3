"""Named models and sizes: `create_model("unimixer_lite_s", schema)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from corank.errors import CorankError, unknown
from corank.features.schema import InputSchema
from corank.models.base import ModelConfig, RankingModel
from corank.models.dcnv2 import SIZES as DCNV2
from corank.models.dcnv2 import DCNv2Config
from corank.models.dlrm_mlp import SIZES as DLRM_MLP
from corank.models.dlrm_mlp import DLRMMLPConfig
from corank.models.rankmixer import SIZES as RANKMIXER
from corank.models.rankmixer import RankMixerConfig
from corank.models.unimixer import LITE_SIZES as UNIMIXER_LITE
from corank.models.unimixer import SIZES as UNIMIXER
from corank.models.unimixer import UniMixerConfig, UniMixerLiteConfig, UniMixerLiteFactoredConfig

Sizes = Mapping[str, Mapping[str, Any]]

FAMILIES: dict[str, tuple[type[ModelConfig], Sizes]] = {
    "dcnv2": (DCNv2Config, DCNV2),
    "dlrm_mlp": (DLRMMLPConfig, DLRM_MLP),
    "rankmixer": (RankMixerConfig, RANKMIXER),
    "unimixer": (UniMixerConfig, UNIMIXER),
    "unimixer_lite": (UniMixerLiteConfig, UNIMIXER_LITE),
    "unimixer_lite_factored": (UniMixerLiteFactoredConfig, UNIMIXER_LITE),
}


def list_models(pattern: str = "*") -> list[str]:
    """The names that match a pattern, small sizes first.

    >>> list_models("rankmixer*")
    ['rankmixer_xs', 'rankmixer_s', 'rankmixer_m', 'rankmixer_l', 'rankmixer_xl']
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
            raise CorankError(f"model '{name}' needs a size: {', '.join(list_models(name + '_*'))}")
        raise unknown("model", name, list_models())
    config, sizes = FAMILIES[family]
    return config.parse(sizes[size]).with_settings(settings, where=f"model {name}")


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
