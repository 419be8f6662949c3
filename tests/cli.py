"""Running the command line in this process."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from corank.cli import app


def corank(*words: object) -> Result:
    """Run `corank WORDS`; anything raised but an exit is a bug, and raised again."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(*words: object) -> Any:
    """What `corank WORDS --json --quiet` says: one JSON document on standard output, nothing on the other."""
    result = corank(*words, "--json", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(*words: object) -> str:
    """The one sentence that `corank WORDS --quiet` ends in, with status 2."""
    result = corank(*words, "--quiet")
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("corank: ")
    return line.removeprefix("corank: ")
