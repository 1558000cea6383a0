"""The same file twice changes nothing, a corrected month replaces, what comes late joins; and all of it stands on the receipt."""

from __future__ import annotations

import random
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Receipt
from quanmin.site import Site, make_site
from tests.records.made_files import contents, send, stay, text_of
from tests.records.made_region import answers, facilities, first_wave, new_region, person, regions, stays, visits, written

MARCH = [stay(i, diagnoses=4) for i in range(10)]


def modes(receipt: Receipt) -> dict[str, tuple[str, int]]:
    return {s["table"]: (s["mode"], s["rows"]) for s in receipt.slices}


def held(site: Site, table: str = "stay") -> list[tuple[object, ...]]:
    site.build()
    columns = {"stay": "case_number, total_charge_cny", "stay_diagnosis": "case_number, diagnosis_order"}[table]
    wanted = [list(site.catalog.tables[table].columns).index(c.strip()) for c in columns.split(",")]
    return sorted(tuple(row[i] for i in wanted) for row in contents(site, [table])[table])


def test_the_same_file_twice_changes_nothing(site: Site, tmp_path: Path) -> None:
    first = send(site, tmp_path, "march.csv", text_of(MARCH))
    site.build()
    before = contents(site), site.ledger.submissions(), site.ledger.pieces(), site.ledger.snapshots(), answers(site)
    again = send(site, tmp_path / "copy", "another name.csv", text_of(MARCH))
    assert (again.status, again.submission, again.read, again.accepted) == ("repeated", first.submission, 10, 10)
    assert again.notes == (say("already_received", submission=first.submission),)
    snapshot, is_new = site.build()
    assert not is_new and snapshot.id == 1
    assert (contents(site), site.ledger.submissions(), site.ledger.pieces(), site.ledger.snapshots(), answers(site)) == before
    twice = site.intake().take([tmp_path / "march.csv", tmp_path / "march.csv"], sender="S2")
    assert [r.status for r in twice] == ["accepted", "repeated"]


def test_a_corrected_month_replaces_also_with_fewer_rows_and_fewer_diagnoses(site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "march.csv", text_of(MARCH))
    assert len(held(site)) == 10 and len(held(site, "stay_diagnosis")) == 40
    fewer = [stay(i, diagnoses=2, D01="1") for i in range(6)]
    receipt = send(site, tmp_path, "corrected.csv", text_of(fewer))
    assert modes(receipt) == {"stay": ("replace", 6), "stay_diagnosis": ("replace", 12), "stay_procedure": ("replace", 0)}
    assert say("replaces", period="2026-03", table="stay", rows=6, held=10) in receipt.notes
    assert [(case, float(charge)) for case, charge in held(site)] == [(f"R{i:04d}", 1.0) for i in range(6)]
    assert held(site, "stay_diagnosis") == [(f"R{i:04d}", n) for i in range(6) for n in (1, 2)]
    assert len(list(site.folders.landing.glob("*/*/*.csv"))) == 2, "both are kept in landing"


def test_stragglers_join_and_a_record_sent_again_takes_its_newest_form(site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "facilities.csv", facilities())
    send(site, tmp_path, "facilities_late.csv", facilities(H9={}), "S9")
    send(site, tmp_path, "march.csv", text_of(MARCH))
    late = [stay(1, diagnoses=2, D01="7"), *(stay(i, diagnoses=3) for i in range(20, 23))]
    receipt = send(site, tmp_path, "late.csv", text_of(late))
    assert modes(receipt)["stay"] == ("add", 4)
    assert say("adds", period="2026-03", table="stay", rows=4, held=10) in receipt.notes
    assert [case for case, _ in held(site)] == [f"R{i:04d}" for i in [*range(10), 20, 21, 22]]
    assert [float(charge) for case, charge in held(site) if case == "R0001"] == [7.0]
    assert [n for case, n in held(site, "stay_diagnosis") if case == "R0001"] == [1, 2]
    assert [n for case, n in held(site, "stay_diagnosis") if case == "R0002"] == [1, 2, 3, 4]


def test_replace_and_add_decide_otherwise_also_for_a_file_received_before(site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "march.csv", text_of(MARCH))
    other = text_of([stay(i) for i in range(50, 53)])
    assert modes(send(site, tmp_path, "other.csv", other))["stay"] == ("add", 3)
    assert len(held(site)) == 13
    again = send(site, tmp_path, "other.csv", other, mode="replace")
    assert (again.status, modes(again)["stay"]) == ("accepted", ("replace", 3))
    assert [case for case, _ in held(site)] == ["R0050", "R0051", "R0052"]
    assert send(site, tmp_path, "other.csv", other, mode="replace").status == "repeated"
    back = send(site, tmp_path, "march.csv", text_of(MARCH), mode="add")
    assert (back.status, len(held(site))) == ("accepted", 13)
    assert send(site, tmp_path, "march.csv", text_of(MARCH), mode="add").status == "repeated"
    corrected = text_of([stay(i, D01="5") for i in range(9)])
    assert modes(send(site, tmp_path, "corrected.csv", corrected, mode="add"))["stay"] == ("add", 9)
    assert len(held(site)) == 13


