"""The recipe `attributed` in pandas: merges, sorts, groups and as-of merges; no loop over rows.

As in the SQL of `es3_sql`, what is known of the simulated log is made use of: whole-number ids, no null
price, no repeated event, embeddings in items only.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Frame = Any
P, P_HIGH = 2_147_483_579, 2_147_483_647
WINDOW = 24 * 3_600_000_000
TIERS = ["click_exposed", "click_unexposed", "purchase_clicked", "purchase_exposed", "purchase_unexposed"]
PAIR, OWNER = ["request_id", "item_id"], ["user_id", "item_id"]
TYPES = {"exposed": "bool", "label_source": "string", "purchase_source": "string"}
TYPES |= dict.fromkeys(("label_click", "label_purchase", "anywhere_click", "anywhere_purchase"), "int8")
FLOATS = ("weight", "retrieval_score", "price", "price_rank")
ACTIONS = ("cart", "click", "purchase")


def attributed_in_pandas(logs: Path, out: Path) -> str:
    """The splits, items, histories and ledger of the recipe."""
    tables = {
        name: pd.read_parquet(logs / f"{name}.parquet") for name in ("requests", "candidates", "events")
    }
    for name in ("requests", "events"):
        tables[name]["timestamp"] = tables[name]["timestamp"].astype("int64")
    items, users = (pd.read_parquet(logs / f"{name}.parquet") for name in ("items", "users"))
    requests, candidates, events = tables["requests"], tables["candidates"], tables["events"]
    searches, cuts = split(requests, candidates)
    lists = listed(searches, candidates)
    fates = first_fates(events, requests, searches, lists)
    kept = lists[lists["place"] < lists["samples"]]
    attribute(fates, kept, searches, items, cuts[0])
    samples = kept.merge(searches[["request_id", "user_id", "timestamp", "split_end"]], on="request_id")
    samples = with_labels(samples, fates)
    samples = with_touches(samples, lists, searches, events)
    samples = with_exposures(samples, requests, candidates, events)
    write(out, samples, searches, events, users, requests, fates)
    pq.write_table(
        pq.read_table(logs / "items.parquet").sort_by("item_id"), out / "items.parquet", compression="zstd"
    )
    return ""


def key(ids: Any, *keys: Any) -> Any:
    """The rounds x -> (x + k)^3 mod P of the draw."""
    state, high = ids % P + P, ids % P_HIGH + P_HIGH
    for index, k in enumerate(keys):
        x = (state + k + (high if index == 1 else 0)) % P
        state = x * x % P * x % P
    return state


def request_key(ids: Any, purpose: str) -> Any:
    digests = [hashlib.sha256(f"0/{purpose}/{index}".encode()).digest() for index in range(3)]
    return key(ids, *(int.from_bytes(digest[:8], "big") % P for digest in digests))


def split(requests: Frame, candidates: Frame) -> tuple[Frame, tuple[int, int]]:
    """Search requests with their split and how many samples they have, in the store's order."""
    sizes = candidates.groupby("request_id")["exposed"].agg(["size", "sum"]).reset_index()
    found = requests[requests["domain"] == "search"].merge(sizes, on="request_id")
    times = np.sort(found["timestamp"].to_numpy())
    tests, valids = (int(np.floor(len(times) * share + 0.5)) for share in (0.2, 0.1))
    cuts = (times[len(times) - tests - valids], times[len(times) - tests])
    found["split"] = np.searchsorted(cuts, found["timestamp"], side="right")
    found["split_end"] = np.array([*cuts, np.iinfo(np.int64).max])[found["split"]]
    extra = np.minimum(2 * found["sum"], found["size"] - found["sum"])
    found["samples"] = np.where(found["split"] == 0, found["sum"] + extra, found["size"])
    found["shuffle"] = request_key(found["request_id"].to_numpy(), "shuffle")
    found = found[found["samples"] > 0].sort_values(["split", "shuffle", "request_id"], ignore_index=True)
    found["number"] = np.arange(len(found))
    return found, cuts


