"""The dereference benchmark: its places, its rows, and runs of it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from completion.values import Suggestion, TokenCounts
from evaluation import new_faults
from evaluation.benchmarks import dereference
from evaluation.benchmarks.dereference import DereferenceOptions, run_dereference
from evaluation.dereference_arms import Answer, Arm, Complete
from evaluation.dereference_results import Completed, Judged, rows_of
from evaluation.dereferences import (
    Dereference,
    Place,
    draw_dereferences,
    is_judged,
    places_by_function,
)
from evaluation.new_faults import NewFaults, filled_and_closed, less
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Row
from evaluation.source_folder import changed_for_now, write_sources
from evaluation.type_check import Fault
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress
from tests.unit.completion_helpers import load_tiny_model, write_model

FILE = '''\
import os.path
from typing import Any as Anything

import numpy.linalg


class Counter(numpy.ndarray):
    """A class.with.dots"""

    total: numpy.float64

    @numpy.vectorize
    def add(self, größe: numpy.float64, key=os.sep) -> numpy.float64:
        """Not this.one, nor default os.sep."""
        ö = "not.this"; self.total = größe.real
        note: numpy.float64 = self.counts[0].name
        f"{self.inside}" + os.path.join(*note.split("/"))

        @numpy.vectorize
        def inner(x: numpy.int64):
            return Anything.of(x).two  # not.this
        del inner.cache

    def short(self):
        return self.total
'''
ATTRIBUTES = [
    *("total", "real", "counts", "name"),
    *("join", "path", "split", "of", "two", "cache"),
]
MORE = "".join(
    f"def function_{i}(value):\n"
    f"    first = value.part_{i}\n"
    f"    second = first.rest({i})\n"
    f"    value.done = second\n"
    f"    return first + second.upper()\n\n\n"
    for i in range(12)
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def repository(name: str, functions: int = 12) -> Repository:
    return Repository(
        name, {"pack/one.py": "".join(MORE.partition(f"def function_{functions}")[0])}, {}
    )


def places(text: str) -> list[Place]:
    return [place for function in places_by_function(text) for place in function]


def test_dereferences_are_those_in_the_code_of_functions() -> None:
    (found,) = places_by_function(FILE)
    assert Counter(place.name for place in found) == Counter(ATTRIBUTES)
    for place in found:
        assert FILE[place.cursor - 1] == "."
        assert FILE[place.cursor :].startswith(place.name)
        assert FILE[: place.end].endswith("del inner.cache")


def test_receivers_and_what_is_done_with_the_attribute() -> None:
    found = {place.name: place for place in places(FILE)}
    assert {name: found[name].receiver for name in ATTRIBUTES} == {
        "total": "self",
        "real": "name",
        "counts": "self",
        "name": "subscript",
        "join": "attribute",
        "path": "module",
        "split": "name",
        "of": "imported",
        "two": "call",
        "cache": "name",
    }
    assert {name for name, place in found.items() if place.stored} == {"total", "cache"}


@pytest.mark.parametrize(
    "text",
    [
        "def broken(:\n    x.a\n",
        "x.a\n" * 9,
        "def f():\n    '''\n\n\n\n    '''\n",
        "def f(x):\n    return (\n\n\n        x. a\n    )\n",
        "def f(x):\n\n\n\n    return x.\\\n        a\n",
        "x = '" + "(" * 300 + "\x00",
    ],
)
def test_nothing_is_found_where_there_is_nothing(text: str) -> None:
    assert places(text) == []


def test_functions_are_found_in_classes_and_blocks_but_not_in_others() -> None:
    function = "def f(x):\n    y = x.a\n    def g(z):\n        return z.b\n    return g(y)\n"
    indented = "".join("    " + line + "\n" for line in function.splitlines())
    heads = ("if x:\n", "else:\n", "try:\n", "except E:\n", "class C:\n")
    text = "".join(head + indented for head in heads)
    assert [[place.name for place in found] for found in places_by_function(text)] == [
        ["a", "b"]
    ] * 5


def test_tests_and_large_files_are_left_out() -> None:
    assert is_judged("pack/contest.py", "")
    assert not is_judged("pack/test_one.py", "")
    assert not is_judged("tests/helper.py", "")
    assert not is_judged("pack/one.py", "x" * 100_001)


def test_repositories_take_turns_and_the_seed_decides() -> None:
    both = [repository("a"), repository("b", functions=2)]
    drawn = draw_dereferences(both, 7, seed=0)
    assert [place.repository for place in drawn] == ["a", "b", "a", "b", "a", "a", "a"]
    assert draw_dereferences(both, 4, seed=0) == drawn[:4]
    assert draw_dereferences(both, 7, seed=1) != drawn
    assert len(draw_dereferences(both, 100, seed=0)) == 14
    assert draw_dereferences([], 3, seed=0) == []


def test_what_is_held_out_is_the_rest_of_the_function() -> None:
    for place in draw_dereferences([repository("a")], 12, seed=0):
        assert place.text == repository("a").files[place.path]
        assert place.before.endswith(".")
        assert place.truth.startswith(place.name)
        assert place.truth.endswith("upper()")
        assert place.after.startswith("\n")
        assert place.request.before + place.truth + place.request.after == place.text
        assert place.text.split("\n")[place.line - 1].find(f".{place.name}") > 0


def test_a_file_uses_its_own_indentation() -> None:
    text = MORE.replace("    ", "  ")
    place = draw_dereferences([Repository("a", {"one.py": text}, {})], 1, seed=0)[0]
    assert place.request.indentation == "  "


def test_faults_that_the_truth_has_are_not_new() -> None:
    known, other = Fault("reportUndefinedVariable", "x"), Fault("reportUndefinedVariable", "y")
    assert less(frozenset({known}), frozenset({known})) == NewFaults(0, syntax=False)
    assert less(frozenset({known, other}), frozenset({known})) == NewFaults(1, syntax=False)
    assert less(frozenset({Fault("syntax", "x")}), frozenset()) == NewFaults(0, syntax=True)


def test_the_lines_of_a_completion_are_checked() -> None:
    place = draw_dereferences([repository("a")], 1, seed=0)[0]
    changed = filled_and_closed(place, "one\n    two")
    assert changed.text == place.before + "one\n    two" + place.after
    assert (changed.first, changed.last) == (place.line, place.line + 1)


def test_brackets_are_closed_before_what_follows() -> None:
    place = Dereference(
        "a", "one.py", "f([\n  x.", "name)])", "\n\ndef g(", "name", "name", stored=False
    )
    assert filled_and_closed(place, "name({'(': 1").text == "f([\n  x.name({'(': 1})])\n\ndef g("
    assert filled_and_closed(place, place.truth).text == "f([\n  x.name)])\n\ndef g("


def judged(arm: str, text: str, errors: int = 0, masked: bool | None = None) -> Judged:
    place = Dereference(
        "a", "one.py", "x.", "name(key)\n    other()", "", "name", "self", stored=False
    )
    done = Completed(arm, text, "line", 100.0, 50.0, 4, 2, masked)
    return Judged(place, 1, done, [NewFaults(errors, syntax=False)])


def test_of_several_texts_the_better_counts_for_each_metric() -> None:
    one = judged("twice", "other(key)", errors=1)
    done = replace(one.completed, others=["name()"])
    both = replace(one, completed=done, faults=[*one.faults, NewFaults(0, syntax=True)])
    assert not one.next_identifier
    assert both.next_identifier
    assert both.identifiers == 0.5
    assert one.has_new_errors
    assert not both.has_new_errors
    assert not both.breaks


def test_a_single_arm_has_rows_and_no_differences() -> None:
    rows = list(rows_of([judged("plain", "name(1)"), judged("plain", "other", errors=2)], seed=0))
    assert {row.arm for row in rows} == {"plain"}
    assert [row.slice for row in rows] == ["all", "one-subword", "read", "on-self"]
    found = rows[0].metrics
    assert found["nim"].value == 0.5
    assert found["ism"].value == pytest.approx(1 / 4)
    assert found["pm"].value == pytest.approx(2 / 4 / 2)
    assert found["method_ism"].value == pytest.approx(1 / 6)
    assert found["new_errors"].value == 0.5
    assert found["p50_ms"].value == 100
    assert "false_mask" not in found


def test_two_arms_are_compared_place_by_place() -> None:
    both = [
        judged("plain", "name(key)"),
        judged("monitored", "name(key)", masked=False),
        judged("plain", "other", errors=1),
        judged("monitored", "name", masked=True),
    ]
    rows = {row.arm: row for row in rows_of(both, seed=0) if row.slice == "all"}
    assert list(rows) == ["plain", "monitored", "monitored - plain"]
    more = rows["monitored - plain"]
    assert more.n == 2
    assert more.metrics["nim"].value == 0.5
    assert more.metrics["new_errors"].value == -0.5
    assert more.metrics["ism"].value == 0.25
    assert more.metrics["mean_ms"].value == 0


def test_sources_stay_in_their_folder(tmp_path: Path) -> None:
    write_sources({"pack/a.py": "é = 1\n"}, tmp_path)
    file = tmp_path / "pack" / "a.py"
    with changed_for_now(file, "other"):
        assert file.read_text() == "other"
    assert file.read_text(encoding="utf-8") == "é = 1\n"
    for path in ("../a.py", "/a.py", "pack/../../a.py"):
        with pytest.raises(InputError, match="leads out"):
            write_sources({path: ""}, tmp_path)


def says(text: str, seen: list[str]) -> Arm:
    """An arm that always writes `text`; it tells what the place's file held meanwhile."""

    def make(*_: object) -> Complete:
        def complete(place: Dereference, folder: Path) -> Answer:
            seen.append((folder / place.path).read_text(encoding="utf-8"))
            return Answer(Suggestion(text, "m", "line", TokenCounts(generated=1)))

        return complete

    return make


