"""Compiled inner loops against numpy."""

from collections.abc import Callable

import numpy as np
import pytest
from numba import njit

from models import kernels
from models.linear import in_blocks

ROWS, WIDTH, BLOCKS = 5, 96, 3


@pytest.fixture
def numbers() -> np.random.Generator:
    return np.random.default_rng(0)


def test_whole_numbers_are_multiplied_exactly(numbers: np.random.Generator) -> None:
    outputs = BLOCKS * kernels.OUTPUTS
    weights = numbers.integers(-127, 128, (outputs, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (ROWS, WIDTH), dtype=np.int16)
    scale, bias, steps = (numbers.random(n, np.float32) for n in (outputs, outputs, ROWS))
    product = np.empty((ROWS, outputs), np.float32)
    kernels.multiply(in_blocks(weights), scale, bias, inputs, steps, product)
    sums = inputs.astype(np.int32) @ weights.T.astype(np.int32)
    assert (product == sums.astype(np.float32) * (steps[:, None] * scale) + bias).all()


def test_other_processors_multiply_alike(numbers: np.random.Generator) -> None:
    """The same function without an instruction that only some have."""
    portable = kernels.products_of(1, x86=False)

    @njit
    def multiply(weights, inputs, scale, bias, step, product):
        portable(
            weights.ctypes.data,
            inputs.ctypes.data,
            WIDTH,
            scale.ctypes.data,
            bias.ctypes.data,
            step.ctypes.data,
            product.ctypes.data,
            kernels.OUTPUTS,
        )

    # The block is followed by one that is fetched ahead.
    weights = numbers.integers(-127, 128, (2 * kernels.OUTPUTS, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (1, WIDTH), dtype=np.int16)
    scale, bias = numbers.random((2, kernels.OUTPUTS), np.float32)
    step, product = np.ones(1, np.float32), np.empty((1, kernels.OUTPUTS), np.float32)
    multiply(in_blocks(weights), inputs, scale, bias, step, product)
    sums = inputs.astype(np.int32) @ weights[: kernels.OUTPUTS].T.astype(np.int32)
    assert (product == sums.astype(np.float32) * scale + bias).all()


def test_shares_are_a_softmax(numbers: np.random.Generator) -> None:
    scores = (10 * numbers.standard_normal(1001)).astype(np.float32)
    exact = np.exp(scores.astype(np.float64) - scores.max())
    kernels.to_shares(scores)
    np.testing.assert_allclose(scores, exact / exact.sum(), rtol=2e-5, atol=1e-12)


def test_functions_are_compiled_anew_where_nothing_can_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(*_: Callable[..., object], cache: bool) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    assert kernels.can_be_kept()
    monkeypatch.setattr(kernels, "njit", refusing)
    assert not kernels.can_be_kept()
