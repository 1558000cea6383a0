"""The commands as scripts see them: exit codes, one clear line on stderr, never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import quanmin.cli
from quanmin.catalog.messages import say
from quanmin.site import Site
from tests.records.made_files import VISIT_COLUMNS, send, stay, text_of, visit

STAYS = text_of([stay(i) for i in range(3)])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run a command in this process; returns exit code, stdout and stderr."""
    monkeypatch.setattr("quanmin.site.Settings.languages", ("en", "zh"), raising=False)
    monkeypatch.setattr(Site, "speak", lambda self, chosen="": None)

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quanmin", *map(str, words)])
        capfd.readouterr()
        try:
            quanmin.cli.main()
            code = 0
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return command


def test_intake_build_ask(run, tmp_path: Path) -> None:
    site, path = tmp_path / "s", tmp_path / "stays.csv"
    path.write_text(STAYS, "utf-8")
    assert run("init", site)[0] == 0
    code, out, err = run("intake", site, path, "--sender", "H1")
    assert (code, err) == (0, "") and say("receipt_line", file="stays.csv", read=3, accepted=3, rejected=0) in out
    code, out, _ = run("intake", site, path, "--sender", "H1")
    assert code == 0 and say("already_received", submission=1) in out
    assert run("build", site)[0] == 0
    code, out, _ = run("build", site)
    assert code == 0 and say("nothing_new", snapshot=1) in out
    code, out, _ = run("ask", site, "stay/stay_days_mismatch", "--by", "month", "--format", "csv")
    assert code == 0 and out.splitlines()[0] == "month,numerator,denominator,unknown,value,low,high,suppressed" and len(out.splitlines()) == 2
    code, out, _ = run("rows", site, "stay/stay_days_mismatch", "--which", "denominator", "--by", "month,week,quarter,year", "--limit", "1")
    assert code == 0 and [line[:32] for line in out.splitlines()] == ["month,week,quarter,year,facility", "2026-03,2026-W10,2026-Q1,2026,H1"]
    code, out, err = run("ask", site, "nosuch")
    assert (code, out) == (2, "") and say("no_indicator") in err and say("mend_no_indicator") in err


def test_rejects_are_listed_and_the_command_is_done(run, tmp_path: Path) -> None:
    site, path = tmp_path / "s", tmp_path / "stays.csv"
    path.write_text(text_of([stay(i, B20="x" if i % 2 else "4") for i in range(60)]), "utf-8")
    run("init", site)
    code, out, _ = run("intake", site, path, "--sender", "H1")
    assert code == 0 and out.count(say("unreadable_integer")) == 20
    assert f"stays.csv:3 B20='x': {say('unreadable_integer')}; {say('mend_integer')}" in out
    assert Path(out.splitlines()[-1].split(" ")[-1]).exists()


@pytest.mark.parametrize(("words", "said"), [
    (["intake", "SITE", "nothing.csv"], "no_file"), (["intake", "SITE", "layout.csv", "--sender", "H1"], "no_mapping"),
    (["intake", "SITE", "stays.csv"], "no_sender"), (["intake", "SITE", "stays.csv", "--sender", "H1", "--mapping", "no"], "unknown_mapping"),
    (["intake", "NOWHERE", "stays.csv"], "no_site"), (["build", "NOWHERE"], "no_site"), (["ask", "SITE", "stay/stay_days_mismatch"], "not_built"),
    (["intake", "SITE", "stays.csv", "--sender", "H1", "--replace", "--add"], "bad_value"), (["init", "SITE"], "site_exists"),
    (["build", "SITE", "--engine", "magic"], "bad_value"),
    (["intake", "SITE", "nokey.csv", "--sender", "H1", "--mapping", "front_page_national"], "missing_column"),
])
def test_bad_use_is_one_line_and_exit_2(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    run("init", "SITE")
    Path("layout.csv").write_text("x,y\n1,2\n", "utf-8")
    Path("stays.csv").write_text(STAYS, "utf-8")
    Path("nokey.csv").write_text(STAYS.replace("A48", "B48"), "utf-8")
    code, _, err = run(*words)
    assert code == 2 and len(err.splitlines()) == 1
    assert say(said, columns="x, y") in err


def test_an_unforeseen_error_is_one_line_and_keeps_its_details_apart(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", tmp_path / "s")
    monkeypatch.setattr(Site, "build", lambda *given: 1 // 0)
    code, _, err = run("build", tmp_path / "s")
    assert code == 2 and len(err.splitlines()) == 1 and say("internal_error", kind="ZeroDivisionError") in err
    kept = Path(err.split("give ")[1].split(" to whoever")[0])
    assert "Traceback" in kept.read_text() and kept.stat().st_mode & 0o077 == 0
    kept.unlink()


def test_an_unwritable_output_is_one_line(run, site: Site, tmp_path: Path) -> None:
    send(site, tmp_path, "v.csv", text_of([visit(1)], VISIT_COLUMNS))
    site.build()
    code, _, err = run("ask", site.folder, "visit/total_charge_negative", "--format", "csv", "--out", tmp_path / "no" / "where.csv")
    assert code == 2 and len(err.splitlines()) == 1 and "where.csv" in err
