"""Which lines around the cursor the model gets to read.

Whole lines only, as many as the token budget allows. The first line moves in steps of several
lines, so that typing on leaves the start of the prompt, and with it the cache, as it was.
"""

from bisect import bisect_left
from dataclasses import dataclass

from models.tokenizer import CodeTokenizer

SUFFIX_SHARE = 0.25  # of the budget; what the prefix leaves over goes to the suffix as well
STEP_LINES = 16
CHARACTERS_PER_TOKEN = 12  # no code is expected to need fewer tokens than one per so many


@dataclass(frozen=True, slots=True)
class Window:
    """The text the model reads before and after the cursor, and its token ids."""

    before: list[int]
    after: list[int]


def fit_window(
    tokenizer: CodeTokenizer, before: str, after: str, budget: int, *, uses_suffix: bool
) -> Window:
    """At most `budget` tokens of whole lines around the cursor.

    The suffix may take its share and whatever a short prefix leaves; the prefix takes the rest.
    The cursor's own line counts as whole even where the budget cuts it.
    """
    tail = fit_after(tokenizer, after, budget) if uses_suffix else []
    reserved = min(len(tail), int(budget * SUFFIX_SHARE))
    head = fit_before(tokenizer, before, budget - reserved)
    room = budget - len(head)
    return Window(head, tail if len(tail) <= room else fit_after(tokenizer, after, room))


def fit_before(tokenizer: CodeTokenizer, text: str, budget: int) -> list[int]:
    """The last lines of `text` in at most `budget` tokens, starting at a stepped line."""
    if budget <= 0:
        return []
    tail_start = max(0, len(text) - budget * CHARACTERS_PER_TOKEN)
    encoding = tokenizer.encode_with_offsets(text[tail_start:])
    if tail_start == 0 and len(encoding.tokens) <= budget:
        return encoding.tokens
    kept = encoding.offsets[-budget:]
    earliest = tail_start + (kept[0][0] if kept else 0)
    starts = line_starts(text)
    stepped = starts[::STEP_LINES]
    for candidates in (stepped, starts):
        index = bisect_left(candidates, earliest)
        # A stepped start that leaves less than half the budget is no use: long lines go by line.
        if index < len(candidates) and (
            candidates is starts or 2 * (len(text) - candidates[index]) >= len(text) - earliest
        ):
            return tokenizer.encode(text[candidates[index] :])[-budget:]
    return encoding.tokens[-budget:]


def fit_after(tokenizer: CodeTokenizer, text: str, budget: int) -> list[int]:
    """The first lines of `text` in at most `budget` tokens."""
    if budget <= 0:
        return []
    encoding = tokenizer.encode_with_offsets(text[: budget * CHARACTERS_PER_TOKEN])
    if len(encoding.tokens) <= budget and len(text) <= budget * CHARACTERS_PER_TOKEN:
        return encoding.tokens
    end = encoding.offsets[: budget + 1][-1][0]
    line_end = text.rfind("\n", 0, end) + 1
    return tokenizer.encode(text[: line_end or end])[:budget]


def line_starts(text: str) -> list[int]:
    """Character index of each line's first character."""
    starts = [0]
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return starts
