"""Numba, told how many threads there are before it is imported: it reads that once.

It would take as many as its thread may use processors, which is one where torch's threads are bound
each to its own (`models.processor`), and would have torch use one thread from then on as well. So
nothing else imports numba.
"""

import os
from functools import partial

import torch

os.environ["NUMBA_NUM_THREADS"] = str(torch.get_num_threads())

from numba import njit, prange, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

__all__ = [
    "FLOATS",
    "THREADS",
    "X86",
    "cgutils",
    "compiled",
    "contracted",
    "in_any_order",
    "in_parallel",
    "intrinsic",
    "njit",
    "prange",
    "types",
]

THREADS = torch.get_num_threads()
# What the compiler may use here, by which it tells what it has kept, too.
FEATURES = frozenset(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
X86 = "+avx2" in FEATURES
FLOATS = 16 if "+avx512bw" in FEATURES else 8  # that are added or multiplied at once


def can_be_kept() -> bool:
    """Whether there is a folder for compiled functions; numba refuses where there is none."""
    try:
        njit(can_be_kept, cache=True)
    except RuntimeError:
        return False
    return True


kernel = partial(njit, cache=can_be_kept(), nogil=True, error_model="numpy")
compiled, in_parallel = kernel(), kernel(parallel=True)
# Products and sums are one step each where the processor has one.
contracted = kernel(fastmath={"contract"})
in_any_order = kernel(fastmath={"reassoc", "nnan"})
