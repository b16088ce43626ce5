"""A set of hostile programs: each tries to get out of the fence, and prints ESCAPED if it does.

`REACHING` are tried three times: as any program is run; without the audit hook, as a program would
be that has broken Python and runs what native code it likes, so that the kernel alone holds it; and
so again where the kernel makes no namespaces, as in many containers. None of them would do lasting
harm, should it get out.
"""

import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from evaluation import programs
from evaluation.programs import Limits, Outcome, run_program
from evaluation.system_calls import ARCHITECTURES, ASKED_ABOUT, CHANGES_ATTRIBUTES, REFUSED

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ARCHITECTURES,
    reason="the kernel's fence is for Linux on two architectures",
)

LIMITS = Limits(seconds=3.0, cpu_seconds=2, memory_bytes=256 << 20, disk_bytes=8 << 20)


COLUMN = ARCHITECTURES.index(platform.machine()) if platform.machine() in ARCHITECTURES else 0
NUMBERS = {name: numbers[COLUMN] for name, numbers in (REFUSED | ASKED_ABOUT).items()}


@dataclass(frozen=True, slots=True)
class Outside:
    """What lies outside of the fence: a folder with a secret file, a server, this process."""

    folder: Path
    port: int
    unix: Path

    @property
    def prelude(self) -> str:
        """What a program knows of it."""
        return textwrap.dedent(f"""
            import os, sys
            folder, secret = {str(self.folder)!r}, {str(self.folder / "secret")!r}
            port, unix, parent = {self.port}, {str(self.unix)!r}, {os.getpid()}
            home, calls = {str(Path.home())!r}, {NUMBERS!r}
        """)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """It must be as it was when the program has ended, and nobody may have called."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("hidden-value")
    # The path of such a socket may have about 100 characters.
    with (
        tempfile.TemporaryDirectory() as short,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind(f"{short}/s")
        local.listen()
        yield Outside(folder, server.getsockname()[1], Path(short) / "s")
        for listening in (server, local):
            listening.setblocking(False)
            with pytest.raises(BlockingIOError):
                listening.accept()
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").read_text() == "hidden-value"
    assert (folder / "secret").stat().st_mode & 0o777 == 0o644


@pytest.fixture
def unhooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs run without the audit hook."""
    child = tmp_path / "child.py"
    source = programs.CHILD.read_text(encoding="utf-8")
    assert source.count("sys.addaudithook(") == source.count("del sys.modules[name]") == 1
    source = source.replace("sys.addaudithook(", "(lambda hook: None)(")
    child.write_text(source.replace("del sys.modules[name]", "pass"), encoding="utf-8")
    monkeypatch.setattr(programs, "CHILD", child)


