"""Grammars of the languages whose declarations are read, by the suffix of a file."""

from pathlib import PurePath

import tree_sitter_go
import tree_sitter_typescript
from tree_sitter import Language

TYPESCRIPT = Language(tree_sitter_typescript.language_typescript())
TSX = Language(tree_sitter_typescript.language_tsx())  # which is also all of JavaScript
GO = Language(tree_sitter_go.language())
TYPED_SUFFIXES = (".ts", ".tsx", ".mts", ".cts")
UNTYPED_SUFFIXES = (".js", ".jsx", ".mjs", ".cjs")
GO_SUFFIX = ".go"
DECLARED_SUFFIXES = (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES, GO_SUFFIX)


def grammar_of(path: str) -> Language | None:
    """That of a file; None where its declarations are not read."""
    suffix = PurePath(path).suffix
    if suffix == GO_SUFFIX:
        return GO
    if suffix in (*TYPED_SUFFIXES, *UNTYPED_SUFFIXES):
        return TYPESCRIPT if suffix in (".ts", ".mts", ".cts") else TSX
    return None
