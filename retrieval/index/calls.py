"""Which names a file calls, and where first: what an API looks like in use."""

from collections.abc import Mapping

from tree_sitter import Language, Node

from retrieval.grammars import GO, JAVA, PYTHON, TSX, TYPESCRIPT
from retrieval.trees import captured, text_of

SCRIPT_PATTERN = """[
    (call_expression function: [
        (identifier) @name
        (member_expression property: (property_identifier) @name)])
    (new_expression constructor: [
        (identifier) @name
        (member_expression property: (property_identifier) @name)])]"""
PATTERNS: Mapping[Language, str] = {
    PYTHON: """(call function: [
        (identifier) @name
        (attribute attribute: (identifier) @name)])""",
    TYPESCRIPT: SCRIPT_PATTERN,
    TSX: SCRIPT_PATTERN,
    GO: """(call_expression function: [
        (identifier) @name
        (selector_expression field: (field_identifier) @name)])""",
    JAVA: """[
        (method_invocation name: (identifier) @name)
        (object_creation_expression type: (type_identifier) @name)
        (object_creation_expression type: (generic_type (type_identifier) @name))]""",
}


def calls_of(root: Node, grammar: Language) -> dict[str, int]:
    """The line, from 1 on, of the first call of each name; declared and foreign ones alike."""
    first: dict[str, int] = {}
    for name in captured(root, grammar, PATTERNS[grammar]):
        first.setdefault(text_of(name), name.start_point.row + 1)
    return first
