"""Keeps the indexes of a workspace as its files are, by `pirouette index` beside the server.

Changes are gathered while a person saves or switches branches, and looked for once they rest. One
process at a time; how many files have changed is for it to find out.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from lsp_server.aside import run_aside
from models.errors import InputError
from retrieval.grammars import GRAMMARS

logger = logging.getLogger(__name__)

REST_SECONDS = 2.0  # without a change, after which files are looked at
Tell = Callable[[str], None]


class Sources(DefaultFilter):
    """Changes that matter to an index, in folders that are not left out anyway."""

    def __call__(self, change: Change, path: str) -> bool:
        return is_source(path) and super().__call__(change, path)


def is_source(path: str) -> bool:
    """Whether it is in a language that is read, or says what is not to be read."""
    return Path(path).suffix in GRAMMARS or Path(path).name == ".gitignore"


class Indexing:
    """The work for the folders of one session, from `begin` to `end`."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, roots: Sequence[Path], tell: Tell, *, watch: bool) -> None:
        """Look at all files now, and again after changes: those that `note_change` tells of, and
        if told to `watch`, those that the operating system tells of. `tell` is called after each
        look with a line for the user."""
        self.end()
        chosen = [root for root in roots if not holds_everything(root)]
        self._tasks = [asyncio.create_task(self._update_always(chosen, tell))]
        if watch:
            self._tasks += [asyncio.create_task(self._watch(root)) for root in chosen]

    def note_change(self) -> None:
        """Some file has been written, moved or removed."""
        self._changed.set()

    def end(self) -> None:
        """Give up the work under way; an index is whole wherever it is left."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _update_always(self, roots: Sequence[Path], tell: Tell) -> None:
        while True:
            tell(f"{sum([await update(root) for root in roots])} files indexed")
            await self._changed.wait()
            while self._changed.is_set():  # until they have come to rest
                self._changed.clear()
                await asyncio.sleep(REST_SECONDS)

    async def _watch(self, root: Path) -> None:
        try:
            async for _ in awatch(root, watch_filter=Sources()):
                self.note_change()
        except (OSError, RuntimeError) as error:
            logger.warning("a folder is not watched (%s)", type(error).__name__)


async def update(root: Path) -> int:
    """How many files the index of a folder has once it is brought up to date; 0 if it cannot."""
    try:
        done = await run_aside("index", "--no-vectors", "--json", "--", str(root))
    except (InputError, OSError) as error:
        logger.warning("a folder was not indexed: %s", error)
        return 0
    return int(done["files"])


def holds_everything(root: Path) -> bool:
    """Whether a folder is no repository, but all that a person or a machine has."""
    return root == Path(root.anchor) or root.resolve() == Path.home()
