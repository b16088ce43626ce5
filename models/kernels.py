"""The inner loops of a pass through a decoder, compiled for the processor that they run on.

A single token is read at the speed of memory only if nothing else takes time; as calls of a tensor
library, the small work between two products takes as long as the products do. What comes of a row
never depends on how many others there are: each is summed in one order of its own. Many rows are
shared out among threads. Attention is in `models.attention_kernels`, products in `models.products`.

Numba compiles these functions when they are first called, and keeps them on disk.
"""

import numpy as np
from numpy.typing import NDArray

from models.compiler import compiled, contracted, in_any_order, in_parallel, prange

BUILT_ON = "10fed06401644b3a"  # see `models.vector_code`
MANY = 8  # rows that are worth sharing out among threads
STRETCH = 1024  # of logits, among which the largest is looked for at once

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


@in_any_order
def sum_of_powers(scores, largest):
    total = np.float32(0.0)
    for i in range(len(scores)):
        total += exponential(scores[i] - largest)
    return total


@compiled
def likeliest(logits):
    """The place of the largest, the first of equals, the largest, and the logarithm of the sum of
    all their powers."""
    place, largest = 0, logits[0]
    for start in range(0, len(logits), STRETCH):
        here = largest_of(logits[start : start + STRETCH])
        if here > largest:
            place, largest = start, here
    while place + 1 < len(logits) and logits[place] != largest:
        place += 1
    return place, largest, largest + np.log(sum_of_powers(logits, largest))
