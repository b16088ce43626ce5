"""Sessions by document under one memory budget."""

from pathlib import Path

import pytest

from completion.edit_sessions import EditSessions
from models.decoder import Decoder
from tests.unit.completion_helpers import load_tiny_model, write_model

CAPACITY = 100


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder).decoder


def sessions_for(decoder: Decoder, count: int) -> EditSessions:
    return EditSessions(decoder, CAPACITY, count * decoder.cache_bytes(CAPACITY))


def test_a_document_keeps_its_session(decoder: Decoder) -> None:
    sessions = sessions_for(decoder, 2)
    one, other = sessions.of("one"), sessions.of("other")
    assert sessions.of("one") is one
    assert sessions.of("other") is other


def test_the_least_recently_used_gives_way(decoder: Decoder) -> None:
    sessions = sessions_for(decoder, 2)
    one, other = sessions.of("one"), sessions.of("other")
    sessions.of("one")
    sessions.of("third")
    assert len(sessions) == 2
    assert sessions.of("one") is one
    assert sessions.of("other") is not other


def test_the_session_in_use_is_kept_whatever_the_budget(decoder: Decoder) -> None:
    sessions = sessions_for(decoder, 0)
    assert sessions.of("one") is sessions.of("one")
    assert len(sessions) == 1


def test_a_closed_document_is_forgotten(decoder: Decoder) -> None:
    sessions = sessions_for(decoder, 2)
    sessions.of("one")
    sessions.close("one")
    sessions.close("never opened")
    assert len(sessions) == 0


def test_memory_is_what_the_tensors_take(decoder: Decoder) -> None:
    cache = decoder.new_cache(CAPACITY)
    cache._remembered.keep(cache._stores, [0], [1], [True])
    tensors = (cache._masters, cache._keys, cache._values, *cache._remembered._kept)
    assert decoder.cache_bytes(CAPACITY) == sum(t.numel() * t.element_size() for t in tensors)
