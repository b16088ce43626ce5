"""The whole way from a request to a suggestion; the same for editor, command line and benchmark."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from completion.clean_up import clean_up, whole_lines
from completion.decoding import Decoded, decode_greedily
from completion.edit_session import EditSession
from completion.nearby import nearby
from completion.prompt import PromptBuilder
from completion.stop_rules import Stop, find_stop, stop_context
from completion.values import (
    CancelCheck,
    CompletionRequest,
    Suggestion,
    Timings,
    TokenCounts,
    never_cancelled,
)
from models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """What a user may set: the largest prompt and the longest suggestion, in tokens."""

    context_tokens: int = 1024
    max_tokens: int = 64


class Completer:
    """Completes with one model. Not for use by two threads at once."""

    def __init__(
        self,
        model: LanguageModel,
        options: CompletionOptions | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.model = model
        self.options = options or CompletionOptions()
        self.prompts = PromptBuilder.for_model(model, self.options.context_tokens)
        self._session = EditSession(model.decoder, self.prompts.budget + self.options.max_tokens)
        self._clock = clock

    def complete(
        self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled
    ) -> Suggestion:
        """The suggestion at the request's cursor. Raises `Cancelled` when called off."""
        started = self._clock()
        prompt = self.prompts.build(request)
        near = nearby(request)
        context = stop_context(near)
        built = self._clock()
        prefilled = self._session.read(prompt, cancelled)
        first_token: list[float] = []

        def stop_at(text: str) -> Stop | None:
            if not first_token:
                first_token.append(self._clock())
            return find_stop(context, text)

        read = self._clock()
        decoded: Decoded = decode_greedily(
            self.model,
            self._session.cache,
            prefilled.logits,
            end_tokens=self.prompts.end_tokens,
            max_tokens=self.options.max_tokens,
            find_stop=stop_at,
            cancelled=cancelled,
        )
        cut_short = decoded.stop == "length"
        text = clean_up(near, whole_lines(decoded.text) if cut_short else decoded.text)
        finished = self._clock()
        return Suggestion(
            text=text,
            model=self.model.name,
            stop=decoded.stop,
            tokens=TokenCounts(
                prompt=len(prompt),
                reused=prefilled.reused,
                encoded=prefilled.encoded,
                generated=len(decoded.tokens),
            ),
            ms=Timings(
                context=1e3 * (built - started),
                cache=1e3 * (read - built),
                first_token=1e3 * ((first_token or [finished])[0] - started),
                total=1e3 * (finished - started),
            ),
        )
