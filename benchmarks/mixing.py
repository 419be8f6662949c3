"""Mixing against a matrix product of as many operations; positive factors against the paper's UniMixing-Lite.

Run: python benchmarks/mixing.py [--repeats 5] [--tau 1.0] [--threads 2]
Prints a table and writes results/bench_mixing.csv. Cases run in turn, repeat after repeat; times are medians.

`forward` is that of inference, on folded constants. `step` is forward and backward with the matrices made
anew and the gradients of input and parameters, as in training; `product` is that with the matrices given. A
case's `ratio` is the time of the one it is measured against (`against`) over its own. Peak memory is that of
a step, above what the process held before, in a process of its own (on Linux).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from corank.files import write_csv
from corank.layers import Mixing, UniMixingConfig, UniMixingFactoredConfig, UniMixingLiteConfig
from corank.layers.mixing import MixingConfig
from corank.layers.operators import Dense, blockwise

RESULTS = Path(__file__).parent.parent / "results" / "bench_mixing.csv"
TOKENS = 32
BLOCK = 4
RANK = 128

CONFIGS: dict[str, MixingConfig] = {
    "unimixing": UniMixingConfig(block=BLOCK),
    "lite": UniMixingLiteConfig(block=BLOCK, rank=RANK),
    "factored": UniMixingFactoredConfig(block=BLOCK, rank=RANK),
    "factored, not symmetric": UniMixingFactoredConfig(block=BLOCK, rank=RANK, symmetric=False),
}


@dataclass(frozen=True)
class Case:
    """Something to time.

    Attributes:
        name, part: what, and which part of it.
        blocks, batch: N and the number of samples.
        against: the name and part that its time is compared with.
        run: does it once.
    """

    name: str
    part: str
    blocks: int
    batch: int
    against: tuple[str, str]
    run: Callable[[], object]


def layer(name: str, blocks: int, tau: float) -> Mixing:
    """A mixing with N blocks at a temperature."""
    torch.manual_seed(0)
    made = CONFIGS[name].build(TOKENS, blocks * BLOCK // TOKENS)
    made.tau.fill_(tau)
    return made


def inputs(blocks: int, batch: int) -> Tensor:
    """[S, T, D]."""
    return torch.randn(batch, TOKENS, blocks * BLOCK // TOKENS, requires_grad=True)


def step(module: nn.Module, x: Tensor, upstream: Tensor) -> object:
    """Forward and backward."""
    return torch.autograd.grad(module(x), [x, *module.parameters()], upstream)


class Given(nn.Module):
    """UniMixing with its matrices as parameters: the products alone."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.w_NN = nn.Parameter(torch.rand(blocks, blocks))
        self.w_NCC = nn.Parameter(torch.rand(blocks, BLOCK, BLOCK))

    def forward(self, x_STD: Tensor) -> Tensor:
        x_SNC = x_STD.reshape(x_STD.shape[0], -1, BLOCK)
        return (Dense(self.w_NN) @ blockwise(x_SNC, self.w_NCC)).reshape(x_STD.shape)


def product_cases(blocks: int, batch: int, tau: float) -> list[Case]:
    """UniMixing and the matrix product of as many operations: S (N^2 B + N B^2) of them, N^2 a row."""
    rows = batch * (blocks * BLOCK + BLOCK**2) // blocks
    square = nn.Linear(blocks, blocks, bias=False)
    x, x_rows = inputs(blocks, batch), torch.randn(rows, blocks, requires_grad=True)
    up, up_rows = torch.randn_like(x), torch.randn_like(x_rows)
    learned, folded, given = layer("unimixing", blocks, tau), layer("unimixing", blocks, tau), Given(blocks)
    folded.fold()

    def forward(module: nn.Module, x: Tensor) -> Callable[[], object]:
        def run() -> object:
            with torch.inference_mode():
                return module(x)

        return run

    product, own = "matrix product", "unimixing"
    return [
        Case(product, "forward", blocks, batch, (product, "forward"), forward(square, x_rows)),
        Case(own, "forward", blocks, batch, (product, "forward"), forward(folded, x)),
        Case(product, "step", blocks, batch, (product, "step"), lambda: step(square, x_rows, up_rows)),
        Case(own, "product", blocks, batch, (product, "step"), lambda: step(given, x, up)),
        Case(own, "step", blocks, batch, (product, "step"), lambda: step(learned, x, up)),
    ]


