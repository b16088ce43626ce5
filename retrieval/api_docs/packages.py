"""The packages that code imports, where they are installed, and what of them is indexed.

They are read as text and never imported. Of a package its public API is kept: how it is declared,
and what is said of it. Only what has been installed is one: a package that is worked on lies in a
workspace, under the workspace's own rules.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from retrieval.analyst.search_path import INSTALLED, is_file, is_folder
from retrieval.api_docs.exports import keep_exports
from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import APIS, Declaration, Kind, Outline
from retrieval.index.outline import outline_of
from retrieval.index.update import Report, update_files
from retrieval.workspace_files import holds_secrets

MAKER = "__init__"
SUFFIXES = (".py", ".pyi")
FOREIGN = frozenset({"test", "tests", "_vendor"})  # folders of no API
LONGEST_NAME = 100
STATEMENT = re.compile(r"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([^\n;#(]+))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """What `import name` finds in the folder `site`: its folder, or its only file. What is declared
    in a folder of stubs beside it, by others perhaps (PEP 561), is of it as well."""

    name: str
    site: Path
    place: Path

    @property
    def stubs(self) -> Path:
        return self.site / f"{self.name}-stubs"

    def allows(self, path: Path) -> bool:
        """Whether a file or folder below the site is one of the package's API."""
        is_inside = path.is_relative_to(self.place) or path.is_relative_to(self.stubs)
        inside = path.relative_to(self.site)
        return is_inside and FOREIGN.isdisjoint(inside.parts) and not holds_secrets(inside)


def package_in(site: Path, name: str) -> Package | None:
    """The package of a name in a folder of installed ones, as Python would find it: a folder with
    an `__init__`, or else a file, or else a folder; or what there are stubs of alone. None where
    there is none, or a link."""
    folder, file = site / name, site / f"{name}.py"
    is_regular = any(is_file(folder / f"{MAKER}{suffix}") for suffix in SUFFIXES)
    place = file if is_file(file) and not is_regular else folder
    package = Package(name, site, place)
    exists = is_file(place) or is_folder(place) or is_folder(package.stubs)
    return package if exists and not place.is_symlink() else None


def find_package(name: str, folders: Sequence[str]) -> Package | None:
    """The first one of a name in those of the folders in which packages are installed."""
    sites = [Path(folder) for folder in folders if not INSTALLED.isdisjoint(Path(folder).parts)]
    found = (package_in(site, name) for site in sites if len(name) <= LONGEST_NAME)
    return next((package for package in found if package is not None), None)


def packages_of(text: str) -> list[str]:
    """The top-level names that a Python text imports, in text order, each once."""
    names: dict[str, None] = {}
    for source, listed in STATEMENT.findall(text):
        for one in [source] if source else listed.split(","):
            top = re.match(r"\s*(\w+)", one)
            if top is not None and is_foreign(top[1]):
                names[top[1]] = None
    return list(names)


def is_foreign(name: str) -> bool:
    """Whether it is no module that Python brings along."""
    return bool(name) and name not in sys.stdlib_module_names


def imported_packages(
    modules: Mapping[str, int], folders: Sequence[str], most: int
) -> list[Package]:
    """The packages of some modules, of which each is imported so often; those first that are
    imported most."""
    times: dict[str, int] = {}
    for module, count in modules.items():
        top = module.partition(".")[0]
        if is_foreign(top):
            times[top] = times.get(top, 0) + count
    ordered = sorted(times, key=lambda name: (-times[name], name))
    found = (find_package(name, folders) for name in ordered)
    return [package for package in found if package is not None][:most]


def update_package(database: IndexDatabase, package: Package, report: Report) -> None:
    """Bring the index of a package up to date; where nothing has been installed or removed since,
    its files are not looked at."""
    places = (package.site, package.place, package.stubs)
    stamp = " ".join(str(modified(place)) for place in places)
    if database.setting("installed") != stamp:
        update_files(database, package.site, package, report, public_outline)
        keep_exports(database)
        database.set("installed", stamp)


def modified(path: Path) -> int:
    """Nanoseconds; -1 where there is nothing."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def public_outline(path: str, text: bytes) -> Outline | None:
    """Of a Python file what others may call, and in an `__init__` what it exports."""
    named = PurePosixPath(path)
    outline = outline_of(path, text) if named.suffix in SUFFIXES else None
    if outline is None:
        return None
    return Outline(
        declarations=tuple(public_ones(outline.declarations)),
        imports=outline.imports if named.stem == MAKER else (),
        calls={},
    )


def public_ones(declarations: Iterable[Declaration]) -> Iterator[Declaration]:
    """Private classes of modules among them, which may be exported under another name."""
    for one in declarations:
        outermost, *inner = one.qualified.split(".")
        is_class = bool(inner) or one.kind is Kind.CLASS
        names = inner if is_class else [outermost]
        private = any(name.startswith("_") and name != MAKER for name in names)
        if one.kind in APIS and not private:
            yield replace(one, body="")
