"""The inner loops of a pass over few tokens, compiled for the processor that they run on.

A single token is read at the speed of memory only if nothing else takes time; as calls of a tensor
library, the small work between two products takes as long as the products do. What comes of a row
never depends on how many others there are: each is summed in one order of its own.

Numba compiles these functions when they are first called, and keeps them on disk.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.compiler import FLOATS, compiled, in_any_order, in_parallel, njit, prange
from models.vector_code import adding_of, dots_of

VECTOR_CODE = "be2e29749083f17d"  # see `models.vector_code`
TOGETHER = 4  # keys or values of a query
POSITIONS = 64  # whose keys and values stay near while all queries look at them

Floats = NDArray[np.float32]


@compiled
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
def add_and_norm(hidden, change, weight, bias, centred, epsilon, normed):
    """hidden += change [n, at least hidden], and the norm of it."""
    for row in range(len(hidden)):
        for i in range(hidden.shape[1]):
            hidden[row, i] += change[row, i]
        norm(hidden[row], weight, bias, centred, epsilon, normed[row])


@compiled
def activate(wide, gated, active):
    """The first part of `wide` times silu of the second, or gelu of all; `active` [n, inner]."""
    inner = active.shape[1]
    for row in range(len(wide)):
        first = wide[row, :inner]
        if gated:
            silu_times(wide[row, inner : 2 * inner], first, active[row])
        else:
            gelu(first, active[row])


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
def norm_heads(product, first, heads, weight, bias, centred, epsilon):
    """The norm of each of so many heads, from the column `first` on, in place."""
    size = len(weight)
    for row in range(len(product)):
        for head in range(heads):
            start = first + head * size
            part = product[row, start : start + size]
            norm(part, weight, bias, centred, epsilon, part)


@compiled
def place(product, cosine, sine, slots, masters, keys, values, queries):
    """Turn queries [n, heads, head_dim], and store what `product` holds behind them in a cache."""
    heads, size = queries.shape[1], queries.shape[2]
    shrink = np.float32(1.0 / np.sqrt(size))
    for row in range(len(queries)):
        for head in range(heads):
            part = product[row, head * size : (head + 1) * size]
            turn(part, cosine[row], sine[row], queries[row, head])
            for i in range(size):
                queries[row, head, i] *= shrink
        slot = slots[row]
        for head in range(len(keys)):
            first = (heads + head) * size
            key = product[row, first : first + size]
            masters[head, slot] = key
            turn(key, cosine[row], sine[row], keys[head, slot])
            first += len(keys) * size
            values[head, slot] = product[row, first : first + size]


@in_any_order
def to_shares(scores):
    """The softmax of a row, in place."""
    largest = scores[0]
    for i in range(len(scores)):
        largest = max(largest, scores[i])
    for i in range(len(scores)):
        scores[i] = exponential(scores[i] - largest)
    total = np.float32(0.0)
    for i in range(len(scores)):
        total += scores[i]
    for i in range(len(scores)):
        scores[i] /= total


def in_steps(intrinsic_of: Any, queries: int) -> Any:
    """A function that goes over vectors with so many queries, `TOGETHER` of them at a time."""
    with_one, with_some = (intrinsic_of(queries, count, FLOATS) for count in (1, TOGETHER))

    @njit(nogil=True, error_model="numpy")
    def go_over(rows, vectors, first, end, numbers):
        size, stride = vectors.shape[1], numbers.strides[0] // 4
        address = np.intp(vectors.ctypes.data) + 4 * first * size
        number = np.intp(numbers.ctypes.data)
        position = first
        while position + TOGETHER <= end:
            with_some(rows.ctypes.data, address, number, size, stride)
            position += TOGETHER
            address += 4 * TOGETHER * size
            number += 4 * TOGETHER
        while position < end:
            with_one(rows.ctypes.data, address, number, size, stride)
            position += 1
            address += 4 * size
            number += 4

    return go_over


def two_at_a_time(intrinsic_of: Any) -> Any:
    """A function of rows [n, size], vectors `first` until `end`, and numbers [n, so many].

    `intrinsic_of` gives what is done with some rows, some of the vectors, and their numbers.
    """
    with_one, with_two = (in_steps(intrinsic_of, queries) for queries in (1, 2))

    @njit(nogil=True, error_model="numpy")
    def go_over(rows, vectors, first, end, numbers):
        count = len(rows)
        for query in range(0, count - 1, 2):
            pair = slice(query, query + 2)
            with_two(rows[pair], vectors, first, end, numbers[pair])
        if count % 2:
            with_one(rows[count - 1 :], vectors, first, end, numbers[count - 1 :])

    return go_over


look = two_at_a_time(dots_of)  # queries, keys, where, and the scores that come of them
gather = two_at_a_time(adding_of)  # sums, values to add to them, where, and the shares of each


@in_parallel
def attend(queries, keys, values, first, end, others, counts, parts, scores, mixed):
    """What each query [n, heads, head_dim] sees, into `mixed` [n, heads, head_dim].

    Row i sees positions from `first[i]` until `end[i]`, then `counts[i]` of `others[i]`, in this
    order. The queries of a key head are shared out in so many `parts`.
    """
    rows, heads, _ = queries.shape
    group = heads // len(keys)
    longest = end.max()
    for task in prange(len(keys) * parts):
        head, part = task // parts, task % parts
        lowest = head * group + group * part // parts
        mine = slice(lowest, head * group + group * (part + 1) // parts)
        some_keys, some_values = keys[head], values[head]
        for start in range(0, longest, POSITIONS):
            for row in range(rows):
                low, high = max(start, first[row]), min(start + POSITIONS, end[row])
                target = scores[row, mine, low - first[row] :]
                look(queries[row, mine], some_keys, low, high, target)
        for row in range(rows):
            seen = end[row] - first[row]
            for i in range(counts[row]):
                other = others[row, i]
                target = scores[row, mine, seen + i :]
                look(queries[row, mine], some_keys, other, other + 1, target)
            for query in range(mine.start, mine.stop):
                to_shares(scores[row, query, : seen + counts[row]])
            mixed[row, mine] = np.float32(0.0)
        for start in range(0, longest, POSITIONS):
            for row in range(rows):
                low, high = max(start, first[row]), min(start + POSITIONS, end[row])
                shares = scores[row, mine, low - first[row] :]
                gather(mixed[row, mine], some_values, low, high, shares)
        for row in range(rows):
            shares = scores[row, mine, end[row] - first[row] :]
            for i in range(counts[row]):
                other = others[row, i]
                gather(mixed[row, mine], some_values, other, other + 1, shares[:, i:])
