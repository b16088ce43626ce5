"""Products of whole numbers, in the language of `models.vector_code`.

A few rows are multiplied with weights as they come out of memory, whose scales are multiplied in
after each `INPUTS` of them. For many rows that takes as long as the products do. Their weights are
therefore first made whole numbers of 16 bits that have one scale for each `PANEL` of inputs, and a
row is then multiplied with `MANY` outputs at once.
"""

from typing import Any

from llvmlite import ir

from models.compiler import intrinsic, types
from models.vector_code import (
    BYTE,
    FLOAT,
    FLOATS,
    LONG,
    SHORT,
    WORD,
    added_up,
    count_up,
    everywhere,
    fused,
    library,
    load,
    place_of,
    store,
)

INPUTS = 32  # of a product, multiplied in two halves
HALF = INPUTS // 2
LINE = 64  # bytes that memory gives at once
OUTPUTS = 4  # of a product, whose weights stand together
MANY = 2 * OUTPUTS  # of a product of many rows
PANEL = 1024  # inputs of many rows, of which a sum of whole numbers is made
LARGEST = 4095  # of these and of their weights: an eighth of a panel's products fit 32 bits
WIDEST = 255  # times a weight of 8 bits in 16 bits
SHORTS = ir.VectorType(SHORT, HALF)
WORDS = ir.VectorType(WORD, HALF // 2)
FOUR = ir.VectorType(FLOAT, OUTPUTS)


def fetch(builder: Any, address: Any) -> None:
    """Bring the `LINE` at an address near, which will be read soon."""
    near = [WORD(number) for number in (0, 3, 1)]  # to read, into every cache, data
    place = builder.inttoptr(address, BYTE.as_pointer())
    library(builder, "llvm.prefetch.p0", ir.VoidType(), place, *near)


def pairs_multiplied(builder: Any, left: Any, right: Any, x86: bool) -> Any:
    """The sums of neighbouring products of 16-bit numbers, in 32 bits: half as many."""
    if x86:
        return library(builder, "llvm.x86.avx2.pmadd.wd", WORDS, left, right)

    def product(first: int) -> Any:
        places = ir.Constant(WORDS, list(range(first, HALF, 2)))
        nothing = ir.Constant(left.type, ir.Undefined)
        halves = (builder.shuffle_vector(side, nothing, places) for side in (left, right))
        return builder.mul(*(builder.sext(half, WORDS) for half in halves))

    return builder.add(product(0), product(1))


def products_of(rows: int, x86: bool) -> Any:
    """The intrinsic that multiplies one block of weights by so many rows of inputs.

    Its arguments are the addresses of weights [width / INPUTS, OUTPUTS, INPUTS], 8 bits each, of
    their scales [width / INPUTS, OUTPUTS], and of inputs [rows, width], 16 bits each, the width,
    the addresses of the biases of the outputs, of the steps of the inputs, and of products, and
    how many stand in a row of these. As it goes it fetches the next block: memory is read while
    the processor multiplies.
    """

    @intrinsic
    def products(
        _: Any,
        weights: Any,
        scales: Any,
        inputs: Any,
        width: Any,
        biases: Any,
        steps: Any,
        target: Any,
        stride: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, scales, inputs, width, biases, steps, target, stride = arguments
            kind = ir.VectorType(FLOAT, FLOATS)

            def body(index: Any, sums: list[Any]) -> list[Any]:
                block = builder.add(weights, builder.mul(index, LONG(OUTPUTS)))
                ahead = builder.add(block, builder.mul(width, LONG(OUTPUTS)))
                for line in range(0, OUTPUTS * INPUTS, LINE):
                    fetch(builder, builder.add(ahead, LONG(line)))
                group = builder.mul(builder.udiv(index, LONG(INPUTS)), LONG(4 * OUTPUTS))
                scale = builder.add(scales, group)
                some = []
                for row in range(rows):
                    place = builder.add(builder.mul(width, LONG(row)), index)
                    start = builder.add(inputs, builder.mul(place, LONG(2)))
                    places = (builder.add(start, LONG(2 * half)) for half in (0, HALF))
                    some.append([load(builder, p, SHORTS) for p in places])
                later = list(sums)
                for output in range(OUTPUTS):
                    wide = []
                    for half in (0, HALF):
                        address = builder.add(block, LONG(output * INPUTS + half))
                        narrow = load(builder, address, ir.VectorType(BYTE, HALF))
                        wide.append(builder.sext(narrow, SHORTS))
                    factor = load(builder, builder.add(scale, LONG(4 * output)), FLOAT)
                    factors = everywhere(builder, factor, FLOATS)
                    for row in range(rows):
                        halves = zip(wide, some[row], strict=True)
                        low, high = (pairs_multiplied(builder, *pair, x86) for pair in halves)
                        whole = builder.sitofp(builder.add(low, high), kind)
                        number = row * OUTPUTS + output
                        later[number] = fused(builder, whole, factors, later[number])
                return later

            nothing = ir.Constant(kind, [0.0] * FLOATS)
            totals = count_up(builder, width, INPUTS, [nothing] * (rows * OUTPUTS), body)
            bias = load(builder, biases, FOUR)
            for row in range(rows):
                sums = added_up(builder, totals[row * OUTPUTS : (row + 1) * OUTPUTS])
                step = load(builder, builder.add(steps, LONG(4 * row)), FLOAT)
                product = builder.fmul(sums, everywhere(builder, step, OUTPUTS))
                place = place_of(builder, target, stride, row, LONG(0))
                store(builder, builder.fadd(product, bias), place)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        return types.void(address, address, address, size, *[address] * 3, size), generate

    return products


def shares_of(builder: Any, weights: Any, factors: Any, x86: bool) -> Any:
    """Whole numbers of 16 bits times others, divided by 2^15 and rounded."""
    if x86:
        return library(builder, "llvm.x86.avx2.pmul.hr.sw", SHORTS, weights, factors)
    wide = ir.VectorType(WORD, HALF)
    product = builder.mul(*(builder.sext(side, wide) for side in (weights, factors)))
    rounded = builder.add(product, ir.Constant(wide, [1 << 14] * HALF))
    return builder.trunc(builder.ashr(rounded, ir.Constant(wide, [15] * HALF)), SHORTS)


def widening_of(x86: bool) -> Any:
    """The intrinsic that makes weights of 8 bits and their scales whole numbers of 16 bits.

    Its arguments are the addresses of weights [count / INPUTS, OUTPUTS, INPUTS], of their scales
    [count / INPUTS, OUTPUTS] and of the factors [OUTPUTS] that they are to have instead, the count,
    and the address of the wide weights among [count / HALF, MANY, HALF].
    """

    @intrinsic
    def widen(_: Any, weights: Any, scales: Any, factors: Any, count: Any, target: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, scales, factors, count, target = arguments
            # A weight is moved up by 8 bits and what it is multiplied with by 7, of the 15 that
            # the product is then divided by.
            bits = ir.Constant(SHORTS, [8] * HALF)
            most = ir.Constant(FOUR, [float(1 << 7)] * OUTPUTS)
            inverse = builder.fdiv(most, load(builder, factors, FOUR))

            def body(index: Any, _: list[Any]) -> list[Any]:
                block = builder.add(weights, builder.mul(index, LONG(OUTPUTS)))
                group = builder.mul(builder.udiv(index, LONG(INPUTS)), LONG(4 * OUTPUTS))
                times = builder.fmul(load(builder, builder.add(scales, group), FOUR), inverse)
                whole = library(builder, f"llvm.rint.v{OUTPUTS}f32", FOUR, times)
                whole = builder.fptosi(whole, ir.VectorType(WORD, OUTPUTS))
                for output in range(OUTPUTS):
                    one = builder.trunc(builder.extract_element(whole, WORD(output)), SHORT)
                    for half in (0, HALF):
                        address = builder.add(block, LONG(output * INPUTS + half))
                        narrow = load(builder, address, ir.VectorType(BYTE, HALF))
                        moved = builder.shl(builder.sext(narrow, SHORTS), bits)
                        wide = shares_of(builder, moved, everywhere(builder, one, HALF), x86)
                        place = builder.mul(builder.add(index, LONG(half)), LONG(MANY))
                        place = builder.add(place, LONG(output * HALF))
                        store(builder, wide, builder.add(target, builder.mul(place, LONG(2))))
                return []

            count_up(builder, count, INPUTS, [], body)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        return types.void(address, address, address, size, address), generate

    return widen


def row_of(x86: bool) -> Any:
    """The intrinsic that multiplies `MANY` outputs' wide weights by one row of inputs.

    Its arguments are the addresses of weights [count / HALF, MANY, HALF] and of inputs [count],
    16 bits each, the count, at most `PANEL`, the address of the factors of the outputs, the step
    of the inputs, and the address of floats [MANY], to which the products are added.
    """

    @intrinsic
    def row(
        _: Any, weights: Any, inputs: Any, count: Any, factors: Any, step: Any, target: Any
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, inputs, count, factors, step, target = arguments
            kind = ir.VectorType(FLOAT, FLOATS)

            def body(index: Any, sums: list[Any]) -> list[Any]:
                later = list(sums)
                for half in (0, HALF):
                    place = builder.add(index, LONG(half))
                    some = load(builder, builder.add(inputs, builder.mul(place, LONG(2))), SHORTS)
                    first = builder.add(weights, builder.mul(place, LONG(2 * MANY)))
                    for output in range(MANY):
                        wide = load(builder, builder.add(first, LONG(2 * HALF * output)), SHORTS)
                        product = pairs_multiplied(builder, wide, some, x86)
                        later[output] = builder.add(later[output], product)
                return later

            nothing = ir.Constant(WORDS, [0] * FLOATS)
            totals = count_up(builder, count, INPUTS, [nothing] * MANY, body)
            steps = everywhere(builder, step, OUTPUTS)
            for first in range(0, MANY, OUTPUTS):
                some = [builder.sitofp(total, kind) for total in totals[first : first + OUTPUTS]]
                scale = load(builder, builder.add(factors, LONG(4 * first)), FOUR)
                sums = builder.fmul(added_up(builder, some), builder.fmul(scale, steps))
                place = builder.add(target, LONG(4 * first))
                store(builder, builder.fadd(load(builder, place, FOUR), sums), place)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        return types.void(address, address, size, address, types.float32, address), generate

    return row
