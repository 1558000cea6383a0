"""Runs the real commands in forked children of a process that has loaded everything once, so that sixty kills do not cost sixty starts.

Speaks JSON lines: {"run": [words], "out": path, …} → {"pid": n}; {"wait": pid} → {"status": n}. Options of a run: "file_limit" (bytes: the
largest file it may write), "die_at" (kill yourself before or after the n-th step that outlives the process), "steps" (a file to write the
number of such steps to).
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import deltalake
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pypinyin
import splink
import splink.internals.duckdb.database_api
import sqlalchemy.dialects.sqlite.pysqlite
import sqlalchemy.event
import sqlglot.dialects.duckdb
import sqlglot.optimizer.optimizer
from sqlalchemy.engine import Engine

import quanmin.cli
import quanmin.gate
import quanmin.records.build
import quanmin.records.intake
import quanmin.records.residents.index
import quanmin.records.warehouse as warehouse
import quanmin.services.indicators
import quanmin.site
from quanmin.catalog import load
from quanmin.records.residents.names import parse_name
from quanmin.services.grouping.schemes import scheme_of
from quanmin.services.quality.stays import stay_comorbidities
from quanmin.site import Settings

__all__ = ["alembic", "pypinyin", "serve", "splink", "sqlglot"]
LASTING: list[tuple[Any, str]] = [
    (os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "write_text"), (pq.ParquetWriter, "close"), (pq, "write_table"),
    (deltalake.DeltaTable, "create_write_transaction"), (deltalake.DeltaTable, "restore"), (warehouse, "create_table_with_add_actions"),
]


class Steps:
    """Counts the steps that outlive the process, and ends it at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.die_at, self.count, self.lock = die_at, 0, threading.Lock()
        for owner, name in LASTING:
            setattr(owner, name, self._counted(getattr(owner, name)))
        for moment in ("commit", "begin"):
            sqlalchemy.event.listen(Engine, moment, lambda connection: self.step())

    def step(self) -> None:
        with self.lock:  # files are settled many at a time
            if self.count == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.count += 1

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*given: Any, **named: Any) -> Any:
            self.step()
            result = function(*given, **named)
            self.step()
            return result

        return counted


def run(order: dict[str, Any]) -> None:
    """A command, in this process."""
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    err = os.open(order["out"] + ".err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if order.get("file_limit") is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"], order["file_limit"]))
    steps = Steps(order.get("die_at")) if "die_at" in order or "steps" in order else None
    sys.argv = ["quanmin", *order["run"]]
    code = 0
    try:
        quanmin.cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    if steps is not None and "steps" in order:
        Path(order["steps"]).write_text(str(steps.count))
    os._exit(code)


def serve() -> None:
    """Answer orders until the other side is gone."""
    catalog = load()
    quanmin.site.load = lambda own=None: catalog
    scheme_of(catalog, Settings().scheme)  # made ready once: every child has it
    stay_comorbidities()
    parse_name("\u738b\u4e00")
    pa.array(["loads what Arrow loads late"])
    with contextlib.redirect_stdout(io.StringIO()):
        quanmin.cli.app(["init", "--help"], standalone_mode=False)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = {"status": os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])}
        elif child := os.fork():
            answer = {"pid": child}
        else:
            run(order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
