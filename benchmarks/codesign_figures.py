"""The figures of the studies of samples and model, from results/codesign*.csv and widths_directions.csv.

Run: python benchmarks/codesign_figures.py
Draws docs/images/codesign.svg (every condition on both tests), users.svg (the A/B tests) and widths.svg
(the lines of the paper's Figure 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from codesign_table import SHOWN, Row, read, settings
from corank.evaluation.intervals import Difference
from corank.study.conditions import MODELS, STAGES
from corank.study.pictures import draw_lines
from corank.study.result import TITLES
from corank.study.widths import LINES, MULTIPLES
from drawing import bare, dot, save, set_up

COLOURS: dict[str, str] = dict(zip(STAGES, ("#5b6470", "#d9730d", "#9065b0", "#0b6e99"), strict=True))
WHOLE, OWN = ("rankmixer, exposed", "hhsft, es3"), ("hhsft, exposed", "hhsft, es3")
STEPS = {
    WHOLE: "HHSFT on es3\nover RankMixer on exposed",
    OWN: "HHSFT on es3\nover itself on exposed",
    ("hhsft, exposed", "hhsft, unexposed"): "its stage: unexposed items",
    ("hhsft, unexposed", "hhsft, attributed"): "its stage: attribution",
    ("hhsft, attributed", "hhsft, es3"): "its stage: pseudo requests",
    ("rankmixer, es3", "hhsft, es3"): "HHSFT over RankMixer,\nboth on es3",
}
"""The steps of an A/B test that are drawn, from above."""
ONLINE = {"purchases": 1.70, "money": 2.04}
"""Of the paper's A/B test, in percent: HHSFT on ES3 over what was in production."""


@dataclass(frozen=True)
class Sample:
    """Where an A/B test is kept, and how it is drawn."""

    file: str
    size: str
    label: str
    colour: str
    mark: str


WITHIN, APART = "#d9730d", "#0b6e99"
SAMPLES = (
    Sample("codesign", "s", "within the searches, s", WITHIN, "o"),
    Sample("codesign", "xs", "within, xs", WITHIN, "s"),
    Sample("codesign_log1", "xs", "within, another log, xs", WITHIN, "^"),
    Sample("codesign_apart", "s", "apart, s", APART, "o"),
    Sample("codesign_apart", "xs", "apart, xs", APART, "s"),
    Sample("codesign_apart_log1", "xs", "apart, another log, xs", APART, "^"),
)


def main() -> None:
    """Draw what is there."""
    set_up()
    draw_conditions(read("codesign.csv"))
    draw_users()
    draw_widths(read("widths_directions.csv"))


def draw_conditions(rows: Sequence[Row]) -> None:
    """Every model on every recipe, at the largest size, under equal steps: a dot with its interval."""
    rows = [row for row in rows if row["budget"] == "steps"]
    rows = [row for row in rows if row["size"] == rows[-1]["size"]]
    models = [model for model in MODELS if any(row["model"] == model for row in rows)]
    figure, every_axes = plt.subplots(
        1, len(SHOWN), figsize=(9, 0.5 * len(models) + 1.4), sharey=True, layout="constrained"
    )
    for axes, metric in zip(every_axes, SHOWN, strict=True):
        for row in rows:
            own = [r["recipe"] for r in rows if r["model"] == row["model"]]
            y = models.index(row["model"]) + 0.16 * (own.index(row["recipe"]) - (len(own) - 1) / 2)
            ends = span(row, f"{metric}_low", f"{metric}_high")
            dot(axes, y, float(row[metric]), ends, COLOURS[row["recipe"]], row["recipe"], size=6)
        axes.set_title(title(metric), loc="left", fontsize=10)
        axes.locator_params(axis="x", nbins=4)
        axes.set_yticks(range(len(models)), models)
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.grid(axis="x", color="#e4e2dd")
        bare(axes)
    handles = {label: handle for axes in every_axes for label, handle in labelled(axes)}
    order = [recipe for recipe in STAGES if recipe in handles]
    figure.legend(
        [handles[recipe] for recipe in order], order, loc="outside lower left", ncols=4, frameon=False
    )
    save(figure, "codesign.svg")


def draw_users() -> None:
    """What users buy and spend, by step, with unexposed items within the searches and apart."""
    figure, every_axes = plt.subplots(
        1, len(ONLINE), figsize=(9, 0.8 * len(STEPS) + 1.6), sharey=True, layout="constrained"
    )
    for axes, (measure, online) in zip(every_axes, ONLINE.items(), strict=True):
        axes.plot([online, online], [-0.45, 0.45], ":", color="#444", label="the paper, online")
        axes.axvline(0, color="#444", linewidth=1)
        for place, sample in enumerate(SAMPLES):
            for row in read(f"{sample.file}_abtest.csv"):
                step = (row["run_a"], row["run_b"])
                if (row["size"], row["seed"], row["measure"]) != (sample.size, "mean", measure):
                    continue
                if step not in STEPS:
                    continue
                y = list(STEPS).index(step) + 0.13 * (place - (len(SAMPLES) - 1) / 2)
                label = sample.label if step == WHOLE else None
                ends = span(row, "low", "high")
                dot(axes, y, float(row["percent"]), ends, sample.colour, label, sample.mark, 6)
        axes.set_title(f"{measure} a search, %, simulated", loc="left", fontsize=10)
        axes.set_yticks(range(len(STEPS)), list(STEPS.values()))
        axes.set_ylim(len(STEPS) - 0.5, -0.5)
        for y in range(1, len(STEPS)):
            axes.axhline(y - 0.5, color="#e4e2dd", linewidth=1)
        bare(axes)
    labels, handles = zip(*labelled(every_axes[0]), strict=True)
    figure.legend(handles, labels, loc="outside lower left", ncols=4, frameon=False)
    save(figure, "users.svg")


def draw_widths(rows: Sequence[Row]) -> None:
    """The lines of the paper's Figure 4, at the largest size, under equal steps."""
    size = [size for size, budget in settings(rows) if budget == "steps"][-1]
    found: dict[str, dict[str, Difference]] = {}
    for row in rows:
        if (row["size"], row["budget"]) == (size, "steps"):
            low, high = span(row, "low", "high") or (None, None)
            value = Difference(float(row["difference"]), low, high, None)
            found.setdefault(row["direction"], {})[row["metric"]] = value
    points = [
        [(m, found[at]) for m in MULTIPLES if (at := line.over_first(m, size, "steps").name) in found]
        for line in LINES
    ]
    figure = plt.figure(figsize=(9, 3.6), layout="constrained")
    draw_lines(figure, points)
    figure.suptitle(f"Simulated: hhsft_{size}, equal steps", x=0.99, ha="right", fontsize=10)
    save(figure, "widths.svg")


def span(row: Row, low: str, high: str) -> tuple[float, float] | None:
    """The ends of an interval, if it is known."""
    return (float(row[low]), float(row[high])) if row[low] not in ("", "nan") else None


def title(metric: str) -> str:
    """Of a narrow panel: the metric, and below it the test."""
    name, _, test = TITLES[metric].rpartition(", ")
    return f"{name}\n{test}, simulated"


def labelled(axes: Axes) -> Iterator[tuple[str, Artist]]:
    """What a legend of the panel would have."""
    handles, labels = axes.get_legend_handles_labels()
    yield from zip(labels, handles, strict=True)


if __name__ == "__main__":
    main()
