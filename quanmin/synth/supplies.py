"""Stores of protective supplies: what institutions count each month and what they receive and issue, first expired first out, with shortages planted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from quanmin.catalog.supplies import activity, rules, uses
from quanmin.synth import settings
from quanmin.synth.place import Place, words
from quanmin.synth.workbooks import FacilityBooks

SLOTS = 6  # lots of an item that lie in a store at once
NEVER = 99_999  # an expiry that does not come
FINE = "hand_rub"  # counted in tenths of a litre


def _day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@dataclass
class Shelf:
    """Lots by institution, item and slot [institutions × items × slots]: quantity, day of receipt, expiry, and which receipt of its month."""

    quantity: np.ndarray
    received: np.ndarray
    expiry: np.ndarray
    order: np.ndarray

    def put(self, quantity: np.ndarray, received: np.ndarray | int, expiry: np.ndarray | int, order: int) -> np.ndarray:
        """Lay a lot into an empty slot where there is something of it [institutions × items]; returns what found room."""
        slot = (self.quantity > 0).argmin(axis=2)
        put = np.where(np.take_along_axis(self.quantity, slot[..., None], 2)[..., 0] > 0, 0.0, quantity)
        f, i = np.nonzero(put)
        at = (f, i, slot[f, i])
        self.quantity[at], self.order[at] = put[f, i], order
        self.received[at], self.expiry[at] = np.broadcast_to(received, put.shape)[f, i], np.broadcast_to(expiry, put.shape)[f, i]
        return put

    def issue(self, wanted: np.ndarray, since: int) -> np.ndarray:
        """Take what is wanted of the lots that had not expired at the start of the month, first expired first; returns what there was."""
        turn = np.argsort(np.where(self.expiry >= since, self.expiry, NEVER + 1), axis=2, kind="stable")
        there = np.take_along_axis(np.where(self.expiry >= since, self.quantity, 0.0), turn, 2)
        taken = np.clip(wanted[..., None] - (there.cumsum(axis=2) - there), 0.0, there)
        before = np.take_along_axis(self.quantity, turn, 2)
        np.put_along_axis(self.quantity, turn, np.round(before - taken, 1), 2)
        return np.asarray(np.round(taken.sum(axis=2), 1))

    def discard(self, day: int, kept: np.ndarray) -> np.ndarray:
        """Throw away what has expired before a day, but where it is kept."""
        gone = (self.expiry < day) & ~kept[..., None]
        thrown = np.where(gone, self.quantity, 0.0).sum(axis=2)
        self.quantity[gone] = 0.0
        return np.asarray(np.round(thrown, 1))


class Stores:
    """Twelve months of every store; `lots` and `movements` are the rows to be sent, as columns of indices and numbers."""

    def __init__(self, place: Place, books: FacilityBooks, occupied: np.ndarray, rng: np.random.Generator) -> None:
        self.place, self.rng, self.words = place, rng, words("supplies.toml")
        self.first = settings.MONTH_NAMES.index(self.words["from"])
        row = {f["facility_code"]: k for k, f in enumerate(books.reporting)}
        staff, beds = (np.nan_to_num(books.yearly[name][:, -1]) for name in ("technical_staff_count", "bed_count"))
        codes = {k: f["facility_code"] for k, f in enumerate(place.caring) if f["kind"] in self.words["kinds"]}
        self.at = [k for k, code in codes.items() if code in row and staff[row[code]] > 0]
        at = [row[place.caring[k]["facility_code"]] for k in self.at]
        self.items, self.known = list(uses()), np.array([item in self.words["few_items"] for item in uses()])
        self.has = np.where(place.is_primary[self.at][:, None], self.known, True)
        self.full, self.normal = self._need(staff[at], beds[at])
        days = occupied[self.at, self.first:]
        self.planted = {kind: [told for told in rows if place.find(told["kind"], told["county"]) in self.at] for kind, rows in self.words["planted"].items()}
        self.season = np.clip(days / np.maximum(days.mean(axis=1, keepdims=True), 1), 0.75, 1.25)
        self.lots: list[dict[str, np.ndarray]] = []
        self.movements: list[dict[str, np.ndarray]] = []

    def _need(self, staff: np.ndarray, beds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Units a day at full load and normally [institutions × items]."""
        loads = [activity(s, b) for s, b in zip(staff.tolist(), beds.tolist(), strict=True)]
        factor = rules()["normal"]
        full = np.array([[sum(use.get(d, 0.0) * n for d, n in load.items()) for use in uses().values()] for load in loads])
        normal = np.array([[sum(use.get(d, 0.0) * n * factor.get(d, 1.0) for d, n in load.items()) for use in uses().values()] for load in loads])
        return full * self.has, normal * self.has

    def find(self, told: dict[str, Any]) -> tuple[int, int]:
        """Where a planted thing is: indices of the institution and the item."""
        return self.at.index(self.place.find(told["kind"], told["county"])), self.items.index(told["item"])

    def _whole(self, quantity: np.ndarray) -> np.ndarray:
        fine = np.array([item == FINE for item in self.items])
        return np.asarray(np.where(fine, np.ceil(np.asarray(quantity) * 10 - 1e-9) / 10, np.ceil(np.asarray(quantity) - 1e-9)))

    def run(self) -> None:
        """Play the months."""
        rng, shape = self.rng, self.full.shape
        lasting = np.array([item in self.words["lasting"] for item in self.items])
        empty = np.zeros((*shape, SLOTS))
        shelf = Shelf(empty, empty.astype(np.int64), empty.astype(np.int64), empty.astype(np.int64))
        start = int(settings.MONTH_STARTS[self.first])
        for order, (low, high, sooner) in enumerate(((26, 38, 150), (32, 44, 480))):
            received = start - rng.integers(20, 200, shape)
            expiry = np.where(lasting, NEVER, start + sooner + rng.integers(0, 260, shape))
            shelf.put(self._whole(self.full * rng.uniform(low, high, shape)), received, expiry, order)
        habit = rng.uniform(0.85, 1.1, (shape[0], 1))
        kept = np.zeros(shape, dtype=bool)
        for told in self.planted["stale"]:
            kept[self.find(told)] = True
        for month in range(settings.MONTHS - self.first):
            self._month(shelf, month, habit, lasting, kept)

    def _month(self, shelf: Shelf, month: int, habit: np.ndarray, lasting: np.ndarray, kept: np.ndarray) -> None:
        rng, shape = self.rng, self.full.shape
        start, end = (int(day) for day in settings.MONTH_STARTS[self.first + month: self.first + month + 2])
        opening = np.round(shelf.quantity.sum(axis=2), 1)
        rate = self.normal * habit * self.season[:, month, None] * rng.gamma(60, 1 / 60, shape)
        issued = shelf.issue(self._whole(rate * (end - start)), start)
        discarded = shelf.discard(end - 1, kept)
        low, high = self._levels(month)
        there = shelf.quantity.sum(axis=2)
        wanted = np.where((there < low * self.full) & self.has, self._whole(np.maximum(high * self.full - there, 0)), 0.0)
        expiry = np.where(lasting, NEVER, start + 540 + rng.integers(0, 360, shape))
        received = shelf.put(wanted, start + rng.integers(1, 26, shape), expiry, 2) + self._planted(shelf, month, start)
        closing = np.round(shelf.quantity.sum(axis=2), 1)
        reports = self._reports(month)[:, None] & self.has
        f, i, s = np.nonzero((shelf.quantity > 0) & reports[..., None])
        self.lots.append({"facility": f, "item": i, "month": np.full(len(f), month), "quantity": shelf.quantity[f, i, s], "received": shelf.received[f, i, s],
                          "expiry": shelf.expiry[f, i, s], "order": shelf.order[f, i, s], "reported": np.full(len(f), end - 1)})
        f, i = np.nonzero(reports)
        self.movements.append({"facility": f, "item": i, "month": np.full(len(f), month), "opening": opening[f, i], "received": received[f, i],
                               "issued": issued[f, i], "discarded": discarded[f, i], "closing": closing[f, i]})

    def _levels(self, month: int) -> tuple[np.ndarray, np.ndarray]:
        """Days below which is ordered and up to which, lower where a shortage is planted."""
        low, high = np.full(self.full.shape, float(self.words["reorder_days"])), self.rng.uniform(*self.words["fill_days"], self.full.shape)
        for told in self.planted["short"]:
            if self.first + month >= settings.MONTH_NAMES.index(told["from"]):
                low[self.find(told)], high[self.find(told)] = 0.6 * told["days"], told["days"]
        return low, high

    def _planted(self, shelf: Shelf, month: int, start: int) -> np.ndarray:
        """Lots too many, soon expiring or expired, received in their month."""
        found = np.zeros(self.full.shape)
        for kind in ("surplus", "expiring", "stale"):
            for told in self.planted[kind]:
                if settings.MONTH_NAMES[self.first + month] == told["from"]:
                    wanted = np.zeros(self.full.shape)
                    wanted[self.find(told)] = self._whole(self.full * told["days"])[self.find(told)]
                    expiry = _day(told["expires"]) if "expires" in told else start + 700
                    found += shelf.put(wanted, min(start + 9, expiry - 20), expiry, 3)
        return found

    def _reports(self, month: int) -> np.ndarray:
        """Which institutions report a month."""
        found = np.ones(len(self.at), dtype=bool)
        silent, since = self.place.silent
        stopped = [(self.place.find(told["kind"], told["county"]), settings.MONTH_NAMES.index(told["from"])) for told in self.planted["stopped"]]
        for facility, from_month in [(silent, since), *stopped]:
            found &= (np.array(self.at) != facility) | (self.first + month < from_month)
        return found
