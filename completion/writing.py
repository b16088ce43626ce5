"""From a prompt that was read to suggestions: the likeliest, and others where they are wanted."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from completion.alternatives import likeliest_branches, read_branch
from completion.api_calls import NO_CALL, BetweenCalls, Caller
from completion.clean_up import clean_up, whole_lines, without_promises
from completion.confidence import confidence_in, line_features
from completion.decoded import LENGTH, TRUNK, Branch, Decoded
from completion.decoding import Weigh, as_they_are, decode_greedily
from completion.drafting.drafter import TreeDrafter
from completion.edit_session import Prefilled
from completion.monitors.watch import NO_WATCH, Watch
from completion.prompt import Prompt
from completion.second_thoughts import Rewriter
from completion.stop_rules import Stop, StopContext, find_stop, stop_context
from completion.values import CancelCheck, CompletionRequest, Suggestion, Timings, TokenCounts
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.token_tree import NOTHING_READ

TIME = "time"  # why decoding ended where the budget of milliseconds was used up
NO_LIMIT = 0
CUTS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys((LENGTH, NO_CALL), whole_lines),
    TIME: without_promises,
}
RUNNERS_UP = 3  # of each token, where other suggestions are wanted
SPARE = 1  # branches more than these, since two may come to the same text


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, the text `near` its cursor, its prompt, and the cache that holds that now.

    `watch` says what may be written, and `weigh` how likely it is; `answer` answers the queries of
    a model that has learnt to ask, whose text is neither watched nor weighed, since calls stand in
    it.

    In seconds, when it was `started`, when the prompt was `built`, and when it was `read`.
    """

    request: CompletionRequest
    near: CompletionRequest
    prompt: Prompt
    cache: KeyValueCache
    prefilled: Prefilled
    watch: Watch
    weigh: Weigh
    started: float
    built: float
    read: float
    answer: Callable[[str], str] | None = None

    def put_off(self, until: float) -> "Asked":
        """The same as if its prompt had been read just before `until`: until then was no work."""
        idle = until - self.read
        return replace(self, started=self.started + idle, built=self.built + idle, read=until)


@dataclass(slots=True)
class Clocked:
    """The rule that ends a text, and when its first piece and its first line end were written."""

    context: StopContext
    clock: Callable[[], float]
    deadline: float | None
    first_token: float | None = None
    first_line: float | None = None

    def __call__(self, text: str) -> Stop | None:
        if text and self.first_token is None:
            self.first_token = self.clock()
        if "\n" in text and self.first_line is None:
            self.first_line = self.clock()
        if (stop := find_stop(self.context, text)) is not None or self.deadline is None:
            return stop
        if not ends_a_line(text) or self.clock() < self.deadline:
            return None
        return Stop(TIME, len(text), len(text))


def ends_a_line(text: str) -> bool:
    """Whether there is a line with content, and nothing yet of another."""
    above, _, line = text.rpartition("\n")
    return bool(above.strip()) and not line.strip()


