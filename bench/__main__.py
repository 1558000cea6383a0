"""python -m bench [a b c d e f g h i n p s t u v]: run the benchmarks and print one line each; bench/results.json keeps the newest figures of each."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import duckdb

from bench import (
    answers,
    detection,
    forecast,
    grouping,
    grouping_dip,
    increment,
    infection,
    intake,
    outcomes,
    pages,
    preparedness,
    risk,
    scale,
    scanning,
    supervision,
)

BENCHES = {"a": intake.run, "b": answers.run, "c": scale.run, "d": increment.run, "e": preparedness.run, "f": forecast.run, "g": risk.run, "h": grouping.run,
           "i": outcomes.run, "n": infection.run, "p": pages.run, "s": supervision.run, "t": grouping_dip.run, "u": detection.run, "v": scanning.run}
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run the named benchmarks, or all."""
    chosen = [name for name in sys.argv[1:] if name in BENCHES] or list(BENCHES)
    known = json.loads(RESULTS.read_text("utf-8"))["results"] if RESULTS.exists() else {}
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="quanmin-bench-") as folder:
            known[name] = BENCHES[name](Path(folder))
            print(json.dumps(known[name], ensure_ascii=False), flush=True)
        about = {"python": platform.python_version(), "duckdb": duckdb.__version__, "machine": platform.machine(), "cores": os.cpu_count(),
                 "results": dict(sorted(known.items()))}
        RESULTS.write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
