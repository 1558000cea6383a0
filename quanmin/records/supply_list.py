"""The supplies as derivations read them: who needs how much a day at full load, and which are key."""

from __future__ import annotations

import pyarrow as pa

from quanmin.catalog.supplies import needs, rules
from quanmin.records.fingerprints import Lookup

NAME = "supply_list"


def supply_lists() -> dict[str, Lookup]:
    """One row per item: units a day at full load per technical staff and per bed; the days that a key item must last."""
    days = float(rules()["key_days"])
    rows = [{"item_code": need.item, "is_key": need.is_key, "per_staff": need.per_staff, "per_bed": need.per_bed, "key_days": days} for need in needs()]
    schema = pa.schema([("item_code", pa.string()), ("is_key", pa.bool_()), ("per_staff", pa.float64()), ("per_bed", pa.float64()), ("key_days", pa.float64())])
    return {NAME: Lookup(pa.Table.from_pylist(rows, schema), ("stock_position",))}