def listed(searches: Frame, candidates: Frame) -> Frame:
    """Whole lists, each item with its place and the rank of its price."""
    ids = searches["request_id"].to_numpy()
    keys = searches[["request_id", "number", "samples"]].assign(
        a=request_key(ids, "draw-1"), b=request_key(ids, "draw-2")
    )
    lists = candidates.merge(keys, on="request_id")
    draw = key(lists["item_id"].to_numpy(), lists.pop("a").to_numpy(), lists.pop("b").to_numpy())
    lists["order"] = np.where(lists["exposed"], lists["position"].fillna(0) - 1000, draw)
    lists = lists.sort_values(["number", "order", "item_id"], ignore_index=True)
    prices = lists.groupby("number")["price"]
    sizes = prices.transform("size").to_numpy()
    rank = (2 * prices.rank().to_numpy() - 2) / (2 * np.maximum(sizes - 1, 1))
    lists["price_rank"] = np.where(sizes > 1, rank, 0.5).astype(np.float32)
    lists["place"] = lists.groupby("number").cumcount()
    return lists


def first_fates(events: Frame, requests: Frame, searches: Frame, lists: Frame) -> Frame:
    """Clicks and purchases, with what becomes of them at their own request."""
    fates = events[events["action"].isin(["click", "purchase"])]
    fates = fates[["user_id", "timestamp", "action", "item_id", "domain", "request_id"]]
    fates = fates.sort_values(list(fates.columns), ignore_index=True)
    fates["request_id"] = fates["request_id"].astype("Int64")
    of = requests.set_index("request_id")["user_id"]
    ends = searches.set_index("request_id")["split_end"]
    asked, end = (fates["request_id"].map(known).astype(float) for known in (of, ends))
    pairs = lists[PAIR].assign(there=True).astype({"request_id": "Int64"})
    there = fates[PAIR].merge(pairs, on=PAIR, how="left")["there"].notna()
    fates["fate"] = np.select(
        [
            fates["request_id"].isna().to_numpy(),
            asked.isna().to_numpy(),
            (asked != fates["user_id"]).to_numpy(),
            end.isna().to_numpy(),
            ~there.to_numpy(),
            (fates["timestamp"] >= end).to_numpy(),
        ],
        ["without_request", "unknown_request", "other_user", "other_request", "not_in_list", "after_split"],
        "labels",
    )
    fates["labelled"] = fates["request_id"].where(fates["fate"] == "labels")
    return fates


def attribute(fates: Frame, kept: Frame, searches: Frame, items: Frame, valid_from: int) -> None:
    """Give free events, in place, the best tier's latest sample and the tier as their fate."""
    free = fates[~fates["fate"].isin(["labels", "after_split"]) & (fates["timestamp"] < valid_from)]
    train = searches.loc[searches["split"] == 0, ["request_id", "user_id", "timestamp", "query"]]
    aims = kept[[*PAIR, "exposed"]].merge(train.rename(columns={"timestamp": "asked_at"}), on="request_id")
    found = free[[*OWNER, "timestamp", "action"]].reset_index().merge(aims, on=OWNER)
    age = found["timestamp"] - found["asked_at"]
    found = found[(age > 0) & (age <= WINDOW)]
    text = items[["title", "category", "department", "brand"]].fillna("").agg(" ".join, axis=1)
    words = dict(zip(items["item_id"], map(word_set, text), strict=True))
    asked = {query: word_set(query) for query in found["query"].dropna().unique()}
    relevant = [
        not asked.get(query) or not words.get(item) or not asked[query].isdisjoint(words[item])
        for query, item in zip(found["query"], found["item_id"], strict=True)
    ]
    found = found[np.array(relevant, bool)]
    own = fates[fates["fate"] == "labels"].groupby(PAIR)["timestamp"].min().rename("clicked_at")
    found = found.astype({"request_id": "Int64"}).merge(own.reset_index(), on=PAIR, how="left")
    bought = found["action"] == "purchase"
    clicked = bought & (found["clicked_at"] < found["timestamp"])
    tier = np.where(bought, 3, 0) + np.where(found["exposed"], 0, 1)
    found["tier"] = np.where(clicked, 2, tier)
    order = ["index", "tier", "asked_at", "request_id"]
    best = found.sort_values(order, ascending=[True, True, False, False]).drop_duplicates("index")
    fates.loc[best["index"], "fate"] = np.array(TIERS)[best["tier"]]
    fates.loc[best["index"], "labelled"] = best["request_id"].to_numpy()


def word_set(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))


