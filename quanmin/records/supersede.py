"""Does a new submission replace what its sender sent before, or join it?

A corrected month repeats most of the records it corrects; a late supplement repeats few or none. So, per sender, table and
period: if at least half of the new records were held already, and they are at least a tenth of what is held, the new rows *replace*
the old; otherwise they are *added*, and a record sent again takes its newest form. Both outcomes stand on the receipt, and
--replace or --add decide otherwise. What holds is a pure function of the submissions in their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import duckdb

from quanmin.model import Table
from quanmin.records.ledger import Piece

REPEATED = 0.5
LEAST = 0.1


def hangs_on(part: Table, whole: Table) -> bool:
    """Whether records of one table are parts of records of the other (diagnoses of stays): keyed as they are, and numbered besides."""
    return bool(whole.period) and part.period == whole.period and len(whole.key) > 0 and part.key[:-1] == whole.key


def standing(pieces: Iterable[Piece]) -> dict[tuple[str, str], list[int]]:
    """(period, sender) → the submissions whose rows stand, oldest first, of one table's pieces in order."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for piece in pieces:
        held = found[(piece.period, piece.sender)]
        if piece.mode == "replace":
            held.clear()
        held.append(piece.submission)
    return found


def mode_of(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[str], held: Sequence[int], new: int, period: str) -> tuple[str, int]:
    """("replace" or "add", records held) of a new submission's rows of one period against the submissions that stand."""
    keys = ", ".join(f'"{key}"' for key in table.key)
    listed = ", ".join(f"'{f}'" for f in files)
    numbers = ", ".join(str(number) for number in held)
    row = connection.execute(
        f"WITH r AS (SELECT DISTINCT {keys}, submission = {new} AS is_new FROM read_parquet([{listed}])"
        f" WHERE slice_month = DATE '{period}' AND submission IN ({numbers}, {new})),"
        f" g AS (SELECT {keys}, bool_or(is_new) AS is_new, bool_or(NOT is_new) AS is_held FROM r GROUP BY ALL)"
        " SELECT count(*) FILTER (is_new), count(*) FILTER (is_held), count(*) FILTER (is_new AND is_held) FROM g"
    ).fetchone()
    fresh, old, both = row or (0, 0, 0)
    replaces = both >= REPEATED * fresh and fresh >= LEAST * old and both > 0
    return ("replace" if replaces else "add"), old
