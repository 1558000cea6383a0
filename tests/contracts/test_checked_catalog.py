"""A catalogue that was checked before is taken again only while nothing it depends on has changed, and only from a file nobody else can have written."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from quanmin.catalog import Catalog, checked, load, loader
from quanmin.catalog.loader import read_all
from quanmin.catalog.reading import Complaints
from quanmin.model import Refusal
from tests.contracts.test_catalog_complaints import GOOD

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "quanmin"


@pytest.fixture
def times_read(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> list[Path | None]:
    """One entry for every time that all definitions would be read."""
    found: list[Path | None] = []
    monkeypatch.setattr(loader, "read_all", lambda own=None: found.append(own) or (catalog, Complaints()))
    return found


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """One entry for every time that all definitions were read."""
    found: list[Path | None] = []
    monkeypatch.setattr(loader, "read_all", lambda own=None: found.append(own) or read_all(own))
    return found


def _own(folder: Path, name: str = "x", text: str = GOOD) -> Path:
    target = folder / "definitions" / "indicators" / "own" / f"{name}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    return folder / "definitions"


def test_the_same_catalogue_as_without_the_cache(tmp_path: Path, readings: list[Path | None]) -> None:
    own = _own(tmp_path)
    load(own)
    found, read = load(own), read_all(own)[0]
    assert len(readings) == 1 and isinstance(found, Catalog) and "x" in found.indicators
    for part in fields(Catalog):
        assert getattr(found, part.name) == getattr(read, part.name), part.name
    for name in ("tables", "codes", "indicators", "checks", "mappings"):
        assert list(getattr(found, name)) == list(getattr(read, name)), "in another order"
    assert all(found.codes.csv_path(name) == read.codes.csv_path(name) for name in read.codes)


def test_a_site_without_definitions_shares_what_was_checked(tmp_path: Path, times_read: list[Path | None]) -> None:
    load()
    (tmp_path / "a" / "definitions").mkdir(parents=True)
    load(tmp_path / "a" / "definitions")
    load(tmp_path / "b" / "definitions")
    assert len(times_read) == 1


def test_a_changed_definition_is_read_and_checked(tmp_path: Path, readings: list[Path | None], monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "catalog"
    shutil.copytree(loader.SHIPPED, shipped, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(loader, "SHIPPED", shipped)
    load()
    file = shipped / "indicators" / "tiered_care" / "in_county_inpatient_share.toml"
    then, text = file.stat(), file.read_text("utf-8")
    file.write_text(text.replace("facility_county = home_county", "facility_county > home_county"), "utf-8")
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))  # neither its size nor its time tells
    changed = load().indicators["in_county_inpatient_share"]
    assert len(readings) == 2 and changed.numerator is not None and ">" in changed.numerator.where
    next(shipped.rglob("codes/*.csv")).unlink()
    with pytest.raises(Refusal, match="list file does not exist"):
        load()


def test_what_lies_behind_a_link_is_looked_at(tmp_path: Path, times_read: list[Path | None]) -> None:
    elsewhere = _own(tmp_path / "elsewhere") / "indicators"
    own = tmp_path / "definitions"
    own.mkdir()
    (own / "indicators").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(own)
    load(own)
    load(own)
    assert len(times_read) == 1
    _own(tmp_path / "elsewhere", text=GOOD.replace('code = "X-1"', 'code = "X-2"'))
    load(own)
    assert len(times_read) == 2


def test_a_code_list_that_is_written_again_is_noticed(tmp_path: Path, times_read: list[Path | None]) -> None:
    own = _own(tmp_path)
    listed = own / "codes" / "mine.csv"
    listed.parent.mkdir()
    listed.write_text("code,zh,en\n1,a,a\n", "utf-8")
    load(own)
    then = listed.stat()
    listed.write_text("code,zh,en\n2,a,a\n", "utf-8")
    os.utime(listed, ns=(then.st_atime_ns, then.st_mtime_ns))
    load(own)
    assert len(times_read) == 2


def test_all_errors_of_a_regions_own_definitions_are_told_each_time(tmp_path: Path, cache: Path) -> None:
    load(_own(tmp_path))
    own = _own(tmp_path, "y", GOOD.replace('kind = "share"', 'kind = "percentage"').replace('status = "own"', 'status = "sure"'))
    kept = sorted(cache.iterdir())
    for _ in range(2):
        with pytest.raises(Refusal) as told:
            load(own)
        found = {(p.file, p.line) for p in told.value.problems}
        assert {("definitions/indicators/own/y.toml", 3), ("definitions/indicators/own/y.toml", 12)} <= found
    assert sorted(cache.iterdir()) == kept, "what has errors is not kept"


@pytest.mark.parametrize("harm", ["cut short", "not a pickle", "not a catalogue", "empty", "a folder"])
def test_a_broken_file_is_passed_over_and_made_anew(cache: Path, times_read: list[Path | None], harm: str) -> None:
    load()
    [file] = cache.iterdir()
    whole = file.read_bytes()
    if harm == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes({"cut short": whole[:1000], "not a pickle": b"{}", "not a catalogue": pickle.dumps({}), "empty": b""}[harm])
    assert load().indicators and len(times_read) == 2
    assert harm == "a folder" or file.read_bytes() == whole


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


def test_a_file_makes_nothing_but_what_a_catalogue_is_made_of(cache: Path, tmp_path: Path, times_read: list[Path | None]) -> None:
    load()
    [file] = cache.iterdir()
    file.write_bytes(pickle.dumps(Harmful(tmp_path / "harm")))
    assert load().indicators and len(times_read) == 2 and not (tmp_path / "harm").exists()


@pytest.mark.parametrize("harm", ["file others may write", "folder others may write", "link", "somebody else's file"])
def test_what_others_may_have_written_is_not_read(cache: Path, tmp_path: Path, times_read: list[Path | None], monkeypatch: pytest.MonkeyPatch,
                                                   harm: str) -> None:
    load()
    [file] = cache.iterdir()
    assert (cache.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    if harm == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif harm == "somebody else's file":
        monkeypatch.setattr(checked.os, "geteuid", lambda: os.getuid() + 1)
    else:
        (file if harm.startswith("file") else cache).chmod(0o777)
    assert load().indicators and len(times_read) == 2


def test_without_a_place_for_it_everything_is_read(tmp_path: Path, times_read: list[Path | None], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file"), "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", place)
        assert load().indicators
    assert len(times_read) == 2 and not Path("relative").exists()


@pytest.mark.usefixtures("times_read")
def test_few_are_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "KEPT", 2)
    for name in ("a", "b", "c"):
        load(_own(tmp_path / name))
    assert len(list(cache.iterdir())) == 2
