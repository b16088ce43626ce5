"""The far side of `evaluation.programs`: runs one program, and says whether it came to its end.

It is started as a script by an isolated interpreter, inside the fence of `program_fence`, so it
imports nothing but the standard library and must know nothing of the project.

An audit hook turns careless programs away with a plain error, everywhere: network, processes,
native code, and files outside the scratch folder and the libraries. It cannot hold a program that
is written to break Python itself (PEP 578, "Non-goals"); the kernel's fence is there for those.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

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
    "sys._current_",  # frames and exceptions of other threads
    "sys.monitoring.",
    "sys.setprofile",
    "sys.settrace",  # could jump over what is still to be run
    "sys.set_asyncgen_hooks",
)
REFUSED_MODULES = frozenset(
    {
        "_ctypes",
        "_dbm",
        "_gdbm",
        "_interpreters",
        "_posixshmem",
        "_posixsubprocess",
        "_testcapi",
        "_testinternalcapi",
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
    """Read the order from the first argument and the program from standard input, and run it.

    The pipe of the verdict gets `ready` once the program is about to start, then the secret if it
    came to its end, else how it failed.
    """
    order = json.loads(sys.argv[1])
    verdict, scratch = order["verdict"], order["scratch"]
    try:
        given = json.loads(read_all(0))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.path += order["folders"]
        for name in order["loaded"]:
            exec(f"import {name}", {})  # noqa: S102 - of the order, not of the program
        take_away_processes()
        os.chdir(scratch)
        namespace = fresh_main_module().__dict__
        for name in [name for name in sys.modules if name.partition(".")[0] in REFUSED_MODULES]:
            del sys.modules[name]
        sys.addaudithook(make_guard(scratch, (scratch, *sys.path, *DEVICES)))
    except Exception as error:
        os.write(verdict, described(error).encode())
        os._exit(1)
    os.write(verdict, b"ready\n")
    source = given.pop("source")
    try:
        # While the program runs, the secret lies on the evaluation stack: no variable, descriptor
        # or object that Python code can reach has it.
        os.write(verdict, given.pop("secret").encode() + run(source, namespace))
    except BaseException as error:
        flush_output()
        kind = "failed" if isinstance(error, AssertionError) else "error"
        os.write(verdict, f"{kind} {described(error)[:500]}".encode(errors="replace"))
    # No exit handler and no other thread of the program may have a say in the verdict.
    os._exit(0)


def read_all(descriptor: int) -> bytes:
    return b"".join(iter(lambda: os.read(descriptor, 1 << 16), b""))


def run(source: str, namespace: dict[str, Any]) -> bytes:
    """Nothing, once the whole program has run; raises whatever it raises."""
    exec(compile(source, "program.py", "exec"), namespace)  # noqa: S102
    flush_output()
    return b""


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
