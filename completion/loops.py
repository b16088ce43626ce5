"""Lines that go round in circles."""

from dataclasses import dataclass

SAME_LINES = 3  # the same line so many times in a row is a loop
REPEATED_LINES = 3  # and so are so many lines in a row that have been written before


@dataclass(frozen=True, slots=True)
class Loop:
    """The first line that says nothing new, and the line that showed it."""

    first: int
    last: int


def loop_start(lines: list[str]) -> Loop | None:
    """The loop that shows first in `lines`; blank lines and those of punctuation are no sign."""
    content = [i for i, line in enumerate(lines) if line.strip()]
    texts = [lines[i].rstrip() for i in content]
    seen: set[tuple[str, ...]] = set()
    for end in range(min(SAME_LINES, REPEATED_LINES), len(texts) + 1):
        same = texts[end - SAME_LINES : end]
        if len(same) == SAME_LINES and len(set(same)) == 1 and has_words(same):
            return Loop(content[end - SAME_LINES + 1], content[end - 1])
        run = tuple(texts[end - REPEATED_LINES : end])
        if run in seen and has_words(run):
            return Loop(content[end - REPEATED_LINES], content[end - 1])
        seen.add(run)
    return None


def without_loop(text: str) -> str:
    """Cut where lines start to repeat themselves."""
    lines = text.split("\n")
    found = loop_start(lines)
    return text if found is None else "\n".join(lines[: found.first])


def has_words(lines: list[str] | tuple[str, ...]) -> bool:
    return any(character.isalnum() for line in lines for character in line)
