"""The tables of the studies of samples and model, from results/codesign*.csv and widths*.csv.

Run: python benchmarks/codesign_table.py
Prints the README's table of the main directions, and those of docs/experiments.md: all directions, a metric
a table, with a verdict once all sizes and budgets of the full study are there; the same on every metric;
every condition; and the directions of variations, of three metrics and of all. What users do is printed by
codesign_users.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from codesign import rows_of
from corank.study.conditions import CODESIGN_PRESETS
from corank.study.result import TITLES
from corank.study.widths import MULTIPLES

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
SHOWN = ("exposed.auc", "exposed.gauc", "all_channels.purchase_ndcg@10")
"""Of each test."""
ALSO = ("exposed.hr@5", "all_channels.purchase_recall@10")
"""Of which the main directions are shown, too."""
OF_PAPER = ("exposed.auc", "exposed.gauc", "exposed.hr@5")
"""What the paper has figures of."""
FIGURE_4 = {
    "d_H": (0.0, 0.0012, 0.0016, 0.0017),
    "d_G": (0.0, 0.00225, 0.00285, 0.00305),
    "both": (0.0, 0.0029, 0.0039, 0.0041),
    "both + ES3": (0.0012, 0.0052, 0.0068, 0.0073),
}
"""AUC over that of 1x on search only in the paper's figure, taken for points: by line, at each multiple."""


def _of_widths() -> Iterator[tuple[str, tuple[float]]]:
    """What follows from the figure for each direction."""
    yield "both + ES3, 1x", (FIGURE_4["both + ES3"][0],)
    for place, multiple in enumerate(MULTIPLES[1:], 1):
        d_H, d_G, both, es3 = (points[place] for points in FIGURE_4.values())
        yield from ((f"{line}, {multiple}x", (points[place],)) for line, points in FIGURE_4.items())
        yield f"v d_G, d_H, {multiple}x", (d_G - d_H,)
        yield f"v both, d_G, {multiple}x", (both - d_G,)
        yield f"v both, d_H, {multiple}x", (both - d_H,)
        yield f"iv, {multiple}x", (es3 - both - FIGURE_4["both + ES3"][0],)


PUBLISHED: dict[str, tuple[float, ...]] = {
    "i": (-0.0043, -0.0024),
    "ii hhfi+dref": (0.0062, 0.0049),
    "ii hhfi+dapga": (0.0065, 0.0042),
    "ii hhfi+both": (0.0075, 0.0050),
    "ii both, hhfi+dref": (0.0013, 0.0001, 0.0005),
    "ii both, hhfi+dapga": (0.0010, 0.0008, 0.0027),
    "ii hhfi+dref, ES3": (0.0019, 0.0025, 0.0039),
    "ii hhfi+dapga, ES3": (0.0022, 0.0018, 0.0017),
    "ii hhfi+both, ES3": (0.0032, 0.0026, 0.0044),
    "iii": (0.0002, 0.0001, 0.0002),
    "whole": (0.0076, 0.0054),
    **dict(_of_widths()),
}
"""Differences of `OF_PAPER` as far as the paper's tables of ablation and comparison go, taken for points."""
FULL = tuple(product(CODESIGN_PRESETS["full"]["sizes"], CODESIGN_PRESETS["full"]["budgets"]))
"""Sizes and budgets that a verdict needs."""
MAIN = ("i", "ii hhfi+dref", "ii hhfi+dapga", "ii hhfi+both", "iii", "iv", "lite: i", "lite: ii", "whole")
"""Directions of the README."""
MENDED = ("ii hhfi+dref, ES3", "ii hhfi+dapga, ES3", "ii hhfi+both, ES3")
"""Those that the paper has HR@5 of."""
Row = Mapping[str, str]


def main() -> None:
    """Print and draw what is there."""
    directions, conditions = read("codesign_directions.csv"), read("codesign.csv")
    print("\n".join(summary(directions, SHOWN[:1], MAIN)), end="\n\n")
    for metric in SHOWN:
        print("\n".join(summary(directions, [metric])), end="\n\n")
    for metric in ALSO:
        print("\n".join(summary(directions, [metric], (*MAIN, *MENDED))), end="\n\n")
    for study in ("codesign", "widths"):
        for size, budget in settings(read(f"{study}_directions.csv")):
            print(f"{study}: {size}, equal {budget}\n")
            print("\n".join(every(read(f"{study}_directions.csv"), size, budget)), end="\n\n")
    for rows in (conditions, read("widths.csv")):
        print("\n".join(table_of(rows)), end="\n\n")
    for path in sorted(RESULTS.glob("codesign_*_directions.csv")):
        print(f"{path.name}\n")
        print("\n".join(summary(read(path.name), SHOWN)), end="\n\n")
        for size, budget in settings(read(path.name)):
            print(f"{path.name}: {size}, equal {budget}\n")
            print("\n".join(every(read(path.name), size, budget)), end="\n\n")


