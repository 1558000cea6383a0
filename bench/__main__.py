"""python -m bench [a b d f link]: run the benchmarks and print one line each; the figures also go to bench/results.json."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from pathlib import Path

import duckdb

from bench import answers, forecast, increment, intake

BENCHES = {"a": intake.run, "b": answers.run, "d": increment.run, "f": forecast.run}


def main() -> None:
    """Run the named benchmarks, or all."""
    chosen = [name for name in sys.argv[1:] if name in BENCHES] or list(BENCHES)
    results = []
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="quanmin-bench-") as folder:
            results.append(BENCHES[name](Path(folder)))
            print(json.dumps(results[-1], ensure_ascii=False), flush=True)
    about = {"python": platform.python_version(), "duckdb": duckdb.__version__, "machine": platform.machine(), "results": results}
    Path(__file__).with_name("results.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
