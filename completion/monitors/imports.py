"""Nothing is imported that is not there: modules, and the names in them."""

from dataclasses import dataclass

from completion.monitors.identifier_masks import IdentifierMasks, Mask
from completion.monitors.places import import_at_end
from completion.monitors.questions import FindNames


@dataclass(frozen=True, slots=True)
class Imports:
    """Of one request, as `Attributes`. A module within another is an attribute of it."""

    masks: IdentifierMasks
    find_names: FindNames
    line: bytes
    open_quotes: str

    def following(self, written: bytes) -> Mask | None:
        text = self.line + written
        place = import_at_end(text, self.open_quotes)
        if place is None:
            return None
        names = self.find_names(text[: place.start] + b" " * place.blank)
        if names is None:
            return None
        return self.masks.following(names, place.written, blank=place.blank)

    def accepts(self, written: bytes, token: bytes) -> bool:  # noqa: ARG002
        """A token that names an import names it at its beginning."""
        return True

    def regretted(self, written: bytes) -> int | None:  # noqa: ARG002
        """What is imported is known when it is named."""
        return None
