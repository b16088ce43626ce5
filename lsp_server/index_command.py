"""`pirouette index`: what a repository declares, kept."""

import hashlib
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lsp_server.console import ProgressBar, print_json
from models.disk import disk_errors
from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder, embedding_name
from models.errors import DiskSpaceError, DownloadError, InputError
from models.progress import Progress, ProgressCallback
from models.store import default_home
from retrieval.analyst.search_path import environment_folders
from retrieval.api_docs.packages import (
    Package,
    imported_packages,
    update_package,
)
from retrieval.index.database import IndexDatabase, open_database, open_existing
from retrieval.index.embedder import Embedder
from retrieval.index.schema import forget_database, is_damage, remove_database
from retrieval.index.update import Report, Updated, update_files, update_vectors
from retrieval.workspace_files import WorkspaceFiles

Result = TypeVar("Result")
FORGOTTEN_SECONDS = 7 * 24 * 3600
MOST_PACKAGES = 64  # those that are imported most
NAME_LENGTH = 40  # of a repository in the name of its index


def build_index(
    path: Path, environment: Path | None, embedding: str, *, vectors: bool, as_json: bool
) -> int:
    """Bring the index of a repository up to date, and those of the packages that it imports and an
    environment has; say what that took. Vectors are made by the model `embedding`, or the one that
    the index has where that is empty."""
    root = repository_root(path)
    folders = package_folders(environment)

    def work(
        database: IndexDatabase,
    ) -> tuple[Updated, Mapping[str, int], Mapping[str, int]]:
        keep_root(database, root)
        if vectors:
            name = embedding_of(database, embedding)
            updated = update(database, root, progress, name, lambda: load_embedder(name, progress))
        else:
            report = reporting_to(progress)
            updated = update_files(database, root, WorkspaceFiles((root,)), report)
        return updated, database.count(), database.names.modules()

    with ProgressBar() as progress:
        updated, counts, modules = with_index(root, work)
        imported = imported_packages(modules, folders, MOST_PACKAGES)
        packages = sum(is_indexed(package, reporting_to(progress)) for package in imported)
    forget_gone(index_file(root).parent)
    figures = {
        "files": updated.files,
        "parsed": updated.parsed,
        "removed": updated.removed,
        "embedded": updated.embedded,
        "declarations": counts["declaration"],
        "bytes": index_file(root).stat().st_size,
        "packages": packages,
    }
    if as_json:
        print_json({"path": shown_path(root), "index": str(index_file(root)), **figures})
    else:
        print(
            f"{figures['files']} files, {figures['declarations']} declarations, "
            f"{figures['bytes'] / 1e6:.1f} MB; read {updated.parsed} files, "
            f"forgot {updated.removed}, embedded {updated.embedded} texts; "
            f"{packages} packages"
        )
    return 0 if updated.files else 1


def package_folders(environment: Path | None) -> tuple[str, ...]:
    """Where the packages of an environment lie, or those of Pirouette's own."""
    folders = environment_folders(None if environment is None else str(environment))
    if environment is not None and not folders:
        raise InputError(f"there are no packages in {environment}; name a virtual environment")
    return folders


def is_indexed(package: Package, report: Report) -> bool:
    """Whether the index of a package is up to date now; a line says why if it is not."""
    try:
        index_package(package, report)
    except DiskSpaceError as error:
        print(f"pirouette: {package.name} was not indexed: {error}", file=sys.stderr)
        return False
    return True


def index_package(package: Package, report: Report) -> None:
    """Bring the index of what a package offers up to date."""
    with_index(package.place, lambda database: update_index(database, package, report))


def update_index(database: IndexDatabase, package: Package, report: Report) -> None:
    keep_root(database, package.place)
    update_package(database, package, report)


def keep_root(database: IndexDatabase, place: Path) -> None:
    """Say in an index what it is of, for `forget_gone`; a name need not be text."""
    database.set("root", os.fsencode(place).hex())


def forget_gone(folder: Path) -> None:
    """Remove the indexes in `folder` whose repositories are no longer there, once they have not
    been written for a week; what cannot be read is left alone."""
    latest = time.time() - FORGOTTEN_SECONDS
    for file in folder.glob("*.sqlite"):
        with suppress(OSError, sqlite3.Error):
            if file.stat().st_mtime > latest or (database := open_existing(file)) is None:
                continue
            with closing(database):
                root = database.setting("root")
            if root is not None and not os.path.lexists(bytes.fromhex(root)):
                forget_database(file)


def repository_root(path: Path) -> Path:
    if not os.path.isdir(path):  # noqa: PTH112 - raises nothing
        raise InputError(f"{shown_path(path)} is not a folder; name the root of a repository")
    return path.resolve()


def shown_path(path: Path) -> str:
    """Its name may hold bytes that are no text."""
    return os.fsencode(path).decode(errors="replace")


def index_file(root: Path) -> Path:
    """Where the index of a repository is kept."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    named = re.sub(r"[^\w.-]", "_", root.name)[:NAME_LENGTH]
    return default_home() / "indexes" / f"{named}-{digest}.sqlite"


def with_index(root: Path, work: Callable[[IndexDatabase], Result]) -> Result:
    """What `work` makes of the index of a repository; a damaged one is made anew, once.

    Raises `DiskSpaceError` where it cannot be written or another program does not let go of it.
    """
    file = index_file(root)
    for is_last in (False, True):
        try:
            with disk_errors(default_home()), closing(open_database(file)) as database:
                return work(database)
        except sqlite3.Error as error:
            if is_last or not is_damage(error):
                raise DiskSpaceError(
                    f"the index {file} cannot be used ({error}); free some space, or wait for the "
                    "program that uses it"
                ) from None
            remove_database(file)
    raise AssertionError("unreachable")


def update(
    database: IndexDatabase,
    root: Path,
    progress: ProgressCallback,
    embedding: str,
    load: Callable[[], Embedder | None],
) -> Updated:
    """Bring files up to date, and then vectors; the model is loaded only if there is need."""
    report = reporting_to(progress)
    updated = update_files(database, root, WorkspaceFiles((root,)), report)
    database.use_model(embedding)
    if not database.count_without_vector():
        return updated
    embedder = load()
    embedded = update_vectors(database, embedder, report) if embedder else 0
    return replace(updated, embedded=embedded)


def embedding_of(database: IndexDatabase, named: str) -> str:
    """The model that makes the vectors of an index: the one that is named, or it has."""
    return embedding_name(named or database.setting("model") or DEFAULT_EMBEDDING.name)


def load_embedder(name: str, progress: ProgressCallback) -> Embedder | None:
    """None, and a line that says why, where the model cannot be fetched or run."""
    try:
        folder = embedding_folder(name, default_home(), progress)
    except DownloadError as error:
        reason = str(error)
    else:
        try:
            return Embedder(folder, name)
        except (OSError, ValueError):
            is_ours = name == DEFAULT_EMBEDDING.name
            advice = "remove it, and it is fetched again" if is_ours else "name another folder"
            reason = f"{folder} is damaged; {advice}"
    print(f"pirouette: searching by words alone: {reason}", file=sys.stderr)
    return None


def reporting_to(progress: ProgressCallback) -> Report:
    return lambda stage, done, total: progress(Progress(stage, done, total))
