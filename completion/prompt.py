"""From a request to the token ids the model reads, and what among them cannot be moved."""

from dataclasses import dataclass

from completion.context_budget import fit_window
from completion.prompt_formats import PromptFormat, Slot, choose_format
from completion.values import CompletionRequest
from models.language_model import LanguageModel

ANCHORS_BEFORE_CURSOR = 16
ANCHORS_OF_TEXT = 4  # the first tokens of the text before the cursor, and of the text after it


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads, and at which positions it looks for where it stands.

    `anchors` are the markers, the first tokens after each, and the last ones before the cursor. A
    marker remembers the text before it, so one that was moved still points to where that text used
    to end; and the tokens right before the cursor, such as the indentation of its line, remember
    the line above them. Measured on the default model: `docs/edits.md`.
    """

    tokens: list[int]
    anchors: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PromptBuilder:
    """Builds prompts for one model; `budget` is the largest prompt in tokens."""

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

    def build(self, request: CompletionRequest) -> Prompt:
        """The prompt for a request, of at least one token."""
        tokenizer = self.model.tokenizer
        overhead = len(tokenizer.start_tokens) + len(self.format.markers)
        window = fit_window(
            tokenizer,
            request.before,
            request.after,
            self.budget - overhead,
            uses_suffix=self.format.uses_suffix,
        )
        slots = {Slot.PREFIX: window.before, Slot.SUFFIX: window.after}
        tokens = list(tokenizer.start_tokens)
        anchors: set[int] = set()
        for part in self.format.parts:
            start = len(tokens)
            if isinstance(part, Slot):
                tokens += slots[part]
                anchors.update(range(start, len(tokens))[:ANCHORS_OF_TEXT])
                if part is Slot.PREFIX:
                    anchors.update(range(start, len(tokens))[-ANCHORS_BEFORE_CURSOR:])
            else:
                tokens.append(tokenizer.control[part])
                anchors.add(start)
        tokens = tokens or tokenizer.encode("\n")
        return Prompt(tokens, frozenset(anchors))
