"""The server command `pirouette.search`: APIs of the workspace for a wish in words.

Each search is a `pirouette search` in a process of its own, at low priority: it brings the index up
to date first, takes memory only while it lasts, and whatever happens to it does not touch the
server. A search under way is given up for the next one.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from models.errors import InputError

COMMAND = "pirouette.search"
HITS = 10
LOW_PRIORITY = 19


class ApiSearches:
    """The searches of one session, one at a time."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[list[dict[str, Any]]] | None = None

    async def search(self, wish: str, roots: Sequence[Path]) -> list[dict[str, Any]]:
        """What `pirouette search --json` finds in each root, with the `uri` of each place.

        Nothing once another search, or `end`, has taken its place. Raises `InputError` with what
        the process has to say of its failure.
        """
        self.end()
        task = asyncio.create_task(search_all(wish, roots))
        self._under_way = task
        try:
            return await task
        except asyncio.CancelledError:
            handler = asyncio.current_task()
            if handler is not None and handler.cancelling():
                task.cancel()
                raise  # the client withdrew the request
            return []

    def end(self) -> None:
        """Give up the search under way, if there is one."""
        if self._under_way is not None:
            self._under_way.cancel()


async def search_all(wish: str, roots: Sequence[Path]) -> list[dict[str, Any]]:
    """The hits of each root, those of the first one first."""
    return [hit for root in roots for hit in await search_root(wish, root)]


async def search_root(wish: str, root: Path) -> list[dict[str, Any]]:
    options = ("--path", str(root), "--limit", str(HITS), "--json", "--", wish)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "lsp_server.cli", "search", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(sys.executable).anchor,
    )
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
        output, told = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode not in (0, 1):
        lines = told.decode(errors="replace").splitlines() or ["the search ended early"]
        raise InputError(lines[-1].removeprefix("pirouette: "))
    hits = json.loads(output)["hits"]
    return [hit | {"uri": (root / hit["path"]).as_uri()} for hit in hits]
