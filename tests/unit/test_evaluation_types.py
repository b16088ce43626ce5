"""What types of tokens are worth: places, ranks, and rows."""

import json
import random
from dataclasses import asdict
from math import log

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.token_types.fusion import load_type_fusion
from evaluation.benchmarks.types import (
    ARMS,
    Reached,
    TypesOptions,
    cut_off,
    draw_lines,
    rank,
    restored,
    rows_of,
    run_types,
)
from evaluation.fit_fusion import table
from evaluation.next_tokens import LineReader, NextToken, NextTokens
from evaluation.repositories import Repository
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import ignore_progress
from tests.unit.completion_helpers import at

BRACKET = NextToken("(", "LPAR", log(0.5), log(0.1), 0.0)
NAME = NextToken("near", "VARIABLE", log(0.3), log(0.8), log(1.625))
COMMA = NextToken(",", "COMMA", log(0.1), log(0.1), 0.0)


def place(truth: NextToken, *, cardinal: bool = False, sure: bool = False) -> NextTokens:
    first = NextToken("(", "LPAR", log(0.95), log(0.1), 0.0) if sure else BRACKET
    return NextTokens(truth.text, truth.type, cardinal, (first, NAME, COMMA))


def test_types_and_scopes_change_the_order() -> None:
    assert rank(place(NAME), types=0, scopes=0) == 2
    assert rank(place(NAME), types=0.5, scopes=0) == 1
    assert rank(place(NAME), types=0, scopes=1) == 2
    assert rank(place(NAME), types=0, scopes=2) == 1
    assert rank(place(NextToken("x", "NAME", 0, 0, 0)), types=0, scopes=0) == 0


def test_types_have_no_say_where_the_model_is_sure() -> None:
    assert rank(place(BRACKET, sure=True), types=5, scopes=0) == 1


def test_the_same_text_of_another_type_is_another_token() -> None:
    assert rank(place(NextToken("near", "NAME", 0, 0, 0)), types=0, scopes=0) == 0


def test_what_was_reached_comes_back_from_disk() -> None:
    one = Reached(True, "a", "b", "c", (place(NAME), place(COMMA, cardinal=True)))
    assert restored(**json.loads(json.dumps(asdict(one)))) == one


def test_every_arm_has_rows_for_lines_and_for_tokens_by_type() -> None:
    reached = [
        Reached(False, "f(x)", "f(x)", "f(y)", (place(BRACKET), place(NAME, cardinal=True))),
        Reached(True, "g()", "", "g()", (place(NAME),)),
    ]
    rows = {(row.arm, row.slice): row for row in rows_of(reached, seed=0)}
    assert rows["plain", "all any"].n == 3
    assert rows["plain", "all identifier"].n == 2
    assert rows["plain", "whole cardinal"].n == rows["plain", "cut any"].n == 1
    assert rows["plain", "all any"].metrics["mrr"].value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert {arm for arm, name in rows if name == "all any"} == {
        *ARMS,
        *(f"{arm} - plain" for arm in ARMS[1:]),
    }
    assert rows["fusion - plain", "all lines"].metrics["exact_match"].value == 0
    assert rows["plain", "cut lines"].metrics["exact_match"].value == 0
    assert len(table([place(NAME)])) > 2


def test_lines_are_cut_off_within_their_code() -> None:
    above = ["def f():\n", "\n", "    return g(1,\n"]
    for seed in range(20):
        cut = cut_off(above, random.Random(seed))
        changed = [number for number in range(3) if cut[number] != above[number]]
        (number,) = changed
        assert above[number].startswith(cut[number].rstrip("\n"))
        assert number != 1
    assert cut_off(["\n"], random.Random(0)) == ["\n"]


def test_every_other_round_is_cut_and_a_line_is_drawn_again_by_its_seed() -> None:
    text = "".join(
        f"def function_{n}(first):\n    return first * {n} + other\n\n" for n in range(99)
    )
    repositories = [Repository(name, {"a.py": text}, {}) for name in ("one", "two")]
    drawn = draw_lines(repositories, 4, seed=1)
    assert [one.cut for one in drawn.values()] == [False, False, True, True]
    more = draw_lines(repositories, 6, seed=1)
    assert {number: one for number, one in more.items() if number < 4} == drawn
    assert draw_lines([], 4, seed=1) == {}


@pytest.mark.model
def test_the_real_model_tells_the_next_tokens(default_model: LanguageModel) -> None:
    completer = Completer(default_model, CompletionOptions(context_tokens=256, max_tokens=8))
    reader = LineReader(completer, load_type_fusion(default_model.tokenizer).reader)
    request = at("import os\n\n\ndef names(folder):\n    ▮\n")
    found = list(reader.places(request, "return os.listdir(folder)"))
    assert [(one.truth, one.type) for one in found] == [
        ("return", "KEYWORD"),
        ("os", "MODULE"),
        (".", "DOT"),
        ("listdir", "ATTRIBUTE"),
        ("(", "LPAR"),
        ("folder", "PARAMETER"),
        (")", "RPAR"),
        ("", "NEWLINE"),
    ]
    assert [one.cardinal for one in found[:4]] == [False, True, False, True]
    assert all(rank(one, 0, 0) for one in found)
    by_text = {one.text: one for one in found[5].candidates}
    assert by_text["folder"].boost == pytest.approx(log(1.625), abs=1e-3)
    assert sum(rank(one, 0, 0) == 1 for one in found) >= 6


@pytest.mark.model
def test_repositories_without_lines_are_refused(default_model: LanguageModel) -> None:
    types = load_type_fusion(default_model.tokenizer)
    with pytest.raises(InputError, match="larger"):
        run_types(TypesOptions(), default_model, types, [Repository("a", {}, {})], ignore_progress)
