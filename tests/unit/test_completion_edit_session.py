"""The edit session: whatever was read before, a prompt's logits are those of a fresh reading."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from completion.edit_session import EditSession
from completion.values import never_cancelled
from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.prefill import CHUNK_TOKENS
from tests.unit.completion_helpers import CancelAfter, load_tiny_model, write_model

CAPACITY = 600


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def fresh_logits(decoder: Decoder, prompt: list[int]) -> Tensor:
    return EditSession(decoder, CAPACITY).read(prompt, never_cancelled).logits


TOKENS = st.lists(st.integers(0, 200), max_size=12)
# An edit keeps so many tokens of the last prompt, writes these, and keeps so many of its end.
EDITS = st.lists(st.tuples(st.integers(0, 30), TOKENS, st.integers(0, 30)), min_size=1, max_size=6)


def edited(prompt: list[int], edit: tuple[int, list[int], int]) -> list[int]:
    keep, new, keep_end = edit
    return prompt[:keep] + new + prompt[max(keep, len(prompt) - keep_end) :] or [0]


@settings(deadline=None, max_examples=25)
@given(edits=EDITS, cancel_at=st.none() | st.integers(0, 5))
def test_any_prompts_read_one_after_the_other_give_fresh_logits(
    model: LanguageModel, edits: list[tuple[int, list[int], int]], cancel_at: int | None
) -> None:
    session = EditSession(model.decoder, CAPACITY)
    prompt = list(range(40))
    for number, edit in enumerate(edits):
        prompt = edited(prompt, edit)
        if number == cancel_at:
            with pytest.raises(Cancelled):
                session.read(prompt, CancelAfter(0))
        read = session.read(prompt, never_cancelled)

        assert read.reused + read.encoded == len(prompt)
        assert read.encoded >= 1
        assert session.cache.tokens == tuple(prompt)
        torch.testing.assert_close(
            read.logits, fresh_logits(model.decoder, prompt), atol=1e-5, rtol=1e-5
        )


def test_appended_text_is_all_that_is_read(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    session.read([1, 2, 3], never_cancelled)
    read = session.read([1, 2, 3, 4, 5], never_cancelled)
    assert (read.reused, read.encoded) == (3, 2)


def test_same_prompt_reads_its_last_token_again(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    first = session.read([1, 2, 3], never_cancelled)
    again = session.read([1, 2, 3], never_cancelled)
    assert (again.reused, again.encoded) == (2, 1)
    torch.testing.assert_close(first.logits, again.logits, atol=1e-5, rtol=1e-5)


def test_generated_tokens_that_were_accepted_are_reused(model: LanguageModel) -> None:
    session = EditSession(model.decoder, CAPACITY)
    session.read([1, 2], never_cancelled)
    model.decoder.forward([3], session.cache)
    assert session.read([1, 2, 3, 4], never_cancelled).reused == 3


class CountingDecoder(Decoder):
    """A decoder that counts the tokens it reads."""

    def __init__(self, decoder: Decoder) -> None:
        self.__dict__.update(vars(decoder))
        self.count = 0

    def forward(self, tokens: list[int], cache: KeyValueCache) -> Tensor:
        self.count += len(tokens)
        return super().forward(tokens, cache)


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_cancelling_stops_within_a_chunk_and_keeps_what_was_read(
    model: LanguageModel, chunks: int
) -> None:
    decoder = CountingDecoder(model.decoder)
    session = EditSession(decoder, CAPACITY)
    prompt = [n % 200 for n in range(4 * CHUNK_TOKENS)]

    with pytest.raises(Cancelled):
        session.read(prompt, CancelAfter(chunks))
    assert decoder.count == chunks * CHUNK_TOKENS

    read = session.read(prompt, never_cancelled)
    assert read.reused == chunks * CHUNK_TOKENS
    torch.testing.assert_close(
        read.logits, fresh_logits(model.decoder, prompt), atol=1e-5, rtol=1e-5
    )


def test_flag_set_while_reading_is_obeyed_before_the_next_chunk(model: LanguageModel) -> None:
    decoder = CountingDecoder(model.decoder)
    session = EditSession(decoder, CAPACITY)
    with pytest.raises(Cancelled):
        session.read([1] * (4 * CHUNK_TOKENS), lambda: decoder.count > 0)
    assert decoder.count <= CHUNK_TOKENS
