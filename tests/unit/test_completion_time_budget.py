"""Suggestions that end when their time is up, by a clock that goes on a second with each token."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from completion.clean_up import finished_lines
from completion.pipeline import Completer, CompletionOptions
from completion.prompt import PromptBuilder
from completion.values import never_cancelled
from lsp_server.settings import Settings
from models.language_model import LanguageModel
from tests.unit.completion_helpers import at, load_tiny_model, scripted, write_model

PLACE = at("def f(a):▮\n")
TEXT = "\n    first = 1\n    second = 2"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


@dataclass(frozen=True, slots=True)
class Script:
    """What the model writes at `PLACE`: the text's tokens, after those it has to write again."""

    again: tuple[int, ...]
    text: Sequence[int]
    end: int

    @classmethod
    def of(cls, model: LanguageModel, text: str) -> "Script":
        again = PromptBuilder.for_model(model, 200).build(PLACE).end.rewritten
        return cls(again, model.tokenizer.encode(text), next(iter(model.end_tokens)))

    @property
    def whole(self) -> list[int]:
        return [*self.again, *self.text, self.end]


def hurried(model: LanguageModel, script: Sequence[int], seconds: int) -> Completer:
    writing, decoder = scripted(model, script)
    options = CompletionOptions(context_tokens=200, time_budget_ms=1000 * seconds)
    return Completer(writing, options, clock=lambda: float(decoder.passes))


def test_what_is_whole_by_then_is_shown(model: LanguageModel) -> None:
    script = Script.of(model, TEXT)
    made = hurried(model, script.whole, len(script.whole) - 3).complete(PLACE)
    assert (made.text, made.stop) == ("\n    first = 1", "time")
    assert made.tokens.generated == len(script.whole) - 2
    assert 0 < made.confidence < 1


@pytest.mark.parametrize("seconds", [0, 1000], ids=["no budget", "a long one"])
def test_enough_time_changes_nothing(model: LanguageModel, seconds: int) -> None:
    made = hurried(model, Script.of(model, TEXT).whole, seconds).complete(PLACE)
    assert (made.text, made.stop) == (TEXT, "end")


def test_a_rule_that_ends_it_goes_before(model: LanguageModel) -> None:
    script = Script.of(model, "\n    return a\nx")
    made = hurried(model, script.whole, len(script.whole) - 2).complete(PLACE)
    assert (made.text, made.stop) == ("\n    return a", "dedent")


def test_the_time_is_that_of_writing(model: LanguageModel) -> None:
    """A long file that was never read before has its first suggestion, however slow the machine."""
    script = Script.of(model, TEXT)
    writing, decoder = scripted(model, script.whole)
    options = CompletionOptions(context_tokens=200, time_budget_ms=50_000)

    def clock() -> float:  # the prompt takes 100 seconds, each token one
        return decoder.passes + (100.0 if decoder.passes else 0.0)

    made = Completer(writing, options, clock=clock).complete(PLACE)
    assert (made.text, made.stop) == (TEXT, "end")


def test_reading_is_not_lost_where_writing_took_too_long(model: LanguageModel) -> None:
    """Nothing is shown; the same place is asked again at the cost of one token."""
    script = Script.of(model, TEXT)
    completer = hurried(model, script.whole, 1)
    hasty = completer.complete(PLACE)
    assert (hasty.text, hasty.stop, hasty.confidence) == ("", "time", 0.0)
    assert (hasty.tokens.encoded, hasty.tokens.generated) == (hasty.tokens.prompt, 2)
    assert completer.complete(PLACE).tokens.encoded == 1


def test_idle_time_writes_what_there_was_no_time_for(model: LanguageModel) -> None:
    script = Script.of(model, TEXT)
    completer = hurried(model, script.whole, 1)
    completer.get_ahead(PLACE, completer.complete(PLACE), never_cancelled)
    made = completer.complete(PLACE)
    assert (made.text, made.stop) == (TEXT, "reuse")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", ""),
        ("return a", ""),
        ("return a\n", "return a"),
        ("\n    return", ""),
        ("\n    x = 1\n    y", "\n    x = 1"),
        ("\n    x = 1\n    for y in z:\n        p", "\n    x = 1"),
        ("if x:\n    y", "if x:"),
    ],
)
def test_only_whole_lines_are_kept(written: str, shown: str) -> None:
    assert finished_lines(written) == shown


def test_the_setting_is_what_the_completer_is_made_with() -> None:
    assert Settings(time_budget_ms=700).completion_options().time_budget_ms == 700
