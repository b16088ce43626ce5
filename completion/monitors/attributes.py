"""No attribute that does not exist: what follows a dot is one that static analysis knows.

Where a statement begins with `self.`, it may make the attribute that it names. Whether it does is
seen only behind the name; if it does not, and there is no such name, that is regretted: the name is
taken back, and the place is then one at which something is read.
"""

import re
from dataclasses import dataclass, field

from completion.monitors.identifier_masks import IdentifierMasks, Mask, identifier_at
from completion.monitors.places import (
    attribute_at_end,
    attributes_inside,
    is_read,
    may_be_made,
)
from completion.monitors.questions import FindNames

OF_SELF = re.compile(rb"\b(?:self|cls)\.(?=[A-Za-z_\x80-\xff])")


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of one request.

    Its line begins in `open_quotes` and holds `line` before the prompt's end, and so many bytes
    before the cursor.
    """

    masks: IdentifierMasks
    find_names: FindNames
    line: bytes
    open_quotes: str
    typed: int
    _read: set[bytes] = field(default_factory=set)  # texts after which nothing is made

    def following(self, written: bytes) -> Mask | None:
        text = self.line + written
        place = attribute_at_end(text, self.open_quotes)
        if place is None or self._is_free(text[: place.start]):
            return None
        names = self.find_names(text[: place.start])
        return None if names is None else self.masks.following(names, place.written)

    def accepts(self, written: bytes, token: bytes) -> bool:
        before = self.line + written
        text = before + token
        for place in attributes_inside(text, len(before), self.open_quotes):
            known = text[: place.start]
            if self._is_free(known) or (names := self.find_names(known)) is None:
                continue
            named = identifier_at(text[place.start :])
            ends = place.start + len(named) < len(text)
            if named not in names and (ends or not any(n.startswith(named) for n in names)):
                return False
        return True

    def regretted(self, written: bytes) -> int | None:
        """After how many bytes a name was written that is neither there nor made; None if none was.

        Nothing is made at that place from now on.
        """
        text = self.line + written
        for found in OF_SELF.finditer(text):
            known = text[: found.end()]
            end = found.end() + len(identifier_at(text[found.end() :]))
            if end <= self.typed or not self._is_free(known) or not is_read(text, end):
                continue
            if attribute_at_end(known, self.open_quotes) is None:
                continue
            names = self.find_names(known)
            if names is not None and text[found.end() : end] not in names:
                self._read.add(known)
                return max(0, found.end() - len(self.line))
        return None

    def _is_free(self, text: bytes) -> bool:
        """Whether anything may be named after `text`, since it may be made there."""
        return may_be_made(text) and text not in self._read
