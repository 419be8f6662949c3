"""Rates by sample space and split, and where labels come from."""

from __future__ import annotations

from corank.report.audit.cells import gaps, share
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import Audit, LogAudit, SamplesAudit
from corank.samples.audit.finding import percent, spread


def spaces_section(audit: Audit, tables: tuple[Table, ...] = ()) -> Section:
    """The table of rates, and other tables."""
    config = audit.config if isinstance(audit, LogAudit) else audit.manifest.config
    rows = tuple(
        (
            Cell(f"{one.split}, {one.space}", (f"{one.rows:,} rows",)),
            *(share(rate) for rate in (one.own_click, one.any_click, one.own_purchase, one.any_purchase)),
        )
        for one in audit.spaces.rates
    )
    header = (
        "Split, space",
        "Clicked, own request",
        "Clicked, any channel",
        "Bought, own request",
        "Bought, any channel",
    )
    caption = (
        f"Own request: by events that name it. Any channel: by whatever the user did with the item within"
        f" {config.attribution_hours:g} hours, and before the split ended."
    )
    notes = [*gaps(audit, "spaces", "spaces.purchases")]
    if "spaces" not in audit.absent:
        for what, rate in (
            ("clicked", audit.spaces.clicks_unexposed),
            ("bought", audit.spaces.purchases_unexposed),
        ):
            if rate.of:
                notes.append(
                    f"Of {rate.of:,} candidates of the last split {what} in any channel, {spread(rate)}"
                    " had not been shown."
                )
    return Section(
        "spaces",
        "Clicks and purchases by space",
        tuple(notes),
        tables=(Table(caption, header, rows), *tables),
    )


def sources_table(audit: SamplesAudit) -> Table:
    """Training samples by the source of their label."""
    rows = tuple(
        (
            Cell(f"{one.space}, {'not clicked' if one.source == 'none' else one.source}"),
            Cell(f"{one.share.count:,}"),
            Cell(percent(one.share)),
            Cell(f"{one.purchases:,}"),
            Cell(f"{one.mean_weight:.3g}"),
        )
        for one in audit.sources
    )
    header = ("Space, label", "Samples", "Of the space", "Bought", "Mean weight")
    return Table("Training samples by the source of their label.", header, rows)
