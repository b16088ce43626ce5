"""From what the model wrote to what is worth showing.

Text that already stands after the cursor is not written twice, brackets are not closed twice,
indentation is the file's own, and a repetition of the lines around is not shown at all.
"""

from completion.indentation import reindent
from completion.stop_rules import CLOSERS, OPENERS, STRING
from completion.values import CompletionRequest

LOOP_LINES = 3  # the same line so many times in a row is a model going round in circles


def clean_up(request: CompletionRequest, text: str) -> str:
    """The suggestion for `request`, or an empty string where nothing should be shown."""
    line_before = request.before.rsplit("\n", 1)[-1]
    tail = request.after.split("\n", 1)[0]
    text = without_loop(text.rstrip())
    if tail.strip():
        text = without_tail(line_before, text, tail)
    else:
        text = without_following_lines(text, request.after)
        text = without_surplus_closers(line_before, text, request.after)
    text = reindent(text, request.indentation).rstrip()
    return "" if is_repetition(request, text) else text


def without_loop(text: str) -> str:
    """Cut where one line starts to repeat itself."""
    lines = text.split("\n")
    for i in range(len(lines) - LOOP_LINES + 1):
        run = lines[i : i + LOOP_LINES]
        if run[0].strip() and len(set(run)) == 1:
            return "\n".join(lines[: i + 1])
    return text


def without_tail(line_before: str, text: str, tail: str) -> str:
    """Drop from `text` what the rest of the cursor's line already says.

    Closing brackets are dropped only where they would be surplus: the one in `bar(x)` that closes
    its own `bar(` stays, even if the line goes on with `)`.
    """
    ending = tail.strip()
    if text.endswith(ending) and not set(ending) <= set(CLOSERS):
        return text[: -len(ending)]
    allowed = surplus_closers(line_before + tail)
    if surplus_closers(line_before + text + tail) <= allowed:
        return text
    cuts = [i for i, c in enumerate(text) if c in CLOSERS]
    kept = (text[:i] for i in reversed(cuts))
    return next((k for k in kept if surplus_closers(line_before + k + tail) <= allowed), text)


def surplus_closers(line: str) -> int:
    """How many closing brackets of a line have no opening one before them."""
    depth = surplus = 0
    for c in STRING.sub("", line):
        if c in OPENERS:
            depth += 1
        elif c in CLOSERS:
            surplus += depth == 0
            depth = max(0, depth - 1)
    return surplus


def without_following_lines(text: str, after: str) -> str:
    """Drop trailing lines of `text` that are the very next lines of the file."""
    lines = text.split("\n")
    following = [line.rstrip() for line in after.split("\n")[1:]]
    while following and not following[0]:
        following.pop(0)
    for length in range(min(len(lines), len(following)), 0, -1):
        if [line.rstrip() for line in lines[-length:]] == following[:length]:
            return "\n".join(lines[:-length])
    return text


def without_surplus_closers(line_before: str, text: str, after: str) -> str:
    """Drop a last line of closing brackets if the next line of the file closes them already."""
    head, newline, last = text.rpartition("\n")
    following = next((line for line in after.split("\n")[1:] if line.strip()), "")
    if newline and last.strip() and set(last.strip()) <= set(CLOSERS):
        closes_same = following.strip().startswith(last.strip())
        if closes_same and surplus_closers(line_before + text) > 0:
            return head
    return text


def is_repetition(request: CompletionRequest, text: str) -> bool:
    """Whether the suggestion says again, line by line, what stands right above or below.

    Lines of punctuation alone are no repetition: blocks may well close one after the other.
    """
    line_before = request.before.rsplit("\n", 1)[-1]
    lines = content_lines(line_before + text)
    if not text.strip() or not lines:
        return True
    if not any(c.isalnum() for line in lines for c in line):
        return False
    above = content_lines(request.before[: len(request.before) - len(line_before)])
    below = content_lines("\n".join(request.after.split("\n")[1:]))
    return above[-len(lines) :] == lines or below[: len(lines)] == lines


def content_lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]
