"""Planted violations of the rules over itemised charges, each beside innocent look-alikes of the same picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from quanmin.synth import settings
from quanmin.synth.charge_lines import Care, ChargeLines
from quanmin.synth.illness import Rows

DAY = 1440
CHANGED, BEFORE_OPERATION = 1, 4  # reasons to repeat a test


@dataclass
class Planter:
    """Adds lines to records, each of which is used once; `notes` = family, rule, number of the line (or of the stay), whether it is a violation."""

    care: Care
    lines: Rows
    made: ChargeLines
    rng: np.random.Generator
    free: np.ndarray
    many: int
    added: list[Rows] = field(default_factory=list)
    notes: list[tuple[str, str, np.ndarray, bool]] = field(default_factory=list)
    bare: list[np.ndarray] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Lines so far."""
        return len(self.lines["item"]) + sum(len(one["item"]) for one in self.added)

    def some(self, mask: np.ndarray) -> np.ndarray:
        """Entries of the care that are still free, as many as each kind of violation has."""
        fit = np.flatnonzero(mask & self.free)
        chosen = np.sort(self.rng.choice(fit, min(len(fit), self.many), replace=False))
        self.free[chosen] = False
        return chosen

    def put(self, record: np.ndarray, code: str, quantity: np.ndarray | int, at: np.ndarray, price: float = 0.8, reason: int = 0) -> np.ndarray:
        """Adds a line of an item to each record, at a share of the ceiling; gives the numbers of the lines."""
        count, item = len(record), np.full(len(record), self.made.at[code])
        cents = np.rint(self.made.ceiling[item] * price).astype(np.int64)
        first = self.size
        whole = np.full(count, quantity) if isinstance(quantity, int) else quantity
        self.added.append({"record": record, "item": item, "quantity": whole, "price": cents, "at": at, "reason": np.full(count, reason)})
        return first + np.arange(count)

    def note(self, family: str, rule: str, lines: np.ndarray, is_violation: bool) -> None:
        """Notes lines (or, for a rule over stays, entries of the care) as planted."""
        self.notes.append((family, rule, lines, is_violation))

    def having(self, *codes: str) -> tuple[np.ndarray, np.ndarray]:
        """Which records have one of the items, and when (of the last such line)."""
        at = np.full(len(self.care), -1)
        here = np.isin(self.lines["item"], [self.made.at[code] for code in codes])
        at[self.lines["record"][here]] = self.lines["at"][here]
        return at >= 0, at


def plant_overcharges(care: Care, lines: Rows, made: ChargeLines, rng: np.random.Generator) -> Planter:
    """All lines planted in a block's stays and visits."""
    stays = ~care.flags["visit"]
    free = (care.rows["end"] < (settings.END - 14) * DAY) & ~care.flags["spare"]
    planter = Planter(care, lines, made, rng, free, max(1, round(settings.OVERCHARGED * float(stays.sum()))))
    for plant in (_after_death, _repeated, _antibiotics, _consumables, _unbundled, _excessive, _impossible):
        plant(planter)
    return planter


