"""The door of the web page: nobody passes without a session, and sessions end when they should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from quanmin.gate.accounts import FREE_FAILURES
from quanmin.gate.audit import Audit
from quanmin.gate.performing import actions
from tests.journeys.conftest import Region
from tests.journeys.people import PASSWORD, Person, csrf_of, made, sign_in, somebody, stranger

OPEN = {"/sign-in", "/healthy", "/static"}
UNKNOWN = ["/nothing", "/api", "/api/", "/api/nothing", "/admin", "/docs", "/openapi.json", "/redoc", "/indicator", "/indicator/", "/.env", "/sign-in/",
           "/sign-inside", "/staticfiles", "///x", "/%2e%2e/etc/passwd", "/Static/app.css", "/api/indicators/x/rows/y"]
HEADERS = {
    "content-security-policy": "default-src 'self'", "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin",
}


@pytest.fixture(scope="module")
def section(app: FastAPI) -> Person:
    return somebody(app, "section")


def _routes(routes: list[BaseRoute], above: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """(path, methods) of every route, those of included and mounted routers too."""
    for route in routes:
        context = getattr(route, "include_context", None)
        prefix = above + (getattr(context, "prefix", "") or "")
        inner = getattr(getattr(route, "original_router", None), "routes", None) or getattr(getattr(route, "app", None), "routes", None)
        if inner:
            yield from _routes(inner, prefix + (getattr(route, "path", "") or ""))
        else:
            yield above + getattr(route, "path", ""), frozenset(getattr(route, "methods", None) or {"GET"})


def every_route(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for path, methods in _routes(app.routes) for method in sorted(methods)]


def test_all_routes_are_found(app: FastAPI) -> None:
    paths = {path for _, path in every_route(app)}
    wanted = {"/", "/sign-in", "/sign-out", "/password", "/audit", "/indicators", "/indicator/{name}", "/indicator/{name}/rows",
              "/indicator/{name}/figures.{form}", "/highlights", "/place/{code}", "/facility/{code}", "/wall", "/brief.{form}", "/targets", "/targets/sheet",
              "/flow", "/flow/county/{code}", "/flow/rows", "/data", "/data/build", "/data/checks", "/data/front-pages", "/infections",
              "/warnings", "/warnings/{event}", "/warnings/place/{place}", "/diseases/{code}",
              "/data/checks/{table}/{name}", "/data/sender/{sender}",
              "/data/sender/{sender}/upload", "/review", "/about", "/api/indicators", "/api/indicators/{name}", "/api/indicators/{name}/rows", "/healthy",
              "/static", "/case-mix", "/outcomes", "/outcomes/{code}", "/quality-goals", "/appraisal", "/appraisal/handbooks",
              "/preparedness", "/preparedness/mass-testing", "/preparedness/stockpile", "/preparedness/surge", "/vaccine-safety",
              "/preparedness/exercises", "/preparedness/exercises/{exercise}", "/preparedness/exercises/{exercise}/report.docx",
              "/warnings/{event}/report.docx",
              "/appraisal/{facility}", "/appraisal/{facility}/evidence",
              "/appraisal/{facility}/evidence/{sha256}", "/findings",
              "/findings/issue", "/findings/replay", "/findings/{finding}",
              "/findings/{finding}/evidence/{sha256}", "/api/session", "/communities", "/community/{code}", "/api/flow/{what}", "/api/flow/county/{code}",
              *(f"/api/{name.replace('_', '-')}" for name in actions())}
    assert paths == wanted, "a route is new or gone: say here which are open, and think of its role and scope"


def _is_denied(status: int, location: str, path: str) -> bool:
    return status == 401 if path.startswith("/api/") else (status == 303 and location == "/sign-in") or status in (400, 405)


def test_every_route_denies_without_a_session(app: FastAPI) -> None:
    for method, pattern in every_route(app):
        if pattern in OPEN:
            continue
        path = pattern.replace("{name}", "in_county_inpatient_share")
        for verb in {method, "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}:
            answer = stranger(app).request(verb, path, follow_redirects=False)
            is_denied = _is_denied(answer.status_code, answer.headers.get("location", ""), path) or answer.status_code in (400, 405)
            assert is_denied, (verb, path, answer.status_code)
            assert "in_county" not in answer.text


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_paths_deny_too(app: FastAPI, section: Person, path: str) -> None:
    answer = stranger(app).get(path, follow_redirects=False)
    assert _is_denied(answer.status_code, answer.headers.get("location", ""), path) or path in ("/sign-in/",), (path, answer.status_code)
    assert section.get(path).status_code in (303, 307, 404), "with a session an unknown path is not there"


@pytest.mark.parametrize("cookie", ["", "x", "../../ledger.db", "A" * 5000, "' OR 1=1 --", "%00"])
def test_a_made_up_session_is_none(app: FastAPI, cookie: str) -> None:
    assert stranger(app).get("/", headers={"cookie": f"quanmin={cookie}"}, follow_redirects=False).headers["location"] == "/sign-in"


def test_open_paths_hold_no_data(app: FastAPI) -> None:
    client = stranger(app)
    assert client.get("/healthy").json() == {"status": "ok"}
    assert client.get("/static/app.css").status_code == 200
    for path in ("/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/words.toml", "/static/templates", "/static/"):
        assert client.get(path, follow_redirects=False).status_code in (303, 404), path


def test_wrong_unknown_disabled_and_locked_look_the_same(region: Region, app: FastAPI) -> None:
    name, once = made(region.site, "viewer")
    other, other_once = made(region.site, "viewer")
    region.site.accounts.disable(other)
    client = stranger(app)
    answers = [sign_in(client, "nobody-of-that-name", once), sign_in(client, name, "wrong"), sign_in(client, other, other_once), sign_in(client, "", "")]
    for _ in range(FREE_FAILURES + 3):
        answers.append(sign_in(client, name, "wrong again"))
    answers.append(sign_in(client, name, once))  # right, but locked by now
    assert {a.status_code for a in answers} == {401}
    assert len({a.text for a in answers}) == 1, "an answer tells more than the others"
    assert not any("set-cookie" in a.headers for a in answers)


def test_right_passwords_pass_below_the_limit_of_tries(region: Region, app: FastAPI) -> None:
    name, once = made(region.site, "viewer")
    client = stranger(app)
    for _ in range(FREE_FAILURES):
        assert sign_in(client, name, "wrong").status_code == 401
    assert sign_in(client, name, once).status_code == 303


def test_a_one_time_password_must_be_changed_first(region: Region, app: FastAPI) -> None:
    name, once = made(region.site, "section")
    client = stranger(app)
    sign_in(client, name, once)
    one = "/indicator/in_county_inpatient_share"
    for path in ("/", one, f"{one}/rows", f"{one}/figures.csv", "/audit"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password"), path
    assert client.get("/api/indicators/in_county_inpatient_share").status_code == 403
    for weak in ("short", once, "aaaaaaaaaaaaaaaaaaaa", f"{name} {name}"):
        refused = client.post("/password", data={"csrf": csrf_of(client.get("/password")), "old": once, "new": weak}, follow_redirects=False)
        assert refused.status_code == 400, weak
    wrong_old = client.post("/password", data={"csrf": csrf_of(client.get("/password")), "old": "not it", "new": PASSWORD}, follow_redirects=False)
    assert wrong_old.status_code == 400
    done = client.post("/password", data={"csrf": csrf_of(client.get("/password")), "old": once, "new": PASSWORD}, follow_redirects=False)
    assert done.status_code == 303
    assert client.get("/", follow_redirects=False).headers["location"] == "/sign-in", "a new password ends every session"
    assert sign_in(client, name, once).status_code == 401
    assert sign_in(client, name, PASSWORD).status_code == 303
    assert client.get("/").status_code == 200


def test_the_session_cookie(region: Region, app: FastAPI) -> None:
    name, once = made(region.site, "viewer")
    client = stranger(app)
    plain = sign_in(client, name, once).headers["set-cookie"]
    assert plain.startswith("quanmin=") and "HttpOnly" in plain and "samesite=lax" in plain.lower() and "Path=/" in plain
    with_tls = stranger(app).post("https://testserver/sign-in", data={"name": name, "password": once}, follow_redirects=False).headers["set-cookie"]
    assert with_tls.startswith("__Host-quanmin=") and "Secure" in with_tls and "HttpOnly" in with_tls and "Domain" not in with_tls
    first, second = (sign_in(stranger(app), name, once).headers["set-cookie"].split(";")[0] for _ in range(2))
    assert first != second, "every sign-in is a new session"


def test_signing_out_ends_the_session_on_the_server(app: FastAPI) -> None:
    person = somebody(app, "section")
    kept = person.client.cookies["quanmin"]
    assert person.client.post("/sign-out", data={"csrf": person.csrf}, follow_redirects=False).headers["location"] == "/sign-in"
    again = stranger(app).get("/", headers={"cookie": f"quanmin={kept}"}, follow_redirects=False)
    assert again.headers["location"] == "/sign-in", "the old cookie still opens the door"


def test_a_disabled_account_is_refused_at_its_next_request(region: Region, app: FastAPI) -> None:
    person = somebody(app, "section")
    assert person.get("/").status_code == 200
    region.site.accounts.disable(person.name)
    assert person.get("/").headers["location"] == "/sign-in"
    assert person.get("/api/indicators").status_code == 401
    assert sign_in(person.client, person.name, PASSWORD).status_code == 401


def test_posts_need_our_token_and_our_page(app: FastAPI) -> None:
    person = somebody(app, "section")
    right = {"csrf": person.csrf, "old": PASSWORD, "new": "another long phrase 8"}
    for token in ("", "x", right["csrf"][:-1], somebody(app, "section").csrf):
        assert person.client.post("/password", data=right | {"csrf": token}, follow_redirects=False).status_code == 400
    assert person.client.post("/sign-out", data={}, follow_redirects=False).status_code == 400
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://elsewhere.example"}, {"origin": "null"}):
        assert person.client.post("/password", data=right, headers=headers, follow_redirects=False).status_code == 400, headers
        assert stranger(app).post("/sign-in", data={"name": person.name, "password": PASSWORD}, headers=headers).status_code == 400
    assert person.get("/").status_code == 200, "a refused post changed something"
    assert person.client.post("/password", data=right, headers={"origin": "http://testserver"}, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("length", ["", "-1", "x", "9" * 30, "\u00b2", str(1 << 20)])
def test_posts_without_an_honest_length_are_refused(app: FastAPI, length: str) -> None:
    in_pieces = iter([b"name=a&", b"password=b"])  # sent without a length
    headers = {b"content-length": length.encode("latin-1")} if length else {}
    answer = stranger(app).post("/sign-in", content=b"name=a&password=b" if length else in_pieces, headers=headers)
    assert answer.status_code == 400


def test_broken_forms_are_refused(app: FastAPI) -> None:
    person = somebody(app, "section")
    form = "application/x-www-form-urlencoded; charset=nonsense"
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "application/json", "text/plain", form):
        assert person.client.post("/password", content=b"--x\r\nbroken", headers={"content-type": kind}).status_code == 400, kind
    assert person.client.post("/sign-in", data={"name": "n" * 300, "password": "p"}).status_code == 422
    assert person.client.post("/sign-in", data={"name": "nul\x00", "password": "p\x00"}).status_code == 401


def test_every_response_carries_the_security_headers(app: FastAPI, section: Person) -> None:
    answers = [section.get(p) for p in ("/", "/sign-in", "/password", "/nothing", "/static/app.css", "/healthy", "/audit", "/api/indicators", "/api/nothing",
                                        "/indicator/nothing", "/indicator/average_stay_days", "/indicator/average_stay_days/figures.csv?by=junk")]
    answers += [stranger(app).get(p, follow_redirects=False) for p in ("/", "/api/indicators")]
    answers += [stranger(app).request("PUT", "/"), section.client.post("/password"), section.get("/api/indicators/in_county_inpatient_share/rows?limit=abc")]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers.get(name, "").startswith(value), (answer.url, name)
        policy = answer.headers["content-security-policy"]
        assert "script-src" not in policy and "unsafe-eval" not in policy, "scripts come from our own files only"
        assert answer.headers["cache-control"] == ("public, max-age=3600" if answer.url.path.startswith("/static/") else "no-store")
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers


def test_pages_have_no_inline_script_and_nothing_from_elsewhere(section: Person) -> None:
    import re

    for path in ("/", "/indicator/in_county_inpatient_share", "/indicator/in_county_inpatient_share/rows?period=2026-09", "/password"):
        text = section.get(path).text
        assert not [tag for tag in re.findall("<script[^>]*>", text) if "src=" not in tag and 'type="application/json"' not in tag], path
        assert not re.findall(r"\son[a-z]+=|javascript:|(?:src|href|action)=[\"'](?:https?:)?//", text), path


def test_signing_in_is_audited_without_the_name_that_was_wrong(region: Region, app: FastAPI) -> None:
    name, once = made(region.site, "viewer")
    trail = Audit(region.site.ledger)
    before = trail.entries(1)[0]["id"]
    sign_in(stranger(app), "a secret typed into the wrong field", "x")
    sign_in(stranger(app), name, once)
    new = [(e["account"], e["action"], e["result"]) for e in trail.entries(500) if e["id"] > before]
    assert (name, "sign in", "done") in new and ("?", "sign in", "refused") in new
    assert not any("secret" in str(e) for e in trail.entries(500))
    assert trail.first_break() is None
