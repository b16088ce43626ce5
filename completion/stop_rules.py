"""When a suggestion is complete, told from its text alone.

Each rule looks at what has been written so far and may cut it. They are pure functions of the
request and the text, tried after every token.
"""

import re
from dataclasses import dataclass

from completion.indentation import indentation_width
from completion.values import CompletionRequest

OPENERS, CLOSERS = "([{", ")]}"
BLANK_RUN = "\n\n\n"
STRING = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")


@dataclass(frozen=True, slots=True)
class Stop:
    """Why decoding ends, and how many characters of the text to keep."""

    reason: str
    keep: int


@dataclass(frozen=True, slots=True)
class StopContext:
    """What the rules need to know of the cursor's surroundings, worked out once a request."""

    single_line: bool
    line_before: str
    block_columns: int
    next_line: str


def stop_context(request: CompletionRequest) -> StopContext:
    """`block_columns` is the depth of the statement at the cursor; only deeper or equal lines
    belong to it (deeper alone where the statement has begun on the cursor's line)."""
    line_before = request.before.rsplit("\n", 1)[-1]
    line_after = request.after.split("\n", 1)[0]
    following = request.after[len(line_after) :].split("\n")
    tab_width = 4 if request.indentation == "\t" else len(request.indentation)
    return StopContext(
        single_line=request.single_line or bool(line_after.strip()),
        line_before=line_before,
        block_columns=indentation_width(line_before, tab_width),
        next_line=next((line.rstrip() for line in following if line.strip()), ""),
    )


def find_stop(context: StopContext, text: str) -> Stop | None:
    """The first rule that ends `text`, or None to go on."""
    if context.single_line:
        return first_line_only(text)
    return blank_run(text) or suffix_comes_up(context, text) or dedent(context, text)


def first_line_only(text: str) -> Stop | None:
    """Stop at the end of the line that the cursor is on."""
    end = text.find("\n")
    return None if end < 0 else Stop("line", end)


def blank_run(text: str) -> Stop | None:
    """Two blank lines in a row end a suggestion; leading ones are not counted."""
    start = len(text) - len(text.lstrip())
    end = text.find(BLANK_RUN, start)
    return None if end < 0 else Stop("blank lines", end)


def suffix_comes_up(context: StopContext, text: str) -> Stop | None:
    """The line that follows in the file is being written again."""
    if not context.next_line:
        return None
    position = text.find("\n")
    while position >= 0:
        end = text.find("\n", position + 1)
        if end >= 0 and text[position + 1 : end].rstrip() == context.next_line:
            return Stop("suffix", position)
        position = end
    return None


def dedent(context: StopContext, text: str) -> Stop | None:
    """A line that does not belong to the block of the cursor's line.

    On a line already begun, only the block it opens belongs to it; on a blank line, statements
    as deep as the first one do. Inside open brackets depth means nothing, and a closing bracket
    may stand as far out as its statement.
    """
    begun = bool(context.line_before.strip())
    shallowest = context.block_columns + 1 if begun else None
    depth = bracket_depth(context.line_before) if begun else 0
    position = 0
    for number, line in enumerate(text.split("\n")):
        stripped = line.strip()
        if stripped and shallowest is None:
            shallowest = indentation_width(context.line_before * (number == 0) + line)
        elif stripped and number > 0 and depth <= 0 and indentation_width(line) < (shallowest or 0):
            return Stop("dedent", max(0, position - 1))
        depth += bracket_depth(stripped)
        position += len(line) + 1
    return None


def bracket_depth(line: str) -> int:
    """Opening less closing brackets outside string literals."""
    code = STRING.sub("", line)
    return sum((c in OPENERS) - (c in CLOSERS) for c in code)
