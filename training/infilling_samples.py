"""From a document and a hole in it to the tokens that a model learns from.

The prompt is the one that completion builds, by its own functions: the same window of lines, and a
middle that begins some lines above the cursor. Loss counts on the middle and the token that ends
it. Some samples are in the other order, suffix first (Bavarian et al. 2022, section 3), some have
code of other files before them, as the model's report has it (Qwen2.5-Coder, section 3.2), and
of these some have other names in it; some end where they are filled in, and some have no hole:
there every token counts.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from completion.context_budget import find_edge, fit_window
from completion.prompt_formats import PromptFormat, Slot
from completion.related_blocks import related_tokens
from models.tokenizer import CodeTokenizer
from retrieval.related.related_code import RelatedCode
from retrieval.related.similar_code import CodeBlock
from training.definitions import Definitions
from training.documents import Document
from training.holes import Hole, Lines, draw_hole
from training.renaming import OtherNames, Task, renamed
from training.type_labels import NO_TYPE, TypeLabels

BUDGETS = (192, 256, 384, 512, 768, 1024)  # tokens of a prompt
LONGEST_MIDDLE = 320  # tokens
NO_HOLE = 0.08  # of all samples
SUFFIX_FIRST = 0.1
WITH_RELATED = 0.35
RENAMED = 0.5  # of them, where it can be
TRIES = 10  # of holes, for one that others tell of
NO_SUFFIX = 0.08


@dataclass(frozen=True, slots=True)
class Sample:
    """Token ids, and the first of them that counts; the ones before it are only read.

    `types` are the numbers of the types of Python's tokens that those that count belong to, and
    `NO_TYPE` where one belongs to none; or there are none.
    """

    kind: str
    tokens: list[int]
    counted_from: int
    types: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SampleMaker:
    """Makes samples for one tokenizer in its prompt format; `end_token` ends a middle, and `names`
    are those that what is defined may be given instead of its own."""

    tokenizer: CodeTokenizer
    format: PromptFormat
    end_token: int
    names: OtherNames = field(default_factory=lambda: OtherNames(()))

    def draw(
        self, document: Document, definitions: Definitions, rng: random.Random
    ) -> Sample | None:
        """One sample from a document; None where no hole of a fitting size was found.

        A model that fills in no middle has documents as they are.
        """
        if rng.random() < NO_HOLE or not self.format.has_middle:
            return self._plain(document, rng)
        related = rng.random() < WITH_RELATED and self.format.files is not None
        task = self._related(document, definitions, rng) if related else alone(document, rng)
        if task is None:
            return None
        hole = task.hole
        suffix_first = rng.random() < SUFFIX_FIRST
        if hole.begun and rng.random() < NO_SUFFIX:
            hole = replace(hole, is_last=True)
        budget = rng.choice(BUDGETS)
        typed = task.document is document  # another text would be read whole for one sample
        return self.with_hole(
            task.document, hole, budget, task.blocks, suffix_first=suffix_first, typed=typed
        )

    def _related(
        self, document: Document, definitions: Definitions, rng: random.Random
    ) -> Task | None:
        """A hole, with code that tells what is missing if that is soon found, at times renamed."""
        lines, others = Lines(document.text), rng.random() < RENAMED
        best: Task | None = None
        for _ in range(TRIES):
            if (hole := draw_hole(lines, rng)) is None:
                continue
            missing = document.text[hole.cursor : hole.end]
            task = Task(document, hole, tuple(definitions.blocks(document, missing, rng)))
            if task.blocks and not others:
                return task
            if task.blocks and (found := renamed(task, self.names, rng)) is not None:
                return found
            best = task if best is None or not best.blocks else best
        return best

    def with_hole(
        self,
        document: Document,
        hole: Hole,
        budget: int,
        blocks: Sequence[CodeBlock] = (),
        *,
        suffix_first: bool = False,
        typed: bool = True,
    ) -> Sample | None:
        """The sample for one hole, `typed` if with types; None where the middle would be very
        long."""
        before = document.text[: hole.cursor]
        after = "" if hole.is_last else document.text[hole.end :]
        begun = hole.begun and not suffix_first
        window = fit_window(
            self.tokenizer, before, after, budget, uses_suffix=True, has_middle=begun
        )
        split = len(before)
        if window.middle:
            split = find_edge(before, window.edges.middle) or 0
        middle = self.tokenizer.encode(document.text[split : hole.end])
        if not middle or len(middle) > LONGEST_MIDDLE:
            return None
        prefix = window.before
        slots = {Slot.PREFIX: prefix, Slot.SUFFIX: window.after, Slot.MIDDLE: []}
        if suffix_first:
            slots |= {Slot.PREFIX: [], Slot.MIDDLE: prefix}
        tokens = self._context(document, blocks)
        for part in self.format.parts:
            tokens += slots[part] if isinstance(part, Slot) else [self.tokenizer.control[part]]
        types = [*self._types(document, middle, split), NO_TYPE] if typed else []
        return Sample(hole.kind, [*tokens, *middle, self.end_token], len(tokens), types)

    def _context(self, document: Document, blocks: Sequence[CodeBlock]) -> list[int]:
        """What stands before the file: code of others, where there is any."""
        tokens = list(self.tokenizer.start_tokens)
        if self.format.files is None:
            return tokens
        related = RelatedCode(document.package, document.path, tuple(blocks))
        return tokens + related_tokens(self.tokenizer, self.format.files, related)

    def _plain(self, document: Document, rng: random.Random) -> Sample:
        """Lines of a document as they are."""
        budget = rng.choice(BUDGETS)
        lines = Lines(document.text)
        start = lines.starts[rng.randrange(len(lines.rows))]
        text = document.text[start if len(document.text) - start > budget else 0 :]
        tokens = self.tokenizer.encode(text[: 6 * budget])[:budget]
        whole = [*self.tokenizer.start_tokens, *tokens]
        types = self._types(document, tokens, len(document.text) - len(text))
        return Sample("plain", whole, 1, types[len(tokens) - len(whole) + 1 :])

    def _types(self, document: Document, tokens: Sequence[int], start: int) -> list[int]:
        """Those of tokens that write a document on from a place."""
        before = len(document.text[:start].encode())
        return labels_of(document.text).of(tokens, self.tokenizer.token_bytes, before)


def alone(document: Document, rng: random.Random) -> Task | None:
    """A hole, with no code of other files; None where there is none."""
    hole = draw_hole(Lines(document.text), rng)
    return None if hole is None else Task(document, hole)


@lru_cache(maxsize=4)
def labels_of(text: str) -> TypeLabels:
    return TypeLabels(text)
