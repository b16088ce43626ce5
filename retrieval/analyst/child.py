"""The analyst's child process as its parent sees it: started, written to, heard, ended.

It gets none of Python's environment variables, no folder of the workspace on its path or as its
own, and pipes that nobody else inherits. This module must not know what the lines say.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

logger = logging.getLogger(__name__)

PACKAGES = Path(__file__).resolve().parents[2]  # where this installation's packages lie
UNTRUSTED_VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True)
class Worker:
    """What a child runs: a module, and what it is told at its start."""

    module: str
    settings: Mapping[str, Any]


def jedi_worker(environment: str | None = None) -> Worker:
    """Asks jedi. `environment` is a folder or interpreter that the user named."""
    return Worker("retrieval.analyst.worker", {"environment": environment})


def server_worker(command: Sequence[str]) -> Worker:
    """Asks the language server that a command starts, which the user named."""
    return Worker("retrieval.analyst.server_worker", {"command": list(command)})


@dataclass(frozen=True, slots=True)
class ChildLine:
    """One line of a child; None after its last."""

    process_id: int
    message: dict[str, Any] | None


@dataclass(slots=True)
class Child:
    """A running worker. `ready` is for its owner to set."""

    process: "subprocess.Popen[bytes]"
    outbox: "queue.SimpleQueue[bytes | None]"
    ready: bool = False

    @classmethod
    def start(cls, worker: Worker, hear: Callable[[ChildLine], None]) -> Self:
        """Start one, whose lines go to `hear` from a thread of their own."""
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-B", "-X", "utf8", "-m", worker.module),
                json.dumps(worker.settings),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(sys.executable).anchor,
            env=clean_environment(os.environ),
        )
        assert process.stdout is not None
        arguments = (process.pid, process.stdout, hear)
        threading.Thread(target=read, args=arguments, daemon=True, name="analyst-lines").start()
        assert process.stdin is not None
        outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        written = (outbox, process.stdin)
        threading.Thread(target=write, args=written, daemon=True, name="analyst-asks").start()
        return cls(process, outbox)

    @property
    def process_id(self) -> int:
        return self.process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Have a line written; a frozen child, whose pipe fills up, keeps nobody waiting."""
        self.outbox.put(json.dumps(message).encode("ascii") + b"\n")

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        self.outbox.put(None)


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Without what makes Python start otherwise; with the place of this installation's packages."""
    kept = {
        name: value
        for name, value in variables.items()
        if not name.startswith("PYTHON") and name not in UNTRUSTED_VARIABLES
    }
    return kept | {"PYTHONPATH": str(PACKAGES)}


def write(lines: "queue.SimpleQueue[bytes | None]", pipe: IO[bytes]) -> None:
    """Write lines until there are no more; that nobody reads them is told by `read`."""
    with suppress(OSError), pipe:
        while (line := lines.get()) is not None:
            pipe.write(line)
            pipe.flush()


def read(process_id: int, lines: IO[bytes], hear: Callable[[ChildLine], None]) -> None:
    with lines:
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                logger.warning("the analysis process wrote a line that is no answer")
                break
            hear(ChildLine(process_id, message))
    hear(ChildLine(process_id, None))
