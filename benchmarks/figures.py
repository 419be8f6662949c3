"""The README's figure and table, from results/trivago.csv.

Run: python benchmarks/figures.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

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


def main() -> None:
    """Gain in MRR over the strongest rule, a line a model, with its paired 95 % interval."""
    with (ROOT / "results" / "trivago.csv").open(newline="") as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    base = float(rows["most recently touched first"]["test_mrr"])
    models = [name for name in NAMES if name in rows and rows[name]["over_touched"]]
    models = sorted((m for m in models if m != "shown order"), key=lambda m: float(rows[m]["test_mrr"]))
    mpl.rcParams.update({"svg.hashsalt": "corank", "font.size": 10, "svg.fonttype": "none"})
    figure, axes = plt.subplots(figsize=(7.2, 0.55 * len(models) + 1.3), layout="constrained")
    for y, model in enumerate(models):
        row = rows[model]
        low, value, high = (float(row[f"over_touched{end}"]) for end in ("_low", "", "_high"))
        colour = "#8a8f98" if model == "lightgbm" else "#2f6fde"
        axes.plot([low, high], [y, y], color=colour, linewidth=2.5, solid_capstyle="round")
        axes.plot(value, y, "o", color=colour, markersize=8)
        axes.annotate(f"{base + value:.4f}", (high, y), (8, 0), textcoords="offset points", va="center")
    axes.axvline(0, color="#444", linewidth=1)
    axes.set_yticks(range(len(models)), [NAMES[model] for model in models])
    axes.set_ylim(-0.6, len(models) - 0.4)
    axes.margins(x=0.14)
    axes.set_xlabel(f"gain in MRR over “last touched first” ({base:.4f}), paired 95 % interval")
    axes.set_title("trivago: re-ranking the last 2,719 lists, mean of 3 seeds", loc="left", fontsize=10.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "trivago.svg", metadata={"Date": None})
    print(markdown(rows))


def markdown(rows: dict[str, dict[str, str]]) -> str:
    """The README's table."""
    lines = [
        "| model | MRR | over shown order | over last touched first | over LightGBM |",
        "|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda item: float(item[1]["test_mrr"])):
        cells = [_difference(row, base) for base in ("shown", "touched", "lightgbm")]
        label = f"`{name}`" if "_" in name else name
        lines.append(" | ".join([f"| {label}", f"{float(row['test_mrr']):.4f}", *cells]) + " |")
    return "\n".join(lines)


def _difference(row: dict[str, str], base: str) -> str:
    if not row[f"over_{base}"]:
        return ""
    low, value, high = (float(row[f"over_{base}{end}"]) for end in ("_low", "", "_high"))
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main()
