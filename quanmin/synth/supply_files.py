"""The files of stores: counts as GBK text, movements as workbooks, a little dirt, and what was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from quanmin.catalog.supplies import rules
from quanmin.synth import settings
from quanmin.synth.dirt import REJECTED, Columns, Kind, Planted, plant
from quanmin.synth.illness import Rows
from quanmin.synth.outbox import Outbox, Sent, spans
from quanmin.synth.place import table
from quanmin.synth.sheets import HEADER_ROW, write_sheet
from quanmin.synth.supplies import FINE, NEVER, Stores
from quanmin.synth.text import choose, dates, glue, number, pick, same, texts
from quanmin.synth.truth import Truth

HISTORY = 2  # months sent together when the system was connected; from then on a file every quarter
LATEST = 2  # months at the end without dirt: what is planted there is what is judged
KINDS = ("short", "surplus", "expiring", "stale")


def _edits(unknown: str, box: str) -> list[Kind]:
    """The errors of counts, each in at least one row."""

    def earlier(of: str, days: int) -> Any:
        def edit(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
            return {"expires_on": dates(rows[of] - days)}
        return edit

    def becomes(name: str, text: str) -> Any:
        def edit(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
            return {name: same(text, len(columns[name]))}
        return edit

    def negative(rows: Rows, columns: Columns, rng: np.random.Generator) -> Columns:
        return {"quantity": glue("-", columns["quantity"])}

    def lasts(rows: Rows) -> np.ndarray:
        return np.asarray((rows["expiry"] < NEVER) & (rows["received"] < rows["reported"] - 30))

    return [Kind("quantity_negative", "quantity", "stock_lot/quantity_negative", negative),
            Kind("expired_on_hand", "expires_on", "stock_lot/expired_on_hand", earlier("reported", 9), lasts),
            Kind("expires_before_receipt", "expires_on", "stock_lot/expires_before_receipt", earlier("received", 3), lasts),
            Kind("item_not_in_list", "item_code", "stock_lot/item_not_in_list", becomes("item_code", unknown)),
            Kind("counted_in_boxes", "unit", "stock_lot/unit_is_a_box", becomes("unit", box)),
            Kind("unreadable_date", "reported_on", REJECTED, becomes("reported_on", "2026-02-30")),
            Kind("unreadable_number", "quantity", REJECTED, becomes("quantity", "1O0")),
            Kind("missing_key", "lot", REJECTED, becomes("lot", "")),
            Kind("duplicate_line", "", REJECTED, None)]


def send_supplies(stores: Stores, outbox: Outbox, truth: Truth) -> None:
    """Write both kinds of files and what was planted."""
    stores.run()
    _Files(stores, outbox, truth).send()
    place, planted, rows = stores.place, stores.planted, []
    for kind in KINDS:
        for told in planted[kind]:
            rows.append([place.caring[place.find(told["kind"], told["county"])]["facility_code"], told["item"], kind, told["days"], told.get("expires", "")])
    stopped = [[place.caring[place.find(told["kind"], told["county"])]["facility_code"], "", "stopped", "", told["from"]] for told in planted["stopped"]]
    silent, since = place.silent
    stopped.append([place.caring[silent]["facility_code"], "", "stopped", "", settings.MONTH_NAMES[since]])
    truth.table("supplies.csv", ["facility_code", "item_code", "kind", "days", "detail"], rows + stopped)


class _Files:
    """The way from rows to files of the city's supply system."""

    def __init__(self, stores: Stores, outbox: Outbox, truth: Truth) -> None:
        self.stores, self.outbox, self.truth, self.words = stores, outbox, truth, stores.words
        self.city = stores.place.names["city"]
        self.sender = f"SP-{self.city['code']}"
        listed = {row["code"]: row for row in table("../../codes/supply_item.csv")}
        self.names, self.units = (texts([listed[item][key] for item in stores.items]) for key in ("zh", "unit"))
        self.codes = texts([stores.place.caring[k]["facility_code"] for k in stores.at])
        self.fine = np.array([item == FINE for item in stores.items])

    def send(self) -> None:
        """Both."""
        self._counts()
        self._movements()

    def _entry(self, name: str, mapping: str, batch: int, ending: str) -> tuple[Sent, str]:
        if batch == 0:
            period, sent = self.words["history"], "2026-01-23"
        else:
            first, last = (settings.MONTH_NAMES[min(self.stores.first + HISTORY + 3 * (batch - 1) + k, settings.MONTHS - 1)] for k in (0, 2))
            year, month = (int(x) for x in last.split("-"))
            period, sent = f"{first}_{last}", f"{year + month // 12}-{month % 12 + 1:02d}-08"
        return self.outbox.note(f"{self.sender}/{self.sender}_{name}_{period}.{ending}", self.sender, mapping, sent), period

    @staticmethod
    def _batch(month: np.ndarray) -> np.ndarray:
        return np.where(month < HISTORY, 0, 1 + (month - HISTORY) // 3)

    def _rows(self) -> Rows:
        """All counted lots, contracts of city hospitals among them, sorted by month."""
        stores, parts = self.stores, list(self.stores.lots)
        f, i = np.nonzero((stores.place.tier[stores.at] == 2)[:, None] & np.array([item in rules()["key_items"] for item in stores.items]))
        for month in range(len(stores.lots)):
            end = int(settings.MONTH_STARTS[stores.first + month + 1]) - 1
            quantity = np.ceil(stores.full[f, i] * self.words["contract_days"])
            ones = np.ones(len(f), dtype=np.int64)
            parts.append({"facility": f, "item": i, "month": ones * month, "quantity": quantity, "received": ones * (end - 300), "expiry": ones * NEVER,
                          "order": ones * 9, "reported": ones * end})
        rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((rows["order"], rows["received"], rows["item"], rows["facility"], rows["month"]))
        return {name: values[order] for name, values in rows.items()}

    def _columns(self, rows: Rows) -> Columns:
        contract = rows["order"] == 9
        month = settings.month_of(rows["received"])
        lot = glue("L", number(rows["item"] + 1, 2), number(2021 * 12 + 10 + month, 5), number(rows["order"]))
        whole = number(np.rint(rows["quantity"]).astype(np.int64))
        tenths = np.rint(rows["quantity"] * 10).astype(np.int64)
        ends = rows["expiry"] < NEVER
        return {
            "facility_code": pick(self.codes, rows["facility"]), "reported_on": dates(rows["reported"]), "item_code": pick(self.names, rows["item"]),
            "lot": choose(contract, self.words["contract_lot"], lot), "storage_code": choose(contract, self.words["contract"], self.words["physical"]),
            "quantity": choose(self.fine[rows["item"]], glue(number(tenths // 10), ".", number(tenths % 10)), whole), "unit": pick(self.units, rows["item"]),
            "received_on": choose(contract, "", dates(rows["received"])), "expires_on": choose(ends, dates(np.where(ends, rows["expiry"], 0)), ""),
        }

    def _counts(self) -> None:
        rows = self._rows()
        late = rows["month"] >= len(self.stores.lots) - LATEST
        columns, planted = plant(_edits(self.words["unknown_item"], self.words["box"]), rows, self._columns(rows), late | (rows["order"] == 9), self.stores.rng)
        stale = np.flatnonzero((rows["expiry"] < rows["reported"]) & ~np.isin(np.arange(len(late)), np.concatenate([*planted.rows, np.empty(0, int)])))
        planted.add(stale, Kind("expired_on_hand", "expires_on", "stock_lot/expired_on_hand", None))
        twice = np.zeros(len(late), dtype=np.int64)
        twice[planted.of("duplicate_line")] = 1
        source = np.repeat(np.arange(len(late)), 1 + twice)
        lines = glue(glue(*(columns[name] for name in self.words["lots"]), between=","), "\r\n").take(pa.array(source))
        line, files = np.zeros(len(source), dtype=np.int64), [""] * len(source)
        for key, first, last in spans(self._batch(rows["month"])[source]):
            entry, _ = self._entry("stock_lot", "stock_lot_export", key, "csv")
            start = self.outbox.append(entry, ",".join(self.words["lots"].values()) + "\r\n", lines, first, last, "gb18030")
            line[first:last] = start + np.arange(last - first)
            files[first:last] = [entry.file] * (last - first)
        self._note("stock_lot", planted, files, line, np.cumsum(1 + twice) - 1 - twice)

    def _note(self, name: str, planted: Planted, files: list[str], line: np.ndarray, first: np.ndarray) -> None:
        for rows, kind in zip(planted.rows, planted.kinds, strict=True):
            at = first[rows] + (kind.name == "duplicate_line")
            self.truth.errors(texts([files[k] for k in at.tolist()]), line[at], name, kind)

    def _movements(self) -> None:
        stores = self.stores
        rows = {name: np.concatenate([part[name] for part in stores.movements]) for name in stores.movements[0]}
        jump = Kind("balance_does_not_close", "closing_quantity", "stock_movement/balance_does_not_close", None)
        early = np.flatnonzero((rows["month"] < len(stores.movements) - LATEST) & (rows["opening"] >= 20))
        jumps = np.sort(stores.rng.choice(early, min(len(early), 6), replace=False))
        rows["opening"][jumps] = np.rint(rows["opening"][jumps] * 1.4)
        planted = Planted()
        planted.add(jumps, jump)
        files, line = [""] * len(rows["month"]), np.zeros(len(rows["month"]), dtype=np.int64)
        nothing = np.zeros(len(line))
        for key, first, last in spans(self._batch(rows["month"])):
            entry, period = self._entry("stock_movement", "stock_movement_workbook", key, "xlsx")
            part = {name: values[first:last] for name, values in rows.items()}
            month = dates(settings.MONTH_STARTS[stores.first + part["month"]])
            numbers = [part[name] for name in ("opening", "received", "issued", "discarded")]
            columns = [pick(self.codes, part["facility"]), month, pick(self.names, part["item"]), *numbers, nothing[first:last], nothing[first:last],
                       part["closing"]]
            titles = [self.words[name].format(place=self.city["zh"], period=period) for name in ("title", "prepared")]
            write_sheet(self.outbox.path(entry.file), self.words["sheet"], titles, list(self.words["movements"].values()), columns, as_text=19)
            line[first:last] = HEADER_ROW + 1 + np.arange(last - first)
            files[first:last] = [entry.file] * (last - first)
        self._note("stock_movement", planted, files, line, np.arange(len(line)))
