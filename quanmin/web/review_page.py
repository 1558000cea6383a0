"""Uncertain pairs of residents, settled by a person."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from quanmin.catalog.messages import language
from quanmin.gate.actor import read_pairs_ahead
from quanmin.gate.review_desk import Pair, pairs_to_review
from quanmin.model import Problem, Refusal
from quanmin.web.data_pages import about, table_name
from quanmin.web.panels import answer
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.view import View, refused
from quanmin.web.words import is_word, word

router = APIRouter()
PAIRS_LISTED, PAIRS_SHOWN = 1000, 12
LONGEST_REASON = 400


def _named(kind: str, name: str) -> str:
    return word(f"{kind}_{name}") if is_word(f"{kind}_{name}") else name


def _evidence(pair: Pair) -> list[tuple[str, str, str]]:
    """(field, level, how it speaks) of a pair: for, against, or between."""
    return [(_named("evidence", field), _named("level", level), {"same": "for", "different": "against", "other_valid": "against"}.get(level, "between"))
            for field, level in pair.evidence]


def _sheet(view: View, pairs: list[Pair]) -> Panel:
    sexes = view.catalog.codes["sex"].codes

    def sex(code: Any) -> str:
        return sexes[code].in_language(language()) if code in sexes else ""

    rows: list[list[Any]] = []
    for i, pair in enumerate(pairs, 1):
        r = pair.shown
        rows.append([i, r["name_a"], r["name_b"], sex(r["sex_a"]), sex(r["sex_b"]), Shown(str(r["birth_a"] or "–"), r["birth_a"]),
                     Shown(str(r["birth_b"] or "–"), r["birth_b"]), table_name(view, r["from_a"]), table_name(view, r["from_b"]), r["probability"],
                     _named("why", r["reason"]), "; ".join(f"{field}: {level}" for field, level, _ in _evidence(pair)),
                     Shown(word(f"decision_{pair.decision}") if pair.decision else "–", pair.decision)])
    columns = [Column("number", "#", True), Column("name_a", word("name_a")), Column("name_b", word("name_b")), Column("sex_a", word("sex_a")),
               Column("sex_b", word("sex_b")), Column("born_a", word("born_a")), Column("born_b", word("born_b")), Column("from_a", word("from_a")),
               Column("from_b", word("from_b")), Column("probability", word("probability"), True), Column("why", word("pair_why")),
               Column("evidence", word("evidence")), Column("decision", word("decision"))]
    return Panel("pairs", word("pairs_list"), Sheet(columns, rows, about(view)))


def warm_pairs(view: View) -> None:
    """Have the pairs read before anybody asks."""
    read_pairs_ahead(view.indicators, PAIRS_LISTED)


@router.get("/review")
def review_page(request: Request, decided: str = "", first: str = "1") -> Response:
    """The uncertain pairs: what is not settled first, the surest first; some at a time."""
    view = View.of(request)
    if not first.isascii() or not first.isdigit() or not 1 <= int(first[:6]) <= PAIRS_LISTED:
        raise refused("first", first)
    pairs = sorted(pairs_to_review(view.actor, view.indicators, PAIRS_LISTED), key=lambda pair: bool(pair.decision))
    start = int(first[:6])
    shown = [(pair, _evidence(pair), _named("why", pair.shown["reason"])) for pair in pairs[start - 1 : start - 1 + PAIRS_SHOWN]]
    return answer(request, "review.html", [_sheet(view, pairs)], snapshot=view.snapshot, pairs=shown, open=sum(not p.decision for p in pairs), first=start,
                  last=start - 1 + len(shown), count=len(pairs), step=PAIRS_SHOWN, decided=decided if decided in ("join", "split", "withdraw") else "",
                  longest=LONGEST_REASON, table_name=lambda table: table_name(view, table), sexes=view.catalog.codes["sex"].codes)


@router.post("/review")
def decide(request: Request, first: str = Form("", max_length=64), second: str = Form("", max_length=64), decision: str = Form("", max_length=20),
           reason: str = Form("", max_length=LONGEST_REASON)) -> Response:
    """Settle a pair, or take a decision back; a reason is needed."""
    view = View.of(request)
    view.actor.require("decide", "decide", "")
    if not reason.strip():
        raise Refusal(Problem("review", None, word("reason"), "", word("reason_missing"), word("go_back")))
    view.actor.decide(first, second, decision, reason.strip())
    return RedirectResponse(f"/review?decided={decision}", 303)
