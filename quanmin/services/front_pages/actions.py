"""What may be asked of the quality of front pages: scores by institution and coder, month by month, and what each kind of error costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quanmin.model import Cell
from quanmin.model.action import action
from quanmin.model.asker import Asker

SCORE, GROUP_ERROR, POINTS, KEPT_OUT = "front_page_score", "front_page_group_error_share", "front_page_error_points", "front_page_error_kept_out_share"
YEAR = 4  # letters of a year


@dataclass(frozen=True)
class Scored:
    """Front pages of an institution, coder or month (`of` is its code, pseudonym or name): how many, their mean score (of 100) with 95 % limits.

    `group_error_share` (%) of them have an error in a field that decides the group; `change` is the score less that of the period before.
    Of a withheld one only `of` is told. `name` is the coder's where the role may see who it is.
    """

    of: str
    pages: int | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    group_error_share: float | None = None
    change: float | None = None
    is_withheld: bool = False
    name: str = ""


@dataclass(frozen=True)
class ErrorCost:
    """A check: front pages that violate it, the points it took of them in all and of 100 pages, and what became of their groups.

    `kept_out` of the pages have no group, `may_move` have one that may be wrong; both None where the check is on no field that decides the group.
    """

    check: str
    pages: int | None = None
    points: float | None = None
    points_per_100: float | None = None
    kept_out: int | None = None
    may_move: int | None = None
    is_withheld: bool = False


@dataclass(frozen=True)
class FrontPages:
    """Front pages of a period: all of them, by institution, by month, by coder of the institution asked for, and by error, the dearest first."""

    period: str
    total: Scored
    facilities: tuple[Scored, ...]
    months: tuple[Scored, ...]
    coders: tuple[Scored, ...]
    errors: tuple[ErrorCost, ...]
    snapshot: int


def _within(period: str) -> list[str]:
    return [f"year = {period}" if len(period) == YEAR else f"month = '{period}'"]


def _before(period: str) -> str:
    """The year or month before."""
    if len(period) == YEAR:
        return str(int(period) - 1)
    months = int(period[:YEAR]) * 12 + int(period[5:]) - 2
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def _scored(of: str, score: Cell | None, errors: Cell | None = None, before: Cell | None = None, name: str = "") -> Scored:
    if score is None or score.suppressed:
        return Scored(of, is_withheld=score is not None, name=name)
    was = before.value if before is not None and not before.suppressed else None
    change = None if was is None or score.value is None else score.value - was
    return Scored(of, int(score.denominator or 0), score.value, score.low, score.high, None if errors is None or errors.suppressed else errors.value, change,
                  name=name)


def _by(asker: Asker, name: str, dimension: str, where: list[str]) -> Mapping[str, Cell]:
    return {str(cell.key[dimension]): cell for cell in asker.figures(name, [dimension], where).cells if cell.key[dimension] is not None}


def _coders(asker: Asker, where: list[str]) -> tuple[Scored, ...]:
    """The coders under their pseudonyms, with names only where the role may see who is who."""
    by = ["coder_id", "coder"] if asker.may("identified") else ["coder_id"]
    scores, errors = ({tuple(str(cell.key[one] or "") for one in by): cell for cell in asker.figures(name, by, where).cells} for name in (SCORE, GROUP_ERROR))
    found = [_scored(key[0], cell, errors.get(key), name=key[1] if len(key) > 1 else "") for key, cell in scores.items()]
    return tuple(sorted(found, key=lambda one: (one.is_withheld, one.score if one.score is not None else 0.0, one.of)))


def _errors(asker: Asker, where: list[str], pages: int) -> tuple[ErrorCost, ...]:
    points, kept = _by(asker, POINTS, "check_id", where), _by(asker, KEPT_OUT, "check_id", where)
    found = []
    for check, cell in points.items():
        group = kept.get(check)
        if cell.suppressed or (group is not None and group.suppressed):
            found.append(ErrorCost(check, is_withheld=True))
            continue
        taken, out = float(cell.numerator or 0), None if group is None or not group.denominator else int(group.numerator or 0)
        found.append(ErrorCost(check, int(cell.denominator or 0), taken, 100 * taken / pages if pages else None, out,
                               None if out is None or group is None else int(group.denominator or 0) - out))
    return tuple(sorted(found, key=lambda one: (-(one.points or 0), one.check)))


@action("figures")
def front_pages(asker: Asker, place: str = "", facility: str = "", period: str = "") -> FrontPages:
    """Quality of front pages: the score by institution, month and coder of an institution, and the errors that cost most or move the group."""
    shown = asker.period(period)
    here = asker.where(place, facility)
    where = [*_within(shown), *here]
    asker.prepare([SCORE, GROUP_ERROR], [[], ["facility_code"]], where)
    scores, errors = _by(asker, SCORE, "facility_code", where), _by(asker, GROUP_ERROR, "facility_code", where)
    before = _by(asker, SCORE, "facility_code", [*_within(_before(shown)), *here])
    known = asker.units("facility")
    facilities = [_scored(code, cell, errors.get(code), before.get(code)) for code, cell in scores.items() if code in known]
    whole, wrong, was = (next(iter(asker.figures(name, [], told).cells), None)
                         for name, told in ((SCORE, where), (GROUP_ERROR, where), (SCORE, [*_within(_before(shown)), *here])))
    total = _scored(facility or place or asker.region, whole, wrong, was)
    newest = asker.months()
    by_month = _by(asker, SCORE, "month", here)
    wrong_by_month = _by(asker, GROUP_ERROR, "month", here)
    months = tuple(_scored(month, by_month[month], wrong_by_month.get(month)) for month in newest if month in by_month)
    order = sorted(facilities, key=lambda one: (one.is_withheld, one.score if one.score is not None else 0.0, one.of))
    coders = _coders(asker, where) if facility and asker.may("rows") else ()
    return FrontPages(shown, total, tuple(order), months, coders, _errors(asker, where, total.pages or 0), asker.snapshot)