@pytest.fixture
def without_namespaces(unhooked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a container forbids to make them; there Landlock and seccomp are left."""
    start = programs.START.replace(
        "main()", "f.enter_namespaces = lambda *_: frozenset(); f.main()"
    ).replace("from evaluation.program_fence import main", "import evaluation.program_fence as f")
    assert start != programs.START
    monkeypatch.setattr(programs, "START", start)


def run(source: str, limits: Limits = LIMITS) -> Outcome:
    return run_program(source, limits)


def processes_with(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if text in line and "ps -eo" not in line]


NATIVE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    result = libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
READS = {
    "a secret file": "text = open(secret).read()",
    "the users of the machine": "text = open('/etc/passwd').read()",
    "the user's own folder": "text = os.listdir(home)",
    "keys of the user": "text = open(home + '/.ssh/id_ed25519').read()",
    "its own environment": "text = open('/proc/self/environ', 'rb').read() or '-'",
    "its own memory": "text = open('/proc/self/mem', 'r+b')",
    "its own memory map": "text = open('/proc/self/maps').read()",
    "other processes": "text = os.listdir('/proc')",
    "through the root of a process": "text = open(f'/proc/self/root{secret}').read()",
    "through a symbolic link": "os.symlink(secret, 'link'); text = open('link').read()",
    "through a linked folder": "os.symlink(folder, 'link'); text = open('link/secret').read()",
    "through a hard link": "os.link(secret, 'link'); text = open('link').read()",
    "through a folder's descriptor": """
        place = os.open('/', os.O_RDONLY)
        text = os.read(os.open(secret[1:], os.O_RDONLY, dir_fd=place), 9)""",
    "after going there": "os.chdir(folder); text = open('secret').read()",
    "after a detour": "text = open('../' * 30 + secret).read()",
    "as bytes": "text = open(os.fsencode(secret)).read()",
    "by a path that changes its mind": """
        class Path:
            asked = 0
            def __fspath__(self):
                self.asked += 1
                return 'program.txt' if self.asked == 1 else secret
        open('program.txt', 'w').close()
        text = open(Path()).read()
        assert text, 'nothing was read'""",
    "by a changed way to resolve paths": """
        here = os.getcwd()
        def resolve(path, *, strict=False, **_): return here
        resolve.__defaults__ = None
        source = f"lambda filename, *, strict=False: {here!r}"
        os.path.realpath.__code__ = eval(source).__code__
        text = open(secret).read()""",
    "by another way to look at links": """
        here = os.getcwd()
        os.path.islink = lambda path: True
        os.lstat = lambda path, **_: os.stat(here)
        os.readlink = lambda path, **_: here
        text = open(secret).read()""",
    "by an import": """
        sys.path.insert(0, folder)
        import importlib.machinery, importlib.util
        loader = importlib.machinery.SourceFileLoader('stolen', secret)
        text = loader.get_data(secret)""",
    "by a loader of archives": "import zipfile; text = zipfile.ZipFile(secret)",
    "as a line of a traceback": """
        import linecache
        text = linecache.getlines(secret)
        assert text, 'nothing was read'""",
    "by native code": "import mmap; text = mmap.mmap(os.open(secret, os.O_RDONLY), 12)",
    "by sqlite": "import sqlite3; text = sqlite3.connect(secret).execute('pragma user_version')",
    "by dbm": "import _dbm; text = _dbm.open(secret)",
}
WRITES = {
    "a new file": "open(folder + '/new', 'w')",
    "a file of others": "open(secret, 'a').write('x')",
    "an emptied file": "os.truncate(secret, 0)",
    "a removed file": "os.remove(secret)",
    "a renamed file": "os.rename(secret, folder + '/mine')",
    "a file taken away": "os.replace(secret, 'mine')",
    "a new folder": "os.mkdir(folder + '/new')",
    "a new link": "os.symlink('x', folder + '/new')",
    "another mode": "os.chmod(secret, 0)",
    "another mode of a descriptor": "os.fchmod(os.open(secret, os.O_RDONLY), 0)",
    "another mode through a link": "os.symlink(secret, 'link'); os.chmod('link', 0)",
    "another owner": "os.chown(secret, 1, 1)",
    "other times": "os.utime(secret, (0, 0))",
    "a named pipe": "os.mkfifo(folder + '/new')",
    "a device": "os.mknod(folder + '/new', 0o60600, 0)",
    "a temporary file": "import tempfile; tempfile.NamedTemporaryFile(dir=folder, delete=False)",
    "shared memory": """
        from multiprocessing.shared_memory import SharedMemory
        SharedMemory('pirouette', create=True, size=9)""",
}
CALLS = {
    "a connection": "import socket; socket.create_connection(('127.0.0.1', port), 1)",
    "a local connection": "import socket; socket.socket(socket.AF_UNIX).connect(unix)",
    "an abstract socket": "import socket; socket.socket(socket.AF_UNIX).bind('\\0pirouette')",
    "a question to the kernel": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a packet": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a call to the host": "import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "a pair to hand descriptors over": "import socket; socket.socketpair()",
    "a name looked up": "import socket; assert socket.getaddrinfo('pypi.org', 443)",
    "a page": "from urllib.request import urlopen; urlopen(f'http://127.0.0.1:{port}', timeout=1)",
}
STARTS = {
    "a fork": "os.fork() or os._exit(0)",
    "a fork bomb": "for _ in range(6): os.fork()",
    "a daemon": "import time\nif not os.fork():\n  os.setsid()\n  os.fork()\n  time.sleep(60)",
    "a shell": "assert os.system('true') == 0",
    "a subprocess": "import subprocess; subprocess.run(['/bin/true'], check=True)",
    "a spawned process": "assert os.posix_spawn('/bin/true', ['true'], {})",
    "another program": "os.execv('/bin/sh', ['sh', '-c', 'echo ESCAPED'])",
    "the interpreter again": "os.execv(sys.executable, ['python', '-c', 'print(\"ESCAPED\")'])",
    "a worker": """
        import multiprocessing
        multiprocessing.get_context('fork').Process(target=print).start()""",
    "a signal to the parent": "os.kill(os.getppid(), 0)",
    "a signal to the tests": "os.kill(parent, 0)",
    "a signal to everybody": "os.kill(-1, 0)",
    "a signal to the group": "os.killpg(0, 0)",
    "a terminal": "import pty; pty.fork()",
    "a signal through a pipe": """
        import fcntl
        read, write = os.pipe()
        fcntl.fcntl(read, fcntl.F_SETOWN, os.getppid() or 1)""",
    "a priority for another": """
        os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, 0))""",
    "a limit for another": """
        import resource
        resource.prlimit(parent, resource.RLIMIT_NOFILE, (1024, 1024))""",
}
NATIVE_CALLS = {
    "io_uring": "call(calls['io_uring_setup'], 8, ctypes.create_string_buffer(120))",
    "ptrace": "call(calls['ptrace'], 0, 0, 0, 0)",
    "memory of others": "call(calls['process_vm_readv'], parent, 0, 0, 0, 0, 0)",
    "a handle of a process": "call(calls['pidfd_open'], parent, 0)",
    "a file in memory": "call(calls['memfd_create'], b'x', 0)",
    "another namespace": "call(calls['unshare'], 0x10000000)",
    "a mount": "call(calls['mount'], b'none', folder.encode(), b'tmpfs', 0, 0)",
    "mounts writable again": """
        attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
        call(calls['mount_setattr'], -100, folder.encode(), 0, attributes, 32)""",
    "another root": "call(calls['chroot'], b'/')",
    "a file by its handle": """
        call(calls['open_by_handle_at'], -100, ctypes.create_string_buffer(64), 0)""",
    "keys": "call(calls['add_key'], b'user', b'x', b'y', 1, -3)",
    "a program for the kernel": "call(calls['bpf'], 0, ctypes.create_string_buffer(120), 120)",
    "shared segments": "call(calls['shmget'], 0, 4096, 0o1600)",
    "segments of others": "call(calls['shmat'], 0, 0, 0)",
    "a list of segments": "call(calls['shmctl'], 0, 14, ctypes.create_string_buffer(256))",
    "a new kind of clone": "call(calls['clone3'], ctypes.create_string_buffer(88), 88)",
    "an old kind of clone": "call(calls['clone'], 17, 0, 0, 0, 0) or os._exit(0)",
    "calls of another table": "call(0x40000000 + 39)",
    "its privileges back": """
        assert libc.prctl(23, 21, 0, 0, 0) == 1  # PR_CAPBSET_READ, CAP_SYS_ADMIN""",
    "a looser filter": """
        call(calls['seccomp'], 0, 0, 0)
        raise SystemExit  # strict mode, if anything""",
}
REACHING = {
    **{f"reads {name}": textwrap.dedent(source) for name, source in READS.items()},
    **{f"leaves {name}": textwrap.dedent(source) for name, source in WRITES.items()},
    **{f"opens {name}": textwrap.dedent(source) for name, source in CALLS.items()},
    **{f"starts {name}": textwrap.dedent(source) for name, source in STARTS.items()},
    **{f"calls for {name}": NATIVE + textwrap.dedent(s) for name, s in NATIVE_CALLS.items()},
}


