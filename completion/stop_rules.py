"""When a suggestion is complete, told from its text alone.

Each rule looks at what has been written so far and may cut it. The rules are pure functions of
the request and the text, tried after every token. A rule judges a line only by what later tokens
cannot change and says how much it had to see; the rule that had to see least wins. So text that
arrives piece by piece is cut exactly where the whole of it would be.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from completion.brackets import CLOSERS, closers_wanted, depth_after, mask, quotes_at
from completion.indentation import indentation_width
from completion.loops import loop_start
from completion.values import CompletionRequest
from completion.written import Written, write_out

BLANK_RUN = re.compile(r"\n[ \t]*\n[ \t]*\n")
LEADING_LINES = 4  # a model that writes so many line ends first has nothing to say
FENCE = "```"
PUNCTUATION = re.compile(r"\W*")
HEAD_WORD = re.compile(r"\W*\w+")

# Words that carry a statement on at its own column, after the block it opened.
CARRY_ON = (
    *("else", "elif", "elseif", "elsif", "except", "finally", "catch", "rescue", "ensure"),
    *("end", "fi", "done", "esac"),
)
CARRIES_ON = re.compile(rf"(?:{'|'.join(CARRY_ON)})\b(?!\s*[=.(\[])")


@dataclass(frozen=True, slots=True)
class Stop:
    """Why decoding ends, how many characters of the text to keep, and how many tell so."""

    reason: str
    keep: int
    seen: int


@dataclass(frozen=True, slots=True)
class StopContext:
    """What the rules need to know of the cursor's surroundings, worked out once a request.

    `block_columns` is the depth of the cursor's line; `next_line` the first line with content
    that follows it; `open_quotes` those of the string that the cursor's line begins in, and
    `in_text` whether the cursor itself stands in such a string; `open_brackets` those open on the
    cursor's line, and `outer_closers` how many of the lines above the file leaves open.
    """

    single_line: bool
    line_before: str
    tab_width: int
    block_columns: int
    next_line: str
    next_columns: int
    open_quotes: str
    in_text: bool
    open_brackets: int
    outer_closers: int
    fences: bool

    @property
    def begun(self) -> bool:
        """Whether the cursor's line holds anything yet."""
        return bool(self.line_before.strip())


def stop_context(request: CompletionRequest) -> StopContext:
    line_start = request.before.rfind("\n") + 1
    line_before = request.before[line_start:]
    line_after = request.after.split("\n", 1)[0]
    following = request.after[len(line_after) :].split("\n")
    next_line = next((line.rstrip() for line in following if line.strip()), "")
    tab_width = 4 if request.indentation == "\t" else len(request.indentation) or 4
    columns = indentation_width(line_before, tab_width)
    next_columns = indentation_width(next_line, tab_width)
    # A line whose block stands below it already needs its own end and no second block.
    has_block = bool(line_before.strip()) and next_columns > columns
    open_quotes = mask(request.before[:line_start]).open_quotes
    open_brackets = depth_after(mask(line_before, open_quotes).text)
    wanted = closers_wanted(request.before, request.after)
    return StopContext(
        single_line=request.single_line or bool(line_after.strip()) or has_block,
        line_before=line_before,
        tab_width=tab_width,
        block_columns=columns,
        next_line=next_line,
        next_columns=next_columns,
        open_quotes=open_quotes,
        in_text=bool(quotes_at(request.before, request.after)),
        open_brackets=open_brackets,
        outer_closers=max(0, wanted - open_brackets),
        fences=FENCE in request.before,
    )


def find_stop(context: StopContext, text: str) -> Stop | None:
    """The first rule to end `text` as it is written, or None to go on."""
    if context.single_line:
        return first_line_only(text)
    lines = write_out(
        context.line_before,
        text,
        tab_width=context.tab_width,
        open_quotes=context.open_quotes,
        in_text=context.in_text,
    )
    stops = (
        blank_run(text),
        suffix_comes_up(context, lines),
        dedent(context, lines),
        sibling(context, lines),
        fence(context, lines),
        loop(lines),
    )
    return min((stop for stop in stops if stop), key=lambda stop: stop.seen, default=None)


def first_line_only(text: str) -> Stop | None:
    """Stop at the end of the line that the cursor is on."""
    end = text.find("\n")
    return None if end < 0 else Stop("line", end, end + 1)


