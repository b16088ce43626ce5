"""Compiled inner loops against numpy."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from models import kernels, vector_code
from models.compiler import njit
from models.linear import in_blocks
from models.vector_code import OUTPUTS, products_of

ROWS, WIDTH, BLOCKS = 5, 96, 3


@pytest.fixture
def numbers() -> np.random.Generator:
    return np.random.default_rng(0)


def test_whole_numbers_are_multiplied_exactly(numbers: np.random.Generator) -> None:
    outputs = BLOCKS * OUTPUTS
    weights = numbers.integers(-127, 128, (outputs, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (ROWS, WIDTH), dtype=np.int16)
    scale, bias, steps = (numbers.random(n, np.float32) for n in (outputs, outputs, ROWS))
    product = np.empty((ROWS, outputs), np.float32)
    kernels.multiply(in_blocks(weights), scale, bias, inputs, steps, product)
    sums = inputs.astype(np.int32) @ weights.T.astype(np.int32)
    assert (product == sums.astype(np.float32) * (steps[:, None] * scale) + bias).all()


def test_other_processors_multiply_alike(numbers: np.random.Generator) -> None:
    """The same function without an instruction that only some have."""
    portable = products_of(1, x86=False)

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
            OUTPUTS,
        )

    # The block is followed by one that is fetched ahead.
    weights = numbers.integers(-127, 128, (2 * OUTPUTS, WIDTH), dtype=np.int8)
    inputs = numbers.integers(-32767, 32768, (1, WIDTH), dtype=np.int16)
    scale, bias = numbers.random((2, OUTPUTS), np.float32)
    step, product = np.ones(1, np.float32), np.empty((1, OUTPUTS), np.float32)
    multiply(in_blocks(weights), inputs, scale, bias, step, product)
    sums = inputs.astype(np.int32) @ weights[:OUTPUTS].T.astype(np.int32)
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


def test_what_was_compiled_with_other_vector_code_is_not_used() -> None:
    """Numba looks at the file of a function alone: a constant in it follows the other file."""
    digest = sha256(Path(vector_code.__file__).read_bytes()).hexdigest()
    assert digest[:16] == kernels.VECTOR_CODE, "set VECTOR_CODE in models/kernels.py to this"
