"""County medical communities: the score cards of all, and one with its trends, members and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from quanmin.catalog.messages import language
from quanmin.reports.communities import CommunityCard, ScoreCards, Trend
from quanmin.reports.communities import communities as asked_communities
from quanmin.reports.communities import community as asked_community
from quanmin.reports.words import told
from quanmin.services.communities import SETS, Community, Scored, communities_of, score_set
from quanmin.services.variation.actions import Point, Variation
from quanmin.web import communities_panels as panels
from quanmin.web.communities_words import Mark, community_name, detail, mark, rank_text
from quanmin.web.figures import unit, value_text
from quanmin.web.panels import answer
from quanmin.web.standings import Spark, sparkline
from quanmin.web.view import View, refused

router = APIRouter()


@dataclass(frozen=True)
class FigureCard:
    """A figure of one community as a card; `trend` and `trend_kind` read its months, `why` says why it is not computed."""

    scored: Scored
    name: str
    unit: str
    mark: Mark
    target: str
    rank: str
    detail: str
    trend: str
    trend_kind: str
    spark: Spark | None
    why: str


def _view(request: Request) -> View:
    actor = request.app.state.desk.actor(request)
    actor.require("figures", "communities", "list")
    return View.of(request)


def _about(view: View, found: ScoreCards | CommunityCard) -> dict[str, Any]:
    return {"set": found.set, "year": found.year.year, "through": found.year.through, "snapshot": view.snapshot.id, "as_of": view.snapshot.published_at}


def _on_choices(view: View, set_name: str) -> list[str]:
    figures = [figure.indicator for item in score_set(set_name).items for figure in item.figures if figure.counted != "reported"]
    return [name for name in figures if view.catalog.indicators[name].is_executable]


@router.get("/communities")
def communities_page(request: Request, set: str = SETS[0], year: int = 0, on: str = "") -> Response:
    """All communities on the items of a set, in a year."""
    view = _view(request)
    choices = _on_choices(view, set)
    if on and on not in choices:
        raise refused("on", on)
    made = view.remembered(("communities", set, year, on, view.inquiry.set_targets.version), lambda: _communities(view, set, year, on))
    names = [(name, view.catalog.indicators[name].label.in_language(language())) for name in choices]
    return answer(request, "communities.html", made["panels"], sets=[score_set(name) for name in SETS], chosen=score_set(set), choices=names,
                  snapshot=view.snapshot, found=made["found"], on=made["on"])


def _communities(view: View, set_name: str, year: int, on: str) -> dict[str, Any]:
    found, listed, chosen = asked_communities(view.inquiry, year, set_name), communities_of(view.inquiry), score_set(set_name)
    about = _about(view, found)
    shown = on or next((one.indicator for one in found.figures if one.rank is not None), _on_choices(view, set_name)[0])
    drawn = [
        panels.kinds_panel(found, listed, about), panels.gap_panel(view, found, listed, shown, about),
        panels.scorecard_panel(view, found, chosen, listed, about), panels.figures_panel(view, found.figures, chosen, listed, about),
        panels.to_send_panel(view, found.figures, listed, found.year.year, about)]
    return {"panels": drawn, "found": found, "on": shown}


@router.get("/community/{code}")
def community_page(request: Request, code: str, set: str = SETS[0], year: int = 0) -> Response:
    """One community: lead hospital, members, figures, trends and evidence."""
    view = _view(request)
    made = view.remembered(("community", code, set, year, view.inquiry.set_targets.version), lambda: _community(view, code, set, year))
    return answer(request, "community.html", made["panels"], sets=[score_set(name) for name in SETS], chosen=score_set(set), snapshot=view.snapshot,
                  **{name: value for name, value in made.items() if name != "panels"})


def _community(view: View, code: str, set_name: str, year: int) -> dict[str, Any]:
    found, chosen = asked_community(view.inquiry, code, set_name, year), score_set(set_name)
    about, one, listed = _about(view, found), found.community, communities_of(view.inquiry)
    drawn = [
        panels.ranks_panel(view, found, about), panels.trends_panel(view, found, found.trends, about), panels.years_panel(view, found, about),
        panels.members_panel(view, one.members, about), panels.evidence_panel(view, found.figures, chosen, found.year.year, about),
        panels.figures_panel(view, found.figures, chosen, listed, about), panels.to_send_panel(view, found.figures, listed, found.year.year, about)]
    trends = {trend.indicator: trend for trend in found.trends}
    cards = {figure.indicator: _card(view, figure, one, set_name, trends.get(figure.indicator)) for figure in found.figures}
    types = panels.type_names(view)
    groups: dict[str, list[Any]] = {}
    for member in one.members:
        groups.setdefault(types.get(member.type, member.type), []).append(member)
    return {"panels": drawn, "found": found, "one": one, "name": community_name(one), "cards": cards, "member_groups": groups}


def _card(view: View, one: Scored, community: Community, chosen: str, trend: Trend | None) -> FigureCard:
    indicator = view.catalog.indicators[one.indicator]
    months = trend.months if trend else None
    waits = indicator.waits_for
    return FigureCard(
        one, indicator.label.in_language(language()), unit(indicator), mark(indicator, one, community, chosen),
        "" if one.target is None else value_text(indicator, one.target), rank_text(one), detail(indicator, one),
        "" if months is None else told("variation", f"variation_{months.variation}"), "" if months is None else months.variation,
        _spark(trend, one), waits.reason.in_language(language()) if waits else "")


def _spark(trend: Trend | None, one: Scored) -> Spark | None:
    """The months of a figure as a small line, else its years."""
    if trend is None:
        return None
    points = tuple(Point(year.year, year.value, None, None, 0, None, None, None, "", "common_cause", 0, year.is_bounds, False) for year in trend.years)
    yearly = Variation(one.indicator, one.community, points, "common_cause", 0, None, one.target, True, 0)
    return sparkline(trend.months or yearly, one.target)


