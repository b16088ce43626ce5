"""Writes a report in the form that its file's name asks for, whole or not at all."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluation.points.evaluate import Evaluation
from evaluation.report.examples import best_of, worst_of
from evaluation.report.plots import plots_of
from evaluation.report.tables import Table, tables_of
from evaluation.results import provenance_line, require_writable, to_json, write_text
from models.errors import InputError

TEMPLATE = "page.html"


def page_of(evaluation: Evaluation) -> str:
    """A page that needs nothing but itself: no script, no network."""
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(TEMPLATE).render(
        evaluation=evaluation,
        provenance=provenance_line(evaluation.result),
        tables=tables_of(evaluation.result),
        plots=plots_of(evaluation.result, evaluation.judged),
        best=best_of(evaluation.judged),
        worst=worst_of(evaluation.judged),
    )


def markdown_of(evaluation: Evaluation) -> str:
    """The tables and what was run."""
    parts = [f"# Completion in {verbatim(evaluation.repository)}"]
    for table in tables_of(evaluation.result):
        parts += [f"## {table.title}", markdown_table(table)]
    command, _, run = provenance_line(evaluation.result).rpartition("\n")
    return "\n\n".join([*parts, f"{verbatim(command)}; {verbatim(run)}"]) + "\n"


def verbatim(text: str) -> str:
    """A text on one line as Markdown shows code, whatever is in it."""
    shown = " ".join(text.replace("`", "'").split())
    return f"`{shown}`"


def markdown_table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    rule = ["---", *["---:"] * (len(table.headings) - 1)]
    return "\n".join(map(line, [table.headings, rule, *table.rows]))


def json_of(evaluation: Evaluation) -> str:
    return json.dumps(to_json(evaluation.result), ensure_ascii=False, indent=1) + "\n"


FORMS: Mapping[str, Callable[[Evaluation], str]] = {
    ".html": page_of,
    ".md": markdown_of,
    ".json": json_of,
}


def require_reports(paths: Sequence[Path]) -> None:
    """Raise `InputError` now for a report that could not be written later."""
    for path in paths:
        if path.suffix not in FORMS:
            raise InputError(f"{path} is no report; name a file that ends in {', '.join(FORMS)}")
        require_writable(path)


def write_report(evaluation: Evaluation, path: Path) -> None:
    write_text(path, FORMS[path.suffix](evaluation))
