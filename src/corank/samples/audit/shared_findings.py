"""Findings that the audits of logs and of samples have in common."""

from __future__ import annotations

from collections.abc import Iterator

from corank.samples.audit.blind_spot import Blind
from corank.samples.audit.drift import Drift, Unseen
from corank.samples.audit.exposure import Exposure
from corank.samples.audit.finding import Finding, Limits, judged, percent, ratio, spread, surely
from corank.samples.audit.spaces import Spaces
from corank.samples.audit.stability import Moved

POPULARITY = Limits(2.0, 5.0)
POSITION = Limits(2.0, float("inf"))
ELSEWHERE = Limits(0.05, 0.15)
DRIFT = Limits(0.1, 0.25)
GAP = Limits(0.25, 0.5)
UNSEEN = {"item": Limits(0.1, 0.3), "user": Limits(0.3, 0.7), "query": Limits(0.5, 0.9)}
BLIND = Limits(0.05, 0.2)
WITHOUT_LIST = Limits(0.02, 0.1)

FIRST_PAGE = 10
"""The last position that is compared with the first."""


def on_popularity(found: Exposure, advice: str) -> Iterator[Finding]:
    """The most popular candidates against the least popular."""
    if len(found.popularity) < 2:
        return
    least, most = found.popularity[0], found.popularity[-1]
    shown, clicked = ratio(most.exposed, least.exposed), ratio(most.clicked, least.clicked)
    few = f"at most {least.high:,.0f}" if least.high else "none"
    sentence = (
        f"Test candidates with at least {most.low:,.0f} earlier clicks were shown in {percent(most.exposed)}"
        f" of their lists, those with {few} in {percent(least.exposed)}; once shown, they were clicked in"
        f" {percent(most.clicked)} and {percent(least.clicked)} of the cases."
    )
    if shown > 2 * max(clicked, 1.0):
        sentence += " Popularity decides far more what is shown than what is clicked."
    yield judged("exposure.popularity", shown, POPULARITY, sentence, advice)


def on_position(found: Exposure) -> Iterator[Finding]:
    """The first position against the last of the first page."""
    places = [place for place in found.positions if place.position <= FIRST_PAGE]
    if len(places) < 2:
        return
    first, last = places[0], places[-1]
    sentence = (
        f"Position {first.position} was clicked in {percent(first.clicked)} of its exposures, position"
        f" {last.position} in {percent(last.clicked)}: part of a click is where the item stood."
    )
    advice = "Leave position out of the inputs, as corank does; judge models by GAUC, within requests."
    yield judged("exposure.positions", ratio(first.clicked, last.clicked), POSITION, sentence, advice)


def on_spaces(found: Spaces, hours: float, advice: str) -> Iterator[Finding]:
    """What users bought, or at least clicked, without having been shown it."""
    bought = found.purchases_unexposed.of > 0
    rate = found.purchases_unexposed if bought else found.clicks_unexposed
    if not rate.of or not any(one.space == "unexposed" for one in found.rates):
        return
    verb, what = ("bought", "purchases") if bought else ("clicked", "clicks")
    sentence = (
        f"Of {rate.of:,} test candidates that their user {verb} within {hours:g} hours, in any channel,"
        f" {spread(rate)} had not been shown in the list: by its own labels they are negatives."
    )
    yield judged(f"spaces.{what}_unexposed", surely(rate), ELSEWHERE, sentence, advice)


def on_drift(found: Drift) -> Iterator[Finding]:
    """Values that moved, and newcomers."""
    for grows in (False, True):
        columns = [one for one in found.columns if one.grows is grows and one.drift is not None]
        if columns:
            yield _moved(max(columns, key=lambda one: (_sure(one), one.drift or 0.0, one.column)), grows)
    worst = max(found.unseen, key=_excess)
    if worst.clicks.of:
        helps = "only its words can help" if worst.what == "query" else "its id has taught the model nothing"
        sentence = (
            f"Of the clicks of the test split {percent(worst.clicks)} concern"
            f" {'an item' if worst.what == 'item' else f'a {worst.what}'} that training has not: {helps}."
        )
        advice = (
            "Give the model attributes and words beside the id (corank features); compare models on the"
            " slices cold_items and cold_users."
        )
        yield judged("drift.unseen", surely(worst.clicks), UNSEEN[worst.what], sentence, advice)


def _excess(unseen: Unseen) -> float:
    return surely(unseen.clicks) / UNSEEN[unseen.what].watch


def _sure(moved: Moved) -> float:
    """The drift of a column; 0 where chance would do."""
    return moved.drift if moved.drift is not None and moved.drift > 2 * moved.chance else 0.0


def _moved(worst: Moved, grows: bool) -> Finding:
    most = "moved most" if _sure(worst) >= DRIFT.watch else "hardly moved"
    sentence = (
        f"Between training and test the {worst.level} column {worst.column} {most}: population stability"
        f" index {worst.drift:.2f}, by chance {worst.chance:.2f}."
    )
    advice = "Train on a later period (valid_from, test_from), retrain often, or leave the column out."
    if grows:
        sentence += " It tells what came before, and grows along a short log."
        advice = "Use a longer log, or leave the column out of the features (corank features)."
    return judged("drift.columns", _sure(worst), DRIFT, sentence, advice)


def on_gap(columns: tuple[Moved, ...], trained_on: str, advice: str) -> Iterator[Finding]:
    """The column that differs most between what is trained on and what will be scored."""
    known = [one for one in columns if one.gap is not None]
    if not known:
        return
    worst = max(known, key=lambda one: (one.gap or 0.0, one.column))
    value = worst.gap or 0.0
    sentence = (
        f"What a model trains on ({trained_on}) differs from the test candidates that it will score, most"
        f" in the {worst.level} column {worst.column}: population stability index {value:.2f}."
    )
    value = value if value > 2 * worst.chance else 0.0
    yield judged("drift.columns.gap", value, GAP, sentence, advice)


def on_blind_spot(blind: Blind, trained_on: str, advice: str) -> Iterator[Finding]:
    """Items that training has not."""
    bought = blind.purchases if blind.purchases.of else blind.clicks
    what = "bought" if blind.purchases.of else "clicked"
    followed = f", and of those {what} soon after {spread(bought)}," if bought.of else ""
    sentence = (
        f"Of the test candidates {spread(blind.candidates)}{followed} are items that {trained_on} do not"
        " hold: the model has never seen them."
    )
    yield judged(f"blind_spot.{blind.basis}", surely(blind.candidates), BLIND, sentence, advice)


def on_lists(without: int, requests: int, domains: str) -> Iterator[Finding]:
    """Requests that cannot become samples."""
    sentence = f"Of {requests:,} requests of {domains}, {without:,} have no candidates and become no samples."
    advice = "Log the scored list of every request, also of those that showed nothing."
    yield judged("sizes", without / requests if requests else 0.0, WITHOUT_LIST, sentence, advice)
