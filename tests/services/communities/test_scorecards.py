"""What may be said of a community's figure: never 0 for unknown, in the indicator's direction, beside the year before, and by its place."""

from __future__ import annotations

import pytest

from quanmin.model import Cell, Refusal
from quanmin.reports.communities import communities, community
from quanmin.services.communities import SETS, Scored, communities_of, score_set
from quanmin.services.communities.scorecards import COUNTED, KINDS, moved_of, verdict_of
from tests.services.communities.made import CATALOG, UNITS, Made, said

VISITS, CHARGE, POSTED = "primary_care_visit_share", "in_county_inpatient_charge", "posted_physician_count"
LEAD = "cmc2020_lead_level_three_four_operation_share"
UNIFIED, DEATHS = "community_unified_management", "premature_mortality_probability"


def figure(found: object, community: str, indicator: str) -> Scored:
    return next(one for one in found.figures if (one.community, one.indicator) == (community, indicator))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "count"), [("2024", 14), ("2020", 17)])
def test_the_sets_hold_every_indicator_of_their_document_and_nothing_else(name: str, count: int) -> None:
    chosen = score_set(name)
    of_document = {one.id: one for one in CATALOG.indicators.values() if one.source.document == chosen.document}
    listed = [figure.indicator for item in chosen.items for figure in item.figures]
    assert sorted(listed) == sorted(of_document), "the score card and the catalogue speak of the same indicators"
    assert [item.code for item in chosen.items] == sorted({one.code for one in of_document.values()}) and len(chosen.items) == count <= chosen.stated
    for item in chosen.items:
        assert item.group in chosen.groups
        for figure in item.figures:
            one = CATALOG.indicators[figure.indicator]
            assert one.code == item.code and figure.counted in COUNTED
            assert (figure.counted == "reported") == (not one.is_executable)
            assert figure.counted != "community" or "community_code" in one.by, one.id
            assert figure.counted != "lead" or "facility_code" in one.by, one.id


def test_another_set_or_year_or_community_is_refused() -> None:
    for ask in (lambda: communities(Made(), set="2019"), lambda: communities(Made(), year=2019), lambda: communities(Made(), year=-1),
                lambda: community(Made(), "nowhere"), lambda: community(Made(), "y1", "x")):
        with pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.problems[0].mend


def test_communities_are_their_members_with_the_lead_first() -> None:
    first, second, third = communities_of(Made())
    assert (first.code, first.lead and first.lead.code, first.county_name, first.in_county) == ("y1", "H1", "County c1", 1)
    assert [member.code for member in first.members] == ["H1", "T1"], "not the hospital outside the community"
    assert (second.in_county, third.in_county, third.lead) == (2, 2, None)
    with pytest.raises(Refusal):
        communities_of(Made(known={"H1": UNITS["H1"]}, region="H1"))
    with pytest.raises(Refusal):
        communities_of(Made(known={"P1": UNITS["P1"]}))


def test_what_is_not_known_is_never_zero() -> None:
    made = Made()
    made.give(VISITS, "place", "c1", "2025", 3, suppressed=True)
    made.cells[VISITS, "place", "c2", "2025"] = Cell({}, 40, 100, 0, None, 30.0, 50.0, False, ("H9",))
    found = communities(made)
    withheld, bounded, nothing = figure(found, "y1", VISITS), figure(found, "y2", VISITS), figure(found, "y1", CHARGE)
    assert (withheld.status, withheld.value, withheld.numerator, withheld.rank) == ("withheld", None, None, None)
    assert (bounded.status, bounded.value, bounded.low, bounded.high, bounded.verdict, bounded.rank) == ("bounds", None, 30.0, 50.0, "", None)
    assert (nothing.status, nothing.value, nothing.numerator, nothing.unknown) == ("no_data", None, None, None)
    awaited = figure(found, "y1", UNIFIED)
    assert (awaited.status, awaited.value, awaited.verdict, awaited.evidence) == ("not_reported", None, "", ())
    assert {one.value for one in found.figures} == {None}
    assert found.communities[0].tally.awaited == 5 and found.communities[0].tally.met == 0


