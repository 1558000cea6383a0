"""What institutions reported of their stores: the newest count of each with its lots, all counts by month, and what was issued."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog.supplies import uses
from quanmin.model.asker import Asker

LOTS = ["facility_code", "reported_on", "item_code", "lot", "storage_code", "quantity", "expires_on"]
MOVEMENTS = ["facility_code", "month", "item_code", "issued_quantity"]
LATE_DAYS = 45  # a count older than the newest one of the region by more is no count of today (our own rule)
MEASURED_MONTHS = 3
NONE = np.iinfo(np.int64).max
EPOCH = date(1970, 1, 1)


def day_number(day: str) -> int:
    """Days since 1970."""
    return (date.fromisoformat(day) - EPOCH).days


@dataclass(frozen=True)
class Stores:
    """The stores of the region. Days are counted from 1970; `known` is the day of the newest count (-1 without any).

    Lots are those in store at the newest count of their institution (`lot_expiry` NONE without an expiry). `usable` [months × facilities × items] is what could
    be used at the last count of a month, NaN without a count; `issued` the same of movements; `reserve` [facilities × items] what is only contracted.
    """

    known: int
    facilities: tuple[str, ...]
    items: tuple[str, ...]
    counted: np.ndarray
    lot_facility: np.ndarray
    lot_item: np.ndarray
    lot_quantity: np.ndarray
    lot_expiry: np.ndarray
    lot_names: np.ndarray
    reserve: np.ndarray
    months: tuple[str, ...]
    usable: np.ndarray
    issued: np.ndarray

    @property
    def is_late(self) -> np.ndarray:
        """Which facilities' newest count is too old to stand for today."""
        return self.counted < self.known - LATE_DAYS

    def measured(self) -> np.ndarray:
        """Units a day issued in the newest months with movements [facilities × items], NaN where none were reported."""
        starts = np.array([f"{month}-01" for month in self.months[-MEASURED_MONTHS:]], dtype="datetime64[M]")
        days = (np.add(starts, 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(float)[:, None, None]
        issued = self.issued[-MEASURED_MONTHS:]
        span = np.where(np.isnan(issued), 0.0, days).sum(axis=0)
        return np.asarray(np.where(span > 0, np.nansum(issued, axis=0) / np.where(span > 0, span, 1.0), np.nan))


def _codes(column: Any, known: dict[str, int]) -> np.ndarray:
    """Index of each value in `known`, -1 for another or none."""
    found = pc.index_in(column, pa.array(list(known), pa.string())) if known else pa.nulls(len(column), pa.int32())
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False)).astype(np.int64)


def _days(column: Any) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.cast(pc.cast(pc.cast(column, pa.date32()), pa.int32()), pa.int64()), NONE).to_numpy(zero_copy_only=False))


def _numbers(column: Any) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), 0.0).to_numpy(zero_copy_only=False))


def _flat(rows: pa.Table) -> dict[str, Any]:
    return {name: rows[name].combine_chunks() for name in rows.column_names}


def _counted(rows: pa.Table, today: int) -> Stores:
    """What counts say, those dated after today left out."""
    told = _flat(rows)
    day, items = _days(told["reported_on"]), {code: k for k, code in enumerate(uses())}
    names = sorted(pc.unique(told["facility_code"]).to_pylist())
    facility, item = _codes(told["facility_code"], {code: k for k, code in enumerate(names)}), _codes(told["item_code"], items)
    quantity, expiry = _numbers(told["quantity"]), _days(told["expires_on"])
    stands = (day <= today) & (item >= 0)
    newest = np.full(len(names), -1, dtype=np.int64)
    np.maximum.at(newest, facility[day <= today], day[day <= today])
    is_newest = stands & (day == newest[facility]) & (quantity > 0)
    is_held = np.asarray(pc.equal(told["storage_code"], "physical").to_numpy(zero_copy_only=False)).astype(bool)
    here = np.flatnonzero(is_newest & is_held)
    reserve = np.zeros((len(names), len(items)))
    only = np.flatnonzero(is_newest & ~is_held)
    np.add.at(reserve, (facility[only], item[only]), quantity[only])
    shape = (len(names), len(items))
    months, usable = _by_month(day, stands, facility, item, np.where(is_held & (expiry >= day), np.maximum(quantity, 0.0), 0.0), shape)
    return Stores(int(newest.max(initial=-1)), tuple(names), tuple(items), newest, facility[here], item[here], quantity[here], expiry[here],
                  np.array(told["lot"].take(pa.array(here)).to_pylist(), dtype=object), reserve, months, usable, np.full_like(usable, np.nan))


def _by_month(day: np.ndarray, stands: np.ndarray, facility: np.ndarray, item: np.ndarray, quantity: np.ndarray,
              shape: tuple[int, int]) -> tuple[tuple[str, ...], np.ndarray]:
    """The months with counts, and what could be used at the last count of each; an item that a count does not list is nought."""
    month = day[stands].astype("datetime64[D]").astype("datetime64[M]")
    known, at = np.unique(month, return_inverse=True)
    last = np.full((len(known), shape[0]), -1, dtype=np.int64)
    np.maximum.at(last, (at, facility[stands]), day[stands])
    found = np.where((last >= 0)[..., None], 0.0, np.nan) * np.ones((1, 1, shape[1]))
    is_last = day[stands] == last[at, facility[stands]]
    np.add.at(found, (at[is_last], facility[stands][is_last], item[stands][is_last]), quantity[stands][is_last])
    return tuple(str(one) for one in known), found


def _issued(rows: pa.Table) -> tuple[Any, ...]:
    told = _flat(rows)
    month = np.asarray(_days(told["month"])).astype("datetime64[D]").astype("datetime64[M]").astype(str)
    return told["facility_code"], month, told["item_code"], _numbers(told["issued_quantity"])


def stores(asker: Asker) -> Stores:
    """What is known of the region's stores; of it only facilities that the asker's `units` give may be shown."""
    today = asker.today()

    def joined(rows: Any, newest: str) -> Stores:
        del newest
        return _with_issued(_counted(rows, day_number(today)), moved)

    moved = asker.learnt("stock movements", "stock_movement", MOVEMENTS, lambda rows, newest: _issued(rows))
    found: Stores = asker.learnt(f"stock counts {today}", "stock_holding", LOTS, joined)
    return found


def _with_issued(one: Stores, moved: tuple[Any, ...]) -> Stores:
    codes, month, item_codes, quantity = moved
    facility, item = (_codes(column, {code: k for k, code in enumerate(known)}) for column, known in ((codes, one.facilities), (item_codes, one.items)))
    at = {name: k for k, name in enumerate(one.months)}
    when = np.array([at.get(name, -1) for name in month.tolist()], dtype=np.int64)
    stands = (facility >= 0) & (item >= 0) & (when >= 0)
    issued = np.full_like(one.usable, np.nan)
    issued[when[stands], facility[stands], item[stands]] = np.maximum(quantity[stands], 0.0)
    return replace(one, issued=issued)
