"""No attribute that does not exist: what follows a dot is one that static analysis knows.

The question is asked once for each dot, for those at the cursor while the prompt is read. Monitors
fail open: where nothing is known, or not all, or not in time, anything may follow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from completion.monitors.identifier_masks import IdentifierMasks, identifier_at
from completion.monitors.places import attribute_at_end, attributes_inside

Names = frozenset[bytes]
FindNames = Callable[[bytes], Names | None]  # that may stand at the end of a text; None if any may


@dataclass(slots=True)
class Attributes:
    """Of one request.

    Its line begins in `open_quotes` and holds `line` before the prompt's end.
    """

    masks: IdentifierMasks
    find_names: FindNames
    line: bytes
    open_quotes: str
    _known: dict[bytes, Names | None] = field(default_factory=dict)

    def following(self, written: bytes) -> Tensor | None:
        place = attribute_at_end(self.line + written, self.open_quotes)
        if place is None:
            return None
        names = self._names((self.line + written)[: place.start])
        return None if names is None else self.masks.following(names, place.written)

    def accepts(self, written: bytes, token: bytes) -> bool:
        before = self.line + written
        text = before + token
        for place in attributes_inside(text, len(before), self.open_quotes):
            names = self._names(text[: place.start])
            named = identifier_at(text[place.start :])
            ends = place.start + len(named) < len(text)
            if names is not None and not (
                named in names if ends else any(name.startswith(named) for name in names)
            ):
                return False
        return True

    def _names(self, text: bytes) -> Names | None:
        if text not in self._known:
            self._known[text] = self.find_names(text)
        return self._known[text]
