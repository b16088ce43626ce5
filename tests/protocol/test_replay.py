"""Somebody works for a while: the caches stay the documents', within their memory.

`PIROUETTE_REPLAY_MINUTES=30 pytest -s tests/protocol/test_replay.py` replays half an hour.
"""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from completion.values import CompletionRequest
from evaluation.editor_client import as_dict
from tests.protocol.servers import CHECKED
from tests.protocol.sessions import REPOSITORY, Session, own_server, session
from tests.typist import Typist

MINUTES = float(os.environ.get("PIROUETTE_REPLAY_MINUTES", "0.5"))
FILES = ("completion/stop_rules.py", "models/config.py", "models/decoder.py", "lsp_server/cli.py")
CACHES = 2  # of 1,024 tokens and 8 written ones
MEGABYTES = 80
ROOM_TO_WORK = 100  # megabytes that one pass through the model takes, and that Python keeps
PAUSES = (0.0, 0.02, 0.1, 0.3, 2.0)  # seconds between two keystrokes

pytestmark = pytest.mark.model


async def test_caches_stay_true_and_small(tmp_path: Path) -> None:
    texts = {name: (REPOSITORY / name).read_text(encoding="utf-8") for name in FILES}
    options = {"cacheMegabytes": MEGABYTES, "maxTokens": 8, "debounceMs": 20}
    async with session(tmp_path, own_server("checked"), options) as editor:
        told: list[dict[str, Any]] = []
        editor.client.feature(CHECKED)(lambda params: told.append(as_dict(params)))
        work = Work(editor, texts)
        await work.go_on_for(60 * MINUTES)

    assert told
    assert all(one["true"] and one["read"] for one in told)
    assert max(one["caches"] for one in told) <= CACHES
    grown = max(one["memory"] for one in told) - told[0]["memory"]
    assert grown <= (MEGABYTES + ROOM_TO_WORK) * 2**20
    assert work.stale == 0
    print(
        f"{work.counts['edits']} edits, {len(told)} model calls, {dict(work.counts)}; of "
        f"{sum(one['prompt'] for one in told)} prompt tokens {sum(one['encoded'] for one in told)} "
        f"were encoded; memory grew by {grown / 2**20:.0f} MB"
    )


class Work:
    """A typist at an editor; keeps an eye on what is answered for which version."""

    def __init__(self, editor: Session, texts: dict[str, str]) -> None:
        self.counts: Counter[str] = Counter()
        self.stale = 0
        self._editor = editor
        self._typist = Typist(texts, seed=0)
        self._texts = texts
        self._uris = {name: editor.open(Path(name).name, text) for name, text in texts.items()}
        self._answered: Counter[str] = Counter()  # the newest version answered, by document
        self._requests: set[asyncio.Task[None]] = set()

    async def go_on_for(self, seconds: float) -> None:
        pause, end = random.Random(0), monotonic() + seconds
        while monotonic() < end:
            self.edit(self._typist.next_request())
            await asyncio.sleep(pause.choice(PAUSES))
        await asyncio.gather(*self._requests)

    def edit(self, request: CompletionRequest) -> None:
        """Bring the editor's document to the request's text, as one change, and ask."""
        name, text = request.document, request.before + request.after
        uri = self._uris[name]
        if text != self._texts[name]:
            self._editor.change(uri, self._texts[name], text)
            self._texts[name] = text
            self.counts["edits"] += 1
        line = request.before.count("\n")
        column = len(request.before) - (request.before.rfind("\n") + 1)
        task = asyncio.create_task(self.ask(uri, line, column))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def ask(self, uri: str, line: int, column: int) -> None:
        version = self._editor.versions[uri]
        answer = await self._editor.ask(uri, line, column, invoked=False)
        self.stale += bool(answer.items) and version < self._answered[uri]
        self._answered[uri] = max(version, self._answered[uri])
        self.counts["suggestions" if answer.items else "nothing"] += 1
