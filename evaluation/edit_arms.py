"""The ways to bring a cache to an edited text that the edits benchmark compares.

Each is given a cache as the requests before the edit left it, and the prompt after it; it answers
with the logits after the prompt and leaves the cache ready to write on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from completion.edit_session import EditSession, Prefilled
from completion.prompt import Prompt
from completion.repair import EXACT, Repair
from completion.token_difference import common_prefix
from completion.values import never_cancelled
from models.kv_cache import KeyValueCache, Segment

FULL = "full"  # the arm that the others are compared with
PIE = Repair(0)
ARM_REPAIR = Repair(80)


@dataclass(frozen=True, slots=True)
class Corrected:
    """An arm's answer: the session to write on, logits [vocabulary], tokens read, milliseconds."""

    session: EditSession
    logits: Tensor
    encoded: int
    ms: float


class ConflictingCache(KeyValueCache):
    """Moves keys without turning them, as conflict fast encoding does."""

    def _move(self, part: Segment) -> None:
        source = slice(part.old, part.old + part.length)
        target = slice(part.new, part.new + part.length)
        for store in (self._masters, self._keys, self._values):
            store[:, :, target] = store[:, :, source].clone()


Read = Callable[[EditSession, Prompt], Prefilled]


@dataclass(frozen=True, slots=True)
class Arm:
    """How the prompt is read, and what an idle editor did before, which nobody waited for."""

    read: Read
    idle: Read | None = None


def full(session: EditSession, prompt: Prompt) -> Prefilled:
    """Everything is read again."""
    truncate(session.cache, 0)
    return session.read(prompt, EXACT, never_cancelled)


def prefix(session: EditSession, prompt: Prompt) -> Prefilled:
    """What comes after the first difference is read again, as most servers do."""
    truncate(session.cache, common_prefix(session.cache.tokens, prompt.tokens))
    return session.read(prompt, EXACT, never_cancelled)


def truncate(cache: KeyValueCache, length: int) -> None:
    """What comes later is gone, and not remembered either."""
    cache.truncate(length)
    cache.forget()


def cfe(session: EditSession, prompt: Prompt) -> Prefilled:
    """Conflict fast encoding: moved keys keep the position they were made for."""
    conflicting = ConflictingCache.__new__(ConflictingCache)
    conflicting.__dict__.update(vars(session.cache))
    conflicting.forget()
    session.use(conflicting)
    return session.read(prompt, PIE, never_cancelled)


def pie_unanchored(session: EditSession, prompt: Prompt) -> Prefilled:
    """Positional integrity alone: moved markers are turned like any other token."""
    return session.read(
        replace(prompt, anchors=frozenset(), markers=frozenset()), PIE, never_cancelled
    )


def pie(session: EditSession, prompt: Prompt) -> Prefilled:
    return session.read(prompt, PIE, never_cancelled)


def pie_repair(session: EditSession, prompt: Prompt) -> Prefilled:
    return session.read(prompt, ARM_REPAIR, never_cancelled)


def heal(session: EditSession, prompt: Prompt) -> Prefilled:
    read = session.read(prompt, PIE, never_cancelled)
    session.heal(never_cancelled)
    return read


ARMS: Mapping[str, Arm] = {
    FULL: Arm(full),
    "prefix": Arm(prefix),
    "cfe": Arm(cfe),
    "pie_unanchored": Arm(pie_unanchored),
    "pie": Arm(pie),
    "pie_repair": Arm(pie_repair),
    "healed": Arm(pie, idle=heal),
}


def corrected_by(arm: Arm, before: EditSession, prompt: Prompt) -> Corrected:
    """What an arm makes of a copy of the session; `before` is left as it was."""
    session = before.copy()
    if arm.idle is not None:
        arm.idle(session, prompt)
    started = perf_counter()
    read = arm.read(session, prompt)
    ms = 1e3 * (perf_counter() - started)
    return Corrected(session, read.logits, read.encoded, ms)


def divergence(exact: Tensor, other: Tensor) -> float:
    """KL(exact || other) in nats between next-token distributions, from logits [vocabulary]."""
    log_exact, log_other = (torch.log_softmax(x.double(), -1) for x in (exact, other))
    return float((log_exact.exp() * (log_exact - log_other)).sum().clamp(min=0))
