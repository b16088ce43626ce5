"""Rotary position embedding: frequencies of each scaling rule, and the turn itself.

A key at position p is `R(p) k`, a rotation of each pair of components by an angle proportional
to p (Su et al., RoFormer, section 3.2). The half-split pairing of Hugging Face weights is used:
component i turns with component i + head_dim/2.
"""

import math

import torch
from torch import Tensor

from models.config import RopeConfig


def inverse_frequencies(rope: RopeConfig, head_dim: int, length: int) -> tuple[Tensor, float]:
    """Radians per position, float32 of shape [head_dim/2], and the factor on cosine and sine.

    `length` is the number of positions in use; only dynamic NTK scaling depends on it. Scaling
    rules: linear (Chen et al., Position Interpolation), dynamic (NTK-aware, base grows with the
    length), llama3 (long waves interpolated, short ones kept, a ramp between), yarn (Peng et al.,
    YaRN, section 3: the same idea by rotations per context, with attention temperature).
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.int64).float() / head_dim
    base = rope.theta
    numbers = rope.parameters
    original = numbers["original_max_position_embeddings"]
    if depends_on_length(rope, length):
        growth = numbers["factor"] * length / original - (numbers["factor"] - 1)
        base *= growth ** (head_dim / (head_dim - 2))
    plain = 1.0 / base**exponents
    if rope.kind == "linear":
        return plain / numbers["factor"], 1.0
    if rope.kind == "llama3":
        low, high = numbers["low_freq_factor"], numbers["high_freq_factor"]
        waves_in_context = original * plain / (2 * math.pi)
        keep = ((waves_in_context - low) / (high - low)).clamp(0, 1)
        return plain * keep + plain / numbers["factor"] * (1 - keep), 1.0
    if rope.kind == "yarn":
        return yarn_frequencies(rope, plain, head_dim), yarn_temperature(rope)
    return plain, 1.0


def depends_on_length(rope: RopeConfig, length: int) -> bool:
    """Whether the frequencies change with the number of positions, `length` being the largest."""
    return rope.kind == "dynamic" and length > rope.parameters["original_max_position_embeddings"]


def yarn_frequencies(rope: RopeConfig, plain: Tensor, head_dim: int) -> Tensor:
    numbers = rope.parameters
    original = numbers["original_max_position_embeddings"]

    def dimension_of(rotations: float) -> float:
        return (
            head_dim * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(rope.theta))
        )

    low = dimension_of(numbers.get("beta_fast") or 32.0)
    high = dimension_of(numbers.get("beta_slow") or 1.0)
    if numbers.get("truncate", 1.0):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    steps = torch.arange(head_dim // 2, dtype=torch.float32)
    interpolate = ((steps - low) / ((high - low) or 0.001)).clamp(0, 1)
    return plain * (1 - interpolate) + plain / numbers["factor"] * interpolate


def yarn_temperature(rope: RopeConfig) -> float:
    numbers = rope.parameters
    if "attention_factor" in numbers:
        return numbers["attention_factor"]

    def scale(weight: float) -> float:
        factor = numbers["factor"]
        return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0

    if numbers.get("mscale") and numbers.get("mscale_all_dim"):
        return scale(numbers["mscale"]) / scale(numbers["mscale_all_dim"])
    return scale(1.0)


def rotation(
    rope: RopeConfig, head_dim: int, positions: Tensor, length: int
) -> tuple[Tensor, Tensor]:
    """Cosine and sine at `positions` (shape [n]), float32, each of shape [n, head_dim]."""
    frequencies, factor = inverse_frequencies(rope, head_dim, length)
    half = positions[:, None].float() * frequencies.to(positions.device)[None, :]
    angles = torch.cat((half, half), dim=-1)
    return angles.cos() * factor, angles.sin() * factor


def rotate(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn `vectors` [heads, n, head_dim] by angles given as [n, head_dim]."""
    first, second = vectors.chunk(2, dim=-1)
    return vectors * cosine + torch.cat((-second, first), dim=-1) * sine