@dataclass(frozen=True, slots=True)
class SuggestionWriter:
    """Writes with one model; `drafter` learns from all of it."""

    model: LanguageModel
    end_tokens: frozenset[int]
    max_tokens: int
    drafter: TreeDrafter
    clock: Callable[[], float]

    def write(
        self, asked: Asked, budget_ms: int, cancelled: CancelCheck, others: int = 0
    ) -> list[Suggestion]:
        """The likeliest suggestion, and up to so many `others` with other texts, likelier first.

        The first ends with the line that is being written `budget_ms` after the request was
        started, each other so long after it was begun. Raises `Cancelled`.
        """
        decoded, likeliest = self._suggest(
            asked, budget_ms, cancelled, runners_up=RUNNERS_UP if others else 0
        )
        if not others:
            return [likeliest]
        found: list[tuple[float, Suggestion]] = []
        texts = {likeliest.text, ""}
        branches = likeliest_branches(
            decoded, self.model.tokenizer.token_bytes, self.end_tokens, others + SPARE
        )
        for branch in branches:
            _, suggestion = self._suggest(asked, budget_ms, cancelled, branch)
            if suggestion.text not in texts:
                texts.add(suggestion.text)
                found.append((branch.log_probability, suggestion))
        chosen = heapq.nlargest(others, found, key=lambda one: one[0])
        return [likeliest, *(suggestion for _, suggestion in chosen)]

    def _suggest(
        self,
        asked: Asked,
        budget_ms: int,
        cancelled: CancelCheck,
        branch: Branch = TRUNK,
        runners_up: int = 0,
    ) -> tuple[Decoded, Suggestion]:
        """What is written after the prompt, or after a branch of it."""
        prompt = asked.prompt
        context = stop_context(asked.near)
        began = self.clock() if branch.tokens else asked.started
        deadline = None if budget_ms == NO_LIMIT else began + budget_ms / 1e3
        find_stop = Clocked(context, self.clock, deadline)
        finish = self._rewritten if asked.answer is None else self._answered
        decoded = finish(asked, find_stop, cancelled, runners_up, branch)
        spell = self.model.tokenizer.token_bytes
        rewritten = len(self.model.tokenizer.spelled(prompt.end.rewritten))
        written = [*prompt.tokens, *decoded.tokens]
        self.drafter.look_up.add(written, range(len(prompt.tokens), len(written)))
        cut = CUTS.get(decoded.stop)
        text = clean_up(asked.near, cut(decoded.text) if cut else decoded.text)
        text = asked.watch.finished(text)
        features = line_features(
            [spell(token) for token in decoded.tokens],
            decoded.log_probabilities,
            rewritten=rewritten,
            line_before=context.line_before,
        )
        finished = self.clock()
        return decoded, Suggestion(
            text=text,
            model=self.model.name,
            stop=decoded.stop,
            tokens=TokenCounts(
                prompt=len(prompt.tokens),
                reused=asked.prefilled.reused,
                moved=asked.prefilled.moved,
                encoded=asked.prefilled.encoded,
                drafted=decoded.drafted,
                accepted=decoded.accepted,
                generated=len(decoded.tokens),
                passes=decoded.passes,
            ),
            ms=Timings(
                context=1e3 * (asked.built - asked.started),
                cache=1e3 * (asked.read - asked.built),
                first_token=1e3 * ((find_stop.first_token or finished) - asked.started),
                first_line=1e3 * ((find_stop.first_line or finished) - asked.started),
                total=1e3 * (finished - asked.started),
            ),
            confidence=confidence_in(features) if text and features else 0.0,
            features=features,
            watched=replace(asked.watch.counts),
        )

    def _rewritten(
        self,
        asked: Asked,
        find_stop: Clocked,
        cancelled: CancelCheck,
        runners_up: int,
        branch: Branch,
    ) -> Decoded:
        """What is written, until nothing in it is wrong."""
        write = partial(self._decode, asked, find_stop, cancelled, runners_up)
        rewriter = Rewriter(
            self.model,
            asked.watch,
            asked.cache,
            len(asked.prompt.tokens),
            asked.prompt.end,
            partial(self._logits, asked),
            write,
        )
        return rewriter.finish(write(branch))

    def _answered(
        self,
        asked: Asked,
        find_stop: Clocked,
        cancelled: CancelCheck,
        runners_up: int,
        branch: Branch,
    ) -> Decoded:
        """What a model writes that asks a tool meanwhile."""
        assert asked.answer is not None
        rule = BetweenCalls(find_stop)
        write = partial(self._decode, asked, rule, cancelled, runners_up)
        tokenizer, end = self.model.tokenizer, asked.prompt.end
        return Caller(tokenizer, end, rule, asked.answer, write).finish(write(branch))

    def _decode(
        self,
        asked: Asked,
        find_stop: Callable[[str], Stop | None],
        cancelled: CancelCheck,
        runners_up: int,
        branch: Branch,
        in_calls: int = 0,
    ) -> Decoded:
        return decode_greedily(
            self.model,
            asked.cache,
            self._logits(asked, branch),
            end_tokens=self.end_tokens,
            max_tokens=self.max_tokens + in_calls,
            find_stop=find_stop,
            cancelled=cancelled,
            end=asked.prompt.end,
            drafter=self.drafter,
            branch=branch,
            runners_up=runners_up,
            ahead=NOTHING_READ if branch.tokens else asked.prefilled.ahead,
            watch=asked.watch if asked.answer is None else NO_WATCH,
            weigh=asked.weigh if asked.answer is None else as_they_are,
            clock=self.clock,
        )

    def _logits(self, asked: Asked, branch: Branch) -> Tensor:
        if not branch.tokens:
            return asked.prefilled.logits
        return read_branch(self.model.decoder, asked.cache, len(asked.prompt.tokens), branch)
