"""People who sign in to a site over HTTP, as the tests see them."""

from __future__ import annotations

import csv
import io
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from quanmin.site import Site

PASSWORD = "a long enough phrase 7"


@dataclass
class Person:
    """Somebody with an account, signed in."""

    name: str
    client: TestClient

    @property
    def csrf(self) -> str:
        return csrf_of(self.client.get("/password"))

    def get(self, path: str, **parameters: str) -> Response:
        return self.client.get(path, params=parameters or None, follow_redirects=False)


def csrf_of(page: Response) -> str:
    found = re.search('name="csrf" value="([^"]+)"', page.text)
    assert found, "the page has no form of ours"
    return found[1]


def stranger(app: FastAPI) -> TestClient:
    """Somebody without a session; an error inside the server is an answer of 500, as over the wire."""
    return TestClient(app, raise_server_exceptions=False)


def made(site: Site, role: str, scope: str = "region") -> tuple[str, str]:
    """A new account's name and one-time password."""
    name = f"{role}-{secrets.token_hex(4)}"
    return name, site.accounts.add(name, role, scope)


def sign_in(client: TestClient, name: str, password: str) -> Response:
    return client.post("/sign-in", data={"name": name, "password": password}, follow_redirects=False)


def somebody(app: FastAPI, role: str, scope: str = "region") -> Person:
    """A signed-in person whose one-time password was changed."""
    client = stranger(app)
    name, once = made(app.state.desk.site, role, scope)
    assert sign_in(client, name, once).status_code == 303
    changed = client.post("/password", data={"csrf": csrf_of(client.get("/password")), "old": once, "new": PASSWORD}, follow_redirects=False)
    assert changed.status_code == 303
    assert sign_in(client, name, PASSWORD).headers["location"] == "/"
    return Person(name, client)


def exported(person: Person, path: str, panel: str, **parameters: str) -> list[dict[str, str]]:
    """The rows of a panel of a page, taken as CSV."""
    answer = person.get(f"{path}{'&' if '?' in path else '?'}{urlencode({'export': f'{panel}.csv'} | parameters)}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
