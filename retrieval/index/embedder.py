"""Texts as vectors, by a model of sentence-transformers from a local folder."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BATCH = 32


class Embedder:
    """Runs on the CPU. `name` says which model it is, wherever it lies."""

    def __init__(self, folder: Path, name: str) -> None:
        """Raises `OSError` or `ValueError` where the folder holds no such model."""
        from sentence_transformers import SentenceTransformer  # seconds, so only when it is used
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self.name = name
        self._model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},  # nothing pickled
        )

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """[texts, dimensions], each of length one."""
        found = self._model.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32)
