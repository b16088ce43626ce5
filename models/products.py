"""Products of rows of inputs with weights in 8 bits, compiled as `models.kernels` are."""

from typing import Any

import numpy as np

from models.compiler import FLOATS, X86, compiled, in_parallel, njit, prange
from models.kernels import MANY
from models.vector_products import (
    CHUNK,
    INPUTS,
    LARGEST,
    LINE,
    LINES,
    OUTPUTS,
    PANEL,
    VECTORS,
    rows_of,
    widening_of,
)

BUILT_ON = "0264a4fd951e7b7f"  # see `models.vector_code`
AT_ONCE = 2 * FLOATS  # numbers of 16 bits
COLUMNS = 2 * OUTPUTS // (VECTORS * AT_ONCE)  # parts of a block that are multiplied one by one
OUTPUTS_AT_ONCE = OUTPUTS // COLUMNS
MOST = FLOATS // 2  # rows that there are registers for

widen = widening_of(AT_ONCE, X86)


def rows_times_chunk(rows: int) -> Any:
    """So many rows, from `row` on, times one chunk of wide weights."""
    add_products = rows_of(rows, AT_ONCE, X86)

    @njit(nogil=True, error_model="numpy")
    def times(wide, factors, inputs, row, size, steps, panel, sums):
        panels = steps.shape[1]
        whole = np.intp(inputs.ctypes.data) + 2 * CHUNK * row
        step = np.intp(steps.ctypes.data) + 4 * (row * panels + panel)
        total = np.intp(sums.ctypes.data) + 4 * OUTPUTS * row
        scale = np.intp(factors.ctypes.data)
        for column in range(COLUMNS):
            first = 4 * OUTPUTS_AT_ONCE * column
            add_products(wide + first, whole, size, scale + first, step, panels, total + first)

    return times


most, two, one = (rows_times_chunk(rows) for rows in (MOST, 2, 1))
four = most if MOST == 4 else rows_times_chunk(4)


@compiled
def largest_magnitude(row):
    """The largest float of a row without its sign, found as `kernels.largest_of` does."""
    bits = row.view(np.int32)
    largest = np.int32(0)
    for i in range(len(bits)):
        largest = max(largest, bits[i] & np.int32(0x7FFFFFFF))
    return np.int32(largest).view(np.float32)


@compiled
def to_whole(row, times, whole):
    """A row so many `times` as whole numbers up to `LARGEST`."""
    for i in range(len(row)):
        whole[i] = np.int16(np.rint(row[i] * times))


@compiled
def panels_to_whole(row, number, inputs, steps):
    """The row of that number as whole numbers, into `inputs` [chunks, n, CHUNK], each of its
    panels with a step of its own."""
    for panel in range(len(steps)):
        start, end = panel * PANEL, min((panel + 1) * PANEL, len(row))
        largest = largest_magnitude(row[start:end])
        steps[panel] = max(largest, np.float32(1e-30)) / np.float32(LARGEST)
        for first in range(start, end, CHUNK):
            some = row[first : min(first + CHUNK, end)]
            to_whole(some, np.float32(1.0) / steps[panel], inputs[first // CHUNK, number])


@compiled
def times_chunk(wide, factors, inputs, size, steps, panel, sums):
    """Add to `sums` [n, OUTPUTS] the products of all rows with one chunk of wide weights."""
    row, rows = 0, len(sums)
    while row + MOST <= rows:
        most(wide, factors, inputs, row, size, steps, panel, sums)
        row += MOST
    if row + 4 <= rows:
        four(wide, factors, inputs, row, size, steps, panel, sums)
        row += 4
    if row + 2 <= rows:
        two(wide, factors, inputs, row, size, steps, panel, sums)
        row += 2
    if row < rows:
        one(wide, factors, inputs, row, size, steps, panel, sums)


@in_parallel
def multiply(packed, factors, bias, rows, parts, product):
    """Products [n, outputs] of `rows` [n, at most width] and weights, shared out in `parts`.

    `packed` is [blocks, groups, LINES, NUMBERS], `factors` [blocks, panels, OUTPUTS] are those of
    the widened weights. What comes of a row is the same bit for bit whatever rows stand beside it.
    """
    count, groups = len(rows), packed.shape[1]
    blocks, panels, width = len(factors), factors.shape[1], INPUTS * groups
    # Where a row ends before its last chunk does, weights are zero or none are multiplied.
    inputs = np.empty((-(-width // CHUNK), count, CHUNK), np.int16)
    steps = np.empty((count, panels), np.float32)
    rooms = np.empty((parts, CHUNK * OUTPUTS + LINE), np.int16)
    if count < MANY:
        for row in range(count):
            panels_to_whole(rows[row], row, inputs, steps[row])
    else:
        for row in prange(count):
            panels_to_whole(rows[row], row, inputs, steps[row])
    for part in prange(parts):
        wide = np.intp(rooms[part].ctypes.data) // LINE * LINE + LINE
        sums = np.empty((count, OUTPUTS), np.float32)
        for block in range(blocks * part // parts, blocks * (part + 1) // parts):
            first = block * OUTPUTS
            sums[:] = bias[first : first + OUTPUTS]
            for chunk in range(len(inputs)):
                start = chunk * CHUNK
                size = min(CHUNK, width - start)
                group = block * groups + start // INPUTS
                weights = np.intp(packed.ctypes.data) + LINES * LINE * group
                widen(weights, size, wide)
                panel = start // PANEL
                factor = factors[block, panel]
                times_chunk(wide, factor, inputs[chunk], size, steps, panel, sums)
            product[:, first : first + OUTPUTS] = sums
