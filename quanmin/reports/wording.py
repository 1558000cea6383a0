"""How figures read: the same on a page, in a brief and on the wall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quanmin.catalog.messages import language
from quanmin.catalog.wording import unit_in
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Check, Indicator
from quanmin.reports.standing import Standing
from quanmin.reports.words import told
from quanmin.services.change.causes import Cause

NOTHING = "–"


def number(value: Any) -> str:
    """A count as people read it: thousands separated, two decimals where it has any."""
    if value is None:
        return NOTHING
    return f"{float(value):,.2f}" if float(value) % 1 else f"{int(value):,}"


def value_text(indicator: Indicator, value: float | None) -> str:
    """An indicator's value: totals like counts, everything else with two decimals."""
    if value is None:
        return NOTHING
    return number(round(float(value), 2)) if indicator.kind == "total" else f"{float(value):,.2f}"


def unit(indicator: Indicator) -> str:
    """The indicator's unit in the spoken language."""
    return unit_in(indicator.unit, language())


def signed(one: Indicator, value: float) -> str:
    """A difference with its sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{value_text(one, abs(value))}"


def since_year(one: Standing) -> float | None:
    """The difference from the same period a year before, None where either is not known."""
    now, before = one.cell, one.before
    if now is None or before is None or now.value is None or before.value is None or now.missing or before.missing:
        return None
    return float(now.value) - float(before.value)


def change_text(one: Standing) -> str:
    """The difference from a year before as a phrase, "" where it is not known."""
    moved = since_year(one)
    return "" if moved is None else told("reports", "since_year", change=signed(one.indicator, moved))


def rank_text(one: Standing, level: float = 0.95) -> str:
    """The place's rank with its interval, or for the whole region the counties at both ends."""
    if one.rank is not None and one.ranks is not None:
        if one.rank.low is None:
            return told("reports", "rank_plain", rank=one.rank.rank, count=len(one.ranks.units))
        said = told("ranking", "rank_of", rank=one.rank.rank, count=len(one.ranks.units), level=round(level * 100), low=one.rank.low, high=one.rank.high)
        return said + told("reports", "list_comma") + told("ranking", "rank_alike", alike=one.rank.alike) if one.rank.alike else said
    if one.ranks is None or len(one.ranks.units) < 2:
        return ""
    first, last = one.ranks.units[0], one.ranks.units[-1]
    best, worst = value_text(one.indicator, first.value), value_text(one.indicator, last.value)
    return told("reports", "from_to", first=first.name, best=best, last=last.name, worst=worst)


def ends_text(one: Standing) -> str:
    """The place's rank, or for the whole region who is first and who is last; as short as a table wants it."""
    if one.rank is not None or one.ranks is None or len(one.ranks.units) < 2:
        return rank_text(one)
    return told("reports", "ends", first=one.ranks.units[0].name, last=one.ranks.units[-1].name)


def step_text(one: Standing) -> str:
    """The next step as a phrase."""
    return told("reports", f"step_{one.step.kind}", **one.step.values)


def code_names(inquiry: Inquiry, indicator: Indicator | Check, dimension: str) -> Mapping[str, str]:
    """Code → name for the values of a dimension."""
    catalog = inquiry.indicators.catalog
    for table in inquiry.indicators.tables_of(indicator):
        column = catalog.tables[table].columns.get(dimension)
        if column is not None and column.codes:
            return {code: label.in_language(language()) or label.zh for code, label in catalog.codes[column.codes].codes.items()}
    if dimension == "check_id":
        return {name: one.label.in_language(language()) for name, one in catalog.checks.items()}
    if dimension in ("facility_code", "sender"):
        return {code: one.name for code, one in inquiry.units("facility").items()}
    if dimension == "community_code":
        return {one.of_community: told("reports", "community_of", name=one.name) for one in inquiry.units("facility").values() if one.is_lead}
    if dimension in ("place", "county") or dimension.endswith(("_county", "_township", "county_code", "township_code")):
        return inquiry.place_names()
    return {"true": told("reports", "yes"), "false": told("reports", "no")}


def dimension_name(inquiry: Inquiry, indicator: Indicator, name: str) -> str:
    """What a dimension is called."""
    if name == "sender":
        return told("reports", "sender")
    tables = (inquiry.indicators.catalog.tables[table] for table in inquiry.indicators.tables_of(indicator))
    return next((table.columns[name].label.in_language(language()) for table in tables if name in table.columns), name)


def group_name(inquiry: Inquiry, indicator: Indicator, dimension: str, group: Any) -> str:
    """What a group of a dimension is called."""
    if group is None or group == "":
        return told("reports", "unknown")
    return code_names(inquiry, indicator, dimension).get(str(group).lower() if isinstance(group, bool) else str(group), str(group))


def cause_text(inquiry: Inquiry, indicator: Indicator, cause: Cause) -> str:
    """A cause as a sentence."""
    return told("change", "cause_of_dimension", dimension=dimension_name(inquiry, indicator, cause.dimension),
                group=group_name(inquiry, indicator, cause.dimension, cause.group), points=signed(indicator, cause.points),
                part=told("change", f"short_{cause.part}"))
