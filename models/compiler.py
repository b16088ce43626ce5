"""Numba, told how many threads there are before it is imported: it reads that once.

It would take as many as its thread may use processors, which is one where torch's threads are bound
each to its own (`models.processor`), and would have torch use one thread from then on as well. So
nothing else imports numba.
"""

import os

import torch

os.environ["NUMBA_NUM_THREADS"] = str(torch.get_num_threads())

from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["cgutils", "intrinsic", "njit", "prange", "types"]
