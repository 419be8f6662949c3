"""The README's figures and tables, from results/trivago.csv and results/trivago_recipes.csv.

Run: python benchmarks/figures.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drawing import bare, dot, save, set_up

ROOT = Path(__file__).parent.parent
NAMES = {
    "shown order": "shown order",
    "most recently touched first": "last touched first",
    "lightgbm": "LightGBM LambdaRank",
    "dlrm_mlp_s": "DLRM-MLP",
    "dcnv2_s": "DCN-V2",
    "rankmixer_s": "RankMixer",
    "unimixer_lite_s": "UniMixer-Lite",
}


COLOURS = {"attributed": "#2f6fde", "unexposed": "#e07b39", "unexposed + attributed": "#7a4fbf"}
Row = dict[str, str]


def main() -> None:
    """Both figures and both tables."""
    set_up()
    models = {row["model"]: row for row in read("trivago.csv")}
    draw_models(models)
    recipes = [row for row in read("trivago_recipes.csv") if row["comparison"] == "chosen"]
    draw_recipes(recipes)
    print(markdown(models), recipes_markdown(recipes), sep="\n\n")


def read(name: str) -> list[Row]:
    """The rows of a file of results."""
    with (ROOT / "results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def draw_models(rows: dict[str, Row]) -> None:
    """Gain in MRR over the strongest rule, a line a model, with its paired 95 % interval."""
    base = float(rows["most recently touched first"]["test_mrr"])
    models = [name for name in NAMES if name in rows and rows[name]["over_touched"]]
    models = sorted((m for m in models if m != "shown order"), key=lambda m: float(rows[m]["test_mrr"]))
    figure, axes = plt.subplots(figsize=(7.2, 0.55 * len(models) + 1.3), layout="constrained")
    for y, model in enumerate(models):
        row = rows[model]
        low, value, high = (float(row[f"over_touched{end}"]) for end in ("_low", "", "_high"))
        dot(axes, y, value, (low, high), "#8a8f98" if model == "lightgbm" else "#2f6fde")
        axes.annotate(f"{base + value:.4f}", (high, y), (8, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(models)), [NAMES[model] for model in models])
    axes.set_ylim(-0.6, len(models) - 0.4)
    axes.set_xlabel(f"gain in MRR over “last touched first” ({base:.4f}), paired 95 % interval")
    axes.set_title("trivago: re-ranking the last 2,719 lists, mean of 3 seeds", loc="left", fontsize=10.5)
    _save(figure, axes, "trivago.svg")


def draw_recipes(rows: list[Row]) -> None:
    """Gain in MRR over `exposed` by model and recipe, with its paired 95 % interval."""
    compared = [row for row in rows if row["over_exposed"]]
    models = list(dict.fromkeys(row["model"] for row in compared))
    figure, axes = plt.subplots(figsize=(7.2, 0.95 * len(models) + 1.5), layout="constrained")
    for row in compared:
        place = list(COLOURS).index(row["condition"])
        y = -models.index(row["model"]) - 0.26 * (place - 1)
        low, value, high = (float(row[end]) for end in ("low", "over_exposed", "high"))
        first = row["model"] == models[0]
        dot(axes, y, value, (low, high), COLOURS[row["condition"]], row["condition"] if first else None)
    axes.set_yticks([-y for y in range(len(models))], [NAMES[model] for model in models])
    axes.set_ylim(-len(models) + 0.5, 0.5)
    axes.set_xlabel("gain in MRR over the recipe exposed, paired 95 % interval")
    axes.set_title("trivago: the last 2,719 lists, mean of 5 seeds", loc="left", fontsize=10.5)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3, frameon=False)
    _save(figure, axes, "trivago_recipes.svg")


def recipes_markdown(rows: list[Row]) -> str:
    """The README's table of recipes, a line a model."""
    lines = ["| model | exposed | " + " | ".join(COLOURS) + " |", "|---|---|" + "---|" * len(COLOURS)]
    for model in dict.fromkeys(row["model"] for row in rows):
        own = {row["condition"]: row for row in rows if row["model"] == model}
        cells = [_gain(own[name], ("over_exposed", "low", "high")) for name in COLOURS]
        lines.append(" | ".join([f"| {_label(model)}", _mrr(own["exposed"]), *cells]) + " |")
    return "\n".join(lines)


def _save(figure: Figure, axes: Axes, name: str) -> None:
    axes.axvline(0, color="#444", linewidth=1)
    axes.margins(x=0.14)
    bare(axes)
    save(figure, name)


def markdown(rows: dict[str, Row]) -> str:
    """The README's table."""
    lines = [
        "| model | MRR | over shown order | over last touched first | over LightGBM |",
        "|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda item: float(item[1]["test_mrr"])):
        cells = [_difference(row, base) for base in ("shown", "touched", "lightgbm")]
        lines.append(" | ".join([f"| {_label(name)}", _mrr(row), *cells]) + " |")
    return "\n".join(lines)


def _label(model: str) -> str:
    return f"`{model}`" if "_" in model else model


def _mrr(row: Row) -> str:
    return f"{float(row['test_mrr']):.4f}"


def _difference(row: Row, base: str) -> str:
    return _gain(row, (f"over_{base}", f"over_{base}_low", f"over_{base}_high"))


def _gain(row: Row, columns: tuple[str, str, str]) -> str:
    if not row[columns[0]]:
        return ""
    value, low, high = (float(row[column]) for column in columns)
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main()
