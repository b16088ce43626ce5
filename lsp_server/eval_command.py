"""`pirouette eval`: an evaluation started with what the command line says, and its reports."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.judges.configured import judge_of
from evaluation.metrics.codebertscore import CodeBertScorer
from evaluation.metrics.encoders import DEFAULT_ENCODER, load_encoder
from evaluation.points.evaluate import EvalOptions, Evaluation, evaluate
from evaluation.points.judging import Scorers
from evaluation.points.parts import PARTS, arms_of
from evaluation.provenance import shown_command
from evaluation.report.report import require_reports, write_report
from evaluation.report.tables import tables_of
from evaluation.repositories import read_sources
from evaluation.results import provenance_line, require_writable, to_json
from evaluation.spread import require_cluster
from lsp_server.console import ProgressBar, print_json
from lsp_server.index_command import package_folders
from models.catalogue import DEFAULT_MODEL
from models.disk import disk_errors
from models.language_model import LanguageModel, load_language_model
from models.store import ModelStore, default_home


def run_eval(arguments: argparse.Namespace) -> int:
    """Everything the user wrote is checked before the model is loaded."""
    if arguments.samples is not None:
        require_writable(arguments.samples)
    without = tuple(PARTS) if arguments.without is None else parts_named(arguments.without)
    options = EvalOptions(
        points=arguments.points,
        seed=arguments.seed,
        suggestions=arguments.suggestions,
        without=without,
        added=parts_named(arguments.with_),
        environment=environment_of(arguments.environment),
        samples=arguments.samples or unfinished(),
        cluster=arguments.ray,
        command=shown_command(sys.argv[1:]),
    )
    arms_of(options.without, options.added)
    require_reports(arguments.report)
    if options.cluster is not None:
        require_cluster(options.cluster)
    repository = read_sources(arguments.path)
    name = arguments.model or DEFAULT_MODEL
    adapter: Path | None = arguments.adapter
    with ProgressBar() as progress:
        judge = judge_of(arguments, progress)
        encoder = load_encoder(DEFAULT_ENCODER, default_home(), progress)
        scorers = Scorers(CodeBertScorer(encoder), judge)
        ModelStore(default_home()).pull(name, progress)
        load = partial(load_model, name, adapter)
        evaluation = evaluate(options, load, repository, progress, scorers)
    if judge is not None:
        print(f"judge: {judge.summary}", file=sys.stderr)
    for path in arguments.report:
        write_report(evaluation, path)
    if arguments.json:
        print_json(to_json(evaluation.result))
    else:
        print_tables(evaluation)
    if arguments.samples is None and evaluation.samples is not None:
        evaluation.samples.unlink(missing_ok=True)
    return 0


def load_model(name: str, adapter: Path | None) -> LanguageModel:
    """On whichever machine this is called."""
    folder = ModelStore(default_home()).pull(name)
    return load_language_model(name, folder, adapter=adapter)


def unfinished() -> Path:
    """Where completions are kept until their report is written, if the user names no file: the same
    evaluation, once it was cut off, finds them there."""
    folder = default_home() / "evaluations"
    with disk_errors(default_home()):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def print_tables(evaluation: Evaluation) -> None:
    console = Console()
    for table in tables_of(evaluation.result):
        # Text keeps rich from reading brackets as its own markup.
        shown = Table(title=Text(table.title))
        for number, heading in enumerate(table.headings):
            shown.add_column(Text(heading), justify="right" if number else "left")
        for row in table.rows:
            shown.add_row(*map(Text, row))
        console.print(shown)
    console.print(Text(provenance_line(evaluation.result)))


def parts_named(text: str) -> tuple[str, ...]:
    """The names between commas; none for an empty text."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def environment_of(folder: Path | None) -> Path | None:
    """Its full path, which means the same to the processes that look into it."""
    if folder is None:
        return None
    package_folders(folder)
    return folder.absolute()
