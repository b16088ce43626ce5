"""Attention of some rows of queries, compiled as `models.kernels` are.

Keys are made columns, a few positions at a time, so that a vector holds one component of many of
them: scores are then added up side by side, and none across a vector.
"""

from typing import Any

import numpy as np

from models.compiler import FLOATS, compiled, in_parallel, njit, prange
from models.kernels import to_powers
from models.vector_code import combining_of, standing_of

BUILT_ON = "bad2d4acf6860bc0"  # see `models.vector_code`
POSITIONS = 64  # whose keys and values stay near while all queries look at them
ROWS = 16  # whose scores do
WIDE = FLOATS // 4  # vectors that are added up together, as many as there are registers for

stand = standing_of(FLOATS)


@compiled
def stand_up(keys, start, stop, columns):
    """Keys [position, size] from `start` to `stop`, at most `POSITIONS`, as columns [size, ...]."""
    size, width = keys.shape[1], columns.shape[1]
    row = np.intp(keys.ctypes.data) + 4 * start * size
    whole = (stop - start) // FLOATS * FLOATS
    for position in range(0, whole, FLOATS):
        for i in range(0, size, FLOATS):
            column = np.intp(columns.ctypes.data) + 4 * (i * width + position)
            stand(row + 4 * (position * size + i), column, size, width)
    for position in range(whole, stop - start):
        for i in range(size):
            columns[i, position] = keys[start + position, i]


def combine_rows(rows: int) -> Any:
    """Sums of so many rows, from `row` on: all columns, as many as there are registers for."""
    add_wide, add_one = (combining_of(rows, vectors, FLOATS) for vectors in (WIDE, 1))

    @njit(nogil=True, error_model="numpy")
    def combine(factors, others, start, count, sums, row):
        step, stride = factors.strides[0] // 4, sums.strides[0] // 4
        size = others.shape[1]
        factor = np.intp(factors.ctypes.data) + 4 * row * step
        other = np.intp(others.ctypes.data) + 4 * start * size
        total = np.intp(sums.ctypes.data) + 4 * row * stride
        column = 0
        while column + WIDE * FLOATS <= size:
            at = 4 * column
            add_wide(factor, other + at, total + at, step, size, stride, count)
            column += WIDE * FLOATS
        while column < size:
            at = 4 * column
            add_one(factor, other + at, total + at, step, size, stride, count)
            column += FLOATS

    return combine


four, three, two, one = (combine_rows(rows) for rows in (4, 3, 2, 1))


@compiled
def combine(factors, others, start, count, sums):
    """Add to `sums` [n, size] `count` of the `others` [any, size] from `start` on, each times its
    factor [n, at least count], one after the other."""
    row, rows = 0, len(sums)
    while row + 4 <= rows:
        four(factors, others, start, count, sums, row)
        row += 4
    left = rows - row
    if left == 3:
        three(factors, others, start, count, sums, row)
    elif left == 2:
        two(factors, others, start, count, sums, row)
    elif left == 1:
        one(factors, others, start, count, sums, row)


@compiled
def attend_some(queries, lowest, heads, keys, values, first, end, others, counts, scores, mixed):
    """As `attend`, for some rows, so many heads of theirs from the `lowest` on, which share a key
    head; `scores` [n, at least heads, width]."""
    rows, size = len(queries), queries.shape[2]
    mine = slice(lowest, lowest + heads)
    columns = np.empty((size, POSITIONS), np.float32)
    totals = np.empty((rows, heads), np.float32)
    stops = end.copy()
    for row in range(rows):
        if counts[row]:
            stops[row] = others[row, counts[row] - 1] + 1
    begin = first.min() // POSITIONS * POSITIONS
    for start in range(begin, stops.max(), POSITIONS):
        stand_up(keys, start, min(start + POSITIONS, len(keys)), columns)
        for row in range(rows):
            before = start - first[row] // POSITIONS * POSITIONS
            if before >= 0 and start < stops[row]:
                target = slice(before, before + POSITIONS)
                for query in range(heads):
                    scores[row, query, target] = np.float32(0.0)
                combine(queries[row, mine], columns, 0, size, scores[row, :heads, target])
    for row in range(rows):
        base = first[row] // POSITIONS * POSITIONS
        low, seen = first[row] - base, end[row] - base
        for query in range(heads):
            for i in range(counts[row]):  # none is overwritten before it has moved
                scores[row, query, seen + i] = scores[row, query, others[row, i] - base]
            totals[row, query] = to_powers(scores[row, query, low : seen + counts[row]])
            mixed[row, lowest + query] = np.float32(0.0)
    for start in range(begin, end.max(), POSITIONS):
        for row in range(rows):
            low, high = max(start, first[row]), min(start + POSITIONS, end[row])
            if low < high:
                shares = scores[row, :, low - first[row] // POSITIONS * POSITIONS :]
                combine(shares, values, low, high - low, mixed[row, mine])
    for row in range(rows):
        shares = scores[row, :, end[row] - first[row] // POSITIONS * POSITIONS :]
        for i in range(counts[row]):
            combine(shares[:, i:], values, others[row, i], 1, mixed[row, mine])
        for query in range(heads):
            part = mixed[row, lowest + query]
            for i in range(size):
                part[i] /= totals[row, query]


@in_parallel
def attend(queries, keys, values, first, end, others, counts, parts, scores, mixed):
    """What each query [n, heads, head_dim] sees, into `mixed` [n, heads, head_dim].

    Row i sees positions from `first[i]` until `end[i]`, then `counts[i]` of `others[i]`, which
    ascend from `end[i]` on, in this order. The queries of a key head are shared out in so many
    `parts`, each of which has room for its `scores` [parts of all, ROWS, most heads of one, width].
    """
    rows, heads, _ = queries.shape
    group = heads // len(keys)
    for task in prange(len(keys) * parts):
        head, part = task // parts, task % parts
        lowest = head * group + group * part // parts
        count = head * group + group * (part + 1) // parts - lowest
        for start in range(0, rows, ROWS):
            some = slice(start, min(start + ROWS, rows))
            attend_some(
                *(queries[some], lowest, count, keys[head], values[head]),
                *(first[some], end[some], others[some], counts[some]),
                *(scores[task], mixed[some]),
            )
