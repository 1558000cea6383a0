"""Reported cases one by one as arrays, without anything that tells who they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.model.asker import Asker
from quanmin.services.surveillance.daily import LONGEST_DAYS, Whole

TABLE = "notifiable_case"
COLUMNS = ("disease_code", "law_class", "home_county", "classification_code", "sex_code", "age_band", "onset_on", "reported_on", "is_repeat")
CARRIER = "carrier"
Texts = NDArray[np.str_]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class CaseLines:
    """One value per case (repeats and carriers left out, a home county known): days since 1970, `onset` -1 where it is not known or after the report.

    `now` is the day up to which reports are known: the newest on which any case was reported.
    """

    disease: Texts
    law_class: Texts
    county: Texts
    sex: Texts
    age: Texts
    onset: Whole
    reported: Whole
    now: int

    def chosen(self, diseases: Collection[str], counties: Collection[str]) -> Flags:
        """The cases of some diseases in some counties."""
        found: Flags = np.isin(self.disease, sorted(diseases)) & np.isin(self.county, sorted(counties))
        return found


def _days(rows: Any, name: str) -> Whole:
    found = np.asarray(rows[name].cast("date32").to_numpy(zero_copy_only=False), dtype="datetime64[D]")
    return np.where(np.isnat(found), -1, found.astype(np.int64))


def read_cases(rows: Any, today: int) -> CaseLines:
    """The rows of the table notifiable_case (Arrow) as arrays; cases reported after today or more than ten years ago are left out."""
    texts = {name: np.asarray(rows[name].fill_null("").to_numpy(zero_copy_only=False), dtype=np.str_) for name in COLUMNS[:6]}
    onset, reported = _days(rows, "onset_on"), _days(rows, "reported_on")
    repeat = np.asarray(rows["is_repeat"].fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
    kept = ~repeat & (texts["classification_code"] != CARRIER) & (texts["home_county"] != "") & (reported <= today) & (reported > today - LONGEST_DAYS)
    onset = np.where((onset > reported) | (onset <= today - LONGEST_DAYS), -1, onset)
    disease, law_class, county, sex, age = (texts[name][kept] for name in ("disease_code", "law_class", "home_county", "sex_code", "age_band"))
    return CaseLines(disease, law_class, county, sex, age, onset[kept], reported[kept], int(reported[kept].max()) if kept.any() else 0)


def cases_of(asker: Asker) -> CaseLines:
    """All cases of the region, to be filtered by the counties that are seen."""
    today = int(np.datetime64(asker.today(), "D").astype(np.int64))
    found: CaseLines = asker.learnt("case lines", TABLE, COLUMNS, lambda rows, newest: read_cases(rows, today))
    return found
