"""Every action that only reads, as a route of its own: `/api/<action>?<parameters>`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request

from quanmin.catalog.messages import say
from quanmin.gate.performing import actions, perform, plain
from quanmin.model.action import Action

router = APIRouter()


def _route(one: Action) -> Callable[..., Any]:
    def answer(request: Request, **told: Any) -> Any:
        desk = request.app.state.desk
        return plain(perform(desk.inquiry(desk.actor(request)), one.name, told))

    given = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    given += [inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=p.kind) for p in one.parameters]
    answer.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    answer.__name__ = one.name
    return answer


for _name, _action in actions().items():
    if not _action.changes:
        router.add_api_route(f"/{_name.replace('_', '-')}", _route(_action), summary=say(f"do_{_name}", "en"), response_model=None)
