"""What every ranking model is: embeddings, a backbone that makes one vector a sample, a head a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Literal, Self

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.features.batch import Batch
from corank.features.schema import InputSchema
from corank.layers.embedding import EmbeddingNorm, FeatureEmbedding
from corank.layers.flops import Flops
from corank.layers.mixing import Mixing
from corank.models.counting import Part, flops_by_part, parameters_by_part

Task = Literal["click", "purchase"]
Loss = Callable[[dict[str, Tensor]], Tensor]
"""The loss of a batch's logits by task."""


class ModelConfig(Config, ABC):
    """What all models share. A subclass adds its own sizes and says how to `build` them."""

    embedding_width: int = Bound(default=16, ge=1)
    embedding_norm: EmbeddingNorm = "none"
    tasks: tuple[Task, ...] = ("click",)

    @abstractmethod
    def build(self, schema: InputSchema) -> RankingModel:
        """The model for inputs of this shape.

        Raises:
            CorankError: the sizes do not fit one another or the schema.
        """


class RankingModel(nn.Module, ABC):
    """`model(batch)` gives the logits [S] of every task.

    Subclasses set `backbone` parts in their constructor and implement `represent`.

    Args:
        schema: the inputs.
        config: the sizes.

    Attributes:
        PARTS: which part of the model each child is counted as; a subclass adds its own.
    """

    PARTS: ClassVar[dict[str, Part]] = {"embedding": "embedding", "tokenizer": "tokenizer", "heads": "head"}

    def __init__(self, schema: InputSchema, config: ModelConfig) -> None:
        super().__init__()
        self.schema, self.config = schema, config
        self.embedding = FeatureEmbedding(schema, config.embedding_width, config.embedding_norm)
        self.request_width = sum(slot.width for slot in self.embedding.request_slots)
        self.sample_width = sum(slot.width for slot in self.embedding.sample_slots)
        self.heads = nn.ModuleDict()

    def add_heads(self, width: int) -> None:
        """One linear map to a logit a task, from representations of this width."""
        self.heads = linear_heads(width, self.config.tasks)

    @abstractmethod
    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, width]."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Logits [S] by task."""
        request_RE, sample_SE = self.embedding(batch)
        z_SD = self.represent(request_RE, sample_SE, batch.request_of_S)
        return logits_of(self.heads, z_SD)

    def auxiliary_losses(self, loss: Loss) -> dict[str, Tensor]:
        """Terms that training adds to the loss, by name, each weighted; none for most models.

        They belong to the last forward pass in training and are given away once.

        Args:
            loss: the loss that this batch's logits would have, for models that judge more than their last.
        """
        del loss
        return {}

    def set_progress(self, done: float) -> None:
        """Told before each step how much of training is done (0..1); models that anneal use it."""

    def mixings(self) -> list[Mixing]:
        """The mixing layers, in order; none for models without."""
        return [module for module in self.modules() if isinstance(module, Mixing)]

    def mixing(self) -> list[Tensor]:
        """The learned global mixing matrices [N, N] by block; none for models that learn none."""
        matrices = [mixing.matrix() for mixing in self.mixings()]
        return [matrix for matrix in matrices if matrix is not None]

    def fold(self) -> Self:
        """Turn what does not depend on the input into constants, for inference: the same scores, in place.

        A folded model cannot be trained further, nor its weights be read by one that is not folded. Nothing
        changes in models without such parts.
        """
        for mixing in self.mixings():
            mixing.fold()
        return self

    @contextmanager
    def folded(self) -> Iterator[Self]:
        """Folded for so long: many batches are scored with matrices that are made once."""
        learned = [(mixing, mixing.G, mixing.local) for mixing in self.mixings()]
        try:
            yield self.fold()
        finally:
            for mixing, G, local in learned:
                mixing.G, mixing.local = G, local

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters: `embedding`, `tokenizer`, `mixing`, `feed_forward`, `head`, and `total`."""
        return parameters_by_part(self)

    def flop_counts(self) -> dict[str, Flops]:
        """Operations of a forward pass, of the same parts, by the conventions of `corank.layers.flops`."""
        return flops_by_part(self)


def linear_heads(width: int, tasks: Sequence[str]) -> nn.ModuleDict:
    """A linear map to a logit a task, bias 0."""
    heads = nn.ModuleDict()
    for task in tasks:
        head = nn.Linear(width, 1)
        nn.init.zeros_(head.bias)
        heads[task] = head
    return heads


def logits_of(heads: nn.ModuleDict, z_SD: Tensor) -> dict[str, Tensor]:
    """Logits [S] by task."""
    return {task: head(z_SD).squeeze(-1) for task, head in heads.items()}
