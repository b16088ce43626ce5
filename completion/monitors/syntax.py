"""No suggestion breaks a file that parses.

A suggestion is inserted into the file's syntax tree, which follows the text from one request to the
next (tree-sitter; Wagner 1998, "Practical Algorithms for Incremental Software Development
Environments"). Lines are cut off its end, or a bracket that it leaves open and all that follows,
until the file parses as it did. A file that is broken already, as most are while a line is typed,
says nothing of a suggestion: one fault more or less there depends on how the parser goes on.
"""

from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass

from tree_sitter import Parser, Tree

from completion.brackets import balance, mask
from completion.values import CompletionRequest
from retrieval.grammars import PYTHON

DOCUMENTS = 16  # whose trees are kept


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text and its tree."""

    text: bytes
    tree: Tree


class Syntax:
    """Trees of the documents that were asked about last, in Python."""

    def __init__(self) -> None:
        self._parser = Parser(PYTHON)
        self._parsed: OrderedDict[str, Parsed] = OrderedDict()

    def keep(self, request: CompletionRequest, text: str) -> str:
        """As many lines of a suggestion as do not break the file."""
        if not text:
            return text
        before, after = (part.encode(errors="replace") for part in (request.before, request.after))
        whole = self.follow(request.document, before + after)
        if whole.tree.root_node.has_error:
            return text
        for kept in beginnings(text):
            inserted = self._changed(whole, before + kept.encode(errors="replace") + after)
            if not inserted.tree.root_node.has_error:
                return kept
        return ""

    def follow(self, document: str, text: bytes) -> Parsed:
        """The tree of a document's text now, made from the one that it had last."""
        last = self._parsed.pop(document, None)
        if last is None:
            now = Parsed(text, self._parser.parse(text))
        else:
            now = last if last.text == text else self._changed(last, text)
        self._parsed[document] = now
        while len(self._parsed) > DOCUMENTS:
            self._parsed.popitem(last=False)
        return now

    def _changed(self, parsed: Parsed, text: bytes) -> Parsed:
        """The tree after a text has become another, which differ in one place."""
        old = parsed.text
        start = shared(old, text)
        most = min(len(old), len(text)) - start
        same = shared(old[len(old) - most :][::-1], text[len(text) - most :][::-1])
        tree = parsed.tree.copy()
        tree.edit(
            start_byte=start,
            old_end_byte=len(old) - same,
            new_end_byte=len(text) - same,
            start_point=point(text, start),
            old_end_point=point(old, len(old) - same),
            new_end_point=point(text, len(text) - same),
        )
        return Parsed(text, self._parser.parse(text, tree))


def shared(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with in common."""
    return bisect_left(
        range(min(len(one), len(other))), True, key=lambda end: one[: end + 1] != other[: end + 1]
    )


def point(text: bytes, place: int) -> tuple[int, int]:
    """Row and column, in bytes."""
    return text.count(b"\n", 0, place), place - (text.rfind(b"\n", 0, place) + 1)


def beginnings(text: str) -> list[str]:
    """All of a text, then ever less of it: its lines, or what stands before brackets left open."""
    ends = {len(text), *(place for place, sign in enumerate(text) if sign == "\n")}
    ends |= {opener.position for opener in balance(mask(text).text).openers}
    found = (text[:end].rstrip() if end < len(text) else text for end in sorted(ends, reverse=True))
    return [beginning for beginning in dict.fromkeys(found) if beginning]