def test_a_correction_touches_its_own_sender_and_months_only(site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "h1.csv", text_of([stay(i) for i in range(5)] + [stay(i, "2026-04") for i in range(5)]), "H1")
    send(site, tmp_path, "h2.csv", text_of([stay(i, facility="H2") for i in range(5)]), "H2")
    receipt = send(site, tmp_path, "h1_april.csv", text_of([stay(i, "2026-04", D01="1") for i in range(4)]), "H1")
    assert [(s["period"], s["mode"]) for s in receipt.slices if s["table"] == "stay"] == [("2026-04-01", "replace")]
    assert len(held(site)) == 14


def test_files_of_one_command_supersede_each_other_in_their_order(site: Site, tmp_path: Path) -> None:
    for name, rows in (("1.csv", MARCH), ("2.csv", MARCH[:7]), ("3.csv", MARCH[:5])):
        (tmp_path / name).write_text(text_of(rows), "utf-8")
    receipts = site.intake().take([tmp_path / name for name in ("1.csv", "2.csv", "3.csv")], sender="H1")
    assert [modes(r)["stay"] for r in receipts] == [("replace", 10), ("replace", 7), ("replace", 5)]
    assert len(held(site)) == 5


def test_lists_without_months_are_replaced_whole(site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "r1.csv", written("resident_register", [person(n) for n in range(1, 9)]), "HC")
    receipt = send(site, tmp_path, "r2.csv", written("resident_register", [person(n, phone="") for n in range(3, 9)]), "HC")
    assert modes(receipt) == {"resident": ("replace", 6)}
    site.build()
    assert len(contents(site, ["resident"])["resident"]) == 6


def test_the_order_in_which_senders_report_does_not_matter(tmp_path: Path) -> None:
    people = written("resident_register", [person(n) for n in range(1, 15)])
    queues = {
        "HC": [("regions.csv", regions()), ("facilities.csv", facilities()), ("residents.csv", people)],
        "H1": [(f"h1_{m}_{i}.csv", text_of(stays(m, range(1, 9 - i)))) for m in ("2026-01", "2026-02") for i in (0, 2)],
        "H2": [(f"h2_{m}.csv", text_of(stays(m, range(5, 12), "H2"))) for m in ("2026-01", "2026-02")],
        "C1": [(f"c1_{m}.csv", visits(m, range(1, 12))) for m in ("2026-02", "2026-01")],
    }
    said = []
    for chooser in (random.Random(0), random.Random(1)):
        site, left = new_region(tmp_path / f"s{len(said)}"), {who: list(files) for who, files in queues.items()}
        while any(left.values()):
            who = chooser.choice([w for w, files in left.items() if files])
            send(site, tmp_path, *left[who].pop(0), sender=who)
            if chooser.random() < 0.2:
                site.build()
        site.build()
        said.append(answers(site))
    assert said[0] == said[1]


def test_an_old_snapshot_gives_its_old_numbers(tmp_path: Path) -> None:
    site = new_region(tmp_path / "site")
    first_wave(site, tmp_path)
    site.build()
    then = answers(site)
    send(site, tmp_path, "h1_corrected.csv", text_of(stays("2026-02", range(1, 6), B34C="5")), "H1")
    send(site, tmp_path, "facilities_2.csv", facilities(H1={"county_code": "990102", "level_code": "6"}), "HC")
    site.build()
    now = answers(site)
    assert now != then and answers(site, as_of=1) == then and answers(site, as_of=2) == now


def test_a_file_is_taken_again_once_its_mapping_was_corrected(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    mapping = folder / "definitions" / "mappings" / "clinic.toml"
    text = (
        'name = { zh = "x", en = "x" }\nrecognise = ["no", "seen", "kind"]\n[[into]]\ntable = "visit"\n[into.columns]\nfacility_code = { constant = "H1" }\n'
        'visit_number = "no"\nvisited_at = "seen"\nkind_code = { from = "kind", codes = { "1" = "outpatient" } }\n'
    )
    make_site(folder, "")
    mapping.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "visits.csv").write_text("no,seen,kind\n1,2026-03-02,1\n2,2026-03-03,2\n", "utf-8")

    def taken() -> tuple[str, int | None, list[tuple[str, int]]]:
        site = Site(folder)
        receipt = site.intake().take([tmp_path / "visits.csv"], mapping="clinic", sender="H1")[0]
        site.build()
        kinds = site.indicators().engine.table("SELECT kind_code AS kind, count(*) AS n FROM visit GROUP BY 1 ORDER BY 1").to_pylist()
        return receipt.status, receipt.submission, [(row["kind"], row["n"]) for row in kinds]

    mapping.write_text(text, "utf-8")
    assert taken() == ("accepted", 1, [("2", 1), ("outpatient", 1)])
    assert taken() == ("repeated", 1, [("2", 1), ("outpatient", 1)])
    mapping.write_text(text.replace('"1" = "outpatient"', '"1" = "outpatient", "2" = "emergency"'), "utf-8")
    assert taken() == ("accepted", 2, [("emergency", 1), ("outpatient", 1)])
    assert taken() == ("repeated", 2, [("emergency", 1), ("outpatient", 1)])
