"""How loops of the detectors are compiled: once for one kind of numbers, kept on disk, without Python's lock.

A call with a whole number where others give a fraction is a loop of its own, and so is one with a number written out (0): both are avoided.
"""

from __future__ import annotations

import os

os.environ.setdefault("NUMBA_OPT", "1")  # a fifth less to compile than at numba's 3; the loops, full of logarithms, are as fast

from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
