"""What a figure needs beside it to be made again: commit, machine and command.

Nothing here may name the machine, its user or its folders: results are published.
"""

import os
import platform
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from evaluation.results import BenchResult, Row
from models.language_model import LanguageModel
from models.processor import processor_count

DISTRIBUTION = "pirouette-lsp"
SOURCE = Path(__file__).resolve().parent.parent
# What a repository's own settings could have git run, or fetch.
UNARMED = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager")
GIT_SECONDS = 10


def made_here(bench: str, command: str, seed: int, rows: Iterable[Row]) -> BenchResult:
    """The rows of a benchmark with all that is needed to make them again."""
    return BenchResult(bench, own_commit(), this_machine(), command, seed, tuple(rows))


def run_name(bench: str, model: LanguageModel, arms: Iterable[str]) -> str:
    """What must be the same for results of two runs to be counted together."""
    numbers = "8 bits" if model.decoder.quantised else "exact"
    by = f", adapter {model.adapter[:12]}" if model.adapter else ""
    return f"{bench}, {model.name}{by}, {numbers}, {', '.join(arms)}, commit {own_commit()}"


def own_commit(source: Path = SOURCE) -> str:
    """The commit of Pirouette's own checkout, with `-dirty` where tracked files differ from it.

    Where `source` is no checkout of its own, as in an installed package that merely lies inside
    somebody's repository, the package's version.
    """
    top = git(source, "rev-parse", "--show-toplevel")
    if top and Path(top).resolve() == source and (commit := git(source, "rev-parse", "HEAD")):
        changed = git(source, "status", "--porcelain", "--untracked-files=no")
        return f"{commit}-dirty" if changed else commit
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def git(folder: Path, *arguments: str) -> str:
    """What git answers, or an empty string where it cannot; nothing is run that is named there."""
    try:
        done = subprocess.run(
            ["git", *UNARMED, "-C", str(folder), *arguments],
            env={**os.environ, "GIT_NO_LAZY_FETCH": "1"},
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def this_machine() -> str:
    """The processor, the cores this process may use, and torch's threads."""
    parts = [
        processor(),
        counted(processor_count(), "core"),
        counted(torch.get_num_threads(), "torch thread"),
    ]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's model name; its architecture where the system does not tell more."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def shown_command(arguments: Sequence[str]) -> str:
    """The command line with these arguments, as text; absolute paths are cut to their last part."""
    shown = shlex.join(["pirouette", *map(without_folders, arguments)])
    return shown.encode(errors="replace").decode()


def without_folders(argument: str) -> str:
    option, equals, value = argument.partition("=")
    if equals and option.startswith("--"):
        return f"{option}={without_folders(value)}"
    if Path(argument).is_absolute() or argument.startswith("~"):
        return Path(argument).name or argument
    return argument
