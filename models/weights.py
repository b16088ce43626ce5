"""Weights from safetensors files, memory-mapped.

Tensors already in the wanted dtype and on the CPU are views of the mapped file: nothing is copied
and the pages are shared by every process that runs the model. Pickled weights are never read.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.errors import DamagedModelError
from models.model_folder import weight_files
from models.progress import Progress, ProgressCallback


def load_weights(
    folder: Path, device: torch.device, dtype: torch.dtype, progress: ProgressCallback
) -> dict[str, Tensor]:
    """Every tensor of the model by its name, on `device` and in `dtype`."""
    files = weight_files(folder)
    weights: dict[str, Tensor] = {}
    for number, file in enumerate(files):
        progress(Progress("loading", number, len(files)))
        for name, tensor in read_tensors(file).items():
            weights[name] = tensor.to(device=device, dtype=dtype)
    progress(Progress("loading", len(files), len(files)))
    return weights


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of one file by name, memory-mapped, as they are."""
    try:
        with safe_open(file, framework="pt", device="cpu") as tensors:
            return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DamagedModelError(
            f"{file} is damaged ({error}); remove its folder and fetch the model again"
        ) from None