def lite_cases(blocks: int, batch: int, tau: float) -> list[Case]:
    """The paper's Lite and ours: forward on constants, and a step."""
    x = inputs(blocks, batch)
    up = torch.randn_like(x)
    cases = []
    for name in ("lite", "factored", "factored, not symmetric"):
        learned, folded = layer(name, blocks, tau), layer(name, blocks, tau)
        folded.fold()

        def forward(module: Mixing = folded) -> object:
            with torch.inference_mode():
                return module(x)

        def train(module: Mixing = learned) -> object:
            return step(module, x, up)

        cases += [
            Case(name, "forward", blocks, batch, ("lite", "forward"), forward),
            Case(name, "step", blocks, batch, ("lite", "step"), train),
        ]
    return cases


def times(cases: list[Case], repeats: int) -> list[list[float]]:
    """Seconds of every case and repeat, case after case within a repeat; one round before to warm up."""
    found: list[list[float]] = [[] for _ in cases]
    for repeat in range(-1, repeats):
        for case, taken in zip(cases, found, strict=True):
            started = time.perf_counter()
            case.run()
            if repeat >= 0:
                taken.append(time.perf_counter() - started)
    return found


def _peak(name: str, blocks: int, batch: int, tau: float) -> float:
    """MiB that a step adds to what the process held before."""
    torch.set_num_threads(1)
    small = layer(name, 32, tau)
    x = inputs(32, 2)
    step(small, x, torch.randn_like(x))  # what is loaded on first use
    learned, x = layer(name, blocks, tau), inputs(blocks, batch)
    up = torch.randn_like(x)
    before = _status("VmRSS")
    step(learned, x, up)
    return (_status("VmHWM") - before) / 1024


def _status(key: str) -> int:
    """KiB of this process's memory: VmRSS now, VmHWM at most (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def peak(name: str, blocks: int, batch: int, tau: float) -> float:
    """The same, in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (name, blocks, batch, tau))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tau", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    facts = {
        "block": BLOCK,
        "rank": RANK,
        "tau": chosen.tau,
        "repeats": chosen.repeats,
        "threads": chosen.threads,
        "seed": 0,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "command": f"python benchmarks/mixing.py --repeats {chosen.repeats} --tau {chosen.tau} "
        f"--threads {chosen.threads}",
    }
    rows: list[dict[str, object]] = []
    for group in (
        product_cases(1024, 512, chosen.tau),
        lite_cases(1024, 512, chosen.tau),
        lite_cases(4096, 128, chosen.tau),
    ):
        found = times(group, chosen.repeats)
        medians = {(c.name, c.part): statistics.median(t) for c, t in zip(group, found, strict=True)}
        for case, taken in zip(group, found, strict=True):
            ratio = medians[case.against] / medians[case.name, case.part]
            memory = ""
            if case.part == "step" and case.name in CONFIGS and Path("/proc/self/status").exists():
                memory = f"{peak(case.name, case.blocks, case.batch, chosen.tau):.0f}"
            rows.append(
                {"case": case.name, "part": case.part, "blocks": case.blocks, "batch": case.batch,
                 "median_ms": f"{1e3 * medians[case.name, case.part]:.1f}",
                 "min_ms": f"{1e3 * min(taken):.1f}", "max_ms": f"{1e3 * max(taken):.1f}",
                 "against": " ".join(case.against), "ratio": f"{ratio:.2f}", "peak_mib": memory, **facts}
            )  # fmt: skip
            print(
                f"N = {case.blocks:<5} {case.name:<24} {case.part:<8} {rows[-1]['median_ms']:>8} ms  "
                f"{ratio:5.2f} x {rows[-1]['against']:<22} {memory and memory + ' MiB'}"
            )
    write_csv(RESULTS, rows)


if __name__ == "__main__":
    main()
