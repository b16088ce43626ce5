"""`pirouette index` and `pirouette search`: what a repository declares, kept and found."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from lsp_server.console import ProgressBar, print_json
from models.disk import disk_errors
from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
from models.errors import DownloadError, InputError
from models.progress import Progress, ProgressCallback
from models.store import default_home
from retrieval.index.database import IndexDatabase, open_database
from retrieval.index.embedder import Embedder
from retrieval.index.search import ApiSearch, Hit
from retrieval.index.update import Report, Updated, update_files, update_vectors
from retrieval.workspace_files import WorkspaceFiles


def build_index(path: Path, *, as_json: bool) -> int:
    """Bring the index of a repository up to date and say what that took."""
    root = repository_root(path)
    with ProgressBar() as progress, opened(root) as database:
        updated = update(database, root, progress, lambda: load_embedder(progress))
        counts = database.count()
    figures = {
        "files": updated.files,
        "parsed": updated.parsed,
        "removed": updated.removed,
        "embedded": updated.embedded,
        "declarations": counts["declaration"],
        "bytes": index_file(root).stat().st_size,
    }
    if as_json:
        print_json({"path": str(root), "index": str(index_file(root)), **figures})
    else:
        print(
            f"{figures['files']} files, {figures['declarations']} declarations, "
            f"{figures['bytes'] / 1e6:.1f} MB; read {updated.parsed} files, "
            f"forgot {updated.removed}, embedded {updated.embedded} texts"
        )
    return 0 if updated.files else 1


def search_index(wish: str, path: Path, limit: int, *, as_json: bool) -> int:
    """Print the declarations that fit a wish best, after a look at what has changed."""
    if not wish.strip():
        raise InputError("the search is empty; say in words what you want to do")
    root = repository_root(path)
    with ProgressBar() as progress, opened(root) as database:
        load = cache(lambda: load_embedder(progress))
        update(database, root, progress, load)
        embedder = load() if database.count()["vector"] else None
        hits = ApiSearch(database, root, embedder).search(wish, limit)
    if as_json:
        print_json({"query": wish, "path": str(root), "hits": [hit_json(hit) for hit in hits]})
    else:
        for hit in hits:
            Console(highlight=False).print(shown(hit), soft_wrap=True)
    return 0 if hits else 1


def repository_root(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; name the root of a repository")
    return path.resolve()


def index_file(root: Path) -> Path:
    """Where the index of a repository is kept."""
    digest = hashlib.sha256(str(root).encode(errors="surrogateescape")).hexdigest()[:16]
    return default_home() / "indexes" / f"{root.name}-{digest}.sqlite"


@contextmanager
def opened(root: Path) -> Iterator[IndexDatabase]:
    with disk_errors(default_home()):
        database = open_database(index_file(root))
    try:
        yield database
    finally:
        database.close()


def update(
    database: IndexDatabase,
    root: Path,
    progress: ProgressCallback,
    load: Callable[[], Embedder | None],
) -> Updated:
    """Bring files up to date, and then vectors; the model is loaded only if there is need."""
    report = reporting_to(progress)
    updated = update_files(database, root, WorkspaceFiles((root,)), report, never)
    database.use_model(DEFAULT_EMBEDDING.name)
    if not database.count_without_vector():
        return updated
    embedder = load()
    embedded = update_vectors(database, embedder, report, never) if embedder else 0
    return replace(updated, embedded=embedded)


def load_embedder(progress: ProgressCallback) -> Embedder | None:
    """None, and a line that says why, where the model cannot be fetched."""
    try:
        folder = embedding_folder(DEFAULT_EMBEDDING.name, default_home(), progress)
    except DownloadError as error:
        print(f"pirouette: searching by words alone: {error}", file=sys.stderr)
        return None
    return Embedder(folder, DEFAULT_EMBEDDING.name)


def reporting_to(progress: ProgressCallback) -> Report:
    return lambda stage, done, total: progress(Progress(stage, done, total))


def never() -> bool:
    return False


def hit_json(hit: Hit) -> dict[str, Any]:
    declared, example = hit.place.declaration, hit.example
    return {
        "name": declared.qualified,
        "kind": declared.kind,
        "signature": declared.signature,
        "doc": declared.doc,
        "path": hit.place.path,
        "line": declared.first_line,
        "example": None
        if example is None
        else {"path": example.path, "line": example.line, "text": example.text},
    }


def shown(hit: Hit) -> Text:
    """Name and place, how it is declared, what is said of it, and how it is used."""
    declared, example = hit.place.declaration, hit.example
    text = Text.assemble(
        (declared.qualified, "bold"),
        f"  {declared.kind}  ",
        (f"{hit.place.path}:{declared.first_line}", "cyan"),
        f"\n    {declared.signature}",
    )
    if summary := declared.doc.partition("\n")[0]:
        text.append(f"\n    {summary}", "dim")
    if example is not None:
        text.append(f"\n    {example.path}:{example.line}: {example.text}", "green")
    return text
