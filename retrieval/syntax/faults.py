"""Whether a Python text breaks the grammar, and what Python itself says of it.

A fault is told only where two parsers find one: tree-sitter's, which reads the syntax of every
version, and that of the Python that runs this, whose words a person understands. So neither a newer
syntax than this Python's nor a construct that tree-sitter misreads is called wrong.
"""

import ast
import warnings
from dataclasses import dataclass

from retrieval.grammars import PYTHON
from retrieval.trees import parse

LARGEST_READ = 1 << 20  # characters
OWN_NAME = "<pirouette: a text that is looked at for faults>"

# What Python warns of in a text (`"\\d"`) is not for the log, which holds no source.
warnings.filterwarnings("ignore", module=f"^{OWN_NAME}")


@dataclass(frozen=True, slots=True)
class Fault:
    """From a line and column to another, both counted from 0 and in characters; the end is that
    of the line where `end_line` is None."""

    message: str
    line: int
    column: int
    end_line: int | None
    end_column: int


def fault_of(text: str) -> Fault | None:
    """The first fault of a text; None where there is none, or it is too large to be looked at."""
    if len(text) > LARGEST_READ:
        return None
    if not parse(text.encode(errors="replace"), PYTHON).has_error:
        return None
    return told_by_python(text)


def told_by_python(text: str) -> Fault | None:
    """What Python's parser says; the text is compiled to a tree and never run."""
    try:
        compile(text, OWN_NAME, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        line = max(0, (error.lineno or 1) - 1)
        column = max(0, (error.offset or 1) - 1)
        end_line = None
        if error.end_lineno and error.end_offset and error.end_offset > 0:
            end_line = error.end_lineno - 1
        return Fault(error.msg, line, column, end_line, max(0, (error.end_offset or 1) - 1))
    except (ValueError, MemoryError, RecursionError):  # null bytes, or nested too deep to tell
        return None
    return None
