"""The panels of county medical communities: score card, tallies, gaps, ranks, trends, members and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quanmin.catalog.messages import language
from quanmin.model import Indicator
from quanmin.model.asker import Unit
from quanmin.reports.communities import CommunityCard, ScoreCards, Trend
from quanmin.services.communities import Community, Scored, ScoreSet
from quanmin.services.communities.scorecards import KINDS
from quanmin.services.variation.actions import Variation
from quanmin.web.communities_words import address, community_name, detail, figure_name, mark, moved_text, rank_text, text_of
from quanmin.web.figures import unit, value_text
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View
from quanmin.web.words import word

WORKBOOK = "appraisal_evidence_workbook"
PATTERNS = {"met": ("good", "none"), "improved": ("good", "lines"), "shown": ("soft", "dots"), "reported": ("brand", "dots"), "uncertain": ("soft", "lines"),
            "awaited": ("warn", "lines"), "worse": ("bad", "lines"), "missed": ("bad", "none")}


def number_columns(*names: str) -> list[Column]:
    """Columns of numbers, each headed by the word of its name or, after a colon, another."""
    pairs = [name.partition(":") for name in names]
    return [Column(name, word(label or name), True) for name, _, label in pairs]


def scorecard_panel(view: View, found: ScoreCards, chosen: ScoreSet, listed: Sequence[Community], about: Mapping[str, Any]) -> Panel:
    """Items × communities: each number with its mark, its movement and its place."""
    by_key = {(one.community, one.indicator): one for one in found.figures}
    columns = [Column("item", word("community_item")), Column("group", word("community_group")), Column("figure", word("community_figure")),
               *(Column(one.code, community_name(one), True) for one in listed)]
    rows = []
    for item in chosen.items:
        for figure in item.figures:
            indicator = view.catalog.indicators[figure.indicator]
            rows.append([
                Shown(item.code, item.code, "", "", item.title.in_language(language())), chosen.groups[item.group].in_language(language()),
                Shown(figure_name(indicator), indicator.id, f"/indicator/{indicator.id}?period={found.year.year}", "",
                      word(f"community_counted_{figure.counted}")),
                *(mark(indicator, by_key[one.code, indicator.id], one, found.set) for one in listed)])
    return Panel("scorecard", word("community_scorecard", set=chosen.name.in_language(language())), Sheet(columns, rows, about), None,
                 word("community_scorecard_note"), is_open=True)


def kinds_panel(found: ScoreCards, listed: Sequence[Community], about: Mapping[str, Any]) -> Panel:
    """How many figures of each community are met, missed, better or worse than last year, or awaited."""
    tallies = {one.community: one.tally for one in found.communities}
    order = sorted(listed, key=lambda one: (-(tallies[one.code].met + tallies[one.code].improved), one.code))
    columns = [Column("community", word("community_one")), *(Column(kind, word(f"community_kind_{kind}"), True) for kind in KINDS)]
    rows = [[Shown(community_name(one), one.code, _page(one, found)), *(getattr(tallies[one.code], kind) for kind in KINDS)] for one in order]
    chart = {"kind": "community_kinds", "x": [community_name(one) for one in order], "links": [_page(one, found) for one in order], "series": [
        {"name": word(f"community_kind_{kind}"), "tone": tone, "decal": decal, "values": [getattr(tallies[one.code], kind) for one in order]}
        for kind, (tone, decal) in PATTERNS.items()]}
    return Panel("kinds", word("community_kinds"), Sheet(columns, rows, about), chart, word("community_kinds_note"))


def _page(one: Community, found: ScoreCards | CommunityCard) -> str:
    return f"/community/{one.code}?set={found.set}&year={found.year.year}"


def gap_panel(view: View, found: ScoreCards, listed: Sequence[Community], on: str, about: Mapping[str, Any]) -> Panel:
    """One figure of all communities: this year, last year, target and interval, the best first."""
    indicator = view.catalog.indicators[on]
    of = {one.community: one for one in found.figures if one.indicator == on}
    order = sorted(listed, key=lambda one: (of[one.code].value is None, of[one.code].rank or 0, one.code))
    columns = [Column("community", word("community_one")),
               *number_columns("value:community_this_year", "before:community_last_year", "target", "low:community_lower", "high:community_upper")]
    rows = [[Shown(community_name(one), one.code, _page(one, found)), mark(indicator, of[one.code], one, found.set),
             *(Shown(value_text(indicator, v), v) for v in (of[one.code].before, of[one.code].target, of[one.code].low, of[one.code].high))] for one in order]
    chart = {"kind": "community_gap", "unit": unit(indicator), "x": [community_name(one) for one in order],
             "links": [address(of[one.code], one, found.set) for one in order], "words": {
                 "now": word("community_this_year"), "before": word("community_last_year"), "target": word("target"), "interval": word("interval")},
             "text": [text_of(indicator, of[one.code]) for one in order], "verdict": [of[one.code].verdict for one in order],
             "detail": [detail(indicator, of[one.code]) for one in order],
             **{name: [getattr(of[one.code], name) for one in order] for name in ("value", "before", "target", "low", "high")}}
    return Panel("gap", word("community_gap", indicator=indicator.label.in_language(language())), Sheet(columns, rows, about | {
        "indicator": on, "definition": indicator.version}), chart, f"{word('better_' + indicator.better)} · {word('community_counted_' + _counted(of))}")


def _counted(of: Mapping[str, Scored]) -> str:
    return next(iter(of.values())).counted


def figures_panel(view: View, figures: Sequence[Scored], chosen: ScoreSet, listed: Sequence[Community], about: Mapping[str, Any]) -> Panel:
    """Every figure with everything that is known of it, one a row."""
    places, titles = {one.code: one for one in listed}, {item.code: item for item in chosen.items}
    columns = [
        Column("community", word("community_one")), Column("item", word("community_item")), Column("group", word("community_group")),
        Column("indicator", word("indicator")), Column("unit", word("unit_of")), Column("period", word("period")),
        *number_columns("value", "numerator", "denominator", "unknown", "low:community_lower", "high:community_upper", "target"),
        Column("verdict", word("verdict")), *number_columns("before:community_last_year", "change:community_change"), Column("moved", word("community_moved")),
        *number_columns("rank", "rank_low:community_rank_low", "rank_high:community_rank_high"), Column("counted", word("community_counted")),
        Column("state", word("community_state")), Column("version", word("version"))]
    rows = []
    for one in figures:
        indicator, item = view.catalog.indicators[one.indicator], titles[one.item]
        rows.append([
            Shown(community_name(places[one.community]), one.community), Shown(f"{one.item} {item.title.in_language(language())}", one.item),
            chosen.groups[item.group].in_language(language()), Shown(indicator.label.in_language(language()), one.indicator), unit(indicator), one.period,
            mark(indicator, one, places[one.community], chosen.id), one.numerator, one.denominator, one.unknown,
            *(Shown(value_text(indicator, v), v) for v in (one.low, one.high, one.target)), word(one.verdict) if one.verdict else "",
            Shown(value_text(indicator, one.before), one.before), Shown(moved_text(indicator, one) or "–", one.change),
            word(f"community_moved_{one.moved}") if one.moved else "", one.rank, one.rank_low, one.rank_high, word(f"community_counted_{one.counted}"),
            word(f"community_state_{one.status}"), one.version])
    return Panel("figures", word("community_figures"), Sheet(columns, rows, about))


def to_send_panel(view: View, figures: Sequence[Scored], listed: Sequence[Community], year: str, about: Mapping[str, Any]) -> Panel:
    """What has not been reported, as the workbook to send: its columns are those the mapping reads, so that it can be filled in and sent."""
    mapping = view.catalog.mappings[WORKBOOK]
    fills = {fill.column: fill.source[0] for into in mapping.into for fill in into.fills}
    places = {one.code: one for one in listed}
    heads = [mapping.sender_column, *fills.values()]
    rows = []
    for one in figures:
        if one.status == "not_reported":
            county, shown = places[one.community].county, Shown(year, int(year))
            given: dict[str, Any] = {"indicator": one.item, "unit_code": one.community, "county_code": county, "year": shown}
            rows.append([None, *(given.get(column) for column in fills)])
    return Panel("to_send", word("community_to_send"), Sheet([Column(head, head) for head in heads], rows, about), None,
                 word("community_to_send_note") if rows else word("community_all_reported"))


def evidence_panel(view: View, figures: Sequence[Scored], chosen: ScoreSet, year: str, about: Mapping[str, Any]) -> Panel:
    """What was reported, by whom, in which file and line, and when."""
    titles = {item.code: item.title.in_language(language()) for item in chosen.items}
    columns = [Column("item", word("community_item")), Column("judgement", word("community_judgement")), *number_columns("value"),
               Column("statement", word("community_statement")), Column("document", word("document")), Column("sender", word("community_sender")),
               Column("file", word("community_file")), Column("line", word("community_line"), True), Column("received", word("community_received"))]
    rows = [[Shown(f"{one.item} {titles[one.item]}", one.item), Shown(word(f"community_judgement_{e.judgement}") if e.judgement else "–", e.judgement), e.value,
             e.statement, e.document, e.sender, e.file, e.line, Shown(e.received_at[:16].replace("T", " "), e.received_at)]
            for one in figures for e in one.evidence]
    note = "" if rows else word("community_evidence_none", year=year)
    return Panel("evidence", word("community_evidence"), Sheet(columns, rows, about), None, note, is_open=True)


def ranks_panel(view: View, found: CommunityCard, about: Mapping[str, Any]) -> Panel:
    """The community's rank on every figure, with its interval."""
    ranked = [one for one in found.figures if one.rank is not None]
    indicators = [view.catalog.indicators[one.indicator] for one in ranked]
    columns = [Column("indicator", word("indicator")),
               *number_columns("rank", "rank_low:community_rank_low", "rank_high:community_rank_high", "of:community_all", "value")]
    rows = [[Shown(i.label.in_language(language()), i.id), one.rank, one.rank_low, one.rank_high, one.of, mark(i, one, found.community, found.set)]
            for one, i in zip(ranked, indicators, strict=True)]
    chart = None if not ranked else {
        "kind": "community_ranks", "x": [i.label.in_language(language()) for i in indicators], "of": max(one.of for one in ranked),
        "links": [address(one, found.community, found.set) for one in ranked], "best": word("community_best"),
        "detail": [rank_text(one) for one in ranked], **{name: [getattr(one, name) for one in ranked] for name in ("rank", "rank_low", "rank_high", "verdict")}}
    return Panel("ranks", word("community_ranks"), Sheet(columns, rows, about), chart, word("community_ranks_note"))


