"""Relative weights of groups from a region's own stays, and the sets in force as a build reads them.

Method: the stays of front pages with a group and a charge, in the months chosen. Within a group, charges outside the fences of Tukey (1.5 quartile ranges
beyond the quartiles, on the logarithm, since charges are skew) are left out. A group of fewer cases than `minimum` is filled up to it with the mean of its
adjacent group (all severities), or of its category where that is small too. Weights are means over the mean of all cases, so that the mean case weighs 1.
Levels of risk follow the national method of low-risk groups (written from knowledge): 0 no death; else by the standard score of the logarithm of the
group's mortality among groups with deaths: 1 below -1, 2 below 0, 3 below 1, 4 from 1 on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.catalog.messages import LANGUAGES, all_messages, say
from quanmin.catalog.reading import Complaints, Definition
from quanmin.catalog.weight_files import read_weights
from quanmin.model import Problem, Refusal
from quanmin.records.fingerprints import Lookup
from quanmin.records.sources.bare_file import open_bare
from quanmin.services.grouping.publishing import csv_text, place

COLUMNS = ("drg", "weight", "mean_charge_cny", "mean_days", "risk_level", "cases", "pooled_with")
READ_BY = ("hospitalisation",)
FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)
MINIMUM, DECEMBER = 30, 12

WEIGHTS_SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Asked(Protocol):
    """What can be asked of a snapshot."""

    def table(self, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """The rows of a statement."""
        ...


@dataclass(frozen=True)
class Drawn:
    """A set of weights drawn from stays: rows of COLUMNS, and how many groups were pooled."""

    rows: list[dict[str, Any]]
    cases: int
    pooled: int


def drawn_weights(engine: Asked, first: str, last: str, minimum: int = MINIMUM) -> Drawn:
    """Weights from the stays of months `first` to `last`; raises Refusal where there are none."""
    rows = engine.table(WEIGHTS_SQL, {"first": first, "last": last, "minimum": minimum}).to_pylist()
    if not rows:
        raise Refusal(Problem("hospitalisation", None, "--from --to", f"{first} {last}", say("no_grouped_stays"), say("mend_no_grouped_stays")))
    return Drawn(rows, sum(row["cases"] for row in rows), sum(row["pooled_with"] is not None for row in rows))


def last_whole_year(engine: Asked) -> int:
    """The newest year whose December has discharges; raises Refusal where nothing was discharged."""
    newest = engine.table("SELECT max(discharged_on) AS day FROM hospitalisation").to_pylist()[0]["day"]
    if newest is None:
        raise Refusal(Problem("hospitalisation", None, "", "", say("no_grouped_stays"), say("mend_no_grouped_stays")))
    return int(newest.year if newest.month == DECEMBER else newest.year - 1)


def publish_drawn(engine: Asked, definitions: Path, scheme: str, first: str, last: str, valid_from: str, minimum: int = MINIMUM) -> tuple[Drawn, Path]:
    """Draw weights from months and put them into a site's definitions, in force from a day on; returns them and their list."""
    drawn = drawn_weights(engine, first, last, minimum)
    return drawn, _publish(definitions, scheme, valid_from, drawn.rows, "weights_drawn", {"first": first, "last": last, "minimum": minimum})


def publish_official(path: Path, definitions: Path, scheme: str, valid_from: str) -> Path:
    """Put a list of official weights (CSV or Excel with drg and weight, others of COLUMNS where it has them) into a site's definitions; returns its list.

    Raises Refusal, and changes nothing, where the list cannot be read or a line of it cannot be a weight.
    """
    opened, rows = open_bare(path), []
    missing = [name for name in COLUMNS[:2] if name not in opened.header]
    if missing:
        shown = ", ".join(opened.header)[:200]
        raise Refusal(Problem(str(path), 1, missing[0], "", say("column_not_there", columns=shown), say("mend_weight_columns", columns=", ".join(COLUMNS[:5]))))
    for batch in opened.batches:
        if batch.malformed:
            raise Refusal(*batch.malformed)
        rows += [{name: row.get(name) or None for name in COLUMNS} for row in batch.table.to_pylist()]
    return _publish(definitions, scheme, valid_from, rows, "weights_official", {"file": path.name})


def _publish(definitions: Path, scheme: str, valid_from: str, rows: Iterable[dict[str, Any]], source: str, told: dict[str, object]) -> Path:
    """Write a set of weights, look whether it can be read, and only then put it among the definitions: the list, then its card; returns the list."""
    texts = weight_texts(scheme, valid_from, rows, source, told)
    listed, card = texts

    def check(draft: Path, complaints: Complaints) -> None:
        read_weights(Definition(draft / card, Path(card).name, complaints), (scheme,))

    place(definitions, texts, check)
    return definitions / listed


def weight_texts(scheme: str, valid_from: str, rows: Iterable[dict[str, Any]], source: str, told: dict[str, object]) -> dict[str, str]:
    """The list and the card of a set of weights, by their names below the definitions; `source` is the message that names the set, with `told` put in."""
    names = {spoken: json.dumps(all_messages()[source][spoken].format(**told), ensure_ascii=False) for spoken in LANGUAGES}  # a JSON string is a TOML string
    card = (f'name = {{ zh = {names["zh"]}, en = {names["en"]} }}\nscheme = {json.dumps(scheme)}\nvalid_from = {valid_from}\nsource = {names["en"]}\n'
            'status = "own"\n')
    name = f"weights/{scheme}_{valid_from.replace('-', '_')}"
    return {f"{name}.csv": csv_text(COLUMNS, rows), f"{name}.toml": card}


def weights_in_force(catalog: Catalog, scheme: str) -> Lookup:
    """drg, from which day and until which, and what its cases usually need; stays before the first set take the first."""
    sets = sorted((one for one in catalog.weights.values() if one.scheme == scheme), key=lambda one: one.valid_from)
    begins = [FIRST_DAY, *(date.fromisoformat(one.valid_from) for one in sets[1:])]
    rows = [{"drg": drg, "begins_on": begins[i], "ends_before": begins[i + 1] if i + 1 < len(begins) else LAST_DAY, "weight": norm.weight,
             "mean_charge_cny": norm.mean_charge_cny, "mean_days": norm.mean_days, "risk_level": norm.risk_level}
            for i, one in enumerate(sets) for drg, norm in sorted(one.groups.items())]
    schema = pa.schema([("drg", pa.string()), ("begins_on", pa.date32()), ("ends_before", pa.date32()), ("weight", pa.float64()),
                        ("mean_charge_cny", pa.float64()), ("mean_days", pa.float64()), ("risk_level", pa.int64())])
    return Lookup(pa.Table.from_pylist(rows, schema=schema), READ_BY)
