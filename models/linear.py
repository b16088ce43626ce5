"""Matrix products of the decoder, by the library that is fastest for them on each device.

On the CPU, weights of 8 bits go to FBGEMM and float32 ones to oneDNN, which chooses its kernels by
what the processor has. torch's own `linear` leaves float32 to MKL, which on other makers'
processors uses older ones: on an AMD EPYC with AVX-512, 175 against 417 GFLOP/s for 128 rows, and
12 against 50 for one (`docs/engine.md`). The operators are those that torch's own compiler and
quantiser emit for a linear layer.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from models.eight_bits import SMALLEST, EightBits
from models.layer_weights import Projection

ROW_BLOCK = 8  # oneDNN keeps half a megabyte of code for each number of rows it has met
ONEDNN_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
# torch means to move its quantised tensors elsewhere; the version in use is pinned.
warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")


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
    """Weights in 8 bits, scaled for each output, and inputs in 8 bits, over the range of each row.

    The operator quantises all rows over one range, in which the first token's huge activations
    would drown the others (Dettmers et al. 2022, "LLM.int8()", describe them). Each row is
    therefore brought to the range from 0 to 1 before, and back after. Sums are whole numbers, so
    that a row's product is the same bit for bit whatever rows are multiplied beside it.
    """

    def __init__(self, weight: EightBits, bias: Tensor | None = None) -> None:
        self._packed = pack(weight)
        self._sums = multiply(torch.ones(1, weight.shape[1]), self._packed)[0]
        self._bias = None if bias is None else bias.clone()

    def __call__(self, inputs: Tensor) -> Tensor:
        low = inputs.amin(-1, keepdim=True)
        span = (inputs.amax(-1, keepdim=True) - low).clamp_min_(SMALLEST)
        unit = (inputs - low).div_(span)
        product = multiply(unit, self._packed)
        product = product.mul_(span).addcmul_(low, self._sums)
        return product if self._bias is None else product.add_(self._bias)


def multiply(unit: Tensor, packed: Any) -> Tensor:
    """`unit` [n, in] from 0 to 1, in 255 steps, times packed weights."""
    product: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
        unit, 1 / 255, 0, packed
    )
    return product


def pack(weight: EightBits) -> Any:
    """The weights in the order in which FBGEMM reads them."""
    zero = torch.zeros(len(weight), dtype=torch.int64)
    marked = torch._make_per_channel_quantized_tensor(weight.values, weight.scale, zero, 0)
    return torch.ops.quantized.linear_prepack(marked, None)


SideBySide = Callable[[Tensor], Sequence[Tensor]]  # several products of the same inputs


def linear_of(part: Projection) -> Linear:
    """The product with a projection's weights, exact or in 8 bits."""
    if isinstance(part.weight, EightBits):
        return QuantisedLinear(part.weight, part.bias)
    return ExactLinear(part.weight, part.bias)


def side_by_side(parts: Sequence[Projection]) -> SideBySide:
    """Products of the same inputs: in one go where the weights are packed anyway."""
    weights = [part.weight for part in parts if isinstance(part.weight, EightBits)]
    if len(weights) < len(parts):
        products = [linear_of(part) for part in parts]
        return lambda inputs: [product(inputs) for product in products]
    sizes = [len(weight) for weight in weights]
    rows = EightBits(
        torch.cat([weight.values for weight in weights]),
        torch.cat([weight.scale for weight in weights]),
    )
    joined = QuantisedLinear(rows, joined_bias(parts))
    return lambda inputs: torch.split(joined(inputs), sizes, -1)


def joined_bias(parts: Sequence[Projection]) -> Tensor | None:
    if all(part.bias is None for part in parts):
        return None
    zeros = (torch.zeros(len(part.weight)) for part in parts)
    return torch.cat([z if p.bias is None else p.bias for p, z in zip(parts, zeros, strict=True)])
