"""Where an import is written that a file has not got yet, in Python."""

from tree_sitter import Node, Parser

from retrieval import grammars
from retrieval.trees import children_of

IMPORTS = frozenset({"import_statement", "import_from_statement", "future_import_statement"})


def line_for_imports(text: str) -> int:
    """The number, counted from 0, of the line above which an import is written: after the imports
    that the module begins with, or after its documentation and the comments at its start where
    there are none."""
    last, has_begun = 0, False
    root = Parser(grammars.PYTHON).parse(text.encode(errors="replace")).root_node
    for node, _ in children_of(root):
        if node.type == "comment":
            if not has_begun and node.start_point.row == last:
                last += 1
            continue
        if node.type not in IMPORTS and (has_begun or not is_text(node)):
            break
        last, has_begun = node.end_point.row + 1, True
    return last


def is_text(statement: Node) -> bool:
    """Whether a statement is a string and no more, as documentation is."""
    parts = statement.named_children
    return statement.type == "expression_statement" and [one.type for one in parts] == ["string"]
