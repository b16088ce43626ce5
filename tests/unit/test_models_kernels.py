"""Compiled inner loops against numpy."""

import numpy as np
import pytest

from models import kernels
from models.kernels import STRETCH


def test_powers_over_their_sum_are_a_softmax() -> None:
    scores = (10 * np.random.default_rng(0).standard_normal(1001)).astype(np.float32)
    exact = np.exp(scores.astype(np.float64) - scores.max())
    total = kernels.to_powers(scores)
    np.testing.assert_allclose(scores / total, exact / exact.sum(), rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 100])
def test_the_largest_is_found_among_floats_of_any_sign(sign: int, size: int) -> None:
    row = np.random.default_rng(size).standard_normal(size).astype(np.float32) + 5 * sign
    assert kernels.largest_of(row) == row.max()
    assert kernels.largest_of(np.array([-np.inf, -0.0, -1e30], np.float32)) == 0.0


@pytest.mark.parametrize("size", [1, 17, STRETCH, 3 * STRETCH + 5])
@pytest.mark.parametrize("place", [0.0, 0.6, 1.0])
def test_the_likeliest_is_the_first_of_the_largest(size: int, place: float) -> None:
    logits = (8 * np.random.default_rng(size).standard_normal(size)).astype(np.float32)
    first = round(place * (size - 1))
    logits[[first, -1]] = 30.0
    logits[size // 3] = -np.inf if size // 3 not in {first, size - 1} else 30.0
    exact = logits.astype(np.float64)
    token, largest, total = kernels.likeliest(logits)
    assert (token, largest) == (first, 30.0)
    assert total == pytest.approx(np.logaddexp.reduce(exact), abs=1e-5)
