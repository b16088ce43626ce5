"""The inner loops of a pass over few tokens, compiled for the processor that they run on.

A single token is read at the speed of memory only if nothing else takes time; as calls of a tensor
library, the small work between two products takes as long as the products do. What comes of a row
never depends on how many others there are: each is summed in one order of its own.

Numba compiles these functions when they are first called and keeps them on disk. It does not look
into other modules when it decides whether what it kept is current, so all of them are here.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numpy.typing import NDArray

# As many threads as torch has; numba reads this once.
os.environ.setdefault("NUMBA_NUM_THREADS", str(torch.get_num_threads()))

from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

INPUTS = 32  # of a product, multiplied in two halves
HALF = INPUTS // 2
LINE = 64  # bytes that memory gives at once
OUTPUTS = 4  # of a product, whose weights stand together
FLOATS = 8  # that are added or multiplied at once
TOGETHER = 4  # keys or values of one query
POSITIONS = 64  # whose keys and values stay near while all queries look at them

Floats = NDArray[np.float32]
BYTE, SHORT, WORD, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT = ir.FloatType()


def can_be_kept() -> bool:
    """Whether there is a folder for compiled functions; numba refuses where there is none."""
    try:
        njit(can_be_kept, cache=True)
    except RuntimeError:
        return False
    return True


kernel = partial(njit, cache=can_be_kept(), nogil=True, error_model="numpy")
compiled, in_parallel = kernel(), kernel(parallel=True)
in_any_order = kernel(fastmath={"reassoc", "nnan"})


def load(builder: Any, address: Any, kind: Any) -> Any:
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


def fetch(builder: Any, address: Any) -> None:
    """Bring the `LINE` at an address near, which will be read soon."""
    near = [WORD(number) for number in (0, 3, 1)]  # to read, into every cache, data
    place = builder.inttoptr(address, BYTE.as_pointer())
    library(builder, "llvm.prefetch.p0", ir.VoidType(), place, *near)


def count_up(
    builder: Any, end: Any, step: int, carried: list[Any], body: Callable[..., Any]
) -> list[Any]:
    """A loop over 0, step, ... below `end` (more than 0); what `carried` has become after it."""
    before, inside = builder.block, builder.append_basic_block()
    after = builder.append_basic_block()
    builder.branch(inside)
    builder.position_at_end(inside)
    index = builder.phi(LONG)
    now = [builder.phi(value.type) for value in carried]
    index.add_incoming(LONG(0), before)
    for phi, value in zip(now, carried, strict=True):
        phi.add_incoming(value, before)
    later: list[Any] = body(index, now)
    following = builder.add(index, LONG(step))
    index.add_incoming(following, builder.block)
    for phi, value in zip(now, later, strict=True):
        phi.add_incoming(value, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, end), inside, after)
    builder.position_at_end(after)
    return later


def library(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """A call of one of LLVM's own functions."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, arguments)