def with_labels(samples: Frame, fates: Frame) -> Frame:
    """Labels with their sources, and those of any channel."""
    names = ["labels", *TIERS]
    told = fates[fates["labelled"].notna()]
    told = told.assign(code=told["fate"].map({name: code for code, name in enumerate(names)}))
    told = told.assign(bought=told["code"].where(told["action"] == "purchase"), request_id=told["labelled"])
    labels = told.groupby(PAIR)[["code", "bought"]].min().reset_index().astype({"request_id": "int64"})
    samples = samples.merge(labels, on=PAIR, how="left")
    sources = np.array(["own", *TIERS, None], dtype=object)
    for column, code in (("label", "code"), ("purchase", "bought")):
        filled = samples[code].fillna(len(names)).astype(int)
        samples[f"{column}_source"] = sources[filled]
    samples["label_click"], samples["label_purchase"] = samples["code"].notna(), samples["bought"].notna()
    samples["weight"] = 1.0
    rows = samples[[*OWNER, "timestamp", "split_end"]].reset_index()
    pairs = rows.merge(fates[[*OWNER, "timestamp", "action"]], on=OWNER, suffixes=("", "_event"))
    age = pairs["timestamp_event"] - pairs["timestamp"]
    pairs = pairs[(age > 0) & (age <= WINDOW) & (pairs["timestamp_event"] < pairs["split_end"])]
    for what, code, wanted in (("click", "code", ACTIONS), ("purchase", "bought", ("purchase",))):
        rows_of = pairs.loc[pairs["action"].isin(wanted), "index"].unique()
        samples[f"anywhere_{what}"] = samples.index.isin(rows_of) | (samples[code] == 0)
    return samples


def with_touches(samples: Frame, lists: Frame, searches: Frame, events: Frame) -> Frame:
    """What the user and the session did with the item, and distances to the list's item touched last."""
    steps = events.sort_values(["user_id", "timestamp", "action", "item_id"], ignore_index=True)
    steps = steps[["user_id", "session_id", "item_id", "timestamp", "action"]].assign(step=steps.index)
    asks = searches[["request_id", "user_id", "session_id", "timestamp"]]
    for name, by in (("user", ["user_id"]), ("session", ["user_id", "session_id"])):
        past = asks.merge(steps, on=by, suffixes=("", "_event"))
        past = past[past["timestamp_event"] < past["timestamp"]]
        actions = {f"{name}_touches_{action}": past["action"] == action for action in ACTIONS}
        past = past.assign(**{f"{name}_touches": True}, **actions)
        counts = [f"{name}_touches", *actions]
        grouped = past.groupby([*PAIR, "timestamp"])
        told = grouped[counts].sum().join(grouped[["step", "timestamp_event"]].max()).reset_index()
        since = (told["timestamp"] - told["timestamp_event"]) / 1e6
        told[f"{name}_since_touch"] = since.astype(np.float32)
        told[f"{name}_touch_order"] = told.groupby("request_id")["step"].rank(ascending=False)
        columns = [*counts, f"{name}_since_touch", f"{name}_touch_order"]
        samples = samples.merge(told[[*PAIR, *columns]], on=PAIR, how="left")
        samples[counts] = samples[counts].fillna(0).astype(np.int32)
        if name == "user":
            touched = told[[*PAIR, "step"]].merge(lists[[*PAIR, "retrieval_score", "price"]], on=PAIR)
    touched["list_touch_order"] = touched.groupby("request_id")["step"].rank(ascending=False)
    samples = samples.merge(touched[[*PAIR, "list_touch_order"]], on=PAIR, how="left")
    last = touched[touched["list_touch_order"] == 1].set_index("request_id")
    for column in ("retrieval_score", "price"):
        anchor = samples["request_id"].map(last[column].astype(float))
        samples[f"{column}_from_touch"] = (samples[column].astype(float) - anchor).astype(np.float32)
    return samples


