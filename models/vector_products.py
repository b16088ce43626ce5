"""Products of whole numbers, in the language of `models.vector_code`.

Weights come out of memory in 8 bits, with a share for each `INPUTS` of an output by which they
become whole numbers of 16 bits that have one scale for each `PANEL` of inputs. They are made so
once for all rows of inputs, near the processor, and each row is then multiplied with all `OUTPUTS`
that stand together. Until a panel is through nothing but whole numbers is added, which comes to the
same in any order: on every processor, and whatever rows are multiplied beside one.
"""

from typing import Any

from llvmlite import ir

from models.compiler import intrinsic, types
from models.vector_code import (
    BYTE,
    FLOAT,
    LONG,
    PARTS,
    SHORT,
    WORD,
    added_up,
    count_up,
    everywhere,
    folded,
    library,
    load,
    place_of,
    store,
)

INPUTS = 32  # that share what they are multiplied with
LINE = 64  # bytes that memory gives at once
OUTPUTS = 8  # of a product, whose weights stand together, two by two
PANEL = 1024  # inputs, of which a sum of whole numbers is made
LARGEST = 4095  # of inputs and wide weights: an eighth of a panel's products fit 32 bits
WIDEST = 255  # times a weight of 8 bits in 16 bits
BITS, SHARE_BITS = 8, 7  # by which a weight and its share are moved up, 15 in all
FOUR = ir.VectorType(FLOAT, 4)
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

    Its arguments are the addresses of weights [count / INPUTS, OUTPUTS / 2, INPUTS], two in 16
    bits, and of their shares [count / INPUTS, OUTPUTS], the count, the address of the wide weights
    [count / at_once, OUTPUTS, at_once], the address of what will be wanted next, and how many bytes
    of that to fetch for each input: memory is read while the processor works.
    """
    some = ir.VectorType(SHORT, at_once)

    @intrinsic
    def widen(
        _: Any, weights: Any, shares: Any, count: Any, target: Any, following: Any, pace: Any
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, shares, count, target, following, pace = arguments

            def body(index: Any, _: list[Any]) -> list[Any]:
                block = builder.add(weights, builder.mul(index, LONG(OUTPUTS)))
                later = builder.add(following, builder.mul(index, pace))
                for line in range(0, OUTPUTS * INPUTS, LINE):  # the same ones again at a slow pace
                    fetch(builder, builder.add(later, LONG(line)))
                group = builder.mul(builder.udiv(index, LONG(INPUTS)), LONG(2 * OUTPUTS))
                share = builder.add(shares, group)
                for part in range(0, INPUTS, at_once):
                    place = builder.mul(builder.add(index, LONG(part)), LONG(2 * OUTPUTS))
                    wide = builder.add(target, place)
                    for output in range(0, OUTPUTS, 2):
                        narrow = builder.add(block, LONG(output * INPUTS + 2 * part))
                        both = two_outputs(builder, load(builder, narrow, some))
                        for at, one in enumerate(both, output):
                            factor = load(builder, builder.add(share, LONG(2 * at)), SHORT)
                            factors = everywhere(builder, factor, at_once)
                            scaled = times_shares(builder, one, factors, x86)
                            store(builder, scaled, builder.add(wide, LONG(2 * at * at_once)))
                return []

            count_up(builder, count, INPUTS, [], body)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        return types.void(address, address, size, address, address, size), generate

    return widen


def two_outputs(builder: Any, both: Any) -> tuple[Any, Any]:
    """The weights of two outputs, the lower and upper halves of 16 bits, each times 2^8."""
    low, high = (
        ir.Constant(both.type, [number] * both.type.count) for number in (BITS, -(1 << BITS))
    )
    return builder.shl(both, low), builder.and_(both, high)


def rows_of(rows: int, at_once: int, x86: bool) -> Any:
    """The intrinsic that multiplies the wide weights of `OUTPUTS` by so many rows of inputs.

    Its arguments are the addresses of weights [count / at_once, OUTPUTS, at_once] and of inputs
    [rows, width] in 16 bits, the width, the count of inputs, at most `PANEL`, the address of the
    factors [OUTPUTS], that of the steps of the inputs [rows, panels] and how many these are, that
    of floats [rows, stride], to which the products are added, with the stride, and the address of
    what will be wanted next, of which it fetches a `LINE` for each `at_once` inputs.
    """
    some, words = ir.VectorType(SHORT, at_once), ir.VectorType(WORD, at_once // 2)

    @intrinsic
    def multiply(
        _: Any,
        weights: Any,
        inputs: Any,
        width: Any,
        count: Any,
        factors: Any,
        steps: Any,
        panels: Any,
        target: Any,
        stride: Any,
        following: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            weights, inputs, width, count, factors, steps, panels, target, stride, following = (
                arguments
            )

            def body(index: Any, sums: list[Any]) -> list[Any]:
                lines = builder.mul(builder.udiv(index, LONG(at_once)), LONG(LINE))
                fetch(builder, builder.add(following, lines))
                read = []
                for row in range(rows):
                    place = builder.add(builder.mul(width, LONG(row)), index)
                    start = builder.add(inputs, builder.mul(place, LONG(2)))
                    read.append(load(builder, start, some))
                first = builder.add(weights, builder.mul(index, LONG(2 * OUTPUTS)))
                later = list(sums)
                for output in range(OUTPUTS):
                    wide = load(builder, builder.add(first, LONG(2 * at_once * output)), some)
                    for row in range(rows):
                        number = row * OUTPUTS + output
                        product = pairs_multiplied(builder, wide, read[row], x86)
                        later[number] = builder.add(later[number], product)
                return later

            nothing = ir.Constant(words, [0] * words.count)
            totals = count_up(builder, count, at_once, [nothing] * (rows * OUTPUTS), body)
            for row in range(rows):
                step = load(builder, place_of(builder, steps, panels, row, LONG(0)), FLOAT)
                mine = totals[row * OUTPUTS : (row + 1) * OUTPUTS]
                for first in range(0, OUTPUTS, FOUR.count):
                    four = [as_floats(builder, t) for t in mine[first : first + FOUR.count]]
                    scale = load(builder, builder.add(factors, LONG(4 * first)), FOUR)
                    scale = builder.fmul(scale, everywhere(builder, step, FOUR.count))
                    sums = builder.fmul(added_up(builder, four), scale)
                    place = place_of(builder, target, stride, row, LONG(first))
                    store(builder, builder.fadd(load(builder, place, FOUR), sums), place)
            return context.get_dummy_value()

        address, size = types.uintp, types.intp
        kinds = (address, address, size, size, address, address, size, address, size, address)
        return types.void(*kinds), generate

    return multiply


def as_floats(builder: Any, total: Any) -> Any:
    """A sum in parts as floats, in as many parts on every processor."""
    whole = folded(builder, total, builder.add)
    return builder.sitofp(whole, ir.VectorType(FLOAT, PARTS))
