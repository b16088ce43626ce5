"""No name that the repository's own files do not declare, in TypeScript, JavaScript and Go.

What follows a dot, and what is taken from a module by name. Whether a place is one at all is seen
in the tree of the file, by whoever is asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from completion.monitors.existing_names import Settled, WrongName, wrong_among
from completion.monitors.names import identifier_at
from completion.monitors.places import is_stored
from completion.monitors.questions import Questions
from retrieval.analyst.questions import Wanted
from retrieval.symbols.script_members import EVERY_OBJECT

DOT = re.compile(rb"(?<=[0-9A-Za-z_$!\x80-\xff])(?:\?\.|\.)(?=[A-Za-z_$\x80-\xff]|\Z)")
LISTED = re.compile(rb"[{,]\s*(?:type\s+)?(?=[A-Za-z_$\x80-\xff])")
# A list of names that an import or export statement has begun, and how it goes on to its module.
BEGUN = re.compile(rb"\b(?:import|export)\b[^{}'\"`;=()]*\{[^{}'\"`;=()]*\Z")
MODULE = re.compile(rb"[^{}'\"`;=()]*\}\s*from\s*(?P<quote>['\"])[^'\"\n]*(?P=quote)")
EVERYWHERE = frozenset(map(str.encode, EVERY_OBJECT))  # no makeshift for another name


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name begins in a text, and what of the text behind it matters to it."""

    start: int
    beside: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredNames:
    """Of one request, whose text goes on from the lines `above` and is followed by `rest`.

    So many bytes of it are `typed`: what ends in them is not judged. `begun` is the list of names
    that the lines above leave open, as far as it goes.
    """

    questions: Questions
    above: str
    rest: bytes
    typed: int
    begun: bytes

    def find_wrong(self, text: bytes, settled: Settled, *, ended: bool) -> WrongName | None:
        for place in self._places(text):
            start, name = place.start, identifier_at(text[place.start :])
            end, before = start + len(name), self._before(text[:start])
            if end == len(text) and not ended:
                self.questions.ask(before, Wanted.NAMES, place.beside)
                continue
            if not name or end <= self.typed or settled.get(text[:start]) == name:
                continue
            if is_stored(text, end):
                continue
            names = self.questions.names(before, Wanted.NAMES, place.beside)
            if wrong := wrong_among(names, text, start, name, self.typed):
                return replace(wrong, existing=wrong.existing - EVERYWHERE or wrong.existing)
        return None

    def _before(self, text: bytes) -> str:
        return self.above + text.decode(errors="replace")

    def _places(self, text: bytes) -> Iterator[Place]:
        dots = (Place(found.end()) for found in DOT.finditer(text))
        return iter(sorted([*dots, *self._listed(text)], key=lambda place: place.start))

    def _listed(self, text: bytes) -> Iterator[Place]:
        """Names in the list of an import or export statement whose module is written already."""
        if not self.begun and b"import" not in text and b"export" not in text:
            return
        for found in LISTED.finditer(text):
            start = found.end()
            behind = text[start + len(identifier_at(text[start:])) :]
            module = MODULE.match(behind + self.rest)
            if module is not None and BEGUN.search(self.begun + text[:start]):
                yield Place(start, behind[: module.end()].decode(errors="replace"))


def begun_list(above: str) -> bytes:
    """The list of names that a text ends in, with the statement that it is of."""
    found = BEGUN.search(above.encode(errors="replace"))
    return found[0] if found is not None else b""