def _pairs(p: Planter, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each stay, the last visit of the person in the days before it: entry of the visit (-1 none) and days between."""
    visits = np.flatnonzero(p.care.flags["visit"])
    person, day = p.care.rows["person"], p.care.rows["start"] // DAY
    order = visits[np.lexsort((day[visits], person[visits]))]
    key = person[order] * 100_000 + day[order]
    found = np.searchsorted(key, person * 100_000 + day, side="left") - 1
    before = order[found.clip(min=0)]
    gap = day - day[before]
    near = (found >= 0) & (person[before] == person) & (gap >= 1) & (gap <= days) & ~p.care.flags["visit"]
    return np.where(near, before, -1), gap


def _repeated(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "repeated_test"
    before, gap = _pairs(p, 12)
    earlier = before.clip(min=0)
    fit = (before >= 0) & ~f["minor"] & p.free[earlier]
    same = rows["facility"][earlier] == rows["facility"]
    for rule, mask in (("test_repeated_elsewhere", fit & ~same), ("test_repeated_here", fit & same)):
        for emergency, reason, is_violation in ((False, 0, True), (False, CHANGED, False), (True, 0, False)):
            stay = p.some(mask & (f["emergency"] == emergency))
            p.put(earlier[stay], "LAB19", 1, rows["start"][earlier[stay]] + 20)
            lines = p.put(stay, "LAB19", 1, rows["start"][stay] + 90, reason=reason)
            p.bare.append(lines)
            p.note(family, f"charge_review/{rule}", lines, is_violation)
        stay = p.some(mask & (gap >= 5) & ~f["emergency"])  # the earlier result is no longer valid
        p.put(earlier[stay], "LAB03", 1, rows["start"][earlier[stay]] + 20)
        p.note(family, f"charge_review/{rule}", p.put(stay, "LAB03", 1, rows["start"][stay] + 90), False)
    imaged, at = p.having("IMG02", "IMG03", "IMG08")
    for code, reason, is_violation in (("IMG10", 0, True), ("IMG10", BEFORE_OPERATION, False)):
        stay = p.some(imaged & f["adult"] & ~f["visit"] & ~f["emergency"] & (at % DAY < 1200))
        p.bare.append(p.put(stay, code, 1, at[stay], reason=CHANGED))
        lines = p.put(stay, code, 1, at[stay] + 60, reason=reason)
        p.bare.append(lines)
        p.note(family, "charge_review/imaging_twice_a_day", lines, is_violation)
    for times, is_violation in ((6, True), (2, False)):
        stay = p.some((rows["days"] >= 7) & f["adult"] & ~f["visit"] & ~f["emergency"])
        for k in range(times):
            lines = p.put(stay, "LAB20", 1, rows["start"][stay] + 600 + k * DAY, reason=0 if k else CHANGED)
            p.bare.append(lines)
            if k >= 3 or not is_violation:
                p.note(family, "charge_review/test_series_in_stay", lines, is_violation)


def _unbundled(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "unbundled_charge"
    stays, days = ~f["visit"], rows["days"]
    high, _ = p.having("NUR01", "NUR02")
    low, _ = p.having("NUR03", "NUR04")
    for mask, is_violation in ((high, True), (low & ~high, False)):
        stay = p.some(mask & stays & f["adult"])
        p.note(family, "charge_review/part_of_nursing", p.put(stay, "NUR07", days[stay], rows["end"][stay]), is_violation)
    bedded, _ = p.having("BED01", "BED02", "BED03", "BED04")
    stay = p.some(bedded & stays)
    p.note(family, "charge_review/part_of_bed", p.put(stay, "BED06", days[stay], rows["end"][stay]), True)
    for package, part, rule in (("LAB04", "LAB05", "part_of_panel"), ("LAB08", "LAB09", "part_of_panel"), ("IMG08", "IMG16", "part_of_imaging"),
                                ("IMG02", "IMG15", "part_of_imaging"), ("EXM01", "EXM09", "part_of_examination")):
        has, at = p.having(package)
        stay = p.some(has & stays)
        p.note(family, f"charge_review/{rule}", p.put(stay, part, 1, at[stay], reason=3 if part.startswith("LAB") else 0), True)
        stay = p.some(has & stays & (rows["end"] - at > 3 * DAY))  # on another day, by itself
        p.note(family, f"charge_review/{rule}", p.put(stay, part, 1, at[stay] + 2 * DAY, reason=3 if part.startswith("LAB") else 0), False)
    operated, at = p.having("OPR01", "OPR02", "OPR03", "OPR04", "OPR06", "OPR07", "OPR09", "OPR12", "OPR13")
    for part in ("OPR15", "OPR16"):
        stay = p.some(operated & stays & f["operation"])
        p.note(family, "charge_review/part_of_operation", p.put(stay, part, 1, at[stay]), True)
    wound = p.some(f["visit"] & f["hospital"] & f["infection"] & f["adult"])
    p.note(family, "charge_review/part_of_operation", p.put(wound, "OPR15", 1, rows["start"][wound] + 20), False)
    asleep, at = p.having("ANA01", "ANA02")
    stay = p.some(asleep & stays)
    p.note(family, "charge_review/part_of_anaesthesia", p.put(stay, "ANA04", 1, at[stay]), True)
    stay = p.some(f["severe"] & f["hospital"] & stays & ~asleep & f["adult"])
    p.note(family, "charge_review/part_of_anaesthesia", p.put(stay, "TRT21", 1, rows["start"][stay] + 60), False)


def _excessive(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "excessive_charge"
    stays, days, end = ~f["visit"], rows["days"], rows["end"]
    for price, is_violation in ((1.6, True), (1.0, False)):
        stay = p.some(stays)
        p.note(family, "charge_review/price_above_ceiling", p.put(stay, "DRU29", 2, end[stay] - 30, price=price), is_violation)
    bedded, _ = p.having("BED01")
    fit = bedded & stays & (days <= 40)
    for code, more, each, rule in (("BED01", 3, 0, "days_beyond_stay"), ("TRT05", 30, 24, "hours_beyond_stay"), ("TRT15", 5, 2, "times_beyond_stay")):
        used, _ = p.having(code)
        mask = fit if code == "BED01" else fit & ~used
        for extra, is_violation in ((more, True), (1 if code == "BED01" else 0, False)):
            stay = p.some(mask)
            whole = np.full(len(stay), extra) if each == 0 else each * (days[stay] + 1) + extra
            p.note(family, f"charge_review/{rule}", p.put(stay, code, whole, end[stay] - 1, price=0.4), is_violation)
    alive, late = stays & ~f["died"], p.rng.integers(2, 10, len(p.care))
    for code, mask, at, rule, is_violation in (
        ("CON06", alive, end + late * DAY, "charged_after_discharge", True), ("CON06", alive, end + 30, "charged_after_discharge", False),
        ("DRU29", stays, rows["start"] - (late + 3) * DAY, "charged_before_admission", True),
        ("LAB34", stays, rows["start"] - DAY, "charged_before_admission", False),
    ):
        stay = p.some(mask & (rows["start"] > (settings.CHARGES_FROM + 20) * DAY))
        p.note(family, f"charge_review/{rule}", p.put(stay, code, 1, at[stay]), is_violation)
    nursed, _ = p.having("NUR02")
    stay = p.some(nursed & stays & (days >= 4))
    p.put(stay, "NUR03", days[stay], end[stay] - 2)
    p.note(family, "stay_charges/two_grades_of_nursing", stay, True)


def _after_death(p: Planter) -> None:
    f, end = p.care.flags, p.care.rows["end"]
    dead = ~f["visit"] & f["died"]
    for later, is_violation in ((3 * DAY, True), (15, False)):
        stay = p.some(dead)
        p.note("excessive_charge", "charge_review/charged_after_death", p.put(stay, "TRT23", 1, end[stay] + later), is_violation)


def _impossible(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "excessive_charge"
    stays, soon = ~f["visit"], rows["start"] + 40
    for code, mask, rule, is_violation in (
        ("LAB31", f["female"] & f["adult"] & f["elder"], "item_of_other_sex", True), ("LAB32", f["male"] & f["adult"], "item_of_other_sex", True),
        ("LAB32", f["female"] & f["adult"], "item_of_other_sex", False), ("LAB33", f["adult"], "item_of_other_age", True),
        ("LAB33", f["newborn"], "item_of_other_age", False),
    ):
        stay = p.some(mask & stays)
        p.note(family, f"charge_review/{rule}", p.put(stay, code, 1, soon[stay], reason=9), is_violation)
    stay = p.some(stays & f["adult"] & ~f["coded"])
    p.note(family, "charge_review/operation_without_procedure", p.put(stay, "OPR02", 1, rows["start"][stay] + 600), True)


def _antibiotics(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "antibiotic"
    stays, days, soon = ~f["visit"], rows["days"], rows["start"] + 45
    cultured_already, _ = p.having("LAB24", "LAB25")
    ill = stays & f["infection"] & f["adult"] & ~f["special"] & ~cultured_already
    stay = p.some(ill & ~f["hospital"])
    p.note(family, "charge_review/special_antibiotic_in_primary_care", p.put(stay, "DRU12", days[stay] * 2, soon[stay]), True)
    for consulted, cultured, rule, is_violation in ((False, True, "special_antibiotic_without_consultation", True),
                                                    (True, False, "special_antibiotic_without_culture", True),
                                                    (True, True, "special_antibiotic_without_consultation", False)):
        stay = p.some(ill & f["hospital"])
        if consulted:
            p.put(stay, "CON05", 1, soon[stay])
        if cultured:
            p.put(stay, "LAB24", 1, soon[stay])
        p.note(family, f"charge_review/{rule}", p.put(stay, "DRU13", days[stay] * 2, soon[stay] + 30), is_violation)
    for code, is_violation in (("DRU14", True), ("DRU09", False)):
        visit = p.some(f["visit"] & f["infection"] & f["hospital"] & f["adult"])
        p.note(family, "charge_review/special_antibiotic_for_outpatient", p.put(visit, code, 2, soon[visit] - 20), is_violation)
    clean = stays & f["clean"] & ~f["infection"]
    stay = p.some(clean & (rows["end"] - rows["operation"] > 80 * 60))
    p.note(family, "charge_review/prophylaxis_beyond_48_hours", p.put(stay, "DRU03", 4, rows["operation"][stay] + 70 * 60), True)
    stay = p.some(clean & (rows["end"] - rows["operation"] > 36 * 60))
    p.note(family, "charge_review/prophylaxis_beyond_48_hours", p.put(stay, "DRU03", 2, rows["operation"][stay] + 24 * 60), False)
    stay = p.some(stays & ~f["infection"] & ~f["coded"] & f["adult"])
    p.note(family, "charge_review/antibiotic_without_infection", p.put(stay, "DRU05", days[stay], soon[stay]), True)
    stay = p.some(stays & f["infection"] & ~f["coded"] & f["adult"])
    p.note(family, "charge_review/antibiotic_without_infection", p.put(stay, "DRU08", days[stay], soon[stay]), False)
    for codes, is_violation in ((("DRU01", "DRU04", "DRU08", "DRU10", "DRU11"), True), (("DRU08",), False)):
        stay = p.some(ill & f["hospital"])
        for code in codes:
            p.put(stay, code, days[stay], soon[stay])
        p.note(family, "stay_charges/many_antibiotics", stay, is_violation)
    dosed, _ = p.having("DRU05")
    for each, is_violation in ((7, True), (2, False)):
        stay = p.some(ill & ~dosed)
        p.note(family, "charge_review/dose_beyond_daily", p.put(stay, "DRU05", each * (days[stay] + 1), soon[stay], price=0.3), is_violation)
    for mask, is_violation in ((f["minor"], True), (f["adult"], False)):
        stay = p.some(stays & f["infection"] & mask & ~f["newborn"])
        p.note(family, "charge_review/antibiotic_of_other_age", p.put(stay, "DRU07", days[stay], soon[stay]), is_violation)


def _consumables(p: Planter) -> None:
    f, rows, family = p.care.flags, p.care.rows, "consumable"
    stays, soon = ~f["visit"], rows["start"] + 600
    stay = p.some(stays & f["hospital"] & ~f["operation"] & f["adult"])
    p.note(family, "charge_review/implant_without_operation", p.put(stay, "MAT12", 1, soon[stay]), True)
    stay = p.some(stays & ~f["hospital"] & f["adult"])
    p.note(family, "charge_review/high_value_in_primary_care", p.put(stay, "MAT10", 1, soon[stay]), True)
    dialysed, at = p.having("TRT17")
    for mask, is_violation in ((~dialysed, True), (dialysed, False)):
        stay = p.some(stays & mask & f["adult"] & f["hospital"])
        when = np.where(at[stay] > 0, at[stay], soon[stay])
        p.note(family, "charge_review/material_without_service", p.put(stay, "MAT17", 1, when), is_violation)
    operated, at = p.having("OPR01", "OPR02", "OPR03", "OPR04", "OPR06", "OPR07", "OPR09", "OPR12", "OPR13")
    for code in ("MAT04", "MAT05"):
        stay = p.some(operated & stays)
        p.note(family, "charge_review/material_part_of_operation", p.put(stay, code, 1, at[stay]), True)
    traced, at = p.having("EXM01")
    for later, is_violation in ((0, True), (2 * DAY, False)):
        stay = p.some(traced & stays & (rows["end"] - at > 3 * DAY))
        p.note(family, "charge_review/material_part_of_examination", p.put(stay, "MAT07", 3, at[stay] + later), is_violation)
    fixed, at = p.having("OPR07")
    for more, is_violation in ((5, True), (1, False)):
        stay = p.some(fixed & stays)
        p.note(family, "charge_review/high_value_many", p.put(stay, "MAT12", more, at[stay] + 30, price=0.2), is_violation)
    lensed, at = p.having("MAT13")
    stay = p.some(lensed & stays & f["hospital"] & f["operation"])
    lines = np.flatnonzero(np.isin(p.lines["record"], stay) & (p.lines["item"] == p.made.at["MAT13"]))
    p.lines["quantity"][lines] = 6
    p.lines["price"][lines] = p.made.ceiling[p.made.at["MAT13"]]
    p.note(family, "stay_charges/high_value_share_high", stay, True)
