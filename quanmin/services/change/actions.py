"""What may be asked of change: why an indicator moved between two periods."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Indicator, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.change.causes import Explanation, aligned, explain, together
from quanmin.services.change.split import KINDS, Cells

SUBMISSION, REGULAR = ("sender", "month"), ""  # the label of all rows whose submissions need not be told apart
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


@dataclass(frozen=True)
class _Rows:
    """The figures of both periods; `came`: per period the (sender, place in the year) of the submissions that came."""

    asker: Asker
    indicator: str
    months: tuple[list[str], list[str]]
    where: Sequence[str]
    came: tuple[frozenset[Hashable], frozenset[Hashable]]

    @cached_property
    def places(self) -> dict[object, Hashable]:
        """Month → its place in the year, where the months of the two periods meet."""
        return {month: int(month[5:]) for side in self.months for month in side}

    def _cells(self, by: Sequence[str], *conditions: str) -> tuple[list[Cell], list[Cell]]:
        found = self.asker.figures(self.indicator, by, [*self.where, *conditions]).cells  # both periods in one pass
        before, after = ([cell for cell in found if side[0] <= str(cell.key["month"]) <= side[-1]] for side in self.months)
        return before, after

    @cached_property
    def _odd(self) -> tuple[list[object], list[object]]:
        """Months of which no submission came for both periods, and senders with figures of other months whose submission did not."""
        common = self.came[0] & self.came[1]
        cells = [cell.key for side in self._cells(SUBMISSION) for cell in side]
        met = {key["month"] for key in cells if (key["sender"], self.places[key["month"]]) in common}
        months = sorted({str(key["month"]) for key in cells if key["month"] not in met})
        senders = {key["sender"] for key in cells if key["month"] in met and (key["sender"], self.places[key["month"]]) not in common}
        return list(months), sorted(senders, key=lambda sender: (sender is not None, sender))

    def prepare(self, names: Sequence[str]) -> None:
        """Count all that `by` needs of several dimensions together."""
        regular, odd = self._conditions()
        self.asker.prepare([self.indicator], [[name, "month"] for name in names], [*self.where, *regular])
        if odd:
            self.asker.prepare([self.indicator], [[name, *SUBMISSION] for name in names], [*self.where, *odd])

    def by(self, name: str) -> Cells:
        """The figures by group; by submission too where a sender's did not all come for both periods (by all of them there are thousands of cells)."""
        regular, odd = self._conditions()
        cells = self._cells([name, "month"], *regular)
        if not any(self.came) or not all(any(cell.denominator for cell in side) for side in cells):  # all of the change is in the submissions
            return replace(aligned(*self._cells([name, *SUBMISSION]), [name], SUBMISSION, self.places), reported=self.came if any(self.came) else None)
        parts = [aligned(*cells, [name]), *([aligned(*self._cells([name, *SUBMISSION], *odd), [name], SUBMISSION, self.places)] if odd else [])]
        return together(parts, (self.came[0] | {REGULAR}, self.came[1] | {REGULAR}))

    def _conditions(self) -> tuple[list[str], list[str]]:
        """What the rows of submissions that need not be told apart fulfil, and the others (nothing where there are none)."""
        months, senders = self._odd
        lists = [(name, ", ".join("'" + str(one).replace("'", "''") + "'" for one in found if one is not None))
                 for name, found in (("month", months), ("sender", senders))]
        odd = [*(f"{name} IN ({listed})" for name, listed in lists if listed), *(["sender IS NULL"] if None in senders else [])]
        return [f"NOT ({one})" for one in odd], [" OR ".join(odd)] if odd else []


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
    tables = ("stay", "claim") if one.numerator.table in ("place", "outflow", "hospitalisation") else (one.numerator.table,)
    received = asker.received(tables)
    first, second = (frozenset((sender, int(month[5:])) for sender, month in received if month in side) for side in months)
    rows = _Rows(asker, indicator, months, [*asker.where(place), _condition(months)], (first, second))
    rows.prepare(dimensions)
    try:
        found = explain({name: rows.by(name) for name in dimensions}, one.kind, scale_of(one))
    except ValueError as error:
        raise _refuse("period", f"{before} {after}", "no_figures", "mend_periods") from error
    return Change(indicator, place or asker.region, tuple(months[0]), tuple(months[1]), found, asker.snapshot)
