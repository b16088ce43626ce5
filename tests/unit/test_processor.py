"""Where torch's threads run, and where everything else may: each case in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

START = """
import json, os, subprocess, sys, threading
from lsp_server.processor import share_the_processor, use_all_processors
share_the_processor()
import torch
def where(thread=0):
    return sorted(os.sched_getaffinity(thread))
def compute():
    torch.rand(2000, 2000).sum()
"""


def said_by(code: str) -> object:
    """What a new process prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", START + code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def processors() -> list[int]:
    """Those that this process may use; threads can only be told apart on Linux, and with two."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs Linux and two processors")
    return sorted(os.sched_getaffinity(0))


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
child = "import os; from lsp_server.processor import *; share_the_processor(); "
child += "print(sorted(os.sched_getaffinity(0)))"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""
    assert said_by(code) == processors
