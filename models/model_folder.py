"""Which files a model folder in Hugging Face layout must hold. Nothing here reads a weight."""

from pathlib import Path

from models.config import read_json
from models.errors import DamagedModelError, PirouetteError, UnsupportedModelError


def is_whole(folder: Path) -> bool:
    """Whether every file that a model needs is there."""
    try:
        weight_files(folder)
    except PirouetteError:
        return False
    return all((folder / name).is_file() for name in ("config.json", "tokenizer.json"))


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, one or several."""
    index = folder / "model.safetensors.index.json"
    single = folder / "model.safetensors"
    files = [folder / name for name in shard_names(index)] if index.exists() else [single]
    missing = [file.name for file in files if not file.exists()]
    if missing == [single.name]:
        raise UnsupportedModelError(
            f"{folder} has no safetensors weights; pickled weights are never loaded"
        )
    if missing:
        raise DamagedModelError(f"{folder} lacks {', '.join(missing)}; fetch the model again")
    return files


def shard_names(index: Path) -> list[str]:
    """The files that an index spreads the tensors over; each a plain name beside the index."""
    spread = read_json(index).get("weight_map")
    names = list(spread.values()) if isinstance(spread, dict) else []
    if not names or any(not isinstance(name, str) or Path(name).name != name for name in names):
        raise DamagedModelError(f"{index} names no files beside it; fetch the model again")
    return sorted(set(names))
