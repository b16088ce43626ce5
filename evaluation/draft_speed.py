"""What drafts are worth, by their source: the same requests answered with and without them.

All arms write from the same cache, in turns, each with a drafter of its own that learns from what
it has seen so far, as in an editor.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from completion.decoding import decode_greedily
from completion.drafting.drafter import LOOK_UP, RECYCLING, TreeDrafter
from completion.drafting.drafts import Drafter
from completion.edit_session import EditSession
from completion.nearby import nearby, text_around
from completion.prompt import PromptBuilder
from completion.repair import EXACT
from completion.stop_rules import find_stop, stop_context
from completion.values import CompletionRequest, never_cancelled
from evaluation.results import Metric, Row, rate
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

PLAIN = "plain"
ARMS: Mapping[str, Sequence[str]] = {
    PLAIN: (),
    LOOK_UP: (LOOK_UP,),
    RECYCLING: (RECYCLING,),
    "drafts": (LOOK_UP, RECYCLING),
}


@dataclass(frozen=True, slots=True)
class Written:
    """What one arm wrote for the request of that number.

    The prompt's own pass gives the first token; `passes` and `seconds` are those after it.
    """

    arm: str
    request: int
    tokens: tuple[int, ...]
    passes: int
    seconds: float


class DraftRace:
    """Answers requests with every arm, one after the other from the same place."""

    def __init__(self, model: LanguageModel, builder: PromptBuilder, most: int) -> None:
        self._model = model
        self._builder = builder
        self._most = most
        self._session = EditSession(model.decoder, builder.budget + most)
        self._drafters = {name: TreeDrafter(sources=ARMS[name]) for name in ARMS if name != PLAIN}
        self._learnt: set[str] = set()

    def run(
        self, requests: Sequence[CompletionRequest], progress: ProgressCallback
    ) -> list[Written]:
        """Every arm on each request; who goes first changes. Progress counts requests."""
        written: list[Written] = []
        for number, request in enumerate(requests):
            progress(Progress("drafts", number, len(requests)))
            prompt = self._builder.build(request)
            context = stop_context(nearby(request))
            self._learn_file(request)
            logits = self._session.read(prompt, EXACT, never_cancelled, self._learn).logits
            for arm in sorted(ARMS, reverse=number % 2 == 1):
                started = perf_counter()
                decoded = decode_greedily(
                    self._model,
                    self._session.cache,
                    logits,
                    end_tokens=self._builder.end_tokens,
                    max_tokens=self._most,
                    find_stop=lambda text, context=context: find_stop(context, text),  # type: ignore[misc]
                    cancelled=never_cancelled,
                    end=prompt.end,
                    drafter=self._drafters.get(arm, Drafter()),
                )
                seconds = perf_counter() - started
                self._session.cache.truncate(len(prompt.tokens))
                written.append(Written(arm, number, decoded.tokens, decoded.passes, seconds))
            whole = [*prompt.tokens, *written[-1].tokens]
            self._learn(whole, range(len(prompt.tokens), len(whole)))
        progress(Progress("drafts", len(requests), len(requests)))
        return written

    def _learn_file(self, request: CompletionRequest) -> None:
        """As an editor has time to after the first request."""
        if request.document not in self._learnt:
            self._learnt.add(request.document)
            tokens = self._model.tokenizer.encode(text_around(request))
            for drafter in self._drafters.values():
                drafter.look_up.add_file(tokens, never_cancelled)

    def _learn(self, tokens: Sequence[int], places: range) -> None:
        for drafter in self._drafters.values():
            drafter.look_up.add(tokens, places)


def draft_rows(written: Sequence[Written]) -> Iterable[Row]:
    """Each arm: whether it wrote the same as plain decoding, in how many passes, how fast."""
    plain = {one.request: one for one in written if one.arm == PLAIN}
    for arm in ARMS:
        chosen = [one for one in written if one.arm == arm]
        tokens = sum(len(one.tokens) for one in chosen)
        passes, seconds = sum(one.passes for one in chosen), sum(one.seconds for one in chosen)
        without = sum(one.seconds for one in plain.values())
        metrics = {
            "same_output": rate(one.tokens == plain[one.request].tokens for one in chosen),
            "passes": Metric(passes),
            "tokens_per_call": Metric((tokens - len(chosen)) / max(1, passes)),
            "pass_ms": Metric(1e3 * seconds / max(1, passes)),
            "tokens_per_s": Metric(tokens / seconds),
            "speed_up": Metric(without / seconds),
        }
        yield Row(arm, "drafts", len(chosen), metrics)
