"""Products of the decoder against torch's own: exact ones, and those in 8 bits."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.eight_bits import in_eight_bits
from models.layer_weights import Projection
from models.linear import ExactLinear, QuantisedLinear, side_by_side

WIDE, NARROW = 96, 40


@dataclass(frozen=True, slots=True)
class Affine:
    weight: Tensor
    bias: Tensor | None

    def projection(self, *, quantised: bool) -> Projection:
        return Projection(in_eight_bits(self.weight) if quantised else self.weight, self.bias)


def part(rows: int = NARROW, *, biased: bool = True) -> Affine:
    return Affine(torch.randn(rows, WIDE), torch.randn(rows) if biased else None)


def off_by(product: Tensor, expected: Tensor) -> float:
    """The error's share of what was expected."""
    return float((product - expected).norm() / expected.norm())


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_exact_products_of_any_number_of_rows(rows: int, biased: bool, dtype: torch.dtype) -> None:
    inputs, affine = torch.randn(rows, WIDE).to(dtype), part(biased=biased)
    weight = affine.weight.to(dtype)
    bias = None if affine.bias is None else affine.bias.to(dtype)
    with torch.inference_mode():
        product = ExactLinear(weight, bias)(inputs)
    torch.testing.assert_close(product, F.linear(inputs, weight, bias), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("rows", [1, 2, 9, 33])
@pytest.mark.parametrize("biased", [True, False])
def test_products_in_8_bits_are_near(rows: int, biased: bool) -> None:
    inputs, affine = torch.randn(rows, WIDE), part(biased=biased)
    product = QuantisedLinear(in_eight_bits(affine.weight), affine.bias)(inputs)
    assert off_by(product, F.linear(inputs, affine.weight, affine.bias)) < 0.02


@pytest.mark.parametrize("rows", [4, 40])
def test_a_huge_row_spoils_no_other(rows: int) -> None:
    """One scale for all rows would leave nothing of the small ones."""
    inputs, affine = torch.randn(rows, WIDE), part(biased=False)
    inputs[0] *= 1e5
    product = QuantisedLinear(in_eight_bits(affine.weight))(inputs)
    assert off_by(product[1:], F.linear(inputs, affine.weight)[1:]) < 0.02


def test_a_row_is_the_same_whatever_stands_beside_it() -> None:
    inputs, affine = torch.randn(16, WIDE) * torch.logspace(-3, 3, 16)[:, None], part()
    product = QuantisedLinear(in_eight_bits(affine.weight), affine.bias)
    alone = torch.cat([product(row[None]) for row in inputs])
    assert torch.equal(product(inputs), alone)


@pytest.mark.parametrize("value", [0.0, 3.0, -2.0])
def test_a_row_of_one_value_has_only_the_error_of_the_weights(value: float) -> None:
    inputs, affine = torch.full((1, WIDE), value), part(biased=False)
    product = QuantisedLinear(in_eight_bits(affine.weight))(inputs)
    expected = F.linear(inputs, affine.weight)
    assert (product - expected).norm() <= 0.02 * expected.norm()


def test_the_largest_values_do_not_overflow() -> None:
    """Every product is the largest there is: too much for pairs of them added in 16 bits."""
    inputs, weight = torch.ones(1, WIDE), torch.ones(NARROW, WIDE)
    inputs[0, 0] = 0.0
    product = QuantisedLinear(in_eight_bits(weight))(inputs)
    torch.testing.assert_close(product, F.linear(inputs, weight), rtol=0.01, atol=0.01)


@pytest.mark.parametrize("quantised", [True, False])
@pytest.mark.parametrize("biased", [(True, True), (False, False), (True, False)])
def test_products_side_by_side(quantised: bool, biased: tuple[bool, bool]) -> None:
    inputs = torch.randn(3, WIDE)
    parts = [part(rows, biased=b) for rows, b in zip((8, 24), biased, strict=True)]
    with torch.inference_mode():
        products = side_by_side([p.projection(quantised=quantised) for p in parts])(inputs)
    for product, affine in zip(products, parts, strict=True):
        assert off_by(product, F.linear(inputs, affine.weight, affine.bias)) < 0.02
