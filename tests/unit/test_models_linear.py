"""Products by oneDNN: the same numbers as torch's own, for any number of rows."""

import pytest
import torch
import torch.nn.functional as F

from models.linear import linear


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("biased", [True, False])
def test_any_number_of_rows(rows: int, biased: bool) -> None:
    inputs, weight = torch.randn(rows, 24), torch.randn(40, 24)
    bias = torch.randn(40) if biased else None
    with torch.inference_mode():
        product = linear(inputs, weight, bias)
    torch.testing.assert_close(product, F.linear(inputs, weight, bias), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_single_vector(dtype: torch.dtype) -> None:
    vector, weight = torch.randn(24, dtype=dtype), torch.randn(40, 24, dtype=dtype)
    with torch.inference_mode():
        product = linear(vector, weight)
    assert product.shape == (40,)
    torch.testing.assert_close(product, F.linear(vector, weight), atol=1e-4, rtol=1e-4)
