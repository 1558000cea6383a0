"""Two handbooks on the same data: which indicators moved because their definition did."""

from __future__ import annotations

from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.action import action
from quanmin.model.appraisal import Handbook
from quanmin.model.asker import Asker
from quanmin.services.appraisal.values import usable, values_of


@dataclass(frozen=True)
class Moved:
    """A hospital's values of an item by both definitions, on the same records; None where unknown."""

    facility: str
    name: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """How far the definition alone moves it."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True)
class ItemCompared:
    """An item of two handbooks: `kind` is same (one definition), changed, dropped, added or waiting (a definition that records cannot compute yet)."""

    item: str
    part: str
    kind: str
    first: str
    second: str
    hospitals: tuple[Moved, ...]

    @property
    def largest(self) -> float:
        """The largest difference the change of definition makes, 0 where none is known."""
        return max((abs(one.difference) for one in self.hospitals if one.difference is not None), default=0.0)


def _handbook(asker: Asker, name: str) -> Handbook:
    if name not in asker.handbooks():
        raise Refusal(Problem("appraisal", None, "handbook", name[:60], say("bad_value"), ", ".join(asker.handbooks())))
    return asker.handbooks()[name]


@action("figures")
def handbooks_compared(asker: Asker, first: str, second: str, year: int = 0) -> tuple[ItemCompared, ...]:
    """The items of two handbooks on the same records of a year (the last whole one): which moved because their definition did, which came and which went."""
    one, other = _handbook(asker, first), _handbook(asker, second)
    of = year or int(asker.period()[:4] or 0) - 1
    sides = [{(item.item, item.part): item.indicator for item in handbook.items} for handbook in (one, other)]
    changed = {key for key in sides[0].keys() & sides[1].keys() if sides[0][key] != sides[1][key]}
    names = sorted({side[key] for side in sides for key in changed})
    values, units, known = values_of(asker, names, of), asker.units("facility"), asker.questions()
    found = []
    for item, part in sorted(sides[0].keys() | sides[1].keys()):
        a, b = (side.get((item, part), "") for side in sides)
        hospitals = tuple(Moved(code, units[code].name, usable(values[a].get(code)), usable(values[b].get(code)))
                          for code in sorted({*values.get(a, {}), *values.get(b, {})})) if (item, part) in changed and a in known and b in known else ()
        kind = "added" if not a else "dropped" if not b else "same" if a == b else "changed" if a in known and b in known else "waiting"
        found.append(ItemCompared(item, part, kind, a, b, hospitals))
    return tuple(sorted(found, key=lambda c: (c.kind != "changed", c.kind == "same", c.item, c.part)))
