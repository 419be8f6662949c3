"""Imports go one way, down the path of the data; a room that runs without data engines imports none."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corank

ROOT = Path(corank.__file__).parent
BASE = {"errors", "config", "files", "progress", "bars"}
ROOMS = ["logs", "samples", "features", "layers", "models", "training", "evaluation", "explain", "report"]
TOP = ["abtest", "verbs", "demo", "study", "screen", "cli", "__main__"]
KNOWS_NOTHING_OF = {"layers": {"logs", "samples"}, "models": {"logs", "samples"}, "samples": {"torch"}}
LIGHT = {"features", "layers", "models", "training", "evaluation", "explain"}
ENGINES = {"duckdb", "ibis"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Top-level packages and rooms that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "corank":
                names = [f"corank.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            found.add(parts[1] if parts[0] == "corank" and len(parts) > 1 else parts[0])
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_above_it_on_the_path(path: Path) -> None:
    room = room_of(path)
    order = [*ROOMS, *TOP]
    allowed = set(BASE)
    if room in order:
        allowed |= set(order[: order.index(room) + 1])
    if room in TOP:
        allowed |= set(TOP)
    rooms = imported(path) & {*order, *BASE}
    assert rooms - (allowed | {room}) == set()
    assert imported(path) & KNOWS_NOTHING_OF.get(room, set()) == set()
    if room in LIGHT:
        assert imported(path) & ENGINES == set()
    if room not in ("logs", "samples"):
        assert "duckdb" not in imported(path)
    if room != "samples":
        assert "ibis" not in imported(path)


def test_training_runs_where_no_data_engine_is_installed() -> None:
    code = (
        "import sys\n"
        "for name in ('duckdb', 'ibis', 'typer', 'rich', 'matplotlib', 'jinja2', 'pandas'):\n"
        "    sys.modules[name] = None\n"
        "import corank.training.loop, corank.models, corank.layers, corank.features, corank.evaluation\n"
        "import corank.explain\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'ibis', 'matplotlib', 'pandas'):\n"
        "    sys.modules[name] = None\n"
        "from corank.cli import app\n"
        "app(['study', '--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "codesign" in done.stdout


def test_every_room_is_known_here() -> None:
    there = {room_of(path) for path in modules()} - {"__init__"}
    assert there == {*BASE, *ROOMS, *TOP}
