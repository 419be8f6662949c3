"""From arrays to Arrow tables: the five log tables, and the truth apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Catalog
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.needs import DOMAINS, Plan
from corank.logs.marketplace.offers import Site
from corank.logs.marketplace.outcomes import ACTIONS, DIRECT, Events
from corank.logs.marketplace.population import AGE_BANDS, CITY_TIERS, DEVICES, MEMBERSHIPS
from corank.logs.marketplace.vocabulary import ATTRIBUTES
from corank.logs.marketplace.walk import Behaviour

SESSION_GAP = 0.5
"""Hours without a request or direct visit after which a new session begins."""
_STAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Counters:
    """Ids used up by the chunks before."""

    requests: int = 0
    events: int = 0
    needs: int = 0
    sessions: int = 0


def item_tables(
    config: MarketplaceConfig, catalog: Catalog, brands: list[str], rng: np.random.Generator
) -> dict[str, pa.Table]:
    """`items` and `truth/items`."""
    words = catalog.words
    nouns = [noun for names in words.categories for noun in names]
    category, brand = _words(nouns, catalog.category_I), _words(brands, catalog.brand_I)
    columns = {
        "item_id": pa.array(np.arange(catalog.items)),
        "title": pc.binary_join_element_wise(*_title_adjectives(catalog), brand, category, " "),
        "category": category,
        "department": _words(words.departments, catalog.department_I),
        "brand": brand,
        "price": pa.array(np.round(np.exp(catalog.log_price_I), 2)),
        "rating": pa.array(np.round(np.clip(3.6 + 0.6 * catalog.rating_I, 1, 5), 1)),
        "listed_at": _stamps(config, catalog.birth_I.astype(np.float64)),
        "embedding": _lists(catalog.embedding_IE),
    }
    if config.vocabulary == "boutique":
        for name, choices in ATTRIBUTES.items():
            columns[name] = _words(choices, rng.integers(0, len(choices), catalog.items))
        columns["size_run"] = _words(
            ("one size", "36-42", "XS-XL", "bespoke"), rng.integers(0, 4, catalog.items)
        )
        columns["edition_size"] = _nullable(catalog.edition_I, 0)
    truth = {
        "item_id": columns["item_id"],
        "quality": pa.array(catalog.quality_I),
        "log_popularity": pa.array(catalog.log_popularity_I),
        "style": _lists(catalog.style_ID),
        "withdrawn_at": pc.if_else(
            pa.array(np.isfinite(catalog.death_I)),
            _stamps(config, np.minimum(catalog.death_I.astype(np.float64), 1e7)),
            pa.scalar(None, _STAMP),
        ),
    }
    return {"items": pa.table(columns), "truth/items": pa.table(truth)}


def user_tables(site: Site) -> dict[str, pa.Table]:
    """`users` and `truth/users`."""
    people = site.population
    user_id = pa.array(people.first_id + np.arange(people.users))
    attributes = {
        "user_id": user_id,
        "age_band": _words(AGE_BANDS, people.age_U),
        "city_tier": _words(CITY_TIERS, people.tier_U),
        "membership": _words(MEMBERSHIPS, people.membership_U),
    }
    truth = {
        "user_id": user_id,
        "activity": pa.array(people.activity_U),
        "price_sensitivity": pa.array(people.sensitivity_U),
        "wealth": pa.array(people.wealth_U),
        "patience": pa.array(people.patience_U),
        "taste": _lists(people.taste_UGD.reshape(people.users, -1)),
        "drift": _lists(people.drift_UD),
    }
    return {"users": pa.table(attributes), "truth/users": pa.table(truth)}


def behaviour_tables(
    site: Site, plan: Plan, behaviour: Behaviour, brands: list[str], used: Counters
) -> tuple[dict[str, pa.Table], Counters]:
    """`requests`, `candidates`, `events` and their truth for one chunk, sorted by time."""
    config, people, needs = site.config, site.population, site.needs
    served, events = behaviour.served, _real_events(site, behaviour.events)
    hours_R = plan.hours_Q[served.plan_R]
    order_R = np.argsort(hours_R, kind="stable")
    id_Q = np.full(len(plan.user_Q) + 1, -1)
    """Request id by planned request; the last one serves the index -1."""
    id_Q[served.plan_R[order_R]] = used.requests + np.arange(len(order_R))
    session_R, session_E, sessions = _sessions(plan, behaviour, events)

    served_plan = served.plan_R[order_R]
    user_R, when_R, domain_R = plan.user_Q[served_plan], hours_R[order_R], plan.domain_Q[served_plan]
    request_id = pa.array(id_Q[served_plan])
    device_R = people.device_UT[user_R, (when_R // 24).astype(np.int64)]
    requests = pa.table(
        {
            "request_id": request_id,
            "user_id": pa.array(people.first_id + user_R),
            "domain": _words(DOMAINS, domain_R),
            "timestamp": _stamps(config, when_R),
            "query": _queries(site, behaviour, plan, order_R, brands),
            "session_id": pa.array(used.sessions + session_R[order_R]),
            "device": _words(DEVICES, device_R),
            "shop": _words(brands, np.where(domain_R == 2, served.brand_R[order_R], -1)),
        }
    )
    need_id_R = np.where(served.need_R < 0, -1, used.needs + served.need_R)[order_R]
    truth_requests = pa.table(
        {
            "request_id": request_id,
            "intent_id": _nullable(need_id_R),
            "examination_exponent": pa.array(served.exponent_R[order_R]),
        }
    )

    event_order = np.lexsort((events.action_E, events.user_E, events.hours_E))
    events, session_E = events.take(event_order), session_E[event_order]
    event_id = pa.array(used.events + np.arange(len(event_order)))
    event_table = pa.table(
        {
            "event_id": event_id,
            "user_id": pa.array(people.first_id + events.user_E),
            "item_id": pa.array(events.item_E.astype(np.int64)),
            "timestamp": _stamps(config, events.hours_E),
            "action": _words(ACTIONS, events.action_E),
            "domain": _words(DOMAINS, events.domain_E),
            "request_id": _nullable(id_Q[events.request_E]),
            "value": pa.array(events.value_E.astype(np.float64).round(2), from_pandas=True),
            "session_id": pa.array(used.sessions + session_E),
        }
    )
    truth_events = pa.table(
        {
            "event_id": event_id,
            "intent_id": _nullable(np.where(events.need_E < 0, -1, used.needs + events.need_E)),
            "noticed_request_id": _nullable(id_Q[events.noticed_E]),
            "search_request_id": _nullable(id_Q[events.search_E]),
        }
    )
    tables = {
        "requests": requests,
        **_candidate_tables(behaviour, id_Q, order_R),
        "events": event_table,
        "truth/requests": truth_requests,
        "truth/events": truth_events,
        "truth/intents": _intents(site, behaviour, brands, used),
    }
    after = Counters(
        requests=used.requests + len(order_R),
        events=used.events + len(event_order),
        needs=used.needs + len(needs.user_J),
        sessions=used.sessions + sessions,
    )
    return tables, after


def _candidate_tables(
    behaviour: Behaviour, id_Q: NDArray[np.int64], order_R: NDArray[np.int64]
) -> dict[str, pa.Table]:
    """`candidates` and `truth/candidates`, in the order of the requests, best retrieved first."""
    served, c = behaviour.served, behaviour.candidates
    count_R = served.count_R[order_R]
    first_R = (np.cumsum(served.count_R) - served.count_R)[order_R]
    shift_R = first_R - (np.cumsum(count_R) - count_R)
    order_A = np.repeat(shift_R, count_R) + np.arange(len(c.item_A))
    keys = {
        "request_id": pa.array(np.repeat(id_Q[served.plan_R[order_R]], count_R)),
        "item_id": pa.array(c.item_A[order_A].astype(np.int64)),
    }
    position_A = c.position_A[order_A]
    log = {
        **keys,
        "exposed": pa.array(position_A > 0),
        "position": pa.array(position_A, mask=position_A == 0),
        "retrieval_score": pa.array(np.round(c.score_A[order_A], 3)),
        "price": pa.array(c.price_A[order_A]),
    }
    truth = {
        **keys,
        "utility": pa.array(np.round(c.utility_A[order_A], 4)),
        "relevance": pa.array(np.round(c.relevance_A[order_A], 5)),
        "examination": pa.array(np.round(c.examination_A[order_A], 5)),
        "would_click": pa.array(np.round(c.would_click_A[order_A], 5)),
        "would_buy": pa.array(np.round(c.would_buy_A[order_A], 5)),
    }
    return {"candidates": pa.table(log), "truth/candidates": pa.table(truth)}


def _intents(site: Site, behaviour: Behaviour, brands: list[str], used: Counters) -> pa.Table:
    needs, catalog, config = site.needs, site.catalog, site.config
    nouns = [noun for names in catalog.words.categories for noun in names]
    settled = behaviour.settled_hours_J
    in_log = settled < config.days * 24
    return pa.table(
        {
            "intent_id": pa.array(used.needs + np.arange(len(needs.user_J))),
            "user_id": pa.array(site.population.first_id + needs.user_J),
            "category": _words(nouns, needs.category_J),
            "brand": _words(brands, needs.brand_J),
            "style": _lists(needs.target_JD),
            "budget": pa.array(np.round(np.exp(needs.log_budget_J), 2)),
            "starts_at": _stamps(config, needs.start_J),
            "given_up_at": _stamps(config, needs.end_J),
            "settled_at": pc.if_else(
                pa.array(in_log), _stamps(config, np.where(in_log, settled, 0.0)), pa.scalar(None, _STAMP)
            ),
        }
    )


def _real_events(site: Site, events: Events) -> Events:
    """Events within the log, on items for sale at the time."""
    horizon = site.config.days * 24
    return events.take((events.hours_E < horizon) & (events.hours_E < site.catalog.death_I[events.item_E]))


def _sessions(
    plan: Plan, behaviour: Behaviour, events: Events
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Sessions of served requests and of events: a new one after half an hour without request or direct visit."""
    plan_R = behaviour.served.plan_R
    direct = np.flatnonzero(events.domain_E == DIRECT)
    user = np.concatenate([plan.user_Q[plan_R], events.user_E[direct]])
    hours = np.concatenate([plan.hours_Q[plan_R], events.hours_E[direct]])
    order = np.lexsort((hours, user))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (user[order][1:] != user[order][:-1]) | (np.diff(hours[order]) > SESSION_GAP)
    session = np.empty(len(order), dtype=np.int64)
    session[order] = np.cumsum(new) - 1
    session_R, session_direct = np.split(session, [len(plan_R)])
    session_Q = np.zeros(len(plan.user_Q), dtype=np.int64)
    session_Q[plan_R] = session_R
    session_E = session_Q[events.request_E]
    session_E[direct] = session_direct
    return session_R, session_E, int(new.sum())


