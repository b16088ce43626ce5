"""Which tokens of a corrected cache are encoded again before the model goes on.

What is new and the anchors always; what was only moved, within a budget, by the rule that was
measured to bring the model's next token nearest to that of a full recomputation (`docs/edits.md`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from completion.prompt import Prompt
from models.kv_cache import KeyValueCache

TELLING_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Repair:
    """How many tokens that were only moved may be encoded again; `None` for all of them."""

    tokens: int | None = 0

    def covers(self, stale: Sequence[int]) -> bool:
        return self.tokens is None or len(stale) <= self.tokens


EXACT = Repair(None)


class EncodeRate:
    """How fast this machine encodes, learned from what it has encoded."""

    def __init__(self, tokens_per_second: float = 100.0) -> None:
        self.tokens_per_second = tokens_per_second

    def observe(self, tokens: int, seconds: float) -> None:
        """Learn from one pass; short ones cost what reading the weights costs, and tell little."""
        if tokens >= TELLING_TOKENS and seconds > 0:
            self.tokens_per_second += (tokens / seconds - self.tokens_per_second) / 4

    def tokens_in(self, milliseconds: float) -> int:
        return int(self.tokens_per_second * milliseconds / 1e3)


def positions_to_encode(cache: KeyValueCache, prompt: Prompt, repair: Repair) -> list[int]:
    """Positions in ascending order; the last of the prompt is always among them."""
    unread = cache.unread()
    inexact = cache.inexact()
    needed = {len(prompt.tokens) - 1, *unread, *prompt.anchors.intersection(inexact)}
    stale = [position for position in inexact if position not in needed]
    if not repair.covers(stale):
        stale = last_stale(stale, repair.tokens or 0)
    return sorted(needed.union(stale))


def last_stale(stale: Sequence[int], count: int) -> list[int]:
    """The last ones before the cursor."""
    return list(stale[len(stale) - count :])
