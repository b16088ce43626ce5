"""Which packages are learned from, and what must not be among them."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import BadZipFile

from models.download import download_wheel
from models.errors import InputError
from models.progress import Progress, ProgressCallback
from retrieval.wheel_sources import sources_of

LIST = Path(__file__).parent / "corpus.txt"
TASK_FIELDS = ("prompt", "canonical_solution", "suffix")


def listed_packages(file: Path) -> list[tuple[str, str]]:
    """Distributions and versions, as the `name==version` lines of a file name them."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read ({error}); list packages in it") from None
    pairs = [line.partition("==") for line in lines if line.strip() and not line.startswith("#")]
    if wrong := [name for name, _, version in pairs if not version]:
        raise InputError(f"'{wrong[0]}' in {file} has no version; write name==version")
    return [(name.strip(), version.strip()) for name, _, version in pairs]


def fetch_wheels(
    packages: Iterable[tuple[str, str]], folder: Path, progress: ProgressCallback
) -> Iterator[Path]:
    """Their wheels in `folder`, one after the other. Raises `DownloadError`."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(packages)
    for number, (name, version) in enumerate(wanted):
        progress(Progress("fetching packages", number, len(wanted)))
        yield download_wheel(name, version, folder)
    progress(Progress("fetching packages", len(wanted), len(wanted)))


def texts_apart(paths: Iterable[Path]) -> Iterator[str]:
    """The texts that models are judged on: sources of wheels, and tasks of JSON-lines files.

    Raises `InputError` for what cannot be read.
    """
    for path in paths:
        try:
            if path.suffix == ".whl":
                yield from sources_of(path).values()
            else:
                yield from task_texts(path)
        except (OSError, EOFError, ValueError, AttributeError, BadZipFile, zlib.error) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{path} cannot be read ({reason}); name a wheel or a JSON-lines file"
            ) from None


def task_texts(file: Path) -> Iterator[str]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8")
    for line in text.split("\n"):
        if line.strip():
            task = json.loads(line)
            yield "".join(str(task.get(field, "")) for field in TASK_FIELDS)
