"""Products of whole numbers, in the language of `models.vector_code`.

Weights come out of memory in 8 bits, with a share for each `INPUTS` of an output by which they
become whole numbers of 16 bits that have one scale for each `PANEL` of inputs. They are made so
once for all rows of inputs, near the processor. Each row is then multiplied with all `OUTPUTS` that
stand together, two inputs at a time: each sum is that of one output, so that none are left to be
added up across a vector. A `CHUNK` of inputs fits 32 bits, and until it is through nothing but
whole numbers is added, which comes to the same in any order: on every processor, and whatever rows
are multiplied beside one.
"""

from typing import Any

from llvmlite import ir

from models.compiler import intrinsic, types
from models.vector_code import (
    BYTE,
    FLOAT,
    LONG,
    SHORT,
    WORD,
    count_up,
    everywhere,
    library,
    load,
    picked,
    place_of,
    store,
)

INPUTS = 32  # that share what they are multiplied with
LINE = 64  # bytes that memory gives at once
OUTPUTS = 32  # of a product, whose weights stand together, one in 8 bits of a number of 16
NUMBERS = OUTPUTS  # of 16 bits in a line: what two inputs are multiplied with
LINES = 1 + INPUTS // 2  # of the weights of `INPUTS`: their shares, then two inputs each
WIDE_LINE = 2 * LINE  # bytes that these two become
CHUNK = 128  # inputs, whose products fit 32 bits
PANEL = 1024  # inputs that have a scale of their own
LARGEST = 4095  # of inputs and wide weights
WIDEST = 255  # times a weight of 8 bits in 16 bits
BITS, SHARE_BITS = 8, 7  # by which a weight and its share are moved up, 15 in all
VECTORS = 2  # of wide weights that are multiplied together
IN_FLIGHT = 8  # sums that keep a processor busy
# By how many numbers of 16 bits a processor multiplies at once.
SHARE = {16: "llvm.x86.avx2.pmul.hr.sw", 32: "llvm.x86.avx512.pmul.hr.sw.512"}
PAIRS = {16: "llvm.x86.avx2.pmadd.wd", 32: "llvm.x86.avx512.pmaddw.d.512"}


def fetch(builder: Any, address: Any) -> None:
    """Bring the `LINE` at an address near, which will be read soon."""
    near = [WORD(number) for number in (0, 3, 1)]  # to read, into every cache, data
    place = builder.inttoptr(address, BYTE.as_pointer())
    library(builder, "llvm.prefetch.p0", ir.VoidType(), place, *near)


