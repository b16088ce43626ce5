"""How likely a suggestion is right, told from the probabilities of its tokens."""

import json
import math
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.confidence import LineFeatures, after_typing, confidence_in, line_features
from completion.drafting.drafter import TreeDrafter
from completion.drafting.drafts import Drafter
from completion.pipeline import Completer, CompletionOptions
from completion.values import Suggestion
from lsp_server.complete import FilePlace, PlacedSuggestion, suggestion_json
from models.language_model import LanguageModel
from models.token_tree import NO_TREE
from tests.unit.completion_helpers import at

SURE = LineFeatures(total=-0.3, tokens=3, typed=0)


def features(*tokens: tuple[str, float], end: float | None = None) -> LineFeatures | None:
    """Of text written after `    x =▮`, whose last token is written again."""
    return line_features(
        [text.encode() for text, _ in tokens],
        [chosen for _, chosen in tokens] + ([] if end is None else [end]),
        rewritten=len("="),
        line_before="    x =",
    )


def test_only_the_first_line_counts() -> None:
    found = features(("= 1", -0.5), (" +", -2.0), (" y\n", -0.25), ("z", -9.0))
    assert found == LineFeatures(total=-2.75, tokens=3, typed=len("x ="))


def test_the_first_line_with_content_counts() -> None:
    found = features(("=\n", -0.5), ("    y", -1.0), ("\n", -0.5), ("z", -9.0))
    assert found is not None
    assert (found.tokens, found.mean) == (3, -2 / 3)


def test_the_models_own_end_is_a_token_of_the_line() -> None:
    cut, ended = features(("= 1", -0.5)), features(("= 1", -0.5), end=-1.5)
    assert cut is not None
    assert ended is not None
    assert (cut.tokens, cut.total, ended.tokens, ended.total) == (1, -0.5, 2, -2.0)


def test_nothing_written_has_no_features() -> None:
    assert features() is None


@given(
    chosen=st.lists(st.floats(-50, 0), min_size=1, max_size=64),
    typed=st.integers(0, 200),
)
def test_confidence_is_a_probability(chosen: list[float], typed: int) -> None:
    assert 0 < confidence_in(LineFeatures(sum(chosen), len(chosen), typed)) < 1


def test_likelier_tokens_give_more_confidence() -> None:
    assert confidence_in(replace(SURE, total=-6.0)) < confidence_in(SURE)


def test_typing_through_the_first_line_raises_confidence() -> None:
    text = "sum(values)\nprint(1)"
    grown = [after_typing(0.25, text, typed) for typed in (0, 5, 11, 15)]
    assert grown[0] == 0.25
    assert 0.25 < grown[1] < 1
    assert grown[2:] == [1.0, 1.0]
    assert math.isclose(after_typing(0.25, "ab", 1), 0.5)


def test_the_command_line_shows_it() -> None:
    made = Suggestion("sum(values)", "tiny", "line", confidence=0.61237)
    shown = suggestion_json(PlacedSuggestion(FilePlace(Path("a.py"), 1, 1), made))
    assert json.loads(json.dumps(shown))["confidence"] == 0.6124


@pytest.mark.model
def test_confidence_is_the_same_with_and_without_drafts(default_model: LanguageModel) -> None:
    place = at("values = [1, 2, 3]\ntotal = sum(values)\nmean = ▮\nprint(total, mean)\n")
    options = CompletionOptions(context_tokens=128, max_tokens=24)
    drafted = Completer(default_model, options).complete(place)
    with (
        patch("completion.pipeline.tree_ahead", return_value=NO_TREE),
        patch.object(TreeDrafter, "draft", Drafter.draft),
    ):
        alone = Completer(default_model, options).complete(place)

    assert drafted.text == alone.text != ""
    assert drafted.tokens.drafted > 0 == alone.tokens.drafted
    assert 0 < alone.confidence < 1
    assert drafted.confidence == pytest.approx(alone.confidence, abs=0.01)
