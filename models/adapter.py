"""Low-rank adapters as peft keeps them, merged into the weights that they were learned for.

An adapter changes a matrix W [out, in] by (alpha / rank) B A, with A [rank, in] and B [out, rank]
(Hu et al. 2021, "LoRA", section 4.1). Merged, it costs nothing when the model runs.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from models.config import read_json
from models.errors import DamagedModelError, InputError, UnsupportedModelError

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
# What changes the product of the two factors, or adds to it.
OTHER_KINDS = ("use_dora", "use_rslora", "fan_in_fan_out", "rank_pattern", "alpha_pattern")
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Adapter:
    """The two factors (A, B) of each changed matrix by its name, and what scales their product."""

    factors: Mapping[str, tuple[Matrix, Matrix]]
    scale: float

    def merged(self, name: str, weight: Matrix) -> Matrix:
        """The matrix of that name as the adapter has it; itself where it is not changed."""
        if name not in self.factors:
            return weight
        first, second = self.factors[name]
        if (len(second), first.shape[1]) != weight.shape:
            raise UnsupportedModelError(
                f"the adapter changes '{name}' as if it had the shape "
                f"{len(second)} x {first.shape[1]}; use it with the model it was trained for"
            )
        changed: Matrix = weight + np.float32(self.scale) * (second @ first)
        return changed

    def require_names(self, names: Iterable[str]) -> None:
        """Refuse a model that lacks one of the matrices that are changed."""
        if unknown := sorted(set(self.factors) - set(names)):
            raise UnsupportedModelError(
                f"the adapter changes '{unknown[0]}', which the model does not have; "
                "use it with the model it was trained for"
            )


UNCHANGED = Adapter({}, 0.0)


def adapter_hash(folder: Path) -> str:
    """The sha256 of all that `read_adapter` reads."""
    try:
        files = (folder / CONFIG).read_bytes(), (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise DamagedModelError(f"{folder} is no adapter ({error}); get it again") from None
    return hashlib.sha256(b"".join(files)).hexdigest()


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder that peft wrote; a `PirouetteError` says what is wrong with it."""
    if not (folder / CONFIG).is_file():
        raise InputError(f"there is no adapter in {folder}; name what 'pirouette train' has made")
    rank, scale = read_scale(read_json(folder / CONFIG), folder)
    try:
        tensors = load((folder / WEIGHTS).read_bytes())
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedModelError(
            f"{folder / WEIGHTS} cannot be read ({error!r}); get the adapter again"
        ) from None
    parts: dict[str, dict[str, Matrix]] = {}
    for name, values in tensors.items():
        if (found := NAME.fullmatch(name)) is None:
            raise UnsupportedModelError(f"the adapter in {folder} also changes '{name}'")
        parts.setdefault(f"{found[1]}.weight", {})[found[2]] = values.astype(np.float32)
    if not parts or not all(is_product(part, rank) for part in parts.values()):
        raise DamagedModelError(
            f"{folder / WEIGHTS} does not hold two finite factors of rank {rank} for each matrix; "
            "get the adapter again"
        )
    return Adapter({name: (part["A"], part["B"]) for name, part in parts.items()}, scale)


def read_scale(config: Mapping[str, Any], folder: Path) -> tuple[int, float]:
    """The rank of all factors, and what scales their product."""
    rank: Any = config.get("r")
    alpha: Any = config.get("lora_alpha")
    plain = config.get("peft_type") == "LORA" and config.get("init_lora_weights", True) is True
    plain = plain and not any(config.get(name) for name in OTHER_KINDS)
    whole = isinstance(rank, int) and not isinstance(rank, bool)
    if plain and whole and rank > 0 and isinstance(alpha, int | float):
        try:
            scale = alpha / rank
        except OverflowError:
            scale = math.inf
        if math.isfinite(scale):
            return rank, scale
    raise UnsupportedModelError(f"{folder} holds no plain LoRA adapter; use one of those")


def is_product(part: Mapping[str, Matrix], rank: int) -> bool:
    """Whether both factors are there, finite, and of that rank."""
    return (
        part.keys() == {"A", "B"}
        and part["A"].ndim == part["B"].ndim == 2
        and len(part["A"]) == part["B"].shape[1] == rank
        and all(bool(np.isfinite(values).all()) for values in part.values())
    )
