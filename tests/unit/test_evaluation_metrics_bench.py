"""The benchmark of metrics, and the programs it judges them by."""

import json
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from evaluation.benchmarks.metrics import MetricsOptions, run_metrics
from evaluation.graded_programs import (
    GradedProgram,
    by_problem,
    published_scores,
    read_humaneval,
    read_ice,
)
from evaluation.metrics.arms import overlap_scores
from models.errors import InputError
from models.progress import ignore_progress
from tests.conftest import SHARED_DATA

SOLUTIONS = {"add": "return a + b", "largest": "return max(xs)", "pair": "return a, b"}
WRITTEN = {
    "add": [("1", "return a + b\x0c", 1), ("2", "return a - b", 0), ("3", "pass", 0)],
    "largest": [
        ("1", "return xs[0]", 0),
        ("2", "return max(xs)", 1),
        ("3", "return sorted(xs)", 0),
    ],
    "pair": [("1", "return (a, b)", 1), ("2", "return a", 0), ("3", "return 0", 0)],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three problems, three programs each, as both sets are published."""
    flat, ice = tmp_path / "codebertscore", tmp_path / "ice-score"
    flat.mkdir()
    ice.mkdir()
    lines = [
        (number, author, text, SOLUTIONS[problem], f"Write {problem}.", passed)
        for number, (problem, programs) in enumerate(WRITTEN.items())
        for author, text, passed in programs
    ]
    meta: dict[str, object] = {
        "line_info": {str(index): list(line[:2]) for index, line in enumerate(lines)}
    }
    for number in range(len(WRITTEN)):
        of_problem = [line for line in lines if line[0] == number]
        meta[str(number)] = {line[1]: {"execution": line[5]} for line in of_problem}
    (flat / "humaneval_meta.json").write_text(json.dumps(meta))
    for name, column in (("hyps", 2), ("refs", 3), ("srcs", 4)):
        text = "".join(f"{line[column]}\n" for line in lines)
        (flat / f"humaneval_{name}.txt").write_bytes(text.encode())
    records = [
        {
            "task_id": problem,
            "intent": f"Write {problem}.",
            "snippet": [SOLUTIONS[problem]],
            **{author: text for author, text, _ in programs},
            **{f"grade-{author}": {"execution": passed} for author, _, passed in programs},
            **{f"bleu-{author}": 0.5 * passed for author, _, passed in programs},
            **{f"raw_judge-{author}": "four" for author, _, _ in programs},
        }
        for problem, programs in WRITTEN.items()
    ]
    (ice / "humaneval_python_grade.json").write_text(json.dumps(records))
    return tmp_path


def test_both_sets_are_read_alike(data: Path) -> None:
    flat, ice = read_humaneval(data), read_ice(data)
    assert [(one.author, one.text, one.reference, one.passed) for one in flat] == [
        (one.author, one.text.strip(), one.reference, one.passed) for one in ice
    ]
    assert [len(ones) for ones in by_problem(flat).values()] == [3, 3, 3]
    assert ice[0].published == {"bleu": 0.5}
    assert flat[0].intent == "Write add."


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the benchmark data is not on this machine")
def test_the_published_sets_are_whole() -> None:
    flat, ice = read_humaneval(SHARED_DATA), read_ice(SHARED_DATA)
    assert (len(flat), len(ice)) == (12_973, 3_220)
    assert [len(by_problem(programs)) for programs in (flat, ice)] == [161, 161]


def test_arms_are_measured_against_dice_on_each_set(data: Path) -> None:
    result = run_metrics(
        MetricsOptions(data), "none", lambda: [overlap_scores, published_scores], ignore_progress
    )
    rows = {(row.arm, row.slice): row for row in result.rows}
    assert result.bench == "metrics"
    assert rows["dice", "humaneval-python"].metrics["tau_within"].value == pytest.approx(1)
    assert rows["chrf - dice", "humaneval-python"].metrics["spearman"].value <= 0
    assert rows["dice", "humaneval-python"].n == 9
    assert rows["dice", "humaneval-python held out"].n == 6
    assert set(rows["dice", "ice-python"].metrics) == {
        "kendall_example",
        "kendall_corpus",
        "problems_ranked",
    }
    assert rows["published_bleu", "ice-python"].metrics["kendall_corpus"].value == pytest.approx(1)
    assert ("published_bleu - dice", "ice-python") not in rows


def test_a_difference_is_of_the_programs_that_both_have_scores_of(data: Path) -> None:
    """An arm that is dice itself, but for what it has no score of, is no better and no worse."""

    def scores(programs: Sequence[GradedProgram]) -> dict[str, list[float]]:
        dice = overlap_scores(programs)["dice"]
        return {"dice": dice, "some": [dice[0], nan, *dice[2:]]}

    result = run_metrics(MetricsOptions(data), "none", lambda: [scores], ignore_progress)
    rows = {(row.arm, row.slice): row for row in result.rows}
    for name in ("humaneval-python", "ice-python"):
        difference = rows["some - dice", name]
        assert difference.n == 6
        assert {found.value for found in difference.metrics.values()} == {0}


def test_scores_that_were_not_published_of_all_programs_are_missing(data: Path) -> None:
    programs = read_ice(data)
    some = [programs[0], replace(programs[1], published={})]
    assert published_scores(some)["published_bleu"] == [0.5, pytest.approx(nan, nan_ok=True)]


def test_a_run_that_was_cut_off_goes_on(data: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    asked: list[str] = []

    def scores(programs: Sequence[GradedProgram]) -> dict[str, list[float]]:
        asked.append(programs[0].problem)
        return overlap_scores(programs)

    def run(limit: int | None) -> object:
        options = MetricsOptions(data, limit=limit, samples=samples)
        return run_metrics(options, "none", lambda: [scores], ignore_progress).rows

    run(1)
    assert asked == ["0", "add"]
    first = run(None)
    assert len(asked) == 6
    assert run(None) == first
    assert len(asked) == 6


def test_missing_or_damaged_data_is_told_in_one_line(data: Path) -> None:
    (data / "ice-score" / "humaneval_python_grade.json").write_text('[{"task_id": "add"}]')
    with pytest.raises(InputError, match=r"_grade.json cannot be read \(its programs"):
        run_metrics(MetricsOptions(data), "none", lambda: [overlap_scores], ignore_progress)
    with pytest.raises(InputError, match=r"there is no codebertscore/humaneval_meta.json in"):
        read_humaneval(data / "elsewhere")
