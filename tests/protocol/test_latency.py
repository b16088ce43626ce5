"""The latency benchmark on a real server process with the real default model."""

import json
from pathlib import Path

import pytest

from evaluation.benchmarks.latency import LatencyOptions, run_latency
from evaluation.draft_speed import ARMS
from evaluation.repositories import Repository
from evaluation.results import Row
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ignore_progress
from tests.protocol.sessions import REPOSITORY

PATH = "lsp_server/cli.py"


@pytest.mark.model
def test_every_step_is_answered_and_every_figure_has_its_row(
    default_model: LanguageModel, tmp_path: Path
) -> None:
    text = (REPOSITORY / PATH).read_text(encoding="utf-8")
    samples, told = tmp_path / "samples.jsonl", list[Progress]()
    variants = ("without monitors", "with types")
    options = LatencyOptions(limit=3, rounds=1, agreements=1, samples=samples, variants=variants)
    result = run_latency(options, default_model, [Repository("own", {PATH: text}, {})], told.append)

    timed = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]
    others = [f"pirouette {variant}" for variant in variants]
    assert [one["arm"] for one in timed] == [arm for arm in ("pirouette", *others) for _ in "123"]
    assert [one["step"] for one in timed] == [0, 1, 2] * 3
    assert timed[0]["kind"] == "open"
    assert timed[0]["encoded"] == timed[0]["prompt"] > 0
    for one in timed:
        assert one["ms"] >= one["debounce"] + one["total"]
        assert one["first_token"] <= one["first_line"] <= one["total"]

    rows = {row.slice: row for row in result.rows if row.arm == "pirouette"}
    drafts = {row.arm: row.metrics for row in result.rows if row.slice == "drafts"}
    compared = {"pirouette", *others, *(f"{other} / pirouette" for other in others)}
    assert {row.arm for row in result.rows} == {*compared, *ARMS}
    assert all(metrics["same_output"].value == 1 for metrics in drafts.values())
    assert {"all", "computed", "open", "engine", "cold-start"} <= set(rows)
    assert rows["all"].n == 3
    assert {"p50_ms", "p95_ms", "context_ms", "overhead_ms"} <= set(rows["all"].metrics)
    assert set(rows["engine"].metrics) == {"prefill_tokens_per_s", "step_ms"}
    if default_model.decoder.quantised:
        assert_agreement(rows["float32"])
    assert Progress("latency", 3, 3) in told


def assert_agreement(row: Row) -> None:
    assert row.n == 1
    assert row.metrics["kl"].value < 0.1


def test_small_repositories_are_refused(default_model: LanguageModel) -> None:
    repository = Repository("small", {"a.py": "x = 1\n"}, {})
    with pytest.raises(InputError, match="name larger ones"):
        run_latency(LatencyOptions(limit=1), default_model, [repository], ignore_progress)
