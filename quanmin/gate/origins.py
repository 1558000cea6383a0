"""Where rows come from: the file of each submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quanmin.records.ledger import Ledger

if TYPE_CHECKING:  # loaded where there are rows
    import pyarrow as pa


def with_files(found: pa.Table, ledger: Ledger) -> pa.Table:
    """The rows with the name of the file that each stands in, before its line; as they are where they carry no submission."""
    if "submission" not in found.column_names or "file" in found.column_names:
        return found
    import pyarrow as pa

    files = {one.id: one.file for one in ledger.submissions()}
    names = pa.array([files.get(number) for number in found["submission"].to_pylist()], pa.string())
    at = found.column_names.index("line") if "line" in found.column_names else found.num_columns
    return found.add_column(at, "file", names)
