"""How figures of county medical communities are said: texts, marks and addresses shared by their panels."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from quanmin.catalog.messages import language
from quanmin.model import Indicator
from quanmin.reports.wording import signed
from quanmin.reports.words import told
from quanmin.services.communities import Community, Scored
from quanmin.web.figures import number, unit, value_text
from quanmin.web.sheets import Shown
from quanmin.web.words import word

SHADES = 4  # of places among communities
ARROWS = {"improved": "↗", "worse": "↘"}


@dataclass(frozen=True)
class Mark(Shown):
    """A figure in the score card: `moved` and `moved_text` tell the year before, `shade` 1 (last) to SHADES (first) its place, 0 where none is sure."""

    moved: str = ""
    moved_text: str = ""
    shade: int = 0


def community_name(one: Community) -> str:
    """A community's name: its county's where it is the only one there, else its lead hospital's."""
    return word("community_short", name=one.county_name) if one.in_county == 1 else told("reports", "community_of", name=one.name)


def figure_name(one: Indicator) -> str:
    """An indicator with its unit."""
    return one.label.in_language(language()) + (f" ({unit(one)})" if unit(one) else "")


def address(one: Scored, community: Community, chosen: str) -> str:
    """Where a figure comes from: the indicator's page at the community's county, cut as it was counted; reported ones: the community's evidence."""
    if one.counted == "reported":
        return f"/community/{community.code}?{urlencode({'set': chosen, 'year': one.period})}#evidence"
    cut = {"community": {"by": "community_code"}, "lead": {"by": "facility_code"}}.get(one.counted, {})
    return f"/indicator/{one.indicator}?{urlencode({'place': community.county, 'period': one.period} | cut)}"


def text_of(indicator: Indicator, one: Scored) -> str:
    """A figure as the page shows it; what is not known is never 0."""
    if one.status == "bounds":
        return f"{value_text(indicator, one.low)}–{value_text(indicator, one.high)}"
    if one.status == "withheld":
        return "*"
    if one.status == "reported":
        said = one.evidence[0]
        judged = word(f"community_judgement_{said.judgement}") if said.judgement else ""
        return " ".join(part for part in (judged, "" if said.value is None else number(said.value)) if part) or word("community_state_reported")
    if one.status == "not_reported":
        return word("community_state_not_reported")
    return value_text(indicator, one.value)


def rank_text(one: Scored) -> str:
    """The rank with its interval, "" without."""
    if one.rank is None:
        return ""
    said = word("community_rank_of", rank=one.rank, count=one.of)
    return said if one.rank_low is None else f"{said} · {word('community_rank_range', low=one.rank_low, high=one.rank_high)}"


def moved_text(indicator: Indicator, one: Scored) -> str:
    """The change on the year before, "" where there is none to speak of."""
    return "" if one.change is None else f"{ARROWS.get(one.moved, '')} {signed(indicator, one.change)}".strip()


def detail(indicator: Indicator, one: Scored) -> str:
    """Everything about a figure on one line."""
    parts = [word(f"community_state_{one.status}"), word(f"community_counted_{one.counted}")]
    if one.numerator is not None:
        parts.append(number(one.numerator) + (f" / {number(one.denominator)}" if one.denominator is not None else ""))
    if one.unknown:
        parts.append(f"{word('unknown')} {number(one.unknown)}")
    if one.missing:
        parts.append(f"{word('missing_senders')} {len(one.missing)}")
    if one.target is not None:
        parts.append(f"{word('target')} {value_text(indicator, one.target)}")
    if one.moved and one.change is not None:
        parts.append(f"{word('community_moved_' + one.moved)} {signed(indicator, one.change)}")
    if one.is_clear is not None and one.moved in ARROWS:
        parts.append(word("community_clear" if one.is_clear else "community_unclear"))
    return " · ".join(part for part in (*parts, rank_text(one)) if part)


def shade(one: Scored) -> int:
    """The place among communities in SHADES steps; 0 where the interval of the rank spans nearly all of them."""
    if one.rank is None or one.of < 2 or (one.rank_low is not None and one.rank_high is not None and one.rank_high - one.rank_low >= one.of / 2):
        return 0
    return SHADES - (one.rank - 1) * SHADES // one.of


def mark(indicator: Indicator, one: Scored, community: Community, chosen: str) -> Mark:
    """A figure in the score card."""
    verdict = one.verdict or ("bounds" if one.status == "bounds" else "")
    return Mark(text_of(indicator, one), one.value, address(one, community, chosen), verdict, detail(indicator, one), one.moved,
                moved_text(indicator, one), shade(one))
