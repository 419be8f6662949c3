"""The command line: one verb a function, each a thin call of its twin in `corank.verbs`."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer

from corank import __version__
from corank.cli import data, runs, showing, studies
from corank.cli.options import guarded

app = typer.Typer(
    help="Search and recommendation ranking: raw logs in, audited samples, trained model, evidence out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_logs = typer.Typer(help="What happened: simulate, import and check logs.", no_args_is_help=True)
app.add_typer(_logs, name="logs")


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and status 2."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt_once)
    app()


def _interrupt_once(number: int, frame: FrameType | None) -> NoReturn:
    """Of an impatient hand the first Ctrl-C counts: others would disturb what leaves and clears up."""
    del number, frame
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _version(wanted: bool) -> None:
    if wanted:
        print(f"corank {__version__}")
        raise typer.Exit


@app.callback()
def _app(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


# In the order of the help.
for name, of_logs in (("simulate", data.simulate), ("import", data.import_logs), ("check", data.check)):
    _logs.command(name)(guarded(of_logs))
for verb in (
    runs.demo,
    data.audit,
    data.samples,
    data.features,
    runs.train,
    runs.evaluate,
    runs.predict,
    runs.compare,
    runs.abtest,
    studies.study,
    showing.report,
    showing.explain,
    showing.models,
):
    app.command()(guarded(verb))
