"""HumanEval infilling: its tasks, its judging, and the run over its arms."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluation.benchmarks.published import PublishedOptions, run_published
from evaluation.loaders.humaneval import HUMANEVAL, judge, program_of
from evaluation.programs import run_program
from evaluation.results import to_json
from evaluation.tasks import Task
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ignore_progress

DOUBLE = {
    "task_id": "Test/0/L0",
    "entry_point": "double",
    "prompt": "def double(x):\n",
    "suffix": "    return y\n",
    "canonical_solution": "    y = 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n",
}


def as_line(**other: str) -> str:
    return json.dumps(DOUBLE | other) + "\n"


def double(tmp_path: Path, **other: str) -> Task:
    file = tmp_path / "one.jsonl"
    file.write_text(as_line(**other), encoding="utf-8")
    return HUMANEVAL.read(file)[0]


def test_tasks_are_read_from_a_file_or_its_folder_plain_or_compressed(tmp_path: Path) -> None:
    plain = tmp_path / "tasks.jsonl"
    plain.write_text(as_line() * 3 + "\n", encoding="utf-8")
    packed = tmp_path / "HumanEval-SingleLineInfilling.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    tasks = HUMANEVAL.read(plain)
    assert tasks == HUMANEVAL.read(packed) == HUMANEVAL.read(tmp_path)
    assert len(tasks) == 3
    task = tasks[0]
    assert (task.prefix, task.suffix) == (DOUBLE["prompt"], DOUBLE["suffix"])
    assert (task.truth, task.single_line) == ("    y = 2 * x", True)
    assert HUMANEVAL.choose(tasks, 2, 0) == tasks[:2]
    assert HUMANEVAL.choose(tasks, 20, 0) == tasks


def test_a_cut_off_archive_is_told_as_such(tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl.gz"
    for content in (gzip.compress(as_line().encode())[:-20], b"no archive"):
        file.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            HUMANEVAL.read(file)


def test_tasks_of_several_lines_are_drawn_from_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    lines = [as_line(task_id=f"MultiLineInfilling/{number}") for number in range(50)]
    file.write_text("".join(lines), encoding="utf-8")
    tasks = HUMANEVAL.read(file)
    drawn = HUMANEVAL.choose(tasks, 10, 0)
    assert drawn == HUMANEVAL.choose(tasks, 10, 0) != HUMANEVAL.choose(tasks, 10, 1)
    numbers = [tasks.index(task) for task in drawn]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 10 < max(numbers)
    assert not drawn[0].single_line


def test_lines_are_matched_whole(tmp_path: Path) -> None:
    several = double(tmp_path, canonical_solution="    y = x\n    y += x\n")
    assert judge(several, "    y = x\n    y += x").scores["exact_match"]
    assert not judge(several, "    y = x").scores["exact_match"]


def test_an_exact_match_forgives_whitespace_at_the_end_alone(tmp_path: Path) -> None:
    task = double(tmp_path)
    assert judge(task, "    y = 2 * x  ").scores["exact_match"]
    assert not judge(task, "   y = 2 * x").scores["exact_match"]
    assert not judge(task, "    y = x * 2").scores["exact_match"]


def test_a_right_line_passes_and_a_wrong_one_fails(tmp_path: Path) -> None:
    task = double(tmp_path)
    assert judge(task, "    y = x + x").scores == {"exact_match": False, "pass_at_1": True}
    wrong = judge(task, "    y = x")
    assert not wrong.scores["pass_at_1"]
    assert wrong.note == "AssertionError"
    assert "NameError" in judge(task, "").note


def test_canonical_solutions_pass_and_a_missing_line_does_not(shared_data: Path) -> None:
    tasks = HUMANEVAL.read(shared_data / "humaneval-infilling")
    assert len(tasks) == 1033
    for task in tasks[::150]:
        assert judge(task, task.truth).scores == {"exact_match": True, "pass_at_1": True}
        wrong = task.truth[: len(task.truth) - len(task.truth.lstrip())] + "raise ValueError"
        assert not run_program(program_of(task, wrong)).passed, task.task_id


@pytest.mark.model
def test_both_arms_write_the_same_line_with_the_real_model(
    default_model: LanguageModel, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    data, samples = tmp_path / "tasks.jsonl", tmp_path / "samples.jsonl"
    data.write_text(as_line(), encoding="utf-8")
    options = PublishedOptions(data, transformers=True, samples=samples)
    seen: list[Progress] = []
    result = to_json(run_published(HUMANEVAL, options, lambda: default_model, seen.append))
    arms = [(row["arm"], row["n"]) for row in result["rows"]]
    assert arms == [("pirouette", 1), ("transformers", 1), ("pirouette - transformers", 1)]
    assert seen[-1] == Progress("infilling", 1, 1)
    (record,) = map(json.loads, samples.open(encoding="utf-8"))
    made: list[dict[str, Any]] = record["reached"]
    assert [one["engine"] for one in made] == ["pirouette", "transformers"]
    assert made[0]["completion"] == made[1]["completion"].rstrip()
    assert made[0]["tokens"] == made[1]["tokens"]


@pytest.mark.model
def test_without_transformers_the_install_command_is_told(
    default_model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "tasks.jsonl"
    data.write_text(as_line(), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "transformers", None)
    options = PublishedOptions(data, transformers=True)
    with pytest.raises(InputError, match=r"pip install 'pirouette-lsp\[evaluation\]'"):
        run_published(HUMANEVAL, options, lambda: default_model, ignore_progress)
