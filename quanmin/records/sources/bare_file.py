"""A file that belongs to no site: CSV (UTF-8, GB18030, UTF-16), Excel or Parquet, by its columns as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.records.sources.batch import Batch
from quanmin.records.sources.table_file import TableFile

PARQUET = b"PAR1"
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class BareFile:
    """The columns of a file, and its rows (to be consumed once) with what could not be taken apart."""

    header: tuple[str, ...]
    batches: Iterator[Batch]
    size: int


def open_bare(path: Path) -> BareFile:
    """A file ready to be read; raises Refusal for what is not there or cannot be read."""
    try:
        with path.open("rb") as stream:
            is_parquet = stream.read(len(PARQUET)) == PARQUET
    except OSError as error:
        raise Refusal(Problem(str(path), None, "", "", say("no_file"), say("mend_no_file"))) from error
    if is_parquet:
        return _parquet(path)
    opened = TableFile().open(path, str(path), None)
    return BareFile(opened.header, opened.batches, opened.size)


def _parquet(path: Path) -> BareFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise Refusal(Problem(str(path), None, "", "", say("broken_parquet"), say("mend_parquet"))) from error

    def batches() -> Iterator[Batch]:
        first, size, total = 1, path.stat().st_size, max(1, file.metadata.num_rows)
        for batch in file.iter_batches(ROWS_AT_ONCE):
            lines = pa.array(range(first, first + len(batch)), pa.int64())
            first += len(batch)
            yield Batch(pa.Table.from_batches([batch]), lines, bytes_read=size * (first - 1) // total)

    return BareFile(tuple(file.schema_arrow.names), batches(), path.stat().st_size)
