"""From what the model wrote to what is worth showing.

Text that already stands after the cursor is not written twice, brackets are not closed twice,
indentation is the file's own, and a repetition of the lines around is not shown at all.
"""

import re

from completion.brackets import CLOSERS, MASK, OPENERS, balance, closers_wanted, mask, quotes_at
from completion.indentation import indentation_width, reindent
from completion.loops import has_words, without_loop
from completion.values import CompletionRequest

HANGING = (*OPENERS, ":", ",", "\\")  # ends of lines that promise another one
NO_SPACE_BEFORE = (*CLOSERS, " ", "\t", ",", ";", ":")
PAIRED = frozenset((*OPENERS, *CLOSERS, "'", '"', "`"))


def clean_up(request: CompletionRequest, text: str) -> str:
    """The suggestion for `request`, or an empty string where nothing should be shown."""
    line_before = request.before.rsplit("\n", 1)[-1]
    tail = request.after.split("\n", 1)[0].rstrip()
    text = without_doubled_indentation(request, text.replace("\r", ""))
    if tail.strip():
        text = fit_to_tail(request, text.split("\n", 1)[0], tail)
    else:
        text = without_loop(text.rstrip())
        text = without_following_lines(line_before, text, request.after)
        text = without_surplus_closers(request, text)
    text = reindent(text, request.indentation)
    if not tail.strip() or tail.startswith(NO_SPACE_BEFORE):
        text = text.rstrip()
    return "" if is_repetition(request, text, tail) else text


def whole_lines(text: str) -> str:
    """Text that was cut for length, back to where it makes sense to end.

    The last of several lines is likely a torso, and a line that opens a block promises what does
    not come. A single line is kept as it is.
    """
    head, newline, _ = text.rstrip().rpartition("\n")
    if not newline or not head.strip():
        return text
    return without_promises(head)


def without_promises(text: str) -> str:
    """Whole lines without those at the end that open a block or hold nothing; the first stays."""
    lines = text.rstrip().split("\n")
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].rstrip().endswith(HANGING)):
        lines.pop()
    return "\n".join(lines)


def without_doubled_indentation(request: CompletionRequest, text: str) -> str:
    """Drop white space that the model wrote although the cursor is indented already.

    Only what a block begun above still lacks is kept: elsewhere the cursor says how deep the user
    wants to be. Inside brackets and strings lines may be aligned with anything.
    """
    line_before = request.before.rsplit("\n", 1)[-1]
    rest = text.lstrip(" \t")
    if not line_before or line_before.strip() or rest == text:
        return text
    masked = mask(request.before)
    above = masked.text.replace(MASK, " ").rstrip()
    if masked.open_quotes or any(b.character in "([" for b in balance(masked.text).openers):
        return text
    width = 4 if request.indentation == "\t" else len(request.indentation) or 4
    missing = 0
    if above.endswith((":", *OPENERS)):
        wanted = indentation_width(above.rsplit("\n", 1)[-1], width) + width
        missing = max(0, wanted - indentation_width(line_before, width))
    if indentation_width(text, width) <= missing:
        return text
    return request.indentation * (missing // width) + rest


def fit_to_tail(request: CompletionRequest, text: str, tail: str) -> str:
    """One line of `text` without what the rest of the cursor's line says already."""
    line_before = request.before.rsplit("\n", 1)[-1]
    closed = without_surplus_closers(request, text, tail)
    kept = without_overlap(line_before, closed, tail)
    # A cut that glues two words together shows that the text was not written for this tail.
    glued = closed != text and kept == closed and is_word(kept[-1:]) and is_word(tail[:1])
    return "" if glued else kept


def without_overlap(line_before: str, text: str, tail: str) -> str:
    """Drop the end of `text` if it is what the rest of the cursor's line begins with.

    Never at the price of an unpaired bracket or quote; and where the two share nothing but
    brackets and quotes, only to get rid of one: the `)` of `bar(x)` is its own, even where the
    line goes on with `)`.
    """
    shared = (tail.strip(), *(tail[:length] for length in range(len(tail) - 1, 0, -1)))
    ends = loose_ends(line_before + text + tail)
    for piece in shared:
        if not text.endswith(piece):
            continue
        kept = text[: -len(piece)]
        spare = ends - loose_ends(line_before + kept + tail)
        if spare > 0 or (spare == 0 and not set(piece) <= PAIRED):
            return kept
    return text


def loose_ends(line: str) -> int:
    """How many quotes and closing brackets of a line have no partner."""
    masked = mask(line).text
    quotes = re.sub(r"\\.", "", line).count('"') + masked.count("'") + masked.count("`")
    return len(balance(masked).closers) + quotes % 2


def without_following_lines(line_before: str, text: str, after: str) -> str:
    """Drop trailing lines of `text` that are the very next lines of the file."""
    lines = [line.rstrip() for line in (line_before + text).split("\n")]
    following = [line.rstrip() for line in after.split("\n")[1:]]
    while following and not following[0]:
        following.pop(0)
    for length in range(min(len(lines), len(following)), 0, -1):
        if lines[-length:] != following[:length]:
            continue
        kept = "\n".join(text.split("\n")[:-length])
        # Brackets alone may be the text's own, which only look like those of the next line.
        if has_words(following[:length]) or not balance(mask(kept).text).openers:
            return kept
    return text


def without_surplus_closers(request: CompletionRequest, text: str, tail: str = "") -> str:
    """Cut where `text` closes a bracket that the file closes already.

    On a line that goes on, the text may close the bracket early if it opens another one for the
    rest of the line to close.
    """
    line_start = request.before.rfind("\n") + 1
    line_before = request.before[line_start:]
    if tail and quotes_at(request.before, request.after):
        # Brackets in a docstring pair up on their line, or not at all.
        own = balance(text)
        open_here = len(balance(line_before).openers)
        wanted = max(0, open_here - len(balance(tail).closers))
    else:
        quotes = mask(request.before[:line_start]).open_quotes
        own = balance(mask(line_before + text, quotes).text[len(line_before) :])
        wanted = closers_wanted(request.before, request.after)
    spare = len(own.openers) if tail else 0
    if len(own.closers) - spare <= wanted:
        return text
    return text[: own.closers[wanted].position]


def is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def is_repetition(request: CompletionRequest, text: str, tail: str) -> bool:
    """Whether the suggestion says again, line by line, what stands right above or below.

    Lines of punctuation alone are no repetition: blocks may well close one after the other.
    """
    line_before = request.before.rsplit("\n", 1)[-1]
    lines = content_lines(line_before + text + tail)
    if not text.strip() or not lines:
        return True
    if not has_words(lines):
        return False
    above = content_lines(request.before[: len(request.before) - len(line_before)])
    below = content_lines("\n".join(request.after.split("\n")[1:]))
    return above[-len(lines) :] == lines or below[: len(lines)] == lines


def content_lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]
