"""Products with weights in 8 bits against numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models import products
from models.compiler import njit
from models.eight_bits import GROUP, EightBits
from models.linear import factors_of, in_blocks
from models.vector_products import (
    HALF,
    INPUTS,
    LARGEST,
    MANY,
    OUTPUTS,
    PANEL,
    products_of,
    row_of,
    widening_of,
)

WIDTH = 96


@pytest.fixture
def numbers() -> np.random.Generator:
    return np.random.default_rng(0)


def drawn(numbers: np.random.Generator, outputs: int, width: int, largest: int) -> EightBits:
    """Weights whose scales are of either sign, as those of some quantised files are."""
    values = numbers.integers(-largest, largest + 1, (outputs, width), dtype=np.int8)
    scale = numbers.standard_normal((outputs, width // GROUP)).astype(np.float32)
    return EightBits(torch.from_numpy(values), torch.from_numpy(scale))


def scaled(weights: EightBits) -> NDArray[np.float64]:
    """Weights as they are meant, in enough bits for their sums."""
    scale = np.repeat(weights.scale.numpy().astype(np.float64), GROUP, 1)
    return weights.values.numpy().astype(np.float64) * scale


def packed(weights: EightBits) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    return in_blocks(weights.values.numpy(), INPUTS), in_blocks(weights.scale.numpy(), 1)


def many_products(weights: EightBits, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    factors = factors_of(weights)
    bias = np.zeros(len(factors) * MANY, np.float32)
    product = np.empty((len(rows), len(bias)), np.float32)
    products.multiply_many(*packed(weights), factors, bias, rows, product)
    return product[:, : len(weights)]


def test_each_group_of_weights_has_its_scale(numbers: np.random.Generator) -> None:
    weights = drawn(numbers, 2 * MANY, WIDTH, 127)
    inputs = numbers.integers(-32767, 32768, (5, WIDTH), dtype=np.int16)
    bias, steps = (numbers.random(n, np.float32) for n in (2 * MANY, 5))
    product = np.empty((5, 2 * MANY), np.float32)
    products.multiply_whole(*packed(weights), bias, inputs, steps, product)
    expected = inputs @ scaled(weights).T * steps[:, None] + bias
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=0.1)


@pytest.mark.parametrize("width", [WIDTH, PANEL, PANEL + INPUTS])
@pytest.mark.parametrize("largest", [8, 16, 127])
def test_many_rows(numbers: np.random.Generator, width: int, largest: int) -> None:
    """The larger the whole numbers of a file are, the fewer bits are lost beside them."""
    weights = drawn(numbers, 2 * MANY - 3, width, largest)
    rows = numbers.standard_normal((40, width)).astype(np.float32)
    product, expected = many_products(weights, rows), rows @ scaled(weights).T
    assert np.linalg.norm(product - expected) < 1e-3 * np.linalg.norm(expected)


def test_a_huge_row_or_input_spoils_no_other(numbers: np.random.Generator) -> None:
    weights = drawn(numbers, MANY, 2 * PANEL, 127)
    rows = numbers.standard_normal((40, 2 * PANEL)).astype(np.float32)
    rows[0] *= 1e5
    rows[1, 0] = 1e5
    rest = many_products(weights, rows) - rows[:, :1] * scaled(weights)[:, 0]
    expected = rows[:, 1:] @ scaled(weights)[:, 1:].T
    error = np.linalg.norm(rest - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert error[2:].max() < 1e-3
    assert error[1] > error[2:].max()  # its own panel has fewer bits, the other has as many


def test_the_largest_sum_fits() -> None:
    weights = EightBits(
        torch.full((MANY, PANEL), 127, dtype=torch.int8), torch.ones(MANY, PANEL // GROUP)
    )
    product = many_products(weights, np.ones((1, PANEL), np.float32))
    np.testing.assert_allclose(product, 127.0 * PANEL, rtol=1e-3)


def test_weights_that_are_all_zero() -> None:
    tiny = torch.full((MANY, WIDTH // GROUP), torch.finfo(torch.float32).tiny)
    weights = EightBits(torch.zeros((MANY, WIDTH), dtype=torch.int8), tiny)
    assert not many_products(weights, np.ones((1, WIDTH), np.float32)).any()


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
    weights = drawn(numbers, 2 * OUTPUTS, WIDTH, 127)
    inputs = numbers.integers(-32767, 32768, (1, WIDTH), dtype=np.int16)
    bias, step = numbers.random(OUTPUTS, np.float32), np.ones(1, np.float32)
    product = np.empty((1, OUTPUTS), np.float32)
    values, scale = packed(weights)
    multiply(values, inputs, scale, bias, step, product)
    expected = inputs @ scaled(weights)[:OUTPUTS].T + bias
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=0.1)


def test_other_processors_multiply_many_rows_alike(numbers: np.random.Generator) -> None:
    widen, add_row = widening_of(x86=False), row_of(x86=False)

    @njit
    def multiply(weights, scale, factors, inputs, wide, product):
        widen(
            weights.ctypes.data,
            scale.ctypes.data,
            factors.ctypes.data,
            WIDTH,
            wide.ctypes.data,
        )
        add_row(
            wide.ctypes.data,
            inputs.ctypes.data,
            WIDTH,
            factors.ctypes.data,
            np.float32(1.0),
            product.ctypes.data,
        )

    weights = drawn(numbers, OUTPUTS, WIDTH, 127)
    inputs = numbers.integers(-LARGEST, LARGEST + 1, WIDTH, dtype=np.int16)
    wide, product = np.zeros((WIDTH // HALF, MANY, HALF), np.int16), np.zeros(MANY, np.float32)
    multiply(*packed(weights), factors_of(weights)[0, 0], inputs, wide, product)
    expected = scaled(weights) @ inputs
    error = np.linalg.norm(product[:OUTPUTS] - expected)
    assert error < 1e-3 * np.linalg.norm(expected)
