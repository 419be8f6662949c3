"""Outputs appear whole: written aside, then renamed. JSON, fingerprints."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corank.errors import CorankError


@contextmanager
def whole_folder(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `path` that becomes `path` if the block ends well, and vanishes if not.

    What a killed process has left of an earlier attempt at `path` goes, too.

    Raises:
        CorankError: `path` exists and `overwrite` is false, or its parent cannot be written.
    """
    refuse_existing(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(path)
        new = Path(tempfile.mkdtemp(prefix=f".{path.name}-new.", dir=path.parent))
    except OSError as error:
        raise CorankError(f"{path}: cannot be written ({error.strerror})") from None
    lock = _lock(new)
    # Only now may it have the name under which others judge by the lock whether it is abandoned.
    aside = new.rename(new.with_name(f".{path.name}.{new.name[-_RANDOM:]}"))
    try:
        aside.chmod(0o755)
        yield aside
        _swap(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` whose file takes the place of `path` if the block ends well.

    Raises:
        CorankError: the folder cannot be written, or `path` is a folder.
    """
    refuse_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise CorankError(f"{path}: cannot be written ({error.strerror})") from None
    os.close(handle)
    aside = Path(name)
    try:
        aside.chmod(0o644)
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same from working in a folder.

    Raises:
        CorankError: one is at work there.
    """
    lock = _lock(folder)
    if lock is None and sys.platform != "win32":
        raise CorankError(f"{folder}: another process is at work there; wait for it, or name another folder")
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Stop before any work if the output is there already and may not be replaced.

    Raises:
        CorankError: `path` exists (other than as an empty folder) and `overwrite` is false.
    """
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not overwrite:
        raise CorankError(f"{path}: already exists; name another output or pass --overwrite")


def refuse_folder(path: Path, kind: str = "file") -> None:
    """Stop where a file (of a kind) is to be written and a folder stands.

    Raises:
        CorankError: it does.
    """
    if path.is_dir():
        raise CorankError(f"{path}: is a folder; expected the {kind} to write")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document whole."""
    with whole_file(path) as aside:
        aside.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV of all columns that some row has, whole."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        CorankError: the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorankError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CorankError(f"{path}: not readable as JSON ({error.__class__.__name__})") from None


def fingerprint(path: Path, skip: frozenset[str] = frozenset()) -> str:
    """SHA-256 of a file, or of the names and bytes of all files below a folder but those named in `skip`."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        if file.name in skip:
            continue
        digest.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


_RANDOM = 8
"""Characters with which `tempfile` ends a name."""


def _clear_abandoned(path: Path) -> None:
    """Remove the folders that stand aside for `path` and whose process is gone."""
    name = re.compile(re.escape(f".{path.name}.") + rf"\w{{{_RANDOM}}}")
    for folder in [one for one in path.parent.iterdir() if name.fullmatch(one.name) and one.is_dir()]:
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Hold a folder until the process ends or the descriptor is closed; None where others do, or none can."""
    if sys.platform == "win32":
        return None
    import fcntl  # which Windows lacks

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _swap(aside: Path, path: Path) -> None:
    """Put `aside` in the place of `path`; what stood there goes only once it is."""
    if not path.exists():
        aside.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    path.rename(old / path.name)
    aside.rename(path)
    shutil.rmtree(old, ignore_errors=True)
