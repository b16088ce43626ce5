"""A judge's ratings as metrics of graded programs: each aspect, without a reference and with it.

The expected rating is the metric; the plain one beside it shows what the model's odds add.
"""

from collections.abc import Sequence
from math import nan

from evaluation.graded_programs import GradedProgram
from evaluation.judges.judge import Judge
from evaluation.judges.values import Aspect, JudgeTask

PLAIN = "_plain"
WITH_REFERENCE = "_reference"


def judge_scores(judge: Judge, programs: Sequence[GradedProgram]) -> dict[str, list[float]]:
    """By arm the ratings of all programs in order, NaN for one that was not judged."""
    found: dict[str, list[float]] = {}
    for aspect in Aspect:
        for end in ("", WITH_REFERENCE):
            tasks = [
                JudgeTask(one.intent, one.text, one.reference if end else None) for one in programs
            ]
            judged = judge.judge(tasks, aspect)
            arm = f"judge_{aspect.value}{end}"
            found[arm] = [number(one.expected) for one in judged]
            found[f"{arm}{PLAIN}"] = [number(one.rating) for one in judged]
    return found


def number(rating: float | None) -> float:
    return nan if rating is None else float(rating)