def pairs_multiplied(builder: Any, left: Any, right: Any, x86: bool) -> Any:
    """The sums of neighbouring products of 16-bit numbers, in 32 bits: half as many."""
    result = ir.VectorType(WORD, HALF // 2)
    if x86:
        return library(builder, "llvm.x86.avx2.pmadd.wd", result, left, right)

    def product(first: int) -> Any:
        places = ir.Constant(ir.VectorType(WORD, HALF // 2), list(range(first, HALF, 2)))
        nothing = ir.Constant(left.type, ir.Undefined)
        halves = (builder.shuffle_vector(side, nothing, places) for side in (left, right))
        return builder.mul(*(builder.sext(half, result) for half in halves))

    return builder.add(product(0), product(1))


def products_of(rows: int, x86: bool) -> Any:
    """The intrinsic that multiplies one block of weights by so many rows of inputs.

    Its arguments are the addresses of weights [width / INPUTS, OUTPUTS, INPUTS], 8 bits each, and
    of inputs [rows, width], 16 bits each, the width, the addresses of the scales and biases of the
    outputs, of the steps of the inputs, and of products, and how many stand in a row of these. As
    it goes it fetches the next block: memory is read while the processor multiplies.
    """

    @intrinsic
    def products(
        _: Any,
        weights: Any,
        inputs: Any,
        width: Any,
        scales: Any,
        biases: Any,
        steps: Any,
        target: Any,
        stride: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, inputs, width, scales, biases, steps, target, stride = arguments
            nothing = ir.Constant(ir.VectorType(WORD, HALF // 2), [0] * (HALF // 2))

            def body(index: Any, sums: list[Any]) -> list[Any]:
                block = builder.add(weights, builder.mul(index, LONG(OUTPUTS)))
                ahead = builder.add(block, builder.mul(width, LONG(OUTPUTS)))
                for line in range(0, OUTPUTS * INPUTS, LINE):
                    fetch(builder, builder.add(ahead, LONG(line)))
                later = list(sums)
                for output in range(OUTPUTS):
                    wide = []
                    for half in (0, HALF):
                        address = builder.add(block, LONG(output * INPUTS + half))
                        narrow = load(builder, address, ir.VectorType(BYTE, HALF))
                        wide.append(builder.sext(narrow, ir.VectorType(SHORT, HALF)))
                    for row in range(rows):
                        place = builder.add(builder.mul(width, LONG(row)), index)
                        start = builder.add(inputs, builder.mul(place, LONG(2)))
                        for half, some in enumerate(wide):
                            address = builder.add(start, LONG(2 * half * HALF))
                            other = load(builder, address, ir.VectorType(SHORT, HALF))
                            number = row * OUTPUTS + output
                            more = pairs_multiplied(builder, some, other, x86)
                            later[number] = builder.add(later[number], more)
                return later

            totals = count_up(builder, width, INPUTS, [nothing] * (rows * OUTPUTS), body)
            kind = ir.VectorType(FLOAT, OUTPUTS)
            scale, bias = (load(builder, address, kind) for address in (scales, biases))
            for row in range(rows):
                whole = ir.Constant(ir.VectorType(WORD, OUTPUTS), ir.Undefined)
                for output in range(OUTPUTS):
                    total = totals[row * OUTPUTS + output]
                    name = f"llvm.vector.reduce.add.v{HALF // 2}i32"
                    added = library(builder, name, WORD, total)
                    whole = builder.insert_element(whole, added, WORD(output))
                step = load(builder, builder.add(steps, LONG(4 * row)), FLOAT)
                factor = builder.fmul(everywhere(builder, step, OUTPUTS), scale)
                product = builder.fadd(builder.fmul(builder.sitofp(whole, kind), factor), bias)
                place = builder.mul(builder.mul(stride, LONG(row)), LONG(4))
                store(builder, product, builder.add(target, place))
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        inputs_and_weights = (address, address, size)
        return types.void(*inputs_and_weights, address, address, address, address, size), generate

    return products


def everywhere(builder: Any, value: Any, count: int) -> Any:
    """A vector of one value."""
    nothing = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    places = ir.Constant(ir.VectorType(WORD, count), [0] * count)
    return builder.shuffle_vector(builder.insert_element(nothing, value, WORD(0)), nothing, places)


AVX2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def dots_of(count: int) -> Any:
    """The intrinsic for the products of one vector and `count` others, which stand in a row.

    Its arguments are the addresses of floats [size] and [count, size], and their size, a multiple
    of `FLOATS`.
    """

    @intrinsic
    def dots(_: Any, one: Any, others: Any, size: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            one, others, size = arguments
            kind = ir.VectorType(FLOAT, FLOATS)

            def body(index: Any, sums: list[Any]) -> list[Any]:
                some = load(builder, builder.add(one, builder.mul(index, LONG(4))), kind)
                later = []
                for number, total in enumerate(sums):
                    place = builder.add(builder.mul(size, LONG(number)), index)
                    address = builder.add(others, builder.mul(place, LONG(4)))
                    later.append(fused(builder, some, load(builder, address, kind), total))
                return later

            nothing = ir.Constant(kind, [0.0] * FLOATS)
            totals = count_up(builder, size, FLOATS, [nothing] * count, body)
            floats = [added_up(builder, total) for total in totals]
            return context.make_tuple(builder, signature.return_type, floats)

        result = types.UniTuple(types.float32, count)
        return result(types.uintp, types.uintp, types.intp), generate

    return dots


def added_up(builder: Any, total: Any) -> Any:
    """The sum of a vector's floats, halves first."""
    while total.type.count > 1:
        half = total.type.count // 2
        nothing = ir.Constant(total.type, ir.Undefined)
        low, high = (
            builder.shuffle_vector(
                total,
                nothing,
                ir.Constant(ir.VectorType(WORD, half), list(range(first, first + half))),
            )
            for first in (0, half)
        )
        total = builder.fadd(low, high)
    return builder.extract_element(total, WORD(0))


def fused(builder: Any, left: Any, right: Any, total: Any) -> Any:
    """left * right + total, in one step where the processor can."""
    return library(builder, f"llvm.fmuladd.v{FLOATS}f32", total.type, left, right, total)


def adding_of(count: int) -> Any:
    """The intrinsic that adds `count` vectors, which stand in a row, each times its factor.

    Its arguments are the addresses of the sum [size], of the factors [count] and of the vectors
    [count, size], and their size. They are added one after the other.
    """

    @intrinsic
    def add(_: Any, total: Any, factors: Any, vectors: Any, size: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            total, factors, vectors, size = arguments
            kind = ir.VectorType(FLOAT, FLOATS)
            shares = []
            for number in range(count):
                factor = load(builder, builder.add(factors, LONG(4 * number)), FLOAT)
                shares.append(everywhere(builder, factor, FLOATS))

            def body(index: Any, _: list[Any]) -> list[Any]:
                target = builder.add(total, builder.mul(index, LONG(4)))
                value = load(builder, target, kind)
                for number, share in enumerate(shares):
                    place = builder.add(builder.mul(size, LONG(number)), index)
                    address = builder.add(vectors, builder.mul(place, LONG(4)))
                    value = fused(builder, share, load(builder, address, kind), value)
                store(builder, value, target)
                return []

            count_up(builder, size, FLOATS, [], body)
            return context.get_dummy_value()

        arguments = (types.uintp, types.uintp, types.uintp, types.intp)
        return types.void(*arguments), generate

    return add


dot_of_one, dots_of_some = (dots_of(count) for count in (1, TOGETHER))
add_one, add_some = (adding_of(count) for count in (1, TOGETHER))


def rows_times_block(products: Any) -> Any:
    """As many rows as `products` takes, from `row` on, times one block of weights."""

    @njit(nogil=True, error_model="numpy")
    def times(packed, block, scale, bias, inputs, row, steps, product):
        width, stride = inputs.shape[1], len(scale)
        first = block * OUTPUTS
        products(
            packed.ctypes.data + first * width,
            inputs.ctypes.data + 2 * row * width,
            width,
            scale.ctypes.data + 4 * first,
            bias.ctypes.data + 4 * first,
            steps.ctypes.data + 4 * row,
            product.ctypes.data + 4 * (row * stride + first),
            stride,
        )

    return times


one_row, two_rows = (rows_times_block(products_of(rows, AVX2)) for rows in (1, 2))


@in_parallel
def multiply(packed, scale, bias, inputs, steps, product):
    """Products [n, outputs] of inputs [n, width] in 16 bits, `steps` [n] apart, and weights."""
    rows = len(inputs)
    for block in prange(len(packed)):
        for row in range(0, rows - 1, 2):
            two_rows(packed, block, scale, bias, inputs, row, steps, product)
        if rows % 2:
            one_row(packed, block, scale, bias, inputs, rows - 1, steps, product)


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


@in_any_order
def to_whole(row, most, whole):
    """A row as whole numbers up to `most`; the step between two of them."""
    largest = np.float32(0.0)
    for i in range(len(row)):
        largest = max(largest, abs(row[i]))
    step = max(largest, np.float32(1e-30)) / np.float32(most)
    steps = np.float32(1.0) / step
    for i in range(len(row)):
        whole[i] = np.int16(np.rint(row[i] * steps))
    return step


@compiled
def add_and_norm(hidden, change, weight, bias, centred, epsilon, normed):
    """hidden += change [n, at least hidden], and the norm of it."""
    for row in range(len(hidden)):
        for i in range(hidden.shape[1]):
            hidden[row, i] += change[row, i]
        norm(hidden[row], weight, bias, centred, epsilon, normed[row])


@compiled
def rows_to_whole(rows, most, whole, steps):
    """Rows [n, width] as the inputs [n, at least width] and `steps` [n] of `multiply`."""
    for row in range(len(rows)):
        steps[row] = to_whole(rows[row], most, whole[row, : rows.shape[1]])


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


@compiled
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


@compiled
def look(query, keys, first, end, scores):
    """The products of a query with the keys from `first` until `end`, to an address of floats."""
    size = keys.shape[1]
    position = first
    while position + TOGETHER <= end:
        some = dots_of_some(query.ctypes.data, keys.ctypes.data + 4 * position * size, size)
        for i in range(TOGETHER):
            scores[position - first + i] = some[i]
        position += TOGETHER
    while position < end:
        (one,) = dot_of_one(query.ctypes.data, keys.ctypes.data + 4 * position * size, size)
        scores[position - first] = one
        position += 1


@compiled
def gather(shares, values, first, end, total):
    """Add the values from `first` until `end`, each times its share."""
    size = values.shape[1]
    address, target = shares.ctypes.data, total.ctypes.data
    position = first
    while position + TOGETHER <= end:
        add_some(target, address, values.ctypes.data + 4 * position * size, size)
        position += TOGETHER
        address += 4 * TOGETHER
    while position < end:
        add_one(target, address, values.ctypes.data + 4 * position * size, size)
        position += 1
        address += 4


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
        mine = range(
            head * group + group * part // parts, head * group + group * (part + 1) // parts
        )
        some_keys, some_values = keys[head], values[head]
        for start in range(0, longest, POSITIONS):
            for query in mine:
                for row in range(rows):
                    low, high = max(start, first[row]), min(start + POSITIONS, end[row])
                    target = scores[row, query, low - first[row] :]
                    look(queries[row, query], some_keys, low, high, target)
        for query in mine:
            for row in range(rows):
                seen = end[row] - first[row]
                for i in range(counts[row]):
                    other = others[row, i]
                    target = scores[row, query, seen + i :]
                    look(queries[row, query], some_keys, other, other + 1, target)
                to_shares(scores[row, query, : seen + counts[row]])
                mixed[row, query] = np.float32(0.0)
        for start in range(0, longest, POSITIONS):
            for query in mine:
                for row in range(rows):
                    low, high = max(start, first[row]), min(start + POSITIONS, end[row])
                    shares = scores[row, query, low - first[row] :]
                    gather(shares, some_values, low, high, mixed[row, query])
        for query in mine:
            for row in range(rows):
                shares = scores[row, query, end[row] - first[row] :]
                for i in range(counts[row]):
                    other = others[row, i]
                    gather(shares[i:], some_values, other, other + 1, mixed[row, query])
