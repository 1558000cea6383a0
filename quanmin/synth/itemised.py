"""Itemised charges of a block: made, spoilt here and there, and sent month by month by the insurance platform."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.charge_lines import Care, ChargeLines, joined, since
from quanmin.synth.dirt import Columns, Kind, plant, rejects
from quanmin.synth.illness import Illnesses, Rows, taken
from quanmin.synth.outbox import Sent
from quanmin.synth.overcharges import Planter, plant_overcharges
from quanmin.synth.people import People
from quanmin.synth.place import Place
from quanmin.synth.posting import Post
from quanmin.synth.text import choose, dates, glue, moments, money, number, pick, same, texts
from quanmin.synth.visits import Visits

TABLE, MAPPING = "charge_item", "charge_item_export"


def line_kinds() -> list[Kind]:
    """The kinds of errors planted in lines."""

    def unknown(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"item_code": glue("Z", columns["item_code"])}

    def nothing(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"quantity": same("0", len(columns["quantity"]))}

    def other(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"amount_cny": money(rows["quantity"] * (rows["price"] + 500))}

    return [
        Kind("item_not_in_list", "item_code", f"{TABLE}/item_not_in_list", unknown),
        Kind("quantity_not_positive", "quantity", f"{TABLE}/quantity_not_positive", nothing),
        Kind("amount_not_product", "amount_cny", f"{TABLE}/amount_not_product", other),
        *rejects("charged_at", "charged_at", "amount_cny", "amount_cny", "charge_number", "charge_number"),
    ]


class Itemised:
    """Makes and sends the lines of each block."""

    def __init__(self, place: Place, illnesses: Illnesses, visits: Visits, diagnosis_codes: pa.Array, staff: pa.Array, sender: str) -> None:
        self.made, self.sender, self.staff = ChargeLines(place, illnesses, visits, diagnosis_codes), sender, staff
        self.place = place
        header = self.made.words["columns"]
        self.order, self.head = list(header), ",".join(header.values()) + "\n"
        self.code, self.name = texts(self.made.codes), texts(self.made.name)
        self.facility_code = texts([f["facility_code"] for f in place.caring])
        self.department = [texts([r["department"] for r in mix.rows]) for mix in (illnesses.mix, visits.mix)]

    def block(
        self, post: Post, stays: Rows, others: np.ndarray, charges: dict[str, np.ndarray], visits: Rows, people: People, rng: np.random.Generator
    ) -> None:
        """The lines of the stays that were sent and of the visits of a block since settings.CHARGES_FROM."""
        silent, day = self.place.silent, visits["day"]
        here = stays["true"] & stays["sent"] & since(stays["discharge"])
        seen = since(day) & ~((visits["facility"] == silent[0]) & (settings.month_of(day) >= silent[1]))
        one = self.made.of_stays(taken(stays, here), others[here], {k: v[here] for k, v in charges.items()}, people, rng)
        two = self.made.of_visits(taken(visits, seen), people, rng)
        drawn = [self.made.lines(care, rng) for care in (one, two)]
        drawn[1]["record"] += len(one)
        care, lines = joined(one, two), {k: np.concatenate([part[k] for part in drawn]) for k in drawn[0]}
        planter = plant_overcharges(care, lines, self.made, rng)
        lines = {k: np.concatenate([part[k] for part in (lines, *planter.added)]) for k in lines}
        bare = np.zeros(len(lines["item"]), dtype=bool)
        bare[np.concatenate([*planter.bare, np.empty(0, dtype=np.int64)])] = True
        lines = self.made.explained(lines, care, bare, rng)
        self._send(post, lines, care, planter, people, rng)

    def _send(self, post: Post, lines: Rows, care: Care, planter: Planter, people: People, rng: np.random.Generator) -> None:
        month = settings.month_of(lines["at"] // 1440)
        file = settings.BATCH_OF_MONTH[month.clip(max=settings.MONTHS - 1)]
        order = np.lexsort((lines["at"], file))
        serial = np.empty(len(order), dtype=np.int64)
        serial[order] = np.arange(len(order))
        number_of = glue("F", number(np.full(len(order), people.block), 4), number(serial, 8))
        noted = np.zeros(len(order), dtype=bool)
        for family, rule, at, is_violation in planter.notes:
            self._note(post, family, rule, at, is_violation, lines, care, number_of)
            noted[np.isin(lines["record"], at) if rule.startswith("stay_charges") else at] = True
        lines, file = taken(lines, order), file[order]
        columns, planted = plant(line_kinds(), lines, self._columns(lines, care, number_of.take(pa.array(order)), people.block), noted[order], rng)
        entries = {k: self._entry(post, k) for k in np.unique(file).tolist()}
        text = glue(glue(*(columns[name] for name in self.order), between=","), "\n")
        post.deliver(TABLE, text, file, entries, self.head, "utf-8", ",", people.ids(care.rows["person"][lines["record"]]), planted)

    def _entry(self, post: Post, batch: int) -> Sent:
        name, history = settings.BATCHES[batch], batch < len(settings.BACKFILL)
        year, month = (2025, 12) if history else (int(x) for x in name.split("-"))
        sent_on = "2026-01-28" if history else f"{year + month // 12}-{month % 12 + 1:02d}-09"
        shown = self.made.words["history"] if history else name
        return post.outbox.note(f"{self.sender}/{self.sender}_{TABLE}_{shown}.csv", self.sender, MAPPING, sent_on)

    def _note(self, post: Post, family: str, rule: str, at: np.ndarray, is_violation: bool, lines: Rows, care: Care, number_of: pa.Array) -> None:
        """Planted lines under their number, planted stays under their case number."""
        is_stay = rule.startswith("stay_charges")
        record = at if is_stay else lines["record"][at]
        subject = number(care.rows["case_number"][record], 9) if is_stay else number_of.take(pa.array(at))
        day = care.rows["end"][record] // 1440 if is_stay else lines["at"][at] // 1440
        facility = pick(self.facility_code, care.rows["facility"][record])
        post.truth.violations(family, rule, facility, subject, dates(day), np.full(len(at), is_violation))

    def _columns(self, lines: Rows, care: Care, numbers: pa.Array, block: int) -> Columns:
        record, item = lines["record"], lines["item"]
        rows, visit = care.rows, care.flags["visit"][record]
        case, facility, size = rows["case"][record], rows["facility"][record], [len(d) for d in self.department]
        visit_number = glue(number(rows["kind"][record]), number(np.full(len(record), block), 4), number(rows["serial"][record].clip(min=0), 7))
        doctor = (facility * 37 + rows["person"][record] * 7) % len(self.staff)
        return {
            "charge_number": numbers, "care_kind_code": number(np.where(visit, 2, 1)), "facility_code": pick(self.facility_code, facility),
            "case_number": choose(visit, "", number(rows["case_number"][record], 9)),
            "admission_number": choose(visit, "", number(rows["admission_number"][record])),
            "visit_number": choose(visit, visit_number, ""), "charged_at": moments(lines["at"]),
            "item_code": pick(self.code, item), "item_name": pick(self.name, item), "quantity": number(lines["quantity"]),
            "unit_price_cny": money(lines["price"]), "amount_cny": money(lines["quantity"] * lines["price"]),
            "department_code": choose(visit, pick(self.department[1], case.clip(max=size[1] - 1)), pick(self.department[0], case.clip(max=size[0] - 1))),
            "repeat_reason_code": choose(lines["reason"] > 0, number(lines["reason"]), ""), "physician": pick(self.staff, doctor),
        }
