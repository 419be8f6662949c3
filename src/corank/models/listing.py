"""What each named model costs: parameters and operations by part, on one schema."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from corank.errors import CorankError, unknown
from corank.features.fit import fit_features
from corank.features.infer import infer_spec
from corank.features.schema import InputSchema
from corank.layers.flops import Flops
from corank.models.reference import reference_schema
from corank.models.registry import list_models, model_config
from corank.progress import QUIET, Reporter


@dataclass(frozen=True)
class ModelSize:
    """A named model on a schema.

    Attributes:
        name: as listed by `list_models`.
        parameters: by part, and in total.
        flops: the same of a forward pass.
        misfit: why the model cannot be built for this schema; the counts are then empty.
    """

    name: str
    parameters: dict[str, int]
    flops: dict[str, Flops]
    misfit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def model_sizes(
    pattern: str = "*", samples: Path | None = None, progress: Reporter = QUIET
) -> list[ModelSize]:
    """The sizes of the models that match a pattern, small sizes first; no weights are made.

    Args:
        pattern: of names, such as `rankmixer*`.
        samples: count for the features that training would infer from these; default: `reference_schema()`.

    Raises:
        CorankError: no name matches, or `samples` is not a folder of samples.
    """
    names = list_models(pattern)
    if not names:
        raise unknown("model", pattern, list_models())
    schema = fit_features(samples, infer_spec(samples), progress).schema if samples else reference_schema()
    return [model_size(name, schema) for name in names]


def model_size(name: str, schema: InputSchema) -> ModelSize:
    """The size of one named model on a schema.

    Raises:
        CorankError: there is no such model.
    """
    config = model_config(name)
    try:
        with torch.device("meta"):
            model = config.build(schema)
    except CorankError as error:
        return ModelSize(name, {}, {}, str(error))
    return ModelSize(name, model.parameter_counts(), model.flop_counts())
