"""Compiled inner loops against numpy."""

import numpy as np
import pytest

from models import kernels
from models.compiler import FLOATS
from models.kernels import POSITIONS, QUERIES

HEADS, KV_HEADS, SIZE = 6, 2, 2 * FLOATS


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


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize(
    ("read", "before", "nodes", "window"),
    [
        (1, 0, 0, None),
        (1, POSITIONS - 1, 0, None),
        (2 * QUERIES + 3, 3 * POSITIONS - 7, 0, None),
        (3, 2 * POSITIONS + 5, 0, POSITIONS + 3),
        (0, 100, 12, None),
        (5, 100, 7, 8),
    ],
)
def test_attention_sees_what_it_is_to_see(
    read: int, before: int, nodes: int, window: int | None, parts: int
) -> None:
    """Tokens after `before` others, and two branches of `nodes` that might follow them."""
    draw = np.random.default_rng(read)
    length = before + read
    queries, keys, values = (
        draw.standard_normal(shape).astype(np.float32)
        for shape in (
            (read + nodes, HEADS, SIZE),
            (KV_HEADS, length + nodes, SIZE),
            (KV_HEADS, length + nodes, SIZE),
        )
    )
    end = np.array([*range(before + 1, length + 1), *[length] * nodes], np.int64)
    first = np.zeros_like(end) if window is None else np.maximum(end - window, 0)
    others, counts = np.zeros((len(end), nodes), np.int64), np.zeros_like(end)
    for node in range(nodes):
        way = range(length + node % 2, length + node + 1, 2)
        others[read + node, : len(way)] = way
        counts[read + node] = len(way)
    shape = KV_HEADS * parts, QUERIES, HEADS // KV_HEADS, length + nodes + 2 * POSITIONS
    mixed = np.empty_like(queries)
    kernels.attend(
        *(queries, keys, values, first, end, others, counts, parts),
        *(np.full(shape, np.nan, np.float32), mixed),
    )
    for row, query in enumerate(queries):
        seen = [*range(first[row], end[row]), *others[row, : counts[row]]]
        for head, wanted in enumerate(query):
            scores = keys[head // 3, seen].astype(np.float64) @ wanted
            shares = np.exp(scores - scores.max())
            expected = shares / shares.sum() @ values[head // 3, seen]
            np.testing.assert_allclose(mixed[row, head], expected, rtol=1e-4, atol=1e-5)
