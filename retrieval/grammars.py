"""Grammars of the languages that are read, by the suffix of a file."""

from collections.abc import Mapping
from pathlib import PurePath

import tree_sitter_go
import tree_sitter_java
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language

PYTHON = Language(tree_sitter_python.language())
TYPESCRIPT = Language(tree_sitter_typescript.language_typescript())
TSX = Language(tree_sitter_typescript.language_tsx())  # which is also all of JavaScript
GO = Language(tree_sitter_go.language())
JAVA = Language(tree_sitter_java.language())
TYPED_SUFFIXES = (".ts", ".tsx", ".mts", ".cts")
UNTYPED_SUFFIXES = (".js", ".jsx", ".mjs", ".cjs")
GO_SUFFIX = ".go"
DECLARED_SUFFIXES = (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES, GO_SUFFIX)

GRAMMARS: Mapping[str, Language] = {
    ".py": PYTHON,
    ".pyi": PYTHON,
    ".ts": TYPESCRIPT,
    ".mts": TYPESCRIPT,
    ".cts": TYPESCRIPT,
    ".tsx": TSX,
    **dict.fromkeys(UNTYPED_SUFFIXES, TSX),
    GO_SUFFIX: GO,
    ".java": JAVA,
}


def grammar_of(path: str) -> Language | None:
    """That of a file; None where its language is not read."""
    return GRAMMARS.get(PurePath(path).suffix)
