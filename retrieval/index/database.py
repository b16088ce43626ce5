"""The index on disk: one SQLite file for each repository.

Each file of the repository is replaced as a whole in one transaction, so that whatever ends the
program leaves an index of some files as they are and others as they were. A file that is no index,
or one of another format, is made anew. Nothing here knows how texts become vectors.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from retrieval.index.declarations import APIS, Declaration, Import, Kind, Outline
from retrieval.index.names import NameTables
from retrieval.index.schema import (
    FORMAT,
    TABLES,
    connect,
    format_of,
    is_index,
    lock_of,
    remove_database,
)
from retrieval.index.words import embedded_text, words_of, words_once
from retrieval.workspace_files import Stamp

VECTORS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was when it was read."""

    id: int
    hash: bytes
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Place:
    """A declaration and the file that it is in, relative to the repository."""

    id: int
    path: str
    declaration: Declaration


class IndexDatabase:
    """One open connection; for one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside; waits for another writer."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    @property
    def names(self) -> NameTables:
        """What can be asked about names."""
        return NameTables(self._connection)

    # Files

    def files(self) -> dict[str, KnownFile]:
        rows = self._connection.execute("SELECT path, id, hash, size, modified FROM file")
        return {path: KnownFile(id, hash, Stamp(*stamp)) for path, id, hash, *stamp in rows}

    def replace(self, path: str, digest: bytes, stamp: Stamp, outline: Outline) -> None:
        """Put a file's outline in the place of what was known of it."""
        self.remove([path])
        file = self._connection.execute(
            "INSERT INTO file(path, hash, size, modified) VALUES(?, ?, ?, ?)",
            (path, digest, stamp.size, stamp.modified),
        ).lastrowid
        for one in outline.declarations:
            row = (file, one.kind, one.name, one.qualified, one.signature, one.doc)
            text = digest_of(embedded_text(one, path).encode()) if one.kind in APIS else None
            lines = (one.first_line, one.last_line, text)
            id = self._connection.execute(
                "INSERT INTO declaration(file, kind, name, qualified, signature, doc, first_line,"
                " last_line, text_hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row + lines,
            ).lastrowid
            if one.kind in APIS:
                told = map(words_of, (one.qualified, one.signature, one.doc, path))
                self._connection.execute(
                    "INSERT INTO words(rowid, name, signature, doc, path, body)"
                    " VALUES(?, ?, ?, ?, ?, ?)",
                    (id, *told, words_once(one.body)),
                )
        self._connection.execute(
            "INSERT INTO file_names(rowid, names) VALUES(?, ?)", (file, " ".join(outline.names))
        )
        self._connection.executemany(
            "INSERT INTO import(file, local, module, name) VALUES(?, ?, ?, ?)",
            [(file, one.local, one.module, one.name) for one in outline.imports],
        )
        self._connection.executemany(
            "INSERT INTO call(name, file, line) VALUES(?, ?, ?)",
            [(name, file, line) for name, line in outline.calls.items()],
        )

    def restamp(self, path: str, digest: bytes, stamp: Stamp) -> None:
        """The file was written again, with the same text, if that is what is known of it still."""
        self._connection.execute(
            "UPDATE file SET size = ?, modified = ? WHERE path = ? AND hash = ?",
            (stamp.size, stamp.modified, path, digest),
        )

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            row = self._connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchone()
            if row is None:
                continue
            self._connection.execute(
                "DELETE FROM words WHERE rowid IN (SELECT id FROM declaration WHERE file = ?)", row
            )
            for table in ("declaration", "import", "call"):
                self._connection.execute(f"DELETE FROM {table} WHERE file = ?", row)  # noqa: S608
            self._connection.execute("DELETE FROM file_names WHERE rowid = ?", row)
            self._connection.execute("DELETE FROM file WHERE id = ?", row)

    def purge(self) -> None:
        """Take from the disk what has been removed: the searched words of it stay there until all
        words are written anew, and the log until it is cut off."""
        for table in ("words", "file_names"):
            self._connection.execute(f"INSERT INTO {table}({table}) VALUES('optimize')")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # What is declared

    def places(self, ids: Sequence[int]) -> list[Place]:
        """In the order of the ids; those that are gone are left out."""
        found = {id: self._place(id) for id in ids}
        return [place for id in ids if (place := found[id]) is not None]

    def _place(self, id: int) -> Place | None:
        row = self._connection.execute(
            "SELECT path, kind, name, qualified, signature, doc, first_line, last_line"
            " FROM declaration JOIN file ON file.id = file WHERE declaration.id = ?",
            (id,),
        ).fetchone()
        return None if row is None else Place(id, row[0], Declaration(Kind(row[1]), *row[2:]))

    def declared_as(self, path: str, qualified: str) -> Declaration | None:
        """The declaration of a qualified name in a file; the last one where there are several."""
        row = self._connection.execute(
            "SELECT declaration.id FROM declaration JOIN file ON file.id = file"
            " WHERE path = ? AND qualified = ? ORDER BY declaration.id DESC",
            (path, qualified),
        ).fetchone()
        place = None if row is None else self._place(row[0])
        return None if place is None else place.declaration

    def imports(self, path: str) -> list[Import]:
        rows = self._connection.execute(
            "SELECT local, module, name FROM import JOIN file ON file.id = file WHERE path = ?"
            " ORDER BY import.rowid",
            (path,),
        )
        return [Import(*row) for row in rows]

    def calls(self, name: str, limit: int) -> list[tuple[str, int]]:
        """Files that call a name, and on which line first."""
        rows = self._connection.execute(
            "SELECT path, line FROM call JOIN file ON file.id = file WHERE call.name = ?"
            " ORDER BY path LIMIT ?",
            (name, limit),
        )
        return rows.fetchall()

    def count_named(self, name: str) -> int:
        """How many declarations have that name."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM declaration WHERE name = ?", (name,)
        ).fetchone()
        return int(count)

    def count(self) -> Mapping[str, int]:
        """How many files, declarations and vectors there are."""
        return {
            table: self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("file", "declaration", "vector")
        }

    def lexical(self, words: Sequence[str], limit: int) -> list[int]:
        """APIs with any of the words, best first (BM25, a name counts most, a body least)."""
        if not words:
            return []
        rows = self._connection.execute(
            "SELECT rowid FROM words WHERE words MATCH ?"
            " ORDER BY bm25(words, 4, 2, 1, 1, 0.3), rowid LIMIT ?",
            (" OR ".join(f'"{word}"' for word in words), limit),
        )
        return [id for (id,) in rows]

    # Settings

    def setting(self, name: str) -> str | None:
        row = self._connection.execute(
            "SELECT value FROM setting WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        if self.setting(name) != value:
            self._connection.execute("REPLACE INTO setting VALUES(?, ?)", (name, value))

    # Vectors

    def use_model(self, name: str) -> None:
        """Vectors of another model are of no use."""
        if self.setting("model") != name:
            with self.transaction():
                self._connection.execute("DELETE FROM vector")
                self.set("model", name)

    def without_vector(self, after: bytes, limit: int) -> list[tuple[bytes, str]]:
        """Texts that no vector is known for, each with its hash: the next ones by their hash."""
        rows = self._connection.execute(
            "SELECT text_hash, path, kind, name, qualified, signature, doc, first_line, last_line"
            " FROM without_vector JOIN file ON file.id = file"
            " WHERE text_hash > ? GROUP BY text_hash ORDER BY text_hash LIMIT ?",
            (after, limit),
        )
        return [
            (digest, embedded_text(Declaration(Kind(kind), *rest), path))
            for digest, path, kind, *rest in rows
        ]

    def count_without_vector(self) -> int:
        (count,) = self._connection.execute(
            "SELECT count(DISTINCT text_hash) FROM without_vector"
        ).fetchone()
        return int(count)

    def add_vectors(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """`vectors` [texts, dimensions], kept in half precision."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO vector(text_hash, vector) VALUES(?, ?)",
            [(h, v.astype(np.float16).tobytes()) for h, v in zip(hashes, vectors, strict=True)],
        )

    def drop_unused_vectors(self) -> None:
        self._connection.execute(
            "DELETE FROM vector WHERE NOT EXISTS"
            " (SELECT 1 FROM declaration WHERE declaration.text_hash = vector.text_hash)"
        )

    def vectors(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """All, some thousand at a time: ids [vectors], and vectors [vectors, dimensions]."""
        rows = self._connection.execute("SELECT id, vector FROM vector ORDER BY id")
        while some := rows.fetchmany(VECTORS_AT_ONCE):
            joined = np.frombuffer(b"".join(vector for _, vector in some), dtype=np.float16)
            ids = np.array([id for id, _ in some], dtype=np.int64)
            yield ids, joined.reshape(len(some), -1).astype(np.float32)

    def declared_with(self, vector: int) -> list[int]:
        """The declarations whose text has that vector."""
        rows = self._connection.execute(
            "SELECT declaration.id FROM declaration JOIN vector USING(text_hash)"
            " WHERE vector.id = ? ORDER BY declaration.id",
            (vector,),
        )
        return [id for (id,) in rows]


def digest_of(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def open_existing(path: Path) -> IndexDatabase | None:
    """The index at `path`, for one that is only read; None where there is none, or an older one.

    Raises `sqlite3.Error` where it cannot be opened.
    """
    return IndexDatabase(connect(path)) if is_index(path) else None


def open_database(path: Path) -> IndexDatabase:
    """The index at `path`, made where there is none or what is there is none.

    Raises `OSError` or `sqlite3.Error` where it cannot be opened, and leaves it as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(lock_of(path)):  # another may be making it
        if not is_index(path):
            remove_database(path)
        connection = connect(path)
        if format_of(connection) != FORMAT:
            connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        return IndexDatabase(connection)
