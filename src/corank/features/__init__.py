"""Which columns a model sees and how they become tensors: spec, fitted transforms, reader, batch."""

from corank.features.batch import Batch
from corank.features.features import Features
from corank.features.infer import infer_spec
from corank.features.reader import Reader, ReaderConfig
from corank.features.schema import InputSchema
from corank.features.spec import FeatureSpec, Field

__all__ = ["Batch", "FeatureSpec", "Features", "Field", "InputSchema", "Reader", "ReaderConfig", "infer_spec"]
