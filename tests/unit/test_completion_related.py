"""Code of other files before the file: which blocks, in which order, and at what cost."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.nearby import next_line
from completion.pipeline import Completer, CompletionOptions
from completion.prompt_formats import FileMarkers
from completion.related_blocks import (
    HEADER_TOKENS,
    RelatedChoice,
    choose_blocks,
    related_choice,
    related_tokens,
    steps_between,
)
from completion.suggestion_reuse import REUSE
from completion.values import CancelCheck, CompletionRequest
from models.errors import Cancelled
from models.language_model import LanguageModel
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode
from retrieval.related.similar_code import CodeBlock
from tests.unit.completion_helpers import (
    MARKERS,
    CancelAfter,
    at,
    load_tiny_model,
    write_model,
)

QWEN = FileMarkers("<|repo_name|>", "<|file_sep|>")
PLACE = at("def add(first, second):\n    return ▮\n")
LONG = at("value = 1\n" * 12 + "def add(first, second):\n    return ▮\n")
ONE, TWO, THREE = (
    CodeBlock(f"{name}.py", 1, f"def {name}(first):\n    return first\n")
    for name in ("one", "two", "three")
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A tiny one that knows how to be given several files."""
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder, [QWEN.repository, *MARKERS])
    return load_tiny_model(folder)


class Shelf:
    """A repository with these blocks, whatever is asked."""

    def __init__(self, *blocks: CodeBlock) -> None:
        self.blocks = blocks
        self.searches = 0

    def related(self, request: CompletionRequest, _: CancelCheck) -> RelatedCode:
        self.searches += 1
        return RelatedCode("shop", request.path, self.blocks)


def completer_with(
    model: LanguageModel, shelf: Shelf, related_tokens: int = 80, repair_ms: int = 250
) -> Completer:
    chosen = CompletionOptions(200, 4, related_tokens, repair_ms)
    return Completer(model, chosen, related=shelf)


def spelled(model: LanguageModel, tokens: Sequence[int]) -> str:
    names = {token: name for name, token in model.tokenizer.control.items()}
    return "".join(names.get(token) or model.tokenizer.decode([token]) for token in tokens)


# Which blocks


def test_the_best_block_comes_last(model: LanguageModel) -> None:
    assert choose_blocks([ONE, TWO, THREE], [], lambda _: 10, 25) == (TWO, ONE)


def test_a_block_stays_while_it_is_still_good(model: LanguageModel) -> None:
    assert choose_blocks([ONE, TWO, THREE], [TWO], lambda _: 10, 20) == (TWO, ONE)
    assert choose_blocks([ONE, TWO, THREE], [THREE, ONE], lambda _: 10, 20) == (THREE, ONE)
    assert choose_blocks([ONE, TWO], [THREE], lambda _: 10, 20) == (TWO, ONE)
    assert choose_blocks([], [THREE], lambda _: 10, 20) == ()


def test_a_block_that_does_not_fit_is_left_out(model: LanguageModel) -> None:
    costs = {ONE: 30, TWO: 10, THREE: 10}
    assert choose_blocks([ONE, TWO, THREE], [], costs.__getitem__, 25) == (THREE, TWO)


blocks = st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True)


@given(old=blocks, new=blocks)
def test_steps_lose_nothing_before_the_end(old: list[CodeBlock], new: list[CodeBlock]) -> None:
    start, goal = RelatedCode("shop", "a.py", tuple(old)), RelatedCode("shop", "a.py", tuple(new))
    steps = list(steps_between(start, goal, lambda _: 10, 60))
    assert (steps or [start])[-1].blocks == goal.blocks
    before = start
    for step in steps[:-1]:
        assert step.blocks[:-1] == before.blocks
        before = step


MANY = [CodeBlock(f"{number}.py", 1, "x\n" * (1 + number % 5)) for number in range(12)]
wishes = st.lists(st.sampled_from(MANY), unique=True)


@given(st.lists(st.tuples(wishes, st.integers(0, 6)), max_size=12))
def test_whoever_is_interrupted_again_and_again_never_has_more_than_fits(
    wishes: list[tuple[list[CodeBlock], int]],
) -> None:
    def cost(block: CodeBlock) -> int:
        return len(block.text)

    in_use = NOTHING_RELATED
    for wish, done in wishes:
        chosen = RelatedCode("shop", "a.py", choose_blocks(wish, in_use.blocks, cost, 20))
        for step in list(steps_between(in_use, chosen, cost, 40))[:done]:
            in_use = step
            assert sum(map(cost, in_use.blocks)) <= 40


