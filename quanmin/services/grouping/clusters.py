"""`quanmin cluster`: DIP groups, their points and weights, drawn from cases (method: dip.py) and put among a site's definitions."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.catalog import Catalog
from quanmin.catalog.dip_files import COMPOSITE, CORE, FILES, JOINT
from quanmin.catalog.messages import LANGUAGES, all_messages, say
from quanmin.catalog.reading import Complaints, Definition
from quanmin.catalog.weight_files import read_weights
from quanmin.model import Problem, Refusal
from quanmin.records.sources.bare_file import open_bare
from quanmin.services.grouping.cases import COLUMNS as CASE_COLUMNS
from quanmin.services.grouping.cases import cases_of
from quanmin.services.grouping.dip import ReadyDip, keys_of
from quanmin.services.grouping.publishing import csv_text, place
from quanmin.services.grouping.schemes import DIAGNOSES, PROCEDURES, dip_of
from quanmin.services.grouping.weights import WEIGHTS_SQL, Asked, weight_texts

METHOD = "dip"
CHARGE, DAYS, DIAGNOSED = "total_charge_cny", "stay_days", "diagnoses"
NAME = re.compile("[a-z][a-z0-9_]{1,39}")
_FOLDER = Path(__file__).parent
_ONE_MONTH = {"first": "2000-01", "last": "2000-01", "minimum": 1}  # of clusters.sql, where all cases have one day; no group leans on another


@dataclass(frozen=True)
class Clusters:
    """DIP groups: rows with the columns of groups.csv, and rows of weights; `cases` are in them, `left` have no known principal diagnosis."""

    groups: list[dict[str, Any]]
    weights: list[dict[str, Any]]
    cases: int
    left: int

    @property
    def core(self) -> int:
        """How many are core groups."""
        return sum(row["type"] == CORE for row in self.groups)


def site_cases(engine: Asked, first: str, last: str) -> pa.Table:
    """The cases of a snapshot's front pages discharged in the months `first` to `last`: diagnoses, procedures (lists), charge (CNY), days, died."""
    return engine.table((_FOLDER / "clusters_stays.sql").read_text("utf-8"), {"first": first, "last": last})


def file_cases(path: Path, charge: str = CHARGE) -> tuple[pa.Table, list[Problem]]:
    """The same of a bare file (CSV, Excel, Parquet), `charge` being its column of charges, and its lines that could not be read.

    Raises Refusal for a file that cannot be read or has no such columns. Days come from stay_days where it is there; deaths are not known.
    """
    opened = open_bare(path)
    missing = [name for name in (DIAGNOSED, charge) if name not in opened.header]
    if missing:
        shown = ", ".join(opened.header)[:200]
        columns = ", ".join((DIAGNOSED, "procedures", charge, DAYS))
        raise Refusal(Problem(str(path), 1, missing[0], "", say("column_not_there", columns=shown), say("mend_case_columns", columns=columns)))
    parts, problems = [], list[Problem]()
    for batch in opened.batches:
        table, blank = batch.table, pa.nulls(len(batch.table), pa.string())
        taken = {"diagnoses": table[DIAGNOSED], "procedures": table["procedures"] if "procedures" in opened.header else blank,
                 "charge": _amount(table[charge]), "days": _amount(table[DAYS]) if DAYS in opened.header else pa.nulls(len(table), pa.float64()),
                 "died": pa.nulls(len(table), pa.bool_())}
        parts.append(pa.table(taken))
        problems += batch.malformed
    if not parts:
        raise _nothing(str(path))
    return pa.concat_tables(parts), problems


