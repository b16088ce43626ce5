"""Names that a model can only have from what it is shown: those of a package, under others.

Who has seen a library while learning knows its names by heart; of a library that is private it must
read them (Zan et al. 2022, "When Language Model Meets Private Library", rename pandas to judge
that). So a package's definitions, and all that calls them, are at times given the names that other
packages have for other things.
"""

import builtins
import io
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from retrieval.related.similar_code import CodeBlock
from training.definitions import DEFINITION, NAME
from training.documents import Document
from training.holes import Hole

TRIES = 8
KNOWN = frozenset(
    name for one in (builtins, str, bytes, list, dict, set, io.TextIOWrapper) for name in dir(one)
)
CALLED = re.compile(r"\b(\w{4,})\(")
WORD = re.compile(r"[a-z]+")  # may be one of prose


class Style(Enum):
    """How names are written; one takes the place of another of its style."""

    CLASS = re.compile(r"_*[A-Z]\w*[a-z]\w*")
    FUNCTION = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def style_of(name: str) -> Style | None:
    return next((style for style in Style if style.value.fullmatch(name)), None)


class OtherNames:
    """Names that documents define, by style."""

    def __init__(self, documents: Iterable[Document]) -> None:
        named: dict[Style, set[str]] = {style: set() for style in Style}
        for document in documents:
            for found in DEFINITION.finditer(document.text):
                name = found[1]
                if (
                    NAME.fullmatch(name)
                    and not name.startswith("test")
                    and (style := style_of(name)) is not None
                ):
                    named[style].add(name)
        self._named: Mapping[Style, Sequence[str]] = {
            style: sorted(names) for style, names in named.items()
        }

    def instead(self, name: str, text: str, rng: random.Random) -> str | None:
        """Another name of the same style that `text` does not hold; None where none is found."""
        style = style_of(name)
        if style is None or not self._named[style]:
            return None
        drawn = (rng.choice(self._named[style]) for _ in range(TRIES))
        return next((other for other in drawn if other not in text), None)


@dataclass(frozen=True, slots=True)
class Task:
    """A hole in a document, and code of other files that tells what is missing."""

    document: Document
    hole: Hole
    blocks: tuple[CodeBlock, ...] = ()


def renamed(task: Task, names: OtherNames, rng: random.Random) -> Task | None:
    """The same with other names for what the blocks define and the missing text calls.

    None where it calls none of it, or where the hole begins or ends inside such a name.
    """
    document, hole, blocks = task.document, task.hole, task.blocks
    missing = set(CALLED.findall(document.text[hole.cursor : hole.end])) - KNOWN
    defined = {found[1] for block in blocks for found in DEFINITION.finditer(block.text)}
    everything = "\n".join([document.text, *(block.text for block in blocks)])
    new: dict[str, str] = {}
    for name in sorted(missing & defined):
        other = names.instead(name, everything, rng)
        if other is not None and other not in new.values():
            new[name] = other
    if not new:
        return None
    said = [rf"{name}(?=\()" if WORD.fullmatch(name) else rf"{name}\b" for name in new]
    pattern = re.compile(rf"\b(?:{'|'.join(said)})")

    def written(text: str) -> str:
        return pattern.sub(lambda found: new[found[0]], text)

    text = document.text
    before = written(text[: hole.cursor])
    within, after = written(text[hole.cursor : hole.end]), written(text[hole.end :])
    if f"{before}{within}{after}" != written(text):
        return None
    cursor = len(before)
    return Task(
        replace(document, text=written(text)),
        replace(hole, cursor=cursor, end=cursor + len(within)),
        tuple(replace(block, text=written(block.text)) for block in blocks),
    )
