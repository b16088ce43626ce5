"""Where models live on disk, and how a name becomes a folder that can be run.

    PIROUETTE_HOME/downloads/            verified GGUF files, and what is still arriving
    PIROUETTE_HOME/models/NAME/          a converted model, complete whenever it is there
    PIROUETTE_HOME/hub/                  Hugging Face repositories

A folder under `models/` appears by one rename once it is whole, and records the sizes of its
files, so that a cut-off file is noticed at the next start and made again.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from models.adapter import UNCHANGED, Adapter, adapter_hash, read_adapter
from models.catalogue import CATALOGUE, PUBLISHED_MODEL, CatalogueEntry, find_entry
from models.config import read_json, write_json
from models.disk import disk_errors, require_space
from models.download import fetch
from models.errors import DamagedModelError, PirouetteError, UnknownModelError
from models.gguf_conversion import convert_gguf
from models.hub import cached_repository, hub_repository
from models.model_folder import is_whole
from models.progress import ProgressCallback, ignore_progress

MANIFEST = "pirouette.json"
ADAPTERS = Path(__file__).parent / "adapters"
CONVERSION_FORMAT = 5  # raised when converted folders must be made again
GROWTH = 8  # bytes of float32 and 8-bit weights for one byte of GGUF, at most


def default_home(environment: Mapping[str, str] = os.environ) -> Path:
    """`PIROUETTE_HOME`, or the platform's folder for user data."""
    chosen = environment.get("PIROUETTE_HOME")
    return Path(os.path.expanduser(chosen or platformdirs.user_data_dir("pirouette")))  # noqa: PTH111


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
            return local_folder(name)
        return cached_repository(name, self.home / "hub")

    def pull(self, name: str, progress: ProgressCallback = ignore_progress) -> Path:
        """The folder of a model, fetched and converted first where needed.

        `name` is a catalogue name, a local folder, or a Hugging Face id. Safe to call from
        several processes at once: one works, the others wait for it.
        """
        entry = known_entry(name)
        if entry is None and is_local(name):
            if (folder := local_folder(name)) is None:
                raise UnknownModelError(f"there is no model folder {name}; check the path")
            return folder
        with disk_errors(self.home):
            self.home.mkdir(parents=True, exist_ok=True)
            if entry is None:
                return hub_repository(name, self.home / "hub", progress)
            return self._ready_folder(entry) or self._make(entry, progress)

    def gguf(self, name: str, progress: ProgressCallback = ignore_progress) -> Path:
        """The file that a catalogue model was converted from, fetched where it is not there.

        None is a model that an adapter has changed.
        """
        if (entry := find_entry(name)) is None:
            names = ", ".join(known.name for known in CATALOGUE if known.adapter is None)
            raise UnknownModelError(f"'{name}' does not come as a GGUF; use one of {names}")
        if entry.adapter is not None:
            raise UnknownModelError(
                f"'{name}' is changed by an adapter and no GGUF; use {PUBLISHED_MODEL}"
            )
        downloads = self.home / "downloads"
        with disk_errors(self.home):
            downloads.mkdir(parents=True, exist_ok=True)
            with self._lock(entry):
                return fetch(entry, downloads, progress)

    def _make(self, entry: CatalogueEntry, progress: ProgressCallback) -> Path:
        downloads, folders = self.home / "downloads", self.home / "models"
        downloads.mkdir(exist_ok=True)
        with self._lock(entry):
            if (ready := self._ready_folder(entry)) is not None:
                return ready
            if not (downloads / entry.file).exists():
                require_space(self.home, 3 * entry.size, f"downloading {entry.name}")
            source = fetch(entry, downloads, progress)
            target, aside = folders / entry.name, folders / f".{entry.name}.partial"
            for unusable in (target, aside):
                if unusable.exists():
                    shutil.rmtree(unusable)
            require_space(self.home, GROWTH * entry.size, f"converting {entry.name}")
            aside.mkdir()
            try:
                convert_gguf(source, aside, progress, packaged_adapter(entry))
                write_manifest(entry, aside)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            return aside.replace(target)

    def _lock(self, entry: CatalogueEntry) -> FileLock:
        """Held by whoever fetches an entry's file, which others may be made from too."""
        folders = self.home / "models"
        folders.mkdir(exist_ok=True)
        return FileLock(folders / f".{entry.file}.lock")

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
    written = name.startswith(("/", ".", "~")) or "\\" in name
    return written or (name != "" and local_folder(name) is not None)


def local_folder(name: str) -> Path | None:
    """The folder of that path; None for a file, a path to nothing, and one that cannot be."""
    path = os.path.expanduser(name)  # noqa: PTH111 - raises nothing, as the next line
    return Path(path) if os.path.isdir(path) else None  # noqa: PTH112


def is_hub_id(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*", name, re.ASCII) is not None


def packaged_adapter(entry: CatalogueEntry) -> Adapter:
    """What changes the weights of an entry's file; the bytes must be those it was made with."""
    if entry.adapter is None:
        return UNCHANGED
    folder = ADAPTERS / entry.adapter.folder
    if adapter_hash(folder) != entry.adapter.sha256:
        raise DamagedModelError(
            f"{folder} is not the adapter it should be; install Pirouette again"
        )
    return read_adapter(folder)


def sources_of(entry: CatalogueEntry) -> dict[str, str | None]:
    """The hashes of all that a converted folder is made from."""
    adapter = None if entry.adapter is None else entry.adapter.sha256
    return {"source_sha256": entry.sha256, "adapter_sha256": adapter}


def write_manifest(entry: CatalogueEntry, folder: Path) -> None:
    sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    manifest = {"format": CONVERSION_FORMAT, **sources_of(entry), "sizes": sizes}
    write_json(folder / MANIFEST, manifest)


def is_complete(entry: CatalogueEntry, folder: Path) -> bool:
    """Whether a converted folder holds every byte that its manifest lists, for this very entry."""
    try:
        manifest = read_json(folder / MANIFEST)
    except PirouetteError:
        return False
    sizes = manifest.get("sizes")
    return (
        manifest.get("format") == CONVERSION_FORMAT
        and all(manifest.get(name) == sha256 for name, sha256 in sources_of(entry).items())
        and isinstance(sizes, dict)
        and all(size_of(folder / name) == size for name, size in sizes.items())
        and is_whole(folder)
    )


def size_of(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None
