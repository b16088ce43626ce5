"""A model's matrices in 8 bits, and the file that keeps them, so that they are made only once.

Each `GROUP` of an output's weights has its own scale: weight = values * scale. That is how files of
quantised weights keep most of them, which are therefore exact here. The table of embeddings stays
as it is, since it is looked up and not multiplied; where the head is the same table, the head alone
is quantised.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from models.disk import system_error
from models.processor import use_all_processors
from models.weights import read_tensors

FILE = "eight-bits.safetensors"
GROUP = 32  # weights of one scale, as in GGUF
LARGEST = 127  # of a weight
SMALLEST = torch.finfo(torch.float32).tiny
EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
SCALE = ".scale"
NO_SCALES: Mapping[str, Tensor] = {}


@dataclass(frozen=True, slots=True)
class EightBits:
    """A matrix [out, in]: whole numbers of 8 bits, and their scales [out, in / GROUP]."""

    values: Tensor
    scale: Tensor

    @property
    def shape(self) -> torch.Size:
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)


Weight = Tensor | EightBits


def in_eight_bits(weight: Tensor, scale: Tensor | None = None) -> EightBits:
    """The nearest whole numbers to a matrix [out, in] in float32, of a `scale` if one is given."""
    outputs, width = weight.shape
    groups = F.pad(weight, (0, -width % GROUP)).view(outputs, -1, GROUP)
    if scale is None:
        scale = groups.abs().amax(2) / LARGEST
    scale = scale.masked_fill(scale == 0, SMALLEST)
    values = (groups / scale[:, :, None]).round_().to(torch.int8)
    return EightBits(values.view(outputs, -1)[:, :width].contiguous(), scale)


def quantised(
    weights: Mapping[str, Tensor], *, tied: bool, scales: Mapping[str, Tensor] = NO_SCALES
) -> dict[str, EightBits]:
    """Every matrix of `weights` that is multiplied with, in 8 bits, by its name.

    The head comes under its own name, also where it is `tied` to the embeddings. Matrices that were
    whole numbers times `scales` before are the same whole numbers.
    """
    matrices = {name: w for name, w in weights.items() if w.dim() == 2 and name != EMBEDDING}
    if tied and HEAD not in weights and EMBEDDING in weights:
        matrices[HEAD] = weights[EMBEDDING]
    with ThreadPoolExecutor(initializer=use_all_processors) as pool:
        known = (scales.get(EMBEDDING if name not in weights else name) for name in matrices)
        return dict(zip(matrices, pool.map(in_eight_bits, matrices.values(), known), strict=True))


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
