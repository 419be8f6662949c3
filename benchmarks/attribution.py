"""Attribution against the marketplace's truth: precision and recall by tier, and of the last search click.

Run: python benchmarks/attribution.py [--size s] [--seeds 5]
Simulates a log for each seed, builds samples with the recipe `attributed`, and compares which request each
event elsewhere was credited to with the need that the event served. A credit is right if its request was made
for the same need. An event is due if a search for its need came before it. Writes results/attribution.csv.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from corank.logs.marketplace import simulate
from corank.samples import build_samples

RESULTS = Path(__file__).parent.parent / "results" / "attribution.csv"
HEADER = ("rule", "kind", "tier", "events", "credited", "right", "due", "precision", "recall", "spread")

QUERY = """
WITH ledger AS (
    SELECT l.*, e.event_id, l.action = 'purchase' AS purchase, t.intent_id, t.search_request_id
    FROM read_parquet($samples || '/labels.parquet') l
    JOIN read_parquet($logs || '/events.parquet') e USING (user_id, item_id, timestamp, action)
    JOIN read_parquet($logs || '/truth/events.parquet') t USING (event_id)
    WHERE l.fate NOT IN ('labels', 'after_split') AND l.timestamp < $valid_from::TIMESTAMPTZ
),
searches AS (
    SELECT request_id, user_id, timestamp, t.intent_id
    FROM read_parquet($logs || '/requests.parquet') r
    JOIN read_parquet($logs || '/truth/requests.parquet') t USING (request_id)
    WHERE domain = 'search'
),
clicked AS (
    SELECT e.user_id, e.item_id, e.timestamp AS clicked_at, s.request_id, s.timestamp AS asked_at
    FROM read_parquet($logs || '/events.parquet') e JOIN searches s ON e.request_id = s.request_id
    WHERE e.action = 'click'
),
last_click AS (
    SELECT l.event_id, arg_max(c.request_id, (c.clicked_at, c.request_id)) AS request_id
    FROM ledger l JOIN clicked c ON l.user_id = c.user_id AND l.item_id = c.item_id
        AND c.clicked_at < l.timestamp AND l.timestamp <= c.asked_at + to_hours($hours)
    GROUP BY l.event_id
),
credits AS (
    SELECT 'hierarchical' AS rule, fate AS tier, event_id, purchase, intent_id, search_request_id,
        labelled_request_id AS credited
    FROM ledger
    UNION ALL
    SELECT 'last search click', 'clicked', event_id, purchase, intent_id, search_request_id, c.request_id
    FROM ledger l LEFT JOIN last_click c USING (event_id)
)
SELECT rule, CASE WHEN purchase THEN 'purchase' ELSE 'click' END AS kind,
    CASE WHEN credited IS NULL THEN 'none' ELSE tier END AS tier, count(*) AS events,
    count(credited) AS credited, count(*) FILTER (s.intent_id = c.intent_id) AS right,
    count(*) FILTER (search_request_id IS NOT NULL) AS due
FROM credits c LEFT JOIN searches s ON c.credited = s.request_id
GROUP BY ALL ORDER BY ALL
"""


def count(size: str, seed: int) -> list[tuple[str, str, str, int, int, int, int]]:
    """Events by rule, kind and tier: how many, credited, credited rightly, due."""
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        logs, samples = Path(scratch) / "logs", Path(scratch) / "samples"
        simulate(logs, size, "market", seed)
        manifest = build_samples(logs, samples, recipe="attributed", settings=["exposure_counts=false"])
        connection.execute("SET TimeZone = 'UTC'")
        values = {
            "logs": str(logs),
            "samples": str(samples),
            "valid_from": manifest.valid_from.isoformat(),
            "hours": int(manifest.config.attribution_hours),
        }
        return list(connection.execute(QUERY, values).fetchall())


def rows(counts: list[list[tuple[str, str, str, int, int, int, int]]]) -> list[tuple[object, ...]]:
    """The lines of the table: each tier's precision, and those of a whole rule; over all seeds.

    The spread is the standard deviation over seeds, of the precision or a whole rule's recall.
    """
    keys = sorted({line[:3] for seed in counts for line in seed})
    found = [{line[:3]: line[3:] for line in seed} for seed in counts]
    lines: list[tuple[object, ...]] = []
    for rule, kind in sorted({key[:2] for key in keys}):
        for tier in [key[2] for key in keys if key[:2] == (rule, kind) and key[2] != "none"]:
            own = [seed.get((rule, kind, tier), (0, 0, 0, 0)) for seed in found]
            lines.append(
                (
                    rule,
                    kind,
                    tier,
                    *_line(own, [right / max(credited, 1) for _, credited, right, _ in own], None),
                )
            )
        whole = [
            tuple(
                map(
                    sum,
                    zip(*(values for key, values in seed.items() if key[:2] == (rule, kind)), strict=True),
                )
            )
            for seed in found
        ]
        recalls = [right / max(due, 1) for _, _, right, due in whole]
        lines.append((rule, kind, "all", *_line(whole, recalls, statistics.mean(recalls))))
    return lines


def _line(own: Sequence[tuple[int, ...]], values: list[float], recall: float | None) -> tuple[object, ...]:
    events, credited, right, due = (sum(column) for column in zip(*own, strict=True))
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    precision = right / max(credited, 1)
    return (
        events,
        credited,
        right,
        due,
        f"{precision:.3f}",
        "" if recall is None else f"{recall:.3f}",
        f"{spread:.3f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="s")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    table = rows([count(chosen.size, seed) for seed in range(chosen.seeds)])
    for line in [HEADER, *table]:
        print("  ".join(str(cell).ljust(18 if index < 3 else 9) for index, cell in enumerate(line)))
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        file.write(
            f"# python benchmarks/attribution.py --size {chosen.size} --seeds {chosen.seeds}; simulated\n"
        )
        csv.writer(file).writerows([HEADER, *table])


if __name__ == "__main__":
    main()
