"""What may be set of each method: names as R and the methods' papers have them, defaults that suit weekly counts of notifiable diseases, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quanmin.detectors.signals import SettingError


@dataclass(frozen=True)
class Setting:
    """A setting: `kind` number, whole, flag, text, pair or any; numbers lie from `low` to `high`, texts are one of `choices`; None is taken where it is
    the default."""

    default: Any
    kind: str
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()


def _share(default: Any) -> Setting:
    return Setting(default, "number", 1e-12, 0.5)


_FARRINGTON = {
    "b": Setting(5, "whole", 1, 50), "w": Setting(3, "whole", 0, 25), "reweight": Setting(True, "flag"), "weightsThreshold": Setting(2.58, "number", 0, 1e9),
    "trend": Setting(True, "flag"), "pThresholdTrend": Setting(1.0, "number", 0, 1), "limit54": Setting((5, 4), "pair", 0, 1e9),
    "powertrans": Setting("2/3", "text", choices=("2/3", "1/2", "none")),
    "noPeriods": Setting(10, "whole", 1, 52), "pastWeeksNotIncluded": Setting(26, "whole", 0, 10_000),
    "thresholdMethod": Setting("nbPlugin", "text", choices=("delta", "nbPlugin", "muan")), "alpha": _share(0.005), "populationOffset": Setting(False, "flag"),
    "glmWarnings": Setting(False, "flag"), "verbose": Setting(False, "flag"),
}
_ORIGINAL = _FARRINGTON | {"weightsThreshold": Setting(1.0, "number", 0, 1e9), "pThresholdTrend": Setting(0.05, "number", 0, 1),
                           "alpha": _share(0.01)}
_WINDOWED = {"b": Setting(2, "whole", 0, 50), "w": Setting(4, "whole", 0, 26), "actY": Setting(False, "flag"), "unit": Setting(1, "any")}
_GLR = {
    "mu0": Setting(None, "any"), "alpha": Setting(None, "any"), "theta": Setting(None, "number", -20, 20), "c.ARL": Setting(5.0, "number", 0, 1e6),
    "change": Setting("intercept", "text", choices=("intercept", "epi")), "Mtilde": Setting(1, "whole", 1, 10_000), "M": Setting(-1, "whole", -1, 10_000),
    "dir": Setting("inc", "text", choices=("inc", "dec")), "ret": Setting("cases", "text", choices=("cases", "value")), "S": Setting(1, "whole", 0, 10),
    "trend": Setting(False, "flag"), "unit": Setting(1, "any"),
}
SETTINGS: dict[str, dict[str, Setting]] = {
    "farrington_flexible": _FARRINGTON,
    "farrington": _ORIGINAL,
    "ears": {"method": Setting("C2", "text", choices=("C1", "C2", "C3")), "baseline": Setting(7, "whole", 3, 10_000), "minSigma": Setting(0.0, "number", 0,
                                                                                                                                          1e9),



 "alpha": _share(None)},
    "rki": _WINDOWED,
    "bayes": _WINDOWED | {"alpha": _share(0.01)},
    "cdc": {"b": Setting(5, "whole", 1, 50), "m": Setting(1, "whole", 0, 6), "alpha": _share(0.025), "unit": Setting(1, "any")},
    "cusum": {"k": Setting(1.04, "number", 0, 1e12), "h": Setting(2.26, "number", 0, 1e12), "m": Setting(None, "any"),
              "alpha": Setting(None, "number", 0, 1e6),
              "trans": Setting("standard", "text", choices=("none", "standard", "rossi", "anscombe", "anscombe2nd", "pearsonNegBin", "anscombeNegBin")),
              "unit": Setting(1, "any")},
    "glr_poisson": _GLR,
    "glr_negbin": _GLR,
    "binomial_cusum": {"h": Setting(4.0, "number", 0, 1e6), "OR": Setting(2.0, "number", 0, 1e6), "pi0": Setting(None, "any"), "unit": Setting(1, "any")},
    "outbreak_p": {"k": Setting(100.0, "number", 1, 1e300), "ret": Setting("cases", "text", choices=("cases", "value")),
                   "maxUpperboundCases": Setting(1e5, "number", 1, 1e9), "unit": Setting(1, "any")},
    "moving_percentile": {"P": Setting(80.0, "number", 0, 100), "years": Setting(3, "whole", 1, 50), "half_window_blocks": Setting(2, "whole", 0, 26),
                          "block_steps": Setting(None, "whole", 1, 366), "year_steps": Setting(None, "whole", 1, 366), "at_least": Setting(False, "flag"),
                          "quantile": Setting("", "any")},
    "fixed_threshold": {"threshold": Setting(1.0, "number", 0, 1e12)},
    "essence": {"detector": Setting("switch", "text", choices=("switch", "ewma", "regression")), "alpha": _share(0.01)},
    "xmr": {"baseline": Setting("before", "text", choices=("before", "all")), "runs": Setting(False, "flag")},
}
ALIASES = {
    "farringtonflexible": "farrington_flexible", "farrington(original)": "farrington", "algo.farrington": "farrington", "earsc": "ears", "algo.cusum": "cusum",
    "algo.cdc": "cdc", "algo.rki": "rki", "algo.bayes": "bayes", "algo.glrnb": "glr_negbin", "algo.glrpois": "glr_poisson", "algo.outbreakp": "outbreak_p",
    "outbreakp": "outbreak_p",
    "categoricalcusum(binomial)": "binomial_cusum", "categoricalcusum": "binomial_cusum", "cidars moving percentile": "moving_percentile",
    "mpm": "moving_percentile",
}


def method_of(name: str) -> str:
    """The method's own name, for it or one of the names R has; raises SettingError for others."""
    plain = name.strip().lower()
    found = ALIASES.get(plain, plain.replace("-", "_"))
    if found not in SETTINGS:
        raise SettingError("method", name, "choice", ", ".join(SETTINGS))
    return found


