"""What all conditions of a study share: the log, the splits, the training, how far it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import Field as Bound
from pydantic import field_validator, model_validator

from corank.config import Config
from corank.errors import CorankError
from corank.evaluation.intervals import RESAMPLES
from corank.logs.marketplace.config import MarketplaceConfig
from corank.samples.config import resolve
from corank.samples.selection import refuse_repeated

Size = Literal["xs", "s", "m", "l", "xl"]
Budget = Literal["steps", "epochs"]
"""Every recipe as many training samples as es3 has in its epochs, or every recipe as many epochs."""
Rate = Annotated[float, Bound(gt=0)]
Built = TypeVar("Built")


class StudyConfig(Config):
    """The settings of a study. The last five say which runs there are; the others, what a run is.

    >>> StudyConfig().shared() == StudyConfig(seeds=5, sizes=("xs", "s")).shared()
    True
    """

    searches: int = Bound(default=60_000, ge=500)  # `requests` of the simulated market
    log_seed: int = Bound(default=0, ge=0)
    market: tuple[str, ...] = ()  # changes to the marketplace, to learn why a direction holds or does not
    samples: tuple[str, ...] = ()  # changes to how samples are built, in every recipe
    test: float = Bound(default=0.25, gt=0, lt=0.5)  # share of the searches, the last
    epochs: float = Bound(default=1.0, gt=0)  # of es3
    batch_samples: int = Bound(default=1024, ge=1)
    embedding_lr: Rate = 5e-3
    resamples: int = Bound(default=RESAMPLES, ge=1)  # bootstrap resamples of the test's requests
    rates: Annotated[tuple[Rate, ...], Bound(min_length=1)] = (1e-3, 2e-3, 4e-3)
    seeds: int = Bound(default=3, ge=1)
    sizes: Annotated[tuple[Size, ...], Bound(min_length=1)] = ("s",)
    budgets: Annotated[tuple[Budget, ...], Bound(min_length=1)] = ("steps",)
    models: tuple[str, ...] = ()  # of the study's; all but bare ones if empty

    @property
    def log(self) -> tuple[str, ...]:
        """The marketplace's settings."""
        return f"requests={self.searches}", *self.market

    @property
    def built(self) -> tuple[str, ...]:
        """The samples' settings."""
        return f"test={self.test}", *self.samples

    def shared(self) -> dict[str, Any]:
        """What must be the same in all runs of a folder."""
        which = {"rates", "seeds", "sizes", "budgets", "models"}
        return self.model_dump(mode="json", exclude=which)

    @field_validator("sizes")
    @classmethod
    def _small_first(cls, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
        """Whatever their order, for directions compare the largest with the smallest."""
        return tuple(sorted(sizes, key=get_args(Size).index))

    @field_validator("sizes", "budgets", "models")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        refuse_repeated(names)
        return names

    @field_validator("rates")
    @classmethod
    def _rates_once(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        refuse_repeated(f"{rate:g}" for rate in rates)  # as in the names of runs
        return rates

    @model_validator(mode="after")
    def _known(self) -> Self:
        market = _told("market", lambda: MarketplaceConfig.preset(settings=self.log))
        if market.requests != self.searches:
            raise ValueError(f"market = {list(self.market)}: the searches of a log are `searches`")
        built = _told("samples", lambda: resolve(self.built))
        if built.test != self.test or built.test_from is not None:
            raise ValueError(f"samples = {list(self.samples)}: the share of the test is `test`")
        return self


def _told(of: str, build: Callable[[], Built]) -> Built:
    """What settings of another configuration build; their mistakes are told as of the setting `of`."""
    try:
        return build()
    except CorankError as error:
        raise ValueError(f"{of}: {str(error).removeprefix('--set: ')}") from None


Presets = Mapping[str, Mapping[str, Any]]
"""`quick` shows that all works; `default` gives the table; `full` is what a direction is judged by."""
QUICK: Mapping[str, Any] = {"searches": 6_000, "rates": (2e-3,), "seeds": 1, "sizes": ("xs",)}
