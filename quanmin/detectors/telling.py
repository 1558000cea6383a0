"""Who is told that loops are about to be compiled, which takes seconds on the first use on a machine; knows nothing of numba, so that telling costs nothing."""

from __future__ import annotations

from collections.abc import Callable

_LISTENERS: list[Callable[[], None]] = []


def before_compiling(tell: Callable[[], None]) -> None:
    """Have `tell` called once, before the next loop is compiled; not at all where all are on disk. The last to ask is the one that is told."""
    _LISTENERS[:] = [tell]


def compiling() -> None:
    """Tell who asked to be told; later calls say nothing."""
    if _LISTENERS:
        _LISTENERS.pop()()
