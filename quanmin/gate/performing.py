"""Performing actions: the permission first, then the service, and a trace of what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

import quanmin.services
from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Problem, Refusal
from quanmin.model.action import Action, action

REPORTS = ("quanmin.reports.communities",)  # told by name: a floor above, read only when somebody asks


def actions() -> Mapping[str, Action]:
    """Every action of every service, and of the reports that put services together, by name."""
    for service in iter_modules(quanmin.services.__path__, "quanmin.services."):
        package = import_module(service.name)
        if any(module.name == "actions" for module in iter_modules(package.__path__)):
            import_module(f"{service.name}.actions")
    for report in REPORTS:
        import_module(report)
    return action.all()


def perform(inquiry: Inquiry, name: str, told: Mapping[str, Any]) -> Any:
    """What an action gives for an actor; raises Refusal for an unknown action or parameter, a missing one, or one the role does not grant."""
    found = actions().get(name)
    if found is None:
        raise Refusal(Problem("action", None, "", name[:40], say("bad_value"), ", ".join(actions())))
    known = {one.name: one for one in found.parameters}
    wrong = [key for key in told if key not in known] + [one.name for one in found.parameters if one.is_required and one.name not in told]
    if wrong:
        raise Refusal(Problem(name, None, wrong[0][:40], "", say("bad_value"), ", ".join(known)))
    inquiry.actor.require(found.permission, name, str(told.get("indicator", ""))[:60] if told.get("indicator") in inquiry.questions() else "?")
    given = found.run(inquiry, **told)
    if found.changes:
        Audit(inquiry.actor.ledger).note(inquiry.actor.name, name, str(inquiry.snapshot))
    return given


def plain(value: Any) -> Any:
    """What JSON can hold: dataclasses as objects, arrays as lists, NaN as null, keys as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
