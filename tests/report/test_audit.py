"""The page of an audit is one whole file, fetches nothing, escapes everything and says what is missing."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.tiny import event, good_rows, write_log
from tests.report.pages import Page, sections

from corank import screen
from corank.report.audit import audit_page, write_audit
from corank.samples import build_samples
from corank.samples.audit import Audit, LogAudit, SamplesAudit, audit_folder

EVIL = "<script>alert(1)</script>$x^2$[red]\"'&"


@pytest.fixture(scope="module")
def of_log(market_logs: Path) -> LogAudit:
    made = audit_folder(market_logs)
    assert isinstance(made, LogAudit)
    return made


@pytest.fixture(scope="module")
def of_samples(market_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> SamplesAudit:
    out = tmp_path_factory.mktemp("audit") / "samples"
    build_samples(market_logs, out, recipe="es3", settings=["exposure_counts=false"])
    made = audit_folder(out)
    assert isinstance(made, SamplesAudit)
    return made


def page(audit: Audit, folder: Path) -> Page:
    path = folder / "page.html"
    write_audit(audit, path)
    return Page(path)


def test_a_log(of_log: LogAudit, tmp_path: Path) -> None:
    shown = page(of_log, tmp_path)
    assert sections(shown) == [
        "findings",
        "sizes",
        "conversions",
        "exposure",
        "spaces",
        "blind",
        "drift",
        "method",
    ]
    assert "This log is a simulation" in shown.words
    for finding in of_log.findings:
        assert finding.sentence in shown.words
        assert finding.advice in shown.words
    assert of_log.conversions is not None
    assert f"{of_log.conversions.missed.count:,} of {of_log.conversions.missed.of:,}" in shown.words
    assert f"{of_log.sizes.domains[0].candidates:,}" in shown.words


def test_samples(of_samples: SamplesAudit, tmp_path: Path) -> None:
    shown = page(of_samples, tmp_path)
    assert sections(shown) == [
        "findings",
        "sizes",
        "conversions",
        "popularity",
        "exposure",
        "spaces",
        "blind",
        "drift",
        "method",
    ]
    assert of_samples.credits is not None
    for words in (
        "searchified negatives",
        "click_exposed",
        "Recipe 'es3'",
        f"{of_samples.credits.labelled.of:,}",
    ):
        assert words in shown.words


def test_nothing_is_fetched_and_every_picture_has_words(
    of_log: LogAudit, of_samples: SamplesAudit, tmp_path: Path
) -> None:
    for audit, pictures in ((of_log, 6), (of_samples, 7)):
        shown = page(audit, tmp_path)
        assert not shown.all("script")
        assert not shown.all("link")
        assert len(shown.all("img")) == pictures
        for image in shown.all("img"):
            assert len(str(image["alt"])) > 30
            kind, _, data = str(image["src"]).partition(",")
            assert kind == "data:image/svg+xml;base64"
            assert b"<script" not in base64.b64decode(data)
        for link in shown.all("a"):
            assert str(link["href"]).removeprefix("#") in sections(shown)


def test_the_same_audit_gives_the_same_page(of_log: LogAudit, market_logs: Path) -> None:
    again = audit_folder(market_logs)
    assert audit_page(of_log) == audit_page(again)


def test_names_from_outside_are_only_text(tmp_path: Path) -> None:
    rows = good_rows()
    rows["requests"] = [
        {**row, "request_id": 10 * copy + row["request_id"], "domain": EVIL, "device": EVIL}
        for copy in range(10)
        for row in rows["requests"]
    ]
    rows["candidates"] = [
        {**row, "request_id": 10 * copy + row["request_id"]}
        for copy in range(10)
        for row in rows["candidates"]
    ]
    for copy, row in enumerate(rows["requests"]):
        row["timestamp"] = row["timestamp"].replace(second=copy)
    rows["events"].append({**event("ann", 101, 15, "purchase", None), "domain": EVIL})
    rows["items"] = [{**row, "category": EVIL} for row in rows["items"]]
    logs = write_log(tmp_path / "logs <b>&$", rows)
    candidates = pq.read_table(logs / "candidates.parquet")
    extra = pa.array([i % 2 for i in range(len(candidates))])
    pq.write_table(candidates.append_column(EVIL, extra), logs / "candidates.parquet")
    audit = audit_folder(logs, [f"domains=[{json.dumps(EVIL)}]"])
    assert isinstance(audit, LogAudit)
    assert audit.drift is not None
    shown = page(audit, tmp_path)
    assert not shown.all("script")
    assert not shown.all("b")
    assert all(str(image["src"]).startswith("data:") for image in shown.all("img"))
    assert EVIL in shown.words
    screen.show(*screen.audit_parts(audit))


def test_names_stand_on_the_screen_as_they_are(capsys: pytest.CaptureFixture[str], of_log: LogAudit) -> None:
    domains = tuple(replace(one, domain=f"[bold]{one.domain}[/]") for one in of_log.sizes.domains)
    sizes = replace(of_log.sizes, domains=domains)
    screen.show(*screen.audit_parts(replace(of_log, sizes=sizes)))
    assert "[bold]search[/]" in capsys.readouterr().out


def test_what_is_missing_is_said(of_log: LogAudit, tmp_path: Path) -> None:
    bare = replace(
        of_log,
        conversions=None,
        drift=None,
        blind_spot=(),
        exposure=replace(of_log.exposure, positions=(), popularity=(), price=()),
        cuts=None,
        simulated=False,
        absent={"conversions": "No conversions.", "drift": "No cut.", "exposure.price": "No price."},
    )
    shown = page(bare, tmp_path)
    assert not shown.all("img")
    for sentence in ("No conversions.", "No cut.", "No price."):
        assert sentence in shown.words
    assert "simulation" not in shown.words
    parts = screen.audit_parts(bare)
    assert "Note: No cut." in parts
