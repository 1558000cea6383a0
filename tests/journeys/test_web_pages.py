"""Every page renders in both languages, says everything in the chosen one, and stands up to whatever an address holds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from quanmin.catalog.loader import read_all
from quanmin.catalog.wording import unworded
from quanmin.web.indicator_page import VIEWS
from quanmin.web.pages import THEMES
from quanmin.web.panels import harmless
from tests.journeys.conftest import Region
from tests.journeys.pages import read, seen
from tests.journeys.people import Person, somebody, stranger

CATALOG, _ = read_all()
CHINESE = re.compile("[\u4e00-\u9fff]+")
ENGLISH = re.compile(r"\b[A-Za-z]*[a-z]{2,}[A-Za-z]*\b")
# Abbreviations, units, people, files and our name.
UNITS = {"mg", "mm", "ml", "mL", "min"}  # of doses and sizes in the names of medicines and devices
NO_WORDS = UNITS | {"DDDs", "DRGs", "pH", "quanmin", "Holm", "bench", "forecast", "Farrington", "Cori", "py", "csv", "xlsx"}
MONTH = "2026-09"


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


def assert_language(text: str, language: str, where: object, names: set[str] = frozenset(), written: set[str] = frozenset()) -> None:
    words = seen(text)
    for value in written:
        words = words.replace(value, "")
    if language == "en":
        found = CHINESE.findall(words)
    else:
        found = [w for w in ENGLISH.findall(words) if w not in NO_WORDS | names]
    assert not found, f"{where}: {found[:8]}"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_indicator_has_a_page(section: Person, language: str) -> None:
    assert len(CATALOG.indicators) >= 280
    for i, one in enumerate(CATALOG.indicators.values()):
        view = "trend" if language == "zh" or i % 4 == 0 else "definition"  # the figures are the same in both languages
        answer = section.get(f"/indicator/{one.id}", lang=language, period=MONTH, view=view)
        assert answer.status_code == 200, one.id
        assert one.label.in_language(language) in answer.text.replace("&#39;", "'").replace("&lt;", "<").replace("&amp;", "&"), one.id
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        assert one.version in answer.text, f"{one.id}: no definition version"
        assert ('class="big' in answer.text) == (one.is_executable and view == "trend"), one.id
        assert_language(answer.text, language, one.id, {section.name.split("-")[0]})


def _dimensions() -> list[tuple[str, str]]:
    """Every dimension once, with an indicator that offers it."""
    found: dict[str, str] = {}
    for one in CATALOG.indicators.values():
        for name in one.by if one.is_executable else ():
            found.setdefault(name, one.id)
    return [(one, name) for name, one in found.items()]


def _unlisted(region: Region, indicator: str, dimension: str) -> set[str]:
    """What senders wrote in place of a code: shown as they wrote it, in whatever language."""
    half = CATALOG.indicators[indicator].denominator
    column = CATALOG.tables[half.table].columns.get(dimension) if half else None
    if column is None or not column.codes:
        return set()
    cells = region.site.indicators().ask(indicator, by=[dimension]).cells
    return {str(cell.key[dimension]) for cell in cells if cell.key[dimension] is not None} - set(CATALOG.codes[column.codes].codes)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_breakdown_names_its_groups(region: Region, section: Person, language: str) -> None:
    for one, dimension in _dimensions():
        text = section.get(f"/indicator/{one}", view="breakdown", by=dimension, period="2025", lang=language).text
        assert_language(text, language, (one, dimension), {section.name.split("-")[0]}, _unlisted(region, one, dimension))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("period", ["2025", MONTH, "2026-10", ""])
def test_every_theme_has_a_list(section: Person, language: str, period: str) -> None:
    for theme in THEMES:
        answer = section.get("/indicators", theme=theme, period=period, lang=language)
        listed = {i.id for i in CATALOG.indicators.values() if i.theme == theme}
        assert answer.status_code == 200 and listed <= set(re.findall(r'href="/indicator/(\w+)', answer.text))
        assert_language(answer.text, language, (theme, period), {section.name.split("-")[0]})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_other_pages_speak_the_language(region: Region, app: FastAPI, section: Person, language: str) -> None:
    auditor, administrator = somebody(app, "auditor"), somebody(app, "administrator")
    names = {p.name.split("-")[0] for p in (section, auditor, administrator)} | {"leader", "section", "viewer", "institution", "auditor", "county"}
    commands = {"account", "add", "role", "scope"}
    for one in ("in_county_inpatient_share", "average_stay_days", "beds_per_1000", "cmc2020_lead_physician_daily_visits"):
        text = section.get(f"/indicator/{one}/rows", period=MONTH, lang=language).text
        assert_language(text, language, one, names)
        assert "<tbody>" in text
    one = "/indicator/average_stay_days"
    for path in ("/password?", "/nothing?", "/audit?", f"{one}/figures.csv?by=junk&", f"{one}/rows?which=junk&", f"{one}/rows?period=junk&"):
        text = section.get(f"{path}lang={language}").text
        assert_language(text, language, path, names | {"which", "period", "junk", "by"} | _columns())
    assert_language(stranger(app).get("/sign-in", params={"lang": language}).text, language, "/sign-in")
    assert_language(auditor.client.get("/audit", params={"lang": language}).text, language, "/audit", names)
    assert_language(administrator.client.get("/", params={"lang": language}).text, language, "/", names | commands | {"SITE"})


FACE = ("/", "/?period=2026-10", "/highlights", "/wall", "/place/990103", "/facility/990103H001", "/targets", "/communities", "/case-mix",
        "/appraisal", "/appraisal/990104H001", "/appraisal/handbooks", "/findings",
        "/outcomes", "/outcomes?outcome=stay_days", "/outcomes?outcome=return_to_theatre", "/outcomes/990103H001", "/quality-goals",
        "/warnings", "/warnings?state=unverified&activity=closed", "/diseases/influenza", "/diseases/measles?place=990102",
        "/warnings/place/990103",
        "/preparedness", "/preparedness/mass-testing", "/preparedness/stockpile", "/preparedness/surge", "/preparedness/surge?template=surge_influenza",
        "/preparedness/exercises",
        "/vaccine-safety", "/vaccine-safety?place=990103",
        "/infections", "/infections?device=line", "/data/front-pages", "/data/front-pages?facility=990104H001",
        *(f"/indicator/in_county_inpatient_share?view={view}" for view in VIEWS))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_the_face_speaks_the_language(section: Person, language: str) -> None:
    for path in FACE:
        answer = section.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer.status_code == 200, path
        named = {"HI", "none", "lines", "dots", "CSV", "XLSX", "JSON", "PDF", "Word", "PowerPoint", "Excel"}
        assert_language(answer.text, language, path, {section.name.split("-")[0]} | named)


def _columns() -> set[str]:
    """Column names, grains and the words of questions: they are code wherever they are named."""
    names = {c for table in CATALOG.tables.values() for c in table.columns} | set(CATALOG.tables)
    words = {"day", "week", "month", "quarter", "year", "place", "county", "numerator", "denominator", "unknown"}
    return {part for name in names for part in [name, *name.split("_")]} | words


def test_units_and_notes_stand_in_both_languages() -> None:
    missing = {i.id: words for i in CATALOG.indicators.values() if (words := unworded(i.unit, i.source.note))}
    missing |= {c.id: words for c in CATALOG.checks.values() if (words := unworded("", c.source.note))}
    assert not missing, f"write these into catalog/units.csv or catalog/notes.csv: {missing}"


def test_every_figure_says_what_it_was_counted_from(region: Region, section: Person) -> None:
    cell = region.site.indicators().ask("in_county_inpatient_share", [], [f"month = '{MONTH}'"], suppress_below=0).cells[0]
    page = section.get("/indicator/in_county_inpatient_share", period=MONTH, lang="en").text
    headline = page[page.index('<section class="card headline">') : page.index("</section>")]
    words = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", headline))
    for wanted in (f"Region · {MONTH}", f"{cell.value:.2f}", f"95% interval {cell.low:.2f}–{cell.high:.2f}", f"Numerator {int(cell.numerator):,}",
                   f"Denominator {int(cell.denominator):,}", f"Unknown {cell.unknown}", f"Snapshot {region.site.snapshot().id}",
                   f"Definition version {CATALOG.indicators['in_county_inpatient_share'].version}"):
        assert wanted in words, wanted
    listed = section.get("/indicators", theme="tiered_care", period=MONTH, lang="en").text
    assert f'title="Numerator {int(cell.numerator):,} / Denominator {int(cell.denominator):,} · Unknown {cell.unknown} · 95% interval' in listed


def test_a_month_without_settlements_shows_bounds_and_who_is_missing(section: Person) -> None:
    text = section.get("/indicator/in_county_inpatient_share", period="2026-10", lang="en").text
    assert "HI-990100" in text and re.search(r'class="big bounds">\s*\d+\.\d\d–\d+\.\d\d', text)
    late = section.get("/indicators", theme="tiered_care", period="2026-10", lang="en").text
    row = late[late.index("/indicator/in_county_inpatient_share") :].split("</tr>")[0]
    assert row.count("bounds") >= 8 and "100.00</td>" not in row


def test_a_growth_is_shown_for_a_month(region: Region, section: Person) -> None:
    cells = region.site.indicators().ask("tdx2015_referred_down_growth", ["month"], suppress_below=0).cells
    expected = next(c for c in cells if c.key["month"] == MONTH)
    assert expected.value is not None
    assert f"{expected.value:,.2f}<small>" in section.get("/indicator/tdx2015_referred_down_growth", period=MONTH).text


HOSTILE = tomllib.loads(Path(__file__).with_name("hostile.toml").read_text("utf-8"))
PARAMETERS = HOSTILE["parameters"] | {"long": "9" * 20_000}
DEEP = ("(" * 900 + "1" + ")" * 900, "NOT " * 480 + "TRUE")
TRACES = ("Traceback", "File \"", "duckdb.", "sqlglot", "site-packages", "/quanmin/", "Internal Server Error")
PATHS = {
    "/": ("place", "on", "export", "as_of", "lang"), "/indicators": ("theme", "period"), "/wall": ("period", "on"),
    "/indicator/{x}": ("period", "place", "view", "by", "export", "lang"), "/indicator/{x}/rows": ("period", "place", "facility", "which"),
    "/targets": ("year", "indicator", "done"), "/brief.pdf": ("period",), "/communities": ("year", "set"),
    "/case-mix": ("period", "place", "facility"), "/about": ("as_of",), "/appraisal": ("sheet", "year", "place", "export"),
    "/appraisal/990104H001": ("sheet", "year", "indicator", "by", "changes", "move", "to"), "/appraisal/handbooks": ("first", "second", "year"),
    "/findings": ("period", "place", "facility", "family", "rule", "state", "issued"), "/findings/0123456789abcdef0123456789abcdef": ("export",),
    "/outcomes": ("outcome", "period"), "/outcomes/990103H001": ("outcome", "since"), "/quality-goals": ("period",),
    "/warnings": ("place", "item", "state", "activity", "export", "as_of"), "/warnings/0123456789ab": ("export",),
    "/diseases/influenza": ("place", "export"), "/warnings/place/990103": ("item", "export", "as_of"), "/api/past-clusters?item=measles&": ("place",),
    "/api/nowcast-cases?": ("item", "place", "event"), "/api/case-weeks?": ("item", "place", "event"), "/api/clusters?": ("item", "place"),
    "/api/attack-rates?": ("event",), "/api/disease-trends?": ("place",), "/api/reproduction-number?": ("item", "place"),
    "/preparedness": ("place", "export"), "/preparedness/mass-testing": ("place", "rate", "pool", "export"), "/preparedness/stockpile": ("place", "held"),
    "/preparedness/exercises": ("export", "lang"), "/preparedness/exercises/0123456789ab": ("export",), "/api/exercise?": ("exercise",),
    "/preparedness/surge": ("place", "template", "reproduction"), "/api/mass-testing?": ("place", "rate", "teams"), "/api/surge?": ("template", "days"),
    "/vaccine-safety": ("period", "place", "export"),
    "/infections": ("period", "place", "facility", "device", "cluster", "export"), "/data/front-pages": ("period", "place", "facility", "export"),
    "/api/change?indicator=in_county_inpatient_share&": ("before", "after", "place", "by"), "/api/progress?indicator=in_county_inpatient_share&": ("target",),
    "/api/ranking?indicator=in_county_inpatient_share&": ("period", "unit", "peers", "of", "named"),
    "/indicator/{x}/figures.csv": ("period", "by"), "/api/indicators/{x}": ("by", "where"), "/api/indicators/{x}/rows": ("which", "where", "limit"),
    "/sign-in": ("changed", "lang"), "/audit": ("lang",), "/nothing": ("x",),
}


def assert_safe(answer, value: str) -> None:
    assert answer.status_code < 500, (answer.url, answer.status_code)
    assert not [trace for trace in TRACES if trace in answer.text], answer.url
    assert "set-cookie: x" not in str(answer.headers).lower()
    if "html" in answer.headers.get("content-type", ""):
        tags = read(answer.text).tags
        assert "img" not in tags and tags.count("script") <= 16, answer.url
        assert not value.strip() or "<" not in value or value not in answer.text


@pytest.mark.parametrize("kind", PARAMETERS)
def test_no_parameter_breaks_a_page(section: Person, kind: str) -> None:
    for pattern, names in PATHS.items():
        for name in names:
            for path in {pattern.replace("{x}", "in_county_inpatient_share"), pattern.replace("{x}", "beds_per_1000")}:
                answer = section.get(f"{path}{'' if '?' in path else '?'}{name}={quote(PARAMETERS[kind], errors='surrogatepass')}")
                assert_safe(answer, PARAMETERS[kind])
    for pattern in ("/indicator/{x}", "/indicator/{x}/rows", "/api/indicators/{x}", "/{x}", "/static/{x}"):
        if kind not in ("long", "empty"):
            answer = section.get(pattern.replace("{x}", quote(PARAMETERS[kind], safe="", errors="surrogatepass")))
            assert_safe(answer, PARAMETERS[kind])
            assert answer.status_code in (404, 405), answer.url


@pytest.mark.parametrize("where", [*HOSTILE["refused"], *HOSTILE["odd"], *DEEP])
def test_conditions_are_checked_never_run_as_they_come(section: Person, where: str) -> None:
    for path in ("/api/indicators/in_county_inpatient_share", "/api/indicators/in_county_inpatient_share/rows"):
        answer = section.get(path, where=where)
        assert_safe(answer, where)
        assert answer.status_code == 400 or where not in HOSTILE["refused"], (path, where, answer.text[:200])
        if answer.status_code == 400:
            assert set(answer.json()) == {"error", "problems"}


def test_wrong_types_are_refused(section: Person) -> None:
    for limit in ("abc", "1.5", "", "null", "[]", "1e3"):
        assert section.get(f"/api/indicators/in_county_inpatient_share/rows?limit={limit}").status_code == 422, limit
    assert len(section.get("/api/indicators/in_county_inpatient_share/rows?limit=-5").json()) == 1
    assert section.get("/api/indicators/in_county_inpatient_share/rows?limit=99999999999999999999999").status_code == 200
    for by in ("junk", "month;month", "count(*)", "1", "*", "month desc", "sender", "home_county --"):
        assert section.get("/indicator/in_county_inpatient_share/figures.csv", by=by).status_code == (200 if by == "sender" else 400), by
    assert section.get("/indicator/in_county_inpatient_share", by="junk").status_code == 200, "an unknown breakdown shows the page without one"
    for place in ("x' OR '1'='1", "\u4e34\u6c40\u533a", "a" * 41):
        assert section.get("/indicator/in_county_inpatient_share/rows", place=place).status_code == 400, place
    for which in ("x", "numerator;", "counted"):
        assert section.get("/indicator/in_county_inpatient_share/rows", which=which).status_code == 400, which


def test_parameters_given_twice_and_bytes_that_are_no_text(section: Person) -> None:
    for path in ("?theme=quality&theme=<x>", "?period=%ff%fe", "indicator/%ff", "?lang=zh&lang=xx", "?lang=%3Cscript%3E", "?theme[]=1", "?theme", "?&&&=&"):
        assert_safe(section.get("/" + path), "<x>")


def test_the_other_language_stays_on_the_page(section: Person) -> None:
    here = f"/indicator/in_county_inpatient_share?period={MONTH}&by=sex_code"
    text = section.get(here + "&lang=zh").text
    other = re.search(r'<a href="(\?[^"]+)" hreflang="en"', text)
    assert other and {"period=2026-09", "by=sex_code", "lang=en"} == set(other[1][1:].replace("&amp;", "&").split("&"))
    assert 'href="//' not in section.get("//evil.example/").text


def test_csv_keys_are_no_formulas() -> None:
    assert [harmless(k) for k in ("=1+1", "+1", "-1", "@x", "\tx", "990101", None, 3)] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "990101", None, 3]


def test_charts_hold_what_the_table_shows(section: Person) -> None:
    page = section.get("/indicator/in_county_inpatient_share", period=MONTH, lang="en").text
    bars = next(d for d in map(json.loads, read(page).data) if d["kind"] == "bars")
    assert len(bars["x"]) == len(bars["y"]) == len(bars["low"]) == len(bars["high"]) == 8 and bars["target"] is not None
    assert all(low <= value <= high for low, value, high in zip(bars["low"], bars["y"], bars["high"], strict=True))
    assert bars["y"] == sorted(bars["y"], reverse=True) and all(f"{value:.2f}</td>" in page for value in bars["y"])
    assert bars["verdict"] == ["met" if value >= bars["target"] else "missed" for value in bars["y"]]


def test_groups_of_a_breakdown_stand_in_the_order_of_their_code_list(section: Person) -> None:
    sheet = section.get("/indicator/in_county_inpatient_share", view="breakdown", by="age_band", period="2025", export="breakdown.json").json()
    shown = [row["age_band"] for row in sheet["rows"]]
    listed = [code for code in CATALOG.codes["age_band"].codes if code in shown]
    assert len(shown) > 10 and shown == listed != sorted(shown)
