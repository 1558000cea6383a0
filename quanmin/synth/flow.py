"""Where patients go: inside the county, elsewhere in the city, or the provincial capital; then which facility (gravity)."""

from __future__ import annotations

import numpy as np

from quanmin.synth import settings
from quanmin.synth.illness import Illnesses, Rows
from quanmin.synth.people import People
from quanmin.synth.place import SERVICES, Place

REACH_KM = np.array([13.0, 32.0, 60.0, 120.0])  # of care for needs 1 … 4
IN_COUNTY, IN_CITY, CAPITAL = 0, 1, 2
VISIT_SERVICES = ("other", "psychiatry", "eye", "paediatrics", "gynaecology", "obstetrics")
# Departments that only some specialised hospitals have.
DEPARTMENT_SERVICE = {"15": 1, "10": 2, "07": 3, "09": 3, "05.01": 4, "05.02": 5}


def _cumulative(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative shares along the last axis, and where there is any weight at all."""
    total = weight.sum(-1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return np.cumsum(share, axis=-1, dtype=np.float32), total[..., 0] > 0


def _drawn(cumulative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(len(cumulative), dtype=np.float32) * 0.999999
    return (draw[:, None] >= cumulative).sum(1).clip(max=cumulative.shape[1] - 1)


class Flow:
    """Tables of choice for stays and visits."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.keep = np.array([[c["keep_start"], c["keep_end"]] for c in place.names["county"]])
        pull = place.of_caring("pull", 0.0).astype(np.float32)
        self.before = self._stay_tables(place.ability, pull)
        self.after = self._stay_tables(place.ability_later, pull)
        self.visits = self._visit_table()

    def _stay_tables(self, ability: np.ndarray, pull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cumulative shares (town, service, need 1–4, destination, facility) and where the destination can treat the need."""
        place = self.place
        able = ability.T[:, None, :] >= np.arange(1, 5)[None, :, None]  # service, need, facility
        near = np.exp(-place.distance[:, None, :] / REACH_KM[None, :, None]).astype(np.float32)  # town, need, facility
        county, outside = place.facility_county, len(place.counties)
        here = county[None] == place.town_county[:, None]
        else_where = ~here & (county != outside) & ~place.is_primary
        groups = np.stack([here, else_where, np.broadcast_to(county == outside, here.shape)], axis=1)  # town, destination, facility
        weight = (pull * able)[None, :, :, None, :] * near[:, None, :, None, :]
        weight = np.where(groups[:, None, None, :, :], weight, np.float32(0))
        capital = pull * able * (county == outside)
        weight[:, :, :, CAPITAL, :] = capital[None]
        return _cumulative(weight.astype(np.float32))

    def _visit_table(self) -> np.ndarray:
        """Cumulative shares (town, hospital or not, service, facility)."""
        place = self.place
        inside = place.facility_county != len(place.counties)
        pull = place.of_caring("clinic_pull", 0.0).astype(float) * inside
        sends = np.array(["visit" in place.kinds[f["kind"]].get("sends", ()) or place.is_primary[k] for k, f in enumerate(place.caring)])
        able = np.stack([place.ability[:, SERVICES.index(s)] > 0 for s in VISIT_SERVICES])
        able[:, place.is_primary] = True
        tier = np.stack([place.is_primary, ~place.is_primary])
        near = np.exp(-place.distance / np.where(place.is_primary, 5.0, 24.0))
        weight = pull * sends * able[None, None] * tier[None, :, None] * near[:, None, None]
        return _cumulative(weight)[0]

    def place_stays(self, rows: Rows, people: People, illnesses: Illnesses, rng: np.random.Generator) -> Rows:
        """Adds `facility`, `home` (county at the time) and `could_stay` (the home county treats such cases) to the rows."""
        village = people.village_on(rows["person"], rows["admit"])
        guest = village < 0
        town = self.place.village_town[village.clip(min=0)]
        county = self.place.town_county[town]
        service, need = illnesses.service[rows["case"]], rows["need"] - 1
        later = settings.month_of(rows["admit"]) >= self.place.lost_from
        possible = np.where(later[:, None], self.after[1][town, service, need], self.before[1][town, service, need])
        destination = self._destination(rows, people, county, possible, guest, rng)
        facility = np.empty(len(town), dtype=np.int64)
        for mask, (cumulative, _) in ((~later, self.before), (later, self.after)):
            facility[mask] = _drawn(cumulative[town[mask], service[mask], need[mask], destination[mask]], rng)
        return {
            **rows,
            "facility": facility,
            "home": np.where(guest, -1, county),
            "could_stay": possible[:, IN_COUNTY] & ~guest,
            "town": town,
        }

    def _destination(
        self,
        rows: Rows,
        people: People,
        county: np.ndarray,
        possible: np.ndarray,
        guest: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        elapsed = (rows["admit"] - settings.START) / (settings.END - settings.START)
        keep = (
            self.keep[county, 0] + (self.keep[county, 1] - self.keep[county, 0]) * elapsed - np.array([-0.02, 0.02, 0.06])[rows["severity"]]
        )
        stays = possible[:, IN_COUNTY] & (rng.random(len(county)) < keep)
        to_capital = np.where(possible[:, IN_COUNTY], settings.CAPITAL_SHARE["avoidable"], settings.CAPITAL_SHARE["needed"])
        goes = np.where(rng.random(len(county)) < to_capital, CAPITAL, IN_CITY)
        # The uninsured pay everything themselves and don't travel; so no stay outside the region is invisible to the claims.
        local = guest | ~people.insured[rows["person"]]
        goes = np.where(local, IN_CITY, goes)
        goes = np.where((goes == IN_CITY) & ~possible[:, IN_CITY], np.where(possible[:, IN_COUNTY], IN_COUNTY, CAPITAL), goes)
        goes = np.where((goes == CAPITAL) & ~possible[:, CAPITAL], np.where(possible[:, IN_CITY], IN_CITY, IN_COUNTY), goes)
        return np.where(stays, IN_COUNTY, goes)

    def place_visits(self, town: np.ndarray, hospital: np.ndarray, service: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The facility of each visit; `service` indexes `VISIT_SERVICES`."""
        return _drawn(self.visits[town, hospital.astype(np.int64), service], rng)
