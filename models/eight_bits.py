"""A model's matrices in 8 bits, and the file that keeps them, so that they are made only once.

Each output has its own scale: weight = values * scale. The table of embeddings stays as it is,
since it is looked up and not multiplied; where the head is the same table, the head alone is
quantised.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from models.disk import system_error
from models.processor import use_all_processors
from models.weights import read_tensors

FILE = "eight-bits.safetensors"
LARGEST = 127  # of a weight
SMALLEST = torch.finfo(torch.float32).tiny
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
SCALE = ".scale"


@dataclass(frozen=True, slots=True)
class EightBits:
    """A matrix [out, in]: whole numbers of 8 bits, and the scale [out] of each row."""

    values: Tensor
    scale: Tensor

    @property
    def shape(self) -> torch.Size:
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)


Weight = Tensor | EightBits


def in_eight_bits(weight: Tensor) -> EightBits:
    """The nearest whole numbers to a matrix [out, in] in float32."""
    scale = (weight.abs().amax(1) / LARGEST).clamp_min_(SMALLEST)
    return EightBits((weight / scale[:, None]).round_().to(torch.int8), scale)


def quantised(weights: Mapping[str, Tensor], *, tied: bool) -> dict[str, EightBits]:
    """Every matrix of `weights` that is multiplied with, in 8 bits, by its name.

    The head comes under its own name, also where it is `tied` to the embeddings.
    """
    matrices = {name: w for name, w in weights.items() if w.dim() == 2 and name != EMBEDDING}
    if tied and HEAD not in weights and EMBEDDING in weights:
        matrices[HEAD] = weights[EMBEDDING]
    with ThreadPoolExecutor(initializer=use_all_processors) as pool:
        return dict(zip(matrices, pool.map(in_eight_bits, matrices.values()), strict=True))


def write_eight_bits(matrices: Mapping[str, EightBits], folder: Path) -> None:
    """Keep matrices in a model folder that is being made. Raises `OSError` where disks refuse."""
    tensors = {name: matrix.values for name, matrix in matrices.items()}
    tensors |= {name + SCALE: matrix.scale for name, matrix in matrices.items()}
    try:
        save_file(tensors, folder / FILE)
    except SafetensorError as error:
        raise system_error(error) or error from None
    (folder / FILE).chmod((folder / "config.json").stat().st_mode & 0o777)


def read_eight_bits(folder: Path) -> dict[str, EightBits]:
    """The matrices that are kept in a model folder, memory-mapped; none where there is no file."""
    if not (folder / FILE).exists():
        return {}
    tensors = read_tensors(folder / FILE)
    return {
        name: EightBits(values, tensors[name + SCALE])
        for name, values in tensors.items()
        if not name.endswith(SCALE)
    }