def values(rows: tuple[Row, ...], arm: str, name: str) -> dict[str, float]:
    return {row.slice: row.metrics[name].value for row in rows if row.arm == arm}


def test_arms_drop_in_and_a_run_that_was_cut_off_goes_on(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(dereference, "ARMS", {"one": says("rest(", seen), "two": says("x", seen)})
    monkeypatch.setattr(
        new_faults,
        "check_files",
        lambda files, changed, told, _: [frozenset()] * len(changed),
    )
    samples = tmp_path / "samples.jsonl"
    told: list[Progress] = []

    def run() -> BenchResult:
        options = DereferenceOptions(limit=4, samples=samples)
        return run_dereference(options, model, [repository("a"), repository("b")], told.append)

    first = run()
    drawn = draw_dereferences([repository("a"), repository("b")], 4, seed=0)
    assert Counter(seen) == Counter({place.before + place.after: 2 for place in drawn})
    assert values(first.rows, "one", "new_errors")["all"] == 0
    assert values(first.rows, "two - one", "nim")["all"] <= 0
    assert Progress("dereference", 4, 4) in told

    lines = samples.read_text().splitlines(keepends=True)
    samples.write_text("".join(lines[:3]) + lines[3][:40])
    assert run().rows == first.rows
    assert len(seen) == 2 * (4 + 1)


def test_repositories_without_dereferences_are_refused(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="name larger ones"):
        run_dereference(DereferenceOptions(), model, [Repository("a", {"a.py": ""}, {})], print)


def test_a_missing_checker_is_told_before_anything_is_written(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        run_dereference(DereferenceOptions(), model, [repository("a")], print)


@pytest.mark.model
def test_the_real_model_is_judged(default_model: LanguageModel) -> None:
    options = DereferenceOptions(limit=2)
    result = run_dereference(options, default_model, [repository("a")], print)
    rows = {row.arm: row for row in result.rows if row.slice == "all"}
    arms = ["plain", "monitored", "twice"]
    assert list(rows) == [*arms, "monitored - plain", "twice - plain"]
    for arm in arms:
        metrics = rows[arm].metrics
        assert rows[arm].n == 2
        assert metrics["nim"].value == 1
        assert metrics["p95_ms"].value >= metrics["p50_ms"].value > 0
        assert metrics["p50_ms"].value > metrics["writing_p50_ms"].value > 0
