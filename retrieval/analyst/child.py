"""The analyst's child process as its parent sees it: started, written to, heard, ended.

It gets none of Python's environment variables, no folder of the workspace on its path or as its
own, and pipes that nobody else inherits. This module must not know what the lines say.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

logger = logging.getLogger(__name__)

WORKER = "retrieval.analyst.worker"
PACKAGES = Path(__file__).resolve().parents[2]  # where this installation's packages lie
UNTRUSTED_VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True)
class ChildLine:
    """One line of a child; None after its last."""

    process_id: int
    message: dict[str, Any] | None


@dataclass(slots=True)
class Child:
    """A running worker. `ready` is for its owner to set."""

    process: "subprocess.Popen[bytes]"
    ready: bool = field(default=False)

    @classmethod
    def start(cls, environment: str | None, hear: Callable[[ChildLine], None]) -> Self:
        """Start a worker, whose lines go to `hear` from a thread of their own."""
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-B", "-X", "utf8", "-m", WORKER),
                json.dumps({"environment": environment}),
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
        return cls(process)

    @property
    def process_id(self) -> int:
        return self.process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Write a line; that nobody reads it any more is told by the end of the lines.

        A child that waits for a line has an empty pipe and a thread that reads it, so this does
        not block for longer than the copy takes.
        """
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Without what makes Python start otherwise; with the place of this installation's packages."""
    kept = {
        name: value
        for name, value in variables.items()
        if not name.startswith("PYTHON") and name not in UNTRUSTED_VARIABLES
    }
    return kept | {"PYTHONPATH": str(PACKAGES)}


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
