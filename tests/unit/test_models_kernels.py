"""Compiled inner loops against numpy."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models import kernels, vector_code
from models.compiler import njit
from models.eight_bits import GROUP
from models.linear import in_blocks
from models.vector_code import INPUTS, OUTPUTS, products_of

ROWS, WIDTH, BLOCKS = 5, 96, 3


@pytest.fixture
def numbers() -> np.random.Generator:
    return np.random.default_rng(0)


def test_each_group_of_weights_has_its_scale(numbers: np.random.Generator) -> None:
    outputs = BLOCKS * OUTPUTS
    weights = numbers.integers(-127, 128, (outputs, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (ROWS, WIDTH), dtype=np.int16)
    scale = numbers.random((outputs, WIDTH // GROUP), np.float32)
    bias, steps = (numbers.random(n, np.float32) for n in (outputs, ROWS))
    product = np.empty((ROWS, outputs), np.float32)
    packed = in_blocks(weights, INPUTS), in_blocks(scale, 1)
    kernels.multiply(*packed, bias, inputs, steps, product)
    expected = inputs @ scaled(weights, scale).T * steps[:, None] + bias
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=1e-2)


def scaled(weights: NDArray[np.int8], scale: NDArray[np.float32]) -> NDArray[np.float64]:
    """Weights as they are meant, in enough bits for their sums."""
    return weights.astype(np.float64) * np.repeat(scale.astype(np.float64), GROUP, 1)


def test_other_processors_multiply_alike(numbers: np.random.Generator) -> None:
    """The same function without an instruction that only some have."""
    portable = products_of(1, x86=False)

    @njit
    def multiply(weights, inputs, scale, bias, step, product):
        portable(
            weights.ctypes.data,
            scale.ctypes.data,
            inputs.ctypes.data,
            WIDTH,
            bias.ctypes.data,
            step.ctypes.data,
            product.ctypes.data,
            OUTPUTS,
        )

    # The block is followed by one that is fetched ahead.
    weights = numbers.integers(-127, 128, (2 * OUTPUTS, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (1, WIDTH), dtype=np.int16)
    scale = numbers.random((OUTPUTS, WIDTH // GROUP), np.float32)
    bias, step = numbers.random(OUTPUTS, np.float32), np.ones(1, np.float32)
    product = np.empty((1, OUTPUTS), np.float32)
    multiply(in_blocks(weights, INPUTS), inputs, in_blocks(scale, 1), bias, step, product)
    expected = inputs @ scaled(weights[:OUTPUTS], scale).T + bias
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=1e-2)


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


def test_what_was_compiled_with_other_vector_code_is_not_used() -> None:
    """Numba looks at the file of a function alone: a constant in it follows the other file."""
    digest = sha256(Path(vector_code.__file__).read_bytes()).hexdigest()
    assert digest[:16] == kernels.VECTOR_CODE, "set VECTOR_CODE in models/kernels.py to this"
