"""What is thought of completions: by parsers and a type checker, and by models that are asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from completion.values import PYTHON
from evaluation.judges.judge import Judge
from evaluation.judges.values import JudgeTask
from evaluation.metrics.codebertscore import CodeBertScorer, CodePair
from evaluation.metrics.parsing import parses
from evaluation.new_faults import NewFaults, filled, new_faults
from evaluation.points.kinds import PointKind
from evaluation.points.results import Checked, Completed, Judged
from evaluation.points.sampling import HeldOut
from evaluation.repositories import Repository
from lsp_server.documents import language_of
from models.progress import ProgressCallback

CONTEXT_LINES = 12
CURSOR = "<cursor>"


@dataclass(frozen=True, slots=True)
class Scorers:
    """Who compares completions with the truth, beside what needs no model; None for nobody."""

    codebertscore: CodeBertScorer | None = None
    judge: Judge | None = None


NO_SCORERS = Scorers()


def check_all(
    places: Sequence[HeldOut],
    completed: Sequence[Sequence[Completed]],
    repository: Repository,
    environment: Path | None,
    progress: ProgressCallback,
) -> list[Judged]:
    """Every completion, arm by arm at each place, and whether the file with its first text in it
    is right. What the repository imports is looked up in the `environment`."""
    numbers = [n for n, place in enumerate(places) if language_of(Path(place.path)) == PYTHON]
    checkable = [places[n] for n in numbers]
    texts = [[one.texts[0] for one in completed[n]] for n in numbers]
    faults = new_faults(checkable, texts, [repository], progress, environment, filled)
    known = dict(zip(numbers, faults, strict=True))
    return [
        Judged(place, one, checked(place, one.texts[0], fault))
        for n, place in enumerate(places)
        for one, fault in zip(completed[n], known.get(n, [None] * len(completed[n])), strict=True)
    ]


def checked(place: HeldOut, text: str, faults: NewFaults | None) -> Checked:
    parsed = None
    if parses(place.before + place.truth + place.after, place.path):
        parsed = parses(place.before + text + place.after, place.path)
    is_right = None if faults is None else not (faults.names or faults.syntax)
    return Checked(parsed, is_right)


def score_all(
    judged: Sequence[Judged], scorers: Scorers, progress: ProgressCallback
) -> list[Judged]:
    """The same with what the scorers say of each text as it is compared with the truth."""
    scores: list[float | None] = [None] * len(judged)
    ratings: list[float | None] = [None] * len(judged)
    if scorers.codebertscore is not None:
        pairs = [CodePair(one.text, one.place.truth, context_of(one.place)) for one in judged]
        scores = [score.f3 for score in scorers.codebertscore.score(pairs, progress)]
    if scorers.judge is not None:
        tasks = [JudgeTask(problem_of(one.place), one.text, one.place.truth) for one in judged]
        ratings = [judgement.expected for judgement in scorers.judge.judge(tasks)]
    return [
        replace(one, codebertscore=score, judge=rating)
        for one, score, rating in zip(judged, scores, ratings, strict=True)
    ]


def context_of(place: HeldOut) -> str:
    """The lines that a completion is read after."""
    return "\n".join(place.before.split("\n")[-CONTEXT_LINES:])


def problem_of(place: HeldOut) -> str:
    """What a judge is told of a place."""
    above, below = context_of(place), "\n".join(place.after.split("\n")[:CONTEXT_LINES])
    what = "block" if place.kind is PointKind.BLOCK else "rest of the line"
    return f"Write the {what} in the place of {CURSOR} in this file:\n{above}{CURSOR}{below}"
