"""A long session over several documents: the caches follow the texts, within their memory."""

import random
from pathlib import Path

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.values import never_cancelled
from models.errors import Cancelled
from models.language_model import LanguageModel
from tests.typist import BLOCKS, Typist
from tests.unit.completion_helpers import CancelAfter, load_tiny_model, write_model

EDITS = 1000
BUDGET = 400
KEPT = 2  # caches that fit the memory; there are more documents than that
DOCUMENTS = ("one.py", "two.py", "three.py")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def test_caches_follow_their_documents_within_their_memory(model: LanguageModel) -> None:
    capacity = BUDGET + 4
    memory = KEPT * model.decoder.cache_bytes(capacity)
    options = CompletionOptions(BUDGET, max_tokens=4, repair_ms=0, cache_bytes=memory)
    completer, typist, choose = (
        Completer(model, options),
        Typist(dict.fromkeys(DOCUMENTS, "".join(BLOCKS) * 6), 0),
        random.Random(1),
    )
    moved = 0
    for _ in range(EDITS):
        request = typist.next_request()
        edges = completer._sessions.of(request.document).edges
        prompt = completer.prompts.build(request, edges).tokens
        try:
            suggestion = completer.complete(request, CancelAfter(choose.choice([0, 1, 2, 99])))
        except Cancelled:
            continue
        moved += suggestion.tokens.moved
        assert len(completer._sessions) <= KEPT
        if suggestion.stop != "reuse":
            held = completer._sessions.of(request.document).cache
            assert list(held.tokens[: len(prompt)]) == prompt
            assert held.unread() == []
    assert moved > EDITS

    session = completer._sessions.of(typist.next_request().document)
    session.heal(never_cancelled)
    assert session.cache.inexact() == []
