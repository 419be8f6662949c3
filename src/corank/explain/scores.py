"""Why items of a request have the scores that they have, by feature group and field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor

from corank.errors import CorankError, unknown
from corank.explain.baselines import DEFINED, Baseline, missing_E
from corank.explain.gradients import Score, ablation, integrated_gradients
from corank.explain.requests import Listed
from corank.explain.result import Contribution, GroupContribution, ItemExplanation, RequestExplanation
from corank.features.batch import Batch
from corank.features.spec import Group
from corank.layers.embedding import Slot
from corank.layers.routes import Routes
from corank.models.base import RankingModel

SHOWN = 3
"""So many of the best-scored items are explained where none is named."""


def check_groups(model: RankingModel, groups: Sequence[str], where: str) -> None:
    """Refuse groups that no input of the model belongs to.

    Raises:
        CorankError: one is unknown, or has no input here.
    """
    there = list(dict.fromkeys(slot.group for slot in _slots(model)))
    for group in groups:
        if group in get_args(Group) and group not in there:
            raise CorankError(
                f"{where}: group '{group}' has no input in this model; expected one of {', '.join(there)}"
            )
        if group not in there:
            raise unknown("feature group", group, there, where)


def explain_scores(
    model: RankingModel,
    batch: Batch,
    listed: Listed,
    items: Sequence[str],
    groups: Sequence[str],
    baseline: Baseline,
    mean_E: Tensor | None,
    split: str,
) -> RequestExplanation:
    """The parts of the logits of some items of one request.

    Args:
        model: in the mode for scoring, folded.
        batch: the one request with all its items.
        listed: the same as it lies in the store.
        items: which; the best-scored if none is named.
        groups: whose fields are asked for.
        baseline: what a part without input is.
        mean_E: the mean embedding, for the baseline `mean`.
        split: of the request.

    Raises:
        CorankError: an item is not in the list.
    """
    task = "click" if "click" in model.config.tasks else model.config.tasks[0]
    if model.esuif is not None:
        batch = model.esuif.known(batch)
    score = scoring(model, task, batch)
    with torch.no_grad():
        request_RE, sample_SE = model.embedding(batch)
        all_SE = torch.cat([request_RE.index_select(0, batch.request_of_S), sample_SE], dim=1)
        logit_S = score(all_SE)
    order = torch.argsort(-logit_S, stable=True).tolist()
    chosen = listed.places(items) if items else order[:SHOWN]
    baseline_E = missing_E(model) if baseline == "missing" else mean_E
    assert baseline_E is not None, "the mean baseline needs requests"
    baseline_E = baseline_E.to(all_SE.dtype)

    slots = _slots(model)
    x_SE = all_SE[chosen]
    gradients = integrated_gradients(score, x_SE, baseline_E)
    fields = _columns(slots, [slot.name for slot in slots], [slot.name for slot in slots])
    names = list(dict.fromkeys(slot.group for slot in slots))
    parts = torch.cat([_columns(slots, names, [slot.group for slot in slots]), fields])
    without_PS = ablation(score, x_SE, baseline_E, parts)
    summed_PS = parts.double() @ gradients.of_SE.T
    logits = logit_S[chosen].double()
    explained = [
        ItemExplanation(
            item_id=listed.items[place],
            place=order.index(place) + 1,
            exposed=bool(listed.exposed[place]),
            clicked=bool(listed.clicked[place]),
            score=float(torch.sigmoid(logits[i])),
            logit=float(logits[i]),
            baseline_logit=float(logits[i] - gradients.change_S[i]),
            gap=float(gradients.gap_S[i]),
            points=gradients.points,
            groups=_contributions(slots, names, summed_PS[:, i].tolist(), without_PS[:, i].tolist()),
        )
        for i, place in enumerate(chosen)
    ]
    return RequestExplanation(
        request_id=listed.request_id,
        split=split,
        task=task,
        listed=len(listed.items),
        baseline=baseline,
        baseline_is=DEFINED[baseline],
        opened=tuple(groups),
        items=tuple(explained),
    )


def scoring(model: RankingModel, task: str, batch: Batch) -> Score:
    """From rows of embeddings, the request's and the sample's side by side, to logits of a task.

    Where samples are routed by domain, all rows go to that of the batch's first request, whatever stands for
    the domain in their embeddings.
    """
    esuif = model.esuif
    domain = None if esuif is None else esuif.domains.of_requests(batch.request.ids)[:1]

    def score(e_SE: Tensor) -> Tensor:
        request_SE, sample_SE = torch.split(e_SE, [model.request_width, model.sample_width], dim=1)
        routes = None
        if esuif is not None and domain is not None:
            routes = Routes.of(domain.expand(len(e_SE)), len(esuif.domains.names))
        own = torch.arange(len(e_SE), device=e_SE.device)
        return model.logits(request_SE, sample_SE, own, routes)[task]

    return score


def _slots(model: RankingModel) -> list[Slot]:
    """The fields, in the order of the embeddings."""
    return [*model.embedding.request_slots, *model.embedding.sample_slots]


def _columns(slots: Sequence[Slot], names: Sequence[str], of: Sequence[str]) -> Tensor:
    """Which numbers of the embeddings belong to each of the names, bool [P, E]."""
    width = torch.tensor([slot.width for slot in slots])
    number = torch.tensor([names.index(name) for name in of]).repeat_interleave(width)
    return torch.arange(len(names)).unsqueeze(1) == number


def _contributions(
    slots: Sequence[Slot], names: Sequence[str], gradients: Sequence[float], without: Sequence[float]
) -> tuple[GroupContribution, ...]:
    """Groups with their fields; the parts are the groups, then the fields."""
    first = len(names)
    fields = {
        name: tuple(
            Contribution(name=slot.name, gradients=gradients[first + i], ablation=without[first + i])
            for i, slot in enumerate(slots)
            if slot.group == name
        )
        for name in names
    }
    return tuple(
        GroupContribution(name=name, gradients=gradients[i], ablation=without[i], fields=fields[name])
        for i, name in enumerate(names)
    )
