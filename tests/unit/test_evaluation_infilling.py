"""Infilling tasks, their judging, and the run over its arms."""

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.values import CompletionRequest
from evaluation.benchmarks.infilling import (
    InfillingOptions,
    attempt_all,
    choose_arms,
    run_infilling,
)
from evaluation.infilling import (
    Attempt,
    Completion,
    InfillingTask,
    compare,
    is_exact_match,
    program_of,
    read_tasks,
    sample_record,
    score,
)
from evaluation.programs import Outcome, run_program
from evaluation.results import to_json
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ignore_progress

DOUBLE = InfillingTask(
    task_id="Test/0/L0",
    entry_point="double",
    prompt="def double(x):\n",
    suffix="    return y\n",
    canonical_solution="    y = 2 * x\n",
    test="def check(candidate):\n    assert candidate(3) == 6\n",
)
PASSED, FAILED = Outcome("passed", "", "", 0.1), Outcome("failed", "AssertionError", "", 0.1)


def as_line(task: InfillingTask) -> str:
    names = InfillingTask.__dataclass_fields__
    return json.dumps({name: getattr(task, name) for name in names}) + "\n"


def attempt(arm: str, text: str, outcome: Outcome, tokens: int = 5) -> Attempt:
    return Attempt(arm, DOUBLE, Completion(text, tokens), outcome)


def test_tasks_are_read_from_a_file_or_its_folder_plain_or_compressed(tmp_path: Path) -> None:
    plain = tmp_path / "tasks.jsonl"
    plain.write_text(as_line(DOUBLE) * 3 + "\n", encoding="utf-8")
    packed = tmp_path / "HumanEval-SingleLineInfilling.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_tasks(plain) == read_tasks(packed) == read_tasks(tmp_path) == (DOUBLE,) * 3
    assert read_tasks(plain, limit=2) == (DOUBLE,) * 2
    assert read_tasks(plain, limit=20) == (DOUBLE,) * 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no tasks"),
        (b"not json\n", "cannot be read"),
        (b"[1, 2]\n", "a task is an object"),
        (b'{"task_id": "Test/0"}\n', "a task is an object"),
        (b"\xff\xfe\n", "cannot be read"),
    ],
)
def test_damaged_data_is_told_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_tasks(file)
    assert "\n" not in str(caught.value)


