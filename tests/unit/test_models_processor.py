"""Where torch's threads run, and where everything else may: each case in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import json, os, subprocess, sys, threading
os.sched_setaffinity(0, range(os.cpu_count()))
from models.processor import *
share_the_processor()
import torch
def where(thread=0):
    return sorted(os.sched_getaffinity(thread))
def compute():
    torch.rand(2000, 2000).sum()
"""


def said_by(code: str) -> object:
    """What a new process prints as JSON."""
    set_before = (
        "OMP_",
        "GOMP_",
        "NUMBA_",
        "PIROUETTE_",
    )  # by a command that was run in this process
    done = subprocess.run(
        [sys.executable, "-c", START + code],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(set_before)},
    )
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def processors() -> list[int]:
    """All that there are; threads can only be told apart on Linux, and with two."""
    if not hasattr(os, "sched_getaffinity") or (os.cpu_count() or 1) < 2:
        pytest.skip("needs Linux and two processors")
    return list(range(os.cpu_count() or 1))


def test_each_thread_of_torch_has_a_core_of_its_own() -> None:
    code = """
compute()
masks = [where(int(task)) for task in os.listdir("/proc/self/task")]
print(json.dumps(len(masks) == len({cpu for mask in masks for cpu in mask})))
"""
    assert said_by(code) is True


def test_the_thread_that_talks_to_the_editor_may_run_anywhere(processors: list[int]) -> None:
    code = """
use_all_processors()
thread = threading.Thread(target=compute)
thread.start(), thread.join()
print(json.dumps(where()))
"""
    assert said_by(code) == processors


def test_a_process_started_from_a_bound_thread_may_use_all_of_them(processors: list[int]) -> None:
    code = """
compute()
child = "import os; from models.processor import *; share_the_processor(); "
child += "print(sorted(os.sched_getaffinity(0)))"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""
    assert said_by(code) == processors


def test_what_a_bound_thread_starts_may_use_all_and_it_stays_bound(processors: list[int]) -> None:
    code = """
compute()
bound, places = where(), []
with all_processors():
    thread = threading.Thread(target=lambda: places.append(where()))
    thread.start(), thread.join()
print(json.dumps([places[0], where() == bound, len(bound)]))
"""
    assert said_by(code) == [processors, True, 1]


def test_processors_are_counted_from_a_bound_thread_too(processors: list[int]) -> None:
    code = """
compute()
from evaluation.provenance import this_machine
print(json.dumps([processor_count(), this_machine().split(", ")[1]]))
"""
    assert said_by(code) == [len(processors), f"{len(processors)} cores"]


def test_compiled_functions_use_as_many_threads_as_torch(processors: list[int]) -> None:
    """Though the thread that first runs them is bound to one processor."""
    code = """
import models.kernels, numba
compute()
print(json.dumps([numba.get_num_threads(), torch.get_num_threads(), len(where())]))
"""
    assert said_by(code) == [len(processors), len(processors), 1]


def test_numba_is_imported_where_its_threads_are_told_and_nowhere_else() -> None:
    root = Path(__file__).parents[2]
    sources = [*root.glob("*/*.py"), *root.glob("tests/*/*.py")]
    importing = re.compile(r"^\s*(?:from|import) numba\b", re.MULTILINE)
    found = [path for path in sources if importing.search(path.read_text(encoding="utf-8"))]
    assert found == [root / "models" / "compiler.py"]
