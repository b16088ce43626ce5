"""No keyword that a call does not take."""

import re
from dataclasses import dataclass

from completion.brackets import balance
from completion.monitors.existing_names import Settled, WrongName, wrong_among
from completion.monitors.names import NAME
from completion.monitors.places import blotted_text
from completion.monitors.questions import Lookup

KEYWORD = re.compile(r"(?<=[(,])[ \t\n]*(?P<name>[^\W\d]\w*)[ \t]*=(?!=)", re.ASCII)
CALLED = re.compile(r"[\w)\]\x80-\xff][ \t]*\Z")
DEFINED = re.compile(r"\b(?:def|class)[\s\\]+[\w\x80-\xff]+[ \t]*(?:\[[^\]]*\])?[ \t]*\Z", re.ASCII)
CASE = re.compile(r"[ \t]*case\b")


@dataclass(frozen=True, slots=True)
class Keywords:
    """Of one request, whose text begins in `open_quotes`.

    So many bytes of it are `typed`: what ends in them is not judged, nor is a call whose bracket
    stands above.
    """

    lookup: Lookup
    open_quotes: str
    typed: int

    def find_wrong(
        self,
        text: bytes,
        settled: Settled,
        *,
        ended: bool,  # noqa: ARG002 - a keyword is seen by what follows it
    ) -> WrongName | None:
        if b"=" not in text[self.typed :]:
            return None
        blotted = blotted_text(text, self.open_quotes)
        for found in KEYWORD.finditer(blotted):
            start, before = found.start("name"), text[: found.start("name")]
            name = text[start : found.end("name")]
            if found.end("name") <= self.typed or settled.get(before) == name:
                continue
            if (inside := arguments_before(blotted[:start])) is None:
                continue
            names = self.lookup.keywords(before)
            if names is None or name in names:
                continue
            given = frozenset(NAME.findall(inside.encode("latin-1")))
            if wrong := wrong_among(names - given, text, start, name, self.typed):
                return wrong
        return None


def arguments_before(text: str) -> str | None:
    """What stands between a place and the bracket of the call that it is in, if it is in one."""
    openers = balance(text).openers
    if not openers or openers[-1].character != "(":
        return None
    called, inside = text[: openers[-1].position], text[openers[-1].position :]
    if CALLED.search(called) is None or DEFINED.search(called) or "lambda" in inside:
        return None
    if CASE.match(text, text.rfind("\n", 0, openers[0].position) + 1):
        return None  # a pattern
    return inside
