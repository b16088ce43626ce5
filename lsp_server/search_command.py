"""`pirouette search`: what a repository or a package declares, found for a wish in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from lsp_server.console import ProgressBar, print_json
from lsp_server.index_command import (
    embedding_of,
    load_embedder,
    package_folders,
    reporting_to,
    repository_root,
    shown_path,
    update,
    update_index,
    with_index,
)
from models.errors import InputError
from models.progress import ProgressCallback
from models.store import ModelStore, default_home
from retrieval.api_docs.api_docs import LibraryDocs
from retrieval.api_docs.packages import find_package
from retrieval.index.database import IndexDatabase, Place
from retrieval.index.search import ApiSearch, Hit, Reorder, as_found


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How many hits are printed, as JSON or for people, in the order of the search or in that of
    the model `rerank`, changed by an adapter."""

    limit: int
    as_json: bool
    rerank: str | None = None
    adapter: Path | None = None


def search_index(wish: str, path: Path, embedding: str, options: SearchOptions) -> int:
    """Print the declarations that fit a wish best, after a look at what has changed."""
    wish = worded(wish)
    root = repository_root(path)

    def work(database: IndexDatabase) -> list[Hit]:
        name = embedding_of(database, embedding)
        load = cache(lambda: load_embedder(name, progress))
        update(database, root, progress, name, load)
        embedder = load() if database.count()["vector"] else None
        return ApiSearch(database, root, embedder).search(wish, options.limit, reorder)

    with ProgressBar() as progress:
        reorder = reordering(options, progress)
        hits = with_index(root, work)
    return print_hits(wish, root, hits, as_json=options.as_json)


def search_package(wish: str, name: str, environment: Path | None, options: SearchOptions) -> int:
    """Print what of an installed package's public API fits a wish best."""
    wish = worded(wish)
    package = find_package(name, package_folders(environment))
    if package is None:
        raise InputError(f"there is no package {name}; name the --environment that has it")

    def work(database: IndexDatabase) -> list[Hit]:
        update_index(database, package, reporting_to(progress))
        found = reorder(wish, LibraryDocs(package.site, database).found(wish))
        return [Hit(api, None) for api in found[: options.limit]]

    with ProgressBar() as progress:
        reorder = reordering(options, progress)
        hits = with_index(package.place, work)
    return print_hits(wish, package.site, hits, as_json=options.as_json)


def reordering(options: SearchOptions, progress: ProgressCallback) -> Reorder:
    """The order of the hits. Its model is fetched now, and loaded once there are several."""
    if (name := options.rerank) is None:
        return as_found
    from completion.api_ranking import best_first  # seconds, so only when it is used
    from models.adapter import read_adapter
    from models.language_model import load_language_model

    folder = ModelStore(default_home()).pull(name, progress)
    if options.adapter is not None:
        read_adapter(options.adapter)

    def reorder(wish: str, places: Sequence[Place]) -> Sequence[Place]:
        if len(places) < 2:
            return places
        model = load_language_model(name, folder, progress, adapter=options.adapter)
        return best_first(model, wish, places, progress)

    return reorder


def worded(wish: str) -> str:
    wish = wish.encode(errors="replace").decode()
    if not wish.strip():
        raise InputError("the search is empty; say in words what you want to do")
    return wish


def print_hits(wish: str, root: Path, hits: Sequence[Hit], *, as_json: bool) -> int:
    """Those of a wish, whose paths are relative to `root`; the exit status."""
    if as_json:
        print_json(
            {"query": wish, "path": shown_path(root), "hits": [hit_json(hit) for hit in hits]}
        )
    else:
        console = Console(highlight=False)
        for hit in hits:
            console.print(shown(hit), soft_wrap=True)
    return 0 if hits else 1


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
        (printable(declared.qualified), "bold"),
        f"  {declared.kind}  ",
        (printable(f"{hit.place.path}:{declared.first_line}"), "cyan"),
        f"\n    {printable(declared.signature)}",
    )
    if summary := declared.doc.partition("\n")[0]:
        text.append(f"\n    {printable(summary)}", "dim")
    if example is not None:
        place = f"{example.path}:{example.line}"
        text.append(f"\n    {printable(f'{place}: {example.text}')}", "green")
    return text


def printable(text: str) -> str:
    """A repository's text without what a terminal would obey."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
