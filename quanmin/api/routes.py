"""Figures and definitions as JSON, through the same door and scope as the pages."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from quanmin.model import Answer

router = APIRouter()
FIGURES = ("numerator", "denominator", "unknown", "value", "low", "high", "suppressed", "missing")


def _plain(answer: Answer) -> dict[str, Any]:
    cells = [
        {"key": dict(c.key)} | {name: float(v) if isinstance(v := getattr(c, name), Decimal) else v for name in FIGURES}
        for c in answer.cells
    ]
    return {"question": answer.question, "definition": answer.definition, "by": list(answer.by), "where": answer.where, "interval": answer.interval,
            "snapshot": answer.snapshot, "notes": list(answer.notes), "cells": cells}


def _known(request: Request, name: str) -> None:
    if name not in request.app.state.desk.site.catalog.indicators:
        raise HTTPException(404)


@router.get("/indicators")
def list_indicators(request: Request) -> list[dict[str, Any]]:
    """Every indicator: id, code, names, kind, unit, direction, verification status, and whether it can be computed."""
    catalog = request.app.state.desk.site.catalog
    return [
        {"id": i.id, "code": i.code, "part": i.part, "name": asdict(i.label), "kind": i.kind, "unit": i.unit, "better": i.better, "theme": i.theme,
         "source": asdict(i.source), "executable": i.is_executable, "version": i.version}
        for i in catalog.indicators.values()
    ]


@router.get("/indicators/{name}")
def ask(request: Request, name: str, by: str = "", where: str = "") -> dict[str, Any]:
    """An indicator's figures by groups."""
    _known(request, name)
    desk = request.app.state.desk
    actor = desk.actor(request)
    answer = actor.figures(desk.indicators(actor.scope), name, [b for b in by.split(",") if b], [where] if where else [])
    return _plain(answer)


@router.get("/indicators/{name}/rows")
def rows(request: Request, name: str, which: str = "", where: str = "", limit: int = 200) -> list[dict[str, Any]]:
    """The rows behind a figure: masked, audited."""
    _known(request, name)
    desk = request.app.state.desk
    actor = desk.actor(request)
    table = actor.rows(desk.indicators(actor.scope), name, which, [where] if where else [], max(1, limit))
    found: list[dict[str, Any]] = table.to_pylist()
    return found