def blank_run(text: str) -> Stop | None:
    """Two blank lines in a row end a suggestion; a few leading ones are not counted."""
    start = len(text) - len(text.lstrip())
    if text.count("\n", 0, start) >= LEADING_LINES:
        end = -1
        for _ in range(LEADING_LINES):
            end = text.find("\n", end + 1)
        return Stop("blank lines", 0, end + 1)
    found = BLANK_RUN.search(text, start)
    return None if found is None else Stop("blank lines", found.start(), found.end())


def suffix_comes_up(context: StopContext, lines: list[Written]) -> Stop | None:
    """The line that follows in the file is being written again.

    A line of punctuation alone is told by its depth as well: text may close brackets of its own.
    """
    wanted = context.next_line
    punctuation = PUNCTUATION.fullmatch(wanted) is not None
    for line in lines:
        if not wanted or not line.complete or (line.number == 0 and context.begun):
            continue
        if line.text.rstrip() == wanted and not (
            punctuation and line.depth > context.open_brackets
        ):
            return Stop("suffix", line.keep, line.end + 1)
    return None


def dedent(context: StopContext, lines: list[Written]) -> Stop | None:
    """A line that does not belong to the block of the cursor's line.

    On a line already begun only the block it opens belongs to it, and what carries that on; on a
    blank line, statements as deep as the cursor, or as the first one where the cursor stands at
    the margin. Inside brackets and strings depth means nothing.
    """
    floor: int | None = context.block_columns + (1 if context.begun else 0)
    if not context.line_before:
        floor = None
    closers, deeper = context.outer_closers, False
    for line in lines:
        content = line.text.strip()
        if not content or line.quoted or line.depth > 0:
            continue
        if floor is None:
            floor = line.columns
        if line.number == 0 or line.columns >= floor:
            deeper = deeper or line.number > 0
            continue
        seen = 1
        if content[0] in CLOSERS and closers > 0:
            closers -= 1
            continue
        if context.begun and line.columns == context.block_columns:
            seen = first_foreign(context, content, deeper)
            if seen == 0:
                deeper = True
                continue
        return Stop("dedent", line.keep, line.first + seen)
    return None


def first_foreign(context: StopContext, content: str, deeper: bool) -> int:
    """How much of a line at the statement's own column shows that it is another statement.

    0 if nothing does: it opens the statement's block with a brace, or carries it on after its
    block (`else:`), or may still turn out to, unless the file carries it on already.
    """
    file_goes_on = context.next_columns == context.block_columns and may_carry_on(
        context.next_line.strip()
    )
    if not deeper:
        return 0 if content[0] == "{" else 1
    if file_goes_on and context.next_line:
        return 1
    lengths = range(1, len(content) + 1)
    return next((n for n in lengths if not may_carry_on(content[:n])), 0)


def may_carry_on(content: str) -> bool:
    """Whether a line's beginning is such a word, or may become one."""
    if CARRIES_ON.match(content):
        return True
    return any(word.startswith(content) for word in CARRY_ON)


def sibling(context: StopContext, lines: list[Written]) -> Stop | None:
    """After a whole block and a blank line, another block that begins with the same word.

    One function is a suggestion; a row of them is a model that does not know where to end.
    """
    content = [line for line in lines if line.text.strip()]
    if context.begun or not content:
        return None
    first, deeper = content[0], False
    word = HEAD_WORD.match(first.text.strip())
    for earlier, line in pairwise(content):
        deeper = deeper or line.columns > first.columns
        again = HEAD_WORD.match(line.text.strip())
        apart = line.number - earlier.number > 1
        if word is None or again is None or word[0] != again[0] or line.quoted or line.depth:
            continue
        ended = line.complete or len(again[0]) < len(line.text.strip())
        if deeper and apart and ended and line.columns <= first.columns:
            return Stop("sibling", line.keep, line.first + len(again[0]) + 1)
    return None


def fence(context: StopContext, lines: list[Written]) -> Stop | None:
    """A line that ends a block of code in Markdown, from a model trained to chat."""
    for line in lines:
        opens = line.text.lstrip().startswith(FENCE)
        if opens and not context.fences and (line.number > 0 or not context.begun):
            return Stop("fence", line.keep, line.first + len(FENCE))
    return None


def loop(lines: list[Written]) -> Stop | None:
    """Lines that have been written before."""
    complete = [line for line in lines if line.complete]
    found = loop_start([line.text for line in complete])
    if found is None:
        return None
    return Stop("loop", complete[found.first].keep, complete[found.last].end + 1)
