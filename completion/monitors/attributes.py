"""No attribute that does not exist: what follows a dot is one that static analysis knows."""

from dataclasses import dataclass

from completion.monitors.identifier_masks import IdentifierMasks, Mask, identifier_at
from completion.monitors.places import attribute_at_end, attributes_inside
from completion.monitors.questions import FindNames


@dataclass(frozen=True, slots=True)
class Attributes:
    """Of one request.

    Its line begins in `open_quotes` and holds `line` before the prompt's end.
    """

    masks: IdentifierMasks
    find_names: FindNames
    line: bytes
    open_quotes: str

    def following(self, written: bytes) -> Mask | None:
        text = self.line + written
        place = attribute_at_end(text, self.open_quotes)
        if place is None or (names := self.find_names(text[: place.start])) is None:
            return None
        return self.masks.following(names, place.written)

    def accepts(self, written: bytes, token: bytes) -> bool:
        before = self.line + written
        text = before + token
        for place in attributes_inside(text, len(before), self.open_quotes):
            if (names := self.find_names(text[: place.start])) is None:
                continue
            named = identifier_at(text[place.start :])
            ends = place.start + len(named) < len(text)
            if named not in names and (ends or not any(n.startswith(named) for n in names)):
                return False
        return True
