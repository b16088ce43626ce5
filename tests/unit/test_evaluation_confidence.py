"""The rule of confidence: its samples, its fit, and what it is worth where it was not fitted."""

import json
import math
import random
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from completion.confidence import LineFeatures, Rule, Weight
from completion.pipeline import Completer, CompletionOptions
from evaluation.confidence_curves import (
    Judged,
    at_share,
    best_threshold,
    calibration,
    chosen_elsewhere,
    curve,
    judge_held_out,
    with_text,
)
from evaluation.confidence_plot import source_of
from evaluation.confidence_samples import Sample, collect, draw_points, read_samples
from evaluation.fit_confidence import main
from evaluation.logistic import fit, logistic
from evaluation.repositories import Repository
from models.errors import InputError
from models.progress import ignore_progress
from tests.unit.completion_helpers import load_tiny_model, write_model

FILE = "".join(
    f"def function_{i}(value, other):\n"
    f"    total_{i} = value + other * {i}\n"
    f"    return total_{i}\n\n\n"
    for i in range(40)
)
REPOSITORIES = [
    Repository("one", {"one.py": FILE}, {}),
    Repository("two", {"two.py": FILE.replace("function", "method")}, {}),
]


def made_up(count: int, seed: int = 0) -> list[Sample]:
    """Samples of three repositories: a line is right as often as its probability says."""
    choose = random.Random(seed)
    samples: list[Sample] = []
    for number in range(count):
        total = -choose.expovariate(0.5)
        features = LineFeatures(total, tokens=4, typed=choose.randrange(9))
        right = choose.random() < math.exp(total)
        samples.append(Sample(number, f"repository {number % 3}", True, right, features))
    return samples


def test_points_hide_the_rest_of_a_line_and_the_seed_decides() -> None:
    points = draw_points(REPOSITORIES, 20, seed=0)
    assert points == draw_points(REPOSITORIES, 20, seed=0)
    assert list(draw_points(REPOSITORIES, 30, seed=0).items())[:20] == list(points.items())
    assert points != draw_points(REPOSITORIES, 20, seed=1)
    for number, point in points.items():
        assert point.repository == ("one", "two")[number % 2]
        whole = point.request.before + point.truth + point.request.after
        assert whole in {FILE, FILE.replace("function", "method")}
    starts = [point.request.before.rpartition("\n")[2].strip() == "" for point in points.values()]
    assert {True, False} == set(starts)
    assert draw_points([Repository("empty", {}, {})], 3, seed=0) == {}


def test_a_collection_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    write_model(tmp_path)
    completer = Completer(load_tiny_model(tmp_path), CompletionOptions(200, max_tokens=8))
    points, path = draw_points(REPOSITORIES, 4, seed=0), tmp_path / "samples.jsonl"
    whole = collect(completer, points, path, "a run", ignore_progress)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2]) + lines[2][:9])

    with patch.object(
        Completer, "complete", autospec=True, side_effect=Completer.complete
    ) as asked:
        again = collect(completer, points, path, "a run", ignore_progress)
    assert asked.call_count == 2
    assert [(one.number, one.shown, one.right) for one in again] == [
        (one.number, one.shown, one.right) for one in whole
    ]
    assert read_samples(path) == again
    with pytest.raises(InputError, match="not of another"):
        collect(completer, points, path, "another", ignore_progress)


def test_newton_finds_the_weights_that_made_the_outcomes() -> None:
    source = np.random.default_rng(0)
    columns = source.normal(3.0, [1.0, 5.0], size=(20_000, 2))
    chances = logistic(0.5 + (columns - 3.0) / [1.0, 5.0] @ np.array([1.0, -2.0]))
    fitted = fit(columns, (source.random(20_000) < chances).astype(float))
    assert fitted.weights.tolist() == pytest.approx([1.0, -2.0], abs=0.1)
    assert fitted.bias == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_outcomes_all_alike_and_columns_that_never_change_can_be_fitted(outcome: float) -> None:
    fitted = fit(np.ones((30, 2)), np.full(30, outcome))
    assert fitted.weights.tolist() == pytest.approx([0.0, 0.0])
    assert (fitted.bias > 3) == bool(outcome)


def test_held_out_confidence_is_calibrated_and_tells_right_from_wrong() -> None:
    judged = judge_held_out(with_text(made_up(1500)))
    for mean, bin_ in calibration(judged):
        assert bin_.interval.low - 0.05 <= mean <= bin_.interval.high + 0.05
    points = curve(judged)
    assert at_share(points, 0.2).precision > 1.5 * points[-1].precision
    assert points[-1].share == 1.0


def test_the_threshold_shows_as_much_as_it_may() -> None:
    """Of eight suggestions three are right: 1.5 times 3/8 is reached with 3 of 5."""
    outcomes = [True, True, False, False, True, False, False, False]
    judged = [Judged("a", 0.9 - 0.1 * place, right) for place, right in enumerate(outcomes)]
    best = best_threshold(judged)
    assert best is not None
    assert (best.n, best.right, round(best.threshold, 6)) == (5, 3, 0.5)
    elsewhere = chosen_elsewhere([*judged, *(replace(one, repository="b") for one in judged)])
    assert elsewhere is not None
    assert (elsewhere.n, elsewhere.right, elsewhere.of) == (10, 6, 16)


def test_no_threshold_makes_what_is_always_right_better() -> None:
    assert best_threshold([Judged("a", 0.5, True)] * 3) is None
    assert chosen_elsewhere([Judged("a", 0.5, True), Judged("b", 0.5, True)]) is None


def test_few_samples_are_refused() -> None:
    with pytest.raises(InputError, match="collect more"):
        with_text(made_up(9))


def test_the_rule_is_printed_as_python_source() -> None:
    rule = Rule(-1.25, {"first": Weight(0.5, mean=-2.0, scale=4.0)})
    namespace: dict[str, object] = {"Rule": Rule, "Weight": Weight}
    exec(source_of(rule), namespace)
    assert namespace["ACCEPTED"] == rule


def test_fitting_prints_and_draws_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples, pictures = tmp_path / "samples.jsonl", [tmp_path / "a.svg", tmp_path / "b.svg"]
    records = ({"run": "a run", **asdict(sample)} for sample in made_up(90))
    samples.write_text("".join(json.dumps(record) + "\n" for record in records))
    for picture in pictures:
        assert main(["--samples", str(samples), "--plot", str(picture)]) == 0
    first, second = (picture.read_text() for picture in pictures)
    assert first == second
    assert "minimumConfidence" in capsys.readouterr().out


def test_wrong_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none.jsonl")
    (tmp_path / "other.jsonl").write_text('{"x": 1}\n')
    for arguments in (
        ["--samples", missing],
        ["--samples", missing, "--collect", "none"],
        ["--samples", missing, "--plot", str(tmp_path / "a.svg")],
        ["--samples", str(tmp_path / "other.jsonl"), "--plot", str(tmp_path / "a.svg")],
    ):
        assert main(arguments) == 2
        told = capsys.readouterr().err
        assert told.startswith("fit_confidence: ")
        assert told.count("\n") == 1
