"""What may be asked of preparedness on a site: a campaign of mass testing, a surge of patients and the days that stocks last, from what the site knows."""

from __future__ import annotations

from dataclasses import replace

from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.preparedness.counted import counted_answer, has_counts
from quanmin.services.preparedness.defaults import mass_testing_scenario, stockpile_scenario, surge_scenario
from quanmin.services.preparedness.stockpile_answer import StockpileAnswer, stockpile_answer
from quanmin.services.preparedness.surge_answer import SurgeAnswer, surge_answer
from quanmin.services.preparedness.testing_answer import MassTesting, mass_testing_answer

ASSUMED = "assumed"
AS_IT_IS = -1.0  # a parameter that is not told: as the template says


def _told(value: float) -> float | None:
    return None if value == AS_IT_IS else value


@action("figures")
def mass_testing(asker: Asker, place: str = "", rate: float = AS_IT_IS, hours: float = AS_IT_IS, pool: float = AS_IT_IS, positive: float = AS_IT_IS,
                 vehicles: float = AS_IT_IS, teams: float = 1.0, lab: float = 1.0, is_whole: bool = True) -> MassTesting:
    """Can everybody be tested in time: rate is persons an hour at a table, hours of sampling a day, pool persons a tube, positive their expected share.

    `teams` and `lab` are times what the guide's rule gives and what laboratories report; vehicles are those of each township (0: enough); `is_whole` adds what
    would mend it and what it is sensitive to.
    """
    changes = {"sampling": {"rate_per_table_hour": _told(rate), "hours_per_day": _told(hours), "pool_size": _told(pool), "positive_share": _told(positive)},
               "transport": {"vehicles_per_area": _told(vehicles)}}
    return mass_testing_answer(mass_testing_scenario(asker, place, changes, teams, lab), is_whole)


@action("figures")
def surge(asker: Asker, template: str = "", place: str = "", infected: float = 10.0, reproduction: float = AS_IT_IS, reduction: float = AS_IT_IS,
          from_day: float = AS_IT_IS, occupied: float = AS_IT_IS, converted: float = AS_IT_IS, days: float = AS_IT_IS,
          tested: float = AS_IT_IS, is_whole: bool = True) -> SurgeAnswer:
    """What a wave asks of beds, ventilators, oxygen, nurses and fever clinics: `infected` at the start per 100,000, reproduction number, reduction of contacts.

    `from_day` is when contacts are reduced, `occupied` the share of beds taken by others, `converted` the day from which convertible beds are ready, `tested`
    the share of the mild and the suspected who are tested.
    """
    changes = {"disease": {"reproduction": _told(reproduction), "contact_reduction": _told(reduction), "reduction_from_day": _told(from_day)},
               "beds": {"occupied_share": _told(occupied), "convertible_from_day": _told(converted)}, "": {"days": _told(days)},
               "testing": {"tested_share": _told(tested)}}
    return surge_answer(surge_scenario(asker, template, place, infected, changes), is_whole)


@action("figures")
def stockpile_cover(asker: Asker, place: str = "", held: float = 30.0, duty: float = 0.35, load: float = 1.5, target: float = AS_IT_IS) -> StockpileAnswer:
    """For how many days the stocks last that institutions reported: `duty` the share of staff on duty, `load` times full load in a surge, `target` days.

    On a site to which nobody reports stocks, `held` days of normal use are assumed in every institution, and the answer's source says so.
    """
    if has_counts(asker):
        return counted_answer(asker, place, duty, load, _told(target))
    scenario = stockpile_scenario(asker, place, held, duty, load, {"target_days": _told(target)})
    return replace(stockpile_answer(scenario, is_planned=False), source=ASSUMED)
