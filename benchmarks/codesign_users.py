"""The tables of the simulated A/B tests of samples and model, from results/codesign*_abtest.csv.

Run: python benchmarks/codesign_users.py
Prints, as in docs/experiments.md, what users do by step, the mean over the seeds, a log and size a table,
with the seeds of the first step; what unexposed items apart do over the same within the searches; and the
README's table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from codesign import mean
from codesign_table import RESULTS, Row, read

NAMES = {"rankmixer": "RankMixer", "hhsft": "HHSFT"}
LOGS = (
    ("the study's", "codesign", "codesign_apart"),
    ("another", "codesign_log1", "codesign_apart_log1"),
)
"""A log, and the names of its A/B tests: unexposed items within the searches, and apart."""
WORDS = {"within": "as search's", "apart": "apart"}


def main() -> None:
    """Print what is there."""
    for path in sorted(RESULTS.glob("codesign*_abtest.csv")):
        for size, rows in by_size(read(path.name)).items():
            print(f"{path.name}, {size}\n")
            print("\n".join(abtest(rows)), end="\n\n")
    print("\n".join(apart()), end="\n\n")
    print("\n".join(whole()))


def by_size(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each size, in their order."""
    sizes = dict.fromkeys(row["size"] for row in rows)
    return {size: [row for row in rows if row["size"] == size] for size in sizes}


def abtest(rows: Sequence[Row]) -> list[str]:
    """What users buy: the mean over the seeds of every step, then of the first of them each seed."""
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    steps = list(dict.fromkeys((row["run_a"], row["run_b"]) for row in rows))
    found = {(row["run_a"], row["run_b"], row["seed"], row["measure"]): row for row in rows}
    lines = means(rows)
    lines += ["", f"| seed | searches | {' | '.join(measures)} |", "|---" * (2 + len(measures)) + "|"]
    for seed in dict.fromkeys(row["seed"] for row in rows):
        own = [found[*steps[0], seed, measure] for measure in measures]
        shown = " | ".join(percent(row) for row in own)
        lines.append(f"| {seed} | {int(own[0]['searches']):,} | {shown} |")
    return lines


def means(rows: Sequence[Row]) -> list[str]:
    """The mean over the seeds of what users do, a line a step."""
    rows = [row for row in rows if row["seed"] == "mean"]
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    lines = [f"| trained, over | trained | {' | '.join(measures)} |", "|---" * (2 + len(measures)) + "|"]
    for step in dict.fromkeys((row["run_a"], row["run_b"]) for row in rows):
        own = [percent(row) for row in rows if (row["run_a"], row["run_b"]) == step]
        lines.append(f"| {' | '.join([*map(end, step), *own])} |")
    return lines


class Pair(NamedTuple):
    """Two A/B tests of one size on the same days of one log."""

    log: str
    size: str
    within: Sequence[Row]
    apart: Sequence[Row]

    def gaps(self) -> list[dict[str, Any]]:
        """The second over the first, seed by seed."""
        return seed_by_seed(done_with(self.within), done_with(self.apart))


def pairs() -> list[Pair]:
    """All that are there, a log after another."""
    found = []
    for log, *names in LOGS:
        within, own = (by_size(read(f"{name}_abtest.csv")) for name in names)
        found += [Pair(log, size, within[size], own[size]) for size in within if size in own]
    return found


def apart() -> list[str]:
    """What users do with unexposed items apart over the same within the searches: a line a log, size and run.

    Raises:
        ValueError: the two tests are not of the same days and runs on search only.
    """
    lines = ["| log | size | trained | clicks | purchases | money |", "|---" * 6 + "|"]
    for pair in pairs():
        gaps = pair.gaps()
        for run in dict.fromkeys(gap["run_b"] for gap in gaps):
            measures = list(dict.fromkeys(gap["measure"] for gap in gaps))
            shown = [percent(mean(gaps, "within", run, measure)) for measure in measures]
            lines.append(f"| {' | '.join([pair.log, pair.size, end(run), *shown])} |")
    return lines


def whole() -> list[str]:
    """HHSFT on es3 over RankMixer on search only, and what setting apart changes: a column a log and size."""
    over, trained = "rankmixer, exposed", "hhsft, es3"
    tests = pairs()
    heads = [f"{pair.log} log, `{pair.size}`" for pair in tests]
    lines = [
        f"| HHSFT on `es3`, unexposed candidates | over | {' | '.join(heads)} |",
        "|---" * (2 + len(heads)) + "|",
    ]
    for measure in ("purchases", "money"):
        for named in ("within", "apart"):
            found = [mean_of(getattr(pair, named), over, trained, measure) for pair in tests]
            lines.append(f"| {WORDS[named]}: {measure} | RankMixer on `exposed` | {' | '.join(found)} |")
        found = [percent(mean(pair.gaps(), "within", trained, measure)) for pair in tests]
        lines.append(f"| apart: {measure} | itself, {WORDS['within']} | {' | '.join(found)} |")
    return lines


def mean_of(rows: Sequence[Row], over: str, trained: str, measure: str) -> str:
    """The mean over the seeds of one step."""
    step = (over, trained, "mean", measure)
    return next(
        percent(row) for row in rows if (row["run_a"], row["run_b"], row["seed"], row["measure"]) == step
    )


def done_with(rows: Sequence[Row]) -> dict[tuple[str, str, str], float]:
    """What users do a search with each run: by run, measure and seed."""
    single = [row for row in rows if row["seed"] != "mean"]
    return {(row[f"run_{x}"], row["measure"], row["seed"]): float(row[x]) for row in single for x in "ab"}


def seed_by_seed(
    within: Mapping[tuple[str, str, str], float], own: Mapping[tuple[str, str, str], float]
) -> list[dict[str, Any]]:
    """Rows of `own` over `within`, of every run that was trained on other samples.

    >>> common = {("m, exposed", "clicks", "1"): 1.0}
    >>> within, own = ({**common, ("m, es3", "clicks", "1"): value} for value in (1.0, 1.25))
    >>> [(row["run_b"], row["seed"], row["percent"]) for row in seed_by_seed(within, own)]
    [('m, es3', '1', 25.0)]
    """
    common = [key for key in within if key[0].endswith("exposed") and "unexposed" not in key[0]]
    if any(not math.isclose(within[key], own[key]) for key in common):
        raise ValueError("of other days, or of other runs on search only")
    return [
        {"run_a": "within", "run_b": run, "measure": measure, "seed": seed, "searches": 0}
        | {"a": before, "b": own[run, measure, seed], "percent": 100 * (own[run, measure, seed] / before - 1)}
        for (run, measure, seed), before in within.items()
        if (run, measure, seed) not in common
    ]


def end(of: str) -> str:
    """One end of a step as a page names it.

    >>> end("hhsft, es3")
    'HHSFT, es3'
    """
    model, recipe = of.split(", ")
    return f"{NAMES[model]}, {recipe}"


def percent(row: Mapping[str, Any]) -> str:
    """A relative difference with its interval."""
    known = str(row["low"]) not in ("", "nan")
    ends = f" [{float(row['low']):+.2f}, {float(row['high']):+.2f}]" if known else ""
    return f"{float(row['percent']):+.2f} %{ends}"


if __name__ == "__main__":
    main()
