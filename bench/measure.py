"""Running a piece of work in a process of its own: seconds and peak memory, as the operating system counts them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Seconds (wall, the median of the runs), peak resident memory in MB (the largest) and what the work returned last."""

    seconds: float
    peak_mb: float
    result: Any


def peak_mb() -> float:
    """This process's own peak resident memory in MB (ru_maxrss would begin with that of the process that started it)."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def _child(work: Callable[..., Any], arguments: tuple[Any, ...], pipe: Any) -> None:
    started = time.perf_counter()
    result = work(*arguments)
    pipe.send((time.perf_counter() - started, peak_mb(), result))


def measure(work: Callable[..., Any], *arguments: Any, runs: int = 1) -> Measured:
    """Run `work` in fresh processes, one after the other."""
    context = multiprocessing.get_context("spawn")
    seconds, peaks, result = [], [], None
    for _ in range(runs):
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(work, arguments, theirs))
        process.start()
        theirs.close()
        spent, peak, result = ours.recv()
        process.join()
        seconds.append(spent)
        peaks.append(peak)
    return Measured(median(seconds), max(peaks), result)
