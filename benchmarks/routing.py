"""A feed-forward a domain: samples sorted and run in their own, against all computed and others masked.

Run: python benchmarks/routing.py [--repeats 5] [--samples 4096] [--threads 1]
Prints a table and writes results/bench_routing.csv. Forward and backward of one layer, medians; the ways
run in turn, repeat after repeat. `ratio` is the time of `masked` over that of `sorted`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from corank.files import write_csv
from corank.layers import DomainFFN, Routes

RESULTS = Path(__file__).parent.parent / "results" / "bench_routing.csv"
LIST = 16  # samples of a request


def routed(layer: DomainFFN, x_SD: Tensor, domain_S: Tensor) -> Tensor:
    """As corank does it, sorting included."""
    routes = Routes.of(domain_S, layer.up.weight.shape[0])
    return routes.unsort(layer(routes.sort(x_SD), routes))


def masked(layer: DomainFFN, x_SD: Tensor, domain_S: Tensor) -> Tensor:
    """All domains' networks in one batched product; of each sample its own is taken."""
    x_KSD = x_SD.expand(layer.up.weight.shape[0], *x_SD.shape)
    y_KSD: Tensor = layer.down(F.gelu(layer.up(x_KSD)))
    own_1SD = domain_S.view(1, -1, 1).expand(1, -1, y_KSD.shape[2])
    return y_KSD.gather(0, own_1SD).squeeze(0)


WAYS: dict[str, Callable[[DomainFFN, Tensor, Tensor], Tensor]] = {"sorted": routed, "masked": masked}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    command = (
        f"python benchmarks/routing.py --repeats {chosen.repeats} --samples {chosen.samples} "
        f"--threads {chosen.threads}"
    )
    rows = []
    for domains, width in ((1, 64), (2, 64), (3, 64), (3, 256), (8, 64), (8, 256)):
        layer = DomainFFN(domains, width, 2 * width, width)
        x_SD = torch.randn(chosen.samples, width, requires_grad=True)
        domain_S = torch.randint(domains, (chosen.samples // LIST,)).repeat_interleave(LIST)
        one, other = (way(layer, x_SD, domain_S) for way in WAYS.values())
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        taken: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(chosen.repeats):
            for name, way in WAYS.items():
                started = time.perf_counter()
                torch.autograd.backward(way(layer, x_SD, domain_S).square().sum())
                taken[name].append(1e3 * (time.perf_counter() - started))
        medians = {name: statistics.median(values) for name, values in taken.items()}
        for name, values in taken.items():
            row = {
                "domains": domains,
                "width": width,
                "way": name,
                "median_ms": round(medians[name], 1),
                "min_ms": round(min(values), 1),
                "max_ms": round(max(values), 1),
                "ratio": round(medians["masked"] / medians["sorted"], 2) if name == "sorted" else "",
                "samples": chosen.samples,
                "repeats": chosen.repeats,
                "threads": chosen.threads,
                "seed": 0,
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "torch": torch.__version__,
                "command": command,
            }
            print({key: row[key] for key in ("domains", "width", "way", "median_ms", "ratio")}, flush=True)
            rows.append(row)
    write_csv(RESULTS, rows)


if __name__ == "__main__":
    main()
