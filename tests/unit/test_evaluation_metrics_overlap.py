"""Metrics of what two programs share on their surface."""

import pytest

from evaluation.graded_programs import read_ice
from evaluation.metrics.overlap import bleu, chrf, edit_similarity, program_tokens, token_dice
from tests.conftest import SHARED_DATA

METRICS = [token_dice, bleu, chrf, edit_similarity]


@pytest.mark.parametrize("measure", METRICS)
def test_the_same_program_gives_1_and_another_one_less(measure: object) -> None:
    assert callable(measure)
    program = "total = 0\nfor value in values:\n    total += value\nreturn total"
    assert measure(program, program) == pytest.approx(1)
    assert 0 <= measure("raise NotImplementedError", program) < 0.5


def test_dice_counts_tokens_once() -> None:
    assert token_dice("x = x + x", "x = 1") == 2 * 2 / (3 + 3)
    assert token_dice("", "") == 1
    assert token_dice("x", "") == 0


def test_names_are_divided_at_their_humps_and_quotes_are_one_sign() -> None:
    assert program_tokens("""getName("it's")""") == [
        "get",
        "Name",
        "(",
        "`",
        "it",
        "`",
        "s",
        "`",
        ")",
    ]


def test_an_edit_costs_its_share_of_the_longer_program() -> None:
    assert edit_similarity("return a\n", "return ab") == pytest.approx(8 / 9)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the benchmark data is not on this machine")
@pytest.mark.parametrize(("name", "measure"), [("bleu", bleu), ("chrf", chrf)])
def test_scores_are_the_published_ones(name: str, measure: object) -> None:
    assert callable(measure)
    for program in read_ice(SHARED_DATA):
        found = measure(program.text, program.reference)
        assert found == pytest.approx(program.published[name], abs=1e-9)
