"""Where a trusted environment keeps its modules, found by looking, without running anything of it.

The environment is the interpreter's own, or one that the user named; never one that happens to lie
in a workspace. Of its `.pth` files only the lines that name folders count: the others are code.
"""

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

INSTALLED = frozenset({"site-packages", "dist-packages"})  # folders that packages are put into


def standard_library() -> tuple[str, ...]:
    """The folders of this interpreter's standard library, compiled modules included."""
    folders = [sysconfig.get_paths()["stdlib"]]
    folders += [entry for entry in sys.path if entry and is_dynamic_part(entry)]
    return tuple(dict.fromkeys(folders))


def is_dynamic_part(entry: str) -> bool:
    """`lib-dynload`, `DLLs`, and the standard library as a zip file."""
    path = Path(entry)
    inside = path.parent == Path(sysconfig.get_paths()["stdlib"])
    return (inside and path.name == "lib-dynload") or path.name == "DLLs"


def environment_folders(environment: str | None) -> tuple[str, ...]:
    """Where installed packages lie: of the named environment, a folder or its interpreter.

    Without a name, of the interpreter that runs this.
    """
    if environment is None:
        library = set(standard_library())
        own = [entry for entry in sys.path if entry and entry not in library]
        return tuple(entry for entry in own if is_folder(entry))
    named = Path(environment).absolute()
    top = named.parent.parent if is_file(named) else named
    sites = [*top.glob("lib/python3*/site-packages"), top / "Lib" / "site-packages"]
    found = [str(site) for site in sites if is_folder(site)]
    return tuple(dict.fromkeys([*found, *(str(p) for site in found for p in named_in_pth(site))]))


def named_in_pth(site: str) -> Iterator[Path]:
    """The folders that the `.pth` files of a site folder add."""
    for file in sorted(Path(site).glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(("#", "import ", "import\t")) or not line.strip():
                continue
            folder = Path(os.path.join(site, line.strip()))  # noqa: PTH118 - keeps absolute lines
            if is_folder(folder):
                yield folder


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - raises nothing


def is_folder(path: str | Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - raises nothing
