"""Untrusted programs: what passes, what does not, and what they cannot reach."""

import os
import socket
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from evaluation.programs import (
    CannotRunProgramsError,
    Libraries,
    Limits,
    Outcome,
    run_program,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs run on Linux and macOS only")

QUICK = Limits(seconds=3.0, cpu_seconds=3, memory_bytes=512 << 20)


def run(source: str, limits: Limits = QUICK) -> Outcome:
    return run_program(textwrap.dedent(source), limits)


def leftovers() -> set[str]:
    return {p.name for p in Path(tempfile.gettempdir()).glob("pirouette-*")}


def running(marker: str) -> bool:
    """Whether any process shows `marker` on its command line, a tenth of a second from now."""
    time.sleep(0.1)
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True)
    return any(marker in line for line in listed.stdout.splitlines())


def test_a_program_that_runs_to_its_end_has_passed() -> None:
    outcome = run("""
        import collections, copy, hashlib, math, random, re, string, typing
        Point = collections.namedtuple("Point", "x y")
        assert Point(1, 2).x == 1
        print("done")
    """)
    assert outcome.passed
    assert outcome.reason == ""
    assert outcome.output == "done\n"


def test_a_broken_assertion_has_failed() -> None:
    outcome = run("assert 1 + 1 == 3, 'sum is wrong'")
    assert (outcome.status, outcome.reason) == ("failed", "AssertionError: sum is wrong")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = (", "SyntaxError"),
        ("print(unknown)", "NameError: name 'unknown' is not defined"),
        ("def f(): f()\nf()", "RecursionError"),
        ("input()", "EOFError"),
        ("x = '\ud800'", "UnicodeEncodeError"),
        ("x = 1\0", "null bytes"),
    ],
)
def test_any_other_exception_is_an_error(source: str, reason: str) -> None:
    outcome = run(source)
    assert outcome.status == "error"
    assert reason in outcome.reason


@pytest.mark.parametrize(
    "early_exit",
    [
        "import sys; sys.exit(0)",
        "raise SystemExit",
        "import os; os._exit(0)",
        "import signal; signal.raise_signal(signal.SIGKILL)",
        "import os; os.closerange(0, 100); os._exit(0)",
        "import os, sys; sys.stdout.write('passed'); sys.stdout.flush(); os._exit(0)",
        "import os\nfor fd in range(3, 20):\n  try: os.write(fd, b'ready\\npassed')\n"
        "  except OSError: pass\nos._exit(0)",
    ],
)
def test_an_early_exit_never_passes(early_exit: str) -> None:
    outcome = run(f"{early_exit}\nassert False")
    assert not outcome.passed


def test_an_exit_handler_or_another_thread_has_no_say() -> None:
    outcome = run("""
        import atexit, threading, time
        atexit.register(time.sleep, 60)
        threading.Thread(target=time.sleep, args=(60,)).start()
    """)
    assert outcome.passed
    assert outcome.seconds < QUICK.seconds


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)"])
def test_an_endless_program_times_out(source: str) -> None:
    outcome = run(source, Limits(seconds=1.0))
    assert outcome.status == "timed_out"
    assert outcome.seconds < 5.0


def test_the_processor_time_is_limited_as_well() -> None:
    outcome = run("while True: pass", Limits(seconds=20.0, cpu_seconds=1))
    assert outcome.status == "timed_out"
    assert outcome.seconds < 15.0


@pytest.mark.parametrize(
    "source",
    ["x = bytearray(1 << 40)", "x = []\nwhile True: x.append(bytearray(1 << 20))"],
)
def test_a_memory_bomb_ends_within_its_limit(source: str) -> None:
    outcome = run(source, Limits(seconds=10.0, memory_bytes=256 << 20))
    assert outcome.status == "error"


def test_huge_output_is_cut_off() -> None:
    outcome = run("while True: print('x' * 10_000)")
    assert outcome.status == "error"
    assert len(outcome.output) <= 4096


def test_limits_cannot_be_raised() -> None:
    outcome = run("""
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    """)
    assert outcome.status == "error"


def test_no_connection_arrives_at_a_listening_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        outcome = run(f"import socket; socket.create_connection(('127.0.0.1', {port}))")
        assert outcome.status == "error"
        assert "socket" in outcome.reason
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.fork()",
        "import os; os.system('true')",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import subprocess; subprocess.run(['true'])",
        "import sys; sys.modules.pop('_posixsubprocess', None); import _posixsubprocess",
        "import multiprocessing; multiprocessing.Process().start()",
        "import os; os.kill(os.getppid(), 9)",
        "import ctypes",
        "import sqlite3; sqlite3.connect('file.db')",
        "import gc; gc.get_objects()",
    ],
)
def test_processes_and_native_code_are_refused(source: str) -> None:
    outcome = run(source)
    assert outcome.status == "error"
    assert "a generated program may not" in outcome.reason