def test_a_cut_off_archive_is_told_as_such(tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl.gz"
    for content in (gzip.compress(as_line(DOUBLE).encode())[:-20], b"no archive"):
        file.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            read_tasks(file)


def test_missing_data_and_a_useless_limit_are_input_errors(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl"):
        with pytest.raises(InputError, match="there is no infilling data at"):
            read_tasks(path)
    with pytest.raises(InputError, match="at least one task"):
        read_tasks(tmp_path, limit=0)


def test_tasks_of_several_lines_are_drawn_from_the_whole_file(tmp_path: Path) -> None:
    tasks = [replace(DOUBLE, task_id=f"MultiLineInfilling/{number}") for number in range(50)]
    file = tmp_path / "tasks.jsonl"
    file.write_text("".join(map(as_line, tasks)), encoding="utf-8")
    drawn = read_tasks(file, limit=10)
    assert drawn == read_tasks(file, limit=10) != read_tasks(file, limit=10, seed=1)
    numbers = [tasks.index(task) for task in drawn]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 10 < max(numbers)
    assert not drawn[0].single_line


def test_lines_are_matched_whole() -> None:
    several = replace(DOUBLE, canonical_solution="    y = x\n    y += x\n")
    assert is_exact_match(several, "    y = x\n    y += x")
    assert not is_exact_match(several, "    y = x")


def test_an_exact_match_forgives_whitespace_at_the_end_alone() -> None:
    assert is_exact_match(DOUBLE, "    y = 2 * x  ")
    assert not is_exact_match(DOUBLE, "   y = 2 * x")
    assert not is_exact_match(DOUBLE, "    y = x * 2")


def test_a_right_line_passes_and_a_wrong_one_fails() -> None:
    assert run_program(program_of(DOUBLE, "    y = x + x")).passed
    assert run_program(program_of(DOUBLE, "    y = x")).status == "failed"
    assert run_program(program_of(DOUBLE, "")).status == "error"


def test_canonical_solutions_pass_and_a_missing_line_does_not(shared_data: Path) -> None:
    tasks = read_tasks(shared_data / "humaneval-infilling")
    assert len(tasks) == 1033
    for task in tasks[::150]:
        line = task.canonical_solution.rstrip("\n")
        assert is_exact_match(task, line)
        assert run_program(program_of(task, line)).passed, task.task_id
        wrong = line[: len(line) - len(line.lstrip())] + "raise ValueError"
        assert not run_program(program_of(task, wrong)).passed, task.task_id


def test_scores_are_rates_with_intervals() -> None:
    right, other = "    y = 2 * x", "    y = x + x"
    first = [attempt("a", right, PASSED), attempt("a", other, PASSED, tokens=7)]
    second = [attempt("b", right, PASSED), attempt("b", "", FAILED, tokens=1)]
    row = score("a", first, seed=0)
    assert (row.arm, row.slice, row.n) == ("a", "all", 2)
    assert {name: m.value for name, m in row.metrics.items()} == {
        "exact_match": 0.5,
        "pass_at_1": 1.0,
        "tokens": 6.0,
    }
    difference = compare(first, second, seed=0)
    assert difference.arm == "a - b"
    found = difference.metrics["pass_at_1"]
    assert found.value == 0.5
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high


def test_every_attempt_can_be_read_afterwards() -> None:
    record = sample_record(attempt("a", "    y = x", FAILED))
    assert record["expected"] == "    y = 2 * x"
    assert record["exact_match"] is False
    assert record["program"]["status"] == "failed"
    json.dumps(record)


def test_an_arm_gets_prompt_and_suffix_as_published_and_reports_its_tasks() -> None:
    asked: list[CompletionRequest] = []
    reported: list[int] = []

    def oracle(request: CompletionRequest) -> Completion:
        asked.append(request)
        return Completion("    y = 2 * x", 4)

    attempts = attempt_all("oracle", oracle, (DOUBLE, DOUBLE), reported.append)
    assert all(made.exact and made.outcome.passed for made in attempts)
    assert reported == [0, 1, 2]
    assert (asked[0].before, asked[0].after) == (DOUBLE.prompt, DOUBLE.suffix)
    assert asked[0].single_line


def test_unknown_arms_are_an_input_error() -> None:
    assert list(choose_arms(("transformers", "pirouette"))) == ["transformers", "pirouette"]
    with pytest.raises(InputError, match="there is no arm 'llama'"):
        choose_arms(("pirouette", "llama"))
    with pytest.raises(InputError, match="no arm was named"):
        choose_arms(())


@pytest.mark.model
def test_both_arms_write_the_same_line_with_the_real_model(
    default_model: LanguageModel, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    data, samples = tmp_path / "tasks.jsonl", tmp_path / "samples.jsonl"
    data.write_text(as_line(DOUBLE), encoding="utf-8")
    options = InfillingOptions(data, arms=("pirouette", "transformers"), samples=samples)
    seen: list[Progress] = []
    completer = Completer(default_model, CompletionOptions(max_tokens=24))
    result = to_json(run_infilling(options, lambda: completer, seen.append))
    arms = [(row["arm"], row["n"]) for row in result["rows"]]
    assert arms == [("pirouette", 1), ("transformers", 1), ("pirouette - transformers", 1)]
    assert seen[-1] == Progress("infilling", 2, 2)
    written: list[dict[str, Any]] = [json.loads(line) for line in samples.open(encoding="utf-8")]
    assert [record["arm"] for record in written] == ["pirouette", "transformers"]
    assert written[0]["completion"] == written[1]["completion"].rstrip()
    assert written[0]["tokens"] == written[1]["tokens"]


@pytest.mark.model
def test_without_transformers_the_install_command_is_told(
    default_model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "tasks.jsonl"
    data.write_text(as_line(DOUBLE), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "transformers", None)
    options = InfillingOptions(data, arms=("transformers",))
    with pytest.raises(InputError, match=r"pip install 'pirouette-lsp\[evaluation\]'"):
        run_infilling(options, lambda: Completer(default_model), ignore_progress)
