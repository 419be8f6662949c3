"""Outputs appear whole; what a killed process left goes, what another process is making stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corank.files import whole_folder

HOLDING = """
import sys
from pathlib import Path
from corank.files import whole_folder
with whole_folder(Path(sys.argv[1])) as folder:
    (folder / "part").write_text("of another process")
    print("ready", flush=True)
    sys.stdin.read()
"""


def half(out: Path) -> None:
    """Begin to fill a folder."""
    with whole_folder(out) as folder:
        (folder / "part").write_text("half")
        raise RuntimeError


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        half(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    with whole_folder(tmp_path / "out") as folder:
        (folder / "part").write_text("whole")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "part").read_text() == "whole"


def test_what_another_process_makes_stays_until_it_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [sys.executable, "-c", HOLDING, str(out)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        with whole_folder(out):
            (kept,) = (one for one in tmp_path.iterdir() if (one / "part").exists())
        other.kill()
        other.wait()
    assert kept.exists()
    (tmp_path / ".out.old.abcdefgh").mkdir()  # names that are not of folders aside are left alone
    with whole_folder(out, overwrite=True):
        pass
    assert sorted(one.name for one in tmp_path.iterdir()) == [".out.old.abcdefgh", "out"]
