"""Every planted error breaks its rule, and nothing that was not planted breaks any rule."""

from __future__ import annotations

from collections import defaultdict

from readers import DIALECTS, Region, Row, amount, day, moment
from rules import STAY_RULES, VISIT_RULES, Rule, claim_rules, repeats

REJECTED = {"unreadable_date", "unreadable_number", "missing_key", "duplicate_line", "short_line"}


def planted(region: Region, table: str) -> dict[tuple[str, int], set[str]]:
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for e in region.errors:
        if e["table"] == table:
            found[e["file"], int(e["line"])].add(e["kind"])
    return found


def broken(rows: list[Row], rules: dict[str, Rule]) -> dict[tuple[str, int], set[str]]:
    return {(r.file, r.line): {name for name, rule in rules.items() if rule(r)} for r in rows}


def compare(region: Region, table: str, rows: list[Row], rules: dict[str, Rule]) -> None:
    known = planted(region, table)
    good = [r for r in rows if not known[r.file, r.line] & REJECTED]
    found = broken(good, rules)
    false = {place: names for place, names in found.items() if names and not known[place]}
    assert not false, list(false.items())[:5]
    missed = [(place, kinds) for place, kinds in known.items() if place in found and not (kinds & set(rules)) <= found[place]]
    assert not missed, missed[:5]


def test_stays_keep_all_rules_but_the_planted_ones(region: Region) -> None:
    compare(region, "stay", region.stays, STAY_RULES)


def test_visits_keep_all_rules_but_the_planted_ones(region: Region) -> None:
    compare(region, "visit", region.visits, VISIT_RULES)


def test_claims_keep_all_rules_but_the_planted_ones(region: Region) -> None:
    compare(region, "claim", region.claims, claim_rules(dict(DIALECTS["claim_settlement"]["columns"])))


def test_repeated_overlapping_and_posthumous_stays_are_exactly_the_planted_ones(region: Region) -> None:
    known = planted(region, "stay")
    spoiled = REJECTED | {"discharge_before_admission", "disposition_not_in_list"}
    good = [r for r in region.stays if not known[r.file, r.line] & spoiled]
    for kind, places in repeats(region, good).items():
        assert places == {place for place, kinds in known.items() if kind in kinds}, kind


def test_lines_that_must_be_rejected_cannot_be_read(region: Region) -> None:
    known = planted(region, "stay")
    seen: set[tuple[str, ...]] = set()
    kinds = defaultdict(int)
    for r in region.stays:
        kind = next(iter(known[r.file, r.line] & REJECTED), "")
        key = (r.file, r["A01"], r["A48"], r["A49"], r["B15"])
        assert (not r.complete) == (kind == "short_line")
        assert (kind == "duplicate_line") == (key in seen)
        assert (r["A48"] == "") == (kind == "missing_key")
        assert (moment(r["B12"]) is None) == (kind == "unreadable_date")
        assert kind == "short_line" or (amount(r["D01"]) is None) == (kind == "unreadable_number")
        seen.add(key)
        kinds[kind] += 1
    assert all(kinds[k] >= 1 for k in REJECTED)


def test_every_kind_of_the_contract_is_planted(region: Region) -> None:
    stay = (
        "identity_number_invalid identity_birth_mismatch identity_sex_mismatch discharge_before_admission stay_days_mismatch "
        "age_birth_mismatch male_obstetric_diagnosis female_prostate_diagnosis newborn_weight_missing birth_weight_out_of_range "
        "charge_parts_exceed_total self_paid_exceeds_total sex_not_in_list disposition_not_in_list principal_diagnosis_not_in_list "
        "principal_diagnosis_missing total_charge_not_positive autopsy_without_death external_cause_missing pathology_missing"
    )
    wanted = {f"stay/{k}" for k in stay.split()}
    wanted |= {f"stay_review/{k}" for k in ("duplicate_admission", "overlapping_stays", "stay_after_death", "operation_before_admission")}
    wanted |= {"visit/identity_number_invalid", "visit/diagnosis_not_in_list", "visit/total_charge_negative"}
    wanted |= {"claim/fund_exceeds_total", "claim/discharge_before_admission", "rejected"}
    assert wanted <= {e["found_by"] for e in region.errors}


def test_months_of_a_file_are_the_months_of_its_name(region: Region) -> None:
    for entry, rows in region.of_mapping("front_page"):
        period = entry["file"].rsplit("_stay_", 1)[1].removesuffix(".csv")
        first, last = (period.split("_") * 2)[:2]
        for r in rows:
            if r.complete:
                assert first <= r["B15"][: len(first)] and r["B15"][: len(last)] <= last, (entry["file"], r["B15"])


def test_readable_dates_are_within_life(region: Region) -> None:
    assert all(day(r["A13"]) <= moment(r["B15"]).date() for r in region.stays if r.complete)
