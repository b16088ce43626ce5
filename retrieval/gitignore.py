"""The pattern language of `.gitignore`, exactly as git reads it.

This module owns one file's rules and which path they match. It reads no disk; which files apply
to a path, and in what order, is decided by `retrieval.workspace_files`.

Regular expressions made from patterns can take exponential time on hostile ones, so a pattern is
matched segment by segment, and a star inside a segment never gives back what it took. Text is
handled as git does, byte by byte, each byte written as the Latin-1 character of its value.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
NEVER = re.compile(r"(?!)")
STAR = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: a pattern for each path segment, None where any number of segments may stand."""

    segments: tuple[re.Pattern[str] | None, ...]
    ignores: bool
    folders_only: bool

    def matches(self, parts: tuple[str, ...], *, is_folder: bool) -> bool:
        """Whether the rule names the path of `parts` itself (not merely a folder above it)."""
        if self.folders_only and not is_folder:
            return False
        reached = {0}  # how many parts the segments so far may have used up
        for number, segment in enumerate(self.segments, start=1):
            if not reached:
                return False
            if segment is None:
                at_least = min(reached) + (number == len(self.segments))
                reached = set(range(at_least, len(parts) + 1))
            else:
                reached = {i + 1 for i in reached if i < len(parts) and segment.fullmatch(parts[i])}
        return len(parts) in reached


def parse_rules(content: bytes) -> tuple[Rule, ...]:
    """The rules of a `.gitignore` file in the order in which they stand."""
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    return tuple(rule for line in lines if (rule := parse_rule(line)) is not None)


def parse_rule(line: str) -> Rule | None:
    """The rule of one line, or None for a comment and an empty line."""
    text = without_trailing_spaces(line.removesuffix("\r").partition("\0")[0])
    if not text or text.startswith("#"):
        return None
    ignores = not text.startswith("!")
    text = text if ignores else text[1:]
    folders_only = text.endswith("/")
    text = text[:-1] if folders_only else text
    anchored = "/" in text
    segments = tuple(map(compile_segment, split(text.removeprefix("/")))) if text else (NEVER,)
    return Rule(
        segments if anchored else (None, *map(in_any_folder, segments)), ignores, folders_only
    )


def split(text: str) -> list[str]:
    """The segments of a pattern; a slash among the characters of a bracket divides nothing.

    One after a backslash does; two stars before it stand for one name at least.
    """
    segments: list[str] = []
    start = at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "/":
            segments.append(text[start : at - 1])
            start = at
        elif character == "[":
            with suppress(ValueError):  # one that is never closed matches nothing anyway
                _, at = bracket(text, at)
        elif character == "\\":
            at += 1
            if text[at - 1 : at] == "/":
                segment = text[start : at - 2]
                segments += ["*", "**"] if re.fullmatch(r"\*{2,}", segment) else [segment]
                start = at
    return [*segments, text[start:]]


def in_any_folder(segment: re.Pattern[str] | None) -> re.Pattern[str]:
    """A lone `**` is the name pattern `*`, since it stands for one name in any folder."""
    return re.compile(".*", re.DOTALL) if segment is None else segment


def without_trailing_spaces(line: str) -> str:
    """The line without spaces at its end, but for one that a backslash keeps."""
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if backslashes % 2 and len(bare) < len(line) else bare


def compile_segment(segment: str) -> re.Pattern[str] | None:
    """The pattern of one path segment; None for `**`, one without matches if malformed."""
    if re.fullmatch(r"\*{2,}", segment):
        return None
    try:
        pieces = list(translated(segment))
    except ValueError:
        return NEVER
    head, *runs = split_at_stars(pieces)
    if not runs:
        return re.compile(head, re.DOTALL)
    # The first place where a piece fits leaves the most room to those after it, so that there is
    # nothing to gain from going back: hence the atomic groups.
    *inner, last = runs
    atoms = "".join(f"(?>.*?{run})" for run in inner)
    return re.compile(f"{head}{atoms}.*{last}", re.DOTALL)


def split_at_stars(pieces: list[str]) -> list[str]:
    runs = [""]
    for piece in pieces:
        if piece == STAR:
            runs.append("")
        else:
            runs[-1] += piece
    return runs


def translated(segment: str) -> Iterator[str]:
    """Each element of a segment as a regular expression of one character, or `STAR`."""
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        if character == "*":
            yield STAR
        elif character == "?":
            yield "."
        elif character == "[":
            expression, at = bracket(segment, at)
            yield expression
        elif character == "\\":
            if at == len(segment):
                raise ValueError("nothing to escape")
            yield re.escape(segment[at])
            at += 1
        else:
            yield re.escape(character)


def bracket(segment: str, at: int) -> tuple[str, int]:
    """The expression of a bracket whose content begins at `at`, and where the text goes on.

    Raises `ValueError` where the bracket is never closed or names an unknown class.
    """
    negated = segment[at : at + 1] in ("!", "^")
    start = at = at + negated
    members = ""
    while True:
        if at >= len(segment):
            raise ValueError("a bracket is not closed")
        if segment[at] == "]" and at > start:
            break
        if named := re.compile(r"\[:(\w*):\]").match(segment, at):
            if named[1] not in CLASSES:
                raise ValueError(f"no class '{named[1]}'")
            members, at = members + CLASSES[named[1]], named.end()
            continue
        low, at = member(segment, at)
        high = low
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in ("]", ""):
            high, at = member(segment, at + 1)
        if low <= high:
            members += f"\\x{ord(low):02x}-\\x{ord(high):02x}"
    if not members:
        return ("." if negated else "(?!)."), at + 1
    return f"[{'^' if negated else ''}{members}]", at + 1


def member(segment: str, at: int) -> tuple[str, int]:
    at += segment[at] == "\\"
    if at >= len(segment):
        raise ValueError("a bracket is not closed")
    return segment[at], at + 1
