"""Which lines around the cursor the model gets to read.

Whole lines only, as many as the token budget allows. The first line moves in steps of several
lines, so that typing on leaves the start of the prompt, and with it the cache, as it was. For the
same reason the middle, which a model that fills in the middle is to write, begins at a line above
the cursor that stays the same while the text around it changes. And both stay where they last were
for as long as that leaves enough to read.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from models.tokenizer import CodeTokenizer, Encoding

SUFFIX_SHARE = 0.25  # of the budget, at most: what was written before the cursor tells more
STEP_TOKENS = 48  # budget for each line of the coarsest step: about a fifth of it is one step
WORD_TOKENS = 8  # kept free for the word being typed
MIDDLE_LINES = 8  # at most, of those above the cursor's, when it begins
LONGEST_MIDDLE = 24  # lines above the cursor's, after which it begins anew
EDGE_CHARACTERS = 200  # by which a place is found again
CHARACTERS_PER_TOKEN = 12  # no code is expected to need fewer tokens than one per so many


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a window and its middle begin, each told by the text right before that place."""

    start: str = ""
    middle: str = ""


NO_EDGES = Edges()


@dataclass(frozen=True, slots=True)
class Window:
    """The text the model reads before and after the cursor, as token ids.

    `middle` follows `before` in the text, and ends at the cursor.
    """

    before: list[int]
    middle: list[int]
    after: list[int]
    edges: Edges


def fit_window(
    tokenizer: CodeTokenizer,
    before: str,
    after: str,
    budget: int,
    *,
    uses_suffix: bool,
    has_middle: bool = False,
    last: Edges = NO_EDGES,
) -> Window:
    """At most `budget` tokens of whole lines around the cursor.

    The suffix may take its share, also where a short prefix leaves more; the prefix takes the
    rest. The cursor's own line counts as whole even where the budget cuts it. The edges of the
    `last` window are kept where they can be.
    """
    assert budget >= 0
    tail = fit_after(tokenizer, after, int(budget * SUFFIX_SHARE)) if uses_suffix else []
    room = budget - len(tail)
    split = middle_start(before, room, last.middle) if has_middle else len(before)
    middle = tokenizer.encode(before[split:])
    if len(middle) > room // 2:
        split, middle = len(before), []
    allowed = room
    while True:
        start = first_character(tokenizer, before, allowed, last.start)
        head = tokenizer.encode(before[start:split])
        # Text that is cut in two may take a token more than the whole of it.
        surplus = len(head) + len(middle) - room
        if surplus <= 0:
            edges = Edges(edge_at(before, start), edge_at(before, split) if has_middle else "")
            return Window(head, middle, tail, edges)
        allowed -= surplus


def edge_at(text: str, place: int) -> str:
    """The text right before a place, which tells it from others."""
    return text[max(0, place - EDGE_CHARACTERS) : place]


def find_edge(text: str, edge: str) -> int | None:
    """The last line of `text` that begins right after `edge`; None where there is none.

    An edge of fewer characters than it could have is all that stood before its place, and is
    looked for there first.
    """
    if not edge.endswith("\n"):
        return None
    is_first = len(edge) < EDGE_CHARACTERS and text.startswith(edge)
    found = 0 if is_first else text.rfind(edge)
    return None if found < 0 else found + len(edge)


def middle_start(before: str, most: int, last: str = "") -> int:
    """Where the middle begins: at a line above the cursor, no more than `most` characters.

    That is where it began `last`, until the cursor has gone too far. Else it is the one of the last
    lines whose hash is the lowest, so that it mostly stays the same one while lines are typed, and
    where lines are added or removed above (content-defined boundaries as in Muthitacharoen et al.
    2001, "A low-bandwidth network file system"; the lowest hash in a window as in Schleimer et al.
    2003, "Winnowing"). The cursor's own line, which changes with every key, begins it only where no
    other can; and so long a line never does.
    """
    kept = find_edge(before, last)
    near = kept is not None and before.count("\n", kept) <= LONGEST_MIDDLE
    if kept is not None and near and len(before) - kept <= most:
        return kept
    own = before.rfind("\n") + 1
    best, lowest, start = own, None, own
    for _ in range(MIDDLE_LINES):
        if start == 0:
            break
        end, start = start, before.rfind("\n", 0, start - 1) + 1
        if len(before) - start > most:
            break
        line = before[start:end]
        if line.strip():
            found = zlib.crc32(line.encode("utf-8", "replace"))
            if lowest is None or found <= lowest:
                best, lowest = start, found
    return best if len(before) - best <= most else len(before)


