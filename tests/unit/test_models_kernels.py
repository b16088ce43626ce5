"""Compiled inner loops against numpy."""

import numpy as np
import pytest

from models import kernels
from models.compiled_pass import Sight, sight
from models.compiler import FLOATS
from models.kernels import POSITIONS, ROWS, Floats
from models.token_tree import TokenTree

KV_HEADS = 2


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


@pytest.mark.parametrize("size", [FLOATS, 5 * FLOATS])
@pytest.mark.parametrize("group", [1, 3, 7])
@pytest.mark.parametrize(
    ("read", "before", "nodes", "window"),
    [
        (1, 0, 0, None),
        (1, POSITIONS - 1, 0, None),
        (2 * ROWS + 3, 3 * POSITIONS - 7, 0, None),
        (3, 2 * POSITIONS + 5, 0, POSITIONS + 3),
        (0, 2 * POSITIONS - 3, 12, None),
        (0, POSITIONS, 12, None),
        (5, 100, 7, 8),
        (0, POSITIONS + 9, 12, 3),  # the last nodes see no token that was read
    ],
)
def test_attention_sees_what_it_is_to_see(
    read: int, before: int, nodes: int, window: int | None, group: int, size: int
) -> None:
    """Tokens after `before` others, and a tree of two branches that might follow them."""
    length = before + read
    tree = TokenTree([0] * nodes, [max(node - 2, -1) for node in range(nodes)])
    seen = sight(range(before, length), tree, length, window)
    draw = np.random.default_rng(read)
    queries, keys, values = (
        draw.standard_normal(shape).astype(np.float32)
        for shape in (
            (read + nodes, KV_HEADS * group, size),
            (KV_HEADS, length + nodes, size),
            (KV_HEADS, length + nodes, size),
        )
    )
    mixed = attended(queries, keys, values, seen, 1)
    for row, query in enumerate(queries):
        places = [*range(seen.first[row], seen.end[row]), *seen.others[row, : seen.counts[row]]]
        for head, wanted in enumerate(query):
            scores = keys[head // group, places].astype(np.float64) @ wanted
            shares = np.exp(scores - scores.max())
            expected = shares / shares.sum() @ values[head // group, places]
            np.testing.assert_allclose(mixed[row, head], expected, rtol=1e-4, atol=1e-5)
    for parts in range(2, group + 1):
        assert np.array_equal(attended(queries, keys, values, seen, parts), mixed)


def attended(queries: Floats, keys: Floats, values: Floats, seen: Sight, parts: int) -> Floats:
    """By so many parts of each key head's queries, with room for no more scores than it takes."""
    most = -(-queries.shape[1] // (KV_HEADS * parts))
    room = KV_HEADS * parts * min(len(queries), ROWS) * most * seen.width
    scores = np.full(room + POSITIONS, np.nan, np.float32)
    shape = KV_HEADS * parts, min(len(queries), ROWS), most, seen.width
    mixed = np.empty_like(queries)
    where = seen.first, seen.end, seen.others, seen.counts
    kernels.attend(queries, keys, values, *where, parts, scores[:room].reshape(shape), mixed)
    assert np.isnan(scores[room:]).all(), "scores were written behind their room"
    return mixed
