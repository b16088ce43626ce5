"""The far side of `evaluation.programs`: fences itself in, then runs one program.

It is started as a script by an isolated interpreter, so it imports nothing but the standard
library and must know nothing of the project. Two fences stand around the program:

- the kernel's: resource limits, and on Linux, where it lets a process make namespaces, one without
  any network, one whose files are read-only outside the scratch folder, and one whose processes
  all end with the program;
- the interpreter's: an audit hook that refuses network, processes, native code, and files outside
  the scratch folder and the interpreter's own library. A hook cannot hold a program that is
  written to break Python itself (PEP 578, "Non-goals"); it is what remains where the kernel gives
  no namespaces, and it turns careless programs away with a plain error everywhere.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
SYS_MOUNT_SETATTR = 442  # the same number on every architecture since Linux 5.12
PR_SET_PDEATHSIG = 1
OPEN_FILES = 64

REFUSED_EVENTS = (
    "cpython.PyInterpreterState_New",  # hooks do not follow into another interpreter
    "ctypes.",
    "gc.get_",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.",
    "resource.",
    "signal.pthread_kill",
    "socket.",
    "sqlite3.",  # opens files that no event tells of, like the refused modules below
    "subprocess.",
)
REFUSED_MODULES = frozenset(
    {
        "_ctypes",
        "_dbm",
        "_gdbm",
        "_interpreters",
        "_posixshmem",
        "_posixsubprocess",
        "_xxsubinterpreters",
        "ctypes",
    }
)
# How many leading arguments of the event are paths; the others are modes, times and folders.
CHANGING_EVENTS = {
    "os.chflags": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.removexattr": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.setxattr": 1,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.utime": 1,
}
LISTING_EVENTS = frozenset({"os.listdir", "os.scandir", "os.listxattr", "os.getxattr"})
FOLDER_ARGUMENTS = {  # where the event tells of `dir_fd`, against which a relative path may go
    "os.chmod": (2,),
    "os.chown": (3,),
    "os.link": (2, 3),
    "os.mkdir": (2,),
    "os.remove": (1,),
    "os.rename": (2, 3),
    "os.rmdir": (1,),
    "os.symlink": (2,),
    "os.utime": (3,),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")


def main() -> None:
    """Read the order from the first argument, run the program, and report on the verdict pipe.

    The pipe gets `ready` once the fences stand, then the secret if the program came to its end,
    else how it failed. The secret is read only after that end.
    """
    order = json.loads(sys.argv[1])
    secret, verdict, scratch = order["secret"], order["verdict"], order["scratch"]
    try:
        limit_resources(order)
        fences = enter_namespaces(scratch)
        if CLONE_NEWPID in fences:
            become_first_process(order["cpu_seconds"])
        sys.path += order["folders"]
        for name in order["loaded"]:
            exec(f"import {name}", {})  # noqa: S102 - of the order, not of the program
        take_away_processes()
        os.chdir(scratch)  # only now: before, it would be the folder under the read-only mount
        with open(order["program"], encoding="utf-8", errors="surrogatepass", newline="") as file:
            source = file.read()
        namespace = fresh_main_module().__dict__
        for name in [name for name in sys.modules if name.partition(".")[0] in REFUSED_MODULES]:
            del sys.modules[name]
        sys.addaudithook(make_guard(scratch, (scratch, *sys.path, *DEVICES)))
    except Exception as error:
        os.write(verdict, described(error).encode())
        os._exit(1)
    os.write(verdict, b"ready\n")
    report = run(source, namespace)
    os.write(verdict, os.read(secret, 256) if report is None else report)
    # No exit handler and no other thread of the program may have a say in the verdict.
    os._exit(0)


def run(source: str, namespace: dict[str, Any]) -> bytes | None:
    """None once the whole program has run, else `failed` or `error` and the exception's text."""
    try:
        exec(compile(source, "program.py", "exec"), namespace)  # noqa: S102
    except BaseException as error:
        flush_output()
        kind = "failed" if isinstance(error, AssertionError) else "error"
        return f"{kind} {described(error)[:500]}".encode(errors="replace")
    flush_output()
    return None


def described(error: BaseException) -> str:
    """The exception's name and its message, if it has one that can be shown."""
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def flush_output() -> None:
    """What was printed must be in the file before the abrupt end; it may be over its limit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112
            continue


def take_away_processes() -> None:
    """What libraries have loaded must start none: no event tells of the function that does."""

    def refuse(*_: object) -> None:
        raise PermissionError("a generated program may not start processes")

    for module, name in (("_posixsubprocess", "fork_exec"), ("subprocess", "_fork_exec")):
        if module in sys.modules:
            setattr(sys.modules[module], name, refuse)


def fresh_main_module() -> ModuleType:
    """A `__main__` of the program's own, which shows it nothing of this one."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = ["program.py"]
    return module


