"""The edit session: whatever was edited, how true the cache is, and what that costs."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from completion.edit_session import EditSession
from completion.prompt import Prompt
from completion.repair import EXACT, Repair
from completion.values import CancelCheck, never_cancelled
from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache, Segment
from models.language_model import LanguageModel
from models.prefill import CHUNK_TOKENS
from models.token_tree import NO_TREE, TokenTree
from tests.unit.completion_helpers import (
    NO_CHANGE,
    WIDE_HEADS,
    CancelAfter,
    load_tiny_model,
    write_model,
)

CAPACITY = 600
CHEAP = Repair(0)
TOLERANCE = 1e-5  # float32, logits of size one


@pytest.fixture(scope="module", params=["float32", "8 bits"])
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LanguageModel:
    """By a tensor library, and by the compiled pass that is shipped."""
    folder: Path = tmp_path_factory.mktemp("model")
    exact = request.param == "float32"
    write_model(folder, shape=NO_CHANGE if exact else WIDE_HEADS)
    return load_tiny_model(folder, exact=exact)


def fresh(decoder: Decoder, prompt: list[int]) -> tuple[Tensor, KeyValueCache]:
    session = EditSession(decoder, CAPACITY)
    return session.read(Prompt(prompt), EXACT, never_cancelled).logits, session.cache


TOKENS = st.lists(st.integers(0, 200), max_size=12)
# An edit keeps so many tokens of the last prompt, writes these, and keeps so many of its end; or it
# goes back so many prompts.
Edit = tuple[int, list[int], int] | int
EDITS = st.lists(
    st.tuples(st.integers(0, 30), TOKENS, st.integers(0, 30)) | st.integers(1, 3),
    min_size=1,
    max_size=6,
)
REPAIRS = st.sampled_from([CHEAP, Repair(3), Repair(50), EXACT])


def prompts_of(edits: Sequence[Edit]) -> list[list[int]]:
    """A first prompt, and the one after each edit."""
    prompts = [list(range(40))]
    for edit in edits:
        if isinstance(edit, int):
            prompts.append(prompts[-1 - min(edit, len(prompts) - 1)])
            continue
        (keep, new, keep_end), last = edit, prompts[-1]
        prompts.append(last[:keep] + new + last[max(keep, len(last) - keep_end) :] or [0])
    return prompts


@settings(deadline=None, max_examples=40)
@given(edits=EDITS, cancel_at=st.none() | st.integers(0, 5), data=st.data())
def test_exact_after_any_edits_gives_fresh_logits(
    model: LanguageModel,
    edits: list[Edit],
    cancel_at: int | None,
    data: st.DataObject,
) -> None:
    session = EditSession(model.decoder, CAPACITY)
    *earlier, prompt = prompts_of(edits)
    for number, (before, after) in enumerate(pairwise([*earlier, prompt])):
        session.read(Prompt(before), data.draw(REPAIRS), never_cancelled)
        if number == cancel_at:
            with pytest.raises(Cancelled):
                session.read(Prompt(after), CHEAP, CancelAfter(0))
    read = session.read(Prompt(prompt), EXACT, never_cancelled)

    assert read.reused + read.moved + read.encoded == len(prompt)
    assert read.encoded >= 1
    assert read.corrected == 0
    assert session.cache.tokens == tuple(prompt)
    assert_near(read.logits, fresh(model.decoder, prompt)[0])


@settings(deadline=None, max_examples=40)
@given(edits=EDITS, interrupt=st.integers(0, 6))
def test_healing_ends_at_exact(model: LanguageModel, edits: list[Edit], interrupt: int) -> None:
    session = EditSession(model.decoder, CAPACITY)
    for prompt in prompts_of(edits):
        session.read(Prompt(prompt), CHEAP, never_cancelled)
    try:
        session.heal(CancelAfter(interrupt))
    except Cancelled:
        session.heal(never_cancelled)

    assert session.cache.inexact() == []
    logits, cache = fresh(model.decoder, prompt)
    assert_same_memory(session.cache, cache, layers=model.decoder.config.layers)
    read = session.read(Prompt(prompt), CHEAP, never_cancelled)
    assert read.encoded == 1
    assert_near(read.logits, logits)


@settings(deadline=None, max_examples=40)
@given(edits=EDITS)
def test_a_corrected_cache_is_exact_in_its_first_layer(
    model: LanguageModel, edits: list[Edit]
) -> None:
    session = EditSession(model.decoder, CAPACITY)
    for prompt in prompts_of(edits):
        session.read(Prompt(prompt), CHEAP, never_cancelled)
    assert_same_memory(session.cache, fresh(model.decoder, prompt)[1], layers=1)


def assert_same_memory(cache: KeyValueCache, expected: KeyValueCache, layers: int) -> None:
    assert cache.length == expected.length
    for layer in range(layers):
        for ours, theirs in zip(
            cache.view(layer, cache.length), expected.view(layer, cache.length), strict=True
        ):
            assert_near(ours, theirs)


def test_a_thousand_edits_leave_no_rounding(model: LanguageModel) -> None:
    """Moved back and forth a thousand times, every turned key is bit for bit what it was."""
    session = EditSession(model.decoder, CAPACITY)
    text = [n % 200 for n in range(300)]
    session.read(Prompt(text), CHEAP, never_cancelled)
    before = [part.clone() for part in session.cache.view(1, 300)]
    generator = torch.Generator().manual_seed(0)
    for _ in range(500):
        place, count = torch.randint(1, 200, (2,), generator=generator).tolist()
        longer = text[:place] + [201 + n % 40 for n in range(count)] + text[place:]
        session.cache.lay_out(longer, segments_around(place, count, 300))
        session.cache.lay_out(text, segments_around(place, count, 300, back=True))
    assert session.cache.inexact() == []
    for now, then in zip(session.cache.view(1, 300), before, strict=True):
        assert torch.equal(now, then)


def segments_around(place: int, count: int, length: int, *, back: bool = False) -> list[Segment]:
    ends = (place + count, place) if back else (place, place + count)
    return [Segment(0, 0, place), Segment(*ends, length - place)]


def assert_near(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=TOLERANCE)


def test_a_copy_goes_on_by_itself(model: LanguageModel) -> None:
    """What is moved, read and brought back in a copy is the copy's alone."""
    session, text = EditSession(model.decoder, CAPACITY), list(range(40))
    exact = session.read(Prompt(text), EXACT, never_cancelled).logits
    copied = session.copy()
    edited = [*text[:5], 77, 78, *text[9:]]
    assert_near(
        copied.read(Prompt(edited), EXACT, never_cancelled).logits, fresh(model.decoder, edited)[0]
    )
    for one in (copied, session):
        undone = one.read(Prompt(text), EXACT, never_cancelled)
        assert undone.encoded == 1
        assert_near(undone.logits, exact)


