"""A prompt that is read before its suggestion is wanted is not read again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from completion.menu.names import look_up
from completion.menu.places import menu_place
from completion.pipeline import Completer, CompletionOptions
from completion.values import CompletionRequest, never_cancelled
from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from tests.unit.analysts import ScriptedAnalyst
from tests.unit.completion_helpers import CancelAfter, at, load_tiny_model, write_model

TEXT = "def total(values):\n    count = 1\n    return ▮\n"
PLACE = at(TEXT)
TYPED = at(TEXT.replace("▮", "c▮"))
OPTIONS = CompletionOptions(context_tokens=256, max_tokens=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each pass over a prompt encodes."""
    counts: list[int] = []
    encode = Decoder.encode

    def counted(
        self: Decoder, cache: KeyValueCache, positions: list[int], *rest: Any, **named: Any
    ) -> Tensor:
        counts.append(len(positions))
        return encode(self, cache, positions, *rest, **named)

    monkeypatch.setattr(Decoder, "encode", counted)
    return counts


def rank(completer: Completer, request: CompletionRequest) -> list[str]:
    place = menu_place(request)
    assert place is not None
    names = look_up(request, place, ScriptedAnalyst({}), ())
    return [one.name for one in completer.rank_names(request, names, never_cancelled, 1.0)]


def test_what_was_prepared_is_not_read_again(model: LanguageModel, encoded: list[int]) -> None:
    """With a clock that stands still drafts are as long, however busy the machine is."""
    expected = Completer(model, OPTIONS, lambda: 0.0).complete(PLACE)
    encoded.clear()
    completer = Completer(model, OPTIONS, lambda: 0.0)
    assert completer.prepare(PLACE) == sum(encoded) == expected.tokens.prompt
    passes = len(encoded)
    made = completer.complete(PLACE)
    assert (made.text, made.stop, made.tokens) == (expected.text, expected.stop, expected.tokens)
    assert len(encoded) == passes


@pytest.mark.parametrize(
    "between",
    [
        lambda completer: completer.complete(TYPED),
        lambda completer: completer.prepare(TYPED),
        lambda completer: completer.close(PLACE.document),
        lambda completer: rank(completer, PLACE),
        lambda completer: rank(completer, TYPED),
        lambda completer: completer.get_ahead(TYPED, completer.complete(TYPED), never_cancelled),
    ],
    ids=["another", "prepared", "closed", "menu", "other menu", "idle work"],
)
def test_whatever_comes_between_the_suggestion_is_the_same(
    model: LanguageModel, between: Callable[[Completer], object]
) -> None:
    completer = Completer(model, OPTIONS)
    completer.prepare(PLACE)
    between(completer)
    made, expected = completer.complete(PLACE), Completer(model, OPTIONS).complete(PLACE)
    assert (made.text, made.stop) == (expected.text, expected.stop)


def test_a_cache_that_was_healed_meanwhile_is_read_from_again(
    model: LanguageModel, encoded: list[int]
) -> None:
    """What was prepared had been read beside text that remembered another."""
    completer = Completer(model, replace(OPTIONS, repair_ms=0))
    completer.complete(at("x = 1\n" * 20 + TEXT))
    edited = at("x = 1\n" * 3 + "value = 22\n" + "x = 1\n" * 16 + TEXT)
    completer.prepare(edited)
    encoded.clear()
    completer.heal(edited.document)
    assert sum(encoded) > 1
    made, expected = completer.complete(edited), Completer(model, OPTIONS).complete(edited)
    assert (made.text, made.stop, made.features) == (
        expected.text,
        expected.stop,
        expected.features,
    )


def test_a_closed_document_is_read_again(model: LanguageModel, encoded: list[int]) -> None:
    completer = Completer(model, OPTIONS)
    read = completer.prepare(PLACE)
    completer.close(PLACE.document)
    encoded.clear()
    assert completer.complete(PLACE).tokens.encoded == sum(encoded) == read


def test_a_menu_there_reads_nothing_of_the_prompt(model: LanguageModel, encoded: list[int]) -> None:
    expected = rank(Completer(model, OPTIONS), PLACE)
    completer = Completer(model, OPTIONS)
    completer.prepare(PLACE)
    encoded.clear()
    assert rank(completer, PLACE) == expected
    completer.complete(PLACE)
    assert not encoded


def test_a_prompt_that_was_not_read_to_its_end_is_read(
    model: LanguageModel, encoded: list[int]
) -> None:
    completer = Completer(model, OPTIONS)
    with pytest.raises(Cancelled):
        completer.prepare(PLACE, CancelAfter(0))
    encoded.clear()
    assert completer.complete(PLACE).tokens.encoded == sum(encoded) > 0


def test_the_time_between_is_none_of_its_work(model: LanguageModel) -> None:
    now = 0.0
    completer = Completer(model, OPTIONS, clock=lambda: now)
    completer.prepare(PLACE)
    now = 60.0
    assert completer.complete(PLACE).ms.total == 0


@pytest.mark.model
def test_the_real_model_writes_the_same(default_model: LanguageModel) -> None:
    completer = Completer(default_model, OPTIONS)
    completer.prepare(PLACE)
    ranked = rank(completer, PLACE)
    assert ranked == rank(Completer(default_model, OPTIONS), PLACE)
    expected = Completer(default_model, OPTIONS).complete(PLACE)
    assert completer.complete(PLACE).text == expected.text != ""
