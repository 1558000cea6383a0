"""What may be asked of ranking: units in order, each with the interval its rank deserves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Cell, Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.ranking.peers import SCHEMES, peers
from quanmin.services.ranking.ranks import KINDS, Ranking, rank, rank_counts


@dataclass(frozen=True)
class Ranked:
    """A unit's rank, 1 the best: `low`–`high` its interval, `alike` the peers without clear difference (None where the kind has no interval).

    `behind` is the unit whose place is the next better one, `cases` what separates from it in the own numerator (None for the leaders).
    """

    code: str
    name: str
    value: float
    rank: int
    low: int | None
    high: int | None
    alike: int | None
    behind: str
    cases: float | None


@dataclass(frozen=True)
class RankList:
    """Units of a peer group in the order of their ranks; `left_out` have no figure that may be compared."""

    indicator: str
    period: str
    unit: str
    peers: str
    better: str
    level: float
    units: tuple[Ranked, ...]
    left_out: int
    snapshot: int


def _group(asker: Asker, unit: str, scheme: str, of: str, named: str) -> set[str]:
    """Codes of the peers."""
    known = asker.units(unit)
    if scheme not in SCHEMES:
        raise Refusal(Problem("question", None, "peers", scheme[:40], say("bad_value"), ", ".join(SCHEMES)))
    picked = [code for code in named.split(",") if code]
    unknown = [code for code in ([of] if of else []) + picked if code not in known]
    if unknown or (scheme != "all" and not of):
        raise Refusal(Problem("question", None, "of", ", ".join(unknown)[:40], say("bad_value"), say("mend_code")))
    if scheme == "all":
        return set(known)
    attributes = {code: {"level": one.level or None, "type": one.type or None} for code, one in known.items()}
    return set(peers(attributes, of, scheme, picked))


def _usable(cell: Cell) -> bool:
    return not cell.missing and not cell.suppressed and cell.value is not None


@action("figures")
def ranking(asker: Asker, indicator: str, period: str = "", unit: str = "county", peers: str = "all", of: str = "", named: str = "") -> RankList:
    """Counties or institutions in order, among all, those of the same level or type as one of them, or hand-picked ones."""
    one, shown = asker.question(indicator), asker.period(period)
    if one.better not in ("higher", "lower"):
        raise Refusal(Problem("question", None, "indicator", indicator, say("no_direction"), say("mend_no_direction")))
    group = _group(asker, unit, peers, of, named)
    cells = {code: cell for code, cell in asker.by_unit(indicator, shown, unit).items() if code in group}
    used = {code: cell for code, cell in cells.items() if _usable(cell)}
    if not used:
        raise Refusal(Problem("question", None, "period", shown, say("no_figures"), say("mend_no_figures")))
    is_sure = one.kind in KINDS
    if is_sure:
        above, below = (np.array([float(getattr(cell, half) or 0) for cell in used.values()]) for half in ("numerator", "denominator"))
        found = rank_counts(above, below, one.kind, one.better, scale=scale_of(one))
    else:
        values = np.array([float(cell.value or 0) for cell in used.values()])
        found = rank(values, np.zeros(values.shape), one.better)
    units = _listed(asker, list(used), unit, found, is_sure)
    return RankList(indicator, shown, unit, peers, one.better, found.level, units, len(cells) - len(used), asker.snapshot)


def _listed(asker: Asker, codes: list[str], unit: str, found: Ranking, is_sure: bool) -> tuple[Ranked, ...]:
    names = asker.units(unit)
    units = [
        Ranked(code, names[code].name, float(found.values[i]), int(found.rank[i]), int(found.low[i]) if is_sure else None,
               int(found.high[i]) if is_sure else None, int(found.alike[i]) if is_sure else None,
               codes[found.behind[i]] if found.behind[i] >= 0 else "", None if np.isnan(found.cases[i]) else float(found.cases[i]))
        for i, code in enumerate(codes)
    ]
    return tuple(sorted(units, key=lambda one: (one.rank, one.code)))
