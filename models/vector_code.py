"""Vector instructions for `models.kernels`, as the compiler's own intermediate language.

What numba makes of a loop depends on what it can prove of it. These few loops are written in the
language below it, so that they are what they should be: many products at once, and sums that stay
in registers. Products of whole numbers are in `models.vector_products`.

Numba keeps what it compiled of `models.kernels` and `models.products`, and does not look in here
when it decides whether that is current: a test asks for a new `VECTOR_CODE` there when one of these
two files or `models.compiler` changes.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from llvmlite import ir

from models.compiler import cgutils, intrinsic, types

PARTS = 8  # in which a sum comes out before these are added up

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


def dots_of(queries: int, keys: int, at_once: int) -> Any:
    """The intrinsic for the products of some vectors with others, so many floats `at_once`; either
    stand in a row.

    Its arguments are the addresses of floats [queries, size] and [keys, size], and of the products
    [queries, keys], the size, a multiple of `at_once`, and how many floats are from one query's
    products to the next one's.
    """

    @intrinsic
    def dots(_: Any, some: Any, others: Any, target: Any, size: Any, stride: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            some, others, target, size, stride = arguments
            kind = ir.VectorType(FLOAT, at_once)

            def body(index: Any, sums: list[Any]) -> list[Any]:
                left, right = (
                    [
                        load(builder, place_of(builder, at, size, n, index), kind)
                        for n in range(count)
                    ]
                    for at, count in ((some, queries), (others, keys))
                )
                pairs = zip(product(left, right), sums, strict=True)
                return [fused(builder, *pair, total) for pair, total in pairs]

            nothing = ir.Constant(kind, [0.0] * at_once)
            totals = count_up(builder, size, at_once, [nothing] * (queries * keys), body)
            for query in range(queries):
                row = added_up(builder, totals[query * keys : (query + 1) * keys])
                store(builder, row, place_of(builder, target, stride, query, LONG(0)))
            return context.get_dummy_value()

        address, number = types.uintp, types.intp
        return types.void(address, address, address, number, number), generate

    return dots


def place_of(builder: Any, start: Any, width: Any, row: int, column: Any) -> Any:
    """The address of a float in rows of `width` floats."""
    place = builder.add(builder.mul(width, LONG(row)), column)
    return builder.add(start, builder.mul(place, LONG(4)))


def added_up(builder: Any, totals: list[Any]) -> Any:
    """The sums of the floats of four vectors, or of one; each in the same order either way.

    The halves of wide ones first, then neighbours in the halves that are left, where they cost
    least.
    """
    totals = [folded(builder, total, builder.fadd) for total in totals]
    first, second, third, fourth = totals * (4 // len(totals))
    pairs = neighbours(builder, first, second), neighbours(builder, third, fourth)
    fours = neighbours(builder, *pairs)
    low, high = (picked(builder, (fours, fours), range(i, i + 4)) for i in (0, 4))
    sums = builder.fadd(low, high)
    return sums if len(totals) > 1 else builder.extract_element(sums, WORD(0))


def folded(builder: Any, total: Any, add: Callable[..., Any]) -> Any:
    """A vector's halves added until there are no more than `PARTS`."""
    while total.type.count > PARTS:
        half = total.type.count // 2
        total = add(*(picked(builder, (total, total), range(i, i + half)) for i in (0, half)))
    return total


def neighbours(builder: Any, left: Any, right: Any) -> Any:
    """The sums of neighbouring floats of two vectors, those of both in each half."""
    even = (0, 2, 8, 10, 4, 6, 12, 14)
    return builder.fadd(
        picked(builder, (left, right), even),
        picked(builder, (left, right), [place + 1 for place in even]),
    )


def picked(builder: Any, pair: tuple[Any, Any], places: Sequence[int]) -> Any:
    """What stands at these places of two vectors."""
    constant = ir.Constant(ir.VectorType(WORD, len(places)), list(places))
    return builder.shuffle_vector(*pair, constant)


def fused(builder: Any, left: Any, right: Any, total: Any) -> Any:
    """left * right + total, in one step where the processor can."""
    kind = total.type
    return library(builder, f"llvm.fmuladd.v{kind.count}f32", kind, left, right, total)


def adding_of(queries: int, values: int, at_once: int) -> Any:
    """The intrinsic that adds some vectors, each times its factor, to one sum a query, so many
    floats `at_once`.

    Its arguments are the addresses of the sums [queries, size], of the vectors [values, size] and
    of the factors [queries, values], the size, and how many floats are from one query's factors
    to the next one's. Vectors are added one after the other.
    """

    @intrinsic
    def add(_: Any, sums: Any, vectors: Any, factors: Any, size: Any, stride: Any) -> Any:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            sums, vectors, factors, size, stride = arguments
            kind = ir.VectorType(FLOAT, at_once)

            def share(query: int, value: int) -> Any:
                place = place_of(builder, factors, stride, query, LONG(value))
                return everywhere(builder, load(builder, place, FLOAT), at_once)

            shares = [[share(query, value) for value in range(values)] for query in range(queries)]

            def body(index: Any, _: list[Any]) -> list[Any]:
                places = (place_of(builder, vectors, size, n, index) for n in range(values))
                some = [load(builder, place, kind) for place in places]
                for query in range(queries):
                    target = place_of(builder, sums, size, query, index)
                    total = load(builder, target, kind)
                    for factor, vector in zip(shares[query], some, strict=True):
                        total = fused(builder, factor, vector, total)
                    store(builder, total, target)
                return []

            count_up(builder, size, at_once, [], body)
            return context.get_dummy_value()

        address, number = types.uintp, types.intp
        return types.void(address, address, address, number, number), generate

    return add