def test_reported_evidence_is_shown_with_where_it_stands_and_the_newest_counts() -> None:
    made = Made(said=[said("CMC24-01", "y1", "unmet"), said(UNIFIED, "y1", "met", received="2026-02-01T08:00:00+08:00", line=7), said(DEATHS, "c1", value=14.2),
                      said("CMC24-01", "y2", "met", year=2024), said("CMC24-02", "H1", "partly")])
    found = communities(made)
    unified, deaths = figure(found, "y1", UNIFIED), figure(found, "y1", DEATHS)
    assert (unified.status, unified.verdict, unified.kind) == ("reported", "met", "met")
    assert [(one.file, one.line, one.sender) for one in unified.evidence] == [("evidence.xlsx", 7, "HC-c1"), ("evidence.xlsx", 2, "HC-c1")]
    assert (deaths.status, deaths.value, deaths.verdict, deaths.kind) == ("reported", 14.2, "", "reported")
    assert figure(found, "y1", "community_democratic_decision").kind == "reported", "partly met is neither"
    assert figure(found, "y2", UNIFIED).status == "not_reported", "another year's evidence"


@pytest.mark.parametrize(("better", "value", "target", "verdict"), [
    ("higher", 5.0, 4.0, "met"), ("higher", 4.0, 4.0, "met"), ("higher", 3.0, 4.0, "missed"), ("lower", 3.0, 4.0, "met"), ("lower", 4.0, 4.0, "met"),
    ("lower", 5.0, 4.0, "missed"), ("none", 5.0, 4.0, ""), ("target", 5.0, 4.0, ""), ("higher", None, 4.0, ""), ("higher", 4.0, None, "")])
def test_a_target_is_met_in_its_direction(better: str, value: float | None, target: float | None, verdict: str) -> None:
    assert verdict_of(better, value, target) == verdict


@pytest.mark.parametrize(("better", "change", "moved"), [
    ("higher", 1.0, "improved"), ("higher", -1.0, "worse"), ("lower", 1.0, "worse"), ("lower", -1.0, "improved"), ("lower", 0.0, "same"), ("none", 1.0, ""),
    ("higher", None, "")])
def test_a_change_is_good_or_bad_in_its_direction(better: str, change: float | None, moved: str) -> None:
    assert moved_of(better, change) == moved


def test_targets_come_from_the_community_then_its_county_then_the_region_but_totals_do_not() -> None:
    made = Made(aims={VISITS: {("y1", "2025"): 10.0, ("c1", "2025"): 20.0, ("c2", "2025"): 90.0, ("r", "2025"): 30.0}, CHARGE: {("r", "2025"): 50.0},
                      POSTED: {("r", "2025"): 40.0}})
    made.give(VISITS, "place", "c1", "2025", 50)
    made.give(VISITS, "place", "c2", "2025", 50)
    made.give(CHARGE, "place", "c1", "2025", 60)
    found = communities(made)
    assert [figure(found, code, VISITS).target for code in ("y1", "y2")] == [10.0, 90.0]
    assert [figure(found, code, VISITS).verdict for code in ("y1", "y2")] == ["met", "missed"]
    assert (figure(found, "y1", CHARGE).target, figure(found, "y1", CHARGE).verdict) == (50.0, "missed"), "lower is better"
    assert figure(found, "y1", POSTED).target is None, "the region's total is no community's"


def test_the_year_before_and_whether_it_may_be_chance() -> None:
    made = Made()
    made.give(VISITS, "place", "c1", "2024", 50, low=45.0, high=55.0)
    made.give(VISITS, "place", "c1", "2025", 60, low=56.0, high=64.0)
    made.give(CHARGE, "place", "c1", "2024", 50, low=45.0, high=55.0)
    made.give(CHARGE, "place", "c1", "2025", 52, low=47.0, high=57.0)
    found = communities(made)
    share, charge = figure(found, "y1", VISITS), figure(found, "y1", CHARGE)
    assert (share.before, share.change, share.moved, share.is_clear) == (50.0, 10.0, "improved", True)
    assert (charge.change, charge.moved, charge.is_clear) == (2.0, "worse", False)
    assert figure(communities(made, 2024), "y1", VISITS).change is None, "nothing is known of 2023"


