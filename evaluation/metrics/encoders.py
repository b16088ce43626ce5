"""The models that CodeBERTScore encodes with, by name, and which of their layers."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.metrics.token_encoder import TokenEncoder
from models.catalogue import DEFAULT_MODEL, PUBLISHED_MODEL
from models.config import read_json
from models.embedding_models import DEFAULT_EMBEDDING, embedding_folder
from models.errors import UnsupportedModelError
from models.progress import ProgressCallback, ignore_progress
from models.store import ModelStore

DEFAULT_ENCODER = DEFAULT_EMBEDDING.name
# Chosen on the development problems (docs/metrics.md); the adapter leaves the layer where it is.
LAYERS = {
    DEFAULT_EMBEDDING.name: 4,
    "smollm2-135m-instruct": 18,
    DEFAULT_MODEL: 6,
    PUBLISHED_MODEL: 6,
}
DEPTH = 10 / 12  # of other models, as CodeBERT's published layer


def encoder_folder(name: str, home: Path, progress: ProgressCallback = ignore_progress) -> Path:
    """That of an encoder or code model, fetched first where needed.

    `name` is the embedding model's, one of the catalogue's, a Hugging Face id or a local folder.
    Raises a `PirouetteError` where there is no such model.
    """
    if name == DEFAULT_EMBEDDING.name:
        return embedding_folder(name, home, progress)
    return ModelStore(home).pull(name, progress)


def load_encoder(
    name: str,
    home: Path,
    progress: ProgressCallback = ignore_progress,
    layers: Sequence[int] | None = None,
) -> TokenEncoder:
    """An encoder with its chosen layer, or with those that are named."""
    folder = encoder_folder(name, home, progress)
    return TokenEncoder(folder, layers or (LAYERS.get(name) or usual_layer(folder),))


def usual_layer(folder: Path) -> int:
    return max(1, round(DEPTH * layer_count(folder)))


def layer_count(folder: Path) -> int:
    count = read_json(folder / "config.json").get("num_hidden_layers")
    if not isinstance(count, int):
        raise UnsupportedModelError(f"{folder} does not say how many layers it has; name another")
    return count
