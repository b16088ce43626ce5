"""Programs to write with libraries that no model has seen, and whether they do what they should.

TorchDataEval and MonkeyEval (Zan et al. 2022, "When Language Model Meets Private Library", section
5.1). This module must not know who writes them, or what they are told of the library.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluation.monkey_library import to_pandas
from evaluation.packages import PANDAS, SITE, TORCHDATA, fetch_packages
from evaluation.programs import Libraries, Limits
from evaluation.published_files import damage_told, lines_of
from models.errors import InputError
from models.progress import ProgressCallback

LIMITS = Limits(seconds=60.0, cpu_seconds=60, memory_bytes=16 << 30)  # torch alone maps gigabytes
TOLD = re.compile(r"# \[start\]\n(?P<docs>.*?)# \[end\]\n", re.DOTALL)
NAME = re.compile(r"# (\w+)\(")
NO_ENTRY = "none"


@dataclass(frozen=True, slots=True)
class PrivateTask:
    """A program that ends where it is to be gone on with, and a test of the whole.

    `apis` are those that people named as needed.
    """

    task_id: str
    prompt: str
    entry_point: str
    test: str
    apis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrivateLibrary:
    """What is written with it in one set of tasks, and how that is run.

    `pinned` lists the packages that a program needs, `loaded` the module that it imports, and
    `to_program` makes a program of what was written.
    """

    name: str
    tasks: str
    pinned: Path
    loaded: str
    to_program: Callable[[str], str] = str


TORCHDATA_LIBRARY = PrivateLibrary(
    "torchdata", "real_torchdata_eval_v3", TORCHDATA, "torchdata.datapipes.iter"
)
MONKEY_LIBRARY = PrivateLibrary("monkey", "real_monkey_eval_v3", PANDAS, "pandas", to_pandas)
LIBRARIES = (TORCHDATA_LIBRARY, MONKEY_LIBRARY)


def read_private_tasks(data: Path, library: PrivateLibrary) -> list[PrivateTask]:
    """All tasks of a library, from the folder of the published files.

    Raises `InputError` where they are not there, or damaged.
    """
    told = {
        task["task_id"]: NAME.findall(found["docs"])
        for task in read_lines(data / f"{library.tasks}_human_labelled.jsonl.gz")
        if (found := TOLD.match(task["prompt"]))
    }
    return [
        PrivateTask(
            task["task_id"],
            task["prompt"],
            task["entry_point"],
            task["test"],
            tuple(dict.fromkeys(told.get(task["task_id"], ()))),
        )
        for task in read_lines(data / f"{library.tasks}.jsonl.gz")
    ]


def read_lines(file: Path) -> list[dict[str, str]]:
    """The objects of a compressed file, one a line."""
    if not file.is_file():
        raise InputError(f"there is no {file.name} in {file.parent}; name the folder that has it")
    names = {"task_id", "prompt", "entry_point", "test"}
    with damage_told(file):
        tasks: list[dict[str, str]] = [json.loads(line) for line in lines_of(file)]
        if not all(isinstance(task, dict) and names <= task.keys() for task in tasks):
            raise ValueError("its tasks have other fields")
    return tasks


def program_of(library: PrivateLibrary, task: PrivateTask, written: str) -> str:
    """The whole program with its test, under the names that it is run with."""
    to_program = library.to_program
    checked = "" if task.entry_point == NO_ENTRY else to_program(task.entry_point)
    return f"{to_program(task.prompt + written)}\n{task.test}\ncheck({checked})\n"


def libraries_of(
    library: PrivateLibrary, folder: Path, progress: ProgressCallback
) -> tuple[Path, Libraries]:
    """Where the packages of a library are that its programs import, fetched into `folder` once.

    Raises `DownloadError`.
    """
    import torch  # which torchdata goes with, and brings along what else it needs

    site = fetch_packages(library.pinned, folder, progress, whole=True) / SITE
    own = Path(torch.__file__).parent.parent
    return site, Libraries((str(site), str(own)), (library.loaded,))