def test_the_scratch_folder_can_be_used_and_is_removed() -> None:
    before = leftovers()
    outcome = run("""
        import os, tempfile
        os.mkdir("folder")
        with open("folder/file", "w") as file:
            file.write("text")
        os.rename("folder/file", "moved")
        assert open("moved").read() == "text"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("text")
        os.mkdir("locked")
        os.chmod("locked", 0)
    """)
    assert outcome.passed, outcome.reason
    assert leftovers() <= before


@pytest.mark.parametrize(
    "write",
    [
        "open(target, 'w')",
        "open(target, 'r+')",
        "os.open(target, os.O_WRONLY | os.O_CREAT)",
        "os.open('kept', os.O_WRONLY, dir_fd=os.open(folder, os.O_RDONLY))",
        "os.symlink(folder, 'link'); open('link/kept', 'w')",
        "open('../' * 20 + target, 'w')",
        "os.chdir(folder); open('kept', 'w')",
        "os.remove(target)",
        "os.rename(target, 'mine')",
        "os.truncate(target, 0)",
        "os.chmod(target, 0)",
        "os.mkdir(folder + '/new')",
        "import shutil; shutil.rmtree(folder)",
        "import pathlib; pathlib.Path(target).write_text('')",
    ],
)
def test_nothing_outside_the_scratch_folder_is_changed(write: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("text")
    mode = kept.stat().st_mode
    prelude = f"import os; folder = {str(tmp_path)!r}; target = {str(kept)!r}"
    outcome = run(f"{prelude}\n{write}")
    assert outcome.status == "error"
    assert kept.read_text() == "text"
    assert kept.stat().st_mode == mode
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_files_of_the_machine_cannot_be_read(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_text("key")
    for path in (private, Path("/proc/self/environ"), Path("/etc/passwd")):
        assert run(f"open({str(path)!r}).read()").status == "error"
    assert run(f"import os; os.listdir({str(tmp_path)!r})").status == "error"


def test_no_environment_variable_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hidden-value")
    outcome = run("import os; print(dict(os.environ))")
    assert "A_SECRET" not in outcome.output
    assert "hidden-value" not in outcome.output
    assert "PATH" not in outcome.output


def test_a_program_in_a_session_of_its_own_is_ended_too() -> None:
    # The audit hook refuses no `setsid`; a process that left the session must still not stay.
    source = """
        import os, time
        try:
            os.setsid()
        except OSError:  # already the leader of one
            pass
        print(os.getcwd(), flush=True)
        time.sleep(60)
    """
    outcome = run(source, Limits(seconds=1.0))
    assert outcome.status == "timed_out"
    scratch = outcome.output.strip()
    assert scratch
    assert not running(scratch)


def test_a_library_is_there_for_programs_that_were_given_it(tmp_path: Path) -> None:
    (tmp_path / "plumbing.py").write_text("import ctypes\npipe = 7\n")
    (tmp_path / "later.py").write_text("tap = 8\n")
    (tmp_path / "native.py").write_text("import ctypes\n")
    given = Libraries((str(tmp_path),), ("plumbing",))
    source = "import plumbing, later\nassert (plumbing.pipe, later.tap) == (7, 8)\n"
    assert run_program(source, QUICK, given).passed
    assert "No module named" in run_program(source, QUICK).reason
    assert "may not import" in run_program("import native", QUICK, given).reason
    processes = "import subprocess\nsubprocess.run(['true'])"
    (tmp_path / "starts.py").write_text("import subprocess\nimport _posixsubprocess as p\n")
    starts = Libraries((str(tmp_path),), ("starts",))
    for source in (processes, "import starts\nstarts.subprocess._fork_exec()"):
        assert not run_program(source, QUICK, starts).passed
    assert (
        "may not start" in run_program("import starts; starts.p.fork_exec()", QUICK, starts).reason
    )
    stays = run_program(f"open({str(tmp_path / 'plumbing.py')!r}, 'w')", QUICK, given)
    assert "may not use" in stays.reason


def test_a_library_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotRunProgramsError, match="No module named 'plumbing'"):
        run_program("", QUICK, Libraries((str(tmp_path),), ("plumbing",)))
