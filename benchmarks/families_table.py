"""The README's table of families, from results/families.csv, and those of docs/experiments.md.

Run: python benchmarks/families_table.py
Prints, for each family and task, the paired difference to RankMixer with about its parameters beside
embeddings, and with about its operations a sample; rows that are not complete are left out. Then all that is
known of each task, and the ablations.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablations import SUMMARY as ABLATIONS
from families import NEAR, SUMMARY

TASKS = {"marketplace": "marketplace (simulated), GAUC", "trivago": "trivago, MRR"}
METRICS = {"marketplace": "test_gauc", "trivago": "test_mrr"}
EQUAL = {"parameters": "dense_parameters", "operations": "flops_a_sample"}

Row = Mapping[str, str]


def main() -> None:
    """Print them."""
    rows = read(SUMMARY)
    print("\n".join(table(rows)), end="\n\n")
    for task, head in TASKS.items():
        mine = [row for row in rows if row["task"] == task]
        if mine:
            print("\n".join(whole(mine, head, METRICS[task])), end="\n\n")
    changed = read(ABLATIONS)
    if changed:
        print("\n".join(changes(changed, METRICS[changed[0]["task"]])))


def read(path: Path) -> list[Row]:
    """The rows that are there."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def whole(rows: Sequence[Row], head: str, metric: str) -> list[str]:
    """Every model that has been begun: size, metric with interval, differences, step time, what is done."""
    lines = [
        f"| model | {head} | over RankMixer | over the MLP "
        "| parameters beside embeddings, in all | FLOPs a sample | step, ms | trials, seeds |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        size = f"{int(float(row['dense_parameters'])):,}, {int(float(row['parameters'])):,}"
        parts = [
            interval(row, metric, "."),
            interval(row, "over_rankmixer", "+."),
            interval(row, "over_dlrm_mlp", "+."),
        ]
        parts += [size, f"{int(float(row['flops_a_sample'])):,}", f"{float(row['step_ms']):.0f}"]
        parts += [f"{row['trials']}, {row['seeds']}{'' if row['complete'] == 'True' else ' (unfinished)'}"]
        lines.append(f"| `{row['model']}` | {' | '.join(parts)} |")
    return lines


def changes(rows: Sequence[Row], metric: str) -> list[str]:
    """Every change that has been begun."""
    lines = [f"| family | change | {metric} | over as it is | paper, AUC, pp | seeds |", "|---" * 6 + "|"]
    for row in rows:
        parts = [
            interval(row, metric, "."),
            interval(row, "over_base", "+."),
            row["published_auc_pp"],
            row["seeds"],
        ]
        lines.append(f"| `{row['model']}` | {row['change']} | {' | '.join(parts)} |")
    return lines


def interval(row: Row, name: str, form: str) -> str:
    """A value and its ends, as far as they are there."""
    shown = [f"{float(row[name + end]):{form}4f}" for end in ("", "_low", "_high") if row.get(name + end)]
    return f"{shown[0]} [{', '.join(shown[1:])}]" if len(shown) == 3 else " ".join(shown)


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
    own = [model, f"{model}-flops"]
    for name in reversed(own) if of == EQUAL["operations"] else own:  # first what was made for the column
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
