"""What may be asked of progress: where an indicator stands against its target and whether it will get there."""

from __future__ import annotations

from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.engines.answers import scale_of
from quanmin.model import Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import Asker
from quanmin.services.progress.forecast import KINDS
from quanmin.services.progress.targets import FARTHEST, Progress
from quanmin.services.progress.targets import progress as held_against


@dataclass(frozen=True)
class TargetProgress:
    """The progress of an indicator at a place towards its target of a year."""

    indicator: str
    place: str
    progress: Progress
    snapshot: int


def _refuse(field: str, value: str, rule: str, mend: str) -> Refusal:
    return Refusal(Problem("question", None, field, value[:40], say(rule), say(mend)))


@action("figures")
def progress(asker: Asker, indicator: str, place: str = "", year: int = 0, target: float = float("nan")) -> TargetProgress:
    """Value, target, gap and the chance to reach the target of the year (the newest) by its December, by a back-tested forecast."""
    one = asker.question(indicator)
    if one.kind not in KINDS or one.better not in ("higher", "lower"):
        raise _refuse("indicator", indicator, "no_forecast", "mend_no_forecast")
    newest = asker.period()
    due = f"{year or newest[:4]}-12"
    unit = place or asker.region
    targets = asker.targets(indicator)
    aim = target if target == target else targets.get((unit, due[:4]), targets.get((asker.region, due[:4])))
    if aim is None:
        raise _refuse("target", "", "no_target", "mend_no_target")
    cells = {month: cell for month, cell in asker.series(indicator, place).items() if not cell.missing and not cell.suppressed and cell.denominator}
    reach = int(due[:4]) * 12 + 12 - int(newest[:4] or 0) * 12 - int(newest[5:] or 0)
    if not any(month <= due for month in cells) or reach > FARTHEST:
        raise _refuse("year", due[:4], "no_figures", "mend_no_figures")
    months = sorted(cells)
    found = held_against(months, [float(cells[m].numerator or 0) for m in months], [float(cells[m].denominator or 0) for m in months], aim, due,
                         one.better, "year", one.kind, scale_of(one))
    return TargetProgress(indicator, unit, found, asker.snapshot)
