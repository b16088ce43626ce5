"""Where models live on disk, and how a name becomes a folder that can be run.

    PIROUETTE_HOME/downloads/            verified GGUF files, and what is still arriving
    PIROUETTE_HOME/models/NAME/          a converted model, complete whenever it is there
    PIROUETTE_HOME/hub/                  Hugging Face repositories

A folder under `models/` appears by one rename once it is whole, and records the sizes of its
files, so that a cut-off file is noticed at the next start and made again.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from models.catalogue import CATALOGUE, CatalogueEntry, find_entry
from models.config import read_json
from models.download import disk_errors, fetch, fetch_repository, require_space
from models.errors import DamagedModelError, PirouetteError, UnknownModelError
from models.gguf_conversion import convert_gguf, write_json
from models.progress import ProgressCallback, ignore_progress

MANIFEST = "pirouette.json"
CONVERSION_FORMAT = 1  # raised when converted folders must be made again
FLOAT32_GROWTH = 6  # bytes of float32 weights for one byte of GGUF, at most


def default_home(environment: Mapping[str, str] = os.environ) -> Path:
    """`PIROUETTE_HOME`, or the platform's folder for user data."""
    chosen = environment.get("PIROUETTE_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("pirouette"))


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A catalogue entry and the folder of its converted model, if it is ready."""

    entry: CatalogueEntry
    folder: Path | None


class ModelStore:
    """The models under one home folder."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def statuses(self) -> list[ModelStatus]:
        """Every catalogue entry, in order."""
        return [ModelStatus(entry, self._ready_folder(entry)) for entry in CATALOGUE]

    def find(self, name: str) -> Path | None:
        """The folder of a model that is ready to run, without fetching anything."""
        if (entry := known_entry(name)) is not None:
            return self._ready_folder(entry)
        if is_local(name):
            folder = Path(name).expanduser()
            return folder if folder.is_dir() else None
        snapshots = self.home / "hub" / f"models--{name.replace('/', '--')}" / "snapshots"
        return max(snapshots.glob("*"), key=lambda p: p.stat().st_mtime, default=None)

    def pull(self, name: str, progress: ProgressCallback = ignore_progress) -> Path:
        """The folder of a model, fetched and converted first where needed.

        `name` is a catalogue name, a local folder, or a Hugging Face id. Safe to call from
        several processes at once: one works, the others wait for it.
        """
        entry = known_entry(name)
        if entry is None and is_local(name):
            folder = Path(name).expanduser()
            if not folder.is_dir():
                raise UnknownModelError(f"there is no model folder {folder}; check the path")
            return folder
        with disk_errors(self.home):
            self.home.mkdir(parents=True, exist_ok=True)
            if entry is None:
                return fetch_repository(name, self.home / "hub", progress)
            return self._ready_folder(entry) or self._make(entry, progress)

    def _make(self, entry: CatalogueEntry, progress: ProgressCallback) -> Path:
        downloads, folders = self.home / "downloads", self.home / "models"
        downloads.mkdir(exist_ok=True)
        folders.mkdir(exist_ok=True)
        with FileLock(folders / f".{entry.name}.lock"):
            if (ready := self._ready_folder(entry)) is not None:
                return ready
            if not (downloads / entry.file).exists():
                require_space(self.home, 3 * entry.size, f"downloading {entry.name}")
            source = fetch(entry, downloads, progress)
            require_space(self.home, FLOAT32_GROWTH * entry.size, f"converting {entry.name}")
            target, aside = folders / entry.name, folders / f".{entry.name}.partial"
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            try:
                convert_gguf(source, aside, progress)
                write_manifest(entry, aside)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            if target.exists():
                shutil.rmtree(target)
            aside.replace(target)
            return target

    def _ready_folder(self, entry: CatalogueEntry) -> Path | None:
        folder = self.home / "models" / entry.name
        return folder if is_complete(entry, folder) else None


def known_entry(name: str) -> CatalogueEntry | None:
    """The catalogue entry, or None for a path or a Hugging Face id; any other name is refused."""
    entry = find_entry(name)
    if entry is None and not is_local(name) and not is_hub_id(name):
        names = ", ".join(known.name for known in CATALOGUE)
        raise UnknownModelError(
            f"unknown model '{name}'; use one of {names}, a local folder, or a Hugging Face "
            "id such as OWNER/NAME"
        )
    return entry


def is_local(name: str) -> bool:
    """Whether a model name is meant as a path: it exists, or is written like one."""
    return name.startswith(("/", ".", "~")) or Path(name).is_dir() or "\\" in name


def is_hub_id(name: str) -> bool:
    owner, slash, model = name.partition("/")
    return bool(owner and slash and model) and "/" not in model and " " not in name


def write_manifest(entry: CatalogueEntry, folder: Path) -> None:
    sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    manifest = {"format": CONVERSION_FORMAT, "source_sha256": entry.sha256, "sizes": sizes}
    write_json(folder / MANIFEST, manifest)


def is_complete(entry: CatalogueEntry, folder: Path) -> bool:
    """Whether a converted folder holds every byte that its manifest lists, for this very entry."""
    try:
        manifest = read_json(folder / MANIFEST)
    except (PirouetteError, DamagedModelError):
        return False
    return (
        manifest.get("format") == CONVERSION_FORMAT
        and manifest.get("source_sha256") == entry.sha256
        and all(
            (folder / name).is_file() and (folder / name).stat().st_size == size
            for name, size in manifest.get("sizes", {}).items()
        )
    )
