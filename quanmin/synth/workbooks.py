"""Excel workbooks as bureaus fill them: title rows, Chinese headers in row 3, some numbers as text with thousands separators."""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from quanmin.synth import settings
from quanmin.synth.activity import Activity
from quanmin.synth.place import CATALOG, Place, table, words
from quanmin.synth.sheets import Column
from quanmin.synth.text import choose, pick, texts

CENTS = ("_cny", "_ddd", "_tce", "_ml")


@cache
def labels(table_id: str) -> dict[str, str]:
    """Column → Chinese label of a table of the catalogue."""
    columns = tomllib.loads((CATALOG / "tables" / f"{table_id}.toml").read_text("utf-8"))["columns"]
    return {name: c["zh"] for name, c in columns.items()}


class FacilityBooks:
    """Monthly and yearly values of every institution that reports to its county bureau."""

    def __init__(self, place: Place, activity: Activity, residents: int, seed: int) -> None:
        self.place, self.activity, self.residents = place, activity, residents
        self.rng = np.random.Generator(np.random.Philox(key=np.array([seed, 2**40], dtype=np.uint64)))
        self.caring = {f["facility_code"]: k for k, f in enumerate(place.caring)}
        self.reporting = [f for f in place.facilities if f["facility_code"][6] in "HTP" or f["facility_code"].endswith("V")]
        self.reporting = [f for f in self.reporting if f["county_code"] in {c["region_code"] for c in place.counties}]
        self.group = np.array([self._group(f) for f in self.reporting])
        self.lead = np.array([f["is_community_lead"] == "true" for f in self.reporting])
        self.code = texts([f["facility_code"] for f in self.reporting])
        occupied = activity.occupied()
        daily = occupied[:, -24:].sum(1) / (settings.MONTH_STARTS[-1] - settings.MONTH_STARTS[-25])
        hospital = ~place.is_primary
        use = np.where(hospital, 0.76 + 0.2 * self.rng.random(len(daily)), 0.52)
        self.beds = np.where((daily > 0) | hospital, np.maximum(1, np.rint(daily / use)), 0).astype(np.int64)
        outside = place.tier == 3
        self.beds[outside] = 900 + np.arange(outside.sum()) * 350  # provincial hospitals: their size does not follow from our residents
        self.month = self._months(occupied)
        self.yearly = self.year_values()

    @staticmethod
    def _group(facility: dict[str, str]) -> str:
        letter = facility["facility_code"][6]
        return "V" if facility["facility_code"].endswith("V") and len(facility["facility_code"]) > 12 else letter

    def _caring_rows(self) -> np.ndarray:
        return np.array([self.caring.get(f["facility_code"], -1) for f in self.reporting])

    def _months(self, occupied: np.ndarray) -> dict[str, np.ndarray]:
        """Monthly values by column: (reporting, months)."""
        known = self._caring_rows()
        counts = dict(self.activity.sums)
        days = np.diff(settings.MONTH_STARTS)
        counts["occupied_bed_days"] = occupied
        counts["open_bed_days"] = np.maximum(self.beds[:, None] * days, np.ceil(occupied * 0.9))
        found = {k: np.where(known[:, None] >= 0, v[known.clip(min=0)], 0.0) for k, v in counts.items()}
        self._clinics(found)
        found["medical_income_cny"] = found["outpatient_income_cny"] + found["inpatient_income_cny"]
        found["drug_income_cny"] = found["outpatient_drug_income_cny"] + found["inpatient_drug_income_cny"]
        found["material_income_cny"] = found["inpatient_material"] + 0.04 * found["outpatient_income_cny"]
        self._ratios(table("month_fields.csv"), found)
        room = found["medical_income_cny"] - found["drug_income_cny"] - found["material_income_cny"]
        found["service_income_cny"] = np.minimum(found["service_income_cny"], np.floor(room.clip(min=0)))
        return found

    def _clinics(self, found: dict[str, np.ndarray]) -> None:
        """Visits of clinics and of private hospitals that send no single visits."""
        village = {v["region_code"]: k for k, v in enumerate(self.place.villages)}
        share = self.activity.village_people / max(self.activity.village_people.sum(), 1)
        sends = np.array(["visit" in self.place.kinds[f["kind"]].get("sends", ()) for f in self.reporting])
        unseen = np.flatnonzero(np.isin(self.group, ["P", "V"]) | ((self.group == "H") & ~sends))
        for k in unseen.tolist():
            group = self.group[k]
            monthly = {"V": 0.1, "P": 0.0005, "H": 0.0009}[group]
            people = share[village[self.reporting[k]["region_code"]]] if group == "V" else 1.0
            expected = people * self.residents * monthly * (0.7 + 0.6 * self.rng.random())
            found["outpatient_count"][k] = self.rng.poisson(expected, settings.MONTHS)
            found["tcm_visit_count"][k] = self.rng.binomial(found["outpatient_count"][k].astype(int), 0.36 if group != "H" else 0.1)
            found["outpatient_income_cny"][k] = np.round(found["outpatient_count"][k] * {"V": 42, "P": 130, "H": 210}[group], 2)

    def _ratios(self, fields: list[dict[str, str]], found: dict[str, np.ndarray]) -> None:
        """Columns that are a share of another column, steady by facility with some monthly noise."""
        for f in fields:
            basis = found[f["basis"]]
            rows = self._members(f["groups"])
            low, high = float(f["low"]), float(f["high"])
            own = self.rng.random((len(basis), 1)) * 0.8 + self.rng.random(basis.shape) * 0.2
            value = basis * (low + (high - low) * own)
            value = np.round(value, 2) if f["column"].endswith(CENTS) else self._whole(value, high)
            found[f["column"]] = np.where(rows[:, None], value, found.get(f["column"], np.zeros(basis.shape)))

    def _whole(self, value: np.ndarray, high: float) -> np.ndarray:
        """Whole numbers with the right mean; never above the basis when the ratio is at most one."""
        lower = np.floor(value)
        return (
            np.where(self.rng.random(value.shape) < value - lower, lower + 1, lower)
            if high > 1
            else np.floor(value + self.rng.random(value.shape) * 0.999)
        )

    def _members(self, groups: str) -> np.ndarray:
        return np.isin(self.group, list(groups)) | (self.lead if "L" in groups else False)

    def month_columns(self, county: str, months: np.ndarray) -> list[Column]:
        """Columns of the monthly workbook of a county: one row per institution and month; nothing for the hospital that fell silent."""
        here = np.flatnonzero(np.array([f["county_code"] == county for f in self.reporting]))
        row, month = np.repeat(here, len(months)), np.tile(months, len(here))
        silent, since = self.place.silent
        gone = np.array([f["facility_code"] == self.place.caring[silent]["facility_code"] for f in self.reporting])
        keep = ~(gone[row] & (month >= since))
        row, month = row[keep], month[keep]
        columns: list[Column] = [pick(self.code, row), pick(texts([f"{m}-01" for m in settings.MONTH_NAMES]), month)]
        for name in list(labels("facility_month"))[2:]:
            value = self.month[name][row, month] if name in self.month else np.full(len(row), np.nan)
            value = np.round(value, 2) if name.endswith(CENTS) else np.floor(value)
            columns.append(np.where(self._reports(name)[row], value, np.nan))
        return columns

    def _reports(self, column: str) -> np.ndarray:
        """Which institutions fill a monthly column; clinics only count visits."""
        groups = "".join(r["groups"] for r in table("month_fields.csv") if r["column"] == column) or "HT"
        return self._members(groups) | (column in ("outpatient_count", "tcm_visit_count", "outpatient_income_cny", "medical_income_cny"))

    def year_values(self) -> dict[str, np.ndarray]:
        """Yearly values by column: (reporting, years), NaN where an institution does not report."""
        years, count = len(settings.YEARS), len(self.reporting)
        known = self._caring_rows()
        growth = 1 + 0.018 * (np.arange(years) - years + 1)
        beds = np.where(known >= 0, self.beds[known.clip(min=0)], 0)[:, None] * growth
        visits = self.month["outpatient_count"].sum(1)[:, None] / 5 * growth
        chance = min(1.0, self.residents / 1_200_000)
        staff = beds * 1.2 + visits / 4500
        small = np.isin(self.group, ["P", "V"])
        staff = np.where(small[:, None], np.where(self.rng.random((count, 1)) < chance, 1, 0), np.maximum(1, staff))
        found = {"bed_count": np.rint(beds), "staff_count": np.rint(staff)}
        for f in table("year_fields.csv"):
            rows = self._members(f["groups"])[:, None]
            low, high = float(f["low"]), float(f["high"])
            draw = self.rng.random((count, 1)) * 0.85 + self.rng.random((count, years)) * 0.15
            if f["basis"] == "chance":
                value = np.broadcast_to((self.rng.random((count, 1)) < low).astype(float), (count, years))
            elif f["basis"] == "fixed":
                value = low + (high - low) * draw
            else:
                value = found[f["basis"]] * (low + (high - low) * draw)
            if f["basis"] != "chance" and not f["column"].endswith(("_cny", "_satisfaction", "_score", "_use", "_day")):
                # In small institutions most parts are below one: rounding at random, once for each institution, keeps the sums right.
                value = np.floor(value + (self.rng.random((count, 1)) if f["basis"] in found and high <= 1 else 0.5))
            if f["column"] == "nurse_count":
                value = np.minimum(value, found["technical_staff_count"] - found["physician_count"])
            found[f["column"]] = np.where(rows, np.round(value, 2), found.get(f["column"], np.full((count, years), np.nan)))
        found["physician_count"] = np.where(small[:, None], found["staff_count"], found["physician_count"])
        found["technical_staff_count"] = np.where(small[:, None], found["staff_count"], found["technical_staff_count"])
        found["nurse_count"] = np.where(
            small[:, None], 0, np.minimum(found["nurse_count"], found["technical_staff_count"] - found["physician_count"])
        )
        return found

    def year_columns(self, county: str) -> list[Column]:
        """Columns of the yearly workbook of a county: one row per institution and year."""
        yes, no = (words("words.toml")["visit"][k]["zh"] for k in ("yes", "no"))
        here = np.flatnonzero(np.array([f["county_code"] == county for f in self.reporting]))
        row, year = np.repeat(here, len(settings.YEARS)), np.tile(np.arange(len(settings.YEARS)), len(here))
        switches = {r["column"] for r in table("year_fields.csv") if r["basis"] == "chance"}
        columns: list[Column] = [pick(self.code, row), settings.YEARS[year].astype(float)]
        for name in list(labels("facility_year"))[2:]:
            value = self.yearly[name][row, year] if name in self.yearly else np.full(len(row), np.nan)
            columns.append(choose(np.isnan(value), "", choose(value > 0, yes, no)) if name in switches else value)
        return columns
