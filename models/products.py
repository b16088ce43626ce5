"""Products of rows of inputs with weights in 8 bits, compiled as `models.kernels` are."""

from typing import Any

import numpy as np
import torch

from models.compiler import compiled, in_any_order, in_parallel, njit, prange
from models.vector_products import (
    HALF,
    INPUTS,
    LARGEST,
    MANY,
    OUTPUTS,
    PANEL,
    products_of,
    row_of,
    widening_of,
)

VECTOR_CODE = "c97d673c592f947a"  # see `models.vector_code`
AVX2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
LARGEST_ALONE = 2**15 - 1  # of a row's inputs where there are few rows


def rows_times_block(products: Any) -> Any:
    """As many rows as `products` takes, from `row` on, times one block of weights."""

    @njit(nogil=True, error_model="numpy")
    def times(packed, scale, block, bias, inputs, row, steps, product):
        width, stride = inputs.shape[1], len(bias)
        first = block * OUTPUTS
        products(
            packed.ctypes.data + first * width,
            scale.ctypes.data + 4 * first * (width // INPUTS),
            inputs.ctypes.data + 2 * row * width,
            width,
            bias.ctypes.data + 4 * first,
            steps.ctypes.data + 4 * row,
            product.ctypes.data + 4 * (row * stride + first),
            stride,
        )

    return times


one_row, two_rows = (rows_times_block(products_of(rows, AVX2)) for rows in (1, 2))
widen, add_row = widening_of(AVX2), row_of(AVX2)


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
def rows_to_whole(rows, whole, steps):
    """Rows [n, width] as the inputs [n, at least width] and `steps` [n] of `multiply_whole`."""
    for row in range(len(rows)):
        steps[row] = to_whole(rows[row], LARGEST_ALONE, whole[row, : rows.shape[1]])


@in_parallel
def multiply_whole(packed, scale, bias, inputs, steps, product):
    """Products [n, outputs] of inputs [n, width] in 16 bits, `steps` [n] apart, and weights."""
    rows = len(inputs)
    for block in prange(len(packed)):
        for row in range(0, rows - 1, 2):
            two_rows(packed, scale, block, bias, inputs, row, steps, product)
        if rows % 2:
            one_row(packed, scale, block, bias, inputs, rows - 1, steps, product)


@in_parallel
def multiply_many(packed, scale, factors, bias, rows, product):
    """Products [n, outputs] of many `rows` [n, at most width] and weights, a panel at a time.

    `factors` [blocks of MANY outputs, panels, MANY] are those of the widened weights.
    """
    count, groups = len(rows), packed.shape[1]
    width, panels = INPUTS * groups, factors.shape[1]
    inputs = np.zeros((count, width), np.int16)
    steps = np.empty((count, panels), np.float32)
    for row in prange(count):
        for panel in range(panels):
            some = slice(panel * PANEL, min((panel + 1) * PANEL, rows.shape[1]))
            steps[row, panel] = to_whole(rows[row, some], LARGEST, inputs[row, some])
    for block in prange(len(factors)):
        first = block * MANY
        wide = np.empty(PANEL * MANY, np.int16)
        sums = np.empty((count, MANY), np.float32)
        sums[:] = bias[first : first + MANY]
        for panel in range(panels):
            start = panel * PANEL
            size = min(PANEL, width - start)
            scales = factors[block, panel].ctypes.data
            for part in range(0, MANY, OUTPUTS):
                group = ((first + part) // OUTPUTS * groups + start // INPUTS) * OUTPUTS
                widen(
                    packed.ctypes.data + group * INPUTS,
                    scale.ctypes.data + 4 * group,
                    scales + 4 * part,
                    size,
                    wide.ctypes.data + 2 * part * HALF,
                )
            for row in range(count):
                add_row(
                    wide.ctypes.data,
                    inputs.ctypes.data + 2 * (row * width + start),
                    size,
                    scales,
                    steps[row, panel],
                    sums.ctypes.data + 4 * row * MANY,
                )
        product[:, first : first + MANY] = sums
