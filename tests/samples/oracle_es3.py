"""Attribution and searchification in plain Python, written from docs/reference/es3.md: slow and short.

Requests are the oracle's: dictionaries with `split`, `list` (candidates) and `rows` (those that are samples).
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Log = dict[str, list[Row]]

CLICK_TIERS = ("click_exposed", "click_unexposed")
PURCHASE_TIERS = ("purchase_clicked", "purchase_exposed", "purchase_unexposed")
TIERS = CLICK_TIERS + PURCHASE_TIERS
LEVELS = ("own", "cooccurring", "nearest")


@dataclass(frozen=True)
class Settings:
    """What a build is asked for; times in microseconds."""

    cuts: tuple[int, int]
    recipe: str = "es3"
    ratio: float = 1.5
    seed: int = 5
    sessions: bool = True
    window: int = 2_500_000
    clicks: tuple[str, ...] = ("click",)
    purchases: tuple[str, ...] = ("purchase",)
    free_clicks: tuple[str, ...] = ("click",)
    free_purchases: tuple[str, ...] = ("purchase",)
    relevance: str = "lexical"
    relevance_above: float = 0.0
    unexposed_weight: float = 1.0
    unexposed_domain: str | None = None
    attributed_weight: float = 1.0
    searchified_weight: float = 1.0
    similarity: str = "embedding"
    similar_above: float = 0.2
    negatives: int = 4
    levels: Sequence[str] = LEVELS
    nearest_queries: int = 10_000

    @property
    def attributes(self) -> bool:
        return self.recipe in ("attributed", "es3")


def words(text: str | None) -> set[str]:
    """The words of a text."""
    letters = (c if unicodedata.category(c)[0] in "LN" else " " for c in (text or "").lower())
    return set("".join(letters).split())


def item_words(log: Log) -> dict[Any, set[str]]:
    """Item -> the words of its title and category."""
    return {row["item_id"]: words(row["title"]) | words(row["category"]) for row in log["items"]}


def relevance(query: set[str], item: set[str]) -> float | None:
    return len(query & item) / len(query) if query and item else None


def jaccard(one: set[str], other: set[str]) -> float | None:
    return len(one & other) / len(one | other) if one and other else None


def vector(embedding: Sequence[float | None] | None) -> list[float] | None:
    """An embedding in whole numbers."""
    if not embedding or any(x is None or not math.isfinite(x) for x in embedding):
        return None
    values = [x for x in embedding if x is not None]
    largest = max(abs(x) for x in values)
    return [math.floor(x / largest * 127 + 0.5) for x in values] if largest > 0 else None


def cosine(one: Sequence[float] | None, other: Sequence[float] | None) -> float | None:
    if one is None or other is None:
        return None

    def dot(a: Sequence[float], b: Sequence[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    return dot(one, other) / math.sqrt(dot(one, one) * dot(other, other))


def events_of(log: Log, settings: Settings) -> list[Row]:
    """Copies of the labelling events."""
    actions = set(settings.clicks + settings.purchases)
    if settings.attributes:
        actions |= set(settings.free_clicks + settings.free_purchases)
    return [dict(event) for event in log["events"] if event["action"] in actions]


def first_fates(log: Log, events: list[Row], chosen: dict[Any, Row], settings: Settings) -> None:
    """Give every event its `fate`, `labelled` (the request) and `level`."""
    owners = {request["request_id"]: request["user_id"] for request in log["requests"]}
    for event in events:
        own = event["action"] in settings.clicks + settings.purchases
        buys = settings.purchases if own else settings.free_purchases
        event["level"] = "purchase" if event["action"] in buys else "click"
        event["labelled"] = None
        name = event["request_id"]
        if name is None:
            event["fate"] = "without_request"
        elif name not in owners:
            event["fate"] = "unknown_request"
        elif owners[name] != event["user_id"]:
            event["fate"] = "other_user"
        elif name not in chosen:
            event["fate"] = "other_request"
        elif event["item_id"] not in [row["item_id"] for row in chosen[name]["list"]]:
            event["fate"] = "not_in_list"
        elif not own:
            event["fate"] = "extra_action"
        elif chosen[name]["split"] < 2 and event["timestamp"] >= settings.cuts[chosen[name]["split"]]:
            event["fate"] = "after_split"
        else:
            event["fate"], event["labelled"] = "labels", chosen[name]


def free(event: Row, settings: Settings) -> bool:
    """Whether an event may label away from its own request."""
    return (
        event["fate"] not in ("labels", "after_split")
        and event["timestamp"] < settings.cuts[0]
        and event["action"] in settings.free_clicks + settings.free_purchases
    )


def attribute(log: Log, events: list[Row], requests: list[Row], settings: Settings) -> None:
    """Give every free event that finds a sample its tier and request."""
    of_items = item_words(log)
    for event in [event for event in events if free(event, settings)]:
        found: dict[str, list[Row]] = {tier: [] for tier in TIERS}
        for request in requests:
            if request["split"] or request["user_id"] != event["user_id"]:
                continue
            age = event["timestamp"] - request["timestamp"]
            rows = [row for row in request["rows"] if row["item_id"] == event["item_id"]]
            if not rows or not 0 < age <= settings.window:
                continue
            score = relevance(words(request["query"]), of_items.get(event["item_id"], set()))
            if settings.relevance != "none" and score is not None and score <= settings.relevance_above:
                continue
            space = "exposed" if rows[0]["exposed"] else "unexposed"
            found[f"{event['level']}_{space}"].append(request)
            clicked = any(
                other["fate"] == "labels"
                and other["labelled"] is request
                and other["item_id"] == event["item_id"]
                and other["timestamp"] < event["timestamp"]
                for other in events
            )
            if clicked and event["level"] == "purchase":
                found["purchase_clicked"].append(request)
        tiers = PURCHASE_TIERS if event["level"] == "purchase" else CLICK_TIERS
        best = next((tier for tier in tiers if found[tier]), None)
        if best:
            # Fates are only read as "labels" above, which no tier is, so that the order does not matter.
            event["fate"] = best
            event["labelled"] = max(found[best], key=lambda r: (r["timestamp"], r["request_id"]))


def searchify(log: Log, events: list[Row], requests: list[Row], settings: Settings) -> list[Row]:
    """Pseudo requests with `rows`; their events are given their last fate."""
    sources = {r["request_id"]: r for r in log["requests"] if r["domain"] not in ("search",)}
    lists = {
        name: {row["item_id"]: row for row in log["candidates"] if row["request_id"] == name}
        for name in sources
    }
    clicks: dict[tuple[Any, Any], list[Row]] = {}
    for event in events:
        source = sources.get(event["request_id"])
        if (
            free(event, settings)
            and event["fate"] == "other_request"
            and event["level"] == "click"
            and source is not None
            and source["timestamp"] < settings.cuts[0]
            and lists[source["request_id"]].get(event["item_id"], {}).get("exposed")
        ):
            clicks.setdefault((source["request_id"], event["item_id"]), []).append(event)
    touched = {
        (event["request_id"], event["item_id"])
        for event in events
        if event["timestamp"] < settings.cuts[0]
        and sources.get(event["request_id"], {}).get("user_id") == event["user_id"]
    }
    pseudo = []
    for (name, item), own in clicks.items():
        listed = lists[name]
        scored = [
            (-score, other)
            for other, row in listed.items()
            if row["exposed"] and other != item and (name, other) not in touched
            for score in [similarity(log, item, other, settings)]
            if score is not None and score > settings.similar_above
        ]
        chosen = [other for _, other in sorted(scored)[: settings.negatives]]
        for event in own:
            event["fate"] = "searchified" if chosen else "no_similar"
        if not chosen:
            continue
        source = sources[name]
        request = {**source, "split": 0, "pseudo": item, "list": list(listed.values())}
        request["rows"] = [listed[key] for key in (item, *chosen)]
        request["query"], request["query_source"] = query(log, events, requests, source, item, settings)
        # The level of an event that is free is that of attribution.
        request["bought"] = any(
            event["level"] == "purchase"
            and event["fate"] not in TIERS
            and event["timestamp"] < settings.cuts[0]
            and event["user_id"] == source["user_id"]
            and (event["request_id"], event["item_id"]) == (name, item)
            for event in events
        )
        for event in own:
            event["labelled"] = request
        pseudo.append(request)
    return pseudo


def similarity(log: Log, one: Any, other: Any, settings: Settings) -> float | None:
    """How alike two items are."""
    if settings.similarity == "lexical":
        of_items = item_words(log)
        return jaccard(of_items.get(one, set()), of_items.get(other, set()))
    vectors = {row["item_id"]: vector(row["embedding"]) for row in log["items"]}
    return cosine(vectors.get(one), vectors.get(other))


def query(
    log: Log, events: list[Row], requests: list[Row], source: Row, item: Any, settings: Settings
) -> tuple[str | None, str]:
    """The query of a pseudo request, and the level that gave it."""
    known = [
        event
        for event in events
        if event["fate"] == "labels"
        and event["item_id"] == item
        and event["timestamp"] < source["timestamp"]
        and words(event["labelled"]["query"])
    ]
    for level in settings.levels:
        found = None
        if level == "own":
            own = [event for event in known if event["user_id"] == source["user_id"]]
            own.sort(key=lambda e: (e["timestamp"], e["labelled"]["timestamp"], e["request_id"]))
            found = own[-1]["labelled"]["query"] if own else None
        elif level == "cooccurring":
            texts = [(e["timestamp"], e["labelled"]["query"]) for e in known if e["labelled"]["split"] == 0]
            counts: Counter[str] = Counter()
            best = 0
            for _, text in sorted(texts):
                counts[text] += 1
                if counts[text] >= best:
                    best, found = counts[text], text
        else:
            found = nearest(log, requests, source, item, settings)
        if found is not None:
            return found, level
    return None, "none"


def nearest(log: Log, requests: list[Row], source: Row, item: Any, settings: Settings) -> str | None:
    """Of the frequent queries known by then the one nearest to the item."""
    asked: dict[str, list[tuple[int, Any]]] = {}
    for request in requests:
        if request["split"] == 0 and words(request["query"]):
            asked.setdefault(request["query"], []).append((request["timestamp"], request["request_id"]))
    frequent = sorted(asked, key=lambda text: (-len(asked[text]), text))[: settings.nearest_queries]
    of_item = item_words(log).get(item, set())
    scored = []
    for text in frequent:
        first = min(asked[text])
        score = jaccard(words(text), of_item)
        if first[0] < source["timestamp"] and score:
            scored.append((score, first[0], text))
    return max(scored)[2] if scored else None


def labels(events: list[Row], request: Row, listed: Row, settings: Settings) -> Row:
    """The labels of one sample, with their sources and weight."""
    item = listed["item_id"]
    own = [e for e in events if e["labelled"] is request and e["item_id"] == item]
    by_fate = {fate: [e for e in own if e["fate"] == fate] for fate in ("labels", *TIERS, "searchified")}
    sources = [fate for fate, found in by_fate.items() if found]
    bought = [fate for fate, found in by_fate.items() if any(e["level"] == "purchase" for e in found)]
    if request.get("bought") and item == request["pseudo"]:
        bought.append("searchified")
    told = {"labels": "own"}
    source = told.get(sources[0], sources[0]) if sources else None
    negative = 1.0 if listed["exposed"] or request["split"] else settings.unexposed_weight
    weights = {None: negative, "own": 1.0, "searchified": settings.searchified_weight}
    return {
        "label_click": int(bool(sources)),
        "label_purchase": int(bool(bought)),
        "label_source": source,
        "purchase_source": told.get(bought[0], bought[0]) if bought else None,
        "weight": weights.get(source, settings.attributed_weight),
    }


def anywhere(log: Log, events: list[Row], request: Row, item: Any, settings: Settings) -> Row:
    """What the user did with the item in any channel."""
    end = settings.cuts[request["split"]] if request["split"] < 2 else math.inf
    did = {
        event["action"]
        for event in log["events"]
        if event["user_id"] == request["user_id"]
        and event["item_id"] == item
        and 0 < event["timestamp"] - request["timestamp"] <= settings.window
        and event["timestamp"] < end
    }
    did |= {
        e["action"]
        for e in events
        if e["fate"] == "labels" and e["labelled"] is request and e["item_id"] == item
    }
    return {
        "anywhere_click": int(bool(did & set(settings.clicks + settings.purchases))),
        "anywhere_purchase": int(bool(did & set(settings.purchases))),
    }


def ledger(events: list[Row]) -> list[Row]:
    """The rows of labels.parquet, in order."""
    columns = ("user_id", "timestamp", "action", "item_id", "domain")

    def order(event: Row) -> tuple[Any, ...]:
        name = event["request_id"]
        return (*(event[column] for column in columns), name is None, 0 if name is None else name)

    return [
        {column: event[column] for column in (*columns, "request_id")}
        | {
            "fate": event["fate"],
            "labelled_request_id": event["labelled"]["request_id"] if event["labelled"] else None,
        }
        for event in sorted(events, key=order)
    ]
