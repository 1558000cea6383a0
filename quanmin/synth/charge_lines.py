"""Itemised charges: the lines whose sums are the charge parts of the front pages and visits, by the templates of charge_lines.csv."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from quanmin.catalog.charge_items import shipped_charge_items
from quanmin.synth import settings
from quanmin.synth.illness import Illnesses, Rows
from quanmin.synth.people import People, full_years
from quanmin.synth.place import Place, code_names, table, words
from quanmin.synth.visits import CHECKUP, EMERGENCY, Visits

SMALL = 0.03  # parts of a stay below this share of its total stand in one line of other charges
VISIT_SHARE = 0.25  # of the visits have lines
MADE = {"bed": ("BED",), "nursed": ("NUR02", "NUR03", "NUR04"), "dialysis": ("TRT17",), "performed": ("OPR",)}  # flags set by lines already made
CLINICAL_REASONS = np.array([1, 3, 9])


@dataclass
class Care:
    """Stays and visits as charges hang on them, one entry each: minutes since 1970, days, whether something holds, cents by part of the charge."""

    rows: Rows
    flags: dict[str, np.ndarray]
    parts: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows["person"])

    def holds(self, text: str, case_names: list[str], profiles: list[str]) -> np.ndarray:
        """Where a condition of the templates holds: flags joined by &, `!` before what must not be, case:… and profile:… with alternatives by /."""
        found = np.ones(len(self), dtype=bool)
        for word in filter(None, text.split("&")):
            name = word.removeprefix("!")
            if ":" in name:
                kind, given = name.split(":")
                known = case_names if kind == "case" else profiles
                true = np.isin(self.rows["case"], [k for k, one in enumerate(known) if one in given.split("/")])
            else:
                true = self.flags[name]
            found &= ~true if word.startswith("!") else true
        return found


class ChargeLines:
    """Draws the lines of a block; `codes` are the items in the order of the price list."""

    def __init__(self, place: Place, illnesses: Illnesses, visits: Visits, diagnosis_codes: pa.Array) -> None:
        self.place, self.words = place, words("charge_lines.toml")
        items = shipped_charge_items()
        self.codes, self.at = list(items), {code: k for k, code in enumerate(items)}
        self.ceiling = np.array([round(i.price_cny * 100) for i in items.values()])
        self.validity = np.array([i.validity_days or 0 if i.is_recognised else 0 for i in items.values()])
        self.name = [code_names("charge_item")[code] for code in items]
        self.template: dict[str, list[dict[str, str]]] = {}
        for row in table("charge_lines.csv"):
            self.template.setdefault(row["part"], []).append(row)
        mix = illnesses.mix
        self.case_names, self.profiles = [r["id"] for r in mix.rows], [r["charges"] for r in mix.rows]
        self.visit_names = [r["id"] for r in visits.mix.rows]
        level, self.clean = mix.column("operation_level", int), np.array([r["incision"].startswith(self.words["clean"]) for r in mix.rows])
        self.level = level
        given = self.words["operation"]
        self.operation = np.array([self.at[given.get(r["id"], f"OPR0{max(1, k)}")] for r, k in zip(mix.rows, level.tolist(), strict=True)])
        kind = [r["anaesthesia"][:2] for r in mix.rows]
        self.anaesthesia = np.array([self.at.get(f"ANA{k}", -1) if k else -1 for k in kind])
        infection = re.compile(self.words["infections"])
        self.infectious = np.array([bool(infection.match(code)) for code in diagnosis_codes.to_pylist()])
        self.visit_infectious = np.array([bool(infection.match(code)) for code in visits.code.to_pylist()])

    def of_stays(self, rows: Rows, others: np.ndarray, charges: dict[str, np.ndarray], people: People, rng: np.random.Generator) -> Care:
        """Stays as care."""
        case, tier, count = rows["case"], self.place.tier[rows["facility"]], len(rows["case"])
        infected = self.infectious[rows["principal"]] | (self.infectious[others] & (others >= 0)).any(1)
        operation = rows["operated"] & (self.level[case] > 0)
        severe, adult, hospital = rows["severity"] == 2, rows["age"] >= 18, tier > 0
        flags = {
            "operated": rows["operated"], "operation": operation, "surgical": operation & (self.level[case] >= 2), "clean": operation & self.clean[case],
            "anaesthesia": operation & (self.anaesthesia[case] >= 0), "infection": infected, "severe": severe, "hospital": hospital,
            "special": infected & severe & hospital & adult & ~operation & (rng.random(count) < 0.6), "emergency": rows["route"] == 1,
            "coded": rows["operated"] | (rows["extras"] > 0), "died": rows["died"], "visit": np.zeros(count, dtype=bool), "spare": rows["spare"],
            **self._persons(rows["person"], rows["admit"], people),
        }
        sizes = {name: charges[name] for name in self.words["rest"] if name in charges}
        small = {name: cents < SMALL * rows["total"] for name, cents in sizes.items() if name != "other_cny"}
        parts = {name: np.where(small[name], 0, cents) for name, cents in sizes.items() if name in small}
        parts["other_cny"] = sizes["other_cny"] + sum(np.where(small[name], sizes[name], 0) for name in small)
        kept = {name: rows[name] for name in ("person", "facility", "case", "case_number", "admission_number")}
        times = {"start": rows["admit_at"], "end": rows["discharge_at"], "operation": rows["performed_at"],
                 "days": (rows["discharge"] - rows["admit"]).clip(min=1)}
        return Care({**kept, **times, "serial": np.full(count, -1), "kind": np.zeros(count, dtype=np.int64)}, flags, parts)

    def of_visits(self, rows: Rows, people: People, rng: np.random.Generator) -> Care:
        """Visits as care; those without lines have no parts."""
        count, none = len(rows["person"]), np.zeros(len(rows["person"]), dtype=bool)
        listed = (rng.random(count) < VISIT_SHARE) & (rows["kind"] != CHECKUP)
        flags = {
            **dict.fromkeys(("operated", "operation", "surgical", "clean", "anaesthesia", "severe", "special", "coded", "died", "spare"), none),
            "infection": self.visit_infectious[rows["case"]], "hospital": self.place.tier[rows["facility"]] > 0, "emergency": rows["kind"] == EMERGENCY,
            "visit": ~none, **self._persons(rows["person"], rows["day"], people),
        }
        parts = {"visit_drug": np.where(listed, rows["drug"], 0), "visit_rest": np.where(listed, rows["total"] - rows["drug"], 0)}
        zero, kept = np.zeros(count, dtype=np.int64), {name: rows[name] for name in ("person", "facility", "case", "serial", "kind")}
        times = {"start": rows["at"], "end": rows["at"] + 45, "operation": rows["at"], "days": zero + 1}
        return Care({**kept, **times, "case_number": zero, "admission_number": zero}, flags, parts)

    def _persons(self, person: np.ndarray, day: np.ndarray, people: People) -> dict[str, np.ndarray]:
        age = full_years(people.birth_day[person], day)
        return {"male": people.male[person], "female": ~people.male[person], "child": age < 15, "minor": age < 18, "adult": age >= 18, "elder": age >= 60,
                "newborn": day - people.birth_day[person] <= 28}

    def lines(self, care: Care, rng: np.random.Generator) -> Rows:
        """The lines: `record` (entry of the care), `item`, `quantity`, `price` (cents), `at` (minutes), `reason` to repeat a test (0 none)."""
        found: list[Rows] = []
        names = self.visit_names if care.flags["visit"].any() else self.case_names
        done = {name: np.zeros(len(care), dtype=bool) for name in MADE}
        for part, cents in care.parts.items():
            left = cents.copy()
            for row in self.template.get(part, ()):
                care.flags.update(done)
                made = self._line(row, care, left, cents, names, rng)
                left[made["record"]] -= made["quantity"] * made["price"]
                found.append(made)
                for name, items in MADE.items():
                    if row["item"].startswith(items):
                        done[name][made["record"]] = True
            if part in self.words["rest"]:
                found.append(self._rest(part, left))
                found[-1]["at"] = self._moment("start" if care.flags["visit"].any() else "end", care, found[-1]["record"], rng)
        return {name: np.concatenate([one[name] for one in found]) for name in found[0]}

    def _line(self, row: dict[str, str], care: Care, left: np.ndarray, cents: np.ndarray, names: list[str], rng: np.random.Generator) -> Rows:
        hit = care.holds(row["when"], names, self.profiles) & (rng.random(len(care)) < float(row["chance"]))
        record = np.flatnonzero(hit & (left > 0))
        case = care.rows["case"][record]
        item = self.operation[case] if row["item"] == "OPR" else self.anaesthesia[case] if row["item"] == "ANA" else np.full(len(record), self.at[row["item"]])
        quantity = _quantity(row["quantity"], care.rows["days"][record])
        price = np.minimum(self.ceiling[item], np.minimum(cents[record] * float(row["share"]), left[record]).astype(np.int64) // quantity)
        keep = price >= 10
        record, item, quantity, price = record[keep], item[keep], quantity[keep], price[keep]
        return _lines(record, item, quantity, price, self._moment(row["at"], care, record, rng))

    def _rest(self, part: str, left: np.ndarray) -> Rows:
        record = np.flatnonzero(left >= 100)
        item = np.full(len(record), self.at[self.words["rest"][part]])
        quantity = -(-left[record] // self.ceiling[item])
        return _lines(record, item, quantity, left[record] // quantity, np.zeros(len(record), dtype=np.int64))

    @staticmethod
    def _moment(word: str, care: Care, record: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        start, end = care.rows["start"][record], care.rows["end"][record]
        draw = rng.random(len(record))
        if word == "operation":
            return care.rows["operation"][record]
        if word == "end":
            return np.maximum(start, end - 5 - (draw * 50).astype(np.int64))
        span = np.minimum(end - start, 180) if word == "start" else end - start
        return start + (draw * span).astype(np.int64)

    def explained(self, lines: Rows, care: Care, bare: np.ndarray, rng: np.random.Generator) -> Rows:
        """Tests repeated while an earlier result is valid get their reason to, but in an emergency, where it is forgotten, and for `bare` lines."""
        valid, record = self.validity[lines["item"]], lines["record"]
        order = np.lexsort((lines["at"], lines["item"], care.rows["person"][record]))
        person, item, at, who = care.rows["person"][record][order], lines["item"][order], lines["at"][order], record[order]
        again = np.zeros(len(order), dtype=bool)
        for step in (1, 2, 3):
            near = (person[step:] == person[:-step]) & (item[step:] == item[:-step]) & (who[step:] != who[:-step])
            again[step:] |= near & (at[step:] // 1440 - at[:-step] // 1440 <= valid[order][step:])
        repeated = np.zeros(len(order), dtype=bool)
        repeated[order] = again & (valid[order] > 0)
        repeated &= ~bare & ~care.flags["emergency"][record] & (rng.random(len(order)) < 0.99)
        drawn = CLINICAL_REASONS[rng.integers(0, 3, len(order))]
        return {**lines, "reason": np.where(repeated & (lines["reason"] == 0), drawn, lines["reason"])}


def _quantity(text: str, days: np.ndarray) -> np.ndarray:
    if not text.startswith("days"):
        return np.full(len(days), int(text))
    if "*" in text:
        return days * int(text.split("*")[1])
    return np.maximum(1, days // int(text.split("/")[1])) if "/" in text else days.copy()


def _lines(record: np.ndarray, item: np.ndarray, quantity: np.ndarray, price: np.ndarray, at: np.ndarray) -> Rows:
    return {"record": record, "item": item, "quantity": quantity, "price": price, "at": at, "reason": np.zeros(len(record), dtype=np.int64)}


def joined(stays: Care, visits: Care) -> Care:
    """Stays, then visits."""
    return Care({k: np.concatenate([stays.rows[k], visits.rows[k]]) for k in stays.rows},
                {k: np.concatenate([stays.flags[k], visits.flags[k]]) for k in stays.flags if k in visits.flags})


def since(day: np.ndarray) -> np.ndarray:
    """Whether what ended on a day has lines."""
    return day >= settings.CHARGES_FROM
