"""An editor whose server has the scripted model of `tests.protocol.servers`, and what that is
asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.editor_client import as_dict
from tests.protocol.servers import ASKED
from tests.protocol.sessions import Session, own_server, session


@dataclass(frozen=True, slots=True)
class Scripted:
    """`told` are the texts before and after the cursor, and whether it was work ahead."""

    editor: Session
    told: list[dict[str, Any]]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The texts around the cursor of each suggestion that somebody waited for."""
        return [(one["before"], one["after"]) for one in self.told if not one["ahead"]]

    async def shown(self, uri: str, line: int, column: int) -> list[str]:
        """What an editor shows there of its own accord."""
        answer = await self.editor.ask(uri, line, column, invoked=False)
        return [str(item.insert_text) for item in answer.items]


@asynccontextmanager
async def scripted(root: Path) -> AsyncIterator[Scripted]:
    async with session(root, own_server("scripted"), {"debounceMs": 0}) as editor:
        told: list[dict[str, Any]] = []
        editor.client.feature(ASKED)(lambda params: told.append(as_dict(params)))
        yield Scripted(editor, told)
