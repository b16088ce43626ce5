"""Which packages are learned from, and what must not be among them."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.download import download_wheel
from models.errors import DownloadError, InputError
from models.progress import Progress, ProgressCallback
from retrieval.wheel_sources import sources_of

LIST = Path(__file__).parent / "corpus.txt"
TASK_FIELDS = ("prompt", "canonical_solution", "suffix")


def listed_packages(file: Path = LIST) -> list[tuple[str, str]]:
    """Distributions and versions, as `name==version` lines name them."""
    lines = file.read_text(encoding="utf-8").split("\n")
    pairs = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return [(name, version) for name, _, version in pairs]


def fetch_wheels(
    packages: Iterable[tuple[str, str]], folder: Path, progress: ProgressCallback
) -> Iterator[Path]:
    """Their wheels in `folder`, one after the other; one that cannot be had is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(packages)
    for number, (name, version) in enumerate(wanted):
        progress(Progress("fetching packages", number, len(wanted)))
        try:
            yield download_wheel(name, version, folder)
        except DownloadError:
            continue
    progress(Progress("fetching packages", len(wanted), len(wanted)))


def texts_apart(paths: Iterable[Path]) -> Iterator[str]:
    """The texts that models are judged on: sources of wheels, and tasks of JSON-lines files."""
    for path in paths:
        if path.suffix == ".whl":
            yield from sources_of(path).values()
        elif path.name.endswith((".jsonl", ".jsonl.gz")):
            yield from task_texts(path)
        else:
            raise InputError(f"{path} is no wheel and no JSON-lines file; name one of those")


def task_texts(file: Path) -> Iterator[str]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8")
    for line in text.split("\n"):
        if line.strip():
            task = json.loads(line)
            yield "".join(str(task.get(field, "")) for field in TASK_FIELDS)
