"""No name that does not exist, where static analysis knows all that do.

A name is written as the model likes it, and looked up once its end is seen. If it is not there, it
is taken back and written again, as one of those that are, and as much like it as the model finds
likely: what it wrote says what it meant.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from torch import Tensor

from completion.monitors.identifier_masks import IdentifierMasks, identifier_at
from completion.monitors.places import (
    NamePlace,
    attribute_at_end,
    attributes_inside,
    import_at_end,
    imports_inside,
    is_read,
    may_be_made,
)
from completion.monitors.questions import FindNames


@dataclass(frozen=True, slots=True)
class Kind:
    """Where names of one kind stand in a text that begins in some open quotes.

    The one that the text ends in or is about to name; those whose first letter stands at an offset
    or later; and whether one which ends at an offset has to exist, as far as is known.
    """

    at_end: Callable[[bytes, str], NamePlace | None]
    inside: Callable[[bytes, int, str], Iterable[NamePlace]]
    has_to_exist: Callable[[bytes, NamePlace, int], bool]


def is_no_new_one(text: bytes, place: NamePlace, end: int) -> bool:
    return not may_be_made(text[: place.start]) or is_read(text, end)


ATTRIBUTES = Kind(attribute_at_end, attributes_inside, is_no_new_one)
IMPORTS = Kind(import_at_end, imports_inside, lambda _, __, ___: True)


@dataclass(frozen=True, slots=True)
class WrongName:
    """A name that does not exist, what stands before it, and how much of that was written."""

    before: bytes
    name: bytes
    kept: int


@dataclass(frozen=True, slots=True)
class ExistingNames:
    """Of one kind and one request.

    Its line begins in `open_quotes` and holds `line` before the prompt's end, and so many bytes
    before the cursor.
    """

    kind: Kind
    masks: IdentifierMasks
    find_names: FindNames
    line: bytes
    open_quotes: str
    typed: int
    _taken_back: dict[bytes, bytes] = field(default_factory=dict)  # by what stands before it

    def following(self, written: bytes) -> Tensor | None:
        if not self._taken_back:
            return None
        text = self.line + written
        place = self.kind.at_end(text, self.open_quotes)
        if place is None:
            return None
        before = text[: place.start] + b" " * place.blank
        meant, names = self._taken_back.get(before), self.find_names(before)
        if meant is None or names is None:
            return None
        return self.masks.following(names, place.written, meant, blank=place.blank)

    def accepts(self, written: bytes, token: bytes) -> bool:
        if not self._taken_back:
            return True
        start = len(self.line + written)
        text = self.line + written + token
        for place in self.kind.inside(text, start, self.open_quotes):
            before = text[: place.start]
            if before not in self._taken_back or (names := self.find_names(before)) is None:
                continue
            named = identifier_at(text[place.start :])
            ends = place.start + len(named) < len(text)
            if named not in names and (ends or not any(n.startswith(named) for n in names)):
                return False
        return True

    def find_wrong(self, written: bytes, *, ended: bool) -> WrongName | None:
        text = self.line + written
        for place in self.kind.inside(text, 0, self.open_quotes):
            before, name = text[: place.start], identifier_at(text[place.start :])
            end = place.start + len(name)
            if end <= self.typed or before in self._taken_back or (end == len(text) and not ended):
                continue
            if not self.kind.has_to_exist(text, place, end):
                continue
            if (names := self.find_names(before)) is None or name in names:
                continue
            begun = text[place.start : max(place.start, self.typed)]
            if any(known.startswith(begun) for known in names):
                return WrongName(before, name, max(0, place.start - len(self.line)))
        return None

    def take_back(self, wrong: WrongName) -> None:
        self._taken_back[wrong.before] = wrong.name
