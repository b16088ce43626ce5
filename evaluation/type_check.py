"""Which attributes and names a type checker cannot find on some lines of changed files.

The checker is basedpyright, on its command line. It reads sources and runs none. It is given each
changed text as one more file beside the one it was made from, so that its imports, relative ones
too, lead where they did.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evaluation.source_folder import write_sources
from models.errors import InputError, PirouetteError

# Names that are not there. Values that may be None or unbound depend on the flow of the rest of
# a function, which is held out; calls and types of arguments are no identifiers.
RULES = ("reportAttributeAccessIssue", "reportFunctionMemberAccess", "reportUndefinedVariable")
SYNTAX = "syntax"
BATCH = 200  # files a run: it bounds memory, and progress is told after each
SECONDS = 1800  # of one run; 200 files take about one minute


class TypeCheckError(PirouetteError):
    """The type checker gave no answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule and what the checker says; `syntax` where the text cannot be parsed."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """Another text for the file at `path`, and the lines, from 1 on, whose faults count."""

    path: str
    text: str
    first: int
    last: int


def require_checker() -> None:
    """Raise `InputError` where the checker is not installed."""
    if importlib.util.find_spec("basedpyright") is None:
        raise InputError(
            "the type checker is not installed; install it with "
            "pip install 'pirouette-lsp[evaluation]'"
        )


def check_files(
    files: Mapping[str, str],
    changed: Sequence[ChangedFile],
    told: Callable[[int], None],
    environment: Path | None = None,
) -> list[frozenset[Fault]]:
    """The faults of each changed file among the `files` of its repository, in order.

    Texts that are the same are read once. Third-party imports are looked up in the `environment`,
    without one in that which this process runs in; of what is not there nothing is known, and no
    fault found. `told` gets the number of changed files that are done. Raises `TypeCheckError`.
    """
    found: list[frozenset[Fault]] = []
    with tempfile.TemporaryDirectory(prefix="pirouette-types-") as scratch:
        folder = Path(scratch).resolve()
        write_sources(files, folder)
        for start in range(0, len(changed), BATCH):
            part = changed[start : start + BATCH]
            names = beside(part, files)
            texts = {name: text for (_, text), name in names.items()}
            write_sources(texts, folder)
            by_file = faults_by_file(run_checker(folder, sorted(texts), environment), folder)
            found += [
                frozenset(
                    fault
                    for line, fault in by_file.get(names[one.path, one.text], ())
                    if one.first <= line <= one.last
                )
                for one in part
            ]
            for name in texts:
                (folder / name).unlink()
            told(len(found))
    return found


def beside(changed: Iterable[ChangedFile], files: Collection[str]) -> dict[tuple[str, str], str]:
    """A path for each different text: in the same folder, under a name that none of the `files`
    has."""
    names: dict[tuple[str, str], str] = {}
    mark = "__changed_"
    while any(mark in path for path in files):
        mark += "_"
    for one in changed:
        original = PurePosixPath(one.path)
        name = f"{original.stem}{mark}{len(names)}.py"
        names.setdefault((one.path, one.text), str(original.with_name(name)))
    return names


def run_checker(
    folder: Path, paths: Sequence[str], environment: Path | None = None
) -> dict[str, Any]:
    """The checker's report on these files of a folder."""
    settings = folder / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": list(paths),
                "exclude": [],
                "typeCheckingMode": "off",
                "enableTypeIgnoreComments": False,
                "pythonPlatform": "Linux",
                **dict.fromkeys(RULES, "error"),
                **in_environment(environment),
            }
        )
    )
    command = [sys.executable, "-P", "-m", "basedpyright", "--outputjson"]
    command += ["--project", str(settings)]
    if environment is None:
        command += ["--pythonpath", sys.executable]
    # Neither the folder nor anything that the caller's own path names may be imported or run.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            cwd=Path(sys.prefix),
            env=own,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        report: dict[str, Any] = json.loads(done.stdout)
        read = int(report["summary"]["filesAnalyzed"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise TypeCheckError(f"the type checker gave no answer ({type(error).__name__})") from None
    if read != len(paths):
        raise TypeCheckError(f"the type checker read {read} of {len(paths)} files")
    return report


def in_environment(folder: Path | None) -> dict[str, str]:
    """The settings by which the checker, which runs elsewhere, finds packages in an environment
    that it is not to run."""
    if folder is None:
        return {}
    return {"venvPath": str(folder.absolute().parent), "venv": folder.absolute().name}


def faults_by_file(report: Mapping[str, Any], folder: Path) -> dict[str, list[tuple[int, Fault]]]:
    """The faults that count, each with its line from 1 on, by path in the folder."""
    found: dict[str, list[tuple[int, Fault]]] = {}
    for one in report["generalDiagnostics"]:
        rule = one.get("rule", SYNTAX)
        if one["severity"] != "error" or rule not in (*RULES, SYNTAX):
            continue
        path = Path(one["file"]).relative_to(folder).as_posix()
        fault = Fault(rule, one["message"])
        found.setdefault(path, []).append((one["range"]["start"]["line"] + 1, fault))
    return found