def test_counts_of_an_unfinished_year_are_not_held_against_a_whole_one() -> None:
    made = Made()
    for year, count in (("2025", 12), ("2026", 5)):
        made.give(POSTED, "community_code", "y1", year, count, None)
        made.give(VISITS, "place", "c1", year, 2 * count)
    found = communities(made, 2026)
    assert (found.year.through, found.year.is_whole, found.year.known) == ("2026-09", False, ("2024", "2025", "2026"))
    assert figure(found, "y1", POSTED).value == 5.0 and figure(found, "y1", POSTED).change is None
    assert figure(found, "y1", VISITS).change == -14.0
    assert communities(made).year.year == "2025", "the newest whole year comes first"


def test_ranks_are_among_communities_in_the_indicator_s_direction_with_an_interval_for_counted_cases() -> None:
    made = Made()
    for place, share, charge in (("c1", 90, 80), ("c2", 10, 70)):
        made.give(VISITS, "place", place, "2025", share)
        made.give(CHARGE, "place", place, "2025", charge)
    found = communities(made)
    of = {code: figure(found, code, VISITS) for code in ("y1", "y2", "y3")}
    assert [of[code].rank for code in of] == [1, 2, 2] and {one.of for one in of.values()} == {3}
    assert (of["y1"].rank_low, of["y1"].rank_high) == (1, 1)
    assert [figure(found, code, CHARGE).rank for code in of] == [3, 1, 1], "lower is better"
    assert figure(found, "y1", CHARGE).rank_low is None, "an amount has no interval here"
    made.give(VISITS, "place", "c2", "2025", 90)
    assert {figure(communities(made), code, VISITS).rank for code in of} == {None}, "among equals there is no first"


def test_each_figure_is_counted_as_it_says() -> None:
    made = Made()
    made.give(POSTED, "community_code", "y3", "2025", 4, None)
    made.give(POSTED, "place", "c2", "2025", 99, None)
    made.give(LEAD, "facility_code", "H2", "2025", 30)
    made.give(LEAD, "place", "c2", "2025", 50)
    assert figure(communities(made), "y3", POSTED).value == 4.0
    old = communities(made, set="2020")
    assert (figure(old, "y2", LEAD).value, figure(old, "y2", LEAD).counted) == (30.0, "lead")
    assert figure(old, "y3", LEAD).status == "no_data", "a community without a lead hospital"


@pytest.mark.parametrize("name", SETS)
def test_every_figure_is_tallied_once(name: str) -> None:
    made = Made(said=[said("CMC24-01", "y1", "met")])
    made.give(VISITS, "place", "c1", "2025", 50)
    found = communities(made, set=name)
    for one in found.communities:
        assert sum(getattr(one.tally, kind) for kind in KINDS) == sum(len(item.figures) for item in score_set(name).items)
    assert len(found.figures) == 3 * sum(len(item.figures) for item in score_set(name).items)


def test_one_community_is_what_the_list_says_of_it_with_its_years() -> None:
    made = Made()
    for year, above in (("2024", 40), ("2025", 50), ("2026", 60)):
        made.give(VISITS, "place", "c1", year, above)
    one, all_of = community(made, "y1"), communities(made)
    assert one.figures == tuple(figure for figure in all_of.figures if figure.community == "y1")
    assert one.residents is None, "not 0"
    trend = next(trend for trend in one.trends if trend.indicator == VISITS)
    assert [(year.year, year.value) for year in trend.years] == [("2024", 40.0), ("2025", 50.0), ("2026", 60.0)]
