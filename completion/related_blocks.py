"""Code of other files before the file: which of what was found, and as which tokens.

What stands at the start of a prompt must seldom change, since all that follows then remembers
another text. So blocks stay where they are while they are still among the better ones, and new ones
come after them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Protocol

from completion.prompt_formats import FileMarkers
from completion.values import CancelCheck, CompletionRequest
from models.errors import Cancelled
from models.tokenizer import CodeTokenizer
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode
from retrieval.related.similar_code import CodeBlock, names_around

BEGUN_WORD = re.compile(r"\w{1,200}\Z")
LONGEST = 10_000  # characters before the cursor, that are looked at
HEADER_TOKENS = 128  # at most, of the names of the repository and of the file
STILL_GOOD = 2.0  # times the budget: what of the best blocks is no reason to replace one


class FindsRelated(Protocol):
    """Who knows code that is related to what stands at a request's cursor."""

    def related(self, request: CompletionRequest, cancelled: CancelCheck) -> RelatedCode:
        """What is found until it is called off, the best block first."""
        ...


def related_tokens(
    tokenizer: CodeTokenizer, markers: FileMarkers, related: RelatedCode
) -> list[int]:
    """The repository's name, its blocks, and the path of the file that comes next; nothing where
    there are no blocks (format: Hui et al. 2024, "Qwen2.5-Coder Technical Report", section 3.2;
    Lozhkov et al. 2024, "StarCoder 2", section 5.1)."""
    if not related.blocks:
        return []
    control, encode = tokenizer.control, tokenizer.encode
    tokens = [control[markers.repository], *encode(f"{related.repository}\n")]
    for block in related.blocks:
        tokens += block_tokens(tokenizer, markers, block)
    return [*tokens, control[markers.file], *encode(f"{related.path}\n")]


def block_tokens(tokenizer: CodeTokenizer, markers: FileMarkers, block: CodeBlock) -> list[int]:
    return [
        tokenizer.control[markers.file],
        *tokenizer.encode(f"{block.path}\n{block.text}"),
    ]


@dataclass(slots=True)
class RelatedSearch:
    """Asks `finder` again only where other names stand around the cursor than the last time in
    that document; a word that is being typed is none yet."""

    finder: FindsRelated
    _found: dict[str, tuple[frozenset[str], RelatedCode]] = field(default_factory=dict)

    def related(self, request: CompletionRequest, cancelled: CancelCheck) -> RelatedCode:
        """What is found. Raises `Cancelled`."""
        before = BEGUN_WORD.sub("", request.before[-LONGEST:])
        names = frozenset(names_around(before, request.after))
        known = self._found.get(request.document)
        if known is not None and known[0] == names:
            return known[1]
        found = self.finder.related(request, cancelled)
        if cancelled():
            raise Cancelled
        self._found[request.document] = names, found
        return found

    def forget(self, document: str) -> None:
        """Give up what is kept for a document."""
        self._found.pop(document, None)


@dataclass(frozen=True, slots=True)
class RelatedChoice:
    """Chooses blocks of at most `budget` tokens in all, for a model that reads `markers`."""

    tokenizer: CodeTokenizer
    markers: FileMarkers | None
    budget: int

    @property
    def most(self) -> int:
        """The most tokens that may stand before the file while one choice takes the place of
        another."""
        return 2 * self.budget + HEADER_TOKENS if self.budget else 0

    def of(self, found: RelatedCode, in_use: RelatedCode) -> RelatedCode:
        """What of the code that is found is to be read, where other code is `in_use`."""
        header = self.tokenizer.encode(f"{found.repository}\n{found.path}\n")
        if self.markers is None or len(header) + len(fields(FileMarkers)) > HEADER_TOKENS:
            return NOTHING_RELATED
        cost = cache(self._cost)  # each block's is asked for more than once
        blocks = choose_blocks(found.blocks, in_use.blocks, cost, self.budget)
        return replace(found, blocks=blocks)

    def steps(self, old: RelatedCode, new: RelatedCode) -> Iterator[RelatedCode]:
        """From what is in use to another choice, never with more than fits."""
        return steps_between(old, new, cache(self._cost), 2 * self.budget)

    def _cost(self, block: CodeBlock) -> int:
        markers = self.markers
        return 0 if markers is None else len(block_tokens(self.tokenizer, markers, block))


def related_choice(
    tokenizer: CodeTokenizer, markers: FileMarkers | None, budget: int, room: int
) -> RelatedChoice:
    """One of no more than `budget` tokens, for which there is `room` with the one before it; of
    none for a model without markers."""
    fits = max(0, room - HEADER_TOKENS) // 2
    return RelatedChoice(tokenizer, markers, min(budget, fits) if markers is not None else 0)


def choose_blocks(
    found: Sequence[CodeBlock],
    in_use: Sequence[CodeBlock],
    cost: Callable[[CodeBlock], int],
    budget: int,
) -> tuple[CodeBlock, ...]:
    """Blocks of at most `budget` in all, in the order that they are to stand in.

    Those in use that are still good come first, in their order; then the best of the others, the
    best one last, where the file begins.
    """
    good = set(within(found, cost, STILL_GOOD * budget))
    kept = list(within([block for block in in_use if block in good], cost, budget))
    left = budget - sum(map(cost, kept))
    new = list(within([block for block in found if block not in kept], cost, left))
    return (*kept, *reversed(new))


def within(
    blocks: Sequence[CodeBlock], cost: Callable[[CodeBlock], int], budget: float
) -> Iterator[CodeBlock]:
    """The first blocks, as many as fit; one that does not is left out."""
    for block in blocks:
        if (price := cost(block)) <= budget:
            budget -= price
            yield block


def steps_between(
    old: RelatedCode, new: RelatedCode, cost: Callable[[CodeBlock], int], most: int
) -> Iterator[RelatedCode]:
    """From one to the other: each new block is added by itself, then all that is left out goes, or
    before that where there were more than `most` in all.

    Whoever stops on the way has lost nothing of what was there but what had to make room.
    """
    blocks = list(old.blocks)
    for block in new.blocks:
        if block in blocks:
            continue
        blocks.append(block)
        spare = [other for other in blocks if other not in new.blocks]
        for other in spare:
            if sum(map(cost, blocks)) > most:
                blocks.remove(other)
        yield replace(new, blocks=tuple(blocks))
    if tuple(blocks) != new.blocks:
        yield new
