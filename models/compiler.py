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
from numba.extending import intrinsic

__all__ = [
    "FLOATS",
    "X86",
    "cgutils",
    "compiled",
    "in_any_order",
    "in_parallel",
    "intrinsic",
    "njit",
    "prange",
    "types",
]

CAPABILITY = torch.backends.cpu.get_cpu_capability()
X86 = CAPABILITY in ("AVX2", "AVX512")
FLOATS = 16 if CAPABILITY == "AVX512" else 8  # that this processor adds or multiplies at once


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
