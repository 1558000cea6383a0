"""The WHO tool's worked example, every file of it: cases, staff, laboratories, tests, protective equipment by who uses it, equipment and consumables."""

from __future__ import annotations

import csv
import json
import tomllib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanmin.catalog.supplies import quantities
from quanmin.services.preparedness.campaign import hourly_capacity
from quanmin.services.preparedness.case_management import courses, medicines, needed, supplies
from quanmin.services.preparedness.esft import CLASSES, Forecast, Setting, forecast, used_in_weeks
from quanmin.services.preparedness.laboratory import (
    Capacity,
    Demand,
    Strategy,
    capacity,
    demand_of,
    laboratories,
    laboratory_staff,
    platforms,
    shares_by_kind,
)
from quanmin.services.preparedness.scenario import STATUSES, TEMPLATES
from quanmin.services.preparedness.workforce import cadres, workforce

REFERENCE = Path(__file__).with_name("reference")
SHORT = {"critical": "crit", "severe": "sev", "moderate": "mod", "mild": "mild"}
FIRST = date(2022, 1, 3)
GROUPS = {"amount_inpatient_hcw": ("hcw", "cleaner", "ambulance_worker", "engineer"), "amount_inpatient_patient": ("patient",),
          "amount_isolation": ("isolated_patient", "isolation_caregiver"), "amount_screening": ("screening_hcw", "screened_patient"),
          "amount_lab": ("lab_technician", "lab_cleaner")}
PROTECTIVE = {"gown": "Gown, protective", "scrubs_top": "Scrubs, tops", "scrubs_pants": "Scrubs, pants", "apron": "Apron, disposable",
              "gloves": "Gloves, examination", "surgical_gloves": "Gloves, surgical", "goggles": "Goggles, protective", "face_shield": "Face shield",
              "respirator": "Respirator", "mask_staff": "Mask, medical / surgical for healthworker", "mask_patient": "Mask, medical / surgical for patient"}
CARE = {
    "infrared_thermometer": "Infrared thermometer", "pulse_oximeter": "Pulse oximeter",
    "monitor_ecg": "Patient monitor, multiparametric with ECG, with accessories", "monitor": "Patient monitor, multiparametric without ECG, with accessories",
    "oxygen_source": "Oxygen source (i.e., concentrator, cylinder, or pipe supply)", "laryngoscope": "Laryngoscope (direct or video type)",
    "ventilator": "Patient ventilator, intensive care, with breathing circuits and patient interface",
    "bipap": "BiPAP, with tubing and patient interfaces, with accessories",
    "high_flow_cannula": "High Flow Nasal Cannula, with tubing and patient interfaces", "syringe_pump": "Syringe driver (pump)",
    "infusion_pump": "Infusion pump", "blood_gas_analyser": "Blood Gas Analyser, portable with cartridges and control solutions",
    "ultrasound": "Ultrasound, portable, w/ transducers and trolley", "x_ray": "X-Ray",
    "intraosseous_drill": "Drill, for intra-osseous access, w/accessories, w/transport bag",
    "electrocardiograph": "Electrocardiograph, portable w/accessories", "suction_pump": "Suction pump",
    "flow_splitter": "Flow splitter, 5 flowmeters 0-2 L/min", "nasal_cannula": "Nasal oxygen cannula, with prongs",
    "reservoir_mask": "Mask, oxygen, with connection tube, reservoir bag and valve, high-concentration single use",
    "venturi_mask": "Venturi Mask, with percent O2 Lock and tubing",
    "resuscitation_bag": "Compressible self-refilling ventilation bag, capacity > 1500 mL",
    "nasopharyngeal_airway": "Airway, nasopharyngeal, sterile, single use", "oropharyngeal_airway": "Airway, oropharyngeal, Guedel",
    "co2_detector": "Colorimetric End Tidal CO2 detector single use", "cricothyrotomy_set": "Cricothyrotomy, set, emergency, 6 mm, sterile, single use",
    "tube_introducer": "Endotracheal tube introducer", "endotracheal_tube": "Tube, endotracheal", "laryngeal_mask": "Laryngeal mask airway (LMA)"}


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def column(name: str, field: str, item: str = "") -> list[float]:
    return [float(row[field]) for row in rows(name) if not item or row["item"] == item]


