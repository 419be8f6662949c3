"""The popularity of training samples beside that of the candidates to score."""

from __future__ import annotations

from matplotlib.figure import Figure

from corank.report.audit.cells import GREY, gaps
from corank.report.canvas import COLOURS, MARKS, legend, picture
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import SamplesAudit
from corank.samples.audit.finding import percent
from corank.samples.audit.skew import ALL_NEGATIVES


def popularity_section(audit: SamplesAudit) -> Section:
    """One line a kind of samples."""
    rows = tuple(
        (
            Cell(group.group),
            Cell(f"{group.samples:,}"),
            Cell(f"{group.mean_decile:.1f}"),
            Cell(percent(group.shares[0])),
            Cell(percent(group.shares[-1])),
            Cell("" if place == 0 else f"{group.distance:.2f}"),
        )
        for place, group in enumerate(audit.skew)
    )
    header = ("Samples", "Count", "Mean decile", "Least popular decile", "Most popular decile", "Distance")
    caption = (
        "Popularity: clicks before validation begins. Distance: the share of samples that would have to be"
        " others to be like the test candidates (total variation)."
    )
    alt = "; ".join(
        f"{one.group} mean decile {one.mean_decile:.1f}, distance {one.distance:.2f}" for one in audit.skew
    )
    shown = picture(
        "Popularity of training samples and of test candidates",
        f"Lines over deciles of popularity: {alt}",
        "Negatives should lie on the bars: where they are more popular, the model learns that popular"
        " items are bad, and"
        " where less, that popularity is good. Positives were clicked, and counted in what is popular.",
        lambda figure: _draw(figure, audit),
        size=(6.4, 3.8),
    )
    return Section(
        "popularity",
        "Popularity of negatives",
        gaps(audit, "skew"),
        tables=(Table(caption, header, rows),),
        pictures=(shown,),
    )


def _draw(figure: Figure, audit: SamplesAudit) -> None:
    axes = figure.subplots()
    candidates, *groups = audit.skew
    groups = [group for group in groups if group.group != ALL_NEGATIVES]
    used = [place for place in range(len(candidates.shares)) if any(one.shares[place] for one in audit.skew)]
    places = range(len(used))
    axes.bar(places, [100 * candidates.shares[place] for place in used], color=GREY, label=candidates.group)
    for number, group in enumerate(groups):
        axes.plot(
            places,
            [100 * group.shares[place] for place in used],
            color=COLOURS[number],
            marker=MARKS[number],
            markersize=5,
            label=group.group,
        )
    lows = {decile.decile: decile.low for decile in audit.exposure.popularity}
    labels = [
        f"{place + 1}\nfrom {lows[place + 1]:,.0f}" if place + 1 in lows else f"{place + 1}" for place in used
    ]
    axes.set_xticks(places, labels)
    axes.set(
        xlabel="Decile of popularity, and the clicks from which it begins",
        ylabel="Share of samples, %",
        ylim=(0, None),
    )
    axes.grid(visible=False, axis="x")
    legend(figure, axes)
