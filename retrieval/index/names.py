"""Names in an index: which files have them, and which of them can be called or imported."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from retrieval.index.declarations import APIS, Kind

LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Export:
    """A package has the `name` of a module, or one of its own, under the name `local`."""

    module: str
    name: str
    local: str


@dataclass(frozen=True, slots=True)
class NameTables:
    """Asks about names over one connection; changes nothing."""

    _connection: sqlite3.Connection

    def api_names(self) -> frozenset[str]:
        """The names of all that is called or made."""
        kinds = ", ".join("?" * len(APIS))
        rows = self._connection.execute(
            f"SELECT DISTINCT name FROM declaration WHERE kind IN ({kinds})",  # noqa: S608
            sorted(APIS),
        )
        return frozenset(name for (name,) in rows)

    def declared_with_prefix(self, prefix: str, suffix: str) -> list[tuple[str, str, Kind]]:
        """Public names of modules that begin so, each with its file, of which the name ends so, and
        with what it is."""
        rows = self._connection.execute(
            "SELECT name, path, kind FROM declaration JOIN file ON file.id = file"
            " WHERE name >= ? AND name < ? AND name = qualified AND kind != 'module'"
            " AND name NOT LIKE '\\_%' ESCAPE '\\' AND path LIKE '%' || ? ORDER BY name, path",
            (prefix, prefix + LAST_CHARACTER, suffix),
        )
        return [(name, path, Kind(kind)) for name, path, kind in rows]

    def types(self, suffix: str) -> list[str]:
        """The names of all classes of files whose name ends so."""
        rows = self._connection.execute(
            "SELECT DISTINCT name FROM declaration JOIN file ON file.id = file"
            " WHERE kind = 'class' AND path LIKE '%' || ? ORDER BY name",
            (suffix,),
        )
        return [name for (name,) in rows]

    def signatures(self, name: str, kind: Kind, suffix: str) -> list[str]:
        """How a name is declared in files whose name ends so, where it is of a kind."""
        rows = self._connection.execute(
            "SELECT signature FROM declaration JOIN file ON file.id = file"
            " WHERE name = ? AND kind = ? AND path LIKE '%' || ? ORDER BY declaration.id",
            (name, kind, suffix),
        )
        return [signature for (signature,) in rows]

    def members(self, name: str, suffix: str) -> dict[str, Kind]:
        """What the classes of a name declare, in files whose name ends so."""
        rows = self._connection.execute(
            "SELECT member.name, member.kind FROM declaration"
            " JOIN file ON file.id = declaration.file"
            " JOIN declaration AS member ON member.file = declaration.file"
            " WHERE declaration.name = ? AND declaration.kind = 'class' AND path LIKE '%' || ?"
            " AND member.qualified = declaration.qualified || '.' || member.name"
            " AND member.name != declaration.name",
            (name, suffix),
        )
        return {member: Kind(kind) for member, kind in rows}

    def exports(self) -> list[Export]:
        """What Python packages have in their `__init__` under names without an underscore, packages
        with one left out."""
        rows = self._connection.execute(
            "SELECT module, import.name, local FROM import JOIN file ON file.id = file"
            " WHERE import.name NOTNULL AND local NOT GLOB '_*'"
            " AND path GLOB '*__init__.py*' AND '/' || path NOT GLOB '*/_[^_]*'"
            " UNION SELECT '', declaration.name, declaration.name"
            " FROM declaration JOIN file ON file.id = file"
            " WHERE name = qualified AND path GLOB '*__init__.py*'"
            " AND '/' || path NOT GLOB '*/_[^_]*'"
        )
        return [Export(*row) for row in rows]

    def classes(self) -> dict[str, str]:
        """How each class is declared, by its name; the last one where there are several."""
        rows = self._connection.execute(
            "SELECT name, signature FROM declaration WHERE kind = 'class' ORDER BY id"
        )
        return dict(rows.fetchall())

    def modules(self) -> dict[str, int]:
        """The modules that Python files import, with how many files import each; relative ones are
        left out."""
        rows = self._connection.execute(
            "SELECT module, count(DISTINCT file) FROM import JOIN file ON file.id = file"
            " WHERE path LIKE '%.py' AND module NOT LIKE '.%' GROUP BY module"
        )
        return dict(rows.fetchall())

    def declared(self, name: str) -> list[int]:
        """The declarations of a name."""
        rows = self._connection.execute(
            "SELECT id FROM declaration WHERE name = ? ORDER BY id", (name,)
        )
        return [id for (id,) in rows]

    def symbols(self, query: str, limit: int) -> list[int]:
        """Declarations whose names hold a query, in whatever case: those that are it first, then
        those that begin so, shorter ones before longer."""
        rows = self._connection.execute(
            "SELECT id FROM declaration WHERE kind != 'module' AND instr(lower(name), lower(?)) > 0"
            " ORDER BY lower(name) != lower(?), instr(lower(name), lower(?)) != 1, length(name), id"
            " LIMIT ?",
            (query, query, query, limit),
        )
        return [id for (id,) in rows]

    def files_of(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that are files of the index."""
        places = ", ".join("?" * len(paths))
        rows = self._connection.execute(f"SELECT path FROM file WHERE path IN ({places})", paths)  # noqa: S608
        return {path for (path,) in rows}

    def rarity(self, names: Iterable[str]) -> dict[str, float]:
        """How much each name that some file has tells, of those given: the fewer files, the more
        (inverse document frequency, as BM25 has it)."""
        (files,) = self._connection.execute("SELECT count(*) FROM file").fetchone()
        counted = (
            (name, row[0])
            for name in names
            if (
                row := self._connection.execute(
                    "SELECT doc FROM name_count WHERE term = ?", (name,)
                ).fetchone()
            )
        )
        return {name: log(1 + (files - count + 0.5) / (count + 0.5)) for name, count in counted}

    def files_with(self, names: Sequence[str], limit: int) -> list[str]:
        """Files with any of the names, the best first (BM25, each name counted once)."""
        if not names:
            return []
        rows = self._connection.execute(
            "SELECT path FROM file_names JOIN file ON file.id = file_names.rowid"
            " WHERE file_names MATCH ? ORDER BY rank, path LIMIT ?",
            (" OR ".join(f'"{name}"' for name in names), limit),
        )
        return [path for (path,) in rows]
