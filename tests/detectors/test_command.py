"""quanmin detect: rows of R's manifest replayed by one command, every way of writing periods and encodings, and one clear line for what cannot be used."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quanmin.catalog.messages import speak
from quanmin.cli import main
from quanmin.cli.detecting import METHODS
from quanmin.detectors.settings import SETTINGS
from quanmin.detectors.signals import REASONS, USED
from tests.detectors.replay import columns, manifest, oracle

REPLAYED = ("ffx_noufaily_campyDE", "ffx_delta_china_monthly", "ffx_b4_ha", "farr_b3_s1", "ears_C2_ha.sts", "rki2_shadar", "bayes2_measles.weser",
            "cdc_campyDE",
            "cusum_rossi_glm_shadar", "glrpois_int_s1", "binCUSUM_R2_h4_abattoir", "outbreakP_value_s1", "mpm_shadar")


@pytest.fixture
def detect(capsys, monkeypatch):
    """The command in this process: exit code, standard output, standard error."""
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quanmin", "detect", *map(str, arguments)])
        speak("en")
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        finally:
            speak("")
        told = capsys.readouterr()
        assert "Traceback" not in told.err and "internal error" not in told.err, told.err
        return code, told.out, told.err
    return run


def rows_in(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def number(text: str) -> float:
    return float(text) if text not in ("", "NA") else np.nan


@pytest.mark.parametrize("name", REPLAYED)
def test_a_row_of_the_manifest_is_replayed_by_one_command(detect, name: str) -> None:
    row = next((row for row in manifest() if row["run"] == name), None)
    if row is None:
        pytest.skip("no ../shared/oracles/surveillance")
    path, run = oracle(f"inputs/{row['input']}.csv"), oracle(f"runs/{name}.csv")
    card = json.loads((path.with_suffix("").parent / f"{row['input']}.json").read_text("utf-8"))
    options = ["--params", row["params"], "--set", "fallback=false", "--set", f"freq={card['freq']}", "--set", "start=" + ",".join(map(str, card["start"]))]
    for given in ("mu0", "pi0"):
        if given in json.loads(row["params"]):
            options += ["--set", f"{given}={run}:{'expected' if given == 'mu0' else given}"]
    if "binCUSUM" in name:
        options += ["--population", path.with_name(f"{row['input']}_population.csv")]
    code, out, err = detect(path, "--date", "date" if card["epochAsDate"] else "t", "--method", row["algorithm"], *options)
    assert code == 0, err
    told, theirs = rows_in(out), columns(run)
    assert len(told) == len(theirs["t"])
    if "percentile" in theirs:
        order = np.lexsort((theirs["t"], theirs["percentile"]))
        theirs = {column: np.asarray(values)[order] for column, values in theirs.items()}
    np.testing.assert_array_equal([number(one["alarm"]) for one in told], theirs["alarm"])
    upper = theirs["threshold"] if "threshold" in theirs else theirs["upperbound"]
    np.testing.assert_allclose([number(one["upper"]) for one in told], upper, rtol=1e-7, equal_nan=True)
    if "date" in columns(path) and card["epochAsDate"]:
        assert told[0]["date"] == str(columns(path)["date"][int(theirs["t"][0]) - 1])


def weekly(path: Path, encoding: str = "utf-8", periods: list[str] | None = None, extra: str = "") -> Path:
    """A long file of two districts over six years of ISO weeks, 53 of them in 2020, with an outbreak in the last week of the second."""
    from datetime import date, timedelta

    rng = np.random.default_rng(2)
    days = [date(2018, 1, 1) + timedelta(weeks=i) for i in range(320)]
    told = periods or [f"{day.isocalendar()[0]}-W{day.isocalendar()[1]:02d}" for day in days]
    lines = ["week,district,cases"]
    for district in ("A\u533a".encode("ascii", "ignore").decode(), "B"):
        lines += [f"{week},{district},{30 if district == 'B' and i == len(told) - 1 else rng.poisson(4)}" for i, week in enumerate(told) if i % 57 != 9]
    path.write_text("\n".join(lines) + "\n" + extra, encoding)
    return path


def test_weeks_of_a_long_file_are_told_apart_by_district(detect, tmp_path: Path) -> None:
    path, out = weekly(tmp_path / "weeks.csv"), tmp_path / "signals.csv"
    code, told, _ = detect(path, "--date", "week", "--count", "cases", "--by", "district", "--out", out)
    assert code == 0 and "2 series" in told
    rows = rows_in(out.read_text("utf-8"))
    assert list(rows[0])[:7] == ["district", "date", "observed", "expected", "upper", "score", "alarm"]
    assert {row["district"] for row in rows} == {"A", "B"}
    last = [row for row in rows if row["date"] == rows[-1]["date"]]
    assert [row["alarm"] for row in last] == ["0", "1"] and last[1]["rank"] == "1" and float(last[1]["q_value"]) < 0.01
    assert any(row["date"] == "2023-W52" for row in rows)
    missing = [row for row in rows if row["reason"] == "missing"]
    assert missing and all(row["observed"] == row["alarm"] == "" for row in missing)


def test_every_encoding_and_form_gives_the_same(detect, tmp_path: Path) -> None:
    plain = detect(weekly(tmp_path / "a.csv"), "--date", "week", "--count", "cases", "--by", "district", "--method", "ears")[1]
    for encoding in ("gb18030", "utf-8-sig", "utf-16"):
        assert detect(weekly(tmp_path / f"{encoding}.csv", encoding), "--date", "week", "--count", "cases", "--by", "district", "--method", "ears")[1] == plain
    wide = tmp_path / "wide.csv"
    wide.write_text("month,flu,mumps\n" + "".join(f"{2015 + i // 12}-{1 + i % 12:02d},{5 + i % 7},{3 + i % 5}\n" for i in range(100)), "utf-8")
    rows = rows_in(detect(wide, "--date", "month")[1])
    assert {row["unit"] for row in rows} == {"flu", "mumps"} and rows[0]["date"] == "2020-02"
    assert {row["alarm"] for row in rows} == {"0"}
    assert rows_in(detect(wide, "--date", "month", "--count", "flu", "--set", "range=2022-01:2022-06")[1])[-1]["date"] == "2022-06"


def test_outbreaks_are_left_out_and_listed_diseases_raised(detect, tmp_path: Path) -> None:
    path = weekly(tmp_path / "w.csv")
    options = ("--date", "week", "--count", "cases", "--by", "district")
    plain, less = (rows_in(detect(path, *options, *more)[1]) for more in ((), ("--set", "exclude=2019-W01:2019-W30")))
    assert int(less[0]["baseline_periods"]) < int(plain[0]["baseline_periods"])
    rows = rows_in(detect(path, *options, "--set", "single_case=B")[1])
    assert {row["method"] for row in rows if row["district"] == "B" and row["observed"]} == {"single_case"}
    assert {row["alarm"] for row in rows if row["district"] == "B" and row["observed"] not in ("", "0")} == {"1"}


BAD = {
    "negative": ("2024-W31,B,-3", "-3"), "words": ("2024-W31,B,many", "many"), "no week": ("2024-W60,B,3", "2024-W60"), "repeated": ("2018-W01,A,3",
                                                                                                                                     "2018-W01"),
    "no district": ("2024-W20,,3", ""), "other form": ("2024-05-06,B,3", "2024-05-06"), "far away": ("9998-W01,B,3", "9998-W01"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_row_that_cannot_be_used_is_named(detect, tmp_path: Path, kind: str) -> None:
    line, value = BAD[kind]
    path = weekly(tmp_path / "bad.csv", extra=line + "\n")
    code, out, err = detect(path, "--date", "week", "--count", "cases", "--by", "district")
    number = len(path.read_text("utf-8").splitlines())
    assert code == 2 and not out
    assert f"bad.csv:{number}" in err.splitlines()[0] and repr(value) in err.splitlines()[0] and ";" in err


@pytest.mark.parametrize("options, told", [
    (("--date", "nothing"), "nothing"), (("--date", "week", "--count", "nothing"), "nothing"), (("--date", "week", "--method", "magic"), "farrington_flexible"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "alpha=9"), "alpha"), (("--date", "week", "--count", "cases", "--by", "district",
                                                                                                 "--set", "b"), "'b'"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "range=1:99999"), "range"), (("--date", "week", "--count", "cases", "--params",
                                                                                                       "{"), "JSON"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "mu0=nothing.csv:x", "--method", "glr_poisson"), "mu0"),
    (("--date", "week", "--count", "cases", "--by", "district", "--population", "nothing"), "nothing"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "range=2001-W01:2002-W01"), "2001-W01"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "day_effects=true"), "day_effects"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "workers=many"), "workers"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "fallback_alpha=x"), "fallback_alpha"),
    (("--date", "week", "--count", "cases", "--by", "district", "--set", "mu0=[1,2,3]", "--method", "glr_poisson"), "mu0"),
])
def test_an_option_that_cannot_be_used_is_named(detect, tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    code, out, err = detect(weekly(tmp_path / "w.csv"), *options)
    assert code == 2 and not out and told in err and len(err.splitlines()) <= 2


@pytest.mark.parametrize("text", ["", "week,cases\n", "week\n2024-W01\n", "\x00\x01\x02", "week,cases\n2024-W01,3\n2024-W02\n"])
def test_a_file_that_is_none_is_refused(detect, tmp_path: Path, text: str) -> None:
    path = tmp_path / "none.csv"
    path.write_text(text, "utf-8")
    code, out, err = detect(path, "--date", "week")
    assert code == 2 and not out and "none.csv" in err


def test_the_first_use_on_a_machine_says_what_it_waits_for(tmp_path: Path) -> None:
    """Compiled loops are kept: the second time nothing is waited for and nothing said; figures are the same."""
    (tmp_path / "counts.csv").write_text("week,a\n" + "".join(f"{i + 1},{3 + i % 3}\n" for i in range(40)), "utf-8")
    told = [subprocess.run([sys.executable, "-c", "from quanmin.cli import main; main()", "detect", "counts.csv", "--date", "week", "--method", "ears"],
                           cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True,
                           env={**os.environ, "QUANMIN_LANGUAGE": "en", "NUMBA_CACHE_DIR": str(tmp_path / "kept")}) for _ in range(2)]
    assert told[0].stderr.count("First use of the detectors") == 1 and "First use" not in told[1].stderr
    assert told[0].stdout == told[1].stdout and told[0].stdout.count("\n") > 20


def test_the_command_names_what_there_is() -> None:
    from quanmin.catalog.messages import all_messages

    assert set(METHODS) == set(SETTINGS)
    assert all(f"detect_reason_{reason}" in all_messages() for reason in REASONS if reason in ("not_converged", "too_short", "missing", "no_variation",
                                                                                               "no_expectation"))
    assert all(f"detect_used_{used}" in all_messages() for used in USED[2:])
