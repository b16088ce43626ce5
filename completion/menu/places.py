"""Whether a name stands at the cursor, of what kind, and what of it is typed."""

import re
from dataclasses import dataclass
from enum import Enum

from completion.brackets import MASK, mask
from completion.monitors.places import attribute_at_end, blotted_text, import_at_end
from completion.nearby import nearby
from completion.values import PYTHON, CompletionRequest

TYPED = re.compile(r"[^\W\d]\w*\Z")
LONGEST_NAME = 200  # characters
LARGEST = 50_000  # characters of the lines around, beyond which nobody has written them


class PlaceKind(Enum):
    """What is named at a place."""

    ATTRIBUTE = "attribute"
    IMPORT = "import"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class MenuPlace:
    """A name stands at the cursor, of which so much is `typed`."""

    kind: PlaceKind
    typed: str


def menu_place(request: CompletionRequest) -> MenuPlace | None:
    """What stands at the cursor; None in strings, comments and numbers."""
    before = nearby(request).before
    if len(before) > LARGEST:
        return None
    above, _, line = before.rpartition("\n")
    found = TYPED.search(line, max(0, len(line) - LONGEST_NAME))
    typed = found[0] if found else ""
    before = line.removesuffix(typed)
    open_quotes = mask(above + "\n").open_quotes
    if before and (before[-1].isdigit() or not ends_in_code(before, open_quotes, request.language)):
        return None
    if open_quotes and not before:
        return None
    if request.language != PYTHON:
        kind = PlaceKind.ATTRIBUTE if before.endswith(".") else PlaceKind.NAME
        return MenuPlace(kind, typed)
    text = line.encode(errors="replace")
    if import_at_end(text, open_quotes) is not None:
        return MenuPlace(PlaceKind.IMPORT, typed)
    if attribute_at_end(text, open_quotes) is not None:
        return MenuPlace(PlaceKind.ATTRIBUTE, typed)
    return None if before.endswith(".") else MenuPlace(PlaceKind.NAME, typed)


def ends_in_code(before: str, open_quotes: str, language: str) -> bool:
    """Whether what follows a part of a line is neither in a string nor in a comment."""
    if language == PYTHON:
        blotted = blotted_text(before.encode(errors="replace"), open_quotes)
    else:
        blotted = mask(before, open_quotes).text
    return blotted[-1] != MASK and "'" not in blotted
