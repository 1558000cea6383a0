"""Performing actions: the permission first, then the service, and a trace of what was changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import quanmin.services
from quanmin.catalog.messages import say
from quanmin.gate.audit import Audit
from quanmin.gate.inquiry import Inquiry
from quanmin.model import Problem, Refusal
from quanmin.model.action import Action, action

REPORTS = ("communities",)  # told by name: a floor above, read only when somebody asks


def _modules() -> dict[str, Path]:
    """Where actions are written: `actions.py` and `<subject>_actions.py` of every service, and the reports that put services together."""
    services = Path(quanmin.services.__path__[0])
    found = {f"quanmin.services.{path.parent.name}.{path.stem}": path for path in sorted(services.glob("*/*actions.py"))}
    return found | {f"quanmin.reports.{name}": services.parent / "reports" / f"{name}.py" for name in REPORTS}


def actions() -> Mapping[str, Action]:
    """Every action by name."""
    for module in _modules():
        import_module(module)
    return action.all()


def named(name: str) -> Action | None:
    """The action of a name, None where there is none; only what speaks of it is imported, since all that services stand on takes seconds to load."""
    if name not in action.known and name.isidentifier():
        for module, path in _modules().items():
            if re.search(rf"\b{name}\b", path.read_text("utf-8")):
                import_module(module)
    return action.known.get(name)


def perform(inquiry: Inquiry, name: str, told: Mapping[str, Any]) -> Any:
    """What an action gives for an actor; raises Refusal for an unknown action or parameter, a missing one, or one the role does not grant."""
    found = named(name)
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
