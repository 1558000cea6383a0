"""Who sends what: hospitals for themselves, health centres through their community's platform, insurance and health bureaus."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from quanmin.synth import settings
from quanmin.synth.place import Place

CONNECTED = date(2026, 1, 20)  # when the institutions sent their history
DIALECTS = ("visit_dialect_chinese", "visit_dialect_his", "visit_dialect_export")


def usual_day(batch: int, spread: int) -> str:
    """Day of sending: the history in January 2026, a month in the first days of the next one."""
    if batch < len(settings.BACKFILL):
        return (CONNECTED + timedelta(days=batch + spread % 6)).isoformat()
    year, month = (int(x) for x in settings.BATCHES[batch].split("-"))
    return date(year + month // 12, month % 12 + 1, 3 + spread % 7).isoformat()


@dataclass
class Senders:
    """Senders of front pages and visits, by index; the order follows the facilities."""

    place: Place

    @cached_property
    def names(self) -> list[str]:
        """Sender ids: facility codes of hospitals, community codes of health centres; "" for facilities outside the region."""
        return list(dict.fromkeys(self._of_facility))

    @cached_property
    def _of_facility(self) -> list[str]:
        place = self.place
        return [
            f["community_code"] if place.is_primary[k] else f["facility_code"] if place.facility_county[k] < len(place.counties) else ""
            for k, f in enumerate(place.caring)
        ]

    @cached_property
    def of_facility(self) -> np.ndarray:
        """Index of the sender of each caring facility, -1 outside the region."""
        return np.array([self.names.index(s) if s else -1 for s in self._of_facility])

    @cached_property
    def layout(self) -> np.ndarray:
        """Front-page layout (0–3) of each sender."""
        return np.arange(len(self.names)) * 7 % 4

    @cached_property
    def dialect(self) -> np.ndarray:
        """Visit dialect (0–2) of each sender."""
        return np.arange(len(self.names)) * 5 % 3

    def sent_on(self, sender: str, table: str, batch: int) -> tuple[str, str]:
        """Day of sending and a remark (late or blank) of one file."""
        for given in self.place.names["planted"]["late"]:
            if table == "stay" and self._is(sender, given) and settings.BATCHES[batch] == given["month"]:
                return given["sent_on"], "late"
        return usual_day(batch, sum(sender.encode()) + len(table)), ""

    def _is(self, sender: str, given: dict[str, Any]) -> bool:
        return self.place.caring[self.place.find(given["kind"], given["county"])]["facility_code"] == sender

    def file(self, sender: str, table: str, batch: int) -> str:
        """Path of a sender's file in the manifest."""
        return f"{sender}/{sender}_{table}_{settings.BATCHES[batch]}.csv"
