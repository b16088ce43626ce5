"""The development repositories: source no default model has been trained on, read as archives.

Each was first published after the default model's training data ended. They are fetched with pip
into Pirouette's home once, opened as zip archives, and never installed or imported. Two releases
of each make a small real history.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

from evaluation.provenance import git
from models.download import download_wheel
from models.errors import InputError
from models.progress import Progress, ProgressCallback
from retrieval.grammars import GRAMMARS
from retrieval.wheel_sources import sources_of
from retrieval.workspace_sources import sources_below

COMMITS_BACK = 20


@dataclass(frozen=True, slots=True)
class Release:
    """A distribution on the package index, a release of it, and an older one."""

    distribution: str
    version: str
    older: str


DEVELOPMENT = (
    Release("fastmcp", "2.14.0", "2.13.0"),
    Release("mcp", "1.25.0", "1.22.0"),
    Release("google-adk", "1.36.0", "1.30.0"),
)
# On which nothing is fitted.
APART = (
    Release("openai-agents", "0.24.0", "0.20.0"),
    Release("smolagents", "1.26.0", "1.22.0"),
    Release("pydantic-ai-slim", "2.68.0", "2.50.0"),
)
UNSEEN = (*DEVELOPMENT, *APART)


@dataclass(frozen=True, slots=True)
class Repository:
    """Sources by path, as they are now and as they were some time ago."""

    name: str
    files: Mapping[str, str]
    older: Mapping[str, str]

    def with_files_of(self, characters: int) -> "Repository":
        """The same without files of fewer characters."""
        large = {path: text for path, text in self.files.items() if len(text) >= characters}
        return replace(self, files=large)


def fetch_repositories(
    releases: tuple[Release, ...], folder: Path, progress: ProgressCallback
) -> list[Repository]:
    """The repositories of `releases`, their wheels kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    fetched: list[Repository] = []
    for number, release in enumerate(releases):
        progress(Progress("fetching repositories", number, len(releases)))
        now, then = (
            sources_of(download_wheel(release.distribution, version, folder))
            for version in (release.version, release.older)
        )
        fetched.append(Repository(f"{release.distribution}=={release.version}", now, then))
    progress(Progress("fetching repositories", len(releases), len(releases)))
    return fetched


def read_repository(folder: Path, suffixes: Collection[str] = (".py",)) -> Repository:
    """A folder's sources with some suffixes, and what git says they were some commits ago."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name the root of a repository")
    root = folder.resolve()
    files = sources_below(root, suffixes)
    return Repository(root.name, files, sources_back_then(root, files))


def read_sources(path: Path) -> Repository:
    """The sources of a folder, in every language that is read, or of a wheel; without a history."""
    # What pathlib asks raises for a path that is too long, or may not be looked at.
    if not os.path.isfile(path):  # noqa: PTH113
        if not os.path.isdir(path):  # noqa: PTH112
            raise InputError(f"{path} is not there; name the root of a repository, or a wheel")
        root = path.resolve()
        return Repository(folder_name(root.name), sources_below(root, GRAMMARS), {})
    try:
        name = folder_name("-".join(path.stem.split("-")[:2]))
        return Repository(name, sources_of(path), {})
    except BadZipFile:
        raise InputError(f"{path} is no wheel; name the root of a repository, or a wheel") from None


def folder_name(name: str) -> str:
    """A name as text that a folder can have: not every one is text, and some lead elsewhere."""
    return name.encode(errors="replace").decode() if name.strip(".") else "repository"


def sources_back_then(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Sources as an earlier commit has them; none where the folder is no git repository."""
    commits = git(root, "rev-list", "--first-parent", f"--max-count={COMMITS_BACK + 1}", "HEAD")
    if not commits:
        return {}
    then = commits.split()[-1]
    texts = {path: git(root, "show", f"{then}:./{path}") for path in paths}
    return {path: text + "\n" for path, text in texts.items() if text}
