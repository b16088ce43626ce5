"""How often a true name is missing from a complete answer, over real dereferences.

    python -P -m evaluation.analyst_accuracy PATH... [--points N] [--seed S] [--cut] [--misses]

Every `x.name` of the source files below each path is a place whose answer is known, in TypeScript
and JavaScript also every name that is imported. A sample of them is asked about as an editor would,
with the name taken out; with `--cut` the rest of the file is taken away as well. Each is asked
twice, the second time with a line more above it: times are those of the second, when the file and
what it imports have been read. Files are read as text and never imported.
"""

import argparse
import ast
import json
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

from evaluation.intervals import wilson
from evaluation.source_offsets import SourceOffsets
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.questions import Question, Wanted
from retrieval.grammars import DECLARED_SUFFIXES, GO, PYTHON, grammar_of
from retrieval.trees import captured, parse, text_of

SUFFIXES = (".py", *DECLARED_SUFFIXES)
NAMES = """[(member_expression property: (property_identifier) @name)
    (nested_type_identifier name: (_) @name) (import_specifier name: (_) @name)]"""
GO_NAMES = "[(selector_expression field: (_) @name) (qualified_type name: (_) @name)]"
PATIENCE = 30.0  # seconds: a figure about answers, not about a machine


@dataclass(frozen=True, slots=True)
class Dereference:
    """One `x.name` of a file: where the name starts, and the name."""

    path: Path
    start: int
    name: str


def dereferences(path: Path, text: str) -> Iterator[Dereference]:
    """Raises `SyntaxError`, `ValueError` or `RecursionError` for a Python file that is none."""
    grammar = grammar_of(str(path))
    if grammar is None or grammar is PYTHON:
        yield from python_dereferences(path, text)
        return
    data = text.encode()
    for node in captured(parse(data, grammar), grammar, GO_NAMES if grammar is GO else NAMES):
        whole = node.parent
        around = whole.parent if whole is not None else None
        if around is None or around.child_by_field_name("left") != whole:
            yield Dereference(path, len(data[: node.start_byte].decode()), text_of(node))


def python_dereferences(path: Path, text: str) -> Iterator[Dereference]:
    offsets = SourceOffsets(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            start = offsets.at(node.end_lineno, node.end_col_offset) - len(node.attr)
            if text.startswith(node.attr, start):
                yield Dereference(path, start, node.attr)


def sample(root: Path, points: int, seed: int) -> list[Dereference]:
    found: list[Dereference] = []
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if path.suffix not in SUFFIXES or path.name.endswith(".d.ts"):
            continue
        try:
            found += dereferences(path, path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError):
            continue
    chosen = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return chosen.sample(found, min(points, len(found)))


def question(root: Path, place: Dereference, *, cut: bool) -> Question:
    text = place.path.read_text(encoding="utf-8")
    after = "" if cut else text[place.start + len(place.name) :]
    return Question(str(place.path), str(root), text[: place.start], after, Wanted.NAMES)


def with_a_line_more(asked: Question) -> Question:
    return replace(asked, before="\n" + asked.before)


def measure(path: Path, points: int, seed: int, *, cut: bool, misses: bool) -> dict[str, object]:
    root = path.parent
    counts: Counter[str] = Counter()
    times: list[float] = []
    with ProcessAnalyst(timeout=2 * PATIENCE, patience=PATIENCE) as analyst:
        analyst.wait_until_warm(2 * PATIENCE)
        for place in sample(path, points, seed):
            asked = question(root, place, cut=cut)
            answer = analyst.ask(asked).result()
            started = perf_counter()
            analyst.ask(with_a_line_more(asked)).result()
            times.append((perf_counter() - started) * 1000)
            counts["asked"] += 1
            if answer is None:
                continue
            counts["answered"] += 1
            counts["complete"] += answer.complete
            counts["absent"] += place.name not in answer.names
            if answer.complete and place.name not in answer.names:
                counts["false_masks"] += 1
                if misses:
                    line = asked.before.count("\n") + 1
                    print(f"{place.path}:{line}: {asked.before[-60:]!r} {place.name}", flush=True)
    complete, masked = counts["complete"], counts["false_masks"]
    return {
        "path": path.name,
        **counts,
        "complete_rate": asdict(wilson(complete, counts["asked"])),
        "false_mask_rate": asdict(wilson(masked, complete)) if complete else None,
        "p50_ms": round(statistics.median(times)),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", action="store_true", help="take away what follows, too")
    parser.add_argument("--misses", action="store_true", help="print every false mask")
    given = parser.parse_args()
    for path in given.paths:
        row = measure(path, given.points, given.seed, cut=given.cut, misses=given.misses)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
