"""What the command lines of the project share: their parser, and options of several benchmarks."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from models.errors import InputError

GOES_ON = "each outcome as JSONL; goes on from there"


class OneLineParser(argparse.ArgumentParser):
    """Refuses wrong usage in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see '{self.prog} --help'")


def add_bench(
    benches: "argparse._SubParsersAction[OneLineParser]",
    name: str,
    help_text: str,
    run: Callable[..., Any],
) -> argparse.ArgumentParser:
    """A benchmark with the options that all of them have."""
    added = benches.add_parser(name, help=help_text, description=help_text)
    added.set_defaults(bench=run)
    added.add_argument("--model", metavar="NAME", help="as for 'pirouette complete'")
    added.add_argument("--limit", type=positive, metavar="N", help="only so many tasks")
    added.add_argument("--seed", type=int, default=0, metavar="S")
    added.add_argument("--json", action="store_true", help="print one JSON object")
    added.add_argument("--exact", action="store_true", help="float32 weights, not 8 bits (CPU)")
    return added


def add_replay(
    benches: "argparse._SubParsersAction[OneLineParser]",
    name: str,
    help_text: str,
    run: Callable[..., Any],
    samples: str,
) -> argparse.ArgumentParser:
    """A benchmark that works in repositories; `samples` says what it keeps of that."""
    added = add_bench(benches, name, help_text, run)
    added.add_argument("repositories", type=Path, nargs="*", metavar="REPOSITORY")
    added.add_argument("--samples", type=Path, metavar="PATH", help=samples)
    return added


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
