"""The one runner of all benchmarks with published files: arms, rows, and a run that goes on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.benchmarks.published import PublishedOptions, run_published
from evaluation.benchmarks.py150_tokens import (
    BLOCK,
    FileScore,
    accuracy,
    laid_out,
    likeliest_tokens,
    run_py150_tokens,
)
from evaluation.http_engine import PeerEndpoint
from evaluation.loaders.crosscodeeval import CROSSCODEEVAL
from evaluation.loaders.protocols import protocol_named
from evaluation.loaders.py150 import read_files
from evaluation.loaders.repobench import REPOBENCH
from evaluation.published_results import Attempt, rows_of
from evaluation.results import to_json
from lsp_server.bench_command import PUBLISHED
from lsp_server.cli import build_parser, main
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import ignore_progress
from tests.unit.completion_helpers import load_tiny_model, write_model
from tests.unit.test_evaluation_http_engine import scripted
from tests.unit.test_evaluation_loaders import CHUNKS, CROSS_ROW, REPOBENCH_ROW, write_lines


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def attempt(engine: str, prompt: str, task: str, **other: Any) -> Attempt:
    scores = {"exact_match": task == "1", "edit_similarity": 0.5} | other.pop("scores", {})
    given: dict[str, Any] = {
        "part": "all",
        "completion": "",
        "answer": "",
        "truth": "",
        "tokens": 2,
    }
    return Attempt(engine, prompt, task, scores=scores, **(given | other))


def test_rates_and_means_have_intervals_and_differences_are_paired() -> None:
    attempts = [
        attempt("ours", "in-file", "1"),
        attempt("theirs", "in-file", "1", scores={"exact_match": False}, tokens=5),
        attempt("ours", "in-file", "2"),
        attempt("theirs", "in-file", "2", scores={"edit_similarity": 0.25}),
    ]
    ours, theirs, difference = rows_of(attempts, seed=0)
    assert [row.arm for row in (ours, theirs, difference)] == ["ours", "theirs", "ours - theirs"]
    assert {name: found.value for name, found in ours.metrics.items()} == {
        "exact_match": 0.5,
        "edit_similarity": 0.5,
        "tokens": 2.0,
    }
    assert {name: found.value for name, found in difference.metrics.items()} == {
        "exact_match": 0.5,
        "edit_similarity": 0.125,
        "tokens": -1.5,
    }
    for row in (ours, difference):
        for found in row.metrics.values():
            assert found.low is not None
            assert found.high is not None
            assert found.low <= found.value <= found.high


def test_every_way_to_ask_is_an_arm_and_every_part_a_slice() -> None:
    attempts = [
        attempt(engine, prompt, f"{part}{number}", part=part)
        for part in ("line", "api")
        for number in range(2)
        for engine in ("ours", "theirs")
        for prompt in ("in-file", "cross-file")
    ]
    rows = list(rows_of(attempts, seed=0))
    assert [row.arm for row in rows if row.slice == "all"] == [
        *("ours, in-file", "ours, cross-file", "theirs, in-file", "theirs, cross-file"),
        *("ours, in-file - theirs, in-file", "ours, cross-file - theirs, cross-file"),
        *("ours, cross-file - ours, in-file", "theirs, cross-file - theirs, in-file"),
    ]
    assert {(row.slice, row.n) for row in rows} == {("all", 4), ("line", 2), ("api", 2)}


def test_a_peer_gets_the_same_texts_and_stands_beside_in_the_same_run(
    tiny_model: LanguageModel, tmp_path: Path
) -> None:
    rows = [
        CROSS_ROW | {"metadata": CROSS_ROW["metadata"] | {"task_id": str(number)}}
        for number in range(3)
    ]
    rows[0] |= {"crossfile_context": {"text": "", "list": CHUNKS[:1]}}
    data = write_lines(tmp_path / "line_completion_rg1_bm25.jsonl", rows)
    right = json.dumps({"content": "rate_of('book')\n", "tokens_predicted": 5}).encode()
    with scripted(lambda *_: (200, right)) as (url, asked):
        options = PublishedOptions(data, endpoint=PeerEndpoint("llama.cpp", url))
        result = run_published(CROSSCODEEVAL, options, lambda: tiny_model, ignore_progress)
    found = {row.arm: row.metrics["exact_match"].value for row in result.rows}
    assert found["llama.cpp, in-file"] == found["llama.cpp, cross-file"] == 1.0
    assert found["pirouette, in-file - llama.cpp, in-file"] == found["pirouette, in-file"] - 1.0
    prompts = [question["input_prefix"] for path, question in asked if path == "/infill"]
    assert len(prompts) == 6
    assert prompts[0] == CROSS_ROW["prompt"]
    assert prompts[1].startswith("# Here are some relevant code fragments")
    assert prompts[1].endswith(prompts[0])
    assert prompts[3] == prompts[2]  # nothing was found for it


def test_a_run_that_was_cut_off_goes_on(tiny_model: LanguageModel, tmp_path: Path) -> None:
    data = write_lines(tmp_path / "in_file.jsonl", [REPOBENCH_ROW] * 4)
    samples = tmp_path / "samples.jsonl"
    answers = iter([b'{"content": "x", "tokens_predicted": 1}'] * 2)

    def answer(path: str, _: object) -> tuple[int, bytes]:
        return (200, b"{}") if path == "/health" else (200, next(answers, b"gone"))

    with scripted(answer) as (url, _):
        options = PublishedOptions(data, samples=samples, endpoint=PeerEndpoint("llama.cpp", url))
        with pytest.raises(InputError, match="does not complete"):
            run_published(REPOBENCH, options, lambda: tiny_model, ignore_progress)
        assert len(samples.read_text().splitlines()) == 2
        answers = iter([b'{"content": "x", "tokens_predicted": 1}'] * 2)
        result = run_published(REPOBENCH, options, lambda: tiny_model, ignore_progress)
    assert [(row.arm, row.n) for row in result.rows][:2] == [("pirouette", 4), ("llama.cpp", 4)]
    other = replace(options, endpoint=None)
    with pytest.raises(InputError, match="results of another run"):
        run_published(REPOBENCH, other, lambda: tiny_model, ignore_progress)


def test_what_cannot_be_used_is_told_before_the_model_is_loaded(tmp_path: Path) -> None:
    data = write_lines(tmp_path / "in_file.jsonl", [REPOBENCH_ROW])

    def load() -> LanguageModel:
        raise AssertionError("it was loaded")

    for options, told in (
        (PublishedOptions(tmp_path / "absent"), "there is no RepoBench data"),
        (PublishedOptions(data, limit=0), "at least one task"),
        (PublishedOptions(data, samples=tmp_path / "no" / "file"), "cannot be written"),
        (PublishedOptions(data, endpoint=PeerEndpoint("openai", "http://127.0.0.1:1")), "refused"),
    ):
        with pytest.raises(InputError, match=told):
            run_published(REPOBENCH, options, load, ignore_progress)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_benchmark_has_a_command_that_tells_what_is_missing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = build_parser().parse_args(["bench", name, "--data", "d", "--context", "512"])
    assert protocol_named(arguments.bench).name == name
    for extra, told in (
        (["--data", "no-such-place"], "no-such-place; name the file"),
        (["--data", "d", "--engine", "x"], "'x' is no engine"),
        ([], "--data"),
    ):
        assert main(["bench", name, *extra]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1


def test_the_command_prints_the_form_of_all_benchmarks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    write_model(folder)
    data = write_lines(tmp_path / "in_file.jsonl", [REPOBENCH_ROW] * 3)
    command = ["bench", "repobench", "--data", str(data), "--model", str(folder), "--exact"]
    assert main([*command, "--limit", "2", "--seed", "3", "--context", "256", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["bench"], printed["seed"]) == ("repobench", 3)
    (row,) = printed["rows"]
    assert (row["arm"], row["slice"], row["n"]) == ("pirouette", "all", 2)
    assert row["metrics"].keys() == {"exact_match", "edit_similarity", "tokens"}
    assert row["metrics"]["exact_match"].keys() == {"value", "low", "high"}


FILES = [
    "<s> import os <EOL> path = os . path . join ( '<STR_LIT>' , '<STR_LIT:aU+0020b>' ) "
    "<EOL> print ( path ) </s>",
    "<s> for number in range ( <NUM_LIT:10> ) : <EOL> print ( number ) </s>",
    "<s> </s>",
]


def write_files(folder: Path) -> Path:
    file = folder / "test.txt"
    file.write_text("".join(f"{line}\n" for line in FILES), encoding="utf-8")
    return file


def test_tokens_of_python_have_places_in_plain_text(tmp_path: Path) -> None:
    tokens, _ = read_files(write_files(tmp_path))
    text, places = laid_out(tokens)
    assert text == "import os\npath = os . path . join ( '' , 'a b' )\nprint ( path )"
    shown = [text[start:end] for start, end in places]
    assert shown[:6] == ["import", "os", "path", "=", "os", "."]
    assert shown[-6:] == ["'a b'", ")", "print", "(", "path", ")"]


def test_a_token_that_stands_for_nothing_is_not_counted() -> None:
    text, places = laid_out(["<s>", "x", "=", "<STR_LIT>", "</s>"])
    assert (text, places) == ("x =", [(0, 1), (2, 3)])


def test_an_accuracy_counts_tokens_and_its_interval_files() -> None:
    scores = [FileScore(0, 100, 50), FileScore(1, 300, 270)]
    found = accuracy(scores, seed=0)
    assert found.value == 0.8
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.8 < found.high
    assert accuracy([FileScore(0, 10, 8)], seed=0).low == pytest.approx(0.8)


def test_likeliest_tokens_are_those_of_one_pass_over_each_block(tiny_model: LanguageModel) -> None:
    tokens = tiny_model.tokenizer.encode("for name in names:\n    print(name)\n" * 80)
    found = likeliest_tokens(tiny_model, tokens)
    assert len(found) == len(tokens) > BLOCK
    again = likeliest_tokens(tiny_model, tokens[BLOCK:])
    assert found[BLOCK:] == again
    cache = tiny_model.decoder.new_cache(64)
    read = [*tiny_model.tokenizer.encode("\n"), *tokens[:40]]
    logits = tiny_model.decoder.logits(tiny_model.decoder.forward(read, cache))
    assert found[:41] == logits.argmax(dim=-1).tolist()[: len(found[:41])]


def test_tokens_are_asked_of_no_peer(tmp_path: Path) -> None:
    options = PublishedOptions(write_files(tmp_path), endpoint=PeerEndpoint("openai", "http://x"))
    with pytest.raises(InputError, match="leave out --engine"):
        run_py150_tokens(options, lambda: pytest.fail("it was loaded"), ignore_progress)
    for content in ("import os\n", "", "<s> </s>\n", "<s> <STR_LIT> </s>\n"):
        (tmp_path / "test.txt").write_text(content)
        with pytest.raises(InputError, match=r"cannot be read|holds no files"):
            read_files(tmp_path / "test.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_files(tmp_path / "absent.txt")


@pytest.mark.model
def test_the_real_model_tells_next_tokens(default_model: LanguageModel, tmp_path: Path) -> None:
    options = PublishedOptions(write_files(tmp_path), samples=tmp_path / "samples.jsonl")
    result = run_py150_tokens(options, lambda: default_model, ignore_progress)
    again = run_py150_tokens(options, lambda: default_model, ignore_progress)
    assert result.rows == again.rows
    (row,) = result.rows
    assert (row.arm, row.n) == ("pirouette", 2)
    assert row.metrics["accuracy"].value > 0.3


@pytest.mark.model
def test_the_real_model_finishes_a_statement_that_needs_another_file(
    default_model: LanguageModel, tmp_path: Path
) -> None:
    chunk = {
        "retrieved_chunk": "class Tax:\n    def rate_of_article(self, name):\n        return 7",
        "filename": "shop/tax.py",
        "score": 1.0,
    }
    row = CROSS_ROW | {
        "prompt": "from shop.tax import Tax\n\ntax = Tax()\nbook_rate = tax.rate",
        "groundtruth": "_of_article('book')",
        "crossfile_context": {"text": "", "list": [chunk]},
    }
    data = write_lines(tmp_path / "line_completion_rg1_bm25.jsonl", [row])
    samples = tmp_path / "samples.jsonl"
    options = PublishedOptions(data, samples=samples)
    result = to_json(run_published(CROSSCODEEVAL, options, lambda: default_model, ignore_progress))
    assert [row["arm"] for row in result["rows"]] == [
        *("pirouette, in-file", "pirouette, cross-file"),
        "pirouette, cross-file - pirouette, in-file",
    ]
    (record,) = map(json.loads, samples.open(encoding="utf-8"))
    alone, with_other = (one["answer"] for one in record["reached"])
    assert "_of_article(" in with_other
    assert "_of_article(" not in alone
