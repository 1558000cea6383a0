"""The notifiable diseases as derivations read them."""

from __future__ import annotations

import pyarrow as pa

from quanmin.catalog import Catalog
from quanmin.records.fingerprints import Lookup

NAME, CODES, PATHOGENS = "disease_list", "disease_icd10", "disease_pathogen"


def disease_lists(catalog: Catalog) -> dict[str, Lookup]:
    """The diseases, the beginnings of their ICD-10 codes, and their pathogens, one row each."""
    known = catalog.diseases.values()
    schema = pa.schema([("code", pa.string()), ("law_class", pa.string()), ("report_hours", pa.int64()), ("trigger_code", pa.string())])
    rows = [{"code": d.code, "law_class": d.law_class, "report_hours": d.report_hours, "trigger_code": d.trigger} for d in known]
    by_icd10 = [(d.code, prefix) for d in known for prefix in d.icd10]
    by_pathogen = [(d.code, pathogen) for d in known for pathogen in d.pathogens]
    return {
        NAME: Lookup(pa.Table.from_pylist(rows, schema), ("notifiable_case", "daily_count")),
        CODES: Lookup(_pairs(by_icd10, "prefix"), ("missed_case",)),
        PATHOGENS: Lookup(_pairs(by_pathogen, "pathogen_code"), ("missed_case", "daily_count")),
    }


def _pairs(pairs: list[tuple[str, str]], name: str) -> pa.Table:
    return pa.table({"disease_code": pa.array([code for code, _ in pairs], pa.string()), name: pa.array([other for _, other in pairs], pa.string())})
