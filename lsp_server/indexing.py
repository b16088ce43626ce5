"""Keeps the indexes of a workspace as its files are, by `pirouette index` beside the server.

Changes are gathered while a person saves or switches branches, and looked for once they rest. One
process at a time; how many files have changed is for it to find out.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from watchfiles import Change, watch

from lsp_server.aside import run_aside
from models.errors import InputError
from retrieval.analyst.search_path import environment_folders
from retrieval.grammars import GRAMMARS
from retrieval.index.source_files import is_entered
from retrieval.workspace_files import WorkspaceFiles

COMMAND = "pirouette.index"  # by which an editor has it done anew
logger = logging.getLogger(__name__)

REST_SECONDS = 2.0  # without a change, after which files are looked at
LISTING_SECONDS = 0.5  # before folders are listed again
MOST_FOLDERS = 4_096  # that are watched
Tell = Callable[[str], None]


def is_source(_: Change, path: str) -> bool:
    """Whether a change of that file matters to an index."""
    return Path(path).suffix in GRAMMARS or Path(path).name == ".gitignore"


class Indexing:
    """The work for the folders of one session, from `begin` to `end`."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._updating: asyncio.Task[None] | None = None
        self._ended = threading.Event()

    def begin(self, roots: Sequence[Path], environment: str, tell: Tell, *, watching: bool) -> None:
        """Look at all files now, and again after changes: those that `note_change` tells of, and
        if told to be `watching`, those that the operating system tells of. `tell` is called after
        each look with a line for the user. What is imported is looked for in an `environment`,
        Pirouette's own if that is empty."""
        self.end()
        chosen = [root for root in roots if not holds_everything(root)]
        self._updating = asyncio.create_task(self._update_always(chosen, environment, tell))
        self._ended = threading.Event()
        if watching:
            loop, ended = asyncio.get_running_loop(), self._ended

            def note() -> None:
                loop.call_soon_threadsafe(self.note_change)

            watcher = threading.Thread(
                target=watch_folders, args=(chosen, ended, note), daemon=True, name="watcher"
            )
            watcher.start()

    def note_change(self) -> None:
        """Some file has been written, moved or removed."""
        self._changed.set()

    def end(self) -> None:
        """Give up the work under way; an index is whole wherever it is left."""
        self._ended.set()
        if self._updating is not None:
            self._updating.cancel()

    async def _update_always(self, roots: Sequence[Path], environment: str, tell: Tell) -> None:
        while True:
            tell(f"{sum([await update(root, environment) for root in roots])} files indexed")
            await self._changed.wait()
            while self._changed.is_set():  # until they have come to rest
                self._changed.clear()
                await asyncio.sleep(REST_SECONDS)


async def update(root: Path, environment: str) -> int:
    """How many files the index of a folder has once it is brought up to date; 0 if it cannot."""
    is_there = bool(environment and environment_folders(environment))
    packages = (f"--environment={Path(environment).absolute()}",) if is_there else ()
    try:
        done = await run_aside("index", "--no-vectors", "--json", *packages, "--", str(root))
    except (InputError, OSError) as error:
        logger.warning("a folder was not indexed: %s", error)
        return 0
    return int(done["files"])


def watch_folders(roots: Sequence[Path], ended: threading.Event, note: Callable[[], None]) -> None:
    """Call `note` after each change of a source until the end; folders are listed anew each time.

    Only folders that are indexed are watched, each by itself: links are not followed.
    """
    try:
        while folders := list(islice(folders_of(roots), MOST_FOLDERS)):
            with suppress(FileNotFoundError):  # one that is gone meanwhile
                next(
                    watch(*folders, watch_filter=is_source, stop_event=ended, recursive=False), None
                )
                note()
            if ended.wait(LISTING_SECONDS):
                return
    except (OSError, RuntimeError) as error:
        logger.warning("folders are not watched (%s)", type(error).__name__)


def folders_of(roots: Sequence[Path]) -> Iterator[Path]:
    for root in roots:
        rules = WorkspaceFiles((root,))
        for place, inner, _ in os.walk(root):
            inner[:] = [name for name in inner if is_entered(Path(place), name, rules)]
            yield Path(place)


def holds_everything(root: Path) -> bool:
    """Whether a folder is no repository, but all that a person or a machine has."""
    try:
        return Path.home().resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return True
