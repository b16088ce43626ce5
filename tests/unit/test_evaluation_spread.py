"""Work spread over a cluster of two nodes: the same results in order, whoever is lost."""

import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

import models
from evaluation.kept_results import KeptResults
from evaluation.spread import spread
from models.errors import InputError
from tests.unit.workspaces import write_files

ITEMS = list(range(12))
SQUARES = [item * item for item in ITEMS]
PATIENCE = 60.0  # seconds until a second worker must be there


@dataclass(frozen=True, slots=True)
class Square:
    value: int


@contextmanager
def squares() -> Iterator[Callable[[int], int]]:
    yield lambda item: item * item


@contextmanager
def beside_another(folder: Path) -> Iterator[Callable[[int], int]]:
    """Each item's process, once there are two of them."""

    def work(_: int) -> int:
        (folder / str(os.getpid())).touch()
        ends = time.monotonic() + PATIENCE
        while len(list(folder.iterdir())) < 2 and time.monotonic() < ends:
            time.sleep(0.01)
        return os.getpid()

    yield work


@contextmanager
def where_models_are() -> Iterator[Callable[[int], str]]:
    yield lambda _: str(models.__file__)


@contextmanager
def lost_at(item: int, folder: Path) -> Iterator[Callable[[int], int]]:
    """A worker whose process is killed at an item the first time that anyone does it."""

    def work(given: int) -> int:
        if given == item:
            try:
                (folder / str(item)).touch(exist_ok=False)
            except FileExistsError:
                return given * given
            os.kill(os.getpid(), signal.SIGKILL)
        return given * given

    yield work


@contextmanager
def always_lost() -> Iterator[Callable[[int], int]]:
    def work(_: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    yield work


@contextmanager
def refuses() -> Iterator[Callable[[int], int]]:
    def work(item: int) -> int:
        raise InputError(f"{item} cannot be done")

    yield work


@contextmanager
def cut_off() -> Iterator[Callable[[int], int]]:
    def work(item: int) -> int:
        if item == ITEMS[7]:
            raise InputError("the run is cut off")
        return item * item

    yield work


@contextmanager
def cannot_start() -> Iterator[Callable[[int], int]]:
    raise InputError("there is no model")


@pytest.fixture(params=["here", "cluster"])
def address(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("cluster") if request.param == "cluster" else None


def nothing(_: int, __: object) -> None:
    """Nobody waits for results."""


def test_results_are_in_order_and_each_is_given_as_it_comes(address: str | None) -> None:
    given: dict[int, int] = {}
    assert spread(ITEMS, squares, address, given.__setitem__) == SQUARES
    assert given == dict(zip(ITEMS, SQUARES, strict=True))


def test_where_there_is_nothing_to_do_no_worker_is_made() -> None:
    assert spread([], cannot_start, "127.0.0.1:1", nothing) == []


def test_results_that_are_kept_as_they_come_are_not_made_again(tmp_path: Path) -> None:
    kept = KeptResults(tmp_path / "samples.jsonl", "run", Square)

    def keep(item: int, square: int) -> None:
        kept.add(str(item), [Square(square)])

    with pytest.raises(InputError, match="is cut off"):
        spread(ITEMS, cut_off, None, keep)
    kept = KeptResults(tmp_path / "samples.jsonl", "run", Square)
    left = [item for item in ITEMS if kept.find(str(item)) is None]
    assert left == ITEMS[7:]
    spread(left, squares, None, keep)
    kept = KeptResults(tmp_path / "samples.jsonl", "run", Square)
    assert [kept.find(str(item)) for item in ITEMS] == [[Square(one)] for one in SQUARES]


def test_what_a_worker_raises_ends_the_run(address: str | None) -> None:
    with pytest.raises(InputError, match=r"^\d+ cannot be done$"):
        spread(ITEMS, refuses, address, nothing)
    with pytest.raises(InputError, match=r"^there is no model$"):
        spread(ITEMS, cannot_start, address, nothing)


def test_every_node_has_one_worker(cluster: str, tmp_path: Path) -> None:
    processes = set(spread(ITEMS, partial(beside_another, tmp_path), cluster, nothing))
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_workers_import_nothing_of_a_workspace(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"models/__init__.py": "raise SystemExit('run')\n"})
    monkeypatch.chdir(tmp_path)
    assert set(spread(ITEMS, where_models_are, cluster, nothing)) == {models.__file__}
    assert Path.cwd() == tmp_path


def test_a_lost_workers_item_is_done_by_another(cluster: str, tmp_path: Path) -> None:
    given: list[int] = []
    make = partial(lost_at, 5, tmp_path)
    assert spread(ITEMS, make, cluster, lambda item, _: given.append(item)) == SQUARES
    assert sorted(given) == ITEMS
    assert (tmp_path / "5").exists()


def test_losing_all_workers_is_told_in_one_line(
    cluster: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="all 2 workers of the cluster were lost"):
        spread(ITEMS, always_lost, cluster, nothing)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("address", ["", "local", "http://host:1", "ray://host:1", "host"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match="is no address of a cluster"):
        spread(ITEMS, squares, address, nothing)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_told(address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=f"no cluster answers at {address}"):
        spread(ITEMS, squares, address, nothing)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match="pirouette-lsp\\[cluster\\]"):
        spread(ITEMS, squares, "auto", nothing)