def _part(indicator: Indicator, trend: Variation, link: str) -> dict[str, Any]:
    points = trend.points
    return {"name": indicator.label.in_language(language()), "unit": unit(indicator), "target": trend.target, "link": link,
            "x": [p.month for p in points], "text": [value_text(indicator, p.value) for p in points],
            **{name: [getattr(p, name) for p in points] for name in ("value", "mean", "low", "high")},
            "marks": ["" if p.kind == "common_cause" else p.kind for p in points]}


def trends_panel(view: View, found: CommunityCard, trends: Sequence[Trend], about: Mapping[str, Any]) -> Panel:
    """Small multiples of the figures that have months, read by the rules of XmR charts."""
    of = {one.indicator: one for one in found.figures}
    columns = [Column("indicator", word("indicator")), Column("month", word("month")), *number_columns("value", "numerator", "denominator", "unknown")]
    rows, parts = [], []
    for trend in trends:
        if trend.months is None:
            continue
        indicator = view.catalog.indicators[trend.indicator]
        parts.append(_part(indicator, trend.months, address(of[trend.indicator], found.community, found.set)))
        name = Shown(indicator.label.in_language(language()), indicator.id)
        rows += [[name, p.month, Shown(value_text(indicator, p.value), p.value), p.numerator, p.denominator, p.unknown] for p in trend.months.points]
    chart = {"kind": "community_trends", "parts": parts, "target": word("target")} if parts else None
    return Panel("trends", word("community_trends"), Sheet(columns, rows, about), chart, word("community_trends_note"))


