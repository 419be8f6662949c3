"""The check of a log against its rules, and the copy without the rows that break them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from corank.errors import CorankError, unknown
from corank.files import refuse_existing, whole_folder, write_json
from corank.logs import cleaning
from corank.logs.engine import engine
from corank.logs.report import Finding, LogReport
from corank.logs.rule import ROW, Rule, show_tables
from corank.logs.rules import rules_for
from corank.logs.summary import summarise
from corank.logs.tables import LogTables, open_logs
from corank.progress import QUIET, Reporter

ALL = "all"
"""In `drop`: every rule that is an error and whose rows can be dropped."""


def check_logs(
    logs: LogTables | Path,
    out: Path | None = None,
    drop: Iterable[str] = (),
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> LogReport:
    """Check a log against every rule; with `out` and `drop`, write a copy without the rows that break some.

    `drop` holds names of rules, or `all` for every error whose rows can be dropped (a warning's rows go only
    if it is named). The copy is written only if no error is left in it; `check.json` in it holds the report.

    Raises:
        CorankError: the log cannot be opened; `drop` names an unknown rule or one without rows to drop, or
            only one of `out` and `drop` is given; `out` exists; an error is left after dropping.
    """
    tables = logs if isinstance(logs, LogTables) else open_logs(Path(logs))
    rules = rules_for(tables)
    chosen = _chosen(rules, list(drop))
    if (out is None) != (not chosen):
        raise CorankError(
            "dropping rows needs an output folder for the copy"
            if out is None
            else f"{out}: a copy is written only if rules are named whose rows to drop"
        )
    if out is None:
        return _report(tables, str(tables.folder), cleaning.NOTHING, progress)
    refuse_existing(out, overwrite)
    with whole_folder(out, overwrite) as aside:
        droppable = [rule for rule in rules if rule.name in chosen]
        dropped = cleaning.write_without(tables, droppable, aside, progress)
        report = _report(open_logs(aside), str(tables.folder), dropped, progress)
        report.raise_if_broken()
        write_json(aside / "check.json", report.to_dict())
    return report


def _chosen(rules: Sequence[Rule], drop: Sequence[str]) -> set[str]:
    """The names of the rules whose rows are to be dropped."""
    by_name = {rule.name: rule for rule in rules}
    chosen = set[str]()
    for name in drop:
        if name == ALL:
            chosen |= {rule.name for rule in rules if rule.droppable and rule.severity == "error"}
            continue
        if name not in by_name:
            raise unknown("rule", name, [*by_name, ALL], where="drop")
        if not by_name[name].droppable:
            raise CorankError(f"drop: rule '{name}' is about a whole column or log and has no rows to drop")
        chosen.add(name)
    return chosen


def _report(logs: LogTables, name: str, dropped: cleaning.Dropped, progress: Reporter) -> LogReport:
    """Try every rule on the tables."""
    rules = rules_for(logs)
    findings = []
    with engine(logs.folder) as connection, progress.task("check logs", total=len(rules) + 1) as task:
        show_tables(connection, logs)
        for rule in rules:
            finding = _try(connection, rule)
            if finding:
                findings.append(finding)
            task.advance(note=rule.name)
        summary = summarise(connection)
        task.advance(note="summary")
    return LogReport(name, tuple(findings), summary, dropped.by_rule, dropped.cascaded)


def _try(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Finding | None:
    """The rule's finding if a row breaks it."""
    (count,) = connection.execute(f"SELECT count(*) FROM ({rule.query})").fetchone() or (0,)
    if not count:
        return None
    first = f"SELECT to_json(broken) FROM ({rule.query}) broken ORDER BY {ROW} LIMIT 1"
    (text,) = connection.execute(first).fetchone() or ("{}",)
    example = {column: _plain(value) for column, value in json.loads(text).items() if column != ROW}
    return Finding(
        rule.name, rule.table, rule.column, rule.severity, rule.sentence, count, example, rule.droppable
    )


def _plain(value: Any) -> Any:
    """A value as strict JSON has it: NaN and infinity are text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