def test_no_more_than_the_model_can_read(model: LanguageModel) -> None:
    assert related_choice(model.tokenizer, QWEN, 384, room=10_000).budget == 384
    assert related_choice(model.tokenizer, QWEN, 384, room=328).most == 328
    assert related_choice(model.tokenizer, QWEN, 384, room=100).most == 0
    assert related_choice(model.tokenizer, QWEN, 0, room=10_000).most == 0
    assert related_choice(model.tokenizer, None, 384, room=10_000).most == 0


def test_blocks_stand_as_the_model_was_taught(model: LanguageModel) -> None:
    tokens = related_tokens(model.tokenizer, QWEN, RelatedCode("shop", "file.py", (ONE, TWO)))
    assert spelled(model, tokens) == (
        "<|repo_name|>shop\n"
        f"<|file_sep|>one.py\n{ONE.text}<|file_sep|>two.py\n{TWO.text}<|file_sep|>file.py\n"
    )
    assert related_tokens(model.tokenizer, QWEN, RelatedCode("shop", "file.py")) == []


def test_nothing_for_a_model_without_markers_or_a_very_long_name(model: LanguageModel) -> None:
    found = RelatedCode("shop", "file.py", (ONE,))
    without = RelatedChoice(model.tokenizer, None, 100)
    assert without.of(found, NOTHING_RELATED) == NOTHING_RELATED
    choice = RelatedChoice(model.tokenizer, QWEN, 100)
    long = RelatedCode("shop", "folder/" * HEADER_TOKENS, (ONE,))
    assert choice.of(long, NOTHING_RELATED) == NOTHING_RELATED
    assert choice.of(found, NOTHING_RELATED) == found


# In the pipeline


def test_a_suggestion_after_them_reads_one_token(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE, TWO))
    cold = completer.complete(PLACE)
    assert completer.read_related(PLACE).blocks == (TWO, ONE)
    session = completer._sessions.of(PLACE.document)
    warm = completer.with_parts().complete(PLACE)
    assert warm.tokens.encoded <= 2
    assert warm.tokens.prompt - cold.tokens.prompt == len(
        related_tokens(model.tokenizer, QWEN, session.related)
    )
    assert spelled(model, session.cache.tokens).startswith("<|repo_name|>shop\n<|file_sep|>two.py")


def test_once_healed_they_are_as_if_read_with_the_file(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE, TWO), repair_ms=0)
    completer.complete(PLACE)
    completer.read_related(PLACE)
    session = completer._sessions.of(PLACE.document)
    assert session.cache.inexact()
    completer.heal(PLACE.document)
    assert not session.cache.inexact()


def test_whoever_types_on_keeps_what_was_read(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE, TWO))
    completer.complete(PLACE)
    with pytest.raises(Cancelled):
        completer.read_related(PLACE, CancelAfter(2))
    session = completer._sessions.of(PLACE.document)
    assert session.related.blocks == (TWO,)
    assert completer.with_parts().complete(PLACE).tokens.encoded <= 3
    assert completer.read_related(PLACE).blocks == (TWO, ONE)


def test_other_blocks_take_their_place(model: LanguageModel) -> None:
    shelf = Shelf(ONE, TWO)
    completer = completer_with(model, shelf, related_tokens=60)
    completer.complete(PLACE)
    first = completer.read_related(PLACE).blocks
    shelf.blocks = (THREE,)
    elsewhere = at("class Point:\n    x = ▮\n")
    assert completer.read_related(elsewhere).blocks == (THREE,)
    assert THREE not in first
    shelf.blocks = ()
    assert completer.read_related(PLACE).blocks == ()
    completer.heal(PLACE.document)
    assert completer.with_parts().complete(PLACE).tokens.encoded <= 2


def test_a_search_that_nobody_waits_for_reads_nothing(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE))
    completer.complete(PLACE)
    with pytest.raises(Cancelled):
        completer.read_related(PLACE, lambda: True)
    assert completer._sessions.of(PLACE.document).related == NOTHING_RELATED


