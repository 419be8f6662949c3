"""How a model is trained: typed, frozen, every field a setting of `corank train --set`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field as Bound
from pydantic import model_validator

from corank.config import Config
from corank.features.reader import ReaderConfig, Space

Share = Annotated[float, Bound(gt=0, le=1)]
Metric = Literal["gauc", "auc", "mrr", "ndcg@10", "logloss", "ctcvr_gauc", "ctcvr_auc", "ctcvr_logloss"]
LOWER_IS_BETTER = frozenset({"logloss", "ctcvr_logloss"})
"""Of the metrics that training may watch."""
Weight = Annotated[float, Bound(ge=0)]


class OptimizerConfig(Config):
    """AdamW, fused; the rate rises linearly over `warmup_steps`, then follows `decay` to the last step."""

    lr: float = Bound(default=1e-3, gt=0)
    embedding_lr: float | None = Bound(default=None, gt=0)  # of the embedding tables; default: lr
    weight_decay: float = Bound(default=0.0, ge=0)  # of all but tables, biases, norms: mixing logits, too
    embedding_decay: float = Bound(default=0.0, ge=0)  # of the embedding tables
    warmup_steps: int = Bound(default=50, ge=0)
    decay: Literal["constant", "linear", "cosine"] = "linear"
    clip_norm: float = Bound(default=10.0, gt=0)  # gradients are scaled down to this norm


class CurveConfig(Config):
    """P(examined) by position."""

    examination: tuple[Share, ...] = ()  # at 1, 2, ...; the last is that of all after it
    decay: float = Bound(default=1.0, ge=0)  # without `examination`: P = 1 / position^decay

    @model_validator(mode="after")
    def _one_curve(self) -> Self:
        self.refuse_unused(not self.examination, "decay", "no loss.position.examination")
        return self


class PositionConfig(CurveConfig):
    """How the loss corrects for the place at which a sample was shown; its own curve is ipw's."""

    correct: Literal["none", "ipw", "tower"] = "none"
    domains: dict[str, CurveConfig] = Bound(default_factory=dict)  # ipw: of a domain, by name; else own
    floor: float = Bound(default=0.05, gt=0, le=1)  # ipw: lower probabilities count as this
    bounded: bool = True  # ipw: positives weigh 1 / P; else labels are y / P: unbiased, and without a bound
    positions: int = Bound(default=50, ge=2)  # tower: those after share the last's bias
    lr: float = Bound(default=1e-2, gt=0)  # tower: rate of its biases

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        of_ipw = "examination decay domains floor bounded"
        self.refuse_unused(self.correct == "ipw", of_ipw, "loss.position.correct=ipw")
        self.refuse_unused(self.correct == "tower", "positions lr", "loss.position.correct=tower")
        return self


class ConversionConfig(Config):
    """A loss of the conversion p(purchase | click), corrected for showing in clicked samples only (ESCM2)."""

    correct: Literal["none", "ipw", "dr"] = "none"
    weight: float = Bound(default=1.0, ge=0)
    floor: float = Bound(default=0.05, gt=0, le=1)  # lower probabilities of a click count as this

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(self.correct != "none", "weight floor", "loss.conversion.correct")
        return self


class LossConfig(Config):
    """Weights of the parts of the loss, each summed over tasks, and its corrections."""

    pointwise: float = Bound(default=1.0, ge=0)  # binary cross-entropy of every sample
    listwise: float = Bound(default=0.0, ge=0)  # softmax cross-entropy over a request's samples
    purchase: float = Bound(default=1.0, ge=0)  # of the task purchase, against 1 of click
    domain_weights: dict[str, Weight] = Bound(default_factory=dict)  # of a domain's samples, by name; else 1
    conversion: ConversionConfig = ConversionConfig()
    position: PositionConfig = PositionConfig()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.pointwise and not self.listwise:
            raise ValueError("pointwise = 0 and listwise = 0 leave nothing to learn from")
        if not self.pointwise and self.conversion.correct != "none":
            raise ValueError(
                f"conversion.correct = {self.conversion.correct} takes the click score for a probability, "
                "which only `pointwise` above 0 makes it"
            )
        return self


class SnapshotConfig(Config):
    """When the learned mixing matrices are kept for a look at them, and how large their pictures may be.

    >>> SnapshotConfig(moments=6).steps(100), SnapshotConfig(moments=6, spacing="geometric").steps(100)
    ([0, 20, 40, 60, 80], [0, 3, 6, 16, 40])
    """

    moments: int = Bound(default=6, ge=0, le=100)  # of training, its start and end among them; 0: none
    spacing: Literal["even", "geometric"] = "even"  # `geometric`: most of them early
    largest: int = Bound(default=512, ge=1, le=4096)  # larger matrices are averaged down to this side at most

    def steps(self, total: int) -> list[int]:
        """After which of about `total` steps a snapshot is taken; one more is, wherever training ends."""
        parts = self.moments - 1
        if self.spacing == "even":
            return sorted({total * i // parts for i in range(parts)})
        return sorted({0 if i == 0 else round(total ** (i / parts)) for i in range(parts)})


class TrainConfig(Config):
    """Everything about training that is not the model or the seed."""

    epochs: float = Bound(default=5, gt=0, le=100_000)  # the last may be a part of one: 2.5
    evaluations_per_epoch: int = Bound(default=1, ge=1)
    patience: int = Bound(default=2, ge=1)  # evaluations without a better metric before training stops
    metric: Metric = "gauc"  # on the validation split; ctcvr_ of purchases by the purchase score
    valid_space: Space = "exposed"
    checkpoint_every: int = Bound(default=1000, ge=1)  # steps; an epoch's end always makes one
    log_every: int = Bound(default=10, ge=1)  # steps
    device: Literal["auto", "cpu", "cuda"] = "auto"
    reader: ReaderConfig = ReaderConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    snapshots: SnapshotConfig = SnapshotConfig()