def _key(name: str) -> str:
    return name.replace("_", "").replace(".", "").lower()


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "1", "yes", "false", "0", "no"):
        return str(value).lower() in ("true", "1", "yes")
    raise SettingError(name, value, "choice", "true, false")


def _number(name: str, value: Any, of: Setting) -> float | int:
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise SettingError(name, value, "number") from error
    if not of.low <= found <= of.high or (of.kind == "whole" and found != int(found)):
        raise SettingError(name, value, "range", f"{of.low:g} … {of.high:g}")
    return int(found) if of.kind == "whole" else found


def checked(name: str, value: Any, of: Setting) -> Any:
    """A value as the setting takes it; raises SettingError for one it does not."""
    if of.kind == "any" or (value is None and of.default is None):
        return value
    if of.kind == "flag":
        return _flag(name, value)
    if of.kind == "text":
        found = next((choice for choice in of.choices if choice.lower() == str(value).lower()), None)
        if found is None:
            raise SettingError(name, value, "choice", ", ".join(of.choices))
        return found
    if of.kind == "pair":
        parts = list(value) if isinstance(value, list | tuple) else []
        if len(parts) != 2:
            raise SettingError(name, value, "range", "5,4")
        return tuple(_number(name, part, of) for part in parts)
    return _number(name, value, of)


def rhythm(freq: int) -> dict[str, int]:
    """Defaults that are counted in periods, for days and months (weeks are what SETTINGS say): windows of three weeks, half a year not included."""
    if freq >= 300:
        return {"w": 21, "pastWeeksNotIncluded": 182}
    return {"w": 1, "noPeriods": 4, "pastWeeksNotIncluded": 6} if freq <= 12 else {}


def settled(method: str, given: Mapping[str, Any], freq: int = 52) -> dict[str, Any]:
    """All settings of a method, the given ones checked; names may be written with or without capitals, dots and underscores. Raises SettingError."""
    known = SETTINGS[method]
    names = {_key(name): name for name in known}
    found = {name: of.default for name, of in known.items()} | {name: value for name, value in rhythm(freq).items() if name in known}
    for name, value in given.items():
        if _key(name) not in names:
            raise SettingError(name, value, "unknown", ", ".join(known))
        own = names[_key(name)]
        found[own] = checked(own, value, known[own])
    return found
