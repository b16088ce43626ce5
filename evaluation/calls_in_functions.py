"""What functions call by a name, and where, in Python and in Java; source is only parsed."""

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from evaluation.dereferences import SHORTEST_FUNCTION, outermost_functions
from evaluation.source_offsets import SourceOffsets
from retrieval.grammars import JAVA
from retrieval.index.calls import PATTERNS
from retrieval.trees import captured, parse, text_of

TYPES = (str, bytes, int, float, list, dict, set, frozenset, tuple, object, type, BaseException)
OF_PYTHON = frozenset(dir(builtins)).union(*(dir(one) for one in TYPES))
# Of the classes that nearly every file in Java uses.
OF_JAVA = frozenset(
    {
        *("equals", "hashCode", "toString", "getClass", "clone", "finalize", "notify", "notifyAll"),
        *("wait", "length", "charAt", "substring", "indexOf", "lastIndexOf", "startsWith"),
        *(
            "endsWith",
            "trim",
            "split",
            "replace",
            "format",
            "valueOf",
            "matches",
            "join",
            "isEmpty",
        ),
        *("get", "set", "add", "addAll", "put", "putAll", "remove", "contains", "containsKey"),
        *("size", "clear", "keySet", "values", "entrySet", "iterator", "hasNext", "next", "stream"),
        *("forEach", "map", "filter", "collect", "of", "getKey", "getValue", "sort", "append"),
        *("print", "println", "printf", "close", "read", "write", "flush", "run", "start", "stop"),
        *("getName", "getMessage", "getCause", "printStackTrace", "compareTo", "compare", "apply"),
        *("accept", "test", "call", "name", "ordinal", "intValue", "parseInt", "Object", "String"),
        *("Exception", "RuntimeException", "Thread", "File", "Date"),
    }
)
FUNCTIONS = ("method_declaration", "constructor_declaration", "compact_constructor_declaration")


@dataclass(frozen=True, slots=True)
class Call:
    """Of a `name` at the offset `start`, behind a dot or not, in a function whose code goes on to
    the offset `end`."""

    start: int
    end: int
    name: str
    dotted: bool


def language_of(path: str) -> str:
    return "java" if path.endswith(".java") else "python"


OWN_NAMES: Mapping[str, frozenset[str]] = {"python": OF_PYTHON, "java": OF_JAVA}


def calls_by_function(path: str, text: str) -> Iterator[list[Call]]:
    """The calls of each function of a file; none where it does not parse."""
    return calls_in_java(text) if language_of(path) == "java" else calls_in_python(text)


def calls_in_python(text: str) -> Iterator[list[Call]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    offsets = SourceOffsets(text)
    for function in outermost_functions(tree.body):
        assert function.end_lineno is not None
        if function.end_lineno - function.lineno + 1 < SHORTEST_FUNCTION:
            continue
        end = offsets.line_end(function.end_lineno)
        calls: list[Call] = []
        for callee in callees_in(function):
            name = callee.attr if isinstance(callee, ast.Attribute) else callee.id
            assert callee.end_lineno is not None
            assert callee.end_col_offset is not None
            start = offsets.at(callee.end_lineno, callee.end_col_offset) - len(name)
            dotted = isinstance(callee, ast.Attribute)
            if text.startswith("." * dotted + name, start - dotted):
                calls.append(Call(start, end, name, dotted))
        yield calls


def callees_in(function: ast.AST) -> Iterator[ast.Attribute | ast.Name]:
    """What a function's body calls by a name: not what decorates it, nor in format strings."""
    for statement in getattr(function, "body", ()):
        skipped = {
            inner
            for node in ast.walk(statement)
            if isinstance(node, ast.JoinedStr)
            for inner in ast.walk(node)
        }
        calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
        for call in calls:
            if call not in skipped and isinstance(call.func, ast.Attribute | ast.Name):
                yield call.func


def calls_in_java(text: str) -> Iterator[list[Call]]:
    """A function's code goes on to the bracket that ends it, which an editor has written.

    What is called of `super` is mostly a library's.
    """
    source = text.encode()
    root = parse(source, JAVA)
    if root.has_error:
        return
    offsets = SourceOffsets(text)
    for function in outermost_in_java(root):
        body = function.child_by_field_name("body")
        rows = function.end_point.row - function.start_point.row + 1
        if body is None or rows < SHORTEST_FUNCTION:
            continue
        bracket = offsets.at(body.end_point.row + 1, body.end_point.column) - 1
        line = text.rfind("\n", 0, bracket)
        end = bracket if text[line:bracket].strip() else line
        calls: list[Call] = []
        for name in captured(body, JAVA, PATTERNS[JAVA]):
            start = offsets.at(name.start_point.row + 1, name.start_point.column)
            if text.endswith("super.", 0, start):
                continue
            calls.append(Call(start, end, text_of(name), text[start - 1] == "."))
        yield calls


def outermost_in_java(node: Node) -> Iterator[Node]:
    """Methods and constructors that are in no other one."""
    for child in node.named_children:
        if child.type in FUNCTIONS:
            yield child
        else:
            yield from outermost_in_java(child)
