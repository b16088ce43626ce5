"""An API as its users need it: how it is declared, what it does, and how it is called.

In the form of a stub, which says what it is called on. Of its documentation what matters is kept:
the summary, and of the examples those lines that call it, first those most like the wish (after
Hwang et al. 2025, "EXIT: Context-aware Extractive Compression for Retrieval-Augmented Generation",
which keeps whole sentences; here whole lines).
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from retrieval.index.declarations import Declaration, Kind
from retrieval.index.words import words_of

MOST_EXAMPLES = 3
LONGEST_SUMMARY = 240  # characters
LONGEST_EXAMPLE = 120
OWN_LINE = re.compile(r"(@\w+) ")
QUOTED = re.compile(r"['\"].*[(\[{)\]}].*['\"]")  # brackets that may be of a text
PROMPT, GOES_ON = ">>> ", "... "
DECORATORS = re.compile(r"@(?!(?:property|staticmethod|classmethod)\b)[\w.]+\s+")
LOOSE = ((re.compile(r"([(\[{])\s+"), r"\1"), (re.compile(r",?\s+([)\]}])"), r"\1"))


def stub_of(
    known: Declaration,
    declared: Declaration,
    made_by: Declaration | None,
    source: Sequence[str],
    wish: str,
) -> str:
    """The stub of an API that its users know as `known`, how it is `declared`, and its lines.

    `made_by` is the method that makes instances, where it is a class that has one.
    """
    *classes, name = known.qualified.split(".")
    signature = signature_of(declared)
    if declared.kind is Kind.CLASS and made_by is not None:
        classes, signature = [*classes, name], signature_of(made_by)
    elif name != declared.name:
        signature = re.sub(rf"\b{re.escape(declared.name)}\b", name, signature, count=1)
    header = [f"class {'.'.join(classes)}:"] if classes else []
    indent = "    " if classes else ""
    said = said_of(name, known.doc, source, wish)
    lines = [*OWN_LINE.sub(r"\1\n", f"{signature}:").split("\n"), *(f"    {line}" for line in said)]
    return "\n".join([*header, *(f"{indent}{line}" for line in lines)]) + "\n"


def said_of(name: str, doc: str, source: Sequence[str], wish: str) -> list[str]:
    """A docstring of what matters to the wish, or a body of nothing."""
    lines = [summary_of(doc), *examples_of(name, source, wish)]
    lines = [line.replace('"""', "'''") for line in lines if line]
    if not lines:
        return ["..."]
    return [f'"""{lines[0]}', *lines[1:], '"""'] if len(lines) > 1 else [f'"""{lines[0]}"""']


def summary_of(doc: str) -> str:
    """The first paragraph of a documentation on one line, as far as it tells what it is about."""
    paragraph = re.split(r"\n\s*\n", doc.strip(), maxsplit=1)[0]
    return " ".join(paragraph.split())[:LONGEST_SUMMARY].rstrip()


def examples_of(name: str, source: Sequence[str], wish: str) -> list[str]:
    """Lines of the examples in a documentation that call a name, each once."""
    calls = re.compile(rf"\b{re.escape(name)}\(")
    found = [line for line in example_lines(source) if calls.search(line)]
    whole = [line for line in dict.fromkeys(found) if len(line) <= LONGEST_EXAMPLE]
    wanted = set(words_of(wish).split())
    return sorted(whole, key=lambda line: -count_told(wanted, line))[:MOST_EXAMPLES]


def count_told(wanted: AbstractSet[str], text: str) -> int:
    """How many of some words a text has."""
    return len(wanted & set(words_of(text).split()))


def example_lines(source: Sequence[str]) -> list[str]:
    """What is typed in interactive examples, a statement of several lines on one."""
    lines: list[str] = []
    for line in map(str.strip, source):
        if line.startswith(PROMPT):
            lines.append(line)
        elif line.startswith(GOES_ON) and lines:
            lines[-1] = tightened(f"{lines[-1]} {line.removeprefix(GOES_ON).strip()}")
    return lines


def signature_of(declared: Declaration) -> str:
    """On one line, with those decorators that change how it is called."""
    start = declared.signature.partition("(")[0]  # decorators without arguments stand before
    shown = DECORATORS.sub("", start) + declared.signature[len(start) :]
    return tightened(shown)


def tightened(text: str) -> str:
    """Without the space that is left of line ends in brackets; with texts it is left as it is."""
    for pattern, by in LOOSE if not QUOTED.search(text) else ():
        text = pattern.sub(by, text)
    return text
