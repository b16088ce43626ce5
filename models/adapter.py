"""Low-rank adapters as peft keeps them, merged into the weights that they were learned for.

An adapter changes a matrix W [out, in] by (alpha / rank) B A, with A [rank, in] and B [out, rank]
(Hu et al. 2021, "LoRA", section 4.1). Merged, it costs nothing when the model runs.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from models.config import read_json
from models.errors import DamagedModelError, UnsupportedModelError

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")
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


UNCHANGED = Adapter({}, 0.0)


def read_adapter(folder: Path, sha256: str = "") -> Adapter:
    """The adapter in a folder that peft wrote, whose weights have that hash where one is given.

    Raises a `PirouetteError` that says what is wrong.
    """
    config = read_json(folder / CONFIG)
    rank, alpha = config.get("r"), config.get("lora_alpha")
    plain = config.get("peft_type") == "LORA" and not config.get("use_dora")
    if not plain or not isinstance(rank, int) or not isinstance(alpha, int | float) or rank < 1:
        raise UnsupportedModelError(f"{folder} holds no plain LoRA adapter; use one of those")
    try:
        raw = (folder / WEIGHTS).read_bytes()
        tensors = load(raw)
    except (SafetensorError, OSError) as error:
        raise DamagedModelError(f"{folder / WEIGHTS} cannot be read ({error})") from None
    if sha256 and hashlib.sha256(raw).hexdigest() != sha256:
        raise DamagedModelError(f"{folder / WEIGHTS} is another adapter; install again")
    parts: dict[str, dict[str, Matrix]] = {}
    for name, values in tensors.items():
        if (found := NAME.fullmatch(name)) is None:
            raise UnsupportedModelError(f"the adapter in {folder} also changes '{name}'")
        parts.setdefault(f"{found[1]}.weight", {})[found[2]] = values.astype(np.float32)
    if any(len(part) != 2 for part in parts.values()):
        raise DamagedModelError(f"{folder / WEIGHTS} lacks a factor; get the adapter again")
    scale = alpha / (rank**0.5 if config.get("use_rslora") else rank)
    return Adapter({name: (part["A"], part["B"]) for name, part in parts.items()}, scale)
