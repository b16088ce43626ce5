"""`pirouette models`: what there is, what is ready, and where."""

from rich.console import Console
from rich.table import Table

from lsp_server.console import ProgressBar, print_json
from models.catalogue import DEFAULT_MODEL
from models.store import ModelStore


def list_models(store: ModelStore, *, as_json: bool) -> int:
    statuses = store.statuses()
    if as_json:
        rows = [
            {
                "name": status.entry.name,
                "description": status.entry.description,
                "license": status.entry.license,
                "parameters": status.entry.parameters,
                "download_bytes": status.entry.size,
                "default": status.entry.name == DEFAULT_MODEL,
                "path": None if status.folder is None else str(status.folder),
            }
            for status in statuses
        ]
        print_json({"models": rows})
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("name", "parameters", "download", "license", "ready"):
        table.add_column(column, no_wrap=True)
    table.add_column("description")
    for status in statuses:
        table.add_row(
            status.entry.name,
            status.entry.parameters,
            f"{status.entry.size / 1e6:.0f} MB",
            status.entry.license,
            "no" if status.folder is None else "yes",
            status.entry.description,
        )
    Console().print(table)
    return 0


def pull_model(store: ModelStore, name: str, *, as_json: bool) -> int:
    with ProgressBar() as progress:
        folder = store.pull(name, progress)
    show_path(name, str(folder), as_json=as_json)
    return 0


def model_path(store: ModelStore, name: str, *, as_json: bool) -> int:
    """Where a ready model is; exit status 1 where it has not been fetched."""
    folder = store.find(name)
    show_path(name, None if folder is None else str(folder), as_json=as_json)
    return 0 if folder is not None else 1


def show_path(name: str, path: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "path": path})
    elif path is not None:
        print(path)
