"""`pirouette doctor`: what works on this machine, and what to do about what does not."""

import os
import platform
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from lsp_server.index_command import index_file, shown_path
from models.catalogue import DEFAULT_MODEL, find_entry
from models.device import number_format, preferred_device
from models.embedding_models import DEFAULT_EMBEDDING, ready_folder
from models.errors import PirouetteError
from models.store import GROWTH, ModelStore
from models.tokenizer import CodeTokenizer
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.questions import Question, Wanted
from retrieval.index.database import open_existing

GIB = 2**30
PATIENCE = 20.0  # seconds for static analysis to start, and to answer


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do where it does not work."""

    subject: str
    works: bool
    detail: str
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "works": self.works,
            "detail": self.detail,
            "advice": self.advice,
        }


def examine(home: Path) -> list[Finding]:
    """Look at everything a suggestion needs, in the order it is needed."""
    return [
        examine_python(),
        examine_torch(),
        examine_home(home),
        *examine_model(home),
        examine_analysis(ProcessAnalyst(timeout=PATIENCE)),
        examine_search(home),
        examine_index(Path.cwd()),
    ]


def examine_python() -> Finding:
    ours = version("pirouette-lsp")
    return Finding("pirouette", True, f"{ours} on Python {platform.python_version()}")


def examine_torch() -> Finding:
    import torch

    device = preferred_device()
    name = "CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)
    detail = (
        f"{torch.__version__}, {name}, {number_format(device)}, {torch.get_num_threads()} threads"
    )
    return Finding("torch", True, detail)


def examine_home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return Finding(
            "home", False, f"{home} cannot be written", "set PIROUETTE_HOME to another folder"
        )
    free = shutil.disk_usage(existing).free
    return Finding("home", True, f"{home}, {free / GIB:.0f} GiB free")


def examine_model(home: Path) -> list[Finding]:
    entry = find_entry(DEFAULT_MODEL)
    assert entry is not None
    folder = ModelStore(home).find(DEFAULT_MODEL)
    if folder is None:
        advice = (
            f"run 'pirouette models pull' ({entry.size / 1e6:.0f} MB to fetch, "
            f"{GROWTH * entry.size / 1e9:.0f} GB on disk once converted)"
        )
        return [Finding("model", False, f"{DEFAULT_MODEL} is not here yet", advice)]
    try:
        CodeTokenizer(folder)
    except PirouetteError as error:
        return [Finding("model", False, str(error), f"remove {folder} and pull it again")]
    return [Finding("model", True, f"{DEFAULT_MODEL} in {folder}")]


def examine_analysis(analyst: ProcessAnalyst) -> Finding:
    """Ask what any analysis must know, as a suggestion would."""
    question = Question("", "", "import os\nos.path.", "\n", Wanted.NAMES)
    with analyst:
        warm = analyst.wait_until_warm(PATIENCE)
        started = perf_counter()
        answer = analyst.ask(question).result()
        milliseconds = 1e3 * (perf_counter() - started)
    if answer is None or "join" not in answer.names:
        said = "is wrong" if answer else "does not answer" if warm else "does not start"
        return Finding(
            "analysis",
            False,
            f"static analysis {said}: suggestions may name what does not exist",
            "run 'pirouette serve' by hand and look for what it logs of the analysis process",
        )
    return Finding("analysis", True, f"jedi {version('jedi')}, a question in {milliseconds:.0f} ms")


def examine_search(home: Path) -> Finding:
    """Whether there is what searches words, and what searches meaning."""
    with closing(sqlite3.connect(":memory:")) as connection:
        options = {option for (option,) in connection.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" not in options:
        advice = "use a Python whose SQLite has FTS5, as those of python.org and of uv have"
        return Finding("search", False, f"SQLite {sqlite3.sqlite_version} has no FTS5", advice)
    name = DEFAULT_EMBEDDING.name
    size = f"fetched with the first 'pirouette search' ({DEFAULT_EMBEDDING.size / 1e6:.0f} MB)"
    place = ready_folder(home) or size
    return Finding("search", True, f"SQLite {sqlite3.sqlite_version}, {name}: {place}")


def examine_index(folder: Path) -> Finding:
    """What is indexed of a folder. That nothing is yet is no fault: it is, once it is wanted."""
    file = index_file(folder)
    try:
        database = open_existing(file)
        if database is None:
            return Finding("index", True, f"{shown_path(folder)} is not indexed yet")
        with closing(database):
            counts, left = database.count(), database.count_without_vector()
        written = datetime.fromtimestamp(file.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
    except (sqlite3.Error, OSError) as error:
        advice = "wait for the program that uses it, or remove it and run 'pirouette index'"
        return Finding("index", False, f"{file} cannot be read ({error})", advice)
    detail = (
        f"{shown_path(folder)}: {counts['file']} files, {counts['declaration']} declarations, "
        f"{left} texts without vectors, written {written}"
    )
    return Finding("index", True, detail)


def print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{'ok' if finding.works else 'no':3} {finding.subject:10} {finding.detail}")
        if finding.advice:
            print(f"    {'':10} -> {finding.advice}")
