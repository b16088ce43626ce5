"""Logistic regression with a small ridge, by Newton's method. Pure numpy; it knows no meaning."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = (
    1.0  # as if each weight, of a column of spread 1, had been observed at 0 once, with spread 1
)
MOST_STEPS = 50
ENOUGH = 1e-9  # a step that changes no weight by more is the last


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights [columns] of columns less their means, over their scales; `bias` is not penalised."""

    bias: float
    weights: Floats
    means: Floats
    scales: Floats


def fit(columns: Floats, outcomes: Floats) -> Fitted:
    """Fit P(outcome 1) to `columns` [rows, columns]; `outcomes` [rows] are 0 or 1.

    A column that never changes gets scale 1, and so no weight.
    Source: iteratively reweighted least squares; Hastie, Tibshirani and Friedman, "The Elements of
    Statistical Learning" (2009), 4.4.1.
    """
    means, scales = columns.mean(0), columns.std(0)
    scales[scales == 0] = 1.0
    rows = np.column_stack([np.ones(len(columns)), (columns - means) / scales])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = 1e-6  # only keeps outcomes that are all alike from sending the bias to infinity
    weights = np.zeros(rows.shape[1])
    for _ in range(MOST_STEPS):
        expected = logistic(rows @ weights)
        spread = np.maximum(expected * (1 - expected), 1e-9)
        curvature = (rows.T * spread) @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, rows.T @ (outcomes - expected) - penalty * weights)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < ENOUGH:
            break
    return Fitted(float(weights[0]), weights[1:], means, scales)


def logistic(score: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -30, 30))))