def near(values: list[float]) -> Any:
    return pytest.approx(values, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCE / "esft_parameters.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def park() -> tuple[Capacity, ...]:
    """The instruments of the example in the tool's order, those it has none of included."""
    return capacity({"abbott_m2000": 1, "genexpert_module": 8, "manual_pcr": 6, "roche_6800": 0})


def weekly() -> dict[date, int]:
    found: dict[date, int] = {}
    for row in rows("input_daily_cases.csv"):
        day = date.fromisoformat(row["Date_reported"])
        monday = day - timedelta(days=day.weekday())
        found[monday] = found.get(monday, 0) + int(row["New_cases"])
    return found


def example_of(told: dict[str, Any]) -> Forecast:
    """The example from its parameters alone: staff and its caps follow from hours of care and beds in use."""
    params, there, weeks = told["params"], told["capacity"], weekly()
    one = Setting(shares={name: params[f"{SHORT[name]}_i_proportion"] for name in CLASSES}, stay_weeks={n: params[f"stay_{SHORT[n]}"] for n in CLASSES},
                  severe_beds=there["severe_beds_covid"], critical_beds=there["crit_beds_covid"], beds_per_facility=params["n_hosp_beds_per_care_unit"])
    first = list(weeks).index(FIRST)
    beds = forecast(list(weeks.values()), one, first).beds_in_use
    staff = workforce(float(beds["severe"].sum()), float(beds["critical"].sum()), there["n_hcws"], there["n_hosp_beds"], params["perc_hcws_not_covid"])
    technicians, cleaners = laboratory_staff(laboratories({"abbott_m2000": 1, "genexpert_module": 8, "manual_pcr": 6}), told["hcw_caps"]["lab_staff_cap"])
    whole = Setting(**vars(one) | {"staff_per_bed": staff.staff_per_bed, "cleaners_per_bed": staff.cleaners_per_bed, "staff_cap": staff.staff_cap,
                                   "cleaners_cap": staff.cleaners_cap, "screening_cap": staff.screening_cap, "lab_technicians": technicians,
                                   "lab_cleaners": cleaners})
    return forecast(list(weeks.values()), whole, first)


@pytest.fixture(scope="module")
def example(told: dict[str, Any]) -> Forecast:
    return example_of(told)


def demand(found: Forecast) -> Demand:
    people = sum(found.staff.values(), np.zeros(12))
    return demand_of(Strategy(), found.new, found.removed, found.admitted, found.discharged, people)


def test_cases_by_week_and_severity(told: dict[str, Any]) -> None:
    weeks = weekly()
    since = list(weeks).index(date(2021, 12, 13))
    found = forecast(list(weeks.values()), Setting(), since)
    assert list(weeks)[since:] == [date.fromisoformat(row["week_begins"]) for row in rows("cases_weekly.csv")]
    assert all(b - a == timedelta(days=7) for a, b in pairwise(weeks))
    total = sum(found.new.values())
    assert total == near(column("cases_weekly.csv", "cases")) and np.cumsum(total) == near(column("cases_weekly.csv", "cum_cases"))
    for name in CLASSES:
        kind = {"moderate": "mod"}.get(name, name)
        assert found.new[name] == near(column("cases_weekly.csv", f"new_{kind}_cases"))
        assert np.cumsum(found.new[name]) == near(column("cases_weekly.csv", f"cum_{kind}_cases"))
    assert found.suspected == near(column("cases_weekly.csv", "sus_cases_but_negative"))


@pytest.mark.parametrize("name", CLASSES)
def test_who_has_left_by_week(example: Forecast, name: str) -> None:
    assert example.removed[name] == near(column("patients_weekly.csv", f"rem_{SHORT[name]}_patients"))
    assert example.in_care[name] == near(column("patients_weekly.csv", f"{SHORT[name]}_patients_nocap"))


def test_beds_and_facilities_in_use(example: Forecast) -> None:
    used = example.beds_in_use["severe"] + example.beds_in_use["critical"]
    assert used == near(column("patients_weekly.csv", "total_beds_inuse"))
    assert example.facilities == near(column("patients_weekly.csv", "hosp_facilities_inuse"))


def test_staff_follow_from_hours_of_care(told: dict[str, Any], example: Forecast) -> None:
    caps, there = told["hcw_caps"], told["capacity"]
    beds = example.beds_in_use
    found = workforce(float(beds["severe"].sum()), float(beds["critical"].sum()), there["n_hcws"], there["n_hosp_beds"])
    assert [found.staff_per_bed, found.cleaners_per_bed, found.screened_per_staff_day, found.critical_share, found.inpatient_share_of_staff,
            found.treating_share, found.screening_share, found.staff_cap, found.screening_cap, found.cleaners_cap] == near(
        [caps[name] for name in ("hcws_per_bed", "hygienists_per_bed", "cases_screened_per_hcw_per_day", "perc_crit_cases", "ratio_hcws_inpatient_outpatient",
                                 "perc_treating_covid", "perc_screening_covid", "hcws_inpatients_cap", "hcws_screening_cap", "cleaners_inpatient_cap")])


@pytest.mark.parametrize(("of", "kind", "file", "field"), [
    ("wanted", "hcw", "hcws_weekly.csv", "hcws_inpatient_uncapped"), ("staff", "hcw", "hcws_weekly.csv", "hcws_inpatient_capped"),
    ("staff", "cleaner", "hcws_weekly.csv", "cleaners_inpatient_capped"), ("staff", "ambulance_worker", "hcws_weekly.csv", "amb_personnel_inpatient_capped"),
    ("staff", "engineer", "hcws_weekly.csv", "bio_eng_inpatient_capped"), ("staff", "lab_technician", "hcws_weekly.csv", "lab_staff_capped"),
    ("staff", "lab_cleaner", "hcws_weekly.csv", "cleaners_lab"), ("wanted", "screening_hcw", "screening_hcws.csv", "screening_hcw_uncapped"),
    ("staff", "screening_hcw", "screening_hcws.csv", "screening_hcw_capped")])
def test_staff_by_week(example: Forecast, of: str, kind: str, file: str, field: str) -> None:
    assert getattr(example, of)[kind] == near(column(file, field))


def test_caregivers_by_week(example: Forecast) -> None:
    """Of the isolated one each, for as long as they are isolated; in hospital none."""
    per_case = example.person_days["isolation_caregiver"] / (7 * 2)
    assert per_case == near(column("hcws_weekly.csv", "inf_caregivers_isol_uncapped"))
    assert set(column("hcws_weekly.csv", "inf_caregivers_hosp_uncapped")) == {0.0} and "hospital_caregiver" not in example.person_days


@pytest.mark.parametrize("row", rows("lab_capacity.csv"), ids=lambda row: row["platform_key"])
def test_what_instruments_can_do(park: tuple[Capacity, ...], row: dict[str, str]) -> None:
    found = next(one for one in park if one.platform.id in (row["platform_key"], f"{row['platform_key']}_module", f"{row['platform_key']}_pcr"))
    assert [found.platform.kind, found.modules, found.platform.days_per_week, found.platform.share] == [
        row["type"], float(row["modules_activated"]), float(row["days_week"]), float(row["covid_capacity"])]
    assert [found.per_day, found.per_week, found.for_disease] == near(
        [float(row[name]) for name in ("throughput_per_day", "total_test_capacity", "covid_test_capacity")])
    assert float(row["hours"]) == 8


def test_laboratories_and_kinds_of_tests(told: dict[str, Any], park: tuple[Capacity, ...]) -> None:
    assert laboratories({"abbott_m2000": 1, "genexpert_module": 8, "manual_pcr": 6}) == pytest.approx(told["total_labs"], rel=1e-9)
    assert sum(one.for_disease for one in park) / 7 == pytest.approx(told["max_tests_per_day"], rel=1e-9)
    found = shares_by_kind(park, told["diag"]["perc_antigen_tests"])
    assert {one["type"]: near([one["covid_test_capacity"], one["ratio"]]) for one in told["test_ratio"]} == {kind: list(pair) for kind, pair in found.items()}
    assert sum(share for _, share in found.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(("field", "of"), [
    ("tests_diagnosis_uncapped_sev_crit", "all_diagnosis"), ("tests_release_uncapped_sev_crit", "all_release"),
    ("tests_diagnosis_capped_sev_crit", "diagnosis"), ("tests_release_capped_sev_crit", "release"), ("tests_mod", "moderate"), ("tests_mild", "mild"),
    ("tests_suspected", "suspected")])
def test_tests_by_week(example: Forecast, field: str, of: str) -> None:
    assert getattr(demand(example), of) == near(column("tests_weekly.csv", field))
    assert {row["testing_strategy"] for row in rows("tests_weekly.csv")} == {"all"}


def test_all_tests_by_week(told: dict[str, Any], example: Forecast) -> None:
    """The package takes the contacts of the first week in every week (its `ifelse` answers with one number): so here; our own are each week's."""
    found = demand(example)
    first = np.full(12, found.contacts[0])
    as_told = found.wanted - found.contacts + first
    assert as_told == near(column("total_tests.csv", "total_tests_uncapped"))
    assert np.minimum(as_told, 7 * told["max_tests_per_day"]) == near(column("total_tests.csv", "total_tests_capped"))
    assert found.wanted[-1] == pytest.approx(as_told[-1] - first[0] + 6 * found.all_release[-1])


def test_a_targeted_strategy_tests_fewer_of_the_mild(example: Forecast) -> None:
    every, few = demand(example), demand_of(Strategy(tested_share=0.1), example.new, example.removed, example.admitted, example.discharged, np.zeros(12))
    for of in ("mild", "moderate", "suspected"):
        assert getattr(few, of) == near((0.1 * getattr(every, of)).tolist())
    assert few.diagnosis == near(every.diagnosis.tolist()) and not few.staff.any()


@pytest.mark.parametrize("item", PROTECTIVE)
def test_protective_equipment_by_who_uses_it(example: Forecast, item: str) -> None:
    one = quantities()[item]
    parts = {field: used_in_weeks(one, {name: example.person_days[name] for name in drivers}) for field, drivers in GROUPS.items()}
    for field, values in parts.items():
        assert values == near(column("ppe_weekly.csv", field, PROTECTIVE[item])), field
    assert sum(parts.values()) == near(column("ppe_weekly.csv", "total_amount", PROTECTIVE[item]))
    assert {row["unit"] for row in rows("ppe_weekly.csv") if row["item"] == PROTECTIVE[item]} == {"Pair" if "gloves" in item else "Each"}


def test_nothing_of_the_example_is_left_out() -> None:
    assert set(PROTECTIVE.values()) == {row["item"] for row in rows("ppe_weekly.csv")}
    assert set(CARE.values()) == {row["item"] for row in rows("case_management_weekly.csv")} and set(CARE) == set(supplies())


@pytest.mark.parametrize("item", CARE)
def test_equipment_and_consumables_by_week(example: Forecast, item: str) -> None:
    found = needed(supplies()[item], example.admitted, example.beds_in_use)
    for part, field in (("severe", "amount_sev_patient"), ("critical", "amount_crit_patient"), ("both", "amount_sev_crit_patient")):
        assert found[part] == near(column("case_management_weekly.csv", field, CARE[item])), part
    assert sum(found.values()) == near(column("case_management_weekly.csv", "total_amount", CARE[item]))
    kinds = {row["category"] for row in rows("case_management_weekly.csv") if row["item"] == CARE[item]}
    assert kinds == {"Case management - " + {"equipment": "biomedical equipment", "consumable": "accessories & consumables"}[supplies()[item].group]}


def test_medicines_are_courses_times_shares(example: Forecast) -> None:
    """Dexamethasone 4 mg/mL: 15 ampoules of every critical case, 6 of every severe one; oral salts: nine sachets of a fifth of the moderate."""
    new = example.new
    dexamethasone = courses(medicines()["dexamethasone_injection_4_mg_ml_1_ml"], new)
    assert dexamethasone == near((15 * new["critical"] + 6 * new["severe"]).tolist()) and dexamethasone[0] == pytest.approx(15 * 264.95 + 6 * 794.85)
    assert courses(medicines()["oral_rehydration_salts_20_5_g_l"], new) == near((9 * 0.2 * new["moderate"]).tolist())
    assert len(medicines()) == 145 and all(one.label.zh and one.label.en and one.unit for one in medicines().values())
    assert all(0 <= share <= 1 for one in medicines().values() for share in one.share.values())


def test_the_lists_are_the_tools() -> None:
    """Every number of the shipped lists is that of the tool's tables; a course is days times units a day."""
    for shipped, row in zip(medicines().values(), rows("pharmaceuticals.csv"), strict=True):
        assert shipped.is_for_covid == (row["covid_specific"] == "TRUE")
        for name in CLASSES:
            course, share, days, daily = (float(row[field.format(SHORT[name])].replace("NA", "0")) for field in
                                          ("form_per_{}_course", "perc_{}_treated", "num_days_per_{}_treatment", "daily_amount_{}"))
            assert [shipped.course[name], shipped.share[name]] == near([course, share]) and course == pytest.approx(days * daily, rel=1e-9)
    fields = {"severe": "sev", "critical": "crit", "both": "sev_crit"}
    for row in rows("equipment.csv"):
        if (of := next((item for item, name in CARE.items() if name == row["item"]), None)) is not None:
            known = supplies()[of]
            for part, field in fields.items():
                amounts = [float(row[f"amount_per_inpatient_{field}_{kind}_per_day"].replace("NA", "0")) for kind in ("patient", "bed")]
                assert [known.per_admission[part], known.per_bed[part]] == amounts
            assert known.is_reusable == (row["reusable"] == "TRUE")
    for cadre, row in zip(cadres(), rows("hwfe.csv"), strict=True):
        names = {"mild": "mild", "moderate": "mod", "severe": "sev", "critical": "crit", "screened": "screen"}
        assert cadre.hours == {name: float(row[f"patient_t24_{field}"]) for name, field in names.items()}
    for platform, row in zip(platforms().values(), rows("throughput.csv"), strict=True):
        assert list(platform.tests) == [float(row[f"throughput_{hours}hrs"]) for hours in (8, 16, 24)]
        assert [platform.kind, platform.days_per_week, platform.share] == [row["type"], float(row["days_week"]), float(row["covid_capacity"])]


def test_every_list_says_where_it_is_from() -> None:
    for path in TEMPLATES.glob("*.csv"):
        card = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
        assert set(card) == {"name", "version", "licence", "source", "status"} and card["status"] in STATUSES, path.name


def test_a_longer_day_is_between_the_known_ones() -> None:
    cobas = platforms()["roche_6800"]
    assert [cobas.per_day(hours) for hours in (0, 4, 8, 12, 16, 24)] == [0, 192, 384, 576, 768, 1344]
    assert hourly_capacity({"roche_6800": 2, "manual_pcr": 1}, 24) == pytest.approx((2 * 1344 + 564) / 24)
