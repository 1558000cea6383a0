"""The panels of vaccine safety: reports per dose, reactions out of proportion, lots."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from quanmin.catalog.messages import language
from quanmin.services.surveillance.actions import VaccineSafety
from quanmin.web.data_pages import bars
from quanmin.web.figures import NOTHING
from quanmin.web.overview_page import about
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

DRAWN = 15
HIDDEN = "*"
CRITERIA = {"prr": "PRR", "ror": "ROR", "ic": "IC025", "eb": "EB05"}


def names(view: View, codes: str) -> Mapping[str, str]:
    """Code → name in the spoken language."""
    return {code: label.in_language(language()) for code, label in view.catalog.codes[codes].codes.items()}


def _figure(value: float | None, form: str = ".2f") -> Shown:
    known = value is not None and isfinite(value)
    return Shown(f"{value:{form}}" if known else NOTHING, value if known else None)


def rates_panel(view: View, found: VaccineSafety) -> Panel:
    """Reports per 100,000 doses by vaccine."""
    of = names(view, "vaccine")
    columns = [Column("vaccine", word("vaccine_vaccine")), Column("doses", word("vaccine_doses"), True), Column("reports", word("vaccine_reports"), True),
               Column("serious", word("vaccine_serious"), True), Column("rate", word("vaccine_rate"), True), Column("low", word("interval_low"), True),
               Column("high", word("interval_high"), True)]
    rows: list[list[Any]] = []
    for one in found.rates:
        counts = [Shown(HIDDEN if one.is_withheld or value is None else f"{value:,}", value) for value in (one.doses, one.reports, one.serious)]
        limits = [Shown(HIDDEN, None) if one.is_withheld else _figure(value, ".1f") for value in (one.rate, one.low, one.high)]
        rows.append([Shown(of.get(one.vaccine, one.vaccine), one.vaccine), *counts, *limits])
    drawn = [(of.get(one.vaccine, one.vaccine), round(one.rate, 1), f"{one.reports} / {one.doses:,}", "") for one in found.rates
             if one.rate is not None and one.doses][:DRAWN]
    chart = bars(word("vaccine_rate"), drawn, "")
    return Panel("rates", word("vaccine_rates"), Sheet(columns, rows, about(view, found.period)), chart, word("vaccine_rates_note"), is_open=True)


def pairs_panel(view: View, found: VaccineSafety) -> Panel:
    """Vaccines with the reactions reported after them, the largest EB05 first."""
    of, reactions = names(view, "vaccine"), names(view, "vaccine_reaction")
    columns = [Column("vaccine", word("vaccine_vaccine")), Column("reaction", word("vaccine_reaction")), Column("reports", word("vaccine_reports"), True),
               Column("expected", word("vaccine_expected"), True)]
    for name in ("PRR", "ROR"):
        columns += [Column(name.lower(), name, True), Column(f"{name.lower()}_low", word("vaccine_low_of", name=name), True),
                    Column(f"{name.lower()}_high", word("vaccine_high_of", name=name), True)]
    columns += [Column("ic025", "IC025", True), Column("ebgm", "EBGM", True), Column("eb05", "EB05", True), Column("signals", word("vaccine_signals"))]
    rows = [[Shown(of.get(one.vaccine, one.vaccine), one.vaccine), Shown(reactions.get(one.reaction, one.reaction), one.reaction), one.reports,
             *(_figure(value) for value in (one.expected, one.prr, one.prr_low, one.prr_high, one.ror, one.ror_low, one.ror_high, one.ic025, one.ebgm,
                                            one.eb05)),
             Shown(", ".join(CRITERIA[name] for name in one.signals) or NOTHING, " ".join(one.signals))] for one in found.pairs]
    return Panel("pairs", word("vaccine_pairs"), Sheet(columns, rows, about(view, found.period)), note=word("vaccine_pairs_note"), is_open=True)


def lots_panel(view: View, found: VaccineSafety) -> Panel:
    """Lots, the least likely first."""
    of = names(view, "vaccine")
    columns = [Column("vaccine", word("vaccine_vaccine")), Column("lot", word("vaccine_lot")), Column("doses", word("vaccine_doses"), True),
               Column("reports", word("vaccine_reports"), True), Column("serious", word("vaccine_serious"), True),
               Column("expected", word("vaccine_expected"), True), Column("ratio", word("vaccine_ratio"), True), Column("p", "p", True), Column("q", "q", True),
               Column("llr", word("vaccine_llr"), True), Column("critical", word("vaccine_critical"), True),
               Column("signalled_on", word("vaccine_signalled_on"))]
    rows = [[Shown(of.get(one.vaccine, one.vaccine), one.vaccine), one.lot, one.doses, one.reports, one.serious, _figure(one.expected), _figure(one.ratio),
             _figure(one.p, ".1e"), _figure(one.q, ".2g"), _figure(None if one.critical is None else one.llr), _figure(one.critical),
             one.signalled_on or None] for one in found.lots]
    drawn = [(f"{of.get(one.vaccine, one.vaccine)} {one.lot}", round(one.ratio, 2), f"{one.reports} / {one.expected:.2f}", "") for one in found.lots
             if one.reports][:DRAWN]
    note = word("vaccine_lots_note", unmatched=found.unmatched or 0)
    return Panel("lots", word("vaccine_lots"), Sheet(columns, rows, about(view, found.period)), bars(word("vaccine_ratio"), drawn, ""), note, is_open=True)
