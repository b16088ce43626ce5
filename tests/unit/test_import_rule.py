"""The import rule: lsp_server -> completion -> retrieval, models; the others may use all.

Read from the source, so that imports inside functions count as well.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED: dict[str, frozenset[str]] = {
    "models": frozenset(),
    "retrieval": frozenset(),
    "completion": frozenset({"models", "retrieval"}),
    "lsp_server": frozenset({"models", "retrieval", "completion"}),
    "evaluation": frozenset({"models", "retrieval", "completion", "lsp_server"}),
    "training": frozenset({"models", "retrieval", "completion", "lsp_server"}),
}
# The modules that start what nothing else may import.
STARTS = {
    Path("lsp_server/bench_command.py"): frozenset({"evaluation"}),
    Path("lsp_server/eval_command.py"): frozenset({"evaluation"}),
    Path("lsp_server/train_command.py"): frozenset({"training"}),
}


def imported_packages(source: str) -> Iterator[str]:
    """The top-level package of every import in `source`, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[argument, *_]):
                yield dynamic_package(argument)
            case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[argument, *_]):
                yield dynamic_package(argument)
            case _:
                pass


def dynamic_package(argument: ast.expr) -> str:
    """The package that an import by name asks for; "?" where only a run would tell.

    Text in front of the first placeholder of a format string is known.
    """
    if isinstance(argument, ast.JoinedStr) and argument.values:
        argument = argument.values[0]
    known = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return str(argument.value).partition(".")[0] if known else "?"  # type: ignore[attr-defined]


def project_modules() -> list[Path]:
    return sorted(
        path.relative_to(ROOT) for package in ALLOWED for path in (ROOT / package).rglob("*.py")
    )


@pytest.mark.parametrize("module", project_modules(), ids=str)
def test_module_imports_only_what_its_package_may_use(module: Path) -> None:
    package = module.parts[0]
    allowed = ALLOWED[package] | {package} | STARTS.get(module, frozenset())
    foreign = (set(ALLOWED) | {"tests", "?"}) - allowed

    assert foreign.isdisjoint(imported_packages((ROOT / module).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("import evaluation.report", "evaluation"),
        ("from evaluation.report import write", "evaluation"),
        ("def late() -> None:\n    from evaluation import report", "evaluation"),
        ("import importlib\nimportlib.import_module('evaluation.report')", "evaluation"),
        ("importlib.import_module(f'evaluation.benchmarks.{name}')", "evaluation"),
        ("importlib.import_module(name)", "?"),
        ("__import__('evaluation')", "evaluation"),
    ],
    ids=["import", "from", "in a function", "by name", "by format", "unknown", "builtin"],
)
def test_every_way_to_import_is_seen(source: str, package: str) -> None:
    assert package in set(imported_packages(source))


def test_relative_imports_stay_inside_their_package() -> None:
    assert not list(imported_packages("from . import sibling\nfrom .sibling import name"))
