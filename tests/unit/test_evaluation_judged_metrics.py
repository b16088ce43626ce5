"""A judge among the metrics: its arms, what is not judged, and which programs it reads."""

import json
from math import isnan
from pathlib import Path

import pytest

from evaluation.benchmarks.metrics import (
    BASELINE,
    MetricsOptions,
    Scored,
    rows_of,
    run_metrics,
    scored_by,
)
from evaluation.graded_programs import HUMANEVAL, ICE, GradedProgram
from evaluation.judges.judge import Judge
from evaluation.judges.kept_answers import KeptAnswers
from evaluation.judges.values import Answer, Message, NoAnswer, RatingToken
from evaluation.metrics.arms import overlap_scores
from evaluation.metrics.judged import judge_scores
from models.progress import ignore_progress

ARMS = [
    f"judge_{aspect}{reference}{plain}"
    for aspect in ("usefulness", "correctness")
    for reference in ("", "_reference")
    for plain in ("", "_plain")
]


class Reader:
    """Rates code by the number in it, half a level above; `silent` code gets no answer."""

    name = "reader"
    identity = "reader"
    at_once = 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, conversation: tuple[Message, ...], limit: int) -> Answer:
        self.asked.append(conversation[0].content)
        code = conversation[0].content.partition("# Code to rate\n\n")[2].partition("\n")[0]
        if "silent" in code:
            raise NoAnswer("too long")
        rating = int(code[-1])
        odds = [0.0] * 5
        odds[rating] = odds[rating + 1] = 0.5
        return Answer(str(rating), (RatingToken(rating, tuple(odds)),))


def program(text: str, *, passed: bool) -> GradedProgram:
    return GradedProgram("0", "someone", "Return it.", text, "return x", passed)


def test_each_aspect_is_rated_without_and_with_the_reference() -> None:
    reader = Reader()
    judge = Judge(reader, KeptAnswers(None, ""))
    found = judge_scores(judge, [program("return 1", passed=False), program("x3", passed=True)])
    assert list(found) == ARMS
    assert found["judge_usefulness"] == [1.5, 3.5]
    assert found["judge_correctness_reference_plain"] == [1.0, 3.0]
    assert sum("return x" in question for question in reader.asked) == len(reader.asked) // 2


def test_what_is_not_judged_is_left_out_with_its_label() -> None:
    judge = Judge(Reader(), KeptAnswers(None, ""))
    programs = [program("silent", passed=True), program("return 2", passed=False)]
    assert isnan(judge_scores(judge, programs)["judge_usefulness"][0])
    for one in scored_by([lambda ones: judge_scores(judge, ones)], programs):
        assert one.problem().labels.tolist() == [0]
        assert one.scores in ([None, 2.0], [None, 2.5])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Both sets of graded programs, with one problem of two programs each."""
    (tmp_path / "codebertscore").mkdir()
    (tmp_path / "ice-score").mkdir()
    grades = {name: {"execution": passed} for name, passed in (("a", 0), ("b", 1))}
    meta = {"line_info": {"0": [0, "a"], "1": [0, "b"]}, "0": grades}
    (tmp_path / "codebertscore" / "humaneval_meta.json").write_text(json.dumps(meta))
    for name in ("hyps", "refs", "srcs"):
        (tmp_path / "codebertscore" / f"humaneval_{name}.txt").write_text("return 1\nreturn 3\n")
    record: dict[str, object] = {"task_id": "7", "intent": "Return it.", "snippet": ["return x"]}
    record |= {"5": "return 1", "grade-5": grades["a"], "6": "return 3", "grade-6": grades["b"]}
    (tmp_path / "ice-score" / "humaneval_python_grade.json").write_text(json.dumps([record]))
    return tmp_path


def test_problems_in_which_all_get_the_same_rating_are_told() -> None:
    apart, same = (
        Scored(BASELINE, [True, False], [3.0, 2.0]),
        Scored(BASELINE, [True, False], [3, 3]),
    )
    all_pass = Scored(BASELINE, [True, True], [3.0, 2.0])
    (row,) = rows_of(ICE, [[apart], [same], [same], [all_pass], [apart]], seed=0)
    assert row.metrics["problems_ranked"].value == 0.5
    assert row.metrics["kendall_example"].value == pytest.approx(1.0)


def test_correlations_that_ratings_have_none_of_are_left_out() -> None:
    same = Scored(BASELINE, [True, False], [3, 3])
    (row,) = rows_of(ICE, [[same]], seed=0)
    assert list(row.metrics) == ["problems_ranked"]


def test_the_judge_reads_the_programs_of_ice_score_alone(data: Path) -> None:
    judge = Judge(Reader(), KeptAnswers(None, ""))
    options = MetricsOptions(data)
    rows = run_metrics(options, "none", lambda: [overlap_scores], ignore_progress, judge).rows
    by_slice = {name: [one.arm for one in rows if one.slice == name] for name in (HUMANEVAL, ICE)}
    assert not [arm for arm in by_slice[HUMANEVAL] if arm.startswith("judge")]
    assert set(ARMS) <= set(by_slice[ICE])
    (row,) = (one for one in rows if one.arm == "judge_correctness" and one.slice == ICE)
    assert row.n == 2
    assert row.metrics["kendall_corpus"].value == pytest.approx(1.0)
