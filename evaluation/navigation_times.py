"""How long answers of navigation take, over real names, and how often there is one.

    python -P -m evaluation.navigation_times PATH... [--points N] [--seed S]

A random sample of the identifiers below each path, which is the workspace, is asked about as an
editor would; names are looked for in every file that has them. Each is asked twice, with a line
more above it the second time: times are those of the second, when what is imported has been read.
Symbols, folds and syntax errors are those of whole files, alone in this process.
"""

import argparse
import asyncio
import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from lsp_server.navigation.names import MOST_FILES
from retrieval.grammars import PYTHON
from retrieval.navigation.named_files import files_named
from retrieval.navigation.navigator import Navigator
from retrieval.navigation.questions import Asked, Question
from retrieval.syntax.faults import fault_of
from retrieval.syntax.folds import folds_of
from retrieval.syntax.symbols import symbols_of
from retrieval.trees import captured, parse, text_of
from retrieval.workspace_files import WorkspaceFiles

SECONDS = 60.0  # a figure about answers, not about a machine
ASKED = (Asked.HOVER, Asked.DEFINITION, Asked.TYPE, Asked.MEANT, Asked.REFERENCES)
OF_FILES: dict[str, Callable[[str], Any]] = {
    "symbols": lambda text: symbols_of("a.py", text),
    "folds": lambda text: folds_of("a.py", text),
    "syntax errors": fault_of,
}


@dataclass(slots=True)
class Times:
    """Milliseconds of the answers to one kind of question, and how many found something."""

    ms: list[float] = field(default_factory=list)
    found: int = 0

    def told(self) -> dict[str, object]:
        return {
            "n": len(self.ms),
            "found": self.found,
            "p50_ms": round(statistics.median(self.ms), 1),
            "p95_ms": round(statistics.quantiles(self.ms, n=20)[-1], 1),
        }


@dataclass(frozen=True, slots=True)
class NameAt:
    """An identifier in a file of a workspace: line and column from 0, in characters."""

    path: Path
    text: str
    name: str
    line: int
    column: int


def names_below(root: Path) -> list[NameAt]:
    found = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for node in captured(parse(text.encode(), PYTHON), PYTHON, "(identifier) @name"):
            if text.isascii():  # bytes are characters then
                point = node.start_point
                found.append(NameAt(path, text, text_of(node), point.row, point.column))
    return found


async def measure(root: Path, points: int, seed: int) -> dict[str, object]:
    rules, navigator = WorkspaceFiles((root,)), Navigator()
    times = {asked.value: Times() for asked in ASKED} | {name: Times() for name in OF_FILES}
    listing = Times()
    names = names_below(root)
    sample = random.Random(seed).sample(names, min(points, len(names)))  # noqa: S311
    try:
        for at in sample:
            started = perf_counter()
            files = files_named(root, rules, at.name, {}, MOST_FILES)
            listing.ms.append((perf_counter() - started) * 1000)
            listing.found += bool(files)
            for asked in ASKED:
                searched = tuple(map(str, files)) if asked is Asked.REFERENCES else ()
                path = str(at.path)
                question = Question(
                    asked, path, str(root), at.line, at.column, {path: at.text}, searched
                )
                await navigator.ask(question, SECONDS)
                moved = {path: "\n" + at.text}
                again = replace(question, line=at.line + 1, opened=moved)
                started = perf_counter()
                found = await navigator.ask(again, SECONDS)
                times[asked.value].ms.append((perf_counter() - started) * 1000)
                times[asked.value].found += found is not None and bool(found.spans or found.code)
        memory = memory_of(navigator.process_id)
    finally:
        navigator.close()
    for text in {at.text for at in sample}:
        for name, look in OF_FILES.items():
            started = perf_counter()
            result = look(text)
            times[name].ms.append((perf_counter() - started) * 1000)
            times[name].found += bool(result)
    return {
        "path": root.name,
        "files": len({at.path for at in names}),
        "memory_mb": memory,
        "files with a name": listing.told(),
        **{name: one.told() for name, one in times.items()},
    }


def memory_of(process: int | None) -> int | None:
    """Resident megabytes, where the system tells."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return None
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for path in given.paths:
        print(
            json.dumps(asyncio.run(measure(path.resolve(), given.points, given.seed))), flush=True
        )


if __name__ == "__main__":
    main()
