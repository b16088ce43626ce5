"""The rows of the latency benchmark: what they are over, and what is compared with what."""

from dataclasses import replace
from functools import partial

import pytest

from evaluation.agreement import Agreement
from evaluation.engine_speed import EngineSpeed, in_turns
from evaluation.latency_results import (
    Timed,
    agreement_row,
    engine_row,
    metrics_of,
    rows_of,
)
from evaluation.results import Row
from models.progress import ignore_progress

OWN = Timed(
    arm="pirouette",
    step=0,
    kind="typing",
    ms=200,
    debounce=75,
    first_token=60,
    first_line=100,
    total=120,
    writing=80,
    prompt=900,
    encoded=2,
    generated=9,
    text="x = 1",
    passes=4,
    context=5,
    cache=35,
)
REUSED = replace(OWN, step=1, ms=80, first_token=0, first_line=0, total=0, writing=0, reused=True)
REUSED = replace(REUSED, prompt=0, encoded=0, generated=0, passes=0, context=0, cache=0)
PEER = replace(OWN, arm="peer", ms=325, total=240, first_token=180, passes=None, context=None)
TIMED = [OWN, REUSED, PEER, replace(PEER, step=1, kind="line", text="")]
TIMED[1] = replace(REUSED, kind="line")


def row(rows: list[Row], arm: str, slice_: str) -> Row:
    return next(one for one in rows if (one.arm, one.slice) == (arm, slice_))


def test_rows_are_given_for_all_for_what_was_computed_and_for_each_kind() -> None:
    rows = list(rows_of(TIMED))
    assert list(dict.fromkeys(one.slice for one in rows)) == ["all", "computed", "typing", "line"]
    assert [one.n for one in rows if one.arm == "peer"] == [2, 1, 1, 1]
    assert [one.arm for one in rows[:3]] == ["pirouette", "peer", "peer / pirouette"]


def test_times_are_given_with_and_without_the_debounce() -> None:
    metrics = metrics_of([OWN])
    assert metrics["p50_ms"].value == metrics["p95_ms"].value == 200
    assert metrics["p50_ms_without_debounce"].value == 125
    assert metrics["p50_line_ms"].value == 180
    assert metrics["overhead_ms"].value == 5


def test_tokens_are_counted_over_the_time_after_the_prompt_and_over_passes() -> None:
    metrics = metrics_of([OWN, OWN, REUSED])
    assert metrics["tokens_per_s"].value == pytest.approx(1e3 * 9 / 80)
    assert metrics["tokens_per_call"].value == 2
    assert metrics["reused"].value == pytest.approx(1 / 3)


def test_stages_that_only_one_arm_has_are_left_out_of_the_other() -> None:
    assert not {"context_ms", "tokens_per_call"} & set(metrics_of([PEER]))


def test_the_peer_is_compared_on_the_same_steps() -> None:
    rows = list(rows_of(TIMED))
    computed = row(rows, "peer / pirouette", "computed").metrics
    assert computed["p50_ms"].value == pytest.approx(325 / 200)
    assert computed["p50_ms_without_debounce"].value == 2
    assert "first_token_ms" not in row(rows, "peer / pirouette", "line").metrics


def test_one_arm_is_compared_with_nothing() -> None:
    assert {one.arm for one in rows_of([OWN])} == {"pirouette"}


def test_engines_take_turns_at_going_first() -> None:
    asked: list[str] = []

    def engine(name: str) -> EngineSpeed:
        asked.append(name)
        return EngineSpeed(100.0 * len(asked), 20.0)

    reached = in_turns({name: partial(engine, name) for name in "ab"}, 2, ignore_progress)
    assert "".join(asked) == "abba"
    assert [one.prefill_tokens_per_s for one in reached["a"]] == [100, 400]
    assert engine_row("a", reached["a"]).metrics["prefill_tokens_per_s"].value == 250


def test_agreement_is_a_rate_and_a_mean() -> None:
    found = agreement_row([Agreement(True, 0.0), Agreement(False, 0.2)], seed=0)
    assert (found.slice, found.n) == ("float32", 2)
    assert found.metrics["first_line_agreement"].value == 0.5
    assert found.metrics["kl"].value == pytest.approx(0.1)
