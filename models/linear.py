"""Matrix products of the decoder, by the library that is fastest for them on each device.

On the CPU, float32 products go to oneDNN, which chooses its kernels by what the processor has;
torch's own `linear` leaves them to MKL, which on other makers' processors uses older ones: on an
AMD EPYC with AVX-512, 175 against 417 GFLOP/s for 128 rows, and 12 against 50 for one
(`docs/engine.md`). The operator is the one that torch's compiler emits for a linear layer.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

ROW_BLOCK = 8  # oneDNN keeps half a megabyte of code for each number of rows it has met
ONEDNN_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`inputs` [n, in] or [in] times `weight` [out, in] transposed, and `bias` [out].

    Rows are filled up to whole blocks, so that few numbers of rows are ever met; a single one,
    the step of decoding, stays alone.
    """
    if ONEDNN_LINEAR is None or inputs.device.type != "cpu" or inputs.dtype != torch.float32:
        return F.linear(inputs, weight, bias)
    rows = len(inputs) if inputs.dim() == 2 else 1
    if rows > 1 and rows % ROW_BLOCK:
        inputs = F.pad(inputs, (0, 0, 0, -rows % ROW_BLOCK))
    product: Tensor = ONEDNN_LINEAR(inputs, weight, bias, "none", [], "")
    return product[:rows] if product.dim() == 2 else product
