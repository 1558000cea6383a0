"""DIP one case after another, as a person would with a pencil: slow, obvious, the truth."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

THERAPEUTIC, OPERATION = "therapeutic", "operation"
ORDER = (OPERATION, THERAPEUTIC, "diagnostic")


@dataclass(frozen=True)
class DipCase:
    """A stay: codes with the principal diagnosis first, charge in CNY."""

    diagnoses: Sequence[str]
    procedures: Sequence[str]
    charge: float


def kind_plain(code: str, kinds: Mapping[str, str]) -> str:
    """The kind of one procedure: that of the longest prefix that fits."""
    fitting = sorted((prefix for prefix in kinds if code.startswith(prefix)), key=len)
    return kinds[fitting[-1]] if fitting else OPERATION


def pair_plain(case: DipCase, kinds: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Subcategory and the procedures that count."""
    counted = {code[:5] for code in case.procedures if kind_plain(code, kinds) in (THERAPEUTIC, OPERATION)}
    return case.diagnoses[0][:5], tuple(sorted(counted))


def composite_plain(case: DipCase, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Category and kind of procedure."""
    done = {kind_plain(code, kinds) for code in case.procedures}
    return case.diagnoses[0][:3], next((kind for kind in ORDER if kind in done), "none")


def groups_plain(cases: Sequence[DipCase], kinds: Mapping[str, str], least: int, most: int) -> list[str]:
    """The group of each case, of groups drawn from these cases themselves."""
    counts = Counter(pair_plain(case, kinds) for case in cases)
    found = []
    for case in cases:
        pair = pair_plain(case, kinds)
        if counts[pair] >= least and len(pair[1]) <= most:
            found.append(f"{pair[0]}:{'+'.join(pair[1])}" if pair[1] else pair[0])
        else:
            found.append(":".join(composite_plain(case, kinds)))
    return found


def points_plain(cases: Sequence[DipCase], groups: Sequence[str]) -> dict[str, float]:
    """Group → 1000 × its mean charge over that of all, what lies beyond the fences of its group left out."""
    charges = defaultdict(list)
    for case, group in zip(cases, groups, strict=True):
        charges[group].append(case.charge)
    kept = {group: _within_fences(found) for group, found in charges.items()}
    everything = [charge for found in kept.values() for charge in found]
    middle = math.fsum(everything) / len(everything)
    return {group: 1000 * math.fsum(found) / len(found) / middle for group, found in kept.items()}


def _within_fences(charges: Sequence[float]) -> list[float]:
    logs = sorted(math.log(charge) for charge in charges)
    low, high = _quantile(logs, 0.25), _quantile(logs, 0.75)
    reach = 1.5 * (high - low)
    return [charge for charge in charges if low - reach - 1e-12 <= math.log(charge) <= high + reach + 1e-12]


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile between neighbours in proportion."""
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    return ordered[below] + (at - below) * (ordered[min(below + 1, len(ordered) - 1)] - ordered[below])
