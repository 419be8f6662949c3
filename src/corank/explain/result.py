"""What an explanation of a run holds, as printed with `--json` and kept in explain.json."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from corank.config import Config
from corank.explain.layers import Kind


class MatrixStatistics(Config):
    """Of a mixing matrix; of several, the means. Definitions: `corank.explain.statistics`."""

    sparsity: float
    sources: float
    rank: float
    kept: float


class StateStatistics(Config):
    """Of hidden states, S samples of T tokens.

    Attributes:
        rank: effective rank of all token vectors together, at most `width`.
        rank_in_sample: of the T token vectors of a sample, the mean; at most `tokens`.
        concentration: Hoyer's sparsity of a token vector, the mean; None if all are zero.
    """

    tokens: int
    width: int
    rank: float
    rank_in_sample: float
    concentration: float | None


class Shares(Config):
    """How much of each row comes from each column; rows sum to 1.

    Attributes:
        even: what a row would hold if every token gave as much.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    even: tuple[float, ...]

    @model_validator(mode="after")
    def _fit(self) -> Self:
        sizes = {len(self.columns), len(self.even), *(len(row) for row in self.values)}
        if len(sizes) != 1 or len(self.values) != len(self.rows) or not self.rows or min(self.even) <= 0:
            raise ValueError("shares, their names and their even shares do not fit one another")
        return self


class Token(Config):
    """A token of the first layer: its name, and how many embedding numbers it has of each group and field."""

    name: str
    groups: dict[str, int]
    fields: dict[str, int]


class Layer(Config):
    """A mixing layer, with the kept weights.

    Attributes:
        size: rows of the matrix; `unit` says of what.
        mixing, by_token, by_group: of the matrix; None if it depends on the input and no request was read.
        local: of the matrices inside blocks.
        before, after: hidden states that go into the mixing, and that come out of it.
        by_group: tokens that hold the same groups put together; None where columns are no tokens of fields.
        order: of a permutation, which row of the input is the n-th of the result.
    """

    name: str
    path: str
    kind: Kind
    unit: str
    size: int
    tau: float | None = None
    mixing: MatrixStatistics | None = None
    local: MatrixStatistics | None = None
    local_size: int | None = None
    before: StateStatistics | None = None
    after: StateStatistics | None = None
    by_token: Shares | None = None
    by_group: Shares | None = None
    order: tuple[int, ...] | None = None

    @model_validator(mode="after")
    def _permutes(self) -> Self:
        if self.order is not None and sorted(self.order) != list(range(len(self.order))):
            raise ValueError("the order of a permutation does not name every row once")
        return self


class Moment(Config):
    """A layer at one moment of training."""

    layer: str
    step: int
    tau: float
    mixing: MatrixStatistics
    local: MatrixStatistics | None


class Contribution(Config):
    """What a group or field does to a score, in logits.

    Attributes:
        gradients: integrated gradients along the straight line from the baseline; all of an item's sum to
            its logit less the baseline's.
        ablation: the logit less that with this part alone at its baseline; these need not sum to anything.
    """

    name: str
    gradients: float
    ablation: float


class GroupContribution(Contribution):
    """Of a group, with those of its fields."""

    fields: tuple[Contribution, ...]


class ItemExplanation(Config):
    """Why an item has its score.

    Attributes:
        place: by score in its list, from 1.
        gap: logit - baseline_logit - sum of the gradients: what the integral misses.
        points: at which the integrand was taken.
    """

    item_id: str
    place: int
    exposed: bool
    clicked: bool
    score: float
    logit: float
    baseline_logit: float
    gap: float
    points: int
    groups: tuple[GroupContribution, ...]


class RequestExplanation(Config):
    """The scores of some items of one request.

    Attributes:
        opened: the groups whose fields are asked for.
    """

    request_id: str
    split: str
    task: str
    listed: int
    baseline: str
    baseline_is: str
    opened: tuple[str, ...]
    items: tuple[ItemExplanation, ...]


class Explanation(Config):
    """What `corank explain` found in a run."""

    run: str
    model: str
    seed: int
    simulated: bool | None  # None where no samples were read
    split: str
    requests: int  # read, for hidden states and attention
    samples: int
    best_step: int | None
    tokens: tuple[Token, ...]
    layers: tuple[Layer, ...]
    training: tuple[Moment, ...]
    notes: tuple[str, ...] = ()
    request: RequestExplanation | None = None
