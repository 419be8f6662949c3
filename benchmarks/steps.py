"""A whole training step of the families: forward, loss, backward, clipped gradients, optimizer.

Run: python benchmarks/steps.py [--repeats 9] [--samples 1024] [--threads 1]
Prints a table and writes results/bench_steps.csv: processor time, medians, models in turn, repeat after
repeat, at the sizes and the loss of the marketplace task of `families_tasks`. The batch is random, of a fixed
seed, in the shape of that task's inputs. UniMixer is timed at three temperatures, for the sharper its
matrices are the longer their scaling takes. `times_rankmixer` is the median over repeats of a model's time
to RankMixer's of the same repeat.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from functools import partial

import torch
from torch import Tensor

from corank.features.batch import Batch, Labels, Side
from corank.features.schema import (
    EmbeddingInput,
    IdInput,
    InputSchema,
    NumberInput,
    SequenceInput,
    SideSchema,
)
from corank.models.registry import create_model
from corank.training.config import TrainConfig
from corank.training.optimizer import make_optimizer
from families_tasks import LISTWISE, TASKS
from measuring import write
from store_task import step

LIST = 10  # samples of a request, as in the marketplace's exposed lists
AGAINST = "rankmixer"
MODELS = ("rankmixer", "unimixer", "unimixer_lite", "unimixer_lite_factored", "dcnv2", "dlrm_mlp")
TAUS = (1.0, 0.2, 0.05)
CONFIG = TrainConfig().with_settings(LISTWISE)

USER = {"user_id": 3278, "user_age_band": 7, "user_city_tier": 6, "user_membership": 5}
CONTEXT = {"query": 3894, "device": 5, "shop": 2}
ITEM = {"item_id": 7531, "category": 193, "department": 18, "brand": 302}
HISTORY = {key: ITEM[key] for key in ITEM} | {"history_action": 5, "history_domain": 6}
TEXT = 4098  # hashed units
NUMBERS = 24


def schema() -> InputSchema:
    """Kinds, numbers and cardinalities of the marketplace's fields."""

    def ids(fields: dict[str, int], group: str) -> tuple[IdInput, ...]:
        return tuple(IdInput(name=n, group=group, table=n, cardinality=c) for n, c in fields.items())

    def text(name: str, group: str) -> SequenceInput:
        return SequenceInput(name=name, group=group, table="text", cardinality=TEXT, length=12)

    histories = tuple(
        SequenceInput(name=f"history_{n}", group="sequence", table=n, cardinality=c, length=20)
        for n, c in HISTORY.items()
    )
    return InputSchema(
        request=SideSchema(
            ids=(*ids(USER, "user"), *ids(CONTEXT, "context")),
            sequences=(text("query_text", "query"), *histories),
        ),
        sample=SideSchema(
            ids=ids(ITEM, "item"),
            numbers=tuple(NumberInput(name=f"number_{i}", group="item") for i in range(NUMBERS)),
            sequences=(text("title_text", "item"),),
            embeddings=(EmbeddingInput(name="embedding", group="item", dim=16),),
        ),
    )


def batch_of(inputs: InputSchema, samples: int) -> tuple[Batch, Labels]:
    """Random inputs in lists, a tenth of the numbers missing, a tenth of the samples clicked."""
    g = torch.Generator().manual_seed(0)

    def side(part: SideSchema, n: int) -> Side:
        numbers = torch.rand(n, len(part.numbers), generator=g)
        numbers[torch.rand(numbers.shape, generator=g) < 0.1] = torch.nan
        return Side(
            ids=torch.stack([torch.randint(i.cardinality, (n,), generator=g) for i in part.ids], 1),
            numbers=numbers,
            sequences=[torch.randint(s.cardinality, (n, s.length), generator=g) for s in part.sequences],
            embeddings=[torch.randn(n, e.dim, generator=g) for e in part.embeddings],
        )

    request_of_S = torch.arange(samples) // LIST
    clicks: Tensor = (torch.rand(samples, generator=g) < 0.1).float()
    labels = Labels(clicks, torch.zeros(samples), torch.ones(samples))
    return Batch(
        side(inputs.request, int(request_of_S[-1]) + 1), side(inputs.sample, samples), request_of_S
    ), labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    inputs = schema()
    batch, labels = batch_of(inputs, chosen.samples)
    cases = {}
    for name in MODELS:
        size = TASKS["marketplace"].models[name]
        for tau in TAUS if name.startswith("unimixer") else TAUS[:1]:
            torch.manual_seed(0)
            model = create_model(size.name, inputs, size.settings).train()
            for mixing in model.mixings():
                mixing.tau.fill_(tau)
            optimizer = make_optimizer(model, CONFIG.optimizer)
            shown = f"{tau:g}" if model.mixings() else ""
            cases[name, shown] = model, partial(step, model, optimizer, batch, labels, CONFIG)
    taken: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    for repeat in range(-2, chosen.repeats):
        for case, (_, run) in cases.items():
            started = time.process_time()
            run()
            if repeat >= 0:
                taken[case].append(1000 * (time.process_time() - started))
    lines: list[dict[str, object]] = []
    for (name, shown), ms in taken.items():
        model, _ = cases[name, shown]
        ratio = statistics.median(a / b for a, b in zip(ms, taken[AGAINST, ""], strict=True))
        parameters = model.parameter_counts()
        lines.append(
            {"model": name, "tau": shown, "samples": chosen.samples,
             "parameters_but_tables": parameters["total"] - parameters["embedding"],
             "operations_a_sample": model.flop_counts()["total"].sample,
             "step_ms": f"{statistics.median(ms):.1f}", "lowest_ms": f"{min(ms):.1f}",
             "highest_ms": f"{max(ms):.1f}", "times_rankmixer": f"{ratio:.2f}", "repeats": chosen.repeats,
             "threads": chosen.threads, "seed": 0, "load": f"{os.getloadavg()[0]:.1f}"}
        )  # fmt: skip
        print(f"{name:<24} tau {shown or '-':<5} {lines[-1]['step_ms']:>7} ms  {ratio:5.2f} x {AGAINST}")
    write("bench_steps", lines, ["torch"])


if __name__ == "__main__":
    main()
