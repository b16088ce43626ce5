"""What happens between a key and its suggestion, and in which order."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from lsprotocol import types

from completion.values import (
    CancelCheck,
    CompletionRequest,
    Suggestion,
    TokenCounts,
    never_cancelled,
)
from lsp_server.documents import Place
from lsp_server.inference_thread import InferenceThread
from lsp_server.settings import Settings
from lsp_server.suggesting import Suggesting
from models.errors import Cancelled
from tests.protocol.servers import WithoutModel

START = types.Position(0, 4)
PLACE = Place(
    *("file:///a.py", "file:///a.py", "", 1, "python", START, "call", "", "\n", "utf-16", START)
)


class ToldCompleter(WithoutModel):
    """Writes down what it does; it remembers one text, or none."""

    def __init__(self, done: list[str], known: str = "") -> None:
        self._done = done
        self._known = known

    def remembered(self, request: CompletionRequest) -> Suggestion | None:
        self._done.append("look")
        return Suggestion(self._known, "none", "reuse", confidence=1.0) if self._known else None

    def prepare(self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled) -> int:
        self._done.append("read")
        if cancelled():
            raise Cancelled(encoded=1)
        return 3

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        self._done.append("write")
        return [Suggestion(self._known or "()", "none", "end", TokenCounts(encoded=3))]

    complete_by_hand = complete_several


@dataclass
class Stage:
    """A session in which pauses are written down and take no time."""

    known: str = ""
    done: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    suggesting: Suggesting = field(init=False)

    def __post_init__(self) -> None:
        self.suggesting = Suggesting(
            InferenceThread(),
            lambda place: CompletionRequest(place.uri, place.before, place.after),
            lambda _: True,
            lambda _, told: self.told.append(told),
            self.sleep,
        )

    @property
    def steps(self) -> list[str]:
        return [step.split()[0] for step in self.done]

    async def sleep(self, seconds: float) -> None:
        self.done.append(f"wait {1e3 * seconds:.0f}")

    async def shown(
        self, pause: int = 75, *, erased: bool = False, by_hand: bool = False
    ) -> list[str]:
        inference = self.suggesting.inference
        await inference.load(lambda: ToldCompleter(self.done, self.known))
        place, settings = replace(PLACE, erased=erased), Settings(debounce_ms=pause)
        items = await self.suggesting.suggest(place, settings, by_hand=by_hand)
        return [str(item.insert_text) for item in items]


async def test_text_is_read_in_the_pause_and_written_after_it() -> None:
    stage = Stage()
    assert await stage.shown() == ["()"]
    assert stage.steps == ["look", "wait", "read", "wait", "write"]


async def test_a_long_pause_is_not_read_in_from_its_beginning() -> None:
    stage = Stage()
    await stage.shown(5000)
    assert stage.steps[:3] == ["look", "wait", "read"]
    assert 4000 < int(stage.done[1].removeprefix("wait ")) <= 4925


async def test_what_still_holds_is_there_at_once() -> None:
    stage = Stage(known="(one)")
    assert await stage.shown() == ["(one)"]
    assert stage.done == ["look", "write"]
    assert [told["ms"]["paused"] for told in stage.told] == [0]


async def test_whoever_asks_by_hand_does_not_wait() -> None:
    stage = Stage()
    assert await stage.shown(by_hand=True) == ["()"]
    assert stage.done == ["write"]


@pytest.mark.parametrize(("known", "shown"), [("", []), ("(one)", ["(one)"])])
async def test_whoever_erases_has_nothing_read(known: str, shown: list[str]) -> None:
    stage = Stage(known)
    assert await stage.shown(erased=True) == shown
    assert stage.done == ["look"]


async def test_what_was_read_in_vain_is_told() -> None:
    stage = Stage()

    async def next_key(_: float) -> None:
        if "read" in stage.done:
            stage.suggesting.call_off(PLACE.uri)
            await asyncio.Event().wait()

    stage.suggesting.sleep = next_key
    assert await stage.shown() == []
    assert [(told["cancelled"], told["tokens"]) for told in stage.told] == [(True, {"encoded": 3})]
    assert "write" not in stage.done


async def test_a_read_that_nobody_waits_for_any_more_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its one pass over the text is not ended."""
    stage = Stage()
    loop = asyncio.get_running_loop()

    def prepare(self: ToldCompleter, _: CompletionRequest, cancelled: CancelCheck) -> int:
        loop.call_soon_threadsafe(stage.suggesting.call_off, PLACE.uri)
        while not cancelled():
            time.sleep(0.001)
        return 3

    monkeypatch.setattr(ToldCompleter, "prepare", prepare)
    assert await stage.shown() == []
    while not stage.told:
        await asyncio.sleep(0.001)
    assert [(told["cancelled"], told["tokens"]) for told in stage.told] == [(True, {"encoded": 3})]


async def test_a_model_that_is_being_replaced_suggests_nothing() -> None:
    stage = Stage()

    async def change_the_model(_: float) -> None:
        stage.suggesting.inference._completer = None

    stage.suggesting.sleep = change_the_model
    assert await stage.shown() == []
    assert stage.done == ["look"]
