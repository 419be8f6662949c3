"""Ranking models: one file each, a short composition of layers; a registry of named sizes."""

from corank.models.base import ModelConfig, RankingModel
from corank.models.registry import create_model, list_models, model_config

__all__ = ["ModelConfig", "RankingModel", "create_model", "list_models", "model_config"]
