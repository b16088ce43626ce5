"""The edits benchmark: its cases, and what its arms make of them."""

from pathlib import Path

import pytest

from evaluation.benchmarks import edits
from evaluation.benchmarks.edits import EditOptions, Replayer, chosen_kinds, run_edits
from evaluation.edit_arms import ARMS
from evaluation.edit_cases import KINDS, EditCase, draw_cases
from evaluation.edit_results import Reached, rows_of
from evaluation.repositories import Repository
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress
from tests.unit.completion_helpers import load_tiny_model, write_model

FILE = "".join(
    f"def function_{i}(value, other):\n"
    f'    """The number {i} of many, which takes a value."""\n'
    f"    total_{i} = value + other * {i}\n"
    f"    return total_{i}\n\n\n"
    for i in range(40)
)
OLDER = FILE.replace("other * 3", "another - 3").replace("takes a value", "has a value")
SHORT = "".join(f"constant_{i} = {i}\nprint(constant_{i})\n" for i in range(31))
FILES = {"one.py": FILE, "two.py": FILE.replace("function", "method"), "short.py": SHORT}
REPOSITORY = Repository("some", FILES, {"one.py": OLDER})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def cases(count: int = 2 * len(KINDS), seed: int = 0) -> list[EditCase]:
    return draw_cases([REPOSITORY], count, seed, lambda _: True)


def test_kinds_take_turns() -> None:
    assert [case.kind for case in cases()] == [*KINDS, *KINDS]


def test_a_kind_alone_has_the_cases_that_it_has_among_all() -> None:
    some = draw_cases([REPOSITORY], 4, 0, lambda _: True, ("line", "paste"))
    assert some == [case for case in cases() if case.kind in ("line", "paste")]
    assert chosen_kinds(["paste"]) == ("paste",)
    with pytest.raises(InputError, match="no kind of edit 'pasted'; there are typing, line"):
        chosen_kinds(["pasted"])


def test_the_seed_decides() -> None:
    assert cases() == cases()
    assert cases() != cases(seed=1)


def test_only_the_held_out_line_is_hidden_at_the_end() -> None:
    for case in cases():
        last = case.requests[-1]
        assert case.truth.strip()
        whole = last.before + case.truth + last.after
        assert any(text in whole for text in FILES.values()), case.kind


def test_every_case_is_an_edit_of_one_document() -> None:
    for case in cases():
        assert len({request.document for request in case.requests}) == 1
        assert case.requests[-2] != case.requests[-1]


def test_undo_comes_back_to_the_text_before() -> None:
    [undo] = [case for case in cases(len(KINDS)) if case.kind == "undo"]
    assert undo.requests[0] == undo.requests[2]


def by_arm(reached: list[Reached]) -> dict[str, Reached]:
    return {one.arm: one for one in reached}


@pytest.mark.parametrize("kind", KINDS)
def test_exact_arms_agree_with_recomputation_and_others_are_cheaper(
    model: LanguageModel, kind: str
) -> None:
    [case] = [case for case in cases(len(KINDS)) if case.kind == kind]
    reached = by_arm(Replayer(model, 400, ARMS).replay(case))
    assert list(reached) == list(ARMS)
    for arm in ("full", "prefix", "healed"):
        assert (reached[arm].kl or 0) < 1e-6
        assert reached[arm].top1
        assert reached[arm].same_line
    assert reached["full"].encoded == reached["full"].prompt
    assert reached["healed"].encoded == 1
    assert reached["pie_unanchored"].encoded <= reached["pie"].encoded
    assert reached["pie"].encoded <= reached["pie_repair"].encoded <= reached["prefix"].encoded


def test_a_text_that_comes_back_is_read_again_by_prefix_reuse_only(model: LanguageModel) -> None:
    [redo] = [case for case in cases(len(KINDS)) if case.kind == "redo"]
    reached = by_arm(Replayer(model, 400, ARMS).replay(redo))
    assert reached["pie_repair"].encoded == 1
    assert reached["prefix"].encoded > 1


def test_rows_are_given_for_all_each_kind_and_each_size(model: LanguageModel) -> None:
    told: list[Progress] = []
    options = EditOptions(limit=4, contexts=(100, 200))
    result = run_edits(options, model, [REPOSITORY], told.append)
    slices = dict.fromkeys(row.slice for row in result.rows)
    assert list(slices) == ["all", *list(KINDS)[:4], "context-100", "context-200"]
    assert {row.n for row in result.rows if row.slice == "all"} == {8}
    assert told[-1] == Progress("edits", 8, 8)


def test_only_named_arms_are_run_beside_the_first(model: LanguageModel) -> None:
    options = EditOptions(limit=2, contexts=(100,), arms=("pie",))
    result = run_edits(options, model, [REPOSITORY], print)
    assert {row.arm for row in result.rows} == {"full", "pie", "pie - full"}
    with pytest.raises(InputError, match="no arm 'pies'"):
        run_edits(EditOptions(arms=("pies",)), model, [REPOSITORY], print)


def test_prompts_are_nearly_as_large_as_asked(model: LanguageModel) -> None:
    replayer = Replayer(model, 300, ARMS)
    for case in replayer.draw([REPOSITORY], EditOptions(limit=8)):
        before, after = (len(p.tokens) for p in replayer.prompts(case)[-2:])
        assert 225 <= before <= 300
        assert 112 <= after <= 300


def reached_by(arm: str, line: str) -> Reached:
    return Reached(arm, "typing", 100, 80, 20, 1.0, 0.0, True, False, line, truth="value = 1")


def test_arms_are_compared_with_the_first_case_by_case() -> None:
    lines = {"full": ["value = 1", "value = 2"], "pie": ["value = 1", " value = 1"]}
    reached = [reached_by(arm, lines[arm][case]) for case in range(2) for arm in lines]
    row = next(row for row in rows_of(reached, seed=0) if row.arm == "pie - full")
    assert row.n == 2
    assert row.metrics["exact_match"].value == 0.5
    assert row.metrics["edit_similarity"].value == pytest.approx((1 - 16 / 18) / 2)


def test_repositories_without_files_are_refused(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="name larger ones"):
        run_edits(EditOptions(limit=2), model, [Repository("empty", {"a.py": ""}, {})], print)


def test_a_run_that_was_cut_off_goes_on(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = tmp_path / "samples.jsonl"
    options = EditOptions(limit=3, contexts=(100,), samples=samples)
    first = run_edits(options, model, [REPOSITORY], print)
    lines = samples.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    samples.write_text("".join(lines[:2]) + lines[2][:50])

    replayed: list[EditCase] = []

    class Counting(Replayer):
        def replay(self, case: EditCase) -> list[Reached]:
            replayed.append(case)
            return super().replay(case)

    monkeypatch.setattr(edits, "Replayer", Counting)
    again = run_edits(options, model, [REPOSITORY], print)
    assert len(replayed) == 1
    assert [row.arm for row in again.rows] == [row.arm for row in first.rows]
    assert samples.read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense\n", "not a file of this benchmark"),
        ("a note without a line's end", "not a file of this benchmark"),
        ('{"run": "other", "case": "1", "reached": []}\n', "results of another run"),
    ],
)
def test_a_file_of_something_else_is_refused(
    model: LanguageModel, tmp_path: Path, text: str, reason: str
) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(text)
    with pytest.raises(InputError, match=reason):
        run_edits(EditOptions(limit=1, samples=samples), model, [REPOSITORY], print)
    assert samples.read_text() == text
