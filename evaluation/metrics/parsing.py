"""Whether a source text can be parsed."""

import ast
import warnings

from retrieval.grammars import PYTHON, grammar_of
from retrieval.trees import parse


def parses(text: str, path: str) -> bool:
    """By Python's own parser, or by the grammar of another language; True where there is none."""
    grammar = grammar_of(path)
    if grammar is None:
        return True
    if grammar is not PYTHON:
        return not parse(text.encode(), grammar).has_error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the text might have meant
        try:
            ast.parse(text.removeprefix("\ufeff"))  # which may begin a file
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
