"""The analyst's own process: one question a line comes in, one answer a line goes out.

    python -P -m retrieval.analyst.worker '{"environment": null}'

Lines are JSON; nothing is ever pickled between the two sides, nor read from a pickle on disk. The
process is warmed before it says that it is ready, answers one question at a time, gives up on one
that takes too long, and ends with its input. It must not know who asks.
"""

import gc
import json
import os
import pkgutil
import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from retrieval.analyst import messages
from retrieval.analyst.fence import close_fence
from retrieval.analyst.questions import Answer, Question, Wanted
from retrieval.analyst.search_path import environment_folders, standard_library
from retrieval.symbols.answers import DeclaredNames, is_declared_language

# What nearly every question needs is read before the first one, the rest in idle time.
FIRST_WARMED = "class A:\n    def f(self) -> str:\n        return ''\nA().f()."
WARMED = (
    "import typing\ntyping.",
    "import os\nos.path.",
    "[].",
    "{}.",
    "import pathlib\npathlib.Path().",
    "import dataclasses\ndataclasses.",
    "import collections\ncollections.",
    "import re\nre.",
    "import logging\nlogging.getLogger().",
    "import json, sys\nsys.",
)
MOST_LINES = 150_000  # of parsed files, about 1.5 kB each
MOST_FOLDERS = 2_000  # whose listings Python's finders keep


class OutOfTimeError(Exception):
    """The question takes longer than its answer is worth."""


@dataclass(slots=True)
class Deadline:
    """A plugin of jedi's that ends a question at a place where jedi keeps no half-done work."""

    at: float = float("inf")

    def check(self) -> None:
        if time.monotonic() > self.at:
            raise OutOfTimeError

    def tree_name_to_values(self, callback: Any) -> Any:
        def in_time(*arguments: Any, **named: Any) -> Any:
            self.check()
            return callback(*arguments, **named)

        return in_time


@dataclass(frozen=True, slots=True)
class Inside:
    """What a process has once its fence is up: where modules are looked up, and the time limit of
    the question in hand."""

    search_path: tuple[str, ...]
    deadline: Deadline


def main() -> None:
    answers = take_standard_output()
    inside, declared = go_inside(json.loads(sys.argv[1])["environment"]), DeclaredNames()
    search_path = inside.search_path
    send(answers, {"ready": True})
    for line in lines_of_input(warm_more(search_path)):
        send(answers, reply(line, search_path, inside.deadline, declared))
        tidy()


def go_inside(environment: str | None) -> Inside:
    """Put up the fence around this process, with jedi warm inside; there is no way back."""
    library = standard_library()
    installed = environment_folders(environment)
    deadline = Deadline()
    prepare_jedi(deadline)
    search_path = (*library, *installed)
    sys.path[:] = list(library)
    close_fence(trusted_code(library), search_path)
    warm(FIRST_WARMED, search_path)
    return Inside(search_path, deadline)


def take_standard_output() -> IO[str]:
    """Answers get a descriptor of their own: what anything prints goes to standard error."""
    kept = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return kept


def prepare_jedi(deadline: Deadline) -> None:
    """Import all of jedi while its folder is still on the path, and take its dangers from it."""
    import jedi
    import jedi.plugins
    import parso
    import parso.cache

    from retrieval.analyst import jedi_answers

    for package in (jedi, parso):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith(("__main__", "replstartup")):
                pkgutil.resolve_name(module.name)
    jedi_answers.isolate()
    jedi.plugins.plugin_manager.register(deadline)
    # parso keeps parsed files as pickles on disk: none is written, and none is read.
    parso.cache._save_to_file_system = lambda *_, **__: None
    parso.cache._load_from_file_system = lambda *_, **__: None
    parso.cache._remove_cache_and_update_lock = lambda *_, **__: None


def trusted_code(library: tuple[str, ...]) -> tuple[str, ...]:
    """Folders whose code this process may run: the standard library, jedi, parso, and this one."""
    import jedi
    import parso

    packages = [Path(module.__file__ or "").parent for module in (jedi, parso)]
    return (*library, *map(str, packages), str(Path(__file__).parents[1]))


def warm(text: str, search_path: tuple[str, ...]) -> None:
    from retrieval.analyst.jedi_answers import answer

    folder = Path(__file__).parent
    nowhere = str(folder / "nowhere.py")
    answer(Question(nowhere, str(folder), text, "\n", Wanted.NAMES), search_path)


def lines_of_input(idle_work: Iterator[None]) -> Iterator[str]:
    """Lines as they come, with a piece of idle work wherever none waits.

    The process ends with its input, even in the middle of a question.
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            waiting.put(line.decode("ascii"))
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="input").start()
    for _ in idle_work:
        while not waiting.empty():
            yield waiting.get()
    gc.collect()
    gc.freeze()
    while True:
        yield waiting.get()


def warm_more(search_path: tuple[str, ...]) -> Iterator[None]:
    yield
    for text in WARMED:
        warm(text, search_path)
        yield


def reply(
    line: str, search_path: tuple[str, ...], deadline: Deadline, declared: DeclaredNames
) -> dict[str, Any]:
    from retrieval.analyst.jedi_answers import answer

    asked = json.loads(line)
    found: Answer | None = None
    problem = ""
    deadline.at = time.monotonic() + asked["seconds"]
    try:
        question = messages.question_from(asked["question"])
        is_declared = is_declared_language(question.path)
        found = declared.answer(question) if is_declared else answer(question, search_path)
    except OutOfTimeError:
        problem = messages.OUT_OF_TIME
    except Exception as error:  # jedi fails in many ways on half-written code
        problem = f"{type(error).__name__}: {error}"
    finally:
        deadline.at = float("inf")
    return {"id": asked["id"], "answer": messages.answer_to(found), "problem": problem}


def send(answers: IO[str], message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def tidy() -> None:
    """Keep memory flat: the parsed files that were used longest ago go first."""
    from parso.cache import parser_cache

    items = [
        (item.last_used, len(item.lines), grammar, path)
        for grammar, files in parser_cache.items()
        for path, item in files.items()
    ]
    lines = sum(count for _, count, _, _ in items)
    if lines > MOST_LINES:
        for _, count, grammar, path in sorted(items, key=lambda item: item[0]):
            del parser_cache[grammar][path]
            lines -= count
            if lines <= MOST_LINES * 0.8:
                break
        gc.collect()
    if len(sys.path_importer_cache) > MOST_FOLDERS:
        sys.path_importer_cache.clear()


if __name__ == "__main__":
    main()