def limit_resources(order: dict[str, Any]) -> None:
    """Limits in bytes and seconds; lowered for good, so the program cannot raise them again."""
    for kind, soft, most in (
        (resource.RLIMIT_AS, order["memory_bytes"], order["memory_bytes"]),
        # SIGXCPU comes at the soft limit and tells why; SIGKILL at the hard one.
        (resource.RLIMIT_CPU, order["cpu_seconds"], order["cpu_seconds"] + 1),
        (resource.RLIMIT_FSIZE, order["file_bytes"], order["file_bytes"]),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES),
    ):
        known = resource.getrlimit(kind)[1]
        hard = most if known == resource.RLIM_INFINITY else min(most, known)
        resource.setrlimit(kind, (min(soft, hard), hard))


def enter_namespaces(scratch: str) -> frozenset[int]:
    """Leave the machine's network, processes and writable files as far as the kernel lets us.

    Returns the namespaces that were entered, none where this is no Linux or it is forbidden. A new
    user namespace makes the others possible without being root; some containers forbid just that
    one. Which folders are writable is fixed only where the mounts could be changed.
    """
    if sys.platform != "linux":
        return frozenset()
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    others = (CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID)
    for wanted in (
        (CLONE_NEWUSER, *others),
        others,
        (CLONE_NEWUSER, CLONE_NEWNET),
        (CLONE_NEWNET,),
    ):
        if libc.unshare(sum(wanted)) == 0:
            break
    else:
        return frozenset()
    if CLONE_NEWUSER in wanted:
        # Files are made in the name of a user that the new namespace knows.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    if CLONE_NEWNS in wanted:
        make_read_only_outside(scratch, libc)
    return frozenset(wanted)


def make_read_only_outside(scratch: str, libc: ctypes.CDLL) -> None:
    """Every mount read-only but the scratch folder; where the kernel refuses, all as it was."""
    path = os.fsencode(scratch)

    def set_attributes(target: bytes, flags: int, add: int, remove: int) -> bool:
        attributes = (ctypes.c_uint64 * 4)(add, remove, 0, 0)
        number, size = ctypes.c_long(SYS_MOUNT_SETATTR), ctypes.c_size_t(32)
        result: int = libc.syscall(number, AT_FDCWD, target, flags, attributes, size)
        return result == 0

    _ = (
        libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) == 0
        and libc.mount(path, path, None, ctypes.c_ulong(MS_BIND), None) == 0
        and set_attributes(b"/", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0)
        and set_attributes(path, 0, 0, MOUNT_ATTR_RDONLY)
    )


def become_first_process(cpu_seconds: int) -> None:
    """Go on as the first process of the new namespace: with it, the kernel ends all the others.

    The old process stays to hand its end on: the exit status, or 128 and the signal's number. A
    first process is deaf to SIGXCPU, so the kernel ends it with SIGKILL a second later.
    """
    child = os.fork()
    if child:
        _, wait_status, usage = os.wait4(child, 0)
        status = os.waitstatus_to_exitcode(wait_status)
        if status == -signal.SIGKILL and usage.ru_utime + usage.ru_stime >= cpu_seconds:
            status = -signal.SIGXCPU
        os._exit(status if status >= 0 else 128 - status)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make_guard(scratch: str, readable: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """The audit hook. Refusals are the errors that a program meets on a locked machine."""
    real_path, join, decode = os.path.realpath, os.path.join, os.fsdecode
    writable_root = real_path(scratch)
    readable_roots = tuple(real_path(root) for root in readable)

    def is_under(path: Any, roots: tuple[str, ...]) -> bool:
        name = real_path(decode(os.curdir if path is None else path))
        return any(name == root or name.startswith(join(root, "")) for root in roots)

    def refused_paths(event: str, arguments: tuple[Any, ...]) -> Iterator[Any]:
        if event == "open":
            path, mode, flags = arguments
            # An open descriptor was granted before. `os.open`, which has no mode, may hide a
            # folder descriptor against which a relative path would go.
            hidden_folder = mode is None and not decode(path).startswith(os.sep)
            roots = (writable_root,) if flags & WRITING else readable_roots
            if not isinstance(path, int) and (hidden_folder or not is_under(path, roots)):
                yield path
        elif event in LISTING_EVENTS:
            if not isinstance(arguments[0], int) and not is_under(arguments[0], readable_roots):
                yield arguments[0]
        elif event in CHANGING_EVENTS:
            elsewhere = any(arguments[i] != -1 for i in FOLDER_ARGUMENTS.get(event, ()))
            for path in arguments[: CHANGING_EVENTS[event]]:
                if isinstance(path, int) or elsewhere or not is_under(path, (writable_root,)):
                    yield path

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED_EVENTS):
            raise PermissionError(f"a generated program may not use {event}")
        if event == "import" and arguments[0] in REFUSED_MODULES:
            raise ImportError(f"a generated program may not import {arguments[0]}")
        for path in refused_paths(event, arguments):
            raise PermissionError(f"a generated program may not use {path!r} ({event})")

    return guard


if __name__ == "__main__":
    main()
