"""Programs that models wrote for HumanEval, and whether they pass its tests: what judges metrics.

Two published sets: that of CodeBERTScore (Zhou et al. 2023), whose texts are flattened to one
line, and that of ICE-Score (Zhuo 2023), which has the scores of other metrics with it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from evaluation.published_files import damage_told
from models.errors import InputError

HUMANEVAL, ICE = "humaneval-python", "ice-python"
GRADE = "grade-"
PUBLISHED = "published_"  # what arms begin with whose scores came with the programs


@dataclass(frozen=True, slots=True)
class GradedProgram:
    """What was written for a problem, a solution that is right, and whether it passes the tests.

    `intent` is what the problem asks for, in words. `published` holds scores by metric.
    """

    problem: str
    author: str
    intent: str
    text: str
    reference: str
    passed: bool
    published: Mapping[str, float] = field(default_factory=dict)


# The scores of some programs by arm, a list for each in the order of the programs; NaN where there
# is none.
ScorePrograms = Callable[[Sequence[GradedProgram]], Mapping[str, list[float]]]


def read_humaneval(data: Path) -> list[GradedProgram]:
    """Those of CodeBERTScore, in order. Raises `InputError` where they are not there, or damaged.

    Line i of each text belongs to the problem and the author in `line_info[i]`.
    """
    folder = data / "codebertscore"
    grades, *texts = (
        read(folder / f"humaneval_{name}")
        for name in ("meta.json", "hyps.txt", "refs.txt", "srcs.txt")
    )

    def programs() -> list[GradedProgram]:
        meta = json.loads(grades)
        places = [meta["line_info"][str(line)] for line in range(len(meta["line_info"]))]
        # Only a line feed ends a line: programs hold other characters that `splitlines` would take.
        columns = [text.split("\n")[: len(places)] for text in texts]
        return [
            GradedProgram(
                problem=str(problem),
                author=author,
                intent=intent.strip(),
                text=text.strip(),
                reference=reference.strip(),
                passed=bool(meta[str(problem)][author]["execution"]),
            )
            for (problem, author), text, reference, intent in zip(places, *columns, strict=True)
        ]

    return understood(folder / "humaneval_meta.json", programs)


def read_ice(data: Path) -> list[GradedProgram]:
    """Those of ICE-Score, in order. Raises `InputError` where they are not there, or damaged."""
    file = data / "ice-score" / "humaneval_python_grade.json"
    text = read(file)

    def programs() -> list[GradedProgram]:
        return [
            GradedProgram(
                problem=record["task_id"],
                author=author,
                intent=record["intent"],
                text=record[author],
                reference=record["snippet"][0],
                passed=bool(record[f"{GRADE}{author}"]["execution"]),
                published=published(record, author),
            )
            for record in json.loads(text)
            for author in (key.removeprefix(GRADE) for key in record if key.startswith(GRADE))
        ]

    return understood(file, programs)


READERS: Mapping[str, Callable[[Path], list[GradedProgram]]] = {
    HUMANEVAL: read_humaneval,
    ICE: read_ice,
}


def published(record: Mapping[str, Any], author: str) -> dict[str, float]:
    """The scores of one author's program by metric."""
    end = f"-{author}"
    return {
        key.removesuffix(end): float(value)
        for key, value in record.items()
        if key.endswith(end) and isinstance(value, int | float)
    }


def read(file: Path) -> str:
    if not file.is_file():
        raise InputError(
            f"there is no {file.parent.name}/{file.name} in {file.parent.parent}; "
            "name the folder that has it"
        )
    with damage_told(file):
        return file.read_bytes().decode("utf-8")


def understood(file: Path, programs: Callable[[], list[GradedProgram]]) -> list[GradedProgram]:
    """What `programs` makes of a file, if that has the form it should have."""
    with damage_told(file):
        try:
            found = programs()
        except (LookupError, TypeError, AttributeError):
            found = []
        if not found:
            raise ValueError("its programs have another form")
        return found


def by_problem(programs: Sequence[GradedProgram]) -> dict[str, list[GradedProgram]]:
    """Problems in the order of their first programs."""
    found: dict[str, list[GradedProgram]] = {}
    for program in programs:
        found.setdefault(program.problem, []).append(program)
    return found


def published_scores(programs: Sequence[GradedProgram]) -> dict[str, list[float]]:
    """Those that came with the programs, under their own names."""
    return {
        f"{PUBLISHED}{name}": [program.published.get(name, nan) for program in programs]
        for name in programs[0].published
    }
