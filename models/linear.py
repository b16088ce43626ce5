"""Matrix products of the decoder, by the library that is fastest for them on each device.

On the CPU, weights of 8 bits go to `models.products` and float32 ones to oneDNN, which chooses its
code by what the processor has. torch's own `linear` leaves float32 to MKL, which on processors of
other makers uses older code: on an AMD EPYC with AVX-512, 175 against 417 GFLOP/s for 128 rows, and
12 against 50 for one (`docs/engine.md`). Its operator is the one that torch's own compiler emits
for a linear layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models import products
from models.compiler import THREADS
from models.eight_bits import GROUP, EightBits
from models.kernels import Floats
from models.layer_weights import Projection
from models.vector_products import (
    BITS,
    INPUTS,
    LARGEST,
    LINES,
    NUMBERS,
    OUTPUTS,
    PANEL,
    SHARE_BITS,
    WIDEST,
)

SMALLEST_FACTOR = 1e-30  # that can be divided by
ROW_BLOCK = 8  # oneDNN keeps half a megabyte of code for each number of rows it has met
ONEDNN_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


class Linear(Protocol):
    """A product with weights [out, in]."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """`inputs` [n, in] to [n, out], the bias added."""
        ...


@dataclass(frozen=True, slots=True)
class ExactLinear:
    """Weights in the dtype they came in.

    Rows are filled up to whole blocks, so that few numbers of rows are ever met; a single one,
    the step of decoding, stays alone.
    """

    weight: Tensor
    bias: Tensor | None = None

    def __call__(self, inputs: Tensor) -> Tensor:
        weight, bias = self.weight, self.bias
        if ONEDNN_LINEAR is None or inputs.device.type != "cpu" or inputs.dtype != torch.float32:
            return F.linear(inputs, weight, bias)
        rows = len(inputs)
        if rows > 1 and rows % ROW_BLOCK:
            inputs = F.pad(inputs, (0, 0, 0, -rows % ROW_BLOCK))
        product: Tensor = ONEDNN_LINEAR(inputs, weight, bias, "none", [], "")
        return product[:rows]


class QuantisedLinear:
    """Weights in 8 bits and their scales, in the order in which `models.products` reads them.

    Each row of inputs has 13 bits and a scale for each `PANEL` of them. Its product is the same bit
    for bit whatever rows are multiplied beside it.
    """

    def __init__(self, weight: EightBits, bias: Tensor | None = None) -> None:
        self.outputs, self.width = weight.shape
        self._factors = factors_of(weight)
        self._packed = in_blocks(weight.values, shares_of(weight, self._factors))
        self._bias = np.zeros(len(self._packed) * OUTPUTS, np.float32)
        if bias is not None:
            self._bias[: self.outputs] = bias.numpy()

    def __call__(self, inputs: Tensor) -> Tensor:
        return torch.from_numpy(self.product(inputs.contiguous().numpy())[:, : self.outputs])

    def product(self, rows: Floats) -> Floats:
        """`rows` [n, in] to [n, out], with whatever fills the last block behind them."""
        product = np.empty((len(rows), len(self._bias)), np.float32)
        products.multiply(self._packed, self._factors, self._bias, rows, THREADS, product)
        return product


def in_blocks(values: Tensor, shares: Tensor) -> NDArray[np.int16]:
    """[outputs, width] as `models.products` reads it: [blocks, groups, LINES, NUMBERS].

    The first line of a group holds its shares [blocks, groups, OUTPUTS], each of the others two
    inputs' weights, where two outputs' are the halves of one number. Blocks that are not full are
    filled with zeros.
    """
    outputs, width = values.shape
    if outputs % OUTPUTS or width % INPUTS:
        values = F.pad(values, (0, -width % INPUTS, 0, -outputs % OUTPUTS))
    blocks, groups, _ = shares.shape
    # [blocks, half of the outputs, output, group, pair of inputs, input]
    parts = values.view(blocks, 2, OUTPUTS // 2, groups, INPUTS // 2, 2)
    lower, upper = (parts[:, half].permute(0, 2, 3, 1, 4) for half in (0, 1))
    packed = torch.empty((blocks, groups, LINES, NUMBERS), dtype=torch.int16)
    packed[:, :, 0] = shares
    both = packed[:, :, 1:].view(lower.shape)  # without a copy besides of a large matrix
    both.copy_(upper).mul_(1 << BITS).add_(lower.view(torch.uint8))
    return packed.numpy()


def factors_of(weight: EightBits) -> Floats:
    """One scale for each `PANEL` of an output's weights in 16 bits: [blocks, panels, OUTPUTS].

    As small as it may be: weights are then `LARGEST` at most, and `WIDEST` times what they are.
    """
    largest = torch.maximum(weight.values.amax(1).short(), -weight.values.amin(1).short())
    outputs, groups = weight.scale.shape
    scale = F.pad(weight.scale.abs(), (0, -groups % (PANEL // GROUP), 0, -outputs % OUTPUTS))
    scale = scale.view(len(scale), -1, PANEL // GROUP).amax(2)
    times = (F.pad(largest, (0, -outputs % OUTPUTS)) / LARGEST).clamp(min=1 / WIDEST)
    factors = (scale * times[:, None]).clamp(min=SMALLEST_FACTOR)
    return factors.view(-1, OUTPUTS, factors.shape[1]).transpose(1, 2).contiguous().numpy()


def shares_of(weight: EightBits, factors: Floats) -> Tensor:
    """What makes weights whole numbers of 16 bits with those factors: [blocks, groups, OUTPUTS]."""
    outputs, groups = weight.scale.shape
    scale = F.pad(weight.scale, (0, 0, 0, -outputs % OUTPUTS)).view(-1, OUTPUTS, groups)
    panels = torch.from_numpy(factors).repeat_interleave(PANEL // GROUP, 1)[:, :groups]
    shares = scale.transpose(1, 2) / panels * (1 << SHARE_BITS)
    return shares.round_().short()


class SideBySide(Protocol):
    """Several products of the same inputs."""

    def __call__(self, inputs: Tensor) -> Sequence[Tensor]: ...


@dataclass(frozen=True, slots=True)
class Joined:
    """Several products of the same inputs in one go."""

    linear: QuantisedLinear
    sizes: list[int]

    def __call__(self, inputs: Tensor) -> Sequence[Tensor]:
        return torch.split(self.linear(inputs), self.sizes, -1)


@dataclass(frozen=True, slots=True)
class Apart:
    """Several products of the same inputs, one after the other."""

    linears: Sequence[Linear]

    def __call__(self, inputs: Tensor) -> Sequence[Tensor]:
        return [linear(inputs) for linear in self.linears]


def linear_of(part: Projection) -> Linear:
    """The product with a projection's weights, exact or in 8 bits."""
    if isinstance(part.weight, EightBits):
        return QuantisedLinear(part.weight, part.bias)
    return ExactLinear(part.weight, part.bias)


def side_by_side(parts: Sequence[Projection]) -> SideBySide:
    """Products of the same inputs: in one go where the weights are packed anyway."""
    weights = [part.weight for part in parts if isinstance(part.weight, EightBits)]
    if len(weights) < len(parts):
        return Apart([linear_of(part) for part in parts])
    rows = EightBits(
        torch.cat([weight.values for weight in weights]),
        torch.cat([weight.scale for weight in weights]),
    )
    return Joined(QuantisedLinear(rows, joined_bias(parts)), [len(weight) for weight in weights])


def joined_bias(parts: Sequence[Projection]) -> Tensor | None:
    if all(part.bias is None for part in parts):
        return None
    zeros = (torch.zeros(len(part.weight)) for part in parts)
    return torch.cat([z if p.bias is None else p.bias for p, z in zip(parts, zeros, strict=True)])
