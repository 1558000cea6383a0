"""`quanmin group`: the cases of a bare file, grouped."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from quanmin.catalog.messages import language, say, speak
from quanmin.model import Problem, Refusal
from quanmin.records.sources.bare_file import BareFile, open_bare
from quanmin.records.sources.batch import Batch
from quanmin.services.grouping.cases import COLUMNS, SEPARATOR
from quanmin.services.grouping.dip import ReadyDip, explain_dip
from quanmin.services.grouping.grouper import ADDED
from quanmin.services.grouping.plain import Case, explain
from quanmin.services.grouping.schemes import Prepared, grouped

NEEDED = ("sex", "age_years", "diagnoses")
MOST_PROBLEMS = 20
Progress = Callable[[int, int, int], None]


@dataclass
class Summary:
    """What grouping a file came to: every row read is grouped, not grouped (by reason) or malformed."""

    read: int = 0
    grouped: int = 0
    groups: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    problems: list[Problem] = field(default_factory=list)


def group_file(path: Path, prepared: Prepared, out: Path, is_explained: bool = False, progress: Progress | None = None) -> Summary:
    """Group the cases of a CSV, Excel or Parquet file into `out` (.csv or .parquet): its columns as they are, then ADDED, row by row.

    The file must have NEEDED; age_days, birth_weight_g and procedures are unknown where it lacks them. With `is_explained` a column `explanation` says
    which rules were met by which codes. Raises Refusal for a file that cannot be read and a place that cannot be written.
    """
    opened = open_bare(path)
    missing = [column for column in NEEDED if column not in opened.header]
    if missing:
        shown = ", ".join(opened.header)[:200]
        raise Refusal(Problem(str(path), 1, missing[0], "", say("column_not_there", columns=shown), say("mend_case_columns", columns=", ".join(COLUMNS))))
    there = [column for column in (*ADDED, "explanation") if column in opened.header]
    if there:
        raise Refusal(Problem(str(path), 1, there[0], "", say("column_is_result"), say("mend_column_is_result")))
    summary = Summary()
    with _written(out) as sink:
        for table in _grouped(opened, prepared, summary, is_explained, progress or (lambda done, total, rows: None)):
            sink(table)
    return summary


def _grouped(opened: BareFile, prepared: Prepared, summary: Summary, is_explained: bool, progress: Progress) -> Iterator[pa.Table]:
    """Batches with their groups; the next is read while one is grouped."""
    spoken = language()

    def one(batch: Batch) -> tuple[Batch, pa.Table]:
        speak(spoken)
        return batch, _with_groups(batch.table, prepared, is_explained)

    with ThreadPoolExecutor(1) as working:
        waiting = None
        for batch in opened.batches:
            upcoming = working.submit(one, batch)
            if waiting is not None:
                yield _noted(*waiting.result(), summary, opened, progress)
            waiting = upcoming
        if waiting is not None:
            yield _noted(*waiting.result(), summary, opened, progress)


def _noted(batch: Batch, table: pa.Table, summary: Summary, opened: BareFile, progress: Progress) -> pa.Table:
    counts = {name: dict(zip(*_values(table[name]), strict=True)) for name in ("drg", "reason")}
    summary.malformed += len(batch.malformed)
    summary.read += len(table) + len(batch.malformed)
    summary.problems += batch.malformed[: MOST_PROBLEMS - len(summary.problems)]
    summary.grouped += len(table) - counts["drg"].pop("", 0)
    summary.groups |= set(counts["drg"])
    summary.reasons.update({name: count for name, count in counts["reason"].items() if name})
    progress(batch.bytes_read, opened.size, summary.read)
    return table


def _values(column: pa.ChunkedArray) -> tuple[list[Any], list[int]]:
    counted = column.value_counts()
    return counted.field("values").to_pylist(), counted.field("counts").to_pylist()


def _with_groups(given: pa.Table, prepared: Prepared, is_explained: bool) -> pa.Table:
    cases = given
    for column in COLUMNS:
        if column not in given.column_names:
            cases = cases.append_column(column, pa.array([""] * len(given), pa.string()))
    found = grouped(prepared, cases)
    for name in ADDED:
        given = given.append_column(name, found[name])
    if is_explained:
        given = given.append_column("explanation", pa.array(_explanations(cases.select(COLUMNS), found, prepared), pa.string()))
    return given


def _explanations(cases: pa.Table, found: pa.Table, prepared: Prepared) -> list[str]:
    def told(case: Case, row: dict[str, str]) -> str:
        if not row["drg"]:
            return ""
        is_dip = isinstance(prepared, ReadyDip)
        return explain_dip(prepared.scheme, case.diagnoses, case.procedures, row["drg"]) if is_dip else explain(prepared.scheme, case, row["adrg"])

    return [told(_case(case, prepared), row) for case, row in zip(cases.to_pylist(), found.to_pylist(), strict=True)]


def _case(row: dict[str, Any], prepared: Prepared) -> Case:
    numbers = {}
    for name in ("age_years", "age_days", "birth_weight_g"):
        with suppress(TypeError, ValueError):
            numbers[name.upper()] = float(row[name])
    codes = [value if isinstance(value, list) else [code.strip() for code in str(value or "").split(SEPARATOR) if code.strip()]
             for value in (row["diagnoses"], row["procedures"])]
    sex = str(row["sex"]).strip()
    return Case(int(sex) if sex in ("1", "2") else 0, numbers, prepared.diagnoses.settled(codes[0]), prepared.procedures.settled(codes[1]))


class _CsvSink:
    """Text with quotes only in blocks that need them: people cut such files by hand."""

    def __init__(self, path: Path) -> None:
        self.stream, self.is_first = path.open("wb"), True

    def write_table(self, table: pa.Table) -> None:
        """Write some rows, the header before the first."""
        if self.is_first:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(table.column_names)
            self.stream.write(header.getvalue().encode())
            self.is_first = False
        for style in ("none", "needed"):
            block = pa.BufferOutputStream()
            with suppress(pa.ArrowInvalid):  # a value holds a comma, a quote or a line break
                pacsv.write_csv(table, block, pacsv.WriteOptions(include_header=False, quoting_style=style))
                self.stream.write(block.getvalue())
                return

    def close(self) -> None:
        """All rows are there."""
        self.stream.close()


@contextmanager
def _written(out: Path) -> Iterator[Callable[[pa.Table], None]]:
    """What takes tables and writes them to a file; the file is there when all of them are."""
    partial = out.with_name(f".{out.name}.part")
    sinks: list[_CsvSink | pq.ParquetWriter] = []

    def take(table: pa.Table) -> None:
        if not sinks:
            sinks.append(pq.ParquetWriter(partial, table.schema) if out.suffix == ".parquet" else _CsvSink(partial))
        sinks[0].write_table(table)

    try:
        yield take
        for sink in sinks:
            sink.close()
            partial.replace(out)
    except OSError as error:
        raise Refusal(Problem(str(out), None, "", "", say("cannot_write"), say("mend_write"))) from error
    finally:
        partial.unlink(missing_ok=True)
