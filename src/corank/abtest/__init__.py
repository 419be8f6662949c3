"""The simulated A/B test: two runs re-rank fresh requests of the simulator, whose users then act."""

from corank.abtest.verb import abtest

__all__ = ["abtest"]