def test_a_search_is_made_once_a_word_is_finished(model: LanguageModel) -> None:
    shelf = Shelf(ONE)
    completer = completer_with(model, shelf)
    searches: list[int] = []
    for typed in ("", "f", "fi", "first", "first +", "first + ", "first + s", "first + second."):
        completer.read_related(at(f"def add(first, second):\n    return {typed}▮\n"))
        searches.append(shelf.searches)
    assert set(searches) == {1}  # all its names stand above already
    completer.read_related(at("def add(first, second):\n    return other▮\n"))
    assert shelf.searches == 1
    completer.read_related(at("def add(first, second):\n    return other.▮\n"))
    assert shelf.searches == 2
    completer.close("file.py")
    completer.read_related(PLACE)
    assert shelf.searches == 3


def test_idle_time_is_used_for_them(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE))
    shown = completer.complete(PLACE)
    completer.get_ahead(PLACE, shown, lambda: False)
    session = completer._sessions.of(PLACE.document)
    assert session.related.blocks == (ONE,)
    assert not session.cache.inexact()


def test_the_next_line_is_prepared_from_an_exact_cache(model: LanguageModel) -> None:
    """What blocks of other files have made stale is healed before."""
    completer = completer_with(model, Shelf(ONE, TWO))
    shown = completer.complete(LONG)
    completer.get_ahead(LONG, shown, lambda: False)
    begun = next_line(replace(LONG, before=LONG.before + shown.text))
    assert begun is not None
    prepared = completer.complete(begun)
    other = completer_with(model, Shelf(ONE, TWO)).with_parts(exact=True)
    other.complete(LONG)
    other.read_related(LONG)
    expected = other.complete(begun)
    assert (prepared.stop, prepared.text) == (REUSE, expected.text)
    assert prepared.features is not None
    assert expected.features is not None
    assert prepared.features.total == pytest.approx(expected.features.total, abs=1e-5)


@pytest.mark.parametrize(("idle", "times"), [(False, 2), (True, 5), (True, 1000)])
def test_what_idle_time_reads_leaves_nothing_to_repair_for_the_next_request(
    model: LanguageModel, idle: bool, times: int
) -> None:
    """Of what was called off while somebody waited, the rest is repaired."""
    completer = completer_with(model, Shelf(ONE, TWO))
    completer.complete(LONG)
    session = completer._sessions.of(LONG.document)
    with suppress(Cancelled):
        completer.read_related(LONG, CancelAfter(times), idle=idle)
    assert len(session.related.blocks) == 1 + (times == 1000)
    made = completer.with_parts().complete(LONG)
    assert session.cache.stale()
    assert (made.tokens.encoded == 1) == idle


def test_an_edit_before_that_is_still_repaired(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE))
    completer.complete(LONG)
    edited = replace(LONG, before=f"import os\n{LONG.before}")
    session = completer._sessions.of(LONG.document)
    session.lay_out(completer.prompts.build(edited, session.edges))
    completer.read_related(edited, idle=True)
    assert completer.with_parts().complete(edited).tokens.encoded > 1


@pytest.mark.parametrize("idle", [False, True])
def test_idle_time_ends_between_two_layers(model: LanguageModel, idle: bool) -> None:
    """One that somebody waits for ends between two chunks."""
    asked = CancelAfter(10_000)
    completer = completer_with(model, Shelf(ONE, TWO))
    completer.complete(PLACE)
    completer.read_related(PLACE, asked, idle=idle)
    assert (asked.asked >= 2 * model.decoder.config.layers) == idle


def test_none_are_read_where_none_are_wanted(model: LanguageModel) -> None:
    completer = completer_with(model, Shelf(ONE), related_tokens=0)
    completer.complete(PLACE)
    assert completer.read_related(PLACE) == NOTHING_RELATED
    assert Completer(model, CompletionOptions(200)).read_related(PLACE) == NOTHING_RELATED


USE = CodeBlock(
    "shop/letters.py",
    1,
    "from shop.mail import Postbox\n\n\ndef thank(customer):\n"
    "    box = Postbox.of_street(customer.street)\n"
    "    box.drop_envelope(customer.address, stamps=2)\n",
)
CALL = at(
    "from shop.mail import Postbox\n\n\ndef remind(customer):\n"
    "    box = Postbox.of_street(customer.street)\n    box.▮\n"
)


@pytest.mark.model
def test_the_real_model_uses_what_another_file_shows(default_model: LanguageModel) -> None:
    options = CompletionOptions(context_tokens=256, max_tokens=16)
    completer = Completer(default_model, options, related=Shelf(USE))
    assert "drop_envelope" not in completer.complete(CALL).text
    completer.read_related(CALL)
    told = completer.with_parts().complete(CALL)
    assert told.text.startswith("drop_envelope(customer.address")
    assert told.tokens.encoded <= 3
