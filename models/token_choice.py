"""The likeliest token, found at the speed at which its logits are read."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models import kernels


@dataclass(frozen=True, slots=True)
class Likeliest:
    """A token, its logit, and what is to be taken off a logit to make it a log-probability."""

    token: int
    logit: float
    total: float

    @property
    def log_probability(self) -> float:
        return self.logit - self.total


def likeliest(logits: Tensor) -> Likeliest:
    """The token with the largest of `logits` [vocabulary]."""
    if logits.device.type == "cpu" and logits.dtype == torch.float32:
        return Likeliest(*kernels.likeliest(logits.numpy()))
    logit, token = logits.max(-1)
    return Likeliest(int(token), float(logit), float(logits.logsumexp(-1)))
