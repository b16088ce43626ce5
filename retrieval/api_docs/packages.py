"""The packages that code imports, where they are installed, and what of them is indexed.

They are read as text and never imported. Of a package its public API is kept: what is declared with
how, and what is said of it.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import APIS, Declaration, Outline
from retrieval.index.outline import outline_of
from retrieval.index.update import Report, Updated, update_files

MAKER = "__init__"
FOREIGN = frozenset({"test", "tests", "_vendor"})  # folders of no API
STATEMENT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+(\w+(?:[ \t]*,[ \t]*\w+)*))", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Package:
    """What `import name` finds in the folder `site`."""

    name: str
    site: Path

    @property
    def place(self) -> Path:
        """Its folder, or its only file."""
        folder = self.site / self.name
        return folder if folder.is_dir() else folder.with_suffix(".py")

    def allows(self, path: Path) -> bool:
        """Whether a file or folder below the site is one of the package's API."""
        inside = path.relative_to(self.site).parts
        return path.is_relative_to(self.place) and FOREIGN.isdisjoint(inside)


def find_package(name: str, folders: Sequence[str]) -> Package | None:
    """The first one of a name in some folders of installed packages."""
    found = (Package(name, Path(folder)) for folder in folders)
    return next((package for package in found if package.place.exists()), None)


def packages_of(text: str) -> list[str]:
    """The top-level names that a Python text imports, in text order, each once."""
    found = (source or listed for source, listed in STATEMENT.findall(text))
    names = (name.strip() for line in found for name in line.split(","))
    return list(dict.fromkeys(filter(is_foreign, names)))


def is_foreign(name: str) -> bool:
    """Whether it is no module that Python brings along."""
    return bool(name) and name not in sys.stdlib_module_names


def imported_packages(
    modules: Mapping[str, int], folders: Sequence[str], most: int
) -> list[Package]:
    """The packages of some imported modules, those first that the most files import."""
    files: dict[str, int] = {}
    for module, count in modules.items():
        top = module.partition(".")[0]
        if is_foreign(top):
            files[top] = files.get(top, 0) + count
    ordered = sorted(files, key=lambda name: (-files[name], name))
    found = (find_package(name, folders) for name in ordered)
    return [package for package in found if package is not None][:most]


def update_package(database: IndexDatabase, package: Package, report: Report) -> Updated:
    """Bring the index of a package up to date; nothing is read where nothing has changed."""
    return update_files(database, package.site, package, report, public_outline)


def public_outline(path: str, text: bytes) -> Outline | None:
    """Of a file what others may call, and in an `__init__` what it exports."""
    outline = outline_of(path, text)
    if outline is None:
        return None
    is_init = Path(path).stem == MAKER
    return Outline(
        declarations=tuple(public_ones(outline.declarations)),
        imports=outline.imports if is_init else (),
        calls={},
    )


def public_ones(declarations: Iterable[Declaration]) -> Iterable[Declaration]:
    for one in declarations:
        *around, name = one.qualified.split(".")
        private = any(part.startswith("_") for part in around)
        if one.kind in APIS and not private and (name == MAKER or not name.startswith("_")):
            yield replace(one, body="")
