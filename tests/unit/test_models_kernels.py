"""Compiled inner loops against numpy."""

import numpy as np

from models import kernels


def test_shares_are_a_softmax() -> None:
    scores = (10 * np.random.default_rng(0).standard_normal(1001)).astype(np.float32)
    exact = np.exp(scores.astype(np.float64) - scores.max())
    kernels.to_shares(scores)
    np.testing.assert_allclose(scores, exact / exact.sum(), rtol=2e-5, atol=1e-12)
