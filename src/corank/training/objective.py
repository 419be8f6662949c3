"""What training minimises: the losses of all tasks with their weights and corrections."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.errors import CorankError
from corank.features.batch import Batch, Labels
from corank.models.base import RankingModel
from corank.models.heads import with_product
from corank.training import conversion
from corank.training.config import LossConfig
from corank.training.losses import loss
from corank.training.position import PositionTower, propensity


class Objective(nn.Module):
    """`objective(logits, batch, labels)`: the loss of a batch, position and domain weights included.

    It may have parameters of its own, which are trained beside the model's and are no part of it.

    Args:
        config: the parts.
        model: whose logits are judged.

    Raises:
        CorankError: a part needs a head that the model has not, or a weight is of an unknown domain.
    """

    def __init__(self, config: LossConfig, model: RankingModel) -> None:
        super().__init__()
        self.config = config
        self.domains = model.schema.domains()
        self.unseen = 0 if model.esuif is None else model.esuif.unseen  # as the model takes it
        weight_K = torch.ones(len(self.domains.names))
        for name, weight in config.domain_weights.items():
            weight_K[self.domains.index(name, "loss.domain_weights")] = weight
        if not weight_K.any():
            raise CorankError(
                f"loss.domain_weights: all domains ({', '.join(self.domains.names)}) have weight 0"
            )
        self.register_buffer("weight_K", weight_K, persistent=False)
        self.weight_K: Tensor
        heads = model.config.head_names
        if config.purchase != 1 and "purchase" not in model.config.tasks:
            raise CorankError(f"loss.purchase={config.purchase} needs the task purchase; set model.tasks")
        if config.conversion.correct != "none" and "conversion" not in heads:
            raise CorankError(
                f"loss.conversion.correct={config.conversion.correct} needs a head for the conversion; "
                "set model.tasks=[click, purchase] and model.purchase=product"
            )
        if config.conversion.correct == "dr" and "imputation" not in heads:
            raise CorankError("loss.conversion.correct=dr needs model.imputation=true")
        if config.conversion.correct != "dr" and "imputation" in heads:
            raise CorankError("model.imputation=true is of use with loss.conversion.correct=dr only")
        curves = config.position.domains
        for name in curves:
            self.domains.index(name, "loss.position.domains")
        self.curves = [curves.get(name, config.position) for name in self.domains.names]
        self.tower: PositionTower | None = None
        if config.position.correct == "tower":
            names = tuple(name for name in ("click", "purchase") if name in heads)
            self.tower = PositionTower(names, len(self.domains.names), config.position.positions)

    def forward(self, logits: dict[str, Tensor], batch: Batch, labels: Labels) -> Tensor:
        """The loss, a number."""
        domain_R = self.domains.of_requests(self.domains.known(batch.request.ids, self.unseen))
        domain_S = domain_R.index_select(0, batch.request_of_S)
        labels = replace(labels, weight_S=labels.weight_S * self.weight_K[domain_S])
        examined_S: Tensor | None = None
        if self.config.position.correct != "none":
            assert labels.position_S is not None, "labels without positions"
            if self.tower is not None:
                logits = with_product(self.tower(logits, labels.position_S, domain_S))
            else:
                own_S = labels.position_S
                if labels.attributed_S is not None:  # it did not come from this place, nor from this list
                    own_S = own_S.masked_fill(labels.attributed_S, 0)
                examined_S = propensity(own_S, domain_S, self.curves, self.config.position.floor)
        total = loss(logits, batch, labels, self.config, examined_S)
        if self.config.conversion.correct == "none":
            return total
        return total + self.config.conversion.weight * self._conversion(logits, labels, examined_S)

    def _conversion(self, logits: dict[str, Tensor], labels: Labels, examined_S: Tensor | None) -> Tensor:
        """The counterfactual risk of the conversion."""
        p_S = conversion.propensity(logits["click"], self.config.conversion.floor, examined_S)
        delta_S = conversion.cross_entropy(logits["conversion"], labels.purchase_S)
        if self.config.conversion.correct == "ipw":
            return conversion.ipw_risk(delta_S, labels.click_S, p_S, labels.weight_S)
        imputed_S = F.softplus(logits["imputation"])
        return conversion.dr_risk(delta_S, imputed_S, labels.click_S, p_S, labels.weight_S)
