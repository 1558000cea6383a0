"""What is true, kept beside the files: residents, records, stays, shares, errors, what is missing and what happened."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quanmin.synth import settings
from quanmin.synth.dirt import Kind
from quanmin.synth.identity import KINDS
from quanmin.synth.illness import Rows
from quanmin.synth.naming import all_letters
from quanmin.synth.people import NEVER, People
from quanmin.synth.place import Place
from quanmin.synth.text import glue, line_bytes, number, pick, texts


def _date(days: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=np.abs(days) >= NEVER).cast(pa.date32())


class Truth:
    """Writes truth/ block by block; sums up what has one row per month and county."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder, self.place = folder / "truth", place
        self.folder.mkdir(parents=True, exist_ok=True)
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.error_file = (self.folder / "errors.csv").open("wb")
        self.error_file.write(b"file,line,table,kind,field,found_by\n")
        self.violation_file = (self.folder / "violations.csv").open("wb")
        self.violation_file.write(b"family,rule,facility_code,subject,found_on,is_violation\n")
        counties = len(place.counties)
        self.shares = np.zeros((settings.MONTHS, counties, 3), dtype=np.int64)  # in county, in city, all
        self.outflow: dict[tuple[int, ...], int] = {}
        self.deaths = np.zeros((len(place.caring), 3))  # stays, deaths, expected deaths
        self.county_of_village = texts([place.counties[k]["region_code"] for k in place.town_county[place.village_town]] + [""])
        self.village_code = texts([v["region_code"] for v in place.villages] + [""])
        self.facility_code = texts([f["facility_code"] for f in place.caring])

    def write(self, name: str, columns: dict[str, Any]) -> None:
        """Appends a batch to a Parquet file."""
        batch = pa.table(columns)
        if name not in self.writers:
            self.writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", batch.schema, compression="zstd")
        self.writers[name].write_table(batch)

    def people(self, people: People) -> None:
        """Everyone of a block, outsiders included (blank region)."""
        everyone = np.arange(len(people))
        letters = people.letters
        self.write(
            "residents",
            {
                "resident_id": people.ids(everyone),
                "name": people.texts["name"],
                "sex_code": number(np.where(people.male, 1, 2)),
                "birth_date": _date(people.birth_day),
                "identity_number": all_letters(letters),
                "phone": people.texts["phone"],
                "address": people.texts["address"],
                "region_code": self.village_code.take(pa.array(np.where(people.village < 0, len(self.village_code) - 1, people.village))),
                "county_code": self.county_of_village.take(
                    pa.array(np.where(people.village < 0, len(self.county_of_village) - 1, people.village))
                ),
                "household": glue(f"H{people.block:04d}", number(people.household, 5)),
                "is_resident": people.resident,
                "is_insured": people.insured & people.resident,
                "died_on": _date(people.died),
                "moved_out_on": _date(people.moved_out),
                "moved_within_on": _date(people.move_day),
            },
        )

    def records(
        self, table: str, files: list[str], file: np.ndarray, line: np.ndarray, person: pa.Array, kind: np.ndarray | None = None
    ) -> None:
        """Which resident each line of a received file is about."""
        used, code = np.unique(file, return_inverse=True)
        count = len(line)
        self.write(
            "records",
            {
                "file": pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), texts([files[k] for k in used])).cast(pa.string()),
                "line": pa.array(line.astype(np.int64)),
                "table": pa.repeat(pa.scalar(table), count),
                "true_resident_id": person,
                "identity_error": pick(texts(KINDS), np.zeros(count, dtype=np.int64) if kind is None else kind),
            },
        )

    def errors(self, file: pa.Array, line: np.ndarray, table: str, kind: Kind) -> None:
        """Planted errors of one kind."""
        rows = glue(file, ",", number(line), f",{table},{kind.name},{kind.field},{kind.found_by}\n")
        self.error_file.write(line_bytes(rows, 0, len(rows)))

    def violations(self, family: str, rule: str, facility: pa.Array, subject: pa.Array, found_on: pa.Array, is_violation: np.ndarray) -> None:
        """Planted violations of one rule of supervision and their innocent look-alikes; the subject is the record's number as it was sent."""
        rows = glue(f"{family},{rule},", facility, ",", subject, ",", found_on, ",", number(is_violation), "\n")
        self.violation_file.write(line_bytes(rows, 0, len(rows)))

    def stays(self, rows: Rows, people: People, codes: pa.Array, ids: pa.Array) -> None:
        """True stays of a block (not the planted extra records): one row each, and the sums of shares, outflow and deaths."""
        place = self.place
        month = settings.month_of(rows["discharge"])
        home = np.where(
            people.village[rows["person"]] >= 0, place.town_county[place.village_town[people.village[rows["person"]].clip(min=0)]], -1
        )
        there = place.facility_county[rows["facility"]]
        resident = home >= 0
        outside = len(place.counties)
        for k, mask in enumerate((there == home, there < outside, np.ones(len(home), dtype=bool))):
            np.add.at(self.shares[..., k], (month[resident & mask], home[resident & mask]), 1)
        avoidable = resident & (there != home) & (rows["home"] == home) & rows["could_stay"]
        leaves = resident & (there != home)
        cell = np.stack([month, home, rows["case"], rows["severity"]], axis=1)[leaves]
        for keys, key_counts, weight in ((cell, 0, None), (cell, 1, avoidable[leaves])):
            chosen = keys if weight is None else keys[weight]
            groups, counts = np.unique(chosen, axis=0, return_counts=True)
            for group, count in zip(groups.tolist(), counts.tolist(), strict=True):
                self.outflow[(*group, key_counts)] = self.outflow.get((*group, key_counts), 0) + count
        np.add.at(self.deaths, rows["facility"][resident], np.stack([np.ones(len(home)), rows["died"], rows["risk"]], axis=1)[resident])
        self.write(
            "stays",
            {
                "true_resident_id": ids,
                "facility_code": pick(self.facility_code, rows["facility"]),
                "case_number": number(rows["case_number"], 9),
                "admitted_on": _date(rows["admit"]),
                "discharged_on": _date(rows["discharge"]),
                "principal_diagnosis_code": pick(codes, rows["principal"]),
                "severity": rows["severity"].astype(np.int8),
                "need": rows["need"].astype(np.int8),
                "home_county": self.county(home),
                "home_county_then": self.county(rows["home"]),
                "facility_county": self.county(np.where(there < outside, there, -1)),
                "died": rows["died"],
                "death_risk": rows["risk"].astype(np.float32),
                "could_stay": rows["could_stay"],
                "avoidable_outflow": avoidable,
                "transferred_in": rows["transferred"],
            },
        )

    def county(self, index: np.ndarray) -> pa.Array:
        """County codes; -1 is blank."""
        codes = texts([c["region_code"] for c in self.place.counties] + [""])
        return codes.take(pa.array(np.where(index < 0, len(codes) - 1, index)))

    def table(self, name: str, header: list[str], rows: list[list[Any]]) -> None:
        """Writes a small CSV file."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    def close(self, case_names: list[str]) -> None:
        """Writes the sums and closes every file."""
        place = self.place
        codes = [c["region_code"] for c in place.counties]
        self.table(
            "in_county_share.csv",
            ["month", "county", "in_county", "in_city", "total"],
            [[settings.MONTH_NAMES[m], codes[c], *self.shares[m, c].tolist()] for m in range(settings.MONTHS) for c in range(len(codes))],
        )
        keys = sorted({k[:4] for k in self.outflow})
        self.table(
            "avoidable_outflow.csv",
            ["month", "county", "case_type", "severity", "outflow", "avoidable"],
            [
                [
                    settings.MONTH_NAMES[m],
                    codes[c],
                    case_names[case],
                    severity,
                    self.outflow.get((m, c, case, severity, 0), 0),
                    self.outflow.get((m, c, case, severity, 1), 0),
                ]
                for m, c, case, severity in keys
            ],
        )
        self._planted()
        for writer in self.writers.values():
            writer.close()
        self.error_file.close()
        self.violation_file.close()

    def _planted(self) -> None:
        """What was planted where, besides errors."""
        place = self.place
        planted = place.names["planted"]["excess_mortality"]
        worse = place.find(planted["kind"], planted["county"])
        self.table(
            "excess_mortality.csv",
            ["facility_code", "odds_ratio", "stays", "deaths", "expected_deaths"],
            [
                [
                    f["facility_code"],
                    planted["odds_ratio"] if k == worse else 1,
                    int(self.deaths[k, 0]),
                    int(self.deaths[k, 1]),
                    round(self.deaths[k, 2], 3),
                ]
                for k, f in enumerate(place.caring)
            ],
        )
        lost = place.names["planted"]["lost_services"]
        self.table(
            "events.csv",
            ["place_code", "from_month", "kind", "detail"],
            [
                [lost["county"], lost["from"], "lost_services", " ".join(lost["services"])],
                [place.caring[place.silent[0]]["facility_code"], settings.MONTH_NAMES[place.silent[1]], "stops_sending", "stay visit"],
                [place.caring[worse]["facility_code"], settings.MONTH_NAMES[0], "excess_mortality", f"odds ratio {planted['odds_ratio']}"],
            ],
        )

    def missing(self, insurer: str) -> None:
        """Submissions that are owed and never come."""
        facility, since = self.place.silent
        code = self.place.caring[facility]["facility_code"]
        rows = [[code, table, m] for table in ("stay", "visit") for m in settings.MONTH_NAMES[since:]]
        rows += [[insurer, "claim", m] for m in self.place.names["planted"]["claims_not_sent"]]
        self.table("missing.csv", ["sender", "table", "month"], rows)
