"""The Hugging Face hub: one file, or the files of a repository that a model needs.

The hub is given a short time to answer, so that a machine without it loses seconds. Its client
library is imported only when it is asked for something.
"""

import http.client
import threading
import urllib.error
import urllib.request
from pathlib import Path

from models.catalogue import HubFile
from models.disk import FULL, system_error
from models.errors import Cancelled, DownloadError, PirouetteError
from models.model_folder import is_whole
from models.progress import Progress, ProgressCallback

CONNECT_SECONDS = 3.0
REPOSITORY_FILES = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("model*.safetensors", "model.safetensors.index.json"),
)


def hub_file(hub: HubFile, folder: Path, progress: ProgressCallback) -> Path:
    """Download one file below `folder`; a broken connection is taken up again where it broke."""
    from huggingface_hub import hf_hub_download

    endpoint = hub_that_answers()
    try:
        arrived = hf_hub_download(
            hub.repository,
            hub.file,
            local_dir=folder,
            endpoint=endpoint,
            etag_timeout=CONNECT_SECONDS,
            tqdm_class=tqdm_reporting_to(progress),
        )
    except Exception as error:
        raise as_download_error(error) from None
    return Path(arrived)


def hub_repository(repository: str, folder: Path, progress: ProgressCallback) -> Path:
    """A repository's configuration, tokenizer and safetensors weights, in the hub's own cache.

    Without the network, what an earlier call brought is used.
    """
    from huggingface_hub import snapshot_download

    progress(Progress("downloading", 0, 1))
    try:
        endpoint = hub_that_answers()
    except DownloadError:
        if (present := cached_repository(repository, folder)) is not None:
            return present
        raise DownloadError(
            f"the hub cannot be reached to fetch '{repository}'; check the network, or name "
            "a local folder or a model of 'pirouette models list'"
        ) from None
    try:
        arrived = snapshot_download(
            repository,
            cache_dir=folder,
            endpoint=endpoint,
            allow_patterns=list(REPOSITORY_FILES),
            etag_timeout=CONNECT_SECONDS,
            tqdm_class=tqdm_reporting_to(progress),
        )
    except Exception as error:
        raise as_download_error(error, f"the hub did not deliver '{repository}': ") from None
    return Path(arrived)


def cached_repository(repository: str, folder: Path) -> Path | None:
    """The newest snapshot of a repository in which nothing is missing."""
    snapshots = folder / f"models--{repository.replace('/', '--')}" / "snapshots"
    whole = filter(is_whole, snapshots.glob("*"))
    return max(whole, key=lambda snapshot: snapshot.stat().st_mtime, default=None)


def as_download_error(error: Exception, prefix: str = "") -> Exception:
    """What to raise for a failure of the hub's client.

    Its exceptions have no common base and change with the HTTP library beneath it, so callers
    catch all of them; a full disk and what the progress callback raises stay what they are.
    """
    if isinstance(error, Cancelled | PirouetteError):
        return error
    if (refusal := system_error(error)) is not None and refusal.errno in FULL:
        return refusal
    first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return DownloadError(f"{prefix}{first_line.rstrip('.')}")


def hub_that_answers() -> str:
    """The hub's address; fails within seconds without it, while its own client retries for long."""
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    if constants.HF_HUB_OFFLINE:
        raise DownloadError("switched off by HF_HUB_OFFLINE")
    if not answers(address := hub_address()):
        raise DownloadError("no answer")
    # What goes wrong is told by the error that ends it.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    return address


def hub_address() -> str:
    """The hub that `HF_ENDPOINT` names, or the public one."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def answers(endpoint: str) -> bool:
    """Whether a server answers there in time, the look-up of its name included."""
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310 - http(s)
        try:
            urllib.request.urlopen(request, timeout=CONNECT_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError:
            pass
        except (OSError, ValueError, http.client.HTTPException):
            done.set()
            return
        answered.set()
        done.set()

    # A name look-up knows no time limit, so it is left behind when it takes too long.
    done = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    done.wait(2 * CONNECT_SECONDS)
    return answered.is_set()


class Silent:
    """A text stream that nobody reads."""

    def write(self, _: str) -> None: ...

    def flush(self) -> None: ...


def tqdm_reporting_to(progress: ProgressCallback) -> type:
    """A tqdm class that draws nothing and reports bytes to `progress`."""
    from tqdm.auto import tqdm

    class Reporting(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            options |= {"disable": False, "file": Silent()}
            options.pop("name", None)
            super().__init__(*arguments, **options)

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            if self.unit == "B":  # a repository is also counted in files
                progress(Progress("downloading", int(self.n), int(self.total or 0)))
            return shown

    return Reporting
