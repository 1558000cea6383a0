"""Settings as they are written on a command line: k=v, with R's names, dotted parts and lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal


def _value(text: str) -> Any:
    """true, false, null, numbers, lists ("5,4", "[5,4]"), else the text itself."""
    plain = text.strip()
    if plain in ("NULL", "NA", ""):
        return None
    try:
        return json.loads(plain)
    except ValueError:
        pass
    if plain in ("TRUE", "FALSE", "T", "F"):
        return plain.startswith("T")
    if "," in plain:
        return [_value(part) for part in plain.split(",")]
    return plain


def read_settings(written: Iterable[str], params: str = "") -> dict[str, Any]:
    """Settings from `params` (a JSON object, as a row of R's runs has it) and then from k=v; `range.from=3` goes into {"range": {"from": 3}}.

    Raises Refusal for what is not k=v or no JSON.
    """
    found: dict[str, Any] = {}
    if params:
        try:
            told = json.loads(params)
        except ValueError as error:
            raise _refused("--params", params[:60], "detect_no_json") from error
        if not isinstance(told, dict):
            raise _refused("--params", params[:60], "detect_no_json")
        found |= told
    for one in written:
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise _refused("--set", one, "detect_no_setting")
        whole, dot, part = name.strip().partition(".")
        if dot and whole == "range":
            known = found.get(whole)
            found[whole] = (dict(known) if isinstance(known, Mapping) else {}) | {part: _value(value)}
        else:
            found[name.strip()] = _value(value)
    return found


def _refused(option: str, value: str, rule: str) -> Refusal:
    return Refusal(Problem(option, None, "JSON" if option == "--params" else "K=V", value, say(rule), say("detect_mend_setting")))