def test_appended_text_is_all_that_is_read(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    session.read(Prompt([1, 2, 3]), CHEAP, never_cancelled)
    read = session.read(Prompt([1, 2, 3, 4, 5]), CHEAP, never_cancelled)
    assert (read.reused, read.moved, read.encoded, read.corrected) == (3, 0, 2, 0)


def test_same_prompt_reads_its_last_token_again(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    first = session.read(Prompt([1, 2, 3]), CHEAP, never_cancelled)
    again = session.read(Prompt([1, 2, 3]), CHEAP, never_cancelled)
    assert (again.reused, again.encoded) == (2, 1)
    assert_near(first.logits, again.logits)


def test_an_edit_above_costs_what_is_new(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    read = session.read(Prompt([*text[:10], 150, 151, *text[10:]]), CHEAP, never_cancelled)
    assert (read.reused, read.moved, read.encoded) == (10, 89, 3)
    assert read.corrected == 90


def test_a_deletion_above_costs_nothing_new(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    read = session.read(Prompt([*text[:10], *text[15:]]), CHEAP, never_cancelled)
    assert (read.reused, read.moved, read.encoded) == (10, 84, 1)


def test_undoing_an_edit_makes_the_cache_exact_again(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    session.read(Prompt([*text[:10], 150, *text[10:]]), CHEAP, never_cancelled)
    read = session.read(Prompt(text), CHEAP, never_cancelled)
    assert (read.encoded, read.corrected) == (1, 0)
    assert_near(read.logits, fresh(model.decoder, text)[0])


def test_undoing_brings_back_what_was_taken_out_and_what_was_repaired(model: LanguageModel) -> None:
    """As it was read before, while nobody has read more than is remembered."""
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text, frozenset({50, 51})), Repair(9), never_cancelled)
    edited = [*text[:10], 150, *text[30:]]
    changed = session.read(Prompt(edited, frozenset({31, 32})), Repair(9), never_cancelled)
    assert changed.encoded > 9
    undone = session.read(Prompt(text, frozenset({50, 51})), Repair(9), never_cancelled)
    assert (undone.encoded, undone.corrected) == (1, 0)
    assert_near(undone.logits, fresh(model.decoder, text)[0])
    redone = session.read(Prompt(edited, frozenset({31, 32})), Repair(9), never_cancelled)
    assert redone.encoded == 1
    assert_near(redone.logits, changed.logits)


def test_anchors_are_encoded_again_once_the_text_before_them_has_changed(
    model: LanguageModel,
) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text, frozenset({0, 50, 51})), CHEAP, never_cancelled)
    longer = Prompt([*text[:40], 150, *text[40:]], frozenset({0, 51, 52}))
    assert session.read(longer, CHEAP, never_cancelled).encoded == 1 + 2 + 1
    assert session.read(longer, CHEAP, never_cancelled).encoded == 1


def test_what_fits_the_budget_is_encoded_until_it_is_exact(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    longer = [*text[:90], 150, *text[90:]]
    read = session.read(Prompt(longer), Repair(9), never_cancelled)
    assert (read.encoded, read.corrected) == (11, 0)
    assert_near(read.logits, fresh(model.decoder, longer)[0])


@pytest.mark.parametrize(
    ("repair", "read_again"),
    [
        (Repair(0), 2),  # anchors always
        (Repair(1), 2),
        (Repair(2), 2),
        (Repair(6), 2 + 4 + 1),  # they are paid first; the last token once more for the rest
        (Repair(88), 2 + 86 + 1),
        (Repair(89), 89),  # all
        (EXACT, 89),
    ],
)
def test_anchors_are_paid_from_the_budget(
    model: LanguageModel, repair: Repair, read_again: int
) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    edited = Prompt([*text[:10], 150, *text[10:]], anchors=frozenset({0, 50, 51}))
    assert session.read(edited, repair, never_cancelled).encoded == 2 + read_again


def test_what_is_left_of_a_text_that_is_mostly_new_is_read_with_it(model: LanguageModel) -> None:
    text, new = list(range(100)), list(range(100, 150))
    for kept, corrected in ((50, 0), (60, 60 - 1)):
        session = EditSession(model.decoder, CAPACITY)
        session.read(Prompt(text), CHEAP, never_cancelled)
        read = session.read(Prompt(new + text[:kept]), Repair(1), never_cancelled)
        assert read.corrected == corrected


def test_repair_ends_with_the_last_token_once_more(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    read = session.read(Prompt([*text[:10], 150, *text[10:]]), Repair(5), never_cancelled)
    assert read.encoded == 2 + 5 + 1
    assert read.reused + read.moved + read.encoded == 101 + 1
    assert read.corrected == 90 - 3  # what follows the edit at once is exact again


def test_repair_called_off_tells_all_it_has_read(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    with pytest.raises(Cancelled) as called_off:
        session.read(Prompt([*text[:10], 150, *text[10:]]), Repair(5), CancelAfter(1))
    assert called_off.value.encoded == 2 + 3


def test_what_is_typed_after_an_edit_repairs_nothing_more(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), Repair(5), never_cancelled)
    text = [*text[:10], 150, *text[10:]]
    assert session.read(Prompt(text), Repair(5), never_cancelled).encoded == 2 + 5 + 1
    assert session.read(Prompt([*text, 7]), Repair(5), never_cancelled).encoded == 1
    assert session.read(Prompt([*text[1:], 7]), Repair(5), never_cancelled).encoded == 1 + 5 + 1


def test_a_repair_that_was_called_off_is_made_up_for(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    text = [*text[:10], 150, *text[10:]]
    with pytest.raises(Cancelled):
        session.read(Prompt(text), Repair(5), CancelAfter(0))
    assert session.read(Prompt([*text, 7]), Repair(5), never_cancelled).encoded == 2 + 5 + 1


def test_generated_tokens_that_were_accepted_are_reused(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    session.read(Prompt([1, 2]), CHEAP, never_cancelled)
    model.decoder.forward([3], session.cache)
    assert session.read(Prompt([1, 2, 3, 4]), CHEAP, never_cancelled).reused == 3


def test_healing_leaves_generated_tokens_alone(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    session.read(Prompt(list(range(40))), CHEAP, never_cancelled)
    session.read(Prompt([99, *range(40)]), CHEAP, never_cancelled)
    model.decoder.forward([3, 4, 5], session.cache)
    assert session.heal(never_cancelled) == 40
    assert session.cache.length == 41


class CountingDecoder(Decoder):
    """A decoder that counts the tokens it reads."""

    def __init__(self, decoder: Decoder) -> None:
        self.__dict__.update(vars(decoder))
        self.count = 0

    def encode(
        self,
        cache: KeyValueCache,
        positions: Sequence[int],
        cancelled: CancelCheck = never_cancelled,
        attention: Tensor | None = None,
        ahead: TokenTree = NO_TREE,
    ) -> Tensor:
        self.count += len(positions)
        return super().encode(cache, positions, cancelled, attention, ahead)


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_cancelling_stops_within_a_chunk_and_keeps_what_was_read(
    model: LanguageModel, chunks: int
) -> None:
    decoder = CountingDecoder(model.decoder)
    session = EditSession(decoder, CAPACITY)
    prompt = [n % 200 for n in range(4 * CHUNK_TOKENS)]

    with pytest.raises(Cancelled):
        session.read(Prompt(prompt), CHEAP, CancelAfter(chunks))
    assert decoder.count == chunks * CHUNK_TOKENS

    read = session.read(Prompt(prompt), CHEAP, never_cancelled)
    assert read.reused == chunks * CHUNK_TOKENS
    assert_near(read.logits, fresh(model.decoder, prompt)[0])


def test_flag_set_while_reading_is_obeyed_before_the_next_chunk(model: LanguageModel) -> None:
    decoder = CountingDecoder(model.decoder)
    session = EditSession(decoder, CAPACITY)
    with pytest.raises(Cancelled):
        session.read(Prompt([1] * (4 * CHUNK_TOKENS)), CHEAP, lambda: decoder.count > 0)
    assert decoder.count <= CHUNK_TOKENS


def test_new_text_is_learnt_once_even_if_reading_it_is_called_off(model: LanguageModel) -> None:
    learnt: list[list[int]] = []

    def learn(tokens: Sequence[int], places: range) -> None:
        learnt.append([tokens[place] for place in places])

    session, text = EditSession(model.decoder, 300), [place % 200 for place in range(150)]
    with pytest.raises(Cancelled):
        session.read(Prompt(text), CHEAP, CancelAfter(1), learn)
    session.read(Prompt([*text, 7, 8]), CHEAP, never_cancelled, learn)
    session.read(Prompt([*text[:50], 9, *text[50:], 7, 8]), CHEAP, never_cancelled, learn)

    assert learnt == [text, [*text[CHUNK_TOKENS:], 7, 8], [9]]


def test_few_stale_tokens_among_many_corrected_ones_are_all_repaired(model: LanguageModel) -> None:
    """What was read beside stale ones, under the text as it is, is left for idle time."""
    session = EditSession(model.decoder, CAPACITY)
    text = list(range(100))
    session.read(Prompt(text), CHEAP, never_cancelled)
    text = [*text[:10], 150, *text[10:]]
    session.read(Prompt(text, anchors=frozenset(range(20, 101))), CHEAP, never_cancelled)
    assert session.cache.stale() == list(range(11, 20))
    assert session.cache.inexact() == list(range(11, 101))
    text = [*text[:97], 151, *text[97:]]
    read = session.read(Prompt(text), Repair(50), never_cancelled)
    assert read.encoded == 1 + 4 + 9
    assert session.cache.stale() == []
