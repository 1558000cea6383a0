"""Where people live: the region's townships and counties with their points and residents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanmin.model.asker import Asker
from quanmin.services.surveillance.daily import Numbers, Whole

COUNTY_DIGITS = 6
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Places:
    """Counties and townships by code: the county of each, longitude and latitude in degrees (a township without a point of its own has its county's; NaN)."""

    codes: Texts
    county: Texts
    is_township: NDArray[np.bool_]
    point: Numbers

    def townships(self, county: str) -> list[str]:
        """The registered townships of a county."""
        return [str(code) for code in self.codes[self.is_township & (self.county == county)]]

    def points(self) -> dict[str, tuple[float, float]]:
        """Code → (longitude, latitude) of those that have one."""
        return {str(code): (float(x), float(y)) for code, (x, y) in zip(self.codes, self.point, strict=True) if np.isfinite(x + y)}


@dataclass(frozen=True)
class Residents:
    """Residents by place, year, sex and age band, one value per row of the table."""

    place: Texts
    year: Whole
    sex: Texts
    age: Texts
    count: Whole

    def of(self, year: int, by: str = "place", county: str = "") -> dict[str, int]:
        """Residents by place, sex or age of the newest year up to `year` (else the oldest) that each place has; of a county by its own rows."""
        chosen = self.place == county if county else np.ones(len(self.place), dtype=bool)
        found: dict[str, int] = {}
        for place in np.unique(self.place[chosen]):
            at = self.place == place
            years = self.year[at]
            newest = years[years <= year].max() if (years <= year).any() else years.min()
            keys = {"place": self.place, "sex": self.sex, "age": self.age}[by]
            names, group = np.unique(keys[at & (self.year == newest)], return_inverse=True)
            for name, number in zip(names.tolist(), np.bincount(group, self.count[at & (self.year == newest)]).tolist(), strict=True):
                found[name] = found.get(name, 0) + int(number)
        return found


def _texts(rows: Any, name: str) -> Texts:
    return np.asarray(rows[name].fill_null("").to_numpy(zero_copy_only=False), dtype=np.str_)


def _places(rows: Any, newest: str) -> Places:
    del newest
    level = _texts(rows, "level")
    kept = np.isin(level, ("county", "township"))
    code = _texts(rows, "region_code")[kept]
    code, first = np.unique(code, return_index=True)
    level = level[kept][first]
    point = np.stack([np.asarray(rows[name].to_numpy(zero_copy_only=False), dtype=np.float64)[kept][first] for name in ("longitude", "latitude")], axis=1)
    county = np.asarray([one[:COUNTY_DIGITS] for one in code.tolist()], dtype=np.str_)
    own = {str(name): at for at, name in enumerate(code.tolist())}
    for at in np.flatnonzero(~np.isfinite(point).all(axis=1)):
        if str(county[at]) in own:
            point[at] = point[own[str(county[at])]]
    return Places(code, county, level == "township", point)


def _residents(rows: Any, newest: str) -> Residents:
    del newest
    place = "county_code" if "county_code" in rows.column_names else "region_code"
    count = np.nan_to_num(np.asarray(rows["resident_count"].to_numpy(zero_copy_only=False), dtype=np.float64)).astype(np.int64)
    return Residents(_texts(rows, place), np.asarray(rows["year"].to_numpy(zero_copy_only=False), dtype=np.int64), _texts(rows, "sex_code"),
                     _texts(rows, "age_band"), count)


def places(asker: Asker) -> Places:
    """The registered counties and townships."""
    found: Places = asker.learnt("places of surveillance", "region", ("region_code", "level", "longitude", "latitude"), _places)
    return found


def residents_of_townships(asker: Asker) -> Residents:
    """Residents as reported of townships."""
    found: Residents = asker.learnt("residents of townships", "population", ("region_code", "year", "sex_code", "age_band", "resident_count"), _residents)
    return found


def residents_of_counties(asker: Asker) -> Residents:
    """Residents of counties."""
    found: Residents = asker.learnt("residents of counties", "county_population", ("county_code", "year", "sex_code", "age_band", "resident_count"), _residents)
    return found


def residents_by_place(asker: Asker, year: int) -> dict[str, int]:
    """Residents of every county and township, of the newest year up to `year`."""
    return residents_of_townships(asker).of(year) | residents_of_counties(asker).of(year)
