"""Products with weights in 8 bits against numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models import products
from models.compiler import X86, njit
from models.eight_bits import GROUP, EightBits
from models.linear import factors_of, in_blocks, shares_of
from models.vector_products import (
    CHUNK,
    INPUTS,
    LARGEST,
    OUTPUTS,
    PANEL,
    VECTORS,
    rows_of,
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


def multiplied(
    weights: EightBits, rows: NDArray[np.float32], parts: int = 1
) -> NDArray[np.float32]:
    factors = factors_of(weights)
    packed = in_blocks(weights.values, shares_of(weights, factors))
    bias = np.zeros(len(factors) * OUTPUTS, np.float32)
    product = np.empty((len(rows), len(bias)), np.float32)
    products.multiply(packed, factors, bias, rows, parts, product)
    return product[:, : len(weights)]


@pytest.mark.parametrize("rows", [1, 2, 3, 15, 40])
@pytest.mark.parametrize("width", [WIDTH, CHUNK, PANEL, PANEL + INPUTS])
@pytest.mark.parametrize("largest", [8, 16, 127])
def test_each_group_of_weights_has_its_scale(
    numbers: np.random.Generator, rows: int, width: int, largest: int
) -> None:
    """The larger the whole numbers of a file are, the fewer bits are lost beside them."""
    weights = drawn(numbers, 2 * OUTPUTS - 3, width, largest)
    inputs = numbers.standard_normal((rows, width)).astype(np.float32)
    product, expected = multiplied(weights, inputs), inputs @ scaled(weights).T
    assert np.linalg.norm(product - expected) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_shared_out_among_threads_the_products_are_the_same(
    numbers: np.random.Generator, parts: int
) -> None:
    """There may be more threads than blocks."""
    weights = drawn(numbers, 5 * OUTPUTS, WIDTH, 127)
    rows = numbers.standard_normal((5, WIDTH)).astype(np.float32)
    assert np.array_equal(multiplied(weights, rows, parts), multiplied(weights, rows))


def test_a_huge_row_or_input_spoils_no_other(numbers: np.random.Generator) -> None:
    weights = drawn(numbers, OUTPUTS, 2 * PANEL, 127)
    rows = numbers.standard_normal((40, 2 * PANEL)).astype(np.float32)
    rows[0] *= 1e5
    rows[1, 0] = 1e5
    rest = multiplied(weights, rows) - rows[:, :1] * scaled(weights)[:, 0]
    expected = rows[:, 1:] @ scaled(weights)[:, 1:].T
    error = np.linalg.norm(rest - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert error[2:].max() < 1e-3
    assert error[1] > error[2:].max()  # its own panel has fewer bits, the other has as many


def test_the_largest_sum_fits() -> None:
    weights = EightBits(
        torch.full((OUTPUTS, PANEL), 127, dtype=torch.int8), torch.ones(OUTPUTS, PANEL // GROUP)
    )
    product = multiplied(weights, np.ones((1, PANEL), np.float32))
    np.testing.assert_allclose(product, 127.0 * PANEL, rtol=1e-3)


def test_weights_that_are_all_zero() -> None:
    tiny = torch.full((OUTPUTS, WIDTH // GROUP), torch.finfo(torch.float32).tiny)
    weights = EightBits(torch.zeros((OUTPUTS, WIDTH), dtype=torch.int8), tiny)
    assert not multiplied(weights, np.ones((1, WIDTH), np.float32)).any()


@pytest.mark.parametrize(("at_once", "x86"), [(16, False), (32, False), (16, True), (32, True)])
def test_every_processor_comes_to_the_same(
    numbers: np.random.Generator, at_once: int, x86: bool
) -> None:
    """With the instructions of one that multiplies less at once, and without them."""
    if x86 and (not X86 or at_once > products.AT_ONCE):
        pytest.skip("this processor has no such instruction")
    widen, add_rows = widening_of(at_once, x86), rows_of(2, at_once, x86)

    @njit
    def multiply(weights, factors, inputs, wide, steps, product):
        near = np.intp(wide.ctypes.data)
        widen(weights.ctypes.data, WIDTH, near)
        for column in range(0, 4 * OUTPUTS, 2 * VECTORS * at_once):
            add_rows(
                *(near + column, inputs.ctypes.data, WIDTH, factors.ctypes.data + column),
                *(steps.ctypes.data, 1, product.ctypes.data + column),
            )

    weights = drawn(numbers, OUTPUTS, WIDTH, 127)
    inputs = np.zeros((2, CHUNK), np.int16)
    inputs[:, :WIDTH] = numbers.integers(-LARGEST, LARGEST + 1, (2, WIDTH))
    inputs[:, 0] = LARGEST  # so that the steps are 1
    factors, wide = factors_of(weights), np.zeros(WIDTH * OUTPUTS, np.int16)
    product = np.zeros((2, OUTPUTS), np.float32)
    packed = in_blocks(weights.values, shares_of(weights, factors))
    multiply(packed, factors, inputs, wide, np.ones(2, np.float32), product)
    assert np.array_equal(product, multiplied(weights, inputs[:, :WIDTH].astype(np.float32)))
