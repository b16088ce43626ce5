"""How near the engine's 8-bit weights stay to float32 on the same prompts.

Both write their likeliest line. Then both read the line that float32 wrote, and their
distributions of each of its tokens are compared (teacher forcing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from torch import Tensor

from completion.decoded import Decoded
from completion.decoding import decode_greedily
from completion.edit_session import EditSession
from completion.prompt import Prompt, PromptBuilder
from completion.repair import EXACT
from completion.stop_rules import Stop
from completion.values import never_cancelled
from evaluation.edit_arms import divergence
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

LINE_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether both write the same line, and KL(float32 || 8 bits) in nats, the mean of its tokens.

    `kl` is of the distributions before any choice; an empty line has that of its end.
    """

    same_line: bool
    kl: float


def agreements(
    exact: LanguageModel,
    quantised: LanguageModel,
    prompts: Sequence[Prompt],
    progress: ProgressCallback,
) -> list[Agreement]:
    """Both models on each prompt."""
    found: list[Agreement] = []
    for done, prompt in enumerate(prompts):
        progress(Progress("agreement with float32", done, len(prompts)))
        found.append(agreement(exact, quantised, prompt))
    progress(Progress("agreement with float32", len(prompts), len(prompts)))
    return found


def agreement(exact: LanguageModel, quantised: LanguageModel, prompt: Prompt) -> Agreement:
    reader, other = Reader(exact, prompt), Reader(quantised, prompt)
    expected, line = reader.first_line(), other.first_line()
    scores, others = (one.scores(expected.tokens) for one in (reader, other))
    kls = [divergence(one, another) for one, another in zip(scores, others, strict=True)]
    return Agreement(expected.text == line.text, mean(kls))


class Reader:
    """One model that has read one prompt."""

    def __init__(self, model: LanguageModel, prompt: Prompt) -> None:
        self._model = model
        self._prompt = prompt
        self._end_tokens = PromptBuilder.for_model(model, len(prompt.tokens)).end_tokens
        session = EditSession(model.decoder, len(prompt.tokens) + 2 * LINE_TOKENS)
        self._logits = session.read(prompt, EXACT, never_cancelled).logits
        self._cache = session.cache

    def first_line(self) -> Decoded:
        """The likeliest line, one token a pass."""
        return decode_greedily(
            self._model,
            self._cache,
            self._logits,
            end_tokens=self._end_tokens,
            max_tokens=LINE_TOKENS,
            find_stop=end_of_line,
            cancelled=never_cancelled,
            end=self._prompt.end,
        )

    def scores(self, tokens: Sequence[int]) -> list[Tensor]:
        """Logits [vocabulary] of each of `tokens` after the prompt, of the first at least."""
        self._cache.truncate(len(self._prompt.tokens))
        if len(tokens) < 2:
            return [self._logits]
        hidden = self._model.decoder.forward(tokens[:-1], self._cache)
        return [self._logits, *self._model.decoder.logits(hidden)]


def end_of_line(text: str) -> Stop | None:
    end = text.find("\n")
    return None if end < 0 else Stop("line", end, end + 1)
