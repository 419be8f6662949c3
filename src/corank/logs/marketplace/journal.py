"""The tables of one chunk's behaviour, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corank.logs.marketplace.arrow import lists_of, nullable, stamps, words_of
from corank.logs.marketplace.catalog import DAY
from corank.logs.marketplace.codes import ACTIONS, DIRECT, DOMAINS, SEARCH, SHOP
from corank.logs.marketplace.needs import Plan
from corank.logs.marketplace.offers import Site
from corank.logs.marketplace.outcomes import Events
from corank.logs.marketplace.population import DEVICES
from corank.logs.marketplace.record import Record, Served

SESSION_GAP = 0.5
"""Hours without a request or direct visit after which a new session begins."""


@dataclass(frozen=True)
class Counters:
    """Ids used up by the chunks before."""

    requests: int = 0
    events: int = 0
    needs: int = 0
    sessions: int = 0


def behaviour_tables(
    site: Site, plan: Plan, record: Record, brands: list[str], used: Counters
) -> tuple[dict[str, pa.Table], Counters]:
    """All tables of one chunk but its users, sorted by time; and the ids used up after it."""
    events = _in_log(site, record.events)
    order_R = request_order(plan, record.served)
    # One more than planned: the last one is what the index -1 finds.
    id_Q = np.full(len(plan.user_Q) + 1, -1)
    id_Q[record.served.plan_R[order_R]] = used.requests + np.arange(len(order_R))
    session_R, session_E, sessions = _sessions(plan, record.served.plan_R, events)
    tables = {
        **_request_tables(site, plan, record.served, order_R, used.sessions + session_R, brands, id_Q, used),
        **_candidate_tables(record, order_R, id_Q),
        **_event_tables(site, events, used.sessions + session_E, id_Q, used),
        "truth/intents": _intents(site, record, brands, used),
    }
    after = Counters(
        requests=used.requests + len(order_R),
        events=used.events + len(events.item_E),
        needs=used.needs + len(site.needs.user_J),
        sessions=used.sessions + sessions,
    )
    return tables, after


def request_order(plan: Plan, served: Served) -> NDArray[np.int64]:
    """The requests as their ids count them: by time."""
    return np.argsort(plan.hours_Q[served.plan_R], kind="stable")


def candidate_order(served: Served, order_R: NDArray[np.int64]) -> NDArray[np.int64]:
    """The candidates of the requests at indices, request after request."""
    count_R = served.count_R[order_R]
    first_R = (np.cumsum(served.count_R) - served.count_R)[order_R]
    shift_R = first_R - (np.cumsum(count_R) - count_R)
    return np.repeat(shift_R, count_R) + np.arange(int(count_R.sum()))


def _request_tables(
    site: Site,
    plan: Plan,
    served: Served,
    order_R: NDArray[np.int64],
    session_R: NDArray[np.int64],
    brands: list[str],
    id_Q: NDArray[np.int64],
    used: Counters,
) -> dict[str, pa.Table]:
    """`requests` and `truth/requests`."""
    served, session_R = served.take(order_R), session_R[order_R]
    user_R, hours_R = plan.user_Q[served.plan_R], plan.hours_Q[served.plan_R]
    domain_R = plan.domain_Q[served.plan_R]
    device_R = site.population.device_UT[user_R, (hours_R // DAY).astype(np.int64)]
    request_id = pa.array(id_Q[served.plan_R])
    log = {
        "request_id": request_id,
        "user_id": pa.array(site.population.first_id + user_R),
        "domain": words_of(DOMAINS, domain_R),
        "timestamp": stamps(site.config, hours_R),
        "query": _queries(site, served, domain_R == SEARCH, brands),
        "session_id": pa.array(session_R),
        "device": words_of(DEVICES, device_R),
        "shop": words_of(brands, np.where(domain_R == SHOP, served.brand_R, -1)),
    }
    truth = {
        "request_id": request_id,
        "intent_id": nullable(_after(used.needs, served.need_R)),
        "examination_exponent": pa.array(served.exponent_R),
    }
    return {"requests": pa.table(log), "truth/requests": pa.table(truth)}


def _queries(site: Site, served: Served, searching_R: NDArray[np.bool_], brands: list[str]) -> pa.Array:
    """The words of each search; null outside search."""
    words, departments = site.catalog.words, site.catalog.department_C
    adjective = words_of(words.poles, np.where(searching_R, served.adjective_R, -1))
    brand = words_of(brands, np.where(searching_R, served.brand_R, -1))
    needed_R = departments[site.needs.category_J[served.need_R]]
    noun_R = np.where(served.category_R < 0, len(words.nouns) + needed_R, served.category_R)
    noun = words_of(words.nouns + words.departments, noun_R)
    text = pc.binary_join_element_wise(adjective, brand, noun, " ", null_handling="skip")
    return pc.if_else(pa.array(searching_R), text, pa.scalar(None, pa.string()))


def _candidate_tables(
    record: Record, order_R: NDArray[np.int64], id_Q: NDArray[np.int64]
) -> dict[str, pa.Table]:
    """`candidates` and `truth/candidates`, in the order of the requests, best retrieved first."""
    served, c = record.served, record.candidates
    count_R, order_A = served.count_R[order_R], candidate_order(served, order_R)
    position_A = c.position_A[order_A]
    keys = {
        "request_id": pa.array(np.repeat(id_Q[served.plan_R[order_R]], count_R)),
        "item_id": pa.array(c.item_A[order_A].astype(np.int64)),
    }
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


def _event_tables(
    site: Site, events: Events, session_E: NDArray[np.int64], id_Q: NDArray[np.int64], used: Counters
) -> dict[str, pa.Table]:
    """`events` and `truth/events`."""
    order_E = np.lexsort((events.action_E, events.user_E, events.hours_E))
    events, session_E = events.take(order_E), session_E[order_E]
    event_id = pa.array(used.events + np.arange(len(order_E)))
    log = {
        "event_id": event_id,
        "user_id": pa.array(site.population.first_id + events.user_E),
        "item_id": pa.array(events.item_E.astype(np.int64)),
        "timestamp": stamps(site.config, events.hours_E),
        "action": words_of(ACTIONS, events.action_E),
        "domain": words_of(DOMAINS, events.domain_E),
        "request_id": nullable(id_Q[events.request_E]),
        "value": pa.array(events.value_E.astype(np.float64).round(2), from_pandas=True),
        "session_id": pa.array(session_E),
    }
    truth = {
        "event_id": event_id,
        "intent_id": nullable(_after(used.needs, events.need_E)),
        "noticed_request_id": nullable(id_Q[events.noticed_E]),
        "search_request_id": nullable(id_Q[events.search_E]),
    }
    return {"events": pa.table(log), "truth/events": pa.table(truth)}


def _intents(site: Site, record: Record, brands: list[str], used: Counters) -> pa.Table:
    needs, config, settled_J = site.needs, site.config, record.settled_hours_J
    return pa.table(
        {
            "intent_id": pa.array(used.needs + np.arange(len(needs.user_J))),
            "user_id": pa.array(site.population.first_id + needs.user_J),
            "category": words_of(site.catalog.words.nouns, needs.category_J),
            "brand": words_of(brands, needs.brand_J),
            "style": lists_of(needs.target_JD),
            "budget": pa.array(np.round(np.exp(needs.log_budget_J), 2)),
            "starts_at": stamps(config, needs.start_J),
            "given_up_at": stamps(config, needs.end_J),
            "settled_at": stamps(config, settled_J, settled_J < config.days * DAY),
        }
    )


def _in_log(site: Site, events: Events) -> Events:
    """Events before the log ends, on items for sale at the time."""
    for_sale_E = events.hours_E < site.catalog.death_I[events.item_E]
    return events.take((events.hours_E < site.config.days * DAY) & for_sale_E)


def _sessions(
    plan: Plan, plan_R: NDArray[np.int64], events: Events
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Sessions of requests and of events, and their number.

    A new one begins after half an hour without request or direct visit; an event of a request is in the
    request's session.
    """
    direct = np.flatnonzero(events.domain_E == DIRECT)
    user = np.concatenate([plan.user_Q[plan_R], events.user_E[direct]])
    hours = np.concatenate([plan.hours_Q[plan_R], events.hours_E[direct]])
    order = np.lexsort((hours, user))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (user[order][1:] != user[order][:-1]) | (np.diff(hours[order]) > SESSION_GAP)
    session = np.empty(len(order), dtype=np.int64)
    session[order] = np.cumsum(new) - 1
    session_R, session_direct = session[: len(plan_R)], session[len(plan_R) :]
    session_Q = np.zeros(len(plan.user_Q), dtype=np.int64)
    session_Q[plan_R] = session_R
    session_E = session_Q[events.request_E]
    session_E[direct] = session_direct
    return session_R, session_E, int(new.sum())


def _after(used: int, index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ids of a chunk's indices; -1 stays."""
    return np.where(index < 0, -1, used + index)
