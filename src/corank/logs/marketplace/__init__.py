"""The marketplace: a simulator of behaviour logs whose truth is known."""

from corank.logs.marketplace.behaviour import click_chance, examination
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.simulation import SimulationReport, simulate

__all__ = ["MarketplaceConfig", "SimulationReport", "click_chance", "examination", "simulate"]
