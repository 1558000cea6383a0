"""Who is told that loops are about to be compiled, which takes seconds on the first use on a machine; knows nothing of numba, so that telling costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LISTENERS: list[Callable[[], None]] = []
_UNDER_WAY: list[None] = []


def before_compiling(tell: Callable[[], None]) -> None:
    """Have `tell` called once, before the next loop is compiled; not at all where all are on disk. The last to ask is the one that is told."""
    _LISTENERS[:] = [tell]


def compiling() -> None:
    """Tell who asked to be told; later calls say nothing."""
    if _LISTENERS:
        _LISTENERS.pop()()


@contextmanager
def preparing() -> Iterator[None]:
    """While this lasts what needs the detectors would wait for them: a page says so instead."""
    _UNDER_WAY.append(None)
    try:
        yield
    finally:
        _UNDER_WAY.pop()


def is_preparing() -> bool:
    """Whether detectors are being made ready in this process."""
    return bool(_UNDER_WAY)
