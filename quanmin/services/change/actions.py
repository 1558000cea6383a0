"""What may be asked of change: why an indicator moved between two periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.change.causes import Explanation, aligned, explain
from quanmin.services.change.split import KINDS

SUBMISSION = ("sender", "month")
PERIODS = ("month", "year")
PLACES = ("county", "county_code", "home_county", "facility_county", "township_code", "community_code")
OUTCOMES = ("destination_code", "kind_code")
GIVEN = ("facility_code", "facility_level", "facility_type_code", "is_public")  # where care was given is what a share of residents leaving says, not why


@dataclass(frozen=True)
class Change:
    """Why an indicator moved at a place: `before` and `after` are lists of months; see Explanation."""

    indicator: str
    place: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    explanation: Explanation
    snapshot: int


def _refuse(field: str, value: str, rule: str, mend: str) -> Refusal:
    return Refusal(Problem("question", None, field, value[:40], say(rule), say(mend)))


def months_of(period: str, known: list[str]) -> list[str]:
    """The months of "2026-03", "2026", or "2026-03..2026-09" that have data; raises Refusal for anything else."""
    first, _, last = period.partition("..")
    if len(first) not in (4, 7) or (last and len(last) != len(first)):
        raise _refuse("period", period, "bad_value", "mend_periods")
    found = [month for month in known if first <= month[: len(first)] <= (last or first)]
    if not found:
        raise _refuse("period", period, "no_figures", "mend_periods")
    return found


def dimensions_of(one: Indicator, place: str) -> list[str]:
    """The dimensions that may explain a change: those an indicator declares but for periods and outcomes; its counties where no place is named."""
    homes = one.numerator.place if one.numerator is not None else ""
    left_out = {*PERIODS, *OUTCOMES, *PLACES} - ({homes} if not place else set()) | (set(GIVEN) if homes.startswith("home") else set())
    return [name for name in dict.fromkeys(one.by) if name not in left_out]


def _condition(sides: Sequence[list[str]]) -> str:
    return " OR ".join(f"month >= '{months[0]}' AND month <= '{months[-1]}'" for months in sides)


@action("small")
def change(asker: Asker, indicator: str, before: str, after: str, place: str = "", by: str = "") -> Change:
    """The change of a share, rate or mean between two periods ("2025", "2025-03" or "2025-03..2025-09"), split exactly into data, mix and rate."""
    one = asker.question(indicator)
    if one.kind not in KINDS or one.numerator is None or not asker.has_months(indicator):
        raise _refuse("indicator", indicator, "not_counted", "mend_not_counted")
    dimensions = [name for name in by.split(",") if name] or dimensions_of(one, place)
    if not dimensions:
        raise _refuse("by", "", "nothing_to_split", "mend_nothing_to_split")
    known = list(asker.months())
    months = months_of(before, known), months_of(after, known)
    places: dict[object, int] = {month: int(month[5:]) for side in months for month in side}
    tables = ("stay", "claim") if one.numerator.table in ("place", "outflow", "hospitalisation") else (one.numerator.table,)
    received = asker.received(tables)
    came = tuple({(sender, places[month]) for sender, month in received if month in side} for side in months)
    where = asker.where(place)

    def cells(name: str) -> tuple[list[Cell], list[Cell]]:
        found = asker.figures(indicator, [name, *SUBMISSION], [*where, _condition(months)]).cells  # both periods in one pass
        before, after = ([cell for cell in found if side[0] <= str(cell.key["month"]) <= side[-1]] for side in months)
        return before, after

    try:
        found = explain({name: aligned(*cells(name), [name], SUBMISSION, places, (came[0], came[1]) if received else None) for name in dimensions},
                        one.kind, scale_of(one))
    except ValueError as error:
        raise _refuse("period", f"{before} {after}", "no_figures", "mend_periods") from error
    return Change(indicator, place or asker.region, tuple(months[0]), tuple(months[1]), found, asker.snapshot)
