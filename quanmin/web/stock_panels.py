"""The panels of stocks that are counted: cover by institution and item, its trend, what expires, transfers, orders, use, and who has not reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from quanmin.services.preparedness.stockpile_answer import Cover, StockpileAnswer
from quanmin.web.preparedness_sheets import assumptions_panel, panel_of, sums_panel, text
from quanmin.web.sheets import Panel
from quanmin.web.words import word

SOON_DAYS = 180  # lots that expire within them are listed though they will be used up
About = Mapping[str, Any]


def cover_rows(found: StockpileAnswer) -> list[dict[str, Any]]:
    """An institution's item in one row: days normally, at full load and in a surge, and the judged situation's use; the fewest days first."""
    by: dict[tuple[str, str], dict[str, Cover]] = {}
    for row in found.cover:
        by.setdefault((row.institution, row.item), {})[row.situation] = row
    rows = []
    for told in by.values():
        judged = next((row for row in told.values() if row.situation_name == found.judged_in), None)
        if judged is None:
            continue
        days = {f"{situation}_days": row.days for situation, row in told.items()}
        rows.append({"normal_days": None, "full_load_days": None, "surge_days": None} | vars(judged) | days | {"basis": told["normal"].basis
                                                                                                       if "normal" in told else judged.basis})
    return sorted(rows, key=lambda row: (row["usable_days"] is None, row["usable_days"] or 0.0, row["institution"], row["item"]))


def trend_chart(found: StockpileAnswer) -> dict[str, Any] | None:
    """Days that all usable stock of each key item lasts at full load, by month."""
    months = list(dict.fromkeys(row.month for row in found.months))
    items = list(dict.fromkeys(row.item for row in found.months))
    if len(months) < 2:
        return None
    at = {(row.month, row.item): row for row in found.months}
    names = {row.item: row.item_name for row in found.months}
    lines = []
    for item in items:
        rows = [at.get((month, item)) for month in months]
        said = [word("prep_told_month", item=names[item], days=text(row.days), fewest=text(row.fewest_days), short=row.short_count,
                     count=row.institutions) if row else "" for row in rows]
        lines.append({"name": names[item], "data": [round(row.days, 1) if row and row.days is not None else None for row in rows], "told": said})
    return {"kind": "prep_trend", "x": months, "lines": lines, "target": found.target_days, "words": {"target": word("prep_target"), "y": word("prep_f_days")}}


def _soon(found: StockpileAnswer) -> list[Any]:
    until = (date.fromisoformat(found.as_of) + timedelta(days=SOON_DAYS)).isoformat()
    return sorted((lot for lot in found.lots if lot.expired > 0 or (lot.expires_on and lot.expires_on <= until)),
                  key=lambda lot: (lot.expired <= 0, lot.expires_on, lot.institution, lot.item))


def _some(name: str, rows: Sequence[Any], fields: str, about: About) -> list[Panel]:
    return [panel_of(name, rows, fields, about)] if rows else []


def counted_panels(found: StockpileAnswer, about: About, chart: Mapping[str, Any] | None) -> list[Panel]:
    """All panels; `chart` draws the fewest days of every item."""
    silent = sorted((row for row in found.reported if row.reporting != "reported"), key=lambda row: row.reporting)  # those that stopped first
    panels = [panel_of("cover", cover_rows(found), "institution_name item_name stock:1 unit normal_days:0 full_load_days:0 surge_days:0 usable_days:0 is_short"
                       " per_day:1 basis sum", about, chart),
              panel_of("months", found.months, "month item_name institutions:0 days:0 fewest_days:0 short_count:0", about, trend_chart(found))]
    panels += _some("silent", silent, "institution_name reporting counted_on age_days:0", about)
    panels += _some("moves", found.moves, "item_name giver_name taker_name quantity:0 unit giver_days_before:0 giver_days_after:0 taker_days_before:0"
                    " taker_days_after:0", about)
    panels += _some("expiring", _soon(found), "institution_name item_name lot quantity:1 unit expires_on begins_on expired:1", about)
    panels += _some("rescues", found.rescues, "item_name lot expires_on giver_name taker_name quantity:0 unit", about)
    panels += _some("orders", found.orders, "institution_name item_name quantity:0 unit by is_late cny:0", about)
    panels += _some("levels", found.levels, "item_name unit stock:0 per_day:1 common_days:1 transfers:0 fewest:0 is_proved", about)
    panels += _some("consumption", found.consumption, "institution_name item_name unit issued_per_day:2 needed_per_day:2 full_load_per_day:2 ratio:0", about)
    panels += _some("reported", [row for row in found.reported if row.reporting == "reported"], "institution_name counted_on age_days:0 lots:0", about)
    return [*panels, sums_panel(found.sums, about), assumptions_panel(found.assumptions, about)]
