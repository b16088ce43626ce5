"""Runs one generated program and says whether it came to its end.

The program is untrusted: it gets its own interpreter without environment, network or standard
input, limits on time, memory and files, and a scratch folder that is gone afterwards.
`program_fence` puts the fence up around it, `program_child` runs it inside; what that holds, and
what it does not, is told in `docs/programs.md`. This module must not know what a program is for.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Literal

from models.errors import PirouetteError

CHILD = Path(__file__).with_name("program_child.py")
ROOT = Path(__file__).resolve().parent.parent
START = (
    "import sys; sys.path.append(sys.argv[1]); from evaluation.program_fence import main; main()"
)
OUTPUT_SHOWN = 4096  # bytes of a program's output that are kept, from its end
VERDICT_BYTES = 4096
SIGNAL_BASE = 128  # a process ended by signal s is reported as 128 + s, as a shell does

Status = Literal["passed", "failed", "timed_out", "error"]


class CannotRunProgramsError(PirouetteError):
    """This machine gives no way to run generated programs inside a fence."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use: seconds of time on the clock and on the processor, and bytes.

    `file_bytes` bounds each file, and so what is printed; `disk_bytes` all files together, where
    the scratch folder can be kept in memory.
    """

    seconds: float = 10.0
    cpu_seconds: int = 10
    memory_bytes: int = 1 << 30
    file_bytes: int = 1 << 20
    disk_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Libraries:
    """What a program may import beside the standard library, which is trusted: from `folders`.

    The modules `loaded` are imported before the fence stands, since what is native in them needs
    more than a program may use. No event tells what native code does: through it a program may read
    files outside of its scratch folder, which only the kernel's fence keeps it from changing.
    """

    folders: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    `passed`: every statement ran. `failed`: an assertion did not hold. `timed_out`: the time ran
    out. `error`: anything else, such as another exception or an early exit. `reason` is one line,
    empty when passed; `output` the end of what was printed; `seconds` on the clock, start included.
    """

    status: Status
    reason: str
    output: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.status == "passed"


DEFAULT_LIMITS = Limits()
NO_LIBRARIES = Libraries()


def run_program(
    source: str, limits: Limits = DEFAULT_LIMITS, libraries: Libraries = NO_LIBRARIES
) -> Outcome:
    """Run `source` as a script and wait for its end.

    A program passes only by running to its last statement: the far side then hands back a secret
    that nothing in its reach has held. An early exit of any kind therefore never passes.
    Raises `CannotRunProgramsError` where the program cannot be started inside the fence.
    """
    if os.name != "posix":
        raise CannotRunProgramsError(
            "generated programs can only be run on Linux or macOS; leave out what runs them"
        )
    secret = secrets.token_hex(16)
    verdict_read, verdict_write = os.pipe()
    with (
        open(verdict_read, "rb", buffering=0) as verdict_out,
        # A hostile program can nest folders deeper than can be removed; the run must go on.
        tempfile.TemporaryDirectory(prefix="pirouette-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as output,
    ):
        with open(verdict_write, "wb") as verdict_in:
            order = asdict(limits) | asdict(libraries)
            order |= {"scratch": str(Path(folder).resolve()), "child": str(CHILD)}
            started = perf_counter()
            process = start(order | {"verdict": verdict_in.fileno()}, folder, output)
        hand_over(process, json.dumps({"source": source, "secret": secret}))
        timed_out = wait_and_kill(process, limits.seconds)
        seconds = perf_counter() - started
        os.set_blocking(verdict_out.fileno(), False)
        state, _, report = (verdict_out.read(VERDICT_BYTES) or b"").partition(b"\n")
        if state != b"ready" and not timed_out:
            raise CannotRunProgramsError(
                "generated programs cannot be run here "
                f"({state.decode(errors='replace') or 'the interpreter did not start'}); "
                "check the limits of this account"
            )
        status, reason = judge(report, secret.encode(), process.returncode, timed_out=timed_out)
        return Outcome(status, reason, end_of(output), seconds)


def start(order: dict[str, Any], folder: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """An interpreter without environment, site packages or bytecode writing, leading a session."""
    flags = ("-I", "-S", "-B", "-X", "utf8")
    return subprocess.Popen(
        [sys.executable, *flags, "-c", START, str(ROOT), json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={},
        pass_fds=(order["verdict"],),
        start_new_session=True,
    )


def hand_over(process: subprocess.Popen[bytes], text: str) -> None:
    """Write what the far side reads before anything untrusted runs, unless it has ended."""
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(text.encode())


def wait_and_kill(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end, and whatever comes, leave nothing of the session running.

    Returns whether the time ran out.
    """
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    return False


def judge(report: bytes, secret: bytes, exit_status: int, *, timed_out: bool) -> tuple[Status, str]:
    """Status and reason, from what came through the pipe and how the process ended."""
    if secrets.compare_digest(report, secret):
        return "passed", ""
    ended_by = -exit_status if exit_status < 0 else exit_status - SIGNAL_BASE
    if timed_out or ended_by == signal.SIGXCPU:
        return "timed_out", "the time ran out"
    kind, _, text = report.decode(errors="replace").partition(" ")
    line = " ".join(text.split())
    if kind == "failed":
        return "failed", line
    if kind == "error":
        return "error", line
    if ended_by in set(signal.Signals):
        return "error", f"ended by {signal.Signals(ended_by).name}"
    return "error", f"ended early with exit status {exit_status}"


def end_of(output: IO[bytes]) -> str:
    """The last part of what was printed."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - OUTPUT_SHOWN))
    return output.read(OUTPUT_SHOWN).decode(errors="replace")
