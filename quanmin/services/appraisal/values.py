"""The values of hospitals that appraisals rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quanmin.model import Cell
from quanmin.model.asker import Asker

Values = Mapping[str, Mapping[str, Cell]]  # indicator → facility → cell


def values_of(asker: Asker, names: Sequence[str], year: int) -> Values:
    """Indicator → facility → cell of a year, counted together as far as may be."""
    known = {name: asker.questions()[name] for name in names if name in asker.questions()}
    asker.prepare([name for name, one in known.items() if one.kind not in ("growth", "composite")], [["facility_code"]], [f"year = {year}"])
    asker.prepare(sorted({one.of for one in known.values() if one.kind == "growth"}), [["facility_code", "year"]])
    return {name: asker.by_unit(name, str(year), "facility") for name in known}


def usable(cell: Cell | None) -> float | None:
    """The value of a cell that is whole and may be shown."""
    return None if cell is None or cell.missing or cell.suppressed or cell.value is None else float(cell.value)
