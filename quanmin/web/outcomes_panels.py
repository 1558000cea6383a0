"""The panels of the pages of outcomes: what outcomes.js draws and the sheet beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.services.quality.actions import FacilityOutcome, ModelCard, Monitor, Outcomes
from quanmin.services.quality.comorbidity import INDICES, comorbidity_index
from quanmin.services.quality.learning import TABLE
from quanmin.web.figures import NOTHING, number
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

DRAWN_RATIO = 6.0  # a ratio above is drawn at the edge, where its words say what it is


def text(value: float | None, digits: int = 2) -> str:
    """A number as the pages write it."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def shown(value: float | None, digits: int = 2) -> Shown:
    """A number in a sheet."""
    return Shown(text(value, digits), value)


def follow_link(view: View, facility: str, outcome: str) -> str:
    """Where an institution is followed; "" for who may not."""
    return f"/outcomes/{facility}?{urlencode({'outcome': outcome})}" if view.actor.may("small") else ""


def _flag(row: FacilityOutcome) -> str:
    return word("outcomes_flag_few" if row.is_few else f"outcomes_flag_{row.outside}")


def _facility_row(view: View, found: Outcomes, row: FacilityOutcome) -> list[Any]:
    name = Shown(row.name, row.facility, "" if row.is_withheld else follow_link(view, row.facility, found.outcome))
    if row.is_withheld:
        return [name, *[Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))] * 11]
    return [name, row.stays, shown(row.observed, 0), shown(row.expected), shown(row.ratio), shown(row.low), shown(row.high), shown(row.byar_low),
            shown(row.byar_high), shown(row.low_998), shown(row.high_998), Shown(_flag(row), row.outside)]


def facilities_panel(view: View, found: Outcomes, is_days: bool) -> Panel:
    """Institutions as a funnel, and the table under it."""
    names = ("observed", "expected", "ratio", "low", "high", "byar_low", "byar_high", "low_998", "high_998")
    columns = [Column("facility", word("institution")), Column("stays", word("outcomes_stays"), True),
               *(Column(name, word(f"outcomes_{name}"), True) for name in names), Column("outside", word("outcomes_flag"))]
    rows = [_facility_row(view, found, row) for row in found.facilities]
    if view.actor.may("small"):
        columns.append(Column("left_against_advice", word("outcomes_left"), True))
        rows = [[*line, row.left_against_advice] for line, row in zip(rows, found.facilities, strict=True)]
    note = [word("outcomes_facilities_note", tau=text(found.tau), phi=text(found.phi)), word("outcomes_days_note") if is_days else "",
            word("outcomes_others", count=found.others) if found.others else "", word("outcomes_withheld", count=found.withheld) if found.withheld else ""]
    return Panel("facilities", word("outcomes_facilities"), Sheet(columns, rows, about(view, found.period) | {"outcome": found.outcome}),
                 _funnel(view, found), " ".join(part for part in note if part), is_open=True)


