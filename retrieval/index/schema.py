"""The file of an index: its tables, how it is opened, and whether it is one at all."""

import sqlite3
from pathlib import Path

FORMAT = 5  # raised when indexes must be made again
BUSY_SECONDS = 30
TABLES = """
CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE file(
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash BLOB NOT NULL,
    size INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE TABLE declaration(
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES file(id),
    kind TEXT NOT NULL, name TEXT NOT NULL, qualified TEXT NOT NULL, signature TEXT NOT NULL,
    doc TEXT NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    text_hash BLOB);
CREATE INDEX declaration_file ON declaration(file);
CREATE INDEX declaration_name ON declaration(name);
CREATE INDEX declaration_text ON declaration(text_hash);
CREATE TABLE import(
    file INTEGER NOT NULL REFERENCES file(id), local TEXT NOT NULL, module TEXT NOT NULL,
    name TEXT);
CREATE INDEX import_file ON import(file);
CREATE TABLE call(
    name TEXT NOT NULL, file INTEGER NOT NULL REFERENCES file(id), line INTEGER NOT NULL,
    PRIMARY KEY(name, file)) WITHOUT ROWID;
CREATE INDEX call_file ON call(file);
CREATE VIRTUAL TABLE words USING fts5(
    name, signature, doc, path, body, tokenize = "porter unicode61 tokenchars '_'");
CREATE VIRTUAL TABLE file_names USING fts5(
    names, detail = none, tokenize = "unicode61 remove_diacritics 0 tokenchars '_'");
CREATE VIRTUAL TABLE name_count USING fts5vocab(file_names, row);
CREATE TABLE vector(id INTEGER PRIMARY KEY, text_hash BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE VIEW without_vector AS SELECT * FROM declaration
    WHERE text_hash NOTNULL AND text_hash NOT IN (SELECT text_hash FROM vector);
"""


def is_index(path: Path) -> bool:
    """Whether it is one of this format; one that cannot be read now may be."""
    if not path.exists():
        return False
    try:
        connection = connect(path)
        try:
            is_ours = format_of(connection) == FORMAT
            connection.execute("SELECT 1 FROM file LIMIT 1")
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
    return is_ours


def is_damage(error: sqlite3.Error) -> bool:
    """Whether what is in the file is the reason, rather than the disk or another program."""
    is_broken = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return is_broken or "no such table" in str(error)


def remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def forget_database(path: Path) -> None:
    """Remove an index that nobody will open again, and its lock."""
    remove_database(path)
    lock_of(path).unlink(missing_ok=True)


def lock_of(path: Path) -> Path:
    """What is locked while the index at `path` is made."""
    return path.with_name(f"{path.name}.lock")


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = ON")  # what is ignored from now on is gone
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last files
    return connection


def format_of(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)
