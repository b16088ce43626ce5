"""Dereferences: places right after a dot in a function's code, the rest of the function held out.

It owns which places count and how they are drawn from repositories with a seed. Source is parsed
and never executed.
"""

import ast
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from completion.indentation import detect_indentation
from completion.values import CompletionRequest
from evaluation.repositories import Repository
from evaluation.source_offsets import SourceOffsets
from models.tokenizer import CodeTokenizer

SHORTEST_FUNCTION = 5  # lines, its head included
LARGEST_FILE = 100_000  # characters; larger ones are mostly generated
TESTS = ("_test.py", "Test.java", "Tests.java")
TEST_FOLDERS = frozenset({"test", "tests", "testing"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Place:
    """A dereference in a text: the offsets of its cursor and of the end of its function.

    `receiver` is the kind of expression before the dot; `stored` tells that the attribute is
    assigned to, or deleted.
    """

    cursor: int
    end: int
    name: str
    receiver: str
    stored: bool


@dataclass(frozen=True, slots=True)
class Dereference:
    """A place in a file of a repository: its texts before and after what is held out, and that.

    `truth` begins with the identifier `name` and goes on to the end of the function.
    """

    repository: str
    path: str
    before: str
    truth: str
    after: str
    name: str
    receiver: str
    stored: bool

    @property
    def line(self) -> int:
        """The cursor's line, from 1 on."""
        return self.before.count("\n") + 1

    @property
    def key(self) -> str:
        """What tells it from every other place of these repositories."""
        return f"{self.repository}/{self.path}:{self.line}:{len(self.before)}"

    @property
    def text(self) -> str:
        """All of the file."""
        return self.before + self.truth + self.after

    @property
    def request(self) -> CompletionRequest:
        """What an editor asks here, with the file's own indentation."""
        document = f"{self.repository}/{self.path}"
        indentation = detect_indentation(self.before + self.after)
        return CompletionRequest(document, self.before, self.after, indentation)


def draw_dereferences(
    repositories: Sequence[Repository], count: int, seed: int
) -> list[Dereference]:
    """`count` places, the repositories taking turns, no two in one function.

    Functions are drawn evenly from all of a repository, and from each one of its places. Where a
    repository has no more functions, the others go on; where none has, there are fewer places.
    The same seed gives the same places, and the first ones of a larger draw.
    """
    return in_turns([one_each(repository, seed) for repository in repositories], count)


def draw_functions(
    repositories: Sequence[Repository], count: int, seed: int
) -> list[list[Dereference]]:
    """All places of each of `count` functions, drawn in the same way."""
    return in_turns([shuffled(one, chooser(one, seed)) for one in repositories], count)


def in_turns(left: list[Iterator[Drawn]], count: int) -> list[Drawn]:
    drawn: list[Drawn] = []
    while left and len(drawn) < count:
        for source in left.copy():
            found = next(source, None)
            if found is None:
                left.remove(source)
            elif len(drawn) < count:
                drawn.append(found)
    return drawn


def chooser(repository: Repository, seed: int) -> random.Random:
    return random.Random(f"{seed}/{repository.name}")  # noqa: S311 - draws cases


def one_each(repository: Repository, seed: int) -> Iterator[Dereference]:
    """One place from each function of a repository, in an order that the seed decides."""
    choose = chooser(repository, seed)
    return (choose.choice(places) for places in shuffled(repository, choose))


def shuffled(repository: Repository, choose: random.Random) -> Iterator[list[Dereference]]:
    """The places of each function of a repository, in an order that is chosen."""
    functions = [
        (path, places)
        for path, text in sorted(repository.files.items())
        if is_judged(path, text)
        for places in places_by_function(text)
    ]
    choose.shuffle(functions)
    for path, places in functions:
        text = repository.files[path]
        yield [
            Dereference(
                repository=repository.name,
                path=path,
                before=text[: place.cursor],
                truth=text[place.cursor : place.end],
                after=text[place.end :],
                name=place.name,
                receiver=place.receiver,
                stored=place.stored,
            )
            for place in places
        ]


def is_judged(path: str, text: str) -> bool:
    """Whether a file is small enough and no test."""
    *folders, name = PurePosixPath(path).parts
    is_test = name.startswith(("test_", "conftest.")) or name.endswith(TESTS)
    return len(text) <= LARGEST_FILE and not is_test and TEST_FOLDERS.isdisjoint(folders)


def places_by_function(text: str) -> Iterator[list[Place]]:
    """The dereferences of each function of a file that has any; none where it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    offsets = SourceOffsets(text)
    imported = imported_names(tree)
    for function in outermost_functions(tree.body):
        assert function.end_lineno is not None
        end = offsets.line_end(function.end_lineno)
        if function.end_lineno - function.lineno + 1 < SHORTEST_FUNCTION:
            continue
        found = (
            place_of(attribute, text, offsets, end, imported)
            for statement in function.body
            for attribute in attributes_in(statement)
        )
        if places := [place for place in found if place is not None]:
            yield places


def outermost_functions(statements: Iterable[ast.stmt]) -> Iterator[Function]:
    """Functions and methods that are in no other function, however deep in classes and blocks."""
    for statement in statements:
        if isinstance(statement, Function):
            yield statement
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from outermost_functions(getattr(statement, field, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from outermost_functions(handler.body)


def attributes_in(node: ast.AST) -> Iterator[ast.Attribute]:
    """The dereferences in code: not in annotations, decorators, imports or format strings."""
    if isinstance(node, ast.Attribute):
        yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from attributes_in(child)


def place_of(
    attribute: ast.Attribute,
    text: str,
    offsets: SourceOffsets,
    end: int,
    imported: Mapping[str, str],
) -> Place | None:
    """The place of a dereference; None where no dot stands right before its name."""
    assert attribute.end_lineno is not None
    assert attribute.end_col_offset is not None
    name_end = offsets.at(attribute.end_lineno, attribute.end_col_offset)
    cursor = name_end - len(attribute.attr)
    if text[cursor - 1 : name_end] != f".{attribute.attr}":
        return None
    return Place(
        cursor,
        end,
        attribute.attr,
        receiver_kind(attribute.value, imported),
        stored=not isinstance(attribute.ctx, ast.Load),
    )


def receiver_kind(receiver: ast.expr, imported: Mapping[str, str]) -> str:
    """What is dereferenced: `self` (or `cls`), a `module` or another `imported` name, a `name`...

    A name that an `import` statement binds is a module; one of a `from` import may be anything.
    """
    match receiver:
        case ast.Name(id="self" | "cls"):
            return "self"
        case ast.Name(id=name):
            return imported.get(name, "name")
        case ast.Attribute():
            return "attribute"
        case ast.Call() | ast.Await(value=ast.Call()):
            return "call"
        case ast.Subscript():
            return "subscript"
        case _:
            return "other"


def imported_names(tree: ast.AST) -> dict[str, str]:
    """The names that a file's imports bind, each with what it is: `module` or `imported`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(one.asname or one.name.partition(".")[0]): "module" for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {(one.asname or one.name): "imported" for one in node.names}
    return names


def subwords(tokenizer: CodeTokenizer, name: str) -> int:
    """How many tokens the identifier is by itself."""
    return len(tokenizer.encode(name))
