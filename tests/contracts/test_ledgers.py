"""One contract for every database a ledger may live in: SQLite by default, PostgreSQL when larger."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from quanmin.gate import Accounts
from quanmin.gate.audit import Audit
from quanmin.records.ledger import Ledger, Piece, Submission


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own; it refuses to run as root, so it runs as user postgres there."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (.ci/run installs it)")
    folder = tmp_path_factory.mktemp("postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        for path in (folder, *folder.parents):
            if path == Path("/tmp") or path == Path("/"):
                break
            path.chmod(path.stat().st_mode | 0o055)
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)

    def call(program: str, *arguments: str) -> None:
        subprocess.run([str(programs / program), *arguments], check=True, capture_output=True, cwd=folder, timeout=60, **user)

    data = str(folder / "data")
    call("initdb", "-D", data, "-U", "quanmin", "--auth=trust", "--encoding=UTF8", "--locale=C")
    call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-p {port} -k {folder} -h 127.0.0.1", "start")
    try:
        yield f"postgresql+psycopg://quanmin@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'ledger.db'}"
    opened = Ledger(url)
    opened.migrate()
    opened.migrate()
    return opened


def test_what_is_acknowledged_published_and_decided_comes_back(ledger: Ledger) -> None:
    first = ledger.next_submission()
    submission = Submission(first, "a" * 64, "stays.csv", "H001", "front_page_national", "2026-10-03T09:00:00+08:00", 10, 3, 2, 1)
    pieces = [Piece(first, "stay", "2026-09-01", "H001", "replace", 2)]
    ledger.acknowledge([submission], pieces)
    assert ledger.next_submission() == first + 1
    assert ledger.found("a" * 64, "H001", "front_page_national") == [submission]
    assert ledger.pieces("stay") == pieces
    number = ledger.publish({"stay": (0, 2)}, first, 0, "d" * 64)
    assert ledger.snapshots()[-1].id == number and ledger.versions(number) == {"stay": (0, 2)}
    ledger.decide("b" * 32, "a" * 32, "join", "same person", "li.ming")
    assert [(d["identity_a"], d["decision"]) for d in ledger.decisions()] == [("a" * 32, "join")]
    ledger.decide("a" * 32, "b" * 32, "withdraw", "was wrong", "li.ming")
    assert ledger.decisions() == [] and ledger.decision_count() == 2


def test_an_unacknowledged_submission_leaves_nothing(ledger: Ledger) -> None:
    before = ledger.next_submission()
    wrong = Submission(before, "c" * 64, "x.csv", "H001", "m", "2026-10-03T09:00:00+08:00", 1, 1, 1, 0)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|integrity"):
        ledger.acknowledge([wrong], [Piece(before, "stay", "2026-09-01", "H001", "add", 1)] * 2)
    assert ledger.next_submission() == before and ledger.found("c" * 64, "H001", "m") == []


def test_accounts_and_audit_live_there_too(ledger: Ledger) -> None:
    accounts, audit = Accounts(ledger), Audit(ledger)
    password = accounts.add("li.ming", "section", "county:990101")
    token = accounts.sign_in("li.ming", password)
    assert token is not None and accounts.sign_in("li.ming", "wrong") is None
    session = accounts.session(token)
    assert session is not None and str(session.account.scope) == "county:990101" and session.account.must_change
    for subject in ("a", "b", "c"):
        audit.note("li.ming", "rows", subject)
    assert audit.first_break() is None
    accounts.disable("li.ming")
    assert accounts.session(token) is None
