"""Small repositories, their indexes, and an embedder whose vectors can be told by heart."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
from models.store import default_home
from retrieval.index.database import IndexDatabase, open_database
from retrieval.index.update import Updated, update_files
from retrieval.index.words import words_asked
from retrieval.workspace_files import WorkspaceFiles

DIMENSIONS = 64


class BagOfWords:
    """A direction for each word; texts with the same words are near. Counts what it embeds."""

    name = "bag-of-words"

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.embedded += texts
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in words_asked(text):
                row[sum(word.encode()) % DIMENSIONS] += 1
            row /= max(float(np.linalg.norm(row)), 1e-6)
        return vectors


def home_with_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of Pirouette in `folder` whose only content is the real embedding model."""
    ready = embedding_folder(DEFAULT_EMBEDDING.name, default_home())
    home = folder / "home"
    home.mkdir()
    (home / "embedding").symlink_to(ready.parent)
    monkeypatch.setenv("PIROUETTE_HOME", str(home))
    return home


def age(root: Path) -> None:
    """Make what was just written older by an hour, so that its time can be trusted."""
    for file in root.rglob("*"):
        written = file.stat().st_mtime_ns
        if time.time_ns() - written < 60 * 10**9:
            os.utime(file, ns=(written - 3_600 * 10**9, written - 3_600 * 10**9))


def silent(_: str, __: int, ___: int) -> None: ...


def update(database: IndexDatabase, root: Path) -> Updated:
    return update_files(database, root, WorkspaceFiles((root,)), silent)


def indexed(root: Path, place: Path) -> IndexDatabase:
    """A new index at `place` of what is in `root`."""
    database = open_database(place)
    update(database, root)
    return database