def _queries(
    site: Site, behaviour: Behaviour, plan: Plan, order_R: NDArray[np.int64], brands: list[str]
) -> pa.Array:
    """The words of each search; null outside search."""
    served, words = behaviour.served, site.catalog.words
    searching_R = plan.domain_Q[served.plan_R[order_R]] == 0
    adjective = _words(
        [w for poles in words.adjectives for w in poles], _only(served.adjective_R[order_R], searching_R)
    )
    brand = _words(brands, _only(served.brand_R[order_R], searching_R))
    nouns = [noun for names in words.categories for noun in names] + list(words.departments)
    category_R = served.category_R[order_R]
    department_R = site.catalog.department_C[site.needs.category_J[served.need_R[order_R]]]
    vague_R = len(nouns) - len(words.departments) + department_R
    noun = _words(nouns, np.where(category_R < 0, vague_R, category_R))
    text = pc.binary_join_element_wise(adjective, brand, noun, " ", null_handling="skip")
    return pc.if_else(pa.array(searching_R), text, pa.scalar(None, pa.string()))


def _title_adjectives(catalog: Catalog) -> tuple[pa.Array, pa.Array]:
    """Words for the two strongest dimensions of the style as the site sees it."""
    view_ID = catalog.view_ID
    strongest_ID = np.argsort(-np.abs(view_ID), axis=1, kind="stable")
    poles = [w for pair in catalog.words.adjectives for w in pair]
    rows = np.arange(catalog.items)
    first, second = (
        _words(poles, 2 * strongest_ID[:, k] + (view_ID[rows, strongest_ID[:, k]] > 0)) for k in (0, 1)
    )
    return first, second


def _only(code: NDArray[np.integer], keep: NDArray[np.bool_]) -> NDArray[np.integer]:
    return np.where(keep, code, -1)


def _words(words: tuple[str, ...] | list[str], code: NDArray[np.integer]) -> pa.Array:
    """Text by code; null for -1."""
    return pc.take(pa.array(words, pa.string()), _nullable(code))


def _nullable(values: NDArray[np.integer], null: int = -1) -> pa.Array:
    return pa.array(values, mask=values == null)


def _lists(values: NDArray[np.floating]) -> pa.Array:
    """One list of float32 a row."""
    rows, width = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(values.astype(np.float32).ravel()))


def _stamps(config: MarketplaceConfig, hours: NDArray[np.float64]) -> pa.Array:
    """UTC microseconds of hours since the log began."""
    start = int(datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC).timestamp())
    micros = np.floor(hours * 3600e6).astype(np.int64) + start * 1_000_000
    return pa.array(micros).cast(_STAMP)
