"""Samples for the rule of confidence: how a line was written, and whether it was the right one.

A point is a line of a real file with its rest held out; the whole pipeline is asked there as an
editor would ask. A long collection may be cut off; it goes on from its file.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from completion.confidence import LineFeatures
from completion.pipeline import Completer
from completion.values import CompletionRequest
from evaluation.edit_cases import TRIES, draw_spot
from evaluation.kept_results import read_records
from evaluation.repositories import Repository
from evaluation.results import require_writable
from models.errors import InputError
from models.progress import Progress, ProgressCallback

TYPED_BELOW = 12  # characters of the line


@dataclass(frozen=True, slots=True)
class Point:
    """A request inside a line, and the rest of that line in truth."""

    repository: str
    request: CompletionRequest
    truth: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What came of the point of that number: whether there was text, and the right first line."""

    number: int
    repository: str
    shown: bool
    right: bool
    features: LineFeatures | None


def draw_points(repositories: Sequence[Repository], count: int, seed: int) -> dict[int, Point]:
    """Points by number, the repositories taking turns; the same for a seed, however many.

    Half of them stand at the line's start, the others up to eleven characters into it. A number is
    missing where no line could be found.
    """
    points: dict[int, Point] = {}
    for number in range(count if repositories else 0):
        choose = random.Random(f"{seed}/{number}")  # noqa: S311 - draws points
        repository = repositories[number % len(repositories)]
        if (point := draw_point(repository, choose)) is not None:
            points[number] = point
    return points


def draw_point(repository: Repository, choose: random.Random) -> Point | None:
    for _ in range(TRIES if repository.files else 0):
        if (spot := draw_spot(repository, choose)) is not None:
            code = spot.line.strip()
            typed = choose.choice([0, choose.randrange(1, min(TYPED_BELOW, len(code) - 2))])
            return Point(repository.name, spot.request(typed=code[:typed]), code[typed:])
    return None


def ask(completer: Completer, number: int, point: Point) -> Sample:
    """The sample of one point; the document is then closed, as if it had never been open."""
    suggestion = completer.complete(point.request)
    completer.close(point.request.document)
    first_line = suggestion.text.partition("\n")[0]
    return Sample(
        number,
        point.repository,
        shown=bool(suggestion.text),
        right=first_line.rstrip() == point.truth,
        features=suggestion.features,
    )


def collect(
    completer: Completer,
    points: dict[int, Point],
    path: Path,
    run: str,
    progress: ProgressCallback,
) -> list[Sample]:
    """The sample of every point; those that the file has of this run are not made again."""
    require_writable(path)
    known = {sample.number: sample for sample in read_samples(path, run)} if path.exists() else {}
    samples: list[Sample] = []
    for done, (number, point) in enumerate(points.items()):
        progress(Progress("collecting", done, len(points)))
        sample = known.get(number)
        if sample is None:
            sample = ask(completer, number, point)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"run": run, **asdict(sample)}) + "\n")
        samples.append(sample)
    progress(Progress("collecting", len(points), len(points)))
    return samples


def read_samples(path: Path, run: str | None = None) -> list[Sample]:
    """What a file holds, all of one run, of the one named `run` if given.

    A last line that was cut off is dropped, from the file as well.
    """
    samples: list[Sample] = []
    runs = set() if run is None else {run}

    def take(record: dict[str, Any]) -> None:
        of_run, features = record.pop("run"), record.pop("features")
        sample = Sample(features=LineFeatures(**features) if features else None, **record)
        if runs and of_run not in runs:
            raise InputError(
                f"{path} holds samples of {of_run}, not of {min(runs)}; name another file"
            )
        runs.add(of_run)
        samples.append(sample)

    try:
        read_records(path, "samples", take)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); collect samples") from None
    return samples
