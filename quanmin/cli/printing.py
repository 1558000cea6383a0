"""How answers, receipts and progress look on a terminal and in files."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanmin.catalog import Catalog
from quanmin.catalog.messages import all_messages, language, say
from quanmin.model import Answer, Cell, Problem, Receipt, Refusal, one_line

if TYPE_CHECKING:  # loaded where something is written in that form
    import pyarrow as pa

FORMATS = ("table", "csv", "json", "parquet")
CELL_COLUMNS = ("numerator", "denominator", "unknown", "value", "low", "high", "suppressed")
FIGURES = ("numerator", "denominator", "unknown", "value", "interval")
SHOWN_PROBLEMS = 20
SLOW = 2.0  # seconds after which progress is shown


def complain(problems: Iterable[Problem]) -> None:
    """Problems on stderr, one line each."""
    for problem in problems:
        print(problem.sentence(), file=sys.stderr)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value) if isinstance(value, Decimal) else value


def cell_rows(answer: Answer) -> list[dict[str, Any]]:
    """One flat row per cell: the group, then the figures."""
    return [dict(cell.key) | {name: getattr(cell, name) for name in CELL_COLUMNS} for cell in answer.cells]


def write_rows(rows: list[dict[str, Any]], columns: Sequence[str], form: str, out: Path | None, about: dict[str, Any] | None = None) -> None:
    """Rows as csv, json or parquet to a file or standard output; raises Refusal for an unknown form."""
    if form == "parquet":
        import pyarrow as pa

        table = pa.Table.from_pylist([{c: float(v) if isinstance(v := row[c], Decimal) else v for c in columns} for row in rows]) if rows else pa.table({})
        write_parquet(table, out)
        return
    stream = io.StringIO()
    if form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if row[c] is None else _plain(row[c]) for c in columns] for row in rows])
    elif form == "json":
        plain = [{c: float(v) if isinstance(v := row[c], Decimal) else v for c in columns} for row in rows]
        json.dump((about or {}) | {"rows": plain}, stream, ensure_ascii=False, indent=1, default=str)
        stream.write("\n")
    else:
        raise Refusal(Problem("--format", None, "", form, say("unknown_format"), say("choose_format", known=", ".join(FORMATS))))
    if out is None:
        sys.stdout.write(stream.getvalue())
    else:
        out.write_text(stream.getvalue(), encoding="utf-8")


def write_parquet(table: pa.Table, out: Path | None) -> None:
    """An Arrow table as Parquet; standard output only where it is no terminal."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if out is not None:
        pq.write_table(table, out)
    elif sys.stdout.isatty():
        raise Refusal(Problem("--format", None, "", "parquet", say("needs_file"), say("mend_needs_file")))
    else:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        sys.stdout.buffer.write(sink.getvalue())


def write_answer(answer: Answer, catalog: Catalog, form: str, out: Path | None) -> None:
    """An answer in one of the forms; what it cannot show in columns goes to stderr."""
    for note in answer.notes:
        print(note, file=sys.stderr)
    if form != "table":
        about = {k: v for k, v in asdict(answer).items() if k not in ("cells", "by", "question")} | {"question": answer.question, "by": list(answer.by)}
        write_rows(cell_rows(answer), [*answer.by, *CELL_COLUMNS], form, out, about)
        return
    from rich.console import Console
    from rich.table import Table as RichTable

    question = catalog.question(answer.question)
    unit = getattr(question, "unit", "%")
    shown = RichTable(title=f"{question.label.in_language(language())} [{unit}]" if unit else question.label.in_language(language()))
    for name in answer.by:
        shown.add_column(_heading(catalog, name), overflow="fold")
    for name in FIGURES:
        shown.add_column(say(f"head_{name}"), justify="right")
    for cell in answer.cells:
        figures = ["*"] * len(FIGURES) if cell.suppressed else [*(_short(getattr(cell, name)) for name in FIGURES[:-1]), _interval(cell)]
        shown.add_row(*("" if v is None else str(v) for v in cell.key.values()), *figures)
    Console(file=out.open("w", encoding="utf-8") if out else sys.stdout).print(shown)


def _heading(catalog: Catalog, name: str) -> str:
    """What a dimension or time grain is called."""
    if f"head_{name}" in all_messages():
        return say(f"head_{name}")
    found = (table.columns[name].label for table in catalog.tables.values() if name in table.columns)
    return next((label.in_language(language()) for label in found), name)


def _interval(cell: Cell) -> str:
    return "" if cell.low is None and cell.high is None else f"{_short(cell.low)} – {_short(cell.high)}"


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{float(value):,.2f}" if isinstance(value, float) or (isinstance(value, Decimal) and value % 1) else f"{int(value):,}"


def show_receipts(receipts: Sequence[Receipt], landing: Path) -> None:
    """Receipts with the first rejects of each file."""
    for receipt in receipts:
        if receipt.status == "unreadable":
            complain(receipt.problems)
            continue
        print(say("receipt_line", file=receipt.file, read=f"{receipt.read:,}", accepted=f"{receipt.accepted:,}", rejected=f"{receipt.rejected:,}"))
        for note in receipt.notes:
            print(f"  {one_line(note)}")
        for problem in receipt.problems[:SHOWN_PROBLEMS]:
            print(f"  {problem.sentence()}")
        if len(receipt.problems) > SHOWN_PROBLEMS:
            path = landing / receipt.sha256[:2] / receipt.sha256 / f".rejects-{receipt.submission or 0}.parquet"
            print("  " + say("rejects_more", count=len(receipt.problems) - SHOWN_PROBLEMS, path=path))


class Progress:
    """One line on stderr for anything that takes longer than two seconds: share done, rows per second, time left."""

    def __init__(self, label: str) -> None:
        self.label, self.started, self.last = label, time.monotonic(), 0.0
        self.is_terminal = sys.stderr.isatty()

    def __call__(self, done: int, total: int, rows: int = 0) -> None:
        """Show that `done` of `total` is done and how many rows that were."""
        spent = time.monotonic() - self.started
        if spent < SLOW or spent - self.last < (0.2 if self.is_terminal else 5.0) or not done:
            return
        self.last = spent
        left = f"{spent * (total - done) / done:.0f}"
        pace = say("rows_per_second", rate=f"{rows / spent:,.0f}", left=left) if rows else say("seconds_left", left=left)
        text = f"{self.label} {done / max(total, 1):4.0%}  {pace}"
        print(f"\r\x1b[K{text}" if self.is_terminal else text, end="" if self.is_terminal else "\n", file=sys.stderr, flush=True)

    def named(self, label: str, done: int, total: int) -> None:
        """The same with the name of the step."""
        del label
        self(done, total)

    def close(self) -> None:
        """End the line."""
        if self.is_terminal and self.last:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