def read(name: str) -> Sequence[Row]:
    """The rows of a file of results; none where it is not there."""
    return rows_of(RESULTS / name)


def settings(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Sizes and budgets that directions were looked at with."""
    return list(dict.fromkeys((row["size"], row["budget"]) for row in rows))


def gap(row: Row) -> str:
    """A difference and its interval."""
    ends = f"{float(row['low']):+.4f}, {float(row['high']):+.4f}" if row["low"] else "no interval"
    return f"{float(row['difference']):+.4f} [{ends}]"


def summary(rows: Sequence[Row], metrics: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """A line a direction (all if none is named), a column a size, a budget and a metric.

    One metric in all settings of the full study gets a verdict. Runs on es3 are of both budgets: what is of
    them alone is shown and counted once.
    """
    rows = [row for row in rows if row["metric"] in metrics]
    rows = [row for row in rows if not names or row["direction"] in names]
    places = settings(rows)
    if not places:
        return []
    columns = [(where, metric) for where in places for metric in metrics]
    cells = {(row["direction"], row["size"], row["budget"], row["metric"]): row for row in rows}
    heads = [f"{TITLES[metric]}, {size}, equal {budget}" for (size, budget), metric in columns]
    judged = set(FULL) <= set(places) and len(metrics) == 1
    heads += ["verdict"] if judged else []
    names = list(dict.fromkeys(row["direction"] for row in rows))
    papers = {name: dict(zip(OF_PAPER, PUBLISHED.get(name, ()), strict=False)) for name in names}
    of_paper = [metric for metric in metrics if any(metric in values for values in papers.values())]
    heads = [*(f"the paper, {TITLES[metric].partition(',')[0]}" for metric in of_paper), *heads]
    lines = [f"| {' | '.join(['claim', *heads])} |", "|---" * (1 + len(heads)) + "|"]
    for name, values in papers.items():
        found = [cells.get((name, *where, metric)) for where, metric in columns]
        runs = [row and (row["plus"], row["minus"], row["metric"]) for row in found]
        first = [row for n, row in enumerate(found) if row and runs[n] not in runs[:n]]
        shown = ["" if not row else gap(row) if row in first else "the same" for row in found]
        shown += [verdict(first)] if judged else []
        known = [f"{values[metric]:+.4f}" if metric in values else "" for metric in of_paper]
        lines.append(f"| {' | '.join([numeral(name) + first[0]['claim'], *known, *shown])} |")
    return lines


def numeral(name: str) -> str:
    """The number of a direction in its name, if it has one.

    >>> numeral("lite: ii, ES3")
    '(ii) '
    """
    found = re.search(r"\b(i{1,3}|iv|v)\b", name)
    return f"({found[1]}) " if found else ""


def verdict(rows: Sequence[Row]) -> str:
    """What settings say of a direction: a word if they agree, else how many say what.

    >>> verdict([{"verdict": word} for word in ("open", "reproduced", "open", "open")])
    'open 3, reproduced 1'
    """
    said = Counter(row["verdict"] for row in rows)
    return next(iter(said)) if len(said) == 1 else ", ".join(f"{word} {n}" for word, n in said.most_common())


def every(rows: Sequence[Row], size: str, budget: str) -> list[str]:
    """All metrics of the directions of a size and budget."""
    found = [row for row in rows if (row["size"], row["budget"]) == (size, budget)]
    metrics = list(dict.fromkeys(row["metric"] for row in found))
    lines = [
        f"| direction | {' | '.join(TITLES[metric] for metric in metrics)} |",
        "|---" * (1 + len(metrics)) + "|",
    ]
    for name in dict.fromkeys(row["direction"] for row in found):
        own = {row["metric"]: row for row in found if row["direction"] == name}
        lines.append(f"| {name} | {' | '.join(gap(own[metric]) for metric in metrics)} |")
    return lines


def table_of(rows: Sequence[Row]) -> list[str]:
    """Every condition on both tests."""
    metrics = [name for name in TITLES if rows and name in rows[0]]
    heads = "".join(f"{TITLES[metric]} | " for metric in metrics)
    lines = [
        f"| model | size | samples | equal | {heads}parameters, beside embeddings | rate | seeds |",
        "|---" * (7 + len(metrics)) + "|",
    ]
    for row in rows:
        values = "".join(f"{value(row, metric)} | " for metric in metrics)
        parameters = f"{int(row['parameters']):,}, {int(row['dense_parameters']):,}"
        lines.append(
            f"| {row['model']} | {row['size']} | {row['recipe']} | {row['budget']} | {values}"
            f"{parameters} | {row['rate']} | {row['seeds']} |"
        )
    return lines


def value(row: Row, metric: str) -> str:
    """A metric with its interval."""
    if not row[f"{metric}_low"]:
        return f"{float(row[metric]):.4f}"
    return f"{float(row[metric]):.4f} [{float(row[f'{metric}_low']):.4f}, {float(row[f'{metric}_high']):.4f}]"


if __name__ == "__main__":
    main()
