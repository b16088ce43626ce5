"""Suggestions that end when their time is up, by a clock that goes on a second with each token."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.prompt import PromptBuilder
from completion.values import never_cancelled
from completion.writing import ends_a_line
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


@pytest.mark.parametrize("seconds", [1, 3])
def test_it_ends_with_the_line_that_is_being_written(model: LanguageModel, seconds: int) -> None:
    made = hurried(model, Script.of(model, TEXT).whole, seconds).complete(PLACE)
    assert (made.text, made.stop) == ("\n    first = 1", "time")
    assert 0 < made.confidence < 1


def test_the_rest_is_written_in_idle_time_for_when_the_beginning_is_accepted(
    model: LanguageModel,
) -> None:
    completer = hurried(model, Script.of(model, TEXT).whole, 1)
    shown = completer.complete(PLACE)
    completer.get_ahead(PLACE, shown, never_cancelled)
    made = completer.complete(replace(PLACE, before=PLACE.before + shown.text))
    assert (shown.text + made.text, made.stop) == (TEXT, "reuse")


@pytest.mark.parametrize("seconds", [0, 1000], ids=["no budget", "a long one"])
def test_enough_time_changes_nothing(model: LanguageModel, seconds: int) -> None:
    made = hurried(model, Script.of(model, TEXT).whole, seconds).complete(PLACE)
    assert (made.text, made.stop) == (TEXT, "end")


def test_a_rule_that_ends_it_goes_before(model: LanguageModel) -> None:
    script = Script.of(model, "\n    return a\nx")
    made = hurried(model, script.whole, len(script.whole) - 1).complete(PLACE)
    assert (made.text, made.stop) == ("\n    return a", "dedent")


def test_a_prompt_that_takes_long_to_read_leaves_time_for_a_line(model: LanguageModel) -> None:
    script = Script.of(model, TEXT)
    writing, decoder = scripted(model, script.whole)
    options = CompletionOptions(context_tokens=200, time_budget_ms=50_000)

    def clock() -> float:  # the prompt takes 100 seconds, each token one
        return decoder.passes + (100.0 if decoder.passes else 0.0)

    made = Completer(writing, options, clock=clock).complete(PLACE)
    assert (made.text, made.stop) == ("\n    first = 1", "time")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("", False),
        ("\n    ", False),
        ("return a", False),
        ("return a\n", True),
        ("\n    x = 1\n", True),
        ("\n    x = 1\n    ", True),
        ("\n    x = 1\n    y", False),
    ],
)
def test_a_line_ends_before_the_next_begins(text: str, ends: bool) -> None:
    assert ends_a_line(text) is ends


def test_the_setting_is_what_the_completer_is_made_with() -> None:
    assert Settings(time_budget_ms=700).completion_options().time_budget_ms == 700
