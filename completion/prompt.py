"""From a request to the token ids the model reads."""

from dataclasses import dataclass

from completion.context_budget import fit_window
from completion.prompt_formats import PromptFormat, Slot, choose_format
from completion.values import CompletionRequest
from models.language_model import LanguageModel


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

    def build(self, request: CompletionRequest) -> list[int]:
        """The prompt's token ids; at least one."""
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
        for part in self.format.parts:
            tokens += slots[part] if isinstance(part, Slot) else [tokenizer.control[part]]
        return tokens or tokenizer.encode("\n")
