"""What the verbs of the command line share: options, JSON, how a mistake ends."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec

import typer

from corank.errors import CorankError

P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
QuietFlag = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Seed = Annotated[int, typer.Option(help="Decides every random choice.", min=0)]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Change a setting; may be repeated.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
Split = Annotated[str, typer.Option(help="train, valid or test.")]


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """A user's mistake ends in one sentence and status 2, an interrupt in status 130."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except CorankError as error:
            print("corank:", " ".join(str(error).splitlines()), file=sys.stderr)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            raise interrupted() from None
        except RuntimeError as error:
            if str(error) != "Query interrupted":  # DuckDB's word for an interrupt while it works
                raise
            raise interrupted() from None

    return run


def interrupted() -> typer.Exit:
    """Say so; the status a shell gives to what SIGINT ends."""
    print("corank: interrupted; nothing finished is lost", file=sys.stderr)
    return typer.Exit(130)


def print_json(value: Any) -> None:
    """One document on standard output."""
    print(json.dumps(value, indent=1, ensure_ascii=False))
