"""The price list as derivations read it."""

from __future__ import annotations

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.records.fingerprints import Lookup

NAME = "charge_list"
READ_BY = ("stay_charges", "charge_review")
SCHEMA = pa.schema([
    ("code", pa.string()), ("kind", pa.string()), ("price_cny", pa.float64()), ("most_per_day", pa.float64()), ("validity_days", pa.int64()),
    ("is_recognised", pa.bool_()), ("part_of", pa.list_(pa.string())), ("sex_code", pa.string()), ("lowest_age", pa.int64()), ("highest_age", pa.int64()),
    ("antibiotic_class", pa.string()), ("ddds", pa.float64()), ("is_high_value", pa.bool_()), ("needs", pa.list_(pa.string())),
    ("role", pa.string()),
])


def charge_list(catalog: Catalog) -> Lookup:
    """The items of the site's price list, one row each; what an item does not have is NULL."""
    columns = {name: [_value(getattr(item, name)) for item in catalog.charge_items.values()] for name in SCHEMA.names}
    return Lookup(pa.table(columns, SCHEMA), READ_BY)


def _value(value: object) -> object:
    return list(value) if isinstance(value, tuple) else None if value == "" else value