def with_exposures(samples: Frame, requests: Frame, candidates: Frame, events: Frame) -> Frame:
    """Earlier exposures to the user and to anyone, and earlier clicks by anyone."""
    shown = candidates.loc[candidates["exposed"], PAIR].merge(
        requests[["request_id", "user_id", "timestamp"]], on="request_id"
    )
    shown = shown.sort_values("timestamp", kind="stable")
    clicks = events[events["action"] == "click"].sort_values("timestamp", kind="stable")
    samples = samples.sort_values("timestamp", kind="stable", ignore_index=True)
    for name, table, by in (
        ("user_shown", shown, OWNER),
        ("item_shown", shown, ["item_id"]),
        ("item_clicks", clicks, ["item_id"]),
    ):
        counted = table[[*by, "timestamp"]].assign(**{name: table.groupby(by).cumcount() + 1})
        counted["last"] = counted["timestamp"]
        samples = pd.merge_asof(samples, counted, on="timestamp", by=by, allow_exact_matches=False)
        samples[name] = samples[name].fillna(0).astype(np.int32)
        last = samples.pop("last")
        if name == "user_shown":
            samples["user_since_shown"] = ((samples["timestamp"] - last) / 1e6).astype(np.float32)
    return samples


def write(
    out: Path, samples: Frame, searches: Frame, events: Frame, users: Frame, requests: Frame, fates: Frame
) -> None:
    """The list-wise splits, histories and ledger."""
    out.mkdir()
    history = events[events["user_id"].isin(requests["user_id"])]
    history = history[["user_id", "item_id", "action", "domain", "timestamp"]]
    history = history.sort_values(["user_id", "timestamp", "action", "item_id", "domain"], ignore_index=True)
    sizes = history.groupby("user_id").size()
    offsets = searches["user_id"].map(sizes.cumsum() - sizes).fillna(0).astype("int64")
    before = history[["user_id", "timestamp"]].assign(
        history_length=history.groupby("user_id").cumcount() + 1
    )
    before = before.sort_values("timestamp", kind="stable")
    rows = searches.assign(query_source="logged", history_offset=offsets).sort_values("timestamp")
    rows = pd.merge_asof(rows, before, on="timestamp", by="user_id", allow_exact_matches=False)
    rows["history_length"] = rows["history_length"].fillna(0).astype("int64")
    rows = rows.merge(users.add_prefix("user_").rename(columns={"user_user_id": "user_id"}), how="left")
    rows = rows.sort_values("number", ignore_index=True)
    samples = samples.sort_values(["number", "place"], ignore_index=True)
    ends = np.append(0, np.cumsum(rows["samples"]))
    per_request = ["request_id", "user_id", "domain", "timestamp", "query", "session_id", "device", "shop"]
    per_request += ["query_source", "user_age_band", "user_city_tier", "user_membership"]
    per_request += ["history_offset", "history_length"]
    for index, name in enumerate(("train", "valid", "test")):
        begin, end = np.searchsorted(rows["split"], [index, index + 1])
        own = in_time(pa.Table.from_pandas(rows.loc[begin : end - 1, per_request], preserve_index=False))
        flat = samples.loc[ends[begin] : ends[end] - 1]
        lengths = pa.array(ends[begin : end + 1] - ends[begin], pa.int32())
        for column in LISTS:
            kind = TYPES.get(column, "float" if column in FLOATS or "_since_" in column else "int32")
            kind = "float" if column.endswith("_from_touch") else "int64" if column == "item_id" else kind
            values = pa.array(flat[column], from_pandas=True).cast(kind)
            own = own.append_column(column, pa.ListArray.from_arrays(lengths, values))
        pq.write_table(own, out / f"{name}.parquet", compression="zstd", row_group_size=3000)
    ledger = fates.rename(columns={"labelled": "labelled_request_id"})
    for name, frame in (("histories", history), ("labels", ledger)):
        table = in_time(pa.Table.from_pandas(frame, preserve_index=False))
        pq.write_table(table, out / f"{name}.parquet", compression="zstd")


def in_time(table: pa.Table) -> pa.Table:
    """Whole microseconds as times again."""
    index = table.column_names.index("timestamp")
    times = table["timestamp"].cast(pa.int64()).cast(pa.timestamp("us", "UTC"))
    return table.set_column(index, "timestamp", times)


LISTS = ["item_id", "exposed", "position", "label_click", "label_purchase", "label_source", "purchase_source"]
LISTS += ["weight", "anywhere_click", "anywhere_purchase", "retrieval_score", "price", "price_rank"]
LISTS += ["item_clicks", "user_shown", "user_since_shown", "item_shown"]
for scope in ("user", "session"):
    LISTS += [f"{scope}_touches", *(f"{scope}_touches_{action}" for action in ACTIONS)]
    LISTS += [f"{scope}_since_touch", f"{scope}_touch_order"]
LISTS += ["list_touch_order", "retrieval_score_from_touch", "price_from_touch"]
