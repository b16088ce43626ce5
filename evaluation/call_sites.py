"""Call sites of a repository's own APIs: the name of what is called and all after it held out.

As in LANCE's evaluation of API completion, a site counts where what is called is declared in the
same repository. Whether it is, is judged by its name, so names that Python's own types have as well
(`get`, `append`) are left out.
"""

import ast
import builtins
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from completion.indentation import detect_indentation
from completion.values import CompletionRequest
from evaluation.dereferences import (
    SHORTEST_FUNCTION,
    in_turns,
    is_judged,
    outermost_functions,
)
from evaluation.repositories import Repository
from evaluation.source_offsets import SourceOffsets
from retrieval.index.declarations import APIS
from retrieval.index.outline import outline_of

TYPES = (str, bytes, int, float, list, dict, set, frozenset, tuple, object, type, BaseException)
OF_PYTHON = frozenset(dir(builtins)).union(*(dir(one) for one in TYPES))


@dataclass(frozen=True, slots=True)
class CallSite:
    """A place in a file of a repository: the texts before and after what is held out.

    `name` is what is called there, `dereferenced` whether it stands after a dot.
    """

    repository: str
    path: str
    before: str
    after: str
    name: str
    dereferenced: bool

    @property
    def key(self) -> str:
        """What tells it from every other place of these repositories."""
        return f"{self.repository}/{self.path}:{len(self.before)}"

    @property
    def request(self) -> CompletionRequest:
        """What an editor asks here, but for where the file is."""
        document = f"{self.repository}/{self.path}"
        indentation = detect_indentation(self.before + self.after)
        return CompletionRequest(document, self.before, self.after, indentation, language="python")


def draw_call_sites(repositories: Sequence[Repository], count: int, seed: int) -> list[CallSite]:
    """`count` sites, the repositories taking turns, no two in one function; the same for a seed."""
    return in_turns([one_each(repository, seed) for repository in repositories], count)


def one_each(repository: Repository, seed: int) -> Iterator[CallSite]:
    """One site from each function of a repository, in an order that the seed decides."""
    choose = random.Random(f"{seed}/{repository.name}/calls")  # noqa: S311 - draws cases
    own = api_names(repository)
    functions = [
        sites
        for path, text in sorted(repository.files.items())
        if is_judged(path, text)
        for sites in sites_by_function(repository.name, path, text, own)
    ]
    choose.shuffle(functions)
    return (choose.choice(sites) for sites in functions)


def api_names(repository: Repository) -> frozenset[str]:
    """What the repository declares to be called, but for names that Python itself has."""
    outlines = (outline_of(path, text.encode()) for path, text in repository.files.items())
    return frozenset(
        one.name
        for outline in outlines
        if outline is not None
        for one in outline.declarations
        if one.kind in APIS and one.name not in OF_PYTHON
    )


def sites_by_function(
    repository: str, path: str, text: str, names: frozenset[str]
) -> Iterator[list[CallSite]]:
    """The sites of each function of a file that has any; none where it does not parse."""
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
        sites: list[CallSite] = []
        for callee in callees_in(function):
            name = callee.attr if isinstance(callee, ast.Attribute) else callee.id
            assert callee.end_lineno is not None
            assert callee.end_col_offset is not None
            start = offsets.at(callee.end_lineno, callee.end_col_offset) - len(name)
            dotted = isinstance(callee, ast.Attribute)
            if name in names and text.startswith("." * dotted + name, start - dotted):
                before, after = text[:start], text[end:]
                sites.append(CallSite(repository, path, before, after, name, dotted))
        if sites:
            yield sites


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
