"""Every action as a route of its own: `/api/<action>?<parameters>` for what only reads, a form posted to the same address for what changes something.

A form carries the session's token as `csrf`, which `/api/session` tells.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request

from quanmin.catalog.messages import say
from quanmin.gate.performing import actions, perform, plain
from quanmin.model.action import Action

router = APIRouter()


def _route(one: Action) -> Callable[..., Any]:
    def answer(request: Request, **told: Any) -> Any:
        desk = request.app.state.desk
        return plain(perform(desk.inquiry(desk.actor(request)), one.name, told))

    given = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    given += [inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=Annotated[p.kind, Form()] if one.changes else p.kind)
              for p in one.parameters]
    answer.__signature__ = inspect.Signature(given)  # type: ignore[attr-defined]
    answer.__name__ = one.name
    return answer


@router.get("/session")
def session(request: Request) -> dict[str, Any]:
    """Who is asking, what they may, and the token that a posted form carries."""
    found = request.state.session
    return {"account": found.account.name, "role": found.account.role, "scope": str(found.account.scope), "csrf": found.csrf}


for _name, _action in actions().items():
    router.add_api_route(f"/{_name.replace('_', '-')}", _route(_action), methods=["POST" if _action.changes else "GET"], summary=say(f"do_{_name}", "en"),
                         response_model=None)