def pairs_multiplied(builder: Any, left: Any, right: Any, x86: bool) -> Any:
    """The sums of neighbouring products of 16-bit numbers, in 32 bits: half as many."""
    count = left.type.count
    words = ir.VectorType(WORD, count // 2)
    if x86:
        return library(builder, PAIRS[count], words, left, right)

    def product(first: int) -> Any:
        places = ir.Constant(words, list(range(first, count, 2)))
        nothing = ir.Constant(left.type, ir.Undefined)
        halves = (builder.shuffle_vector(side, nothing, places) for side in (left, right))
        return builder.mul(*(builder.sext(half, words) for half in halves))

    return builder.add(product(0), product(1))


def times_shares(builder: Any, weights: Any, shares: Any, x86: bool) -> Any:
    """Whole numbers of 16 bits times others, divided by 2^15 and rounded."""
    kind, count = weights.type, weights.type.count
    if x86:
        return library(builder, SHARE[count], kind, weights, shares)
    wide = ir.VectorType(WORD, count)
    product = builder.mul(*(builder.sext(side, wide) for side in (weights, shares)))
    rounded = builder.add(product, ir.Constant(wide, [1 << 14] * count))
    return builder.trunc(builder.ashr(rounded, ir.Constant(wide, [15] * count)), kind)


def widening_of(at_once: int, x86: bool) -> Any:
    """The intrinsic that makes weights of 8 bits whole numbers of 16 bits, so many `at_once`.

    Its arguments are the address of weights [count / INPUTS, LINES, NUMBERS], the first line of
    each their shares, the count of inputs, and the address of the wide weights [count / 2, OUTPUTS,
    2]. As many weights that follow are fetched: memory is read while the processor works.
    """
    some = ir.VectorType(SHORT, at_once)
    outputs = at_once // 2
    halves = [2 * place for place in range(0, OUTPUTS // 2, outputs)]  # bytes into one of shares

    @intrinsic
    def widen(_: Any, weights: Any, count: Any, target: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, count, target = arguments
            ahead = bytes_of(builder, count)

            def shares(line: Any, at: int) -> Any:
                """Those of some outputs, each twice."""
                kind = ir.VectorType(SHORT, outputs)
                each = load(builder, builder.add(line, LONG(at)), kind)
                return picked(builder, (each, each), [place // 2 for place in range(at_once)])

            def body(index: Any, _: list[Any]) -> list[Any]:
                line = builder.add(weights, bytes_of(builder, index))
                following = builder.add(line, ahead)
                low = [shares(line, at) for at in halves]
                high = [shares(line, at + OUTPUTS) for at in halves]
                fetch(builder, following)
                wide = builder.add(target, builder.mul(index, LONG(WIDE_LINE // 2)))
                for pair in range(INPUTS // 2):
                    fetch(builder, builder.add(following, LONG(LINE * (1 + pair))))
                    for at, factors in zip(halves, zip(low, high, strict=True), strict=True):
                        narrow = LONG(LINE * (1 + pair) + 2 * at)
                        both = load(builder, builder.add(line, narrow), some)
                        for half, one in enumerate(two_outputs(builder, both)):
                            place = LONG(WIDE_LINE * pair + LINE * half + 2 * at)
                            scaled = times_shares(builder, one, factors[half], x86)
                            store(builder, scaled, builder.add(wide, place))
                return []

            count_up(builder, count, INPUTS, [], body)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        return types.void(address, size, address), generate

    return widen


def bytes_of(builder: Any, count: Any) -> Any:
    """How many bytes the weights of so many inputs take."""
    return builder.mul(builder.udiv(count, LONG(INPUTS)), LONG(LINES * LINE))


def two_outputs(builder: Any, both: Any) -> tuple[Any, Any]:
    """The weights of two outputs, the lower and upper halves of 16 bits, each times 2^8."""
    low, high = (
        ir.Constant(both.type, [number] * both.type.count) for number in (BITS, -(1 << BITS))
    )
    return builder.shl(both, low), builder.and_(both, high)


def rows_of(rows: int, at_once: int, x86: bool) -> Any:
    """The intrinsic that multiplies some wide weights by so many rows of inputs.

    Its arguments are the addresses of weights [count / 2, OUTPUTS, 2], of which the first
    `VECTORS * at_once` of each line count, and of inputs [rows, CHUNK] in 16 bits, the count of
    inputs, the address of the factors of these outputs, that of the steps of the inputs [rows,
    panels] and how many these are, and that of sums [rows, OUTPUTS], to which the products are
    added.
    """
    some, words = ir.VectorType(SHORT, at_once), ir.VectorType(WORD, at_once // 2)
    together = max(1, IN_FLIGHT // (rows * VECTORS))  # steps

    @intrinsic
    def multiply(
        _: Any,
        weights: Any,
        inputs: Any,
        count: Any,
        factors: Any,
        steps: Any,
        panels: Any,
        sums: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, inputs, count, factors, steps, panels, sums = arguments

            def body(index: Any, totals: list[Any]) -> list[Any]:
                later = list(totals)
                line = builder.add(weights, builder.mul(index, LONG(WIDE_LINE // 2)))
                read = builder.add(inputs, builder.mul(index, LONG(2)))
                for step in range(together):
                    places = (LONG(WIDE_LINE * step + 2 * at_once * n) for n in range(VECTORS))
                    wide = [load(builder, builder.add(line, place), some) for place in places]
                    for row in range(rows):
                        two = builder.add(read, LONG(2 * CHUNK * row + 4 * step))
                        spread = everywhere(builder, load(builder, two, WORD), at_once // 2)
                        spread = builder.bitcast(spread, some)
                        for vector in range(VECTORS):
                            at = (step * rows + row) * VECTORS + vector
                            product = pairs_multiplied(builder, wide[vector], spread, x86)
                            later[at] = builder.add(later[at], product)
                return later

            nothing = [ir.Constant(words, [0] * words.count)] * (together * rows * VECTORS)
            totals = count_up(builder, count, 2 * together, nothing, body)
            kind = ir.VectorType(FLOAT, words.count)
            for row in range(rows):
                own = load(builder, place_of(builder, steps, panels, row, LONG(0)), FLOAT)
                spread = everywhere(builder, own, words.count)
                for vector in range(VECTORS):
                    total, *others = totals[row * VECTORS + vector :: rows * VECTORS]
                    for other in others:
                        total = builder.add(total, other)
                    column = LONG(words.count * vector)
                    factor = load(builder, place_of(builder, factors, column, 0, column), kind)
                    scaled = builder.fmul(builder.sitofp(total, kind), builder.fmul(factor, spread))
                    place = place_of(builder, sums, LONG(OUTPUTS), row, column)
                    store(builder, builder.fadd(load(builder, place, kind), scaled), place)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        kinds = (address, address, size, address, address, size, address)
        return types.void(*kinds), generate

    return multiply
