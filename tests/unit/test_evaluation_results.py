"""The JSON form and the table of results, and what they tell of where they were made."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console

from evaluation.provenance import own_commit, processor, shown_command, this_machine
from evaluation.results import (
    BenchResult,
    Metric,
    Row,
    rate,
    render_table,
    require_writable,
    to_json,
    write_json_lines,
)
from models.errors import InputError

RESULT = BenchResult(
    bench="infilling",
    commit="0123456789abcdef-dirty",
    machine="A Processor, 2 cores, 2 torch threads",
    command="pirouette bench infilling --limit 200",
    seed=7,
    rows=(
        Row("pirouette", "all", 200, {"exact_match": Metric(0.41, 0.36, 0.46)}),
        Row("[peer]", "all", 200, {"exact_match": Metric(0.4, 0.35, 0.45), "ms": Metric(123.45)}),
    ),
)


def test_json_has_the_one_form_of_every_benchmark() -> None:
    assert json.loads(json.dumps(to_json(RESULT))) == {
        "bench": "infilling",
        "commit": "0123456789abcdef-dirty",
        "machine": "A Processor, 2 cores, 2 torch threads",
        "command": "pirouette bench infilling --limit 200",
        "seed": 7,
        "rows": [
            {
                "arm": "pirouette",
                "slice": "all",
                "n": 200,
                "metrics": {"exact_match": {"value": 0.41, "low": 0.36, "high": 0.46}},
            },
            {
                "arm": "[peer]",
                "slice": "all",
                "n": 200,
                "metrics": {
                    "exact_match": {"value": 0.4, "low": 0.35, "high": 0.45},
                    "ms": {"value": 123.45, "low": None, "high": None},
                },
            },
        ],
    }


def test_the_table_shows_intervals_and_takes_names_literally() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(render_table(RESULT))
    text = capture.get()
    assert "0.410 [0.360, 0.460]" in text
    assert "[peer]" in text
    assert "123.5" in text or "123.4" in text
    assert "0123456789ab-dirty" in text


def test_a_rate_comes_with_its_interval() -> None:
    half = rate([True, False] * 50)
    assert half.value == 0.5
    assert half.low == pytest.approx(0.404, abs=1e-3)
    assert half.high == pytest.approx(0.596, abs=1e-3)


def test_json_lines_replace_the_file_only_once_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    write_json_lines(path, [{"a": 1}, {"b": "é"}])
    assert path.read_text(encoding="utf-8") == '{"a": 1}\n{"b": "é"}\n'
    with pytest.raises(TypeError):
        write_json_lines(path, [{"a": 2}, {"b": object()}])
    assert path.read_text(encoding="utf-8").startswith('{"a": 1}')
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named_before_the_run(tmp_path: Path) -> None:
    require_writable(tmp_path / "new.jsonl")
    for path in (tmp_path, tmp_path / "missing" / "new.jsonl"):
        with pytest.raises(InputError, match="name a file in a folder that exists"):
            require_writable(path)


def test_a_command_is_text_whatever_its_paths_are() -> None:
    assert shown_command(["eval", "a b", "/home/x/caf\udce9"]) == "pirouette eval 'a b' 'caf?'"


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *name, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_git_runs_no_program_that_a_repository_names(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    watcher = tmp_path / "watcher"
    watcher.write_text("#!/bin/sh\ntouch run\n")
    watcher.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(watcher))
    assert own_commit(tmp_path)
    assert not (tmp_path / "run").exists()


def test_the_commit_is_that_of_the_checkout_and_tells_of_changes(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert own_commit(tmp_path) == commit
    (tmp_path / "file").write_text("two")
    assert own_commit(tmp_path) == f"{commit}-dirty"


def test_inside_somebody_elses_checkout_the_version_counts(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    installed = tmp_path / "site-packages"
    installed.mkdir()
    assert own_commit(installed) == version("pirouette-lsp")


def test_the_machine_is_named_by_its_parts_alone(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    assert processor(cpuinfo) == "Some CPU @ 2 GHz"
    assert processor(tmp_path / "absent")
    assert "core" in this_machine()
    assert "torch thread" in this_machine()


def test_the_shown_command_leaves_out_the_folders_of_the_machine() -> None:
    arguments = ["bench", "infilling", "--data", "/home/me/data/he", "--samples=/tmp/s.jsonl"]
    assert shown_command(arguments) == "pirouette bench infilling --data he --samples=s.jsonl"
    assert shown_command(["bench", "infilling", "--data", "../he"]) == (
        "pirouette bench infilling --data ../he"
    )
