"""The whole way from a request to a suggestion; the same for editor, command line and benchmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from completion.clean_up import clean_up, finished_lines, whole_lines
from completion.confidence import confidence_in, line_features
from completion.decoding import Decoded, decode_greedily
from completion.drafting.drafter import TreeDrafter
from completion.drafting.pass_cost import LARGEST
from completion.edit_sessions import EditSessions
from completion.nearby import nearby
from completion.prompt import PromptBuilder
from completion.repair import EXACT, EncodeRate, Repair
from completion.stop_rules import Stop, find_stop, stop_context
from completion.suggestion_reuse import SuggestionReuse
from completion.values import (
    CancelCheck,
    CompletionRequest,
    Suggestion,
    Timings,
    TokenCounts,
    never_cancelled,
)
from models.language_model import LanguageModel

TIME = "time"  # why decoding ended where the budget of milliseconds was used up
NO_LIMIT = 0
CUTS: Mapping[str, Callable[[str], str]] = {"length": whole_lines, TIME: finished_lines}


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """What a user may set.

    The largest prompt and the longest suggestion, in tokens; milliseconds that may be spent on
    encoding again what an edit has made inexact, and whether it is all encoded again however long
    that takes; memory for caches in bytes. Milliseconds after which no more is written, 0 for any
    time: what a benchmark counts must not depend on how fast the machine is.
    """

    context_tokens: int = 1024
    max_tokens: int = 64
    repair_ms: int = 250
    exact: bool = False
    cache_bytes: int = 512 * 2**20
    time_budget_ms: int = NO_LIMIT


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
        capacity = self.prompts.budget + self.options.max_tokens + LARGEST
        self._sessions = EditSessions(model.decoder, capacity, self.options.cache_bytes)
        self._rate = EncodeRate()
        self._reuse = SuggestionReuse()
        self._drafter = TreeDrafter()
        self._clock = clock

    def complete(
        self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled
    ) -> Suggestion:
        """The suggestion at the request's cursor. Raises `Cancelled` when called off."""
        return self._complete(request, cancelled, self.options.time_budget_ms)

    def _complete(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int
    ) -> Suggestion:
        suggestion = self._reuse.find(request)
        if suggestion is None:
            suggestion = self._ask_model(request, cancelled, budget_ms)
            if suggestion.text or suggestion.stop != TIME:  # more is said when asked again
                self._reuse.remember(request, suggestion)
        return suggestion

    def get_ahead(
        self, request: CompletionRequest, shown: Suggestion, cancelled: CancelCheck
    ) -> None:
        """Use idle time: prepare what follows once `shown` is accepted, then make caches exact.

        Where there was no time for anything, it is written now. Raises `Cancelled`.
        """
        if shown.text or shown.stop == TIME:
            accepted = replace(request, before=request.before + shown.text)
            self._complete(accepted, cancelled, NO_LIMIT)
        if (session := self._sessions.latest) is not None:
            session.heal(cancelled)

    def close(self, document: str) -> None:
        """Give up what is kept for a document."""
        self._sessions.close(document)

    def _ask_model(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int
    ) -> Suggestion:
        started = self._clock()
        prompt = self.prompts.build(request)
        near = nearby(request)
        context = stop_context(near)
        built = self._clock()
        session = self._sessions.of(request.document)
        learn = self._drafter.look_up.add
        prefilled = session.read(prompt, self._repair(), cancelled, learn)
        first_token: list[float] = []
        first_line: list[float] = []

        def stop_at(text: str) -> Stop | None:
            if text and not first_token:
                first_token.append(self._clock())
            if "\n" in text and not first_line:
                first_line.append(self._clock())
            if (stop := find_stop(context, text)) is not None or budget_ms == NO_LIMIT:
                return stop
            ended = 1e3 * (self._clock() - read) >= budget_ms
            return Stop(TIME, len(text), len(text)) if ended else None

        read = self._clock()
        self._rate.observe(prefilled.encoded, read - built)
        decoded: Decoded = decode_greedily(
            self.model,
            session.cache,
            prefilled.logits,
            end_tokens=self.prompts.end_tokens,
            max_tokens=self.options.max_tokens,
            find_stop=stop_at,
            cancelled=cancelled,
            end=prompt.end,
            drafter=self._drafter,
        )
        written = [*prompt.tokens, *decoded.tokens]
        learn(written, range(len(prompt.tokens), len(written)))
        cut = CUTS.get(decoded.stop)
        text = clean_up(near, cut(decoded.text) if cut else decoded.text)
        spell = self.model.tokenizer.token_bytes
        features = line_features(
            [spell(token) for token in decoded.tokens],
            decoded.log_probabilities,
            rewritten=sum(len(spell(token)) for token in prompt.end.rewritten),
            line_before=context.line_before,
        )
        finished = self._clock()
        return Suggestion(
            text=text,
            model=self.model.name,
            stop=decoded.stop,
            tokens=TokenCounts(
                prompt=len(prompt.tokens),
                reused=prefilled.reused,
                moved=prefilled.moved,
                encoded=prefilled.encoded,
                drafted=decoded.drafted,
                accepted=decoded.accepted,
                generated=len(decoded.tokens),
                passes=decoded.passes,
            ),
            ms=Timings(
                context=1e3 * (built - started),
                cache=1e3 * (read - built),
                first_token=1e3 * ((first_token or [finished])[0] - started),
                first_line=1e3 * ((first_line or [finished])[0] - started),
                total=1e3 * (finished - started),
            ),
            confidence=confidence_in(features) if text and features else 0.0,
            features=features,
        )

    def _repair(self) -> Repair:
        """How much of an inexact cache may be encoded again before the model goes on."""
        if self.options.exact:
            return EXACT
        return Repair(self._rate.tokens_in(self.options.repair_ms))
