"""Products of rows of inputs with weights in 8 bits, compiled as `models.kernels` are."""

from typing import Any

import numpy as np

from models.compiler import FLOATS, X86, in_any_order, in_parallel, njit, prange
from models.vector_products import INPUTS, LARGEST, LINE, OUTPUTS, PANEL, rows_of, widening_of

VECTOR_CODE = "be2e29749083f17d"  # see `models.vector_code`
AT_ONCE = 2 * FLOATS  # numbers of 16 bits
ROWS = AT_ONCE // 16  # multiplied together: as many as there are registers for
CALLS = OUTPUTS * AT_ONCE // LINE  # that together can fetch the weights of a panel
MANY = 8  # rows that are worth sharing out among threads

widen = widening_of(AT_ONCE, X86)


def rows_times_panel(add_products: Any) -> Any:
    """As many rows as `add_products` takes, from `row` on, times one panel of wide weights."""

    @njit(nogil=True, error_model="numpy")
    def times(wide, factors, inputs, row, start, size, steps, panel, product, first, following):
        width, panels, stride = inputs.shape[1], steps.shape[1], product.shape[1]
        add_products(
            wide.ctypes.data,
            inputs.ctypes.data + 2 * (row * width + start),
            width,
            size,
            factors.ctypes.data,
            steps.ctypes.data + 4 * (row * panels + panel),
            panels,
            product.ctypes.data + 4 * (row * stride + first),
            stride,
            following,
        )

    return times


some_rows = rows_times_panel(rows_of(ROWS, AT_ONCE, X86))
one_row = some_rows if ROWS == 1 else rows_times_panel(rows_of(1, AT_ONCE, X86))


@in_any_order
def to_whole(row, whole):
    """A row as whole numbers up to `LARGEST`; the step between two of them."""
    largest = np.float32(0.0)
    for i in range(len(row)):
        largest = max(largest, abs(row[i]))
    step = max(largest, np.float32(1e-30)) / np.float32(LARGEST)
    steps = np.float32(1.0) / step
    for i in range(len(row)):
        whole[i] = np.int16(np.rint(row[i] * steps))
    return step


@in_any_order
def panels_to_whole(row, whole, steps):
    """A row as whole numbers, each of its panels with a step of its own."""
    for panel in range(len(steps)):
        some = slice(panel * PANEL, min((panel + 1) * PANEL, len(row)))
        steps[panel] = to_whole(row[some], whole[some])


@in_parallel
def multiply(packed, shares, factors, bias, rows, parts, product):
    """Products [n, outputs] of `rows` [n, at most width] and weights, shared out in `parts`.

    `factors` [blocks, panels, OUTPUTS] are those of the widened weights. What comes of a row is the
    same bit for bit whatever rows stand beside it.
    """
    count, groups = len(rows), packed.shape[1]
    blocks, panels, width = len(factors), factors.shape[1], INPUTS * groups
    pace = OUTPUTS - min(count // ROWS, CALLS) * LINE // AT_ONCE
    inputs = np.zeros((count, width), np.int16)
    steps = np.empty((count, panels), np.float32)
    if count < MANY:
        for row in range(count):
            panels_to_whole(rows[row], inputs[row], steps[row])
    else:
        for row in prange(count):
            panels_to_whole(rows[row], inputs[row], steps[row])
    for part in prange(parts):
        room = np.empty(2 * PANEL * OUTPUTS + LINE, np.int8)
        wide = room[LINE - room.ctypes.data % LINE :]
        near = np.intp(wide.ctypes.data)  # signed, as are all sums of addresses
        for block in range(blocks * part // parts, blocks * (part + 1) // parts):
            first = block * OUTPUTS
            product[:, first : first + OUTPUTS] = bias[first : first + OUTPUTS]
            for panel in range(panels):
                start = panel * PANEL
                size = min(PANEL, width - start)
                group = block * groups + start // INPUTS
                weights = packed.ctypes.data + INPUTS * OUTPUTS * group
                # The next block is fetched while this one is worked on, by whatever takes longest.
                coming = weights + OUTPUTS * width
                share = shares.ctypes.data + 2 * OUTPUTS * group
                widen(weights, share, size, near, coming, pace)
                scales = factors[block, panel]
                for row in range(0, count - ROWS + 1, ROWS):
                    call = row // ROWS
                    mine = coming + size * (pace + call * LINE // AT_ONCE)
                    following = mine if call < CALLS else near
                    some_rows(
                        *(wide, scales, inputs, row, start, size),
                        *(steps, panel, product, first, following),
                    )
                if count % ROWS:
                    row = count - 1
                    one_row(
                        *(wide, scales, inputs, row, start, size),
                        *(steps, panel, product, first, near),
                    )
