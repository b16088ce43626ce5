"""A long session over several documents: the caches follow the texts, within their memory."""

import random
from pathlib import Path

import pytest

from completion.pipeline import Completer, CompletionOptions
from completion.values import CompletionRequest, never_cancelled
from models.errors import Cancelled
from models.language_model import LanguageModel
from tests.unit.completion_helpers import CORPUS, CancelAfter, load_tiny_model, write_model

EDITS = 1000
BUDGET = 400
KEPT = 2  # caches that fit the memory; there are more documents than that
DOCUMENTS = ("one.py", "two.py", "three.py")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


class Typist:
    """Edits some texts at random: types, deletes, pastes, jumps, undoes, renames."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)
        self._texts = dict.fromkeys(DOCUMENTS, "".join(CORPUS) * 6)
        self._undo = dict(self._texts)
        self._places = dict.fromkeys(DOCUMENTS, 100)
        self._document = DOCUMENTS[0]

    def next_request(self) -> CompletionRequest:
        choose = self._choose
        if choose.random() < 0.1:
            self._document = choose.choice(DOCUMENTS)
        name, text = self._document, self._texts[self._document]
        place = min(self._places[name], len(text))
        match choose.randrange(8):
            case 0 | 1 | 2:
                new = choose.choice(["x", "(", "\n    ", "self.", "def add("])
                text, place = text[:place] + new + text[place:], place + len(new)
            case 3:
                start = max(0, place - choose.randrange(1, 9))
                text, place = text[:start] + text[place:], start
            case 4:
                block = choose.choice(CORPUS)
                above = choose.randrange(place + 1)
                text, place = text[:above] + block + text[above:], place + len(block)
            case 5:
                place = choose.randrange(len(text) + 1)
            case 6:
                text, self._undo[name] = self._undo[name], text
            case 7:
                text = text.replace(*choose.choice([("point", "p"), ("first", "one"), ("x", "y")]))
        text = text or CORPUS[0]
        self._texts[name], self._places[name] = text[-4000:], min(place, len(text[-4000:]))
        text, place = self._texts[name], self._places[name]
        return CompletionRequest(name, text[:place], text[place:])


def test_caches_follow_their_documents_within_their_memory(model: LanguageModel) -> None:
    capacity = BUDGET + 4
    memory = KEPT * model.decoder.cache_bytes(capacity)
    options = CompletionOptions(BUDGET, max_tokens=4, repair_ms=0, cache_bytes=memory)
    completer, typist, choose = Completer(model, options), Typist(0), random.Random(1)
    moved = 0
    for _ in range(EDITS):
        request = typist.next_request()
        prompt = completer.prompts.build(request).tokens
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
