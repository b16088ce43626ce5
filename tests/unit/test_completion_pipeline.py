"""The whole way from a request to a suggestion."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.prompt import PromptBuilder
from completion.values import Suggestion, never_cancelled
from models.errors import Cancelled
from models.language_model import LanguageModel
from tests.unit.completion_helpers import CancelAfter, at, load_tiny_model, scripted, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def writer(model: LanguageModel, *texts: tuple[str, str], max_tokens: int = 64) -> Completer:
    """A completer whose model writes a text at each place, and whose clock ticks at each look."""
    prompts = PromptBuilder.for_model(model, 200)
    scripts = []
    for place, text in texts:
        end = prompts.build(at(place)).end
        written = model.tokenizer.encode(end.piece.decode() + text)[len(end.settled) :]
        scripts.append([*written, next(iter(model.end_tokens))])
    ticks = count()
    return Completer(
        scripted(model, *scripts)[0],
        CompletionOptions(context_tokens=200, max_tokens=max_tokens),
        clock=lambda: float(next(ticks)),
    )


def tokens_of(suggestion: Suggestion) -> Sequence[int]:
    tokens = suggestion.tokens
    return tokens.prompt, tokens.reused, tokens.encoded, tokens.generated


def test_suggestion_is_what_the_model_wrote_cleaned_up(model: LanguageModel) -> None:
    suggestion = writer(model, ("foo(▮)\n", "a, b)\nmore")).complete(at("foo(▮)\n"))
    assert (suggestion.text, suggestion.stop, suggestion.model) == ("a, b", "line", "tiny")


def test_rules_that_end_it_are_told(model: LanguageModel) -> None:
    place = "def f(a):▮\n"
    suggestion = writer(model, (place, "\n    return a\nprint(1)")).complete(at(place))
    assert (suggestion.text, suggestion.stop) == ("\n    return a", "dedent")


def test_text_cut_for_length_ends_with_a_whole_line(model: LanguageModel) -> None:
    place, text = "def f(a):▮\n", "\n    first = 1\n    second = 2"
    length = len(model.tokenizer.encode(text)) - 1
    suggestion = writer(model, (place, text), max_tokens=length).complete(at(place))
    assert (suggestion.text, suggestion.stop) == ("\n    first = 1", "length")


def test_tokens_are_counted(model: LanguageModel) -> None:
    completer = writer(model, ("x =▮", "1"), ("x = y▮", "2"))
    first = completer.complete(at("x =▮"))
    prompt = len(completer.prompts.build(at("x =▮")).tokens)
    assert tokens_of(first) == (prompt, 0, prompt, 2)

    second = completer.complete(at("x = y▮"))
    assert second.tokens.reused >= 2
    assert second.tokens.reused + second.tokens.encoded == second.tokens.prompt
    assert second.tokens.generated == 1  # no token goes on from " y": it is read as it is


def test_stages_are_timed(model: LanguageModel) -> None:
    """The clock is looked at when work starts, at the prompt, the cache, a token, the end, and
    before and after each pass."""
    suggestion = writer(model, ("x =▮", "12")).complete(at("x =▮"))
    ms, passes = suggestion.ms, 2000 * suggestion.tokens.passes
    assert (ms.context, ms.cache, ms.first_token, ms.total) == (1000, 1000, 3000, 4000 + passes)
    assert ms.first_line == ms.total


def test_the_first_line_is_timed_where_more_follow(model: LanguageModel) -> None:
    """The clock is looked at for the first token, for the first line, at the end, and around each
    pass."""
    place, text = "def f(a):▮\n", "  # note\n    return a"
    suggestion = writer(model, (place, text)).complete(at(place))
    ms, passes = suggestion.ms, 2000 * suggestion.tokens.passes
    assert (ms.first_token, ms.total) == (3000, 5000 + passes)
    assert ms.first_token < ms.first_line < ms.total


def test_nothing_written_is_timed_as_well(model: LanguageModel) -> None:
    suggestion = writer(model, ("x =▮", "")).complete(at("x =▮"))
    assert suggestion.text == ""
    assert suggestion.ms.first_token == suggestion.ms.total == 3000


def test_typing_through_a_suggestion_asks_no_model(model: LanguageModel) -> None:
    completer = writer(model, ("x = ▮", "value + 1"))
    request = at("x = ▮")
    assert completer.complete(request).text == "value + 1"
    typed = completer.complete(at("x = val▮"))
    assert (typed.text, typed.stop, tokens_of(typed)) == ("ue + 1", "reuse", (0, 0, 0, 0))
    assert completer.complete(request).text == "value + 1"


def test_what_follows_an_accepted_suggestion_is_there_when_it_is_asked_for(
    model: LanguageModel,
) -> None:
    completer = writer(model, ("x = ▮", "value"), ("x = value▮", "first"))
    request = at("x = ▮")
    shown = completer.complete(request)
    completer.get_ahead(request, shown, never_cancelled)
    prepared = completer.complete(at("x = value▮"))
    assert (prepared.text, prepared.stop) == ("first", "reuse")


def test_the_next_line_is_there_when_it_is_begun(model: LanguageModel) -> None:
    """Of what is accepted the last line decides how deep it is."""
    begun = "x = value[\n    ▮\n]\n"
    completer = writer(model, ("x = ▮\n]\n", "value["), ("x = value[▮\n]\n", ""), (begun, "first"))
    request = at("x = ▮\n]\n")
    completer.get_ahead(request, completer.complete(request), never_cancelled)
    prepared = completer.complete(at(begun))
    assert (prepared.text, prepared.stop) == ("first", "reuse")


@pytest.mark.parametrize("place", ["x = ▮ + 1\n", "x = 1\n    ▮\n", "▮"])
def test_no_line_is_begun_within_another_or_from_an_empty_one(
    model: LanguageModel, place: str
) -> None:
    completer = writer(model, (place, ""))
    request = at(place)
    completer.get_ahead(request, completer.complete(request), never_cancelled)
    assert completer.remembered(replace(request, before=f"{request.before}\n")) is None


def test_drafts_come_from_all_of_the_file_once_there_was_time(model: LanguageModel) -> None:
    far = "the_far_end = of_the_file\n"
    request = at("▮" + "x = 1\n" * 200 + far)
    completer = writer(model, ("▮", ""), ("y = 1\n▮", far.rstrip()))
    first = completer.complete(request)
    without = writer(model, ("y = 1\n▮", far.rstrip())).complete(at("y = 1\n▮"))
    completer.get_ahead(request, first, never_cancelled)
    made = completer.complete(at("y = 1\n▮"))
    assert made.text == without.text == far.rstrip()
    assert made.tokens.passes < without.tokens.passes


def test_idle_time_reads_what_stands_where_a_suggestion_still_held(model: LanguageModel) -> None:
    """Back from a look at another place, the cache is still that other place's."""
    completer = Completer(model, CompletionOptions(context_tokens=200, max_tokens=1))
    here = at("import os\n" * 30 + "x = ▮\n" + "def f(a):\n    return a\n" * 30)
    there = at("import os\n" * 30 + "x = \n" + "def f(a):\n    return a\n" * 30 + "y = ▮")
    completer.complete(here)
    completer.complete(there)
    back = completer.complete(here)
    assert back.stop == "reuse"
    completer.get_ahead(here, replace(back, text=""), never_cancelled)
    assert completer.complete(replace(here, single_line=True)).tokens.encoded == 1