def years_panel(view: View, found: CommunityCard, about: Mapping[str, Any]) -> Panel:
    """Every computed figure by year."""
    years = found.year.known
    columns = [Column("indicator", word("indicator")), *(Column(year, year, True) for year in years)]
    rows = []
    for trend in found.trends:
        indicator, values = view.catalog.indicators[trend.indicator], {one.year: one for one in trend.years}
        rows.append([Shown(figure_name(indicator), indicator.id), *(
            Shown(value_text(indicator, values[year].value) if year in values else "–", values[year].value if year in values else None, "",
                  "bounds" if year in values and values[year].is_bounds else "") for year in years)])
    return Panel("years", word("community_yearly"), Sheet(columns, rows, about))


def type_names(view: View) -> dict[str, str]:
    """Institution type → name."""
    return {code: label.in_language(language()) or label.zh for code, label in view.catalog.codes["institution_type"].codes.items()}


def members_panel(view: View, members: Sequence[Unit], about: Mapping[str, Any]) -> Panel:
    """The members, the lead first."""
    types = type_names(view)
    levels = {code: label.in_language(language()) or label.zh for code, label in view.catalog.codes["hospital_level"].codes.items()}
    columns = [Column("facility", word("community_members")), Column("type", word("community_type")), Column("level", word("community_level")),
               Column("lead", word("community_lead"))]
    rows = [[Shown(one.name, one.code, f"/facility/{one.code}"), Shown(types.get(one.type, one.type), one.type),
             Shown(levels.get(one.level, one.level), one.level), Shown(word("yes") if one.is_lead else "", one.is_lead)] for one in members]
    return Panel("members", word("community_members"), Sheet(columns, rows, about))
