"""Compiled attention against numpy."""

import numpy as np
import pytest

from models import attention_kernels
from models.attention_kernels import POSITIONS, ROWS
from models.compiled_pass import Sight, sight
from models.compiler import FLOATS
from models.kernels import Floats
from models.token_tree import TokenTree

KV_HEADS = 2


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
    attention_kernels.attend(
        queries, keys, values, *where, parts, scores[:room].reshape(shape), mixed
    )
    assert np.isnan(scores[room:]).all(), "scores were written behind their room"
    return mixed
