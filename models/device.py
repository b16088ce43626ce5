"""Where a model runs, and in which numbers."""

import torch


def preferred_device() -> torch.device:
    """A GPU when torch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def number_format(device: torch.device) -> str:
    """How weights are multiplied: in 8 bits on the CPU, as bfloat16 on a GPU."""
    return "8 bits" if device.type == "cpu" else "bfloat16"
