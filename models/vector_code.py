"""Vector instructions for compiled functions, as the compiler's own intermediate language.

What numba makes of a loop depends on what it can prove of it. These few loops are written in the
language below it, so that they are what they should be: many products at once, and sums that stay
in registers. Products of whole numbers are in `models.vector_products`.

Numba keeps what it compiled of a file, and looks at that file alone when it decides whether that is
current: a test asks for a new `BUILT_ON` there when a file changes whose code was compiled into it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from models.compiler import cgutils, intrinsic, types

BYTE, SHORT, WORD, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT = ir.FloatType()


def load(builder: Any, address: Any, kind: Any) -> Any:
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


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


def everywhere(builder: Any, value: Any, count: int) -> Any:
    """A vector of one value."""
    nothing = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    places = ir.Constant(ir.VectorType(WORD, count), [0] * count)
    return builder.shuffle_vector(builder.insert_element(nothing, value, WORD(0)), nothing, places)


def place_of(builder: Any, start: Any, width: Any, row: int, column: Any) -> Any:
    """The address of a float in rows of `width` floats."""
    place = builder.add(builder.mul(width, LONG(row)), column)
    return builder.add(start, builder.mul(place, LONG(4)))


def picked(builder: Any, pair: tuple[Any, Any], places: Sequence[int]) -> Any:
    """What stands at these places of two vectors."""
    constant = ir.Constant(ir.VectorType(WORD, len(places)), list(places))
    return builder.shuffle_vector(*pair, constant)


def fused(builder: Any, left: Any, right: Any, total: Any) -> Any:
    """left * right + total, in one step where the processor can."""
    kind = total.type
    return library(builder, f"llvm.fmuladd.v{kind.count}f32", kind, left, right, total)


def combining_of(rows: int, vectors: int, at_once: int) -> Any:
    """The intrinsic that adds up vectors times factors, of some rows of factors at a time.

    To each of the `rows` of sums [rows, vectors * at_once] it adds others [count, the same], each
    times its factor [rows, count], one after the other. Its arguments are the addresses of the
    factors, the others and the sums, how many floats are from each of their rows to the next, and
    the count, more than 0.
    """

    @intrinsic
    def combine(
        _: Any, factors: Any, others: Any, sums: Any, step: Any, width: Any, stride: Any, count: Any
    ) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            factors, others, sums, step, width, stride, count = arguments
            kind = ir.VectorType(FLOAT, at_once)
            places = [
                place_of(builder, sums, stride, row, LONG(at_once * part))
                for row in range(rows)
                for part in range(vectors)
            ]

            def body(index: Any, totals: list[Any]) -> list[Any]:
                start = builder.mul(width, index)
                some = [
                    load(builder, place_of(builder, others, width, 0, at), kind)
                    for part in range(vectors)
                    for at in [builder.add(start, LONG(at_once * part))]
                ]
                later = []
                for row in range(rows):
                    factor = load(builder, place_of(builder, factors, step, row, index), FLOAT)
                    spread = everywhere(builder, factor, at_once)
                    mine = totals[row * vectors : (row + 1) * vectors]
                    later += [
                        fused(builder, spread, *pair) for pair in zip(some, mine, strict=True)
                    ]
                return later

            before = [load(builder, place, kind) for place in places]
            for total, place in zip(count_up(builder, count, 1, before, body), places, strict=True):
                store(builder, total, place)
            return context.get_dummy_value()

        address, number = types.uintp, types.intp
        kinds = (address, address, address, number, number, number, number)
        return types.void(*kinds), generate

    return combine


def standing_of(at_once: int) -> Any:
    """The intrinsic that makes rows columns, of `at_once` floats in as many rows.

    Its arguments are the addresses of the rows and of the columns, and how many floats are from
    each of their rows to the next.
    """

    @intrinsic
    def stand(_: Any, source: Any, target: Any, width: Any, stride: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            source, target, width, stride = arguments
            kind = ir.VectorType(FLOAT, at_once)
            rows = [
                load(builder, place_of(builder, source, width, row, LONG(0)), kind)
                for row in range(at_once)
            ]
            step = 1
            while step < at_once:  # swap what is off the diagonal in squares of 2 * step
                for row in range(at_once):
                    if not row & step:
                        pair = rows[row], rows[row + step]
                        rows[row] = picked(builder, pair, swapped(at_once, step, 0))
                        rows[row + step] = picked(builder, pair, swapped(at_once, step, step))
                step *= 2
            for number, row in enumerate(rows):
                store(builder, row, place_of(builder, target, stride, number, LONG(0)))
            return context.get_dummy_value()

        address, number = types.uintp, types.intp
        return types.void(address, address, number, number), generate

    return stand


def swapped(at_once: int, step: int, first: int) -> list[int]:
    """Which floats of two rows, `step` apart, make the first of them or the second."""
    return [(place & ~step) + first + (at_once if place & step else 0) for place in range(at_once)]
