"""The columns of a log that are compared between training and test."""

from __future__ import annotations

from corank.logs import LogTables
from corank.logs.schemas import SCHEMAS
from corank.samples.audit.tables import Column, choose
from corank.samples.selection import Selection


def log_columns(logs: LogTables, config: Selection) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """What is compared: whatever the tables hold besides ids, times and texts of their own."""
    compared = {"category", "domain"} if len(config.domains) > 1 else {"category"}
    made = {"candidate": (_weights("coalesce(t.exposed, false)"), "asked w USING (request_id)")}
    made["request"] = (_weights("true"), "asked w USING (request_id)")
    for level in ("item", "user"):
        weights = "w.before, w.after, w.trained, w.scored"
        made[level] = (weights, f"weights_{level} w USING ({level}_id)")
    queries = {
        level: f"SELECT t.{{}} AS v, {weights} FROM {level}s t JOIN {other}"
        for level, (weights, other) in made.items()
    }
    columns: list[Column] = []
    skipped: list[str] = []
    for level, query in queries.items():
        required = SCHEMAS[f"{level}s"].keys() - compared
        schema = [
            (field.name, field.type) for field in logs.schema(f"{level}s") if field.name not in required
        ]
        found, others = choose(level, schema, query.format)
        columns += found
        skipped += others
    return tuple(columns), tuple(skipped)


def _weights(shown: str) -> str:
    return (
        "(w.split = 0)::TINYINT AS before, (w.split = 2)::TINYINT AS after,"
        f" (w.split = 0 AND {shown})::TINYINT AS trained, (w.split = 2)::TINYINT AS scored"
    )
