"""One HTML file about a run, or about several: everything inside it, nothing fetched, no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.files import refuse_folder, whole_file
from corank.progress import QUIET, Reporter
from corank.report.curves import training_section
from corank.report.explain.found import explanation_sections
from corank.report.facts import facts_section
from corank.report.headline import compare_models, headline
from corank.report.mixing import mixing_section
from corank.report.page import render
from corank.report.positions import positions_picture
from corank.report.reliability import reliability_picture
from corank.report.runs import Model, find_models, find_samples
from corank.report.sections import Section
from corank.report.sizes import data_section
from corank.report.whiskers import metrics_section

DEFINITIONS = "Definitions of the metrics: docs/reference/metrics.md of corank."


def report(
    folder: Path, out: Path | None = None, samples: Path | None = None, progress: Reporter = QUIET
) -> Path:
    """Write a report of a run, or of the runs in a folder, and give its path.

    Args:
        folder: a run, or a folder whose sub-folders are runs (and perhaps samples).
        out: the file to write; `FOLDER/report.html` if not given.
        samples: the samples folder, for the size table; if not given, those with the fingerprints of the runs
            are looked for in and beside `folder`, and where the runs say that they were.

    Raises:
        CorankError: there is no run, a file of one is damaged, or `out` is a folder.
    """
    target = out or folder / "report.html"
    refuse_folder(target, "HTML file")
    models = find_models(folder)
    with progress.task("report", 3) as task:
        evaluated = [model for model in models if model.evaluated]
        compared, problems = compare_models(evaluated)
        problems += [f"Not evaluated yet: {model.label}." for model in models if not model.evaluated]
        task.advance(note="metrics")
        named = [(model.label, model.runs[0].folder) for model in models]
        sections = [
            headline(evaluated, compared, problems),
            data_section([samples] if samples else find_samples(folder, models)),
            training_section(models),
            metrics_section(evaluated, compared),
            _scores(evaluated),
            mixing_section(named),
            *explanation_sections(named),
            facts_section(models),
        ]
        task.advance(note="figures")
        shown = [section for section in sections if section]
        page = render(folder.resolve().name, "ranking report", shown, DEFINITIONS)
        with whole_file(target) as aside:
            aside.write_text(page, encoding="utf-8")
        task.advance(note=target.name)
    return target


def _scores(models: Sequence[Model]) -> Section | None:
    """What the scores are worth as probabilities; nothing where there are none."""
    pictures = (reliability_picture(models), positions_picture(models))
    drawn = tuple(one for one in pictures if one)
    notes = ("Of a model with several seeds, the first is drawn.",) if any(m.runs[1:] for m in models) else ()
    return Section("scores", "Calibration and position", notes, pictures=drawn) if drawn else None