def _amount(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as they stand or as text, with a comma between thousands or a sign of currency; null where there is none."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        bare = pc.replace_substring_regex(column, "[,\u00a5\uffe5\\s]", "")
        column = pc.if_else(pc.match_substring_regex(bare, r"^\d{1,12}(\.\d{1,6})?$"), bare, pa.scalar(None, column.type))
    return pc.cast(column, pa.float64())


def _nothing(told: str) -> Refusal:
    return Refusal(Problem(told, None, "", "", say("no_cases_to_cluster"), say("mend_no_grouped_stays")))


def drawn_clusters(catalog: Catalog, method: ReadyDip, cases: pa.Table, least: int) -> Clusters:
    """The DIP groups of cases with columns diagnoses, procedures, charge, days, died; only those with a charge above 0 count.

    Raises Refusal where none has a known principal diagnosis.
    """
    cases = cases.filter(pc.fill_null(pc.greater(cases["charge"], 0), False))
    unknown = pa.nulls(len(cases), pa.string())
    read = cases_of(cases.select(["diagnoses", "procedures"]).append_column("sex", unknown).append_column("age_years", unknown)
                    .append_column("age_days", unknown).append_column("birth_weight_g", unknown).select(CASE_COLUMNS), method.diagnoses, method.procedures)
    keys = keys_of(method, read)
    keyed = pa.table({**{name: keys[name] for name in keys.column_names}, **{name: cases[name] for name in ("charge", "days", "died")}})
    known = keyed.filter(pc.is_valid(keyed["category"]))
    if not len(known):
        raise _nothing("diagnoses")
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = FALSE")
        connection.register("keyed", known)
        connection.execute((_FOLDER / "clusters.sql").read_text("utf-8"), {"least": least})
        groups = connection.execute((_FOLDER / "clusters_named.sql").read_text("utf-8")).to_arrow_table().to_pylist()
        weights = connection.execute(WEIGHTS_SQL, _ONE_MONTH).to_arrow_table().to_pylist()
    if known["died"].null_count == len(known):
        weights = [row | {"risk_level": None} for row in weights]
    by_group = {row["drg"]: row for row in weights}
    names = _Names(catalog, method)
    rows = [{**row, "group": row["drg"], "type": CORE if row["is_core"] else COMPOSITE, "points": f"{by_group[row['drg']]['weight'] * 1000:.3f}",
             "mean_charge_cny": by_group[row["drg"]]["mean_charge_cny"], **names.of(row)} for row in groups]
    return Clusters(rows, weights, len(known), len(keyed) - len(known))


class _Names:
    """What groups are called: after the first diagnosis and procedures under their categories in Chinese, by their codes in English."""

    def __init__(self, catalog: Catalog, method: ReadyDip) -> None:
        self.diagnoses, self.procedures = catalog.codes[DIAGNOSES].codes, catalog.codes[PROCEDURES].codes
        self.ordered = {DIAGNOSES: method.diagnoses.names, PROCEDURES: method.procedures.names}

    def _first(self, listed: str, beginning: str) -> str:
        names = self.ordered[listed]
        return names[bisect_left(names, beginning)]

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """zh and en of a group."""
        said, procedures = all_messages(), [one for one in row["procedures"].split(JOINT) if one]
        message = ("cluster_core" if procedures else "cluster_plain") if row["is_core"] else "cluster_composite"
        kinds = said[f"procedure_kind_{row['kind']}"]
        told = {"zh": {"diagnosis": self.diagnoses[self._first(DIAGNOSES, row["diagnosis"])].zh,
                       "procedures": JOINT.join(self.procedures[self._first(PROCEDURES, one)].zh for one in procedures)},
                "en": {"diagnosis": row["diagnosis"], "procedures": row["procedures"]}}
        return {spoken: said[message][spoken].format(kind=kinds[spoken], **told[spoken]) for spoken in LANGUAGES}


def publish_clusters(catalog: Catalog, cases: pa.Table, definitions: Path, scheme: str, valid_from: str, least: int, drawn_from: str) -> tuple[Clusters, Path]:
    """Draw DIP groups from cases and put them, and the weights of their groups from a day on, among a site's definitions; returns them and their card.

    `drawn_from` (months, a file) is told on the card. Raises Refusal, and changes nothing, for a name that is taken or none, or where no case can be used.
    """
    if not NAME.fullmatch(scheme) or scheme == METHOD or catalog.groupers.kind(scheme) not in ("", "dip"):
        raise Refusal(Problem("--id", None, "", scheme, say("bad_scheme_name"), "--id dip_region"))
    found = drawn_clusters(catalog, dip_of(catalog, METHOD), cases, least)
    method, names = catalog.groupers[METHOD], {spoken: all_messages()["clusters_drawn"][spoken].format(cases=drawn_from, least=least) for spoken in LANGUAGES}
    zh, en = (json.dumps(names[spoken], ensure_ascii=False) for spoken in ("zh", "en"))
    card = (f'name = {{ zh = {zh}, en = {en} }}\nkind = "dip"\nbased_on = "{METHOD}"\neditions = ["clinical_2_0"]\nstandard = "DIP"\n'
            f'version = {json.dumps(method.version)}\nlicence = "own data"\nsource = {en}\nstatus = "own"\n')
    folder = f"groupers/{scheme}"
    weights = weight_texts(scheme, valid_from, found.weights, "clusters_drawn", {"cases": drawn_from, "least": least})

    def check(draft: Path, complaints: Complaints) -> None:
        tried = catalog.groupers.trial()
        tried.add(Definition(draft / f"{folder}.toml", f"definitions/{folder}.toml", complaints))
        if not complaints.problems:
            _ = tried[scheme]
        cards = [name for name in weights if name.endswith(".toml")]
        for name in cards:
            read_weights(Definition(draft / name, Path(name).name, complaints), (scheme,))

    texts = {f"{folder}/groups.csv": "\ufeff" + csv_text(FILES["groups"][0], found.groups), f"{folder}.toml": card} | weights
    place(definitions, texts, check)  # with a mark of order, so that a spreadsheet opens it as UTF-8
    return found, definitions / f"{folder}.toml"
