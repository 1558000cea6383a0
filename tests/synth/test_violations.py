"""Planted violations of the rules of supervision are records that were sent, and so are their innocent look-alikes."""

from __future__ import annotations

from collections import Counter

from readers import Region, moment

FAMILIES = {"front_page", "impossible_procedure", "overlapping_stay", "after_death", "split_stay", "readmission_same_day", "upcoding", "surgery_level",
            "stay_length", "private_pattern", "visit_pattern"}


def test_every_family_is_planted_with_look_alikes(region: Region) -> None:
    rows = region.truth("violations.csv")
    guilty, innocent = (Counter(r["family"] for r in rows if r["is_violation"] == told) for told in "10")
    assert set(guilty) >= FAMILIES and min(guilty[f] for f in FAMILIES) >= 4
    assert FAMILIES - {"private_pattern"} <= set(innocent)


def test_each_subject_was_sent_on_its_day(region: Region) -> None:
    stays = {(r["A01"], r["A48"], r["B15"][:10]) for r in region.stays if r.complete}
    visits = {(r["facility_code"], r["visit_number"], at.date().isoformat()) for r in region.visits if r.complete and (at := moment(r["visited_at"]))}
    assert stays and visits
    for row in region.truth("violations.csv"):
        subject, table = (row["facility_code"], row["subject"], row["found_on"]), row["rule"].split("/")[0]
        if table in ("stay_conduct", "stay_review"):
            assert subject in stays, row
        elif table == "visit_review":
            assert subject in visits, row
        elif table == "care_pattern":
            assert any(facility == row["facility_code"] and day[:7] == row["subject"] for facility, _, day in stays | visits), row


def test_a_stay_that_breaks_a_rule_keeps_every_rule_of_its_charges(region: Region) -> None:
    """Nothing that was bent shows in the sums: the parts still add up to the total."""
    parts = [f"D{n}" for n in range(11, 35)]
    bent = {(r["facility_code"], r["subject"], r["found_on"]) for r in region.truth("violations.csv")}
    checked = 0
    for r in region.stays:
        if r.complete and (r["A01"], r["A48"], r["B15"][:10]) in bent:
            total, known = round(float(r["D01"] or 0), 2), [float(r[p]) for p in parts if r[p]]
            assert round(sum(known), 2) == total and min(known) >= 0, (r.file, r.line)
            checked += 1
    assert checked >= 40
