"""What is read along with a prompt's last token, from what was learnt and from the open end."""

import pytest

from completion.covers import open_end
from completion.drafting.drafter import TreeDrafter
from completion.pipeline import Completer, CompletionOptions
from completion.prompt import Prompt
from completion.reading_ahead import tree_ahead
from models.language_model import LanguageModel
from tests.unit.completion_helpers import at

WRITTEN = "total = first_value + second_value\n"


def ahead(model: LanguageModel, text: str, written: str = "") -> list[str]:
    """Every way through the tree, after `text` and with `written` learnt before."""
    tokenizer, drafter = model.tokenizer, TreeDrafter()
    learnt = tokenizer.encode(written)
    drafter.look_up.add(learnt, range(len(learnt)))
    end = open_end(tokenizer, text)
    tokens = tokenizer.encode(text)
    prompt = Prompt(tokens[: len(tokens) - len(end.rewritten)], end=end)
    tree = tree_ahead(prompt, tokenizer, drafter, 8)
    return [tokenizer.decode(way) for way in tree.continuations]


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "expected"),
    [("total = fir", " fir"), ("total =", " ="), ("def f():\n        ", " " * 7)],
)
def test_a_word_is_expected_to_go_on_and_an_indent_to_end_in_one(
    default_model: LanguageModel, text: str, expected: str
) -> None:
    """The last blank of the indent is part of the token that the word begins with."""
    assert ahead(default_model, text) == [expected]


@pytest.mark.model
def test_what_was_seen_is_read_ahead_where_it_agrees_with_what_was_typed(
    default_model: LanguageModel,
) -> None:
    assert " = first" in ahead(default_model, "total =", WRITTEN)
    assert " first" in ahead(default_model, "total = fir", WRITTEN)
    assert ahead(default_model, "total = sec", WRITTEN) == [" sec"]


@pytest.mark.model
def test_a_word_typed_on_is_answered_by_the_pass_that_reads_the_prompt(
    default_model: LanguageModel,
) -> None:
    """The second time; the first time the model is asked, nothing was learnt."""
    text = "values = [1, 2, 3]\ntotal = sum(values)\nprint(to▮)\n"
    completer = Completer(default_model, CompletionOptions(context_tokens=128, max_tokens=8))
    first = completer.complete(at(text))
    again = completer.complete(at(text.replace("print(to▮)", "print(t▮)")))
    assert first.text.startswith("tal")
    assert again.text.startswith("otal")
    assert again.tokens.passes < first.tokens.passes
