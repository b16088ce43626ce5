"""No name that does not exist, where static analysis knows all that do.

A name is written as the model likes it, and looked up once its end is seen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from completion.monitors.names import identifier_at, is_dunder
from completion.monitors.places import (
    NamePlace,
    attribute_at_end,
    attributes_inside,
    import_at_end,
    imports_inside,
    is_bound_by_statement,
    is_read,
    is_stored,
    may_be_made,
)
from completion.monitors.questions import Lookup, Names


@dataclass(frozen=True, slots=True)
class Kind:
    """Where names of one kind stand in a text that begins in some open quotes.

    The one that the text ends in or is about to name; all of them; and whether one which ends at an
    offset has to exist, as far as is known.
    """

    at_end: Callable[[bytes, str], NamePlace | None]
    inside: Callable[[bytes, str], Iterable[NamePlace]]
    has_to_exist: Callable[[bytes, NamePlace, int], bool]


def is_no_new_one(text: bytes, place: NamePlace, end: int) -> bool:
    if is_stored(text, end) or is_bound_by_statement(text[: place.start]):
        return False
    return not may_be_made(text[: place.start]) or is_read(text, end)


ATTRIBUTES = Kind(attribute_at_end, attributes_inside, is_no_new_one)
IMPORTS = Kind(import_at_end, imports_inside, lambda _, __, ___: True)


# Names that were chosen, by the text before each: they are not looked up.
Settled = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class WrongName:
    """A name that does not exist, the text before it, and the names that may stand there.

    They begin with what there was of the name before the cursor.
    """

    before: bytes
    name: bytes
    existing: Names


def wrong_among(
    names: Names | None, text: bytes, start: int, name: bytes, typed: int
) -> WrongName | None:
    """A name at a place of a text, unless it is among those that may stand there, or none of them
    goes on with what is `typed` of it."""
    if names is None or name in names:
        return None
    begun = text[start : max(start, typed)]
    existing = frozenset(known for known in names if known.startswith(begun))
    return WrongName(text[:start], name, existing) if existing else None


@dataclass(frozen=True, slots=True)
class ExistingNames:
    """Of one kind and one request, whose text begins in `open_quotes`.

    So many bytes of it are `typed`: what ends in them is not judged.
    """

    kind: Kind
    lookup: Lookup
    open_quotes: str
    typed: int

    def find_wrong(self, text: bytes, settled: Settled, *, ended: bool) -> WrongName | None:
        last = self.kind.at_end(text, self.open_quotes)
        if last is not None and not ended:
            self.lookup.ask(text[: last.start] + b" " * last.blank)
        for place in self.kind.inside(text, self.open_quotes):
            before, name = text[: place.start], identifier_at(text[place.start :])
            end = place.start + len(name)
            if end <= self.typed or (end == len(text) and not ended):
                continue
            if settled.get(before) == name or is_dunder(name):
                continue
            if not self.kind.has_to_exist(text, place, end):
                continue
            names = self.lookup.names(before)
            if wrong := wrong_among(names, text, place.start, name, self.typed):
                return wrong
        return None
