"""The statements of docs/how-to/warehouse.md make a log that passes the check, on Spark."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY, needs_spark

from corank.logs import check_logs, open_logs
from corank.samples import build_samples

PAGE = REPOSITORY / "docs" / "how-to" / "warehouse.md"

TABLES = """
CREATE OR REPLACE TEMPORARY VIEW search_log AS
SELECT id AS search_id, id % 7 AS customer_id,
       timestamp'2026-03-02 10:00:00' + make_interval(0, 0, 0, 0, id) AS ts,
       'red shoes' AS query_text, 'mobile' AS device,
       transform(sequence(1, 6), place -> named_struct('product_id', (id + 3 * place) % 40, 'score', 0D,
                                                       'price', 9.5D, 'shown', place <= 3)) AS results
FROM range(100);
CREATE OR REPLACE TEMPORARY VIEW feed_log AS
SELECT id AS page_id, id % 7 AS customer_id,
       timestamp'2026-03-02 10:30:00' + make_interval(0, 0, 0, 0, id) AS ts,
       transform(sequence(1, 4), place -> named_struct('product_id', (id + 5 * place) % 40, 'score', 0D,
                                                       'price', 9.5D, 'shown', true)) AS results
FROM range(100);
CREATE OR REPLACE TEMPORARY VIEW clicks AS
SELECT customer_id, results[0].product_id AS product_id, ts + make_interval(0, 0, 0, 0, 0, 1) AS ts,
       'search' AS surface, concat('s', search_id) AS source_id FROM search_log WHERE search_id % 2 = 0
UNION ALL
SELECT customer_id, results[1].product_id, ts + make_interval(0, 0, 0, 0, 0, 1), 'rec', concat('f', page_id)
FROM feed_log WHERE page_id % 2 = 0;
CREATE OR REPLACE TEMPORARY VIEW order_lines AS
SELECT customer_id, product_id, ts + make_interval(0, 0, 0, 0, 0, 5) AS ts, CAST(NULL AS STRING) AS source_id,
       9.5D AS amount FROM clicks WHERE customer_id < 4;
CREATE OR REPLACE TEMPORARY VIEW products AS
SELECT id AS product_id, concat('shoes ', id) AS name, 'shoes' AS category, 'brand' AS brand FROM range(40);
CREATE OR REPLACE TEMPORARY VIEW customers AS SELECT id AS customer_id, 'adult' AS age_band FROM range(7);
"""

RUN = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = spark.config("spark.sql.shuffle.partitions", "2").getOrCreate()
for statement in sys.stdin.read().split(";"):
    if statement.strip():
        spark.sql(statement)
"""


@needs_spark
def test_the_statements_make_a_log(tmp_path: Path) -> None:
    (statements,) = re.findall(r"<!-- run by [^>]+ -->\n```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    logs = tmp_path / "logs"
    text = "SET TIME ZONE 'UTC';" + TABLES + statements.replace("${logs}", str(logs))
    subprocess.run([sys.executable, "-c", RUN], input=text, text=True, check=True, cwd=tmp_path)

    check_logs(logs).raise_if_broken()
    found = open_logs(logs)
    rows = {table: found.rows(table) for table in found.tables}
    assert rows == {"requests": 200, "candidates": 1000, "events": 158, "items": 40, "users": 7}
    made = build_samples(logs, tmp_path / "samples", recipe="es3")
    assert made.events["labels"] > 0
    assert made.stages["unexposed"].samples == 2 * made.stages["exposed"].samples
    assert made.stages["es3"].requests > made.stages["attributed"].requests
    assert made.stages["attributed"].purchases > made.stages["unexposed"].purchases
