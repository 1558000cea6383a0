"""How loops of the detectors are compiled: once for one kind of numbers, kept on disk, without Python's lock.

A call with a whole number where others give a fraction is a loop of its own, and so is one with a number written out (0): both are avoided.
"""

from __future__ import annotations

import os

os.environ.setdefault("NUMBA_OPT", "1")  # a fifth less to compile than at numba's 3; the loops, full of logarithms, are as fast

from numba import njit
from numba.core import event

from quanmin.detectors.telling import compiling

compiled = njit(cache=True, nogil=True, error_model="numpy")


class _Told(event.Listener):
    """Hears when a loop that is not on disk begins to be compiled."""

    def on_start(self, event: event.Event) -> None:
        """Say so."""
        compiling()

    def on_end(self, event: event.Event) -> None:
        """Nothing."""


event.register("numba:compile", _Told())
