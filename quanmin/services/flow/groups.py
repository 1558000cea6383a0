"""Which groups a county would gain, from the lines of its outflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quanmin.services.flow.figures import GroupGain, Measures, TreatedGroup, Withhold, withheld

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
    shown = [(key, one, cell.measures) for (key, one), cell in zip(members.items(), cells, strict=True) if cell.measures is not None and key[0] is not None]
    found = []
    for (key, one, measures), where_to in zip(shown, _where_to([one for _, one, _ in shown], withhold), strict=True):
        per_year = measures.stays * 12 / months
        found.append(GroupGain(key[0], _commonest(one, "principal_diagnosis_code"), key[1], measures, per_year, _mean_share(one), where_to))
    return tuple(sorted(found, key=lambda gain: (-gain.measures.stays, -gain.measures.bed_days, gain.group, gain.severity)))


def treated_groups(lines: Sequence[Line], at_home: Mapping[str, Measures], withhold: Withhold) -> tuple[TreatedGroup, ...]:
    """The groups of avoidable outflow (lines with drg, facility_code) that are treated at home (drg → measures), the greatest weight first.

    Groups whose count is withheld are left out. No errors.
    """
    members: dict[str, list[Line]] = {}
    for line in lines:
        if line.key["drg"] in at_home:
            members.setdefault(line.key["drg"], []).append(line)
    cells = withheld(("drg",), (((drg,), sum((line.measures for line in one), Measures())) for drg, one in members.items()), withhold)
    shown = [(cell.key["drg"], cell.measures) for cell in cells if cell.measures is not None]
    home = withheld(("drg",), (((drg,), at_home[drg]) for drg, _ in shown), withhold)
    places = _where_to([members[drg] for drg, _ in shown], withhold)
    found = [TreatedGroup(drg, measures, kept.measures.stays if kept.measures else None, place)
             for (drg, measures), kept, place in zip(shown, home, places, strict=True)]
    return tuple(sorted(found, key=lambda one: (-one.measures.relative_weight, -one.measures.stays, one.drg)))


def _where_to(groups: Sequence[Sequence[Line]], withhold: Withhold) -> list[str | None]:
    """The facility most of each group go to, None where their number there must not be told."""
    largest = [max(summed(lines, lambda key: (key["facility_code"],)).items(), key=lambda item: item[1].stays) for lines in groups]
    cells = withheld(("group", "facility_code"), (((number, facility), measures) for number, ((facility,), measures) in enumerate(largest)), withhold)
    return [None if cell.suppressed else cell.key["facility_code"] for cell in cells]
