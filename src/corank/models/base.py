"""What every ranking model is: embeddings, a backbone that makes one vector a sample, a head a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Literal, Self

from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor, nn

from corank.config import Config
from corank.features.batch import Batch
from corank.features.schema import InputSchema
from corank.layers.embedding import EmbeddingNorm, FeatureEmbedding
from corank.layers.esuif import ESUIF, ESUIFConfig
from corank.layers.flops import Flops
from corank.layers.history import HistoryConfig
from corank.layers.mixing import Mixing
from corank.layers.per_token import inner
from corank.layers.routes import Routes
from corank.layers.tokenizer import Contents, Tokenizer
from corank.models.counting import Part, flops_by_part, parameters_by_part
from corank.models.heads import domain_heads, linear_heads, logits_of

Task = Literal["click", "purchase"]
Loss = Callable[[dict[str, Tensor]], Tensor]
"""The loss of a batch's logits by task."""


class ModelConfig(Config, ABC):
    """What all models share. A subclass adds its own sizes and says how to `build` them."""

    embedding_width: int = Bound(default=16, ge=1)
    history: HistoryConfig = HistoryConfig()  # vectors of a user's events, beside the means of their fields
    text_match: bool = False  # a vector of how much of the request's text is in the item's
    embedding_norm: EmbeddingNorm = "none"
    esuif: ESUIFConfig = ESUIFConfig()  # what is told apart by domain, between backbone and heads
    tasks: tuple[Task, ...] = ("click",)
    purchase: Literal["direct", "product"] = "direct"  # a head of its own, or click times conversion (ESMM)
    imputation: bool = False  # a head of the conversion's loss, in training, for loss.conversion=dr

    @property
    def head_names(self) -> tuple[str, ...]:
        """The heads: one a task, with `conversion` in place of `purchase` where that is a product."""
        names = self.tasks if self.purchase == "direct" else ("click", "conversion")
        return (*names, "imputation") if self.imputation else names

    @model_validator(mode="after")
    def _check_tasks(self) -> Self:
        if "click" not in self.tasks or len(set(self.tasks)) < len(self.tasks):
            raise ValueError(
                f"tasks = {list(self.tasks)}: expected [click] or [click, purchase]; validation is by clicks"
            )
        if self.purchase == "product" and set(self.tasks) != {"click", "purchase"}:
            raise ValueError("purchase=product needs the tasks click and purchase")
        if self.imputation and self.purchase != "product":
            raise ValueError("imputation=true needs purchase=product")
        return self

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

    PARTS: ClassVar[dict[str, Part]] = {
        "embedding": "embedding",
        "tokenizer": "tokenizer",
        "esuif": "mixing",
        "heads": "head",
    }

    def __init__(self, schema: InputSchema, config: ModelConfig) -> None:
        super().__init__()
        self.schema, self.config = schema, config
        self.embedding = FeatureEmbedding(
            schema, config.embedding_width, config.history, config.text_match, config.embedding_norm
        )
        self.request_width = sum(slot.width for slot in self.embedding.request_slots)
        self.sample_width = sum(slot.width for slot in self.embedding.sample_slots)
        self.esuif: ESUIF | None = None
        self.heads = nn.ModuleDict()

    def add_heads(self, width: int) -> None:
        """What comes after representations of this width: ESUIF if it is switched on, a head a task."""
        esuif, names = self.config.esuif, self.config.head_names
        if esuif.any:
            self.esuif = ESUIF(esuif, width, self.schema, self.embedding.request_slots)
        if self.esuif is not None and esuif.domain_heads:
            hidden = inner(width, esuif.head_expansion)
            self.heads = domain_heads(width, names, len(self.esuif.domains.names), hidden)
        else:
            self.heads = linear_heads(width, names)

    @abstractmethod
    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, width]."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Logits [S] by task."""
        if self.esuif is not None:
            batch = self.esuif.known(batch)
        request_RE, sample_SE = self.embedding(batch)
        routes = None if self.esuif is None else self.esuif.routes(batch)
        return self.logits(request_RE, sample_SE, batch.request_of_S, routes)

    def logits(
        self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor, routes: Routes | None
    ) -> dict[str, Tensor]:
        """Logits [S] by task from embeddings; `routes` where there is ESUIF."""
        z_SD = self.represent(request_RE, sample_SE, request_of_S)
        if self.esuif is None or routes is None:
            return logits_of(self.heads, z_SD)
        e_SD = self.esuif(routes.sort(z_SD), request_RE, request_of_S, routes)
        logits = logits_of(self.heads, e_SD, routes)
        return {name: routes.unsort(logits_S) for name, logits_S in logits.items()}

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

    def mixing_state(self) -> dict[str, float]:
        """`tau` of learned mixing and `row_error`, the largest of a layer; empty where nothing is scaled."""
        layers = self.mixings()
        errors = [error for one in layers if (error := one.row_error()) is not None]
        return {"tau": layers[0].tau.item(), "row_error": max(errors)} if errors else {}

    def token_contents(self) -> list[Contents]:
        """What each token that enters the first layer is made of; empty for models without tokens."""
        tokenizers = [child for child in self.children() if isinstance(child, Tokenizer)]
        return [contents for tokenizer in tokenizers for contents in tokenizer.contents]

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
