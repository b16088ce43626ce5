"""The whole way from a request to a suggestion; the same for editor, command line and benchmark."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from time import perf_counter

from torch import Tensor

from completion.api_calls import LARGEST_CALL, MOST_CALLS, AnswersQueries
from completion.context_budget import Edges
from completion.covers import text_known
from completion.decoding import as_they_are
from completion.drafting.drafter import TreeDrafter
from completion.drafting.pass_cost import LARGEST
from completion.edit_session import EditSession
from completion.edit_sessions import EditSessions
from completion.looking_up import is_unsure
from completion.menu.names import MenuNames
from completion.menu.ranking import RankedName, rank_names, unranked, with_kinds
from completion.monitors.monitors import Monitors
from completion.monitors.names import ends_of_names
from completion.monitors.watch import NO_WATCH
from completion.name_choice import SpelledPlace, spell_names
from completion.nearby import nearby, next_line, text_around
from completion.prompt import Prompt, PromptBuilder
from completion.reading_ahead import tree_ahead
from completion.related_blocks import FindsRelated, RelatedSearch, related_choice
from completion.repair import EXACT, NONE, EncodeRate, Repair
from completion.suggestion_reuse import REUSE, SuggestionReuse
from completion.token_types.fusion import TypeFusion
from completion.values import CancelCheck, CompletionRequest, Suggestion, never_cancelled
from completion.writing import NO_LIMIT, TIME, Asked, SuggestionWriter
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.token_tree import NOTHING_READ
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """What a user may set.

    The largest prompt, the most code of other files before it, and the longest suggestion, in
    tokens; milliseconds that may be spent on
    encoding again what an edit has made inexact, and whether it is all encoded again however long
    that takes; memory for caches in bytes. Milliseconds after which a suggestion ends with the
    line it is at, 0 for any time: what a benchmark counts must not depend on how fast the
    machine is.
    """

    context_tokens: int = 1024
    max_tokens: int = 64
    related_tokens: int = 384
    repair_ms: int = 250
    exact: bool = False
    cache_bytes: int = 512 * 2**20
    time_budget_ms: int = NO_LIMIT


class Completer:
    """Completes with one model. Not for use by two threads at once.

    `answers` is the tool of a model that has learnt to ask one; None for any other model.
    """

    def __init__(
        self,
        model: LanguageModel,
        options: CompletionOptions | None = None,
        clock: Callable[[], float] = perf_counter,
        monitors: Monitors | None = None,
        related: FindsRelated | None = None,
        types: TypeFusion | None = None,
        answers: AnswersQueries | None = None,
    ) -> None:
        self.model = model
        self.answers = answers
        self.monitors = monitors
        self.related = related
        self.types = types
        self._search = None if related is None else RelatedSearch(related)
        self.options = options or CompletionOptions()
        self.prompts = PromptBuilder.for_model(model, self.options.context_tokens)
        calls = 0 if answers is None else MOST_CALLS * LARGEST_CALL
        own = self.prompts.budget + self.options.max_tokens + calls + LARGEST
        left = max(0, model.decoder.config.context_length - own)
        wanted = self.options.related_tokens if related is not None else 0
        self._choice = related_choice(model.tokenizer, self.prompts.format.files, wanted, left)
        capacity = own + self._choice.most
        self._sessions = EditSessions(model.decoder, capacity, self.options.cache_bytes)
        self._prepared: Asked | None = None  # for as long as its cache is as it was
        self._rate = EncodeRate()
        self._reuse = SuggestionReuse()
        self._clock = clock
        self._drafter = TreeDrafter()
        self._learnt: set[str] = set()  # documents of which all was learnt once
        self._writer = SuggestionWriter(
            model, self.prompts.end_tokens, self.options.max_tokens, self._drafter, clock
        )

    @cached_property
    def _name_ends(self) -> Tensor:
        return ends_of_names(self.model.tokenizer)

    def with_parts(
        self,
        monitors: Monitors | None = None,
        types: TypeFusion | None = None,
        *,
        exact: bool | None = None,
    ) -> "Completer":
        """Another one with the same model and caches, which has suggested nothing yet; where told,
        with another option `exact`."""
        options = self.options if exact is None else replace(self.options, exact=exact)
        other = Completer(
            self.model, options, self._clock, monitors, self.related, types, self.answers
        )
        other._sessions = self._sessions
        return other

    def fork(self, document: str, other: str) -> None:
        """Let another document begin with all that is remembered of one."""
        self._sessions.fork(document, other)

    def complete(
        self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled
    ) -> Suggestion:
        """The suggestion at the request's cursor. Raises `Cancelled` when called off."""
        return self._complete(request, cancelled, self.options.time_budget_ms)

    def remembered(self, request: CompletionRequest) -> Suggestion | None:
        """What is left of a suggestion that was made before, without asking the model."""
        return self._reuse.find(request)

    def prepare(self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled) -> int:
        """Read the prompt of a request that is about to be made; how many tokens were encoded.

        Whatever else is read of the document meanwhile, the model is asked as if this had not been.
        Raises `Cancelled`.
        """
        self._prepared = self._read(request, cancelled)
        return self._prepared.prefilled.encoded

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        """The same suggestion, and others so that there are up to `most`, the likelier first.

        Raises `Cancelled`.
        """
        if most == 1:
            return [self.complete(request, cancelled)]
        if (known := self._reuse.find_several(request, most)) is not None:
            return known
        made = self._ask_model(request, cancelled, self.options.time_budget_ms, most - 1)
        shown = self._reuse.find(request) or made[0]
        others = [other for other in made if other.text not in ("", shown.text)]
        several = [shown, *others[: most - 1]]
        self._reuse.remember_several(request, several, most)
        return several

    def complete_by_hand(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        """The same for somebody who has asked for it, and can wait.

        Where the model is unsure of what it calls, related code is looked up and read, if it has
        not been read yet, and all is written again (after Zhang et al. 2023, "ToolCoder", whose
        model pauses to search). Raises `Cancelled`.
        """
        several = self.complete_several(request, most, cancelled)
        if not is_unsure(several[0]):
            return several
        before = self._session(request.document).related
        if self.read_related(request, cancelled).blocks == before.blocks:
            return several
        several = self._ask_model(request, cancelled, self.options.time_budget_ms, most - 1)
        self._reuse.remember_several(request, several, most)
        return several

    def _complete(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int
    ) -> Suggestion:
        suggestion = self._reuse.find(request)
        if suggestion is None:
            (suggestion,) = self._ask_model(request, cancelled, budget_ms)
            self._reuse.remember(request, suggestion)
        return suggestion

    def get_ahead(
        self, request: CompletionRequest, shown: Suggestion, cancelled: CancelCheck
    ) -> None:
        """Use idle time: prepare what follows once `shown` is accepted, make the cache exact, and
        prepare what follows once the next line is begun.

        What there was no time for is written now, so that its rest appears once its beginning is
        accepted. Where nothing is left to write, what stands around the cursor is read: nobody
        has, if the suggestion is one that still held. Raises `Cancelled`.
        """
        accepted = replace(request, before=request.before + shown.text)
        if shown.stop == TIME:
            (whole,) = self._ask_model(request, cancelled, NO_LIMIT)
            self._reuse.remember(request, whole)
        elif not shown.text or self._complete(accepted, cancelled, NO_LIMIT).stop == REUSE:
            self._return_to(request, self._session(request.document).edges)
        self.learn_file(request, cancelled)
        self.read_related(request, cancelled, idle=True)
        self.heal(request.document, cancelled)
        edges = self._session(request.document).edges
        begun = next_line(accepted)
        if begun is not None and self._complete(begun, cancelled, NO_LIMIT).stop != REUSE:
            self._return_to(request, edges)
            self.heal(request.document, cancelled)

    def _return_to(self, request: CompletionRequest, edges: Edges) -> None:
        """Have the cache hold what stands around the cursor, with these edges."""
        session = self._session(request.document)
        prompt = self.prompts.build(request, edges, session.related)
        session.lay_out(prompt, self._drafter.look_up.add)

    def learn_file(
        self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled
    ) -> None:
        """Let drafts come from all of a file, once; what is typed later is learnt as it is read."""
        if request.document not in self._learnt:
            tokens = self.model.tokenizer.encode(text_around(request))
            self._drafter.look_up.add_file(tokens, cancelled)
            self._learnt.add(request.document)

    def heal(self, document: str, cancelled: CancelCheck = never_cancelled) -> None:
        """Make a document's cache exact. Raises `Cancelled`."""
        self._session(document).heal(cancelled)

    def rank_names(
        self, request: CompletionRequest, names: MenuNames, cancelled: CancelCheck, seconds: float
    ) -> list[RankedName]:
        """The names of a place, the likeliest first; those that are looked up are waited for no
        more than `seconds` once the prompt is read. Raises `Cancelled`.
        """
        prompt, cache, logits = self.read(request, cancelled)
        found = names.wait(seconds, cancelled)
        if cancelled():
            raise Cancelled
        typed, end = names.place.typed.encode(), prompt.end
        here = SpelledPlace(end.piece, end.settled, len(typed))
        begun = (name for one in found if (name := one.encode()).startswith(typed))
        spellings = spell_names(self.model.tokenizer, begun, here)
        ranked = rank_names(self.model.decoder, cache, logits, spellings, self._name_ends)
        others = unranked(found.keys() - {one.name for one in ranked})
        return with_kinds([*ranked, *others], found)

    def read(
        self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled
    ) -> tuple[Prompt, KeyValueCache, Tensor]:
        """The prompt of a request, the document's cache, which holds it now, and the logits
        [vocabulary] of what follows. Raises `Cancelled`.

        What was prepared stays so, but for what was read ahead: whoever reads on from here writes
        over that.
        """
        asked = self._prepared
        if asked is not None and asked.request == request:
            prefilled = replace(asked.prefilled, ahead=NOTHING_READ)
            self._prepared = replace(asked, prefilled=prefilled)
            return asked.prompt, asked.cache, prefilled.logits
        session = self._session(request.document)
        prompt = self.prompts.build(request, session.edges, session.related)
        read = session.read(prompt, self._repair(), cancelled, self._drafter.look_up.add)
        return prompt, session.cache, read.logits

    def read_related(
        self,
        request: CompletionRequest,
        cancelled: CancelCheck = never_cancelled,
        *,
        idle: bool = False,
    ) -> RelatedCode:
        """Put code of other files before the document's, which takes as long as reading it does.

        Block by block, so that what was read stays where it is `Cancelled`, which this raises.
        Returns what is there in the end. What becomes stale is repaired, as after any edit, unless
        there is `idle` time to heal it.
        """
        if self._search is None or not self._choice.budget:
            return NOTHING_RELATED
        session = self._session(request.document)
        found = self._search.related(request, cancelled)
        wanted = self._choice.of(found, session.related)
        learn = self._drafter.look_up.add
        for step in self._choice.steps(session.related, wanted):
            prompt = self.prompts.build(request, session.edges, step)
            if idle:
                session.read_idly(prompt, cancelled, learn)
            else:
                session.read(prompt, self._repair() if step == wanted else NONE, cancelled, learn)
        return session.related

    def close(self, document: str) -> None:
        """Give up what is kept for a document."""
        self._prepared = None
        self._sessions.close(document)
        self._learnt.discard(document)
        if self._search is not None:
            self._search.forget(document)
        if self.types is not None:
            self.types.forget(document)

    def _session(self, document: str) -> EditSession:
        """The cache of a document, for whoever may change it."""
        self._prepared = None
        return self._sessions.of(document)

    def _ask_model(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int, others: int = 0
    ) -> list[Suggestion]:
        """The likeliest suggestion, and up to so many `others` with other texts."""
        asked, self._prepared = self._prepared, None
        if asked is not None and asked.request == request:
            asked = asked.put_off(self._clock())
        else:
            asked = self._read(request, cancelled)
        return self._writer.write(asked, budget_ms, cancelled, others)

    def _read(self, request: CompletionRequest, cancelled: CancelCheck) -> Asked:
        """A request whose prompt is read, to write on from."""
        started = self._clock()
        session = self._session(request.document)
        prompt = self.prompts.build(request, session.edges, session.related)
        near = nearby(request)
        known = text_known(self.model.tokenizer, request.before, prompt.end)
        watch = NO_WATCH if self.monitors is None else self.monitors.watch(request, near, known)
        weigh = as_they_are if self.types is None else self.types.weigh(request, known)
        built = self._clock()
        learn = self._drafter.look_up.add
        ahead = tree_ahead(prompt, self.model.tokenizer, self._drafter, LARGEST)
        prefilled = session.read(prompt, self._repair(), cancelled, learn, ahead)
        read = self._clock()
        self._rate.observe(prefilled.encoded, read - built)
        answer = None if self.answers is None else partial(self.answers, request)
        return Asked(
            *(request, near, prompt, session.cache, prefilled, watch, weigh),
            *(started, built, read, answer),
        )

    def _repair(self) -> Repair:
        """How much of an inexact cache may be encoded again before the model goes on."""
        if self.options.exact:
            return EXACT
        return Repair(self._rate.tokens_in(self.options.repair_ms))
