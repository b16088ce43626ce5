"""The inner loops of a pass through a decoder, compiled for the processor that they run on.

A single token is read at the speed of memory only if nothing else takes time; as calls of a tensor
library, the small work between two products takes as long as the products do. What comes of a row
never depends on how many others there are: each is summed in one order of its own. Many rows are
shared out among threads.

Numba compiles these functions when they are first called, and keeps them on disk.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.compiler import FLOATS, compiled, contracted, in_any_order, in_parallel, njit, prange
from models.vector_code import combining_of, standing_of

VECTOR_CODE = "732df5c9d4a76611"  # see `models.vector_code`
MANY = 8  # rows that are worth sharing out among threads
POSITIONS = 64  # whose keys and values stay near while all queries look at them
ROWS = 16  # whose scores do
WIDE = FLOATS // 4  # vectors that are added up together, as many as there are registers for

Floats = NDArray[np.float32]


@contracted
def exponential(power):
    """e to a float, in float32: 2^n times the series of what is left, within half of ln 2."""
    bounded = min(max(power, np.float32(-87.0)), np.float32(88.0))
    twos = np.rint(bounded * np.float32(1.4426950408889634))
    rest = bounded - twos * np.float32(0.693359375) - twos * np.float32(-2.12194440054691e-4)
    series = np.float32(1.0 / 5040.0)
    for factor in (720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0):
        series = series * rest + np.float32(1.0 / factor)
    return series * np.int32((np.int32(twos) + 127) << 23).view(np.float32)


@in_any_order
def norm(row, weight, bias, centred, epsilon, normed):
    """Root mean square norm of one row, or layer norm where it is `centred`."""
    size = len(row)
    mean = np.float32(0.0)
    if centred:
        for i in range(size):
            mean += row[i]
        mean /= np.float32(size)
    square = np.float32(0.0)
    for i in range(size):
        square += (row[i] - mean) * (row[i] - mean)
    factor = np.float32(1.0) / np.sqrt(square / np.float32(size) + epsilon)
    for i in range(size):
        normed[i] = (row[i] - mean) * factor * weight[i] + bias[i]


@compiled
def add_and_norm_one(hidden, change, weight, bias, centred, epsilon, normed):
    """`add_and_norm` of one row."""
    for i in range(len(hidden)):
        hidden[i] += change[i]
    norm(hidden, weight, bias, centred, epsilon, normed)


@in_parallel
def add_and_norm(hidden, change, weight, bias, centred, epsilon, normed):
    """hidden += change [n, at least hidden], and the norm of it."""
    if len(hidden) < MANY:
        for row in range(len(hidden)):
            some = hidden[row], change[row], weight, bias, centred, epsilon, normed[row]
            add_and_norm_one(*some)
    else:
        for row in prange(len(hidden)):
            some = hidden[row], change[row], weight, bias, centred, epsilon, normed[row]
            add_and_norm_one(*some)


@compiled
def activate_one(wide, gated, active):
    """`activate` of one row."""
    inner = len(active)
    if gated:
        silu_times(wide[inner : 2 * inner], wide[:inner], active)
    else:
        gelu(wide[:inner], active)


@in_parallel
def activate(wide, gated, active):
    """The first part of `wide` times silu of the second, or gelu of all; `active` [n, inner]."""
    if len(wide) < MANY:
        for row in range(len(wide)):
            activate_one(wide[row], gated, active[row])
    else:
        for row in prange(len(wide)):
            activate_one(wide[row], gated, active[row])


@compiled
def silu_times(gate, wide, active):
    for i in range(len(active)):
        active[i] = wide[i] * gate[i] / (np.float32(1.0) + exponential(-gate[i]))


@compiled
def gelu(wide, active):
    slope = np.float32(2.0 * np.sqrt(2.0 / np.pi))
    for i in range(len(active)):
        power = slope * (wide[i] + np.float32(0.044715) * wide[i] * wide[i] * wide[i])
        active[i] = wide[i] - wide[i] / (np.float32(1.0) + exponential(power))


@compiled
def turn(vector, cosine, sine, turned):
    """One head's rotary turn: component i with component i + head_dim / 2."""
    half = len(vector) // 2
    for i in range(half):
        first, second = vector[i], vector[i + half]
        turned[i] = first * cosine[i] - second * sine[i]
        turned[i + half] = second * cosine[i + half] + first * sine[i + half]


@compiled
def norm_heads_of_one(product, first, heads, weight, bias, centred, epsilon):
    """`norm_heads` of one row."""
    size = len(weight)
    for head in range(heads):
        start = first + head * size
        part = product[start : start + size]
        norm(part, weight, bias, centred, epsilon, part)


@in_parallel
def norm_heads(product, first, heads, weight, bias, centred, epsilon):
    """The norm of each of so many heads, from the column `first` on, in place."""
    if len(product) < MANY:
        for row in range(len(product)):
            norm_heads_of_one(product[row], first, heads, weight, bias, centred, epsilon)
    else:
        for row in prange(len(product)):
            norm_heads_of_one(product[row], first, heads, weight, bias, centred, epsilon)


@compiled
def place_one(product, cosine, sine, slot, masters, keys, values, queries):
    """`place` of one row."""
    heads, size = queries.shape
    shrink = np.float32(1.0 / np.sqrt(size))
    for head in range(heads):
        turn(product[head * size : (head + 1) * size], cosine, sine, queries[head])
        for i in range(size):
            queries[head, i] *= shrink
    for head in range(len(keys)):
        first = (heads + head) * size
        key = product[first : first + size]
        masters[head, slot] = key
        turn(key, cosine, sine, keys[head, slot])
        first += len(keys) * size
        values[head, slot] = product[first : first + size]


@in_parallel
def place(product, cosine, sine, slots, masters, keys, values, queries):
    """Turn queries [n, heads, head_dim], and store what `product` holds behind them in a cache."""
    if len(queries) < MANY:
        for row in range(len(queries)):
            turned = cosine[row], sine[row], slots[row]
            place_one(product[row], *turned, masters, keys, values, queries[row])
    else:
        for row in prange(len(queries)):
            turned = cosine[row], sine[row], slots[row]
            place_one(product[row], *turned, masters, keys, values, queries[row])


@compiled
def ordered(bits):
    """The bits of a float as a whole number that is larger for a larger float, and back."""
    return bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))


@compiled
def largest_of(row):
    """The largest float of a row, by whole numbers: of floats the compiler compares one pair at a
    time."""
    bits = row.view(np.int32)
    largest = ordered(bits[0])
    for i in range(len(bits)):
        largest = max(largest, ordered(bits[i]))
    return np.int32(ordered(largest)).view(np.float32)


@in_any_order
def to_powers(scores):
    """e to each of a row's scores less the largest, in place; their sum, which makes them shares
    (softmax)."""
    largest = largest_of(scores)
    total = np.float32(0.0)
    for i in range(len(scores)):
        scores[i] = exponential(scores[i] - largest)
        total += scores[i]
    return total


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