@pytest.mark.parametrize("attack", REACHING.values(), ids=REACHING.keys())
def test_nothing_outside_is_reached(attack: str, outside: Outside) -> None:
    outcome = run(f"{outside.prelude}\n{attack}\nprint('ESCAPED')")
    assert "ESCAPED" not in outcome.output
    assert not outcome.passed


@pytest.mark.parametrize("attack", REACHING.values(), ids=REACHING.keys())
@pytest.mark.parametrize("walls", ["unhooked", "without_namespaces"])
def test_nothing_outside_is_reached_by_whoever_has_broken_python(
    walls: str, attack: str, outside: Outside, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(walls)
    outcome = run(f"{outside.prelude}\n{attack}\nprint('ESCAPED')")
    assert "ESCAPED" not in outcome.output
    assert not outcome.passed


HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"__NR_(\w+) (\d+)"),
    "aarch64": ("/usr/include/asm-generic/unistd.h", r"__NR(?:3264)?_(\w+) (\d+)"),
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_calls_have_the_numbers_that_the_kernel_gives_them(architecture: str) -> None:
    path, pattern = HEADERS[architecture]
    if not Path(path).exists():
        pytest.skip("the kernel's headers are not on this machine")
    text = Path(path).read_text(encoding="utf-8")
    known = {found[1]: int(found[2]) for found in re.finditer(pattern, text)}
    column = ARCHITECTURES.index(architecture)
    ours = {name: one[column] for name, one in (REFUSED | CHANGES_ATTRIBUTES | ASKED_ABOUT).items()}
    common = [name for name, number in ours.items() if name in known and number is not None]
    assert {name: ours[name] for name in common} == {name: known[name] for name in common}
    assert len(common) > 50