def fit_before(tokenizer: CodeTokenizer, text: str, budget: int) -> list[int]:
    """The last lines of `text` in at most `budget` tokens, starting at a stepped line."""
    return tokenizer.encode(text[first_character(tokenizer, text, budget) :])


def first_character(tokenizer: CodeTokenizer, text: str, budget: int, last: str = "") -> int:
    """Where the last lines of `text` begin that fit into `budget` tokens, at a stepped line.

    Where they began `last`, if that fits and leaves at least half of what would.
    """
    if budget <= 0:
        return len(text)
    tail_start = max(0, len(text) - budget * CHARACTERS_PER_TOKEN)
    encoding = tokenizer.encode_with_offsets(text[tail_start:])
    if tail_start == 0 and len(encoding.tokens) <= budget:
        return 0
    earliest = tail_start + last_characters(text[tail_start:], encoding, budget)
    kept = find_edge(text, last)
    if kept is not None and kept >= earliest and leaves_half(text, kept, earliest):
        return kept
    for start in candidate_starts(text, earliest, budget):
        # Text cut elsewhere may merge into other tokens, and a few more of them.
        if len(tokenizer.encode(text[start:])) <= budget:
            return start
    return len(text)


def candidate_starts(text: str, earliest: int, budget: int) -> Iterator[int]:
    """Places from `earliest` on at which the model may start to read, the best first.

    Stepped lines that leave at least half of what fits; any line; and where the lines do not even
    fit one by one, characters, stepped as well.
    """
    starts = line_starts(text)
    for step in line_steps(budget):
        stepped = starts[::step]
        for start in stepped[bisect_left(stepped, earliest) :]:
            if not leaves_half(text, start, earliest):
                break
            yield start
    for start in starts[bisect_left(starts, earliest) :]:
        if not text[start:].strip():
            break
        yield start
    step = max(1, budget // 4)
    yield from range(-(-earliest // step) * step, len(text), step)
    yield from range(earliest, len(text))


def leaves_half(text: str, start: int, earliest: int) -> bool:
    """Whether at least half of what could be read is read from `start` on."""
    return 2 * (len(text) - start) >= len(text) - earliest


def line_steps(budget: int) -> Iterator[int]:
    """Lines that the start may move by, the coarsest first.

    A large budget takes large steps, since every step leaves all that is kept inexact; finer ones
    are for lines so long that coarse steps waste too much.
    """
    step = 1 << max(4, (budget // STEP_TOKENS).bit_length() - 1)
    while step > 1:
        yield step
        step //= 2


def fit_after(tokenizer: CodeTokenizer, text: str, budget: int) -> list[int]:
    """The first lines of `text` in at most `budget` tokens."""
    if budget <= 0:
        return []
    head = text[: budget * CHARACTERS_PER_TOKEN]
    encoding = tokenizer.encode_with_offsets(head)
    if len(encoding.tokens) <= budget and len(head) == len(text):
        return encoding.tokens
    latest = encoding.offsets[budget][0] if len(encoding.tokens) > budget else len(head)
    for end in candidate_ends(text, latest):
        tokens = tokenizer.encode(text[:end])
        if len(tokens) <= budget:
            return tokens
    return []


def candidate_ends(text: str, latest: int) -> Iterator[int]:
    """Places up to `latest` at which the model may stop to read, the best first."""
    end = text.rfind("\n", 0, latest) + 1
    while text[:end].strip():
        yield end
        end = text.rfind("\n", 0, end - 1) + 1
    yield from range(latest, 0, -1)


def last_characters(text: str, encoding: Encoding, budget: int) -> int:
    """The first character from which whole characters fit into `budget` tokens.

    A word being typed takes now more tokens, now fewer, so that counting them would let the start
    jump back and forth: it has a fixed share instead. A character may be spread over several
    tokens, each of which then has its place.
    """
    word_start = max(text.rstrip().rfind(space) for space in " \t\n")
    stable = bisect_left(encoding.offsets, (word_start, 0)) or len(encoding.tokens)
    index = max(0, stable - budget + min(WORD_TOKENS, budget // 4))
    while 0 < index < len(encoding.tokens):
        if encoding.offsets[index][0] >= encoding.offsets[index - 1][1]:
            return encoding.offsets[index][0]
        index += 1
    return 0 if index == 0 else len(text)


def line_starts(text: str) -> list[int]:
    """Character index of each line's first character."""
    starts = [0]
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return starts
