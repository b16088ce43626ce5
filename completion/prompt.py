"""From a request to the token ids the model reads, and what among them cannot be moved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from completion.context_budget import NO_EDGES, Edges, fit_window
from completion.covers import NOTHING_OPEN, OpenEnd, open_end
from completion.prompt_formats import PromptFormat, Slot, choose_format
from completion.related_blocks import related_tokens
from completion.values import CompletionRequest
from models.language_model import LanguageModel
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode

ANCHORS_BEFORE_CURSOR = 16
ANCHORS_OF_TEXT = 4  # the first tokens of the text before the cursor, and of the text after it
LAST_CHARACTERS = 1_000  # of a line, in which its last word is looked for


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads, and at which positions it looks for where it stands.

    `markers` are the tokens that say what role the text after them has. `anchors` are the positions
    of the markers, of the first tokens after each, and the last ones before the cursor. A
    marker remembers the text before it, so one that was moved still points to where that text used
    to end; and the tokens right before the cursor, such as the indentation of its line, remember
    the line above them. Measured on the default model: `docs/edits.md`.

    `edges` are those of the part of the file that is read, `related` the code of other files that
    comes before it.

    `end` is the text before the cursor that may be written by other tokens, depending on what
    follows. It is not read but written again: after eight spaces, the model has seldom seen a word
    begin, since it knows it as seven spaces and the word with a space before it.
    """

    tokens: list[int]
    anchors: frozenset[int] = frozenset()
    markers: frozenset[int] = frozenset()
    end: OpenEnd = NOTHING_OPEN
    edges: Edges = NO_EDGES
    related: RelatedCode = NOTHING_RELATED

    @property
    def whole(self) -> list[int]:
        """The tokens of all the text, as they are where nothing is written again."""
        return [*self.tokens, *self.end.rewritten]


@dataclass(frozen=True, slots=True)
class PromptBuilder:
    """Builds prompts for one model, of at most `budget` tokens beside related code."""

    model: LanguageModel
    format: PromptFormat
    budget: int

    @classmethod
    def for_model(cls, model: LanguageModel, budget: int) -> "PromptBuilder":
        chosen = choose_format(model.tokenizer.control)
        smallest = len(model.tokenizer.start_tokens) + len(chosen.markers) + 1
        largest = model.decoder.config.context_length // 2
        return cls(model, chosen, max(smallest, min(budget, largest)))

    @property
    def end_tokens(self) -> frozenset[int]:
        """Every token that ends a completion: the model's own, and all that stand for no text."""
        return self.model.end_tokens | frozenset(self.model.tokenizer.control.values())

    def build_all(self, requests: Iterable[CompletionRequest]) -> list[Prompt]:
        """The prompts for requests in one document, one after the other."""
        prompts: list[Prompt] = []
        for request in requests:
            prompts.append(self.build(request, prompts[-1].edges if prompts else NO_EDGES))
        return prompts

    def build(
        self,
        request: CompletionRequest,
        last: Edges = NO_EDGES,
        related: RelatedCode = NOTHING_RELATED,
    ) -> Prompt:
        """The prompt for a request, of at least one token, with the `last` edges where they fit.

        Related code is left out where the format has no place for it.
        """
        tokenizer = self.model.tokenizer
        overhead = len(tokenizer.start_tokens) + len(self.format.markers)
        window = fit_window(
            tokenizer,
            request.before,
            request.after,
            self.budget - overhead,
            uses_suffix=self.format.uses_suffix,
            has_middle=self.format.has_middle,
            last=last,
        )
        slots = {Slot.PREFIX: window.before, Slot.SUFFIX: window.after, Slot.MIDDLE: window.middle}
        tokens = list(tokenizer.start_tokens)
        if self.format.files is not None:
            tokens += related_tokens(tokenizer, self.format.files, related)
        anchors: set[int] = set()
        before_cursor: list[int] = []
        for part in self.format.parts:
            start = len(tokens)
            if isinstance(part, Slot):
                tokens += slots[part]
                anchors.update(range(start, len(tokens))[:ANCHORS_OF_TEXT])
                if part is not Slot.SUFFIX:
                    before_cursor += range(start, len(tokens))
            else:
                tokens.append(tokenizer.control[part])
                anchors.add(start)
        anchors.update(before_cursor[-ANCHORS_BEFORE_CURSOR:])
        end = self._open_end(request.before, tokens)
        tokens = tokens[: len(tokens) - len(end.rewritten)] or tokenizer.encode("\n")
        markers = frozenset(tokenizer.control[name] for name in self.format.markers)
        anchored = frozenset(range(len(tokens))) & anchors
        return Prompt(tokens, anchored, markers, end, window.edges, related)

    def _open_end(self, before: str, tokens: Sequence[int]) -> OpenEnd:
        """What is open where the prompt ends with text before the cursor, and within a line."""
        if before.endswith("\n"):
            return NOTHING_OPEN
        last_line = before[before.rfind("\n", 0, len(before.rstrip())) + 1 :]
        end = open_end(self.model.tokenizer, last_line[-LAST_CHARACTERS:])
        row = [*end.settled, *end.rewritten]
        return end if tokens[len(tokens) - len(row) :] == row else NOTHING_OPEN
