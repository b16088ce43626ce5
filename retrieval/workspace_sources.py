"""The sources of a folder, as far as they may be read."""

from collections.abc import Collection
from pathlib import Path, PurePath

from retrieval.index.source_files import read_source, source_files
from retrieval.wheel_sources import readable
from retrieval.workspace_files import WorkspaceFiles


def sources_below(root: Path, suffixes: Collection[str] = (".py",)) -> dict[str, str]:
    """Texts by path, of files with some suffixes. Left out are ignored files, those that may hold
    secrets, links, and the folders of what others wrote, as in an index."""
    return {
        file.path: text
        for file in source_files(root, WorkspaceFiles((root,)))
        if PurePath(file.path).suffix in suffixes
        and (data := read_source(root, file.path)) is not None
        and (text := readable(data)) is not None
    }