FORGERIES = {
    "every descriptor read and written to every other": """
        found = b""
        for descriptor in range(3, 64):
            try:
                os.set_blocking(descriptor, False)
                found += os.read(descriptor, 4096)
            except OSError:
                pass
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, found)
            except OSError:
                pass
        os._exit(0)""",
    "a descriptor opened again": """
        for descriptor in range(64):
            try:
                again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK)
                os.write(descriptor, os.read(again, 4096))
            except OSError:
                pass
        os._exit(0)""",
    "the frames below": """
        def texts(value, depth=3):
            if isinstance(value, (str, bytes)):
                yield value.encode() if isinstance(value, str) else value
            elif isinstance(value, dict) and depth:
                for item in list(value.values()):
                    yield from texts(item, depth - 1)
            elif isinstance(value, (list, tuple)) and depth:
                for item in value:
                    yield from texts(item, depth - 1)
        frame, found = sys._getframe(), []
        while frame:
            found += texts([dict(frame.f_locals), dict(frame.f_globals)])
            frame = frame.f_back
        for text in found:
            if len(text) == 32:
                os.write(verdict, text)
        os._exit(0)""",
    "the frame of an error": """
        frame = None
        try:
            open("/etc/passwd")
        except OSError as error:
            frame = error.__traceback__.tb_next.tb_frame
        for name in list(frame.f_globals):
            if name.isupper():
                frame.f_globals[name] = ()
        import gc
        found = [o for o in gc.get_objects() if isinstance(o, dict) and "secret" in o]
        os.write(verdict, found[0]["secret"].encode())
        os._exit(0)""",
    "its own command line": """
        line = open("/proc/self/cmdline", "rb").read()
        os.write(verdict, line[-32:])
        os._exit(0)""",
    "standard input": """
        os.write(verdict, sys.stdin.buffer.read() or os.pread(0, 4096, 0))
        os._exit(0)""",
    "a claim to be ready": "os.write(verdict, b'ready\\npassed'); os._exit(0)",
    "an exit that is none": "os._exit = lambda status: b''; sys.exit = os._exit",
    "a pipe of its own": "read, write = os.pipe(); os.dup2(write, verdict)",
    "a jump to the end": """
        def jump(frame, event, argument):
            if event == "line" and frame.f_code.co_name == "<module>":
                frame.f_lineno = LAST
            return jump
        sys._getframe().f_trace = jump
        sys.settrace(jump)""",
    "errors that are none": "__builtins__['AssertionError'] = KeyError if 0 else type('E', (), {})",
    "another end of the run": """
        frame = sys._getframe()
        while frame:
            frame.f_globals["run"] = lambda *_: b""
            frame.f_globals["flush_output"] = sys._getframe
            frame = frame.f_back""",
    "a thread that waits for the end": """
        import threading
        below = sys._getframe().f_back
        def watch():
            while True:
                for text in list(below.f_locals.values()):
                    if isinstance(text, bytes) and len(text) == 32:
                        os.write(verdict, text)
        sys.setswitchinterval(1e-6)
        threading.Thread(target=watch, daemon=True).start()""",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_the_verdict_is_not_forged(forgery: str) -> None:
    """Each knows where the verdict goes to, and has failed once it has done its worst."""
    find = """
        import os, sys, stat
        verdict = next(d for d in range(3, 64) if is_pipe(d))
    """
    helper = """
        def is_pipe(descriptor):
            import os, stat
            try:
                return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            except OSError:
                return False
    """
    parts = [*map(textwrap.dedent, (helper, find, forgery)), "assert False", "LAST = 1"]
    source = "\n".join(parts)
    last = source.count("\n") + 1
    assert not run(source.replace("= LAST", f"= {last}")).passed


WASTES = {
    "time": "while True: pass",
    "time, deaf to signals": """
        import signal
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        while True: pass""",
    "time, deaf to errors": """
        while True:
            try:
                while True: pass
            except BaseException:
                pass""",
    "time in one long step": "10 ** 10 ** 10",
    "time asleep": "import time; time.sleep(3600)",
    "time in threads": """
        import threading
        for _ in range(8): threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()""",
    "time at the exit": "import atexit; atexit.register(lambda: [0 for _ in iter(int, 1)]); 1 / 0",
    "memory": "x = bytearray(1 << 40)",
    "memory bit by bit": "x = []\nwhile True: x.append(bytearray(1 << 20))",
    "memory in a map": "import mmap; x = [mmap.mmap(-1, 1 << 28) for _ in range(99)]",
    "memory in a number": "x = 1 << (1 << 40)",
    "threads": """
        import threading
        threading.stack_size(32768)
        while True: threading.Thread(target=threading.Event().wait).start()""",
    "the stack": "def f(): f()\nimport sys; sys.setrecursionlimit(10 ** 9); f()",
    "the stack of the compiler": "eval('(' * 100_000)",
    "output": "while True: print('x' * 100_000)",
    "output past its end": """
        import os
        os.lseek(1, 1 << 40, 0)
        os.write(1, b'x')""",
    "one large file": "f = open('f', 'w')\nwhile True: f.write('x' * (1 << 20))",
    "many files": """
        for number in range(1 << 20):
            open(f'{number}', 'w').write('x' * 100_000)""",
    "many names": "for number in range(1 << 20): open(f'{number}', 'w').close()",
    "many links": "import os\nfor number in range(1 << 20): os.symlink('x', f'{number}')",
    "descriptors": "x = [open('/dev/null') for _ in range(1 << 20)]",
    "pipes": "import os; x = [os.pipe() for _ in range(1 << 20)]",
    "deep folders": "import os\nwhile True: os.mkdir('d'); os.chdir('d')",
    "an interpreter that crashes": """
        exec((lambda: 0).__code__.replace(co_code=b'\\x64\\xff' * 999, co_consts=()))""",
}


@pytest.mark.parametrize("waste", WASTES.values(), ids=WASTES.keys())
def test_what_is_wasted_has_an_end(
    waste: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outcome = run(textwrap.dedent(waste))
    assert not outcome.passed
    assert len(outcome.output) <= 4096
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_running() -> None:
    """A program that goes on in threads and sessions of its own has ended once it was told so."""
    source = """
        import os, sys, threading, time
        for leave in (os.setsid, lambda: os.setpgid(0, 0)):
            try:
                leave()
            except OSError:
                pass
        threading.Thread(target=time.sleep, args=(60,)).start()
        print(os.getcwd(), flush=True)
        time.sleep(60)
    """
    outcome = run(textwrap.dedent(source), Limits(seconds=2.0))
    assert outcome.status == "timed_out"
    assert not processes_with(outcome.output.strip())


def test_what_a_program_needs_is_inside_the_fence() -> None:
    source = """
        import hashlib, json, math, os, random, re, string, tempfile, threading, zlib
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(abs, [-1, -2])) == [1, 2]
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "text"), "w") as file:
                file.write("kept")
            os.chmod(file.name, 0o600)
            assert open(file.name).read() == "kept"
        assert len(os.urandom(8)) == 8 and random.SystemRandom().random() < 1
        import signal
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.raise_signal(signal.SIGALRM)
        import datetime, decimal, fractions, statistics, uuid
        assert uuid.uuid4() and datetime.datetime.now()
    """
    outcome = run(textwrap.dedent(source))
    assert outcome.passed, outcome.reason