def _funnel(view: View, found: Outcomes) -> dict[str, Any] | None:
    drawn = [row for row in found.facilities if row.ratio is not None and row.expected]
    if not drawn or not found.curve:
        return None
    top = min(DRAWN_RATIO, 1.1 * max([row.ratio or 0 for row in drawn] + [line[4] for line in found.curve[len(found.curve) // 3:]]))
    units = [{"name": row.name, "size": max(row.expected or 0, found.curve[0][0]), "value": min(row.ratio or 0, top), "outside": row.outside,
              "link": follow_link(view, row.facility, found.outcome),
              "told": word("outcomes_told", name=row.name, observed=text(row.observed, 0), expected=text(row.expected), ratio=text(row.ratio),
                           low=text(row.low), high=text(row.high)) + "\n" + _flag(row)} for row in drawn]
    return {"kind": "outcome_funnel", "target": 1, "curve": [list(line) for line in found.curve], "floor": 0, "ceiling": top, "units": units,
            "words": {"units": word("funnel_units"), "limit_95": word("funnel_95"), "limit_998": word("funnel_998"), "centre": word("outcomes_centre"),
                      "size": word("outcomes_size")}}


def _excluded(view: View, reason: str) -> str:
    label = view.catalog.codes["outcome_exclusion"].codes.get(reason)
    return label.in_language(language()) if label else word("outcomes_not_in_question")


def model_panel(view: View, card: ModelCard) -> Panel:
    """What the model is worth, and which stays were left out."""
    columns = [Column("item", word("outcomes_item")), Column("fitted", word("outcomes_fitted"), True), Column("elsewhere", word("outcomes_elsewhere"), True)]
    rows: list[list[Any]] = [[word("outcomes_c_statistic"), shown(card.c_statistic_fitted, 3), shown(card.c_statistic, 3)],
                             *([word(f"outcomes_{name}"), None, shown(getattr(card, name), 3)] for name in ("slope", "intercept")),
                             [word("outcomes_error"), None, shown(card.error, 4)],
                             *([word("outcomes_excluded", reason=_excluded(view, reason)), count, None] for reason, count in card.excluded.items())]
    return Panel("model", word("outcomes_model"), Sheet(columns, rows, about(view, "") | {"outcome": card.outcome}),
                 note=word("outcomes_model_note", first=card.first_month, last=card.last_month, stays=number(card.stays), events=number(card.events)))


def calibration_panel(view: View, card: ModelCard) -> Panel:
    """Tenths of the stays by what was expected of them."""
    columns = [Column("group", word("outcomes_group")), Column("stays", word("outcomes_stays"), True),
               Column("expected", word("outcomes_mean_expected"), True), Column("observed", word("outcomes_mean_observed"), True)]
    withheld = Shown("*", None, title=word("suppressed", below=view.indicators.suppress_below))
    rows = [[str(at), one.stays, shown(one.expected, 4), withheld if one.observed is None else shown(one.observed, 4)]
            for at, one in enumerate(card.groups, 1)]
    points = [{"x": one.expected, "y": one.observed, "told": word("outcomes_told_group", stays=number(one.stays), expected=text(one.expected, 4),
                                                                     observed=text(one.observed, 4))} for one in card.groups if one.observed is not None]
    chart = {"kind": "calibration", "groups": points, "x": word("outcomes_mean_expected"), "y": word("outcomes_mean_observed"),
             "line_name": word("outcomes_perfect")} if len(points) > 1 else None
    return Panel("calibration", word("outcomes_calibration"), Sheet(columns, rows, about(view, "") | {"outcome": card.outcome}), chart,
                 word("outcomes_calibration_note"))


def _term(view: View, name: str) -> str:
    """What a column of the model is called."""
    table = view.catalog.tables[TABLE]
    index, _, category = name.partition(".")
    if index in INDICES:
        return next((one.label.in_language(language()) for one in comorbidity_index(index).categories if one.id == category), category)
    column, _, level = name.partition("=")
    if column in table.columns and level:
        one = table.columns[column]
        named = view.catalog.codes[one.codes].codes.get(level) if one.codes else None
        said = (named.in_language(language()) or named.zh) if named else level
        return f"{one.label.in_language(language())}: {level if said == level else f'{level} {said}'}"
    column, _, knot = name.partition(">")
    if column in table.columns:
        label = table.columns[column].label.in_language(language())
        return word("outcomes_above", name=label, knot=knot) if knot else label
    return word("outcomes_constant")


def coefficients_panel(view: View, card: ModelCard) -> Panel:
    """The coefficients of the model, the strongest effects first after the constant and age."""
    effect = word(f"outcomes_effect_{card.kind}")
    columns = [Column("term", word("outcomes_term")), Column("effect", effect, True), Column("low", word("interval_low"), True),
               Column("high", word("interval_high"), True), Column("estimate", word("outcomes_estimate"), True),
               Column("standard_error", word("outcomes_standard_error"), True)]
    rows = [[Shown(_term(view, one.name), one.name), shown(one.effect), shown(one.low), shown(one.high), shown(one.estimate, 3), shown(one.standard_error, 3)]
            for one in card.coefficients]
    return Panel("coefficients", word("outcomes_coefficients"), Sheet(columns, rows, about(view, "") | {"outcome": card.outcome}),
                 note=word("outcomes_coefficients_note", effect=effect))


def vlad_panel(view: View, found: Monitor, is_days: bool) -> Panel:
    """The variable life-adjusted display by week."""
    columns = [Column("week", word("outcomes_week")), Column("vlad", "VLAD", True), Column("low", word("interval_low"), True),
               Column("high", word("interval_high"), True)]
    rows = [[one.week, shown(one.vlad), shown(one.low), shown(one.high)] for one in reversed(found.points)]
    chart = {"kind": "vlad", "x": [one.week for one in found.points], "y": [round(one.vlad, 3) for one in found.points],
             "low": [round(one.low, 3) for one in found.points], "high": [round(one.high, 3) for one in found.points],
             "told": [word("outcomes_told_week", week=one.week, value=text(one.vlad)) for one in found.points],
             "words": {"vlad": "VLAD", "band": word("outcomes_band")}}
    return Panel("vlad", word("outcomes_vlad_days" if is_days else "outcomes_vlad"), Sheet(columns, rows, _about(view, found)), chart,
                 word("outcomes_vlad_note"))


def _about(view: View, found: Monitor) -> dict[str, Any]:
    return about(view, f"{found.first_month}..{found.last_month}") | {"outcome": found.outcome, "facility": found.facility}


def cusum_panel(view: View, found: Monitor) -> Panel:
    """The two sums by week with their limits, and where they signalled."""
    worse, better = (next(one for one in found.limits if one.side == side) for side in ("worse", "better"))
    columns = [Column("week", word("outcomes_week")), *(Column(side, word(f"outcomes_{side}"), True) for side in ("worse", "better"))]
    rows = [[one.week, shown(one.worse), shown(one.better)] for one in reversed(found.points)]
    chart = {"kind": "cusum", "x": [one.week for one in found.points], "worse": [one.worse for one in found.points],
             "better": [one.better for one in found.points], "limits": {"worse": worse.limit, "better": better.limit},
             "told": [word("outcomes_told_cusum", week=one.week, worse=text(one.worse), better=text(one.better)) for one in found.points],
             "words": {"worse": word("outcomes_worse"), "better": word("outcomes_better"), "limit": word("outcomes_threshold")}}
    note = word("outcomes_cusum_note", years=f"{found.false_alarm_years:g}", worse=text(worse.false_alarms_per_year), early=text(better.months_to_notice, 1),
                better=text(better.false_alarms_per_year), late=text(worse.months_to_notice, 1))
    return Panel("cusum", word("outcomes_cusum"), Sheet(columns, rows, _about(view, found)), chart, note)


def signals_panel(view: View, found: Monitor) -> Panel:
    """The days on which a chart signalled."""
    columns = [Column("on", word("outcomes_signal_on")), Column("side", word("outcomes_signal_side")), Column("stay", word("outcomes_signal_stay"), True)]
    rows = [[one.on, Shown(word(f"outcomes_{one.side}"), one.side), one.stay] for one in found.signals]
    return Panel("signals", word("outcomes_signals"), Sheet(columns, rows, _about(view, found)), note="" if rows else word("outcomes_no_signal"))


def months_panel(view: View, found: Monitor) -> Panel:
    """Month by month: observed, expected, and what the charts came to."""
    columns: Sequence[Column] = [
        Column("month", word("month")), Column("stays", word("outcomes_stays"), True), Column("observed", word("outcomes_observed"), True),
        Column("expected", word("outcomes_expected"), True), Column("vlad", "VLAD", True), Column("worse", word("outcomes_worse"), True),
        Column("better", word("outcomes_better"), True), Column("signals", word("outcomes_signals"))]
    rows = [[one.month, one.stays, shown(one.observed, 0), shown(one.expected), shown(one.vlad), shown(one.worse), shown(one.better),
             Shown(" ".join(word(f"outcomes_{side}") for side in one.signals.split()), one.signals)] for one in reversed(found.months)]
    return Panel("months", word("outcomes_months"), Sheet(columns, rows, _about(view, found)), is_open=True)
