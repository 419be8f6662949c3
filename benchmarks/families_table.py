"""The README's table of families, from the complete rows of results/families.csv.

Run: python benchmarks/families_table.py
Prints, for each family and task, the paired difference to RankMixer with about its parameters beside
embeddings, and with about its operations a sample. Rows that are not complete are left out.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from families import NEAR, SUMMARY

TASKS = {"marketplace": "marketplace (simulated), GAUC", "trivago": "trivago, MRR"}
METRICS = {"marketplace": "test_gauc", "trivago": "test_mrr"}
EQUAL = {"parameters": "dense_parameters", "operations": "flops_a_sample"}

Row = Mapping[str, str]


def main() -> None:
    """Print it."""
    with SUMMARY.open(newline="") as stream:
        print("\n".join(table(list(csv.DictReader(stream)))))


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of Markdown."""
    complete = {(row["task"], row["model"]): row for row in rows if row["complete"] == "True"}
    tasks = [task for task in TASKS if (task, "rankmixer") in complete]
    heads = [f"{TASKS[task]}, at equal {of}" for task in tasks for of in EQUAL]
    lines = [f"| model | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for model in dict.fromkeys(model.removesuffix("-flops") for _, model in complete):
        cells = [cell(complete, task, model, EQUAL[of]) for task in tasks for of in EQUAL]
        if any(cells):
            lines.append(f"| `{model}` | {' | '.join(cells)} |")
    return lines


def cell(complete: Mapping[tuple[str, str], Row], task: str, model: str, of: str) -> str:
    """What a model has over RankMixer with about as many `of`; RankMixer's own metric; nothing if unknown."""
    base = complete[task, "rankmixer"]
    for name in (model, f"{model}-flops"):
        row = complete.get((task, name))
        if row is None or abs(float(row[of]) / float(base[of]) - 1) > NEAR:
            continue
        if name == "rankmixer":
            return f"{float(row[METRICS[task]]):.4f}"
        if row["over_rankmixer_low"]:
            value, low, high = (float(row[f"over_rankmixer{end}"]) for end in ("", "_low", "_high"))
            return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"
    return ""


if __name__ == "__main__":
    main()
