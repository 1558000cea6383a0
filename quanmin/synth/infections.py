"""Hospital infections and device use of wards: background by patient-days and device-days, planted clusters, sent by the infection-control centre."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.dirt import Kind
from quanmin.synth.outbox import Outbox, Sent, spans
from quanmin.synth.place import Place, words
from quanmin.synth.text import dates, glue, number, pick, texts
from quanmin.synth.truth import Truth

FIRST = settings.MONTH_NAMES.index("2025-11")
HISTORY = 2  # months sent together when the centre was connected; from then on a file every quarter
DEVICES = ("ventilator", "catheter", "line")
ERRORS = (("reported_before_onset", "reported_on"), ("organism_not_in_list", "organism_code"), ("site_not_in_list", "site_code"))
Rows = dict[str, np.ndarray]


class Infections:
    """Draws and sends them; `occupied` are bed-days by caring facility and month."""

    def __init__(self, place: Place, occupied: np.ndarray, residents: int, rng: np.random.Generator) -> None:
        self.place, self.rng, self.words = place, rng, words("infection.toml")
        self.wards: list[dict[str, Any]] = self.words["ward"]
        self.hospitals = np.array([k for k, f in enumerate(place.caring) if f["kind"] in self.words["kinds"] and k != place.silent[0]])
        beds = np.array([ward["beds"] for ward in self.wards])
        self.days = np.rint(occupied[self.hospitals, None, FIRST:] * beds[None, :, None]).astype(np.int64)  # hospital × ward × month
        use = np.array([[ward[device] for ward in self.wards] for device in DEVICES])
        self.device_days = rng.binomial(self.days[None], use[:, None, :, None])
        planted = self.words["planted"]
        self.clusters = planted["clusters"] if residents >= planted["large"] else planted["clusters"][: planted["few"]]
        self.organisms = list(self.words["organism"])
        self.codes = [*self.organisms, "SMA", ""]
        self.sites, self.devices = list(self.words["site"]), list(self.words["device"])

    def send(self, outbox: Outbox, truth: Truth) -> None:
        """Write both kinds of files and what was planted."""
        rows, groups = self._background(), [self._cluster(c) for c in self.clusters]
        rows = {name: np.concatenate([rows[name], *(group[name] for group in groups)]) for name in rows}
        sender = f"IC-{self.place.names['city']['code']}"
        self._send_cases(outbox, truth, sender, rows)
        self._send_wards(outbox, sender)
        code = [f["facility_code"] for f in self.place.caring]
        truth.table("infection_clusters.csv", ["facility_code", "ward", "organism_code", "first_on", "last_on", "cases"], [
            [code[self.place.find(c["kind"], c["county"])], self.wards[c["ward"]]["name"], c["organism"],
             *(str(np.datetime64(int(at(group["day"])), "D")) for at in (np.min, np.max)), c["cases"]] for c, group in zip(self.clusters, groups, strict=True)])

    def _background(self) -> Rows:
        """Infections by chance: of each device by its days, the others by patient-days."""
        rate = np.array([ward["rate"] for ward in self.wards])[None, :, None] / 1000
        cells = [("", self.rng.poisson(self.days * rate))]
        for device, days in zip(DEVICES, self.device_days, strict=True):
            cells.append((device, self.rng.poisson(days * self.words["device_site"][device]["per_1000"] / 1000)))
        parts = [self._drawn(device, *(np.repeat(at, count.ravel()) for at in (axis.ravel() for axis in np.indices(count.shape)))) for device, count in cells]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _drawn(self, device: str, hospital: np.ndarray, ward: np.ndarray, month: np.ndarray) -> Rows:
        count, rng = len(hospital), self.rng
        start = settings.MONTH_STARTS[FIRST + month]
        day = start + (rng.random(count) * (settings.MONTH_STARTS[FIRST + month + 1] - start)).astype(np.int64)
        if device:
            told = self.words["device_site"][device]
            site = np.full(count, self.sites.index(told["site"]))
            which = np.full(count, self.devices.index(told.get("device", device)))
        else:
            chance = np.array([[given["sites"].get(name, 0.0) for name in self.sites] for given in self.wards]).cumsum(axis=1)
            site = (rng.random(count)[:, None] > chance[ward]).sum(axis=1).clip(max=len(self.sites) - 1)
            which = np.full(count, self.devices.index("none"))
        found = np.array([[self.words["organism"][o].get(name, 0.0) for o in self.organisms] for name in self.sites]).cumsum(axis=1)
        organism = (rng.random(count)[:, None] > found[site]).sum(axis=1)
        organism = np.where(organism == len(self.organisms), len(self.codes) - 1, organism)
        share = np.array([self.words["organism"].get(code, {}).get("resistant", 0.0) for code in self.codes])
        return {"facility": self.hospitals[hospital], "ward": ward, "day": day, "site": site, "device": which, "organism": organism,
                "resistant": rng.random(count) < share[organism], "wait": 1 + rng.integers(0, 4, count), "planted": np.zeros(count, dtype=bool)}

    def _cluster(self, told: dict[str, Any]) -> Rows:
        """The cases of a planted cluster, the first on its first day."""
        count = told["cases"]
        first = (date.fromisoformat(told["from"]) - date(1970, 1, 1)).days
        day = first + np.r_[0, np.sort(self.rng.integers(1, told["days"], count - 1))]
        return {"facility": np.full(count, self.place.find(told["kind"], told["county"])), "ward": np.full(count, told["ward"]), "day": day,
                "site": np.full(count, self.sites.index(told["site"])), "device": np.full(count, self.devices.index(told["device"])),
                "organism": np.full(count, self.codes.index(told["organism"])), "resistant": np.full(count, told["resistant"]),
                "wait": 1 + self.rng.integers(0, 4, count), "planted": np.ones(count, dtype=bool)}

    def _entry(self, outbox: Outbox, sender: str, table: str, mapping: str, batch: int) -> Sent:
        """The history in January 2026, then each quarter in the month after it."""
        if batch == 0:
            return outbox.note(f"{sender}/{sender}_{table}_{self.words['history']}.csv", sender, mapping, "2026-01-22")
        first, last = (settings.MONTH_NAMES[min(FIRST + HISTORY + 3 * (batch - 1) + k, settings.MONTHS - 1)] for k in (0, 2))
        year, month = (int(x) for x in last.split("-"))
        return outbox.note(f"{sender}/{sender}_{table}_{first}_{last}.csv", sender, mapping, f"{year + month // 12}-{month % 12 + 1:02d}-07")

    @staticmethod
    def _batch(month: np.ndarray) -> np.ndarray:
        return np.where(month < HISTORY, 0, 1 + (month - HISTORY) // 3)

    def _write(self, outbox: Outbox, sender: str, table: str, mapping: str, columns: dict[str, pa.Array], batch: np.ndarray) -> list[tuple[str, int]]:
        """Append rows sorted by batch; tells the file and line of each."""
        headers = self.words["infections" if table == "hospital_infection" else "wards"]
        lines = glue(glue(*(columns[name] for name in headers), between=","), "\n")
        at: list[tuple[str, int]] = []
        for key, first, last in spans(batch):
            entry = self._entry(outbox, sender, table, mapping, key)
            start = outbox.append(entry, ",".join(headers.values()) + "\n", lines, first, last, "utf-8")
            at += [(entry.file, start + k) for k in range(last - first)]
        return at

    def _send_cases(self, outbox: Outbox, truth: Truth, sender: str, rows: Rows) -> None:
        order = np.lexsort((rows["facility"], rows["day"]))
        rows = {name: values[order] for name, values in rows.items()}
        count, rng = len(order), self.rng
        chance = np.flatnonzero(~rows["planted"])
        spoilt = np.split(rng.choice(chance, min(len(ERRORS), len(chance)), replace=False), range(1, len(ERRORS)))  # no row, or one, for each kind of error
        wait = rows["wait"].copy()
        organism, site = np.array(self.codes, dtype=object)[rows["organism"]], np.array(list(self.words["site"].values()), dtype=object)[rows["site"]]
        wait[spoilt[0]], organism[spoilt[1]], site[spoilt[2]] = -2, "X99", "?"
        columns = {
            "infection_number": glue("G", number(np.arange(count), 7)), "facility_code": self._facility(rows["facility"]),
            "case_number": number(rng.integers(1, 10**8, count), 9), "ward": self._of_ward("name", rows["ward"]),
            "department_code": self._of_ward("department_code", rows["ward"]), "onset_on": dates(rows["day"]), "site_code": texts(site.tolist()),
            "device_code": pick(texts(list(self.words["device"].values())), rows["device"]), "organism_code": texts(organism.tolist()),
            "is_resistant": pick(texts([self.words["no"], self.words["yes"]]), rows["resistant"].astype(np.int64)), "reported_on": dates(rows["day"] + wait),
        }
        batch = self._batch(settings.month_of(rows["day"]) - FIRST)
        at = self._write(outbox, sender, "hospital_infection", "hospital_infection_export", columns, batch)
        for found, (name, field) in zip(spoilt, ERRORS, strict=True):
            for row in found.tolist():
                truth.errors(texts([at[row][0]]), np.array([at[row][1]]), "hospital_infection", Kind(name, field, f"hospital_infection/{name}", None))

    def _send_wards(self, outbox: Outbox, sender: str) -> None:
        month, hospital, ward = (axis.ravel() for axis in np.indices((self.days.shape[2], *self.days.shape[:2])))
        cell = (hospital, ward, month)
        columns = {
            "facility_code": self._facility(self.hospitals[hospital]), "ward": self._of_ward("name", ward),
            "department_code": self._of_ward("department_code", ward), "month": dates(settings.MONTH_STARTS[FIRST + month]),
            "patient_days": number(self.days[cell]),
            **{f"{device}_days": number(days[cell]) for device, days in zip(DEVICES, self.device_days, strict=True)},
        }
        self._write(outbox, sender, "ward_device_month", "ward_device_export", columns, self._batch(month))

    def _facility(self, at: np.ndarray) -> pa.Array:
        return pick(texts([f["facility_code"] for f in self.place.caring]), at)

    def _of_ward(self, key: str, at: np.ndarray) -> pa.Array:
        return pick(texts([ward[key] for ward in self.wards]), at)
