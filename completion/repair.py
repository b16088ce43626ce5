"""Which tokens of a corrected cache are encoded again before the model goes on.

What is new always, and anchors that were read under another text. What was only moved is read as a
whole where that is no more than what must be read anyway; else as far as the budget goes once the
anchors are paid from it. Half of that goes to the tokens that come soonest after an edit, half to
those that the prompt's last token then attends to most: together they were measured to bring the
model's next token nearest to that of a full recomputation (`docs/edits.md`).
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from completion.prompt import Prompt
from models.kv_cache import KeyValueCache, Segment

TELLING_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Repair:
    """How many tokens of the old text may be encoded again; `None` for all, 0 for anchors alone."""

    tokens: int | None = 0


NONE, EXACT = Repair(0), Repair(None)


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


@dataclass(frozen=True, slots=True)
class Reading:
    """Positions in ascending order: `first` ones are encoded, the prompt's last among them.

    Then `more` of the `stale` ones, which were only moved, and the last once again.
    """

    first: list[int]
    stale: list[int]
    more: int


def plan_reading(
    cache: KeyValueCache, prompt: Prompt, kept: Sequence[Segment], repair: Repair
) -> Reading:
    """What to encode of a prompt that the cache has laid out of `kept` segments and new tokens."""
    inexact, stale = cache.inexact(), cache.stale()
    new = {len(prompt.tokens) - 1, *cache.unread()}
    anchors = prompt.anchors.intersection(stale) - new
    needed = new | anchors
    if repair.tokens == 0:
        return Reading(sorted(needed), [], 0)
    corrected = [position for position in inexact if position not in needed]
    left = len(corrected) if repair.tokens is None else max(0, repair.tokens - len(anchors))
    # Whoever waits for a long pasted or scrolled-to text does not wait for two of it; and what
    # little was kept of the old prompt then remembers nearly nothing of the new one.
    if len(corrected) <= max(left, len(needed)):
        return Reading(sorted(needed.union(corrected)), [], 0)
    stale = [position for position in stale if position not in needed]
    if len(stale) <= left:
        return Reading(sorted(needed.union(stale)), [], 0)
    more = left // 2
    soonest = after_edits(stale, {segment.new for segment in kept}, left - more)
    needed.update(soonest)
    rest = [position for position in stale if position not in needed]
    return Reading(sorted(needed), rest, more)


def after_edits(stale: Sequence[int], edits: Container[int], count: int) -> list[int]:
    """The `count` stale positions that come soonest after an edit, all edits treated alike.

    An edit is one of `edits`, or wherever stale positions begin.
    """
    distances: list[tuple[int, int]] = []
    distance, last = 0, None
    for position in stale:
        follows = last is not None and position == last + 1 and position not in edits
        distance, last = distance + 1 if follows else 0, position
        distances.append((distance, position))
    return [position for _, position in sorted(distances)[:count]]


def most_attended(stale: Sequence[int], attention: Tensor, count: int) -> list[int]:
    """The `count` stale positions, in ascending order, that get most of `attention` [length]."""
    share = attention[torch.tensor(stale)]
    return sorted(stale[i] for i in share.topk(min(count, len(stale))).indices.tolist())
