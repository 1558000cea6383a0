"""catalog/codes/notifiable_disease.csv → NotifiableDisease: a code list with further columns; a region puts its own in its place."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.reading import Complaints, list_text
from quanmin.model.disease import LAW_CLASSES, NotifiableDisease, SerialInterval

LIST, PATHOGENS, TRIGGERS = "notifiable_disease", "pathogen", "trigger_group"
COLUMNS = ("code", "zh", "en", "parent", "class", "report_hours", "icd10", "trigger", "percentile", "is_single_case", "pathogens", "incubation_days")
SERIAL = ("serial_days", "serial_deviation", "serial_source", "serial_status")  # need not be there
STATUSES = ("verified", "transcribed", "recalled", "own")


def read_diseases(codes: CodeLists, complaints: Complaints) -> dict[str, NotifiableDisease]:
    """The diseases by code, with everything wrong in the list complained of; nothing where there is no such list."""
    if LIST not in codes or not codes.csv_path(LIST).exists():
        return {}
    path, shown = codes.csv_path(LIST), codes.shown(LIST)
    reader = csv.DictReader(list_text(path, shown, complaints))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        complaints.add(shown, 1, ", ".join(missing), "", "is missing from the list of diseases", "columns: " + ", ".join(COLUMNS))
        return {}
    found: dict[str, NotifiableDisease] = {}
    for row in reader:
        one = _disease({name: (row.get(name) or "").strip() for name in (*COLUMNS, *SERIAL)}, reader.line_num, shown, codes, complaints)
        found[one.code] = one
    return found


def _disease(given: Mapping[str, str], line: int, shown: str, codes: CodeLists, complaints: Complaints) -> NotifiableDisease:
    allowed = {"class": LAW_CLASSES, "trigger": tuple(codes[TRIGGERS].codes) if TRIGGERS in codes else (), "is_single_case": ("", "true")}
    for key, words in allowed.items():
        if given[key] not in words:
            complaints.add(shown, line, key, given[key], "is not one of " + ", ".join(word or "blank" for word in words), "choose one of them")
    number: dict[str, int | None] = {}
    for key, low, high in (("report_hours", 1, 24 * 30), ("percentile", 1, 99), ("incubation_days", 1, 3650)):
        number[key] = int(given[key]) if given[key].isdecimal() else None
        value = number[key]
        if (given[key] or key == "report_hours") and (value is None or not low <= value <= high):
            mend = "write the number, or nothing where there is none (but for the hours)"
            complaints.add(shown, line, key, given[key], f"is not a whole number from {low} to {high}", mend)
    pathogens = _parts(given["pathogens"])
    for pathogen in pathogens:
        if PATHOGENS not in codes or pathogen not in codes[PATHOGENS].codes:
            complaints.add(shown, line, "pathogens", pathogen, "is not on the list of pathogens", "name a code of pathogen.csv, several separated by |")
    if not _parts(given["icd10"]):
        complaints.add(shown, line, "icd10", "", "a disease needs the beginnings of its ICD-10 codes", "write them, several separated by |")
    percentile = number["percentile"]
    return NotifiableDisease(given["code"], given["class"], number["report_hours"] or 24, _parts(given["icd10"]), given["trigger"],
                             None if percentile is None else float(percentile), given["is_single_case"] == "true", pathogens, number["incubation_days"],
                             given["parent"], _serial(given, line, shown, complaints))


def _serial(given: Mapping[str, str], line: int, shown: str, complaints: Complaints) -> SerialInterval | None:
    """The serial interval of a row; None where all four fields are blank."""
    if not any(given[name] for name in SERIAL):
        return None
    mean, deviation = (_number(given[name]) for name in SERIAL[:2])
    if not (mean is not None and deviation is not None and 1 < mean <= 365 and 0 < deviation <= 365):
        complaints.add(shown, line, ", ".join(SERIAL[:2]), f"{given[SERIAL[0]]}, {given[SERIAL[1]]}", "is no mean above 1 day with a deviation above 0",
                       "write both as days, or leave all four serial_ fields blank")
        return None
    if not given["serial_source"] or given["serial_status"] not in STATUSES:
        complaints.add(shown, line, ", ".join(SERIAL[2:]), given["serial_status"], "a serial interval needs its source and status",
                       f"write where it was published, and one of {', '.join(STATUSES)}")
    return SerialInterval(mean, deviation, given["serial_source"], given["serial_status"])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())
