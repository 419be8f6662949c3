"""How the temperature of learned mixing falls while a model trains (UniMixer, arXiv 2604.00590)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field as Bound
from pydantic import model_validator

from corank.config import Config


class TemperatureConfig(Config):
    """The temperature tau of the Sinkhorn logits, by the share of training that is done.

    * `linear`: `tau = start - (start - end) * done`; by default the paper's `max(1 - .95 j / J, .05)`;
    * `two_stage`: `start` for the share `warmup` of the steps, then `end`: the paper's "model warm-up", in
      one run, in which neither the optimizer's state nor the learning rate begins anew;
    * `constant`: `start`.

    >>> [round(TemperatureConfig().at(done), 3) for done in (0, 0.5, 1)]
    [1.0, 0.525, 0.05]
    >>> [TemperatureConfig(kind="two_stage").at(done) for done in (0, 0.49, 0.5, 1)]
    [1.0, 1.0, 0.05, 0.05]
    """

    kind: Literal["linear", "two_stage", "constant"] = "linear"
    start: float = Bound(default=1.0, gt=0)
    end: float | None = Bound(default=None, gt=0)  # .05 if not given; `constant` has none
    warmup: float | None = Bound(default=None, gt=0, lt=1)  # .5 if not given; `two_stage` only

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        if self.kind == "constant" and self.end is not None:
            raise ValueError("a constant temperature has no 'end'; its value is 'start'")
        if self.kind != "two_stage" and self.warmup is not None:
            raise ValueError(f"a {self.kind} temperature has no 'warmup'; a two_stage one has")
        return self

    def at(self, done: float) -> float:
        """tau when this share of training (0..1) is done."""
        end = 0.05 if self.end is None else self.end
        if self.kind == "constant":
            return self.start
        if self.kind == "two_stage":
            return self.start if done < (0.5 if self.warmup is None else self.warmup) else end
        return self.start - (self.start - end) * min(done, 1.0)
