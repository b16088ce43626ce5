"""How fast an engine reads and writes, alone: without an editor, an edit or a guess.

Engines that are compared take turns, so that whatever else the machine does hits all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from completion.decoding import decode_greedily
from completion.edit_session import EditSession
from completion.prompt import Prompt
from completion.repair import EXACT
from completion.stop_rules import Stop
from completion.values import never_cancelled
from evaluation.llama_cpp_peer import LlamaCppPeer
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

PROMPT_TOKENS = 1000
WRITTEN_TOKENS = 17  # the first of which comes from the prompt's pass


@dataclass(frozen=True, slots=True)
class EngineSpeed:
    """Prompt tokens read a second, into an empty cache, and milliseconds for one token after it."""

    prefill_tokens_per_s: float
    step_ms: float


def own_speed(model: LanguageModel, prompt: Sequence[int]) -> EngineSpeed:
    """Pirouette's engine on a prompt, one token a pass."""
    session = EditSession(model.decoder, len(prompt) + WRITTEN_TOKENS)
    started = perf_counter()
    read = session.read(Prompt(list(prompt)), EXACT, never_cancelled)
    prefilled = perf_counter()
    decoded = decode_greedily(
        model,
        session.cache,
        read.logits,
        end_tokens=frozenset(),
        max_tokens=WRITTEN_TOKENS,
        find_stop=write_on,
        cancelled=never_cancelled,
    )
    seconds = perf_counter() - prefilled
    return EngineSpeed(len(prompt) / (prefilled - started), 1e3 * seconds / decoded.passes)


def write_on(_: str) -> Stop | None:
    """The rule that never stops."""
    return None


def peer_speed(peer: LlamaCppPeer, prompt: Sequence[int]) -> EngineSpeed:
    """The peer on the same prompt, by its own clock."""
    served = peer.compute(prompt, WRITTEN_TOKENS)
    return EngineSpeed(1e3 * served.encoded / served.ms, served.writing_ms / (served.written - 1))


def in_turns(
    engines: Mapping[str, Callable[[], EngineSpeed]], rounds: int, progress: ProgressCallback
) -> dict[str, list[EngineSpeed]]:
    """What each engine reached in each of so many rounds; the order turns round between them."""
    reached: dict[str, list[EngineSpeed]] = {name: [] for name in engines}
    for number in range(rounds):
        progress(Progress("engine", number, rounds))
        for name in reversed(list(engines)) if number % 2 else engines:
            reached[name].append(engines[name]())
    progress(Progress("engine", rounds, rounds))
    return reached
