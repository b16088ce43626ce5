"""What stands around the cursor, so that reading it takes no longer in a long file."""

from dataclasses import replace

from completion.brackets import TRIPLE_QUOTES
from completion.indentation import begun_line
from completion.values import CompletionRequest

NEAR_BEFORE, NEAR_AFTER = 8_000, 4_000  # characters; some two hundred lines and one hundred
AROUND = 50_000  # on each side, of a file that drafts are taken from


def nearby(request: CompletionRequest) -> CompletionRequest:
    """The same place with the lines around it only.

    Cut outside triple-quoted strings, as far as counting their quotes can tell: in a piece that
    begins or ends inside one, code would look like string and string like code.
    """
    before, after = request.before, request.after
    start = before.rfind("\n", 0, -NEAR_BEFORE) + 1 if len(before) > NEAR_BEFORE else 0
    end = line_end(after, NEAR_AFTER)
    for quotes in TRIPLE_QUOTES:
        if before.count(quotes, 0, start) % 2:
            start = before.rfind("\n", 0, before.rfind(quotes, 0, start)) + 1
        if after.count(quotes, end) % 2:
            end = line_end(after, after.find(quotes, end) + len(quotes))
    return replace(request, before=before[start:], after=after[:end])


def text_around(request: CompletionRequest) -> str:
    """Mostly the whole file."""
    return request.before[-AROUND:] + request.after[:AROUND]


def lines_below(after: str) -> str:
    """Of the text after a cursor all but the rest of its line."""
    return after[line_end(after, 0) :]


def line_end(text: str, position: int) -> int:
    """Where the line of `position` ends."""
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def next_line(request: CompletionRequest) -> CompletionRequest | None:
    """The place that the key which ends a line leads to, from the end of one with content; None
    from elsewhere."""
    line = request.before.rpartition("\n")[2]
    rest = request.after[: line_end(request.after, 0)]
    if not line.strip() or rest.strip():
        return None
    return replace(request, before=request.before + begun_line(line, request.indentation))
