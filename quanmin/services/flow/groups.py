"""Which groups a county would gain, from the lines of its outflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quanmin.services.flow.figures import GroupGain, Measures, Withhold, withheld

GROUPED = ("diagnosis_group", "severity_code")


@dataclass(frozen=True)
class Line:
    """Measures of one group as the engine counted them."""

    key: Mapping[str, Any]
    measures: Measures


def summed(lines: Iterable[Line], key_of: Callable[[Mapping[str, Any]], tuple[Any, ...]]) -> dict[tuple[Any, ...], Measures]:
    """Measures added up by what `key_of` makes of the keys, in the order of those."""
    found: dict[tuple[Any, ...], Measures] = {}
    for line in lines:
        key = key_of(line.key)
        found[key] = found.get(key, Measures()) + line.measures
    return dict(sorted(found.items(), key=lambda item: tuple((value is None, str(value)) for value in item[0])))


def _commonest(lines: Sequence[Line], name: str) -> Any:
    counted = summed(lines, lambda key: (key[name],))
    return max(counted.items(), key=lambda item: item[1].stays)[0][0]


def _mean_share(lines: Sequence[Line]) -> float | None:
    known = [(line.key["home_share"], line.measures.stays) for line in lines if line.key["home_share"] is not None]
    return sum(share * stays for share, stays in known) / sum(stays for _, stays in known) if known else None


def gains(lines: Sequence[Line], months: int, withhold: Withhold) -> tuple[GroupGain, ...]:
    """The groups of some outflow, the largest first: (group, severity) with measures, cases a year, commonest code and facility.

    Lines carry diagnosis_group, severity_code, principal_diagnosis_code, facility_code, home_share. Groups whose count is withheld are left out. No errors.
    """
    members: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        members.setdefault(tuple(line.key[name] for name in GROUPED), []).append(line)
    cells = withheld(("group",), (((key,), sum((line.measures for line in one), Measures())) for key, one in members.items()), withhold)
    open_facilities = _shown_facilities(lines, withhold)
    found = []
    for (key, one), cell in zip(members.items(), cells, strict=True):
        if cell.measures is not None and key[0] is not None:
            where_to = _commonest(one, "facility_code")
            shown = where_to if (*key, where_to) in open_facilities else None
            per_year = cell.measures.stays * 12 / months
            found.append(GroupGain(key[0], _commonest(one, "principal_diagnosis_code"), key[1], cell.measures, per_year, _mean_share(one), shown))
    return tuple(sorted(found, key=lambda gain: (-gain.measures.stays, -gain.measures.bed_days, gain.group, gain.severity)))


def _shown_facilities(lines: Sequence[Line], withhold: Withhold) -> set[tuple[Any, ...]]:
    """The (group, severity, facility) whose count is large enough for the facility to be named."""
    counted = summed(lines, lambda key: tuple(key[name] for name in (*GROUPED, "facility_code")))
    return {cell.key["to"] for cell in withheld(("to",), (((key,), measures) for key, measures in counted.items()), withhold) if not cell.suppressed}
