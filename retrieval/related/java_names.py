"""Which names may stand at a place in Java, by what the index of a repository knows of its types.

After a dot those of the type of what stands there, if the repository declares it, and of what it
extends; elsewhere those of the class around, and the types that the repository has. Types of
libraries are not known, so a list is complete only where none of them has a part in it.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from retrieval.grammars import JAVA
from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import Kind, Kinds
from retrieval.related.java_text import (
    Receiver,
    bound_before,
    classes_around,
    receiver_before,
    type_of,
)
from retrieval.trees import parse, text_of

SUFFIX = ".java"
MOST_TYPES = 4  # that what is called may give, beyond which nothing is known
MOST_NAMED = 300  # types that a file names
EVERY_OBJECT: Kinds = dict.fromkeys(("equals", "getClass", "hashCode", "toString"), Kind.METHOD)
EXTENDED = re.compile(r"\b(?:extends|implements)\b(.*)")
ARGUMENTS = re.compile(r"<[^<>]*>")
NAMED = re.compile(r"(?!extends\b|implements\b)(?<![\w.])(?:\w+\.)*(\w+)")
WORD = re.compile(r"[^\W\d]\w*")
NO_TYPES = frozenset(
    {
        *("public", "protected", "private", "static", "final", "abstract", "synchronized"),
        *("native", "default", "void", "return"),
    }
)
MADE_UP = re.compile(r"\b(?:enum|record)\b")  # whose methods nobody writes
NEW = re.compile(r"\bnew\s+\Z")


@dataclass(frozen=True, slots=True)
class ListedNames:
    """Names of a place; without `complete` there may be more."""

    names: Kinds = field(default_factory=dict)
    complete: bool = False


NONE_LISTED = ListedNames()


@dataclass(frozen=True, slots=True)
class JavaNames:
    """At the end of `before`, in a text whose tree is at hand."""

    database: IndexDatabase
    before: str
    root: Node

    @classmethod
    def at(cls, database: IndexDatabase, before: str, after: str) -> "JavaNames":
        root = parse(f"{before}{after}".encode(errors="replace"), JAVA)
        return cls(database, before, root)

    def after_dot(self) -> ListedNames:
        types = self._types_of(receiver_before(self.before))
        if types is None:
            return ListedNames(self._of_types(self._types_named()).names)
        return self._of_types(types)

    def elsewhere(self) -> ListedNames:
        """Types alone behind `new`."""
        types = dict.fromkeys(self.database.names.types(SUFFIX), Kind.CLASS)
        if NEW.search(self.before):
            return ListedNames(types)
        return ListedNames({**types, **self._of_types(self._classes_around()).names})

    def _types_of(self, receiver: Receiver) -> list[str] | None:
        """The types that what stands before a dot may have; None where nothing says so."""
        name = receiver.name
        if receiver.type:
            return [receiver.type]
        if name == "this":
            return self._classes_around()[-1:]
        if name == "super":
            around = self._classes_around()[-1:]
            names = self.database.names
            return [
                base
                for one in around
                for base in bases_of(names.signatures(one, Kind.CLASS, SUFFIX))
            ]
        if receiver.is_called:
            return self._types_given(name, Kind.METHOD)
        if (bound := bound_before(self.root, name, self._place)) is not None:
            told = type_of(bound)
            return self._types_of(told) if told.type or told.is_called else None
        if self.database.names.signatures(name, Kind.CLASS, SUFFIX):
            return [name]
        return self._types_given(name, Kind.VARIABLE)

    def _types_given(self, name: str, kind: Kind) -> list[str] | None:
        """The types of fields of a name, or of what methods of it return."""
        signatures = self.database.names.signatures(name, kind, SUFFIX)
        types = {type_before(name, signature) for signature in signatures} - {""}
        return sorted(types) if signatures and len(types) <= MOST_TYPES else None

    def _of_types(self, types: Sequence[str]) -> ListedNames:
        """What values of any of the types have, and the types themselves."""
        found: dict[str, Kind | None] = {}
        waiting, seen, complete = deque(types), set(types), True
        while waiting:
            name = waiting.popleft()
            signatures = self.database.names.signatures(name, Kind.CLASS, SUFFIX)
            is_plain = bool(signatures) and not any(map(MADE_UP.search, signatures))
            complete = complete and is_plain
            found = {**self.database.names.members(name, SUFFIX), **found}
            bases = [one for one in bases_of(signatures) if one not in seen]
            seen.update(bases)
            waiting.extend(bases)
        return ListedNames({**EVERY_OBJECT, **found} if found else {}, complete)

    def _types_named(self) -> list[str]:
        """Those of the repository that the file names."""
        words = WORD.findall(text_of(self.root))
        return sorted(set(self.database.names.types(SUFFIX)).intersection(words))[:MOST_NAMED]

    @property
    def _place(self) -> int:
        """That of the cursor, in bytes."""
        return len(self.before.encode(errors="replace"))

    def _classes_around(self) -> list[str]:
        return classes_around(self.root, self._place)


def bases_of(signatures: Sequence[str]) -> list[str]:
    """What types extend and implement, by how they are declared."""
    told = (EXTENDED.search(without_arguments(one)) for one in signatures)
    return [base for one in told if one for base in NAMED.findall(one[1])]


def type_before(name: str, signature: str) -> str:
    """The type that stands before a name where it is declared."""
    pattern = rf"([\w$]+)(?:\s*\[\s*\])*\s+{re.escape(name)}\b"
    found = re.search(pattern, without_arguments(signature))
    return found[1] if found and found[1] not in NO_TYPES else ""


def without_arguments(signature: str) -> str:
    """Without what types are made of: `List` of `List<Map<K, V>>`."""
    while (shorter := ARGUMENTS.sub("", signature)) != signature:
        signature = shorter
    return signature


def listed_names(
    database: IndexDatabase, before: str, after: str, *, after_dot: bool
) -> ListedNames:
    """What the index knows of the names that may stand between two texts of a file."""
    names = JavaNames.at(database, before, after)
    return names.after_dot() if after_dot else names.elsewhere()
