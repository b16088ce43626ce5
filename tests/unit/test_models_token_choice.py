"""The likeliest token of a vocabulary."""

import math

import pytest
import torch

from models.token_choice import likeliest


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_told_with_its_probability(dtype: torch.dtype) -> None:
    """By the compiled loop, and as other devices and types have it."""
    found = likeliest(torch.tensor([0.1, 0.6, 0.3], dtype=dtype).log() + 5)
    assert found.token == 1
    assert found.log_probability == pytest.approx(math.log(0.6), abs=1e-6)


def test_what_is_forbidden_takes_no_share() -> None:
    found = likeliest(torch.tensor([-math.inf, 2.0, -math.inf]))
    assert found.token == 1
    assert found.log_probability == pytest.approx(0.0, abs=1e-6)


def test_what_is_no_number_is_no_place_behind_the_end() -> None:
    assert likeliest(torch.full((3000,), math.nan)).token in range(3000)
