"""What the benchmarks' repositories import, for analysers that read files: as if it were installed.

A developer has a project's dependencies at hand, and so has whatever analyses the project for them.
They are fetched with pip as wheels of pinned versions, of which the Python files and stubs are laid
out as in an environment, or all files, for generated programs that import them. Nothing is
installed, built or run here.
"""

import hashlib
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from models.download import download_wheels
from models.errors import DownloadError, InputError
from models.progress import Progress, ProgressCallback

LISTS = Path(__file__).parent / "requirements"
DEVELOPMENT_PACKAGES = LISTS / "development.txt"
OTHER_PACKAGES = LISTS / "others.txt"  # of the unseen repositories that are not for development
TORCHDATA, PANDAS = LISTS / "torchdata.txt", LISTS / "pandas.txt"  # with what they import
SITE = f"lib/python3.{sys.version_info.minor}/site-packages"


def fetch_packages(
    pinned: Path, folder: Path, progress: ProgressCallback, *, whole: bool = False
) -> Path:
    """The environment with the packages that a file lists, made in `folder` once: what is to be
    read of them, or the `whole` of them.

    Raises `DownloadError`.
    """
    requirements = pinned.read_text(encoding="utf-8").split()
    key = "\n".join([SITE, *requirements]).encode()
    kind = "libraries" if whole else "packages"
    environment = folder / f"{kind}-{hashlib.sha256(key).hexdigest()[:12]}"
    if environment.exists():
        return environment
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="arriving-", dir=folder) as arriving:
        made, wheels = Path(arriving) / "environment", Path(arriving) / "wheels"
        wheels.mkdir()
        progress(Progress("fetching packages", 0, len(requirements)))
        download_wheels(requirements, wheels)
        for number, wheel in enumerate(sorted(wheels.glob("*.whl"))):
            progress(Progress("fetching packages", number, len(requirements)))
            unpack(wheel, made / SITE, whole=whole)
        progress(Progress("fetching packages", len(requirements), len(requirements)))
        made.replace(environment)
    return environment


def unpack(wheel: Path, site: Path, *, whole: bool) -> None:
    """Write the Python files and stubs of a wheel, or all files, to where they are installed."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, place in files_in(archive):
                if not whole and not is_read(place):
                    continue
                target = site / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DownloadError(f"{wheel.name} is damaged ({error}); try again") from None


def is_read(place: PurePosixPath) -> bool:
    """Whether it is a file that tells analysers something."""
    return place.suffix in (".py", ".pyi") or place.name == "py.typed"


def files_in(archive: zipfile.ZipFile) -> Iterator[tuple[str, PurePosixPath]]:
    """Each file of a wheel, and where it is installed."""
    for name in archive.namelist():
        place = PurePosixPath(name)
        if name.endswith("/"):
            continue
        if place.is_absolute() or ".." in place.parts or ":" in name or "\\" in name:
            raise InputError(f"{name} leads out of its wheel")
        if place.parts[0].endswith(".data"):
            if place.parts[1] not in ("purelib", "platlib"):
                continue
            place = PurePosixPath(*place.parts[2:])
        yield name, place