def test_idle_time_makes_the_cache_exact(model: LanguageModel) -> None:
    options = CompletionOptions(context_tokens=200, max_tokens=1, repair_ms=0)
    completer = Completer(model, options)
    text = "def f(a):\n    return a\n" * 6
    completer.complete(at(text + "x▮\n"))
    edited = at("y = 1\n" + text + "x▮\n")
    first = completer.complete(edited)
    assert first.tokens.moved > 10
    completer.get_ahead(edited, replace(first, text=""), never_cancelled)
    exact = Completer(model, replace(options, exact=True))
    again = completer.complete(replace(edited, single_line=True))
    assert again.tokens.encoded == 1
    assert again.text == exact.complete(replace(edited, single_line=True)).text


def test_exact_encodes_all_that_an_edit_made_inexact(model: LanguageModel) -> None:
    completer = Completer(model, CompletionOptions(200, max_tokens=1, repair_ms=0, exact=True))
    text = "def f(a):\n    return a\n" * 6
    completer.complete(at(text + "x▮\n"))
    edited = completer.complete(at("y = 1\n" + text + "x▮\n"))
    assert edited.tokens.moved == 0
    assert edited.tokens.reused == 1  # the first marker stands before the edit


def test_a_closed_document_gives_up_its_cache(model: LanguageModel) -> None:
    completer = Completer(model, CompletionOptions(200, max_tokens=1))
    completer.complete(at("x =▮\n"))
    completer.close("file.py")
    assert completer.complete(at("x = ▮\n")).tokens.reused == 0


@pytest.mark.parametrize("times", [0, 1], ids=["reading", "writing"])
def test_cancelling_leaves_a_completer_that_goes_on(model: LanguageModel, times: int) -> None:
    request = at("def f(a):▮\n")
    completer = Completer(model, CompletionOptions(context_tokens=200, max_tokens=8))
    expected = Completer(model, completer.options).complete(request)

    with pytest.raises(Cancelled):
        completer.complete(request, CancelAfter(times))
    again = completer.complete(request)

    assert (again.text, again.stop) == (expected.text, expected.stop)


def test_smallest_budget_is_enough_to_run(model: LanguageModel) -> None:
    options = CompletionOptions(context_tokens=1, max_tokens=4)
    Completer(model, options).complete(at("x = 1\n" * 50 + "▮"))


FUNCTION = """\
def mean(values: list[float]) -> float:
    \"\"\"Return the arithmetic mean of values.\"\"\"
    total = sum(values)
    ▮


print(mean([1.0, 2.0, 3.0]))
"""


@pytest.mark.model
def test_real_model_completes_a_function(default_model: LanguageModel) -> None:
    completer = Completer(default_model, CompletionOptions(context_tokens=256, max_tokens=16))
    suggestion = completer.complete(at(FUNCTION))

    assert suggestion.text.strip()
    ast.parse(FUNCTION.replace("▮", suggestion.text))

    typed = completer.complete(at(FUNCTION.replace("▮", "x▮")))
    assert typed.tokens.reused > 20
    assert typed.tokens.encoded < typed.tokens.prompt
    ast.parse(FUNCTION.replace("▮", "r" + typed.text))
