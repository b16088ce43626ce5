"""Bringing an index up to date with its repository.

Only what has changed is read: a file whose size and time are as they were is not opened, one whose
text is as it was is not parsed, and a text that has a vector is not embedded again. It may be ended
at any moment and goes on from there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.index.database import IndexDatabase, KnownFile, digest_of
from retrieval.index.declarations import Outline
from retrieval.index.outline import outline_of
from retrieval.index.source_files import (
    UNSETTLED,
    FileRules,
    SourceFile,
    is_written,
    read_source,
    source_files,
)
from retrieval.workspace_files import Stamp

COMMIT_FILES = 64
EMBED_TEXTS = 128
# A file written so shortly before it is read may be written again at what is the same time to the
# file system, so its time proves nothing.
SETTLED_NANOSECONDS = 2 * 10**9
NOTHING = Outline((), (), {})

Report = Callable[[str, int, int], None]  # what is done, how much of it, of how much
Stop = Callable[[], bool]
Outlines = Callable[[str, bytes], Outline | None]


def never() -> bool:
    """The answer of whoever does not stop."""
    return False


class Embeds(Protocol):
    """What turns texts into vectors of length one."""

    name: str

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """[texts, dimensions]."""
        ...


@dataclass(frozen=True, slots=True)
class Updated:
    """How many files there are, were parsed, and are gone; how many texts were embedded."""

    files: int
    parsed: int
    removed: int
    embedded: int = 0


def update_files(
    database: IndexDatabase,
    root: Path,
    rules: FileRules,
    report: Report,
    outlined: Outlines = outline_of,
    stop: Stop = never,
) -> Updated:
    """Read what is new or was changed below `root`, and forget what is gone.

    `outlined` says what is kept of a file with a path and a text, if anything is.
    """
    known = database.files()
    present = list(source_files(root, rules))
    gone = known.keys() - {file.path for file in present}
    changed = [f for f in present if f.path not in known or known[f.path].stamp != f.stamp]
    with database.transaction():
        database.remove(gone)
    parsed = 0
    for start in range(0, len(changed), COMMIT_FILES):
        batch = changed[start : start + COMMIT_FILES]
        if stop():
            break
        read = [read_file(root, file, known.get(file.path), outlined) for file in batch]
        with database.transaction():
            for one in filter(None, read):
                keep(database, one)
        parsed += sum(one is not None and one.outline is not None for one in read)
        report("reading", start + len(batch), len(changed))
    if gone or parsed:
        with database.transaction():
            database.drop_unused_vectors()
    if gone:
        database.purge()
    return Updated(len(present), parsed, len(gone))


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file's text as it was read; its `outline` is None where that is known already."""

    path: str
    digest: bytes
    stamp: Stamp
    outline: Outline | None


def read_file(
    root: Path, file: SourceFile, known: KnownFile | None, outlined: Outlines
) -> ReadFile | None:
    """None for a file that is gone meanwhile, or not ours to read."""
    text = read_source(root, file.path)
    if text is None:
        return None
    stamp, digest = file.stamp, digest_of(text)
    if stamp.modified + SETTLED_NANOSECONDS > time.time_ns():
        stamp = Stamp(stamp.size, UNSETTLED)
    if known is not None and known.hash == digest:
        return ReadFile(file.path, digest, stamp, None)
    outline = outlined(file.path, text) if is_written(text) else None
    return ReadFile(file.path, digest, stamp, outline or NOTHING)


def keep(database: IndexDatabase, read: ReadFile) -> None:
    if read.outline is None:
        database.restamp(read.path, read.digest, read.stamp)
    else:
        database.replace(read.path, read.digest, read.stamp, read.outline)


def update_vectors(
    database: IndexDatabase, embedder: Embeds, report: Report, stop: Stop = never
) -> int:
    """Embed the texts that have no vector; returns how many."""
    database.use_model(embedder.name)
    total, done, last = database.count_without_vector(), 0, b""
    while not stop() and (texts := database.without_vector(last, EMBED_TEXTS)):
        vectors = embedder.encode([text for _, text in texts])
        with database.transaction():
            database.add_vectors([digest for digest, _ in texts], vectors)
        done, (last, _) = done + len(texts), texts[-1]
        report("embedding", done, total)
    return done
