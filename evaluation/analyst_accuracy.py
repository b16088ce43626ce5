"""How often a true name is missing from a complete answer, over real dereferences.

    python -P -m evaluation.analyst_accuracy PATH... [--points N] [--seed S] [--cut] [--misses]

Every `x.name` of the Python files below each path is a place whose answer is known. A sample of
them is asked about as an editor would, with the name taken out; with `--cut` the rest of the file
is taken away as well. Files are read as text and never imported.
"""

import argparse
import ast
import json
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from retrieval.analyst.analyst import JediAnalyst
from retrieval.analyst.questions import Question, Wanted


@dataclass(frozen=True, slots=True)
class Dereference:
    """One `x.name` of a file: where the name starts, and the name."""

    path: Path
    start: int
    name: str
    stored: bool


def dereferences(path: Path, text: str) -> Iterator[Dereference]:
    lines = [0]
    data = text.encode()
    for line in data.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for node in ast.walk(ast.parse(data)):
        if not isinstance(node, ast.Attribute) or node.end_lineno is None:
            continue
        end = lines[node.end_lineno - 1] + (node.end_col_offset or 0)
        start = len(data[: end - len(node.attr.encode())].decode())
        if text.startswith(node.attr, start):
            yield Dereference(path, start, node.attr, isinstance(node.ctx, ast.Store))


def sample(root: Path, points: int, seed: int) -> list[Dereference]:
    found: list[Dereference] = []
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            if "\f" not in text and "\r" not in text:
                found += dereferences(path, text)
        except (SyntaxError, UnicodeDecodeError, RecursionError):
            continue
    chosen = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return chosen.sample(found, min(points, len(found)))


def measure(root: Path, points: int, seed: int, *, cut: bool, misses: bool) -> dict[str, object]:
    counts: Counter[str] = Counter()
    times: list[float] = []
    with JediAnalyst(timeout=60) as analyst:
        analyst.wait_until_warm(60)
        for place in sample(root, points, seed):
            text = place.path.read_text(encoding="utf-8")
            before, after = text[: place.start], text[place.start + len(place.name) :]
            question = Question(
                str(place.path), str(root.parent), before, "" if cut else after, Wanted.NAMES
            )
            started = perf_counter()
            answer = analyst.ask(question).result()
            times.append((perf_counter() - started) * 1000)
            counts["asked"] += 1
            if answer is None:
                counts["unanswered"] += 1
                continue
            counts["complete"] += answer.complete
            counts["stored"] += place.stored
            if place.name not in answer.names:
                counts["absent"] += 1
                counts["false_masks"] += answer.complete
                if answer.complete and misses:
                    line = before.count("\n") + 1
                    print(f"{place.path}:{line}: {before[-60:]!r} {place.name}", flush=True)
    n, complete = counts["asked"], counts["complete"]
    return {
        "path": str(root),
        **counts,
        "complete_rate": complete / n,
        "false_mask_rate": counts["false_masks"] / complete if complete else None,
        "p50_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--misses", action="store_true", help="print every false mask")
    given = parser.parse_args()
    for path in given.paths:
        row = measure(path, given.points, given.seed, cut=given.cut, misses=given.misses)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
