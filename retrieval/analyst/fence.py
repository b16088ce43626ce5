"""What the worker may do: read source files, and run nothing but what it came with.

jedi reads a workspace without importing it. Should it ever try otherwise, by a fault or by a
trap that somebody set, an audit hook says no: code from elsewhere is not executed, compiled
modules from elsewhere are not loaded, no program is started, no connection made, no file written,
and no file read that is not source code or whose name tells of secrets. A hook is no wall against
code that already runs; it is there so that none begins to.
"""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrieval.analyst.search_path import INSTALLED
from retrieval.grammars import DECLARED_SUFFIXES
from retrieval.workspace_files import holds_secrets

LARGEST_FILE = 4 << 20
READ_SUFFIXES = (".py", ".pyi", *DECLARED_SUFFIXES, "go.mod")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED_EVENTS = (
    *("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pty."),
    *("os.startfile", "socket.", "ctypes.", "sqlite3.", "winreg.", "webbrowser."),
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"),
    *("os.truncate", "os.utime", "shutil.", "tempfile."),
)


def close_fence(trusted_code: tuple[str, ...], library: tuple[str, ...]) -> None:
    """From here on, only code below `trusted_code` runs; files of `library` may be named freely.

    The search path of the process itself shrinks to what is trusted, and only the finders that
    Python brings along stay, so that nothing else is found where jedi imports a compiled module.
    """
    sys.dont_write_bytecode = True
    own = ("BuiltinImporter", "FrozenImporter", "PathFinder")
    sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "__name__", "") in own]
    sys.addaudithook(make_guard(roots(trusted_code), roots(library)))


def roots(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)  # noqa: PTH118


def make_guard(
    trusted_code: tuple[str, ...], library: tuple[str, ...]
) -> Callable[[str, tuple[Any, ...]], None]:
    real_path, status, decode = os.path.realpath, os.stat, os.fsdecode

    def is_trusted(name: str) -> bool:
        """Below a trusted folder, but not among the packages installed below that one."""
        return any(
            name.startswith(root) and INSTALLED.isdisjoint(Path(name[len(root) :]).parts)
            for root in trusted_code
        )

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            if isinstance(flags, int) and flags & WRITING:
                raise PermissionError(f"the analyst writes no files: {path!r}")
            name = real_path(decode(path))
            if not may_be_read(name):
                raise PermissionError(f"the analyst does not read {path!r}")
        elif event == "exec":
            name = getattr(arguments[0], "co_filename", "")
            if not name.startswith("<") and not is_trusted(real_path(name)):
                raise PermissionError(f"the analyst does not run {name!r}")
        elif event == "import":
            name = arguments[1]
            if name is not None and not is_trusted(real_path(decode(name))):
                raise ImportError(f"the analyst does not load {name!r}")
        elif event.startswith(REFUSED_EVENTS):
            raise PermissionError(f"the analyst does not use {event}")

    def may_be_read(name: str) -> bool:
        if is_trusted(name):
            return True
        if not name.endswith(READ_SUFFIXES):
            return False
        if not name.startswith(library) and holds_secrets(Path(name)):
            return False
        try:
            found = status(name)
        except OSError:
            return True  # there is nothing to read, which the reader will see
        return stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST_FILE

    return guard
