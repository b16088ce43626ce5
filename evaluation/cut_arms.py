"""The ways to go on from a cursor inside a token that the cuts benchmark compares.

Each writes on until the line ends or is no longer the expected one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from completion.covers import NOTHING_OPEN, OpenEnd
from completion.decoding import decode_greedily
from completion.drafting.drafts import Draft, Drafter
from completion.edit_session import EditSession
from completion.prompt import Prompt, PromptBuilder
from completion.repair import EXACT
from completion.stop_rules import Stop
from completion.values import never_cancelled
from models.language_model import LanguageModel
from models.token_tree import chain
from models.tokenizer import CodeTokenizer

LINE_TOKENS = 48


class TrueLine(Drafter):
    """Drafts the true line, so that writing it takes one pass; it changes no answer.

    `wanted` is what the tokens from `start` on are to write.
    """

    def __init__(self, tokenizer: CodeTokenizer, start: int, wanted: bytes) -> None:
        self._tokenizer = tokenizer
        self._start = start
        self._wanted = wanted

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        spelled = map(self._tokenizer.token_bytes, (*before[self._start :], token))
        written = b"".join(spelled)
        rest = self._wanted[len(written) :] if self._wanted.startswith(written) else b""
        following = self._tokenizer.encode(rest.decode(errors="ignore"))
        return Draft(chain([token, *following][:most]))


class Cutter:
    """Writes the rest of cut lines with one model, from a cache that follows the cuts."""

    def __init__(self, model: LanguageModel, builder: PromptBuilder) -> None:
        self._model = model
        self._end_tokens = builder.end_tokens
        self._session = EditSession(model.decoder, builder.budget + 2 * LINE_TOKENS)

    def byte_exact(self, prompt: Prompt, truth: str) -> bool:
        """The likeliest cover, as the pipeline does it; whether the line is `truth`."""
        return self._writes(truth, prompt.end, self._read(prompt))

    def naive(self, prompt: Prompt, truth: str) -> bool:
        """The prompt's tokens as they are."""
        return self._writes(truth, NOTHING_OPEN, self._read(replace(prompt, tokens=prompt.whole)))

    def healed(self, prompt: Prompt, truth: str) -> bool:
        """Token healing: the last token is written again, by the likeliest that fit its bytes.

        What the last of them writes beyond the cursor begins the answer.
        """
        *tokens, last = prompt.whole
        decoder, tokenizer = self._model.decoder, self._model.tokenizer
        logits = self._read(replace(prompt, tokens=tokens))
        pending, begun = tokenizer.token_bytes(last), b""
        while pending:
            fitting = tokenizer.fitting(pending).to(logits.device)
            token = int(fitting[logits[fitting].argmax()])
            logits = decoder.logits(decoder.forward([token], self._session.cache)[-1])
            written = tokenizer.token_bytes(token)
            pending, begun = pending[len(written) :], written[len(pending) :]
        return self._writes(truth, NOTHING_OPEN, logits, begun.decode(errors="replace"))

    def _read(self, prompt: Prompt) -> Tensor:
        return self._session.read(prompt, EXACT, never_cancelled).logits

    def _writes(self, truth: str, end: OpenEnd, logits: Tensor, begun: str = "") -> bool:
        """Whether what is written after `begun` makes it the true rest of the line."""

        def find_stop(text: str) -> Stop | None:
            line = begun + text
            may_be_true = truth.startswith(line) or (line.rstrip(" ") == truth)
            return None if may_be_true else Stop("decided", len(text), len(text))

        text = ""
        if find_stop("") is None:
            cache, tokenizer = self._session.cache, self._model.tokenizer
            pending = tokenizer.spelled(end.rewritten)
            wanted = pending + truth.removeprefix(begun).encode() + b"\n"
            text = decode_greedily(
                self._model,
                cache,
                logits,
                end_tokens=self._end_tokens,
                max_tokens=LINE_TOKENS,
                find_stop=find_stop,
                cancelled=never_cancelled,
                end=end,
                drafter=TrueLine(tokenizer, cache.length, wanted),
            ).text
        line = (begun + text).partition("\n")[0]
        return line.rstrip() == truth


Arm = Callable[[Cutter, Prompt, str], bool]
ARMS: Mapping[str, Arm] = {
    "naive": Cutter.naive,
    "healed": Cutter.healed,
    "byte_exact": Cutter.byte_exact,
}
