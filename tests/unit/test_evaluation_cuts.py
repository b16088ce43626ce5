"""The cuts benchmark: its lines, and what its arms make of them."""

from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from completion.prompt import PromptBuilder
from evaluation.benchmarks import cuts
from evaluation.benchmarks.cuts import Continued, CutOptions, rows_of, run_cuts
from evaluation.cut_arms import ARMS, Cutter
from evaluation.cut_cases import MOST_CUTS, CutLine, draw_lines, inside_token
from evaluation.repositories import Repository
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress
from tests.unit.completion_helpers import at, load_tiny_model, scripted, write_model

FILE = "".join(
    f"def function_{i}(value, other):\n"
    f"    total_{i} = value + other * {i}\n"
    f"    return total_{i}\n\n"
    for i in range(40)
)
REPOSITORY = Repository("some", {"one.py": FILE, "two.py": FILE.replace("total", "sum")}, {})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def test_a_line_is_cut_at_every_place_or_at_as_many_as_are_allowed() -> None:
    for line in draw_lines([REPOSITORY], 12, seed=0):
        assert len(line.cuts) == min(MOST_CUTS, len(line.text) - 1)
        assert list(line.cuts) == sorted(set(line.cuts))
        for cut in line.cuts:
            request = line.request(cut)
            assert line.truth(cut)
            assert request.before + line.truth(cut) + request.after in REPOSITORY.files.values()


def test_the_seed_decides_and_more_lines_begin_with_the_same_ones() -> None:
    assert draw_lines([REPOSITORY], 3, seed=0) == draw_lines([REPOSITORY], 5, seed=0)[:3]
    assert draw_lines([REPOSITORY], 3, seed=0) != draw_lines([REPOSITORY], 3, seed=1)


def test_a_cut_is_inside_a_token_or_where_one_ends(model: LanguageModel) -> None:
    for line in draw_lines([REPOSITORY], 6, seed=0):
        tokens = model.tokenizer.encode(line.spot.line)
        ends = set(accumulate(len(model.tokenizer.token_bytes(token)) for token in tokens))
        for cut in line.cuts:
            inside = inside_token(model.tokenizer, line, cut)
            assert inside is (len(line.spot.indent) + cut not in ends)


@pytest.mark.parametrize(
    ("arm", "written"), [("naive", "st\n"), ("healed", "rst\n"), ("byte_exact", " first\n")]
)
@pytest.mark.parametrize(("truth", "right"), [("st", True), ("sts", False), ("s", False)])
def test_every_arm_tells_the_true_rest_from_another(
    model: LanguageModel, arm: str, written: str, truth: str, right: bool
) -> None:
    """Each writes the same line, of which it has read more or less."""
    builder = PromptBuilder.for_model(model, 200)
    prompt = builder.build(at("x = 1\nreturn fir▮\n"))
    assert model.tokenizer.decode([prompt.whole[-1]]) == "r"
    script = model.tokenizer.encode(written)
    knowing, _ = scripted(model, *(script[read:] for read in range(len(script))))
    assert ARMS[arm](Cutter(knowing, builder), prompt, truth) is right


def test_rows_are_given_for_all_cuts_and_by_where_they_are(model: LanguageModel) -> None:
    told: list[Progress] = []
    result = run_cuts(CutOptions(limit=2), model, [REPOSITORY], told.append)
    assert list(dict.fromkeys(row.slice for row in result.rows)) == ["all", "inside", "between"]
    assert {row.arm for row in result.rows} >= {*ARMS, "byte_exact - healed"}
    assert {row.n for row in result.rows if row.slice == "all"} == {2}
    assert told[-1] == Progress("cuts", 2, 2)


def test_rates_are_means_over_lines() -> None:
    """One line with four cuts, all right with healing, and one with a single cut, wrong."""
    continued = [
        Continued(arm, line, cut, inside=True, exact=arm != "naive" and line == "long")
        for line, count in (("long", 4), ("short", 1))
        for cut in range(count)
        for arm in ARMS
    ]
    rows = {row.arm: row for row in rows_of(continued, seed=0) if row.slice == "all"}
    assert rows["healed"].metrics["exact_match"].value == 0.5
    assert rows["healed"].metrics["cuts"].value == 5
    assert rows["healed - naive"].metrics["exact_match"].value == 0.5
    assert rows["byte_exact - healed"].metrics["exact_match"].value == 0


def test_a_run_that_was_cut_off_goes_on(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = CutOptions(limit=3, samples=tmp_path / "samples.jsonl")
    assert options.samples is not None
    first = run_cuts(options, model, [REPOSITORY], print)
    lines = options.samples.read_text().splitlines(keepends=True)
    options.samples.write_text("".join(lines[:2]) + lines[2][:50])

    asked: list[CutLine] = []
    cut_everywhere = cuts.cut_everywhere

    def counting(line: CutLine, *rest: Any) -> Iterable[Continued]:
        asked.append(line)
        return cut_everywhere(line, *rest)

    monkeypatch.setattr(cuts, "cut_everywhere", counting)
    again = run_cuts(options, model, [REPOSITORY], print)
    assert len(asked) == 1
    assert again.rows == first.rows


def test_repositories_without_lines_are_refused(model: LanguageModel) -> None:
    with pytest.raises(InputError, match="name larger ones"):
        run_cuts(CutOptions(limit=2), model, [Repository("empty", {"a.py": ""}, {})], print)
