"""An exercise on a site as it stands: what was announced, what is due, what was recorded by whom, and the score against earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quanmin.model.exercise import ExerciseAct, ExerciseStart
from quanmin.services.preparedness import exercise as scripts
from quanmin.services.preparedness.exercise import Exercise, earned_share, scored
from quanmin.services.preparedness.exercise_figures import Figure, figures_then
from quanmin.services.preparedness.scenario import Scenario, checked, parsed
from quanmin.services.preparedness.testing_answer import spoken

END = "end"
SECONDS = 60


@dataclass(frozen=True)
class Told:
    """A step that has been announced, with the figures of the registers at the start."""

    step: str
    at_minutes: float
    told: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Due:
    """An expected reaction of an announced step: `state` is due, overdue, in_time, late, too_late or missed; minutes count from the start of the exercise.

    `before_minutes` is how long after its step it came in the last exercise with the same script; None where there was none or it was missed.
    """

    reaction: str
    step: str
    expected: str
    role: str
    within_minutes: float
    due_at: float
    after_minutes: float | None
    state: str
    points: float
    earned: float
    by: str
    before_minutes: float | None


@dataclass(frozen=True)
class Played:
    """An exercise in a list; the score is None while it goes on."""

    exercise: str
    name: str
    template: str
    county: str
    started_at: str
    started_by: str
    minutes: float
    is_over: bool
    score: float | None
    is_passed: bool | None
    in_time: int
    late: int
    missed: int


@dataclass(frozen=True)
class ExerciseView:
    """An exercise: `minutes` have passed in it at `pace` a minute; `next_minutes` is when the next step comes (None after the last)."""

    played: Played
    pace: float
    minutes: float
    next_minutes: float | None
    steps: tuple[Told, ...]
    reactions: tuple[Due, ...]
    acts: tuple[ExerciseAct, ...]
    may: tuple[str, ...]
    earlier: tuple[Played, ...]
    pass_score: float
    figures_snapshot: int
    snapshot: int


def script_of(start: ExerciseStart) -> Scenario:
    """The script that is played."""
    return checked(scripts.KIND, scripts.PARTS, parsed(start.script, start.template), start.template)


def passed(start: ExerciseStart, now: str, acts: Sequence[ExerciseAct]) -> float:
    """Minutes of the exercise since its start, up to its end."""
    ended = next((act.minutes for act in acts if act.act == END), None)
    real = (datetime.fromisoformat(now) - datetime.fromisoformat(start.at)).total_seconds() / SECONDS
    return max(0.0, real * start.pace) if ended is None else ended


def minutes_of(acts: Sequence[ExerciseAct]) -> dict[str, float]:
    """Reaction → minutes from the start: the first record counts, the newest correction overrules it, and what was withdrawn was not done."""
    found: dict[str, float] = {}
    corrected: set[str] = set()
    for act in acts:
        if act.act == "react" and act.reaction not in found and act.reaction not in corrected:
            found[act.reaction] = act.minutes
        elif act.act in ("correct", "withdraw"):
            corrected.add(act.reaction)
            found.pop(act.reaction, None)
            if act.act == "correct":
                found[act.reaction] = act.minutes
    return found


def _counts(one: Exercise) -> tuple[int, int, int]:
    states = [row.state for row in one.reactions]
    return states.count("in_time"), states.count("late") + states.count("too_late"), states.count("missed")


def played(start: ExerciseStart, acts: Sequence[ExerciseAct], now: str) -> Played:
    """An exercise as a list shows it."""
    script, is_over = script_of(start), any(act.act == END for act in acts)
    one = scored(script, minutes_of(acts), start.template)
    counts = _counts(one) if is_over else (0, 0, 0)
    return Played(start.exercise, one.name, start.template, start.county, start.at, start.by, passed(start, now, acts), is_over,
                  one.score if is_over else None, one.is_passed if is_over else None, *counts)


def _reactions(script: Scenario, acts: Sequence[ExerciseAct], minutes: float, is_over: bool, before: Mapping[str, float]) -> tuple[Due, ...]:
    """The reactions of announced steps (of all, once it is over), what is due first."""
    known, steps = minutes_of(acts), {row["id"]: float(row["at_minutes"]) for row in script.rows("step")}
    by = {act.reaction: act.by for act in acts if act.act in ("react", "correct")}
    found = []
    for row in script.rows("reaction"):
        at, name = steps[row["step"]], row["id"]
        if at > minutes and not is_over:
            continue
        after = known[name] - at if name in known else None
        state, share = earned_share(after, row["within_minutes"])
        if after is None and not is_over:
            state = "due" if minutes <= at + row["within_minutes"] else "overdue"
        found.append(Due(name, row["step"], spoken(row["expected"], name), spoken(row["role"], ""), float(row["within_minutes"]),
                         at + float(row["within_minutes"]), after, state, float(row["points"]), float(row["points"]) * share, by.get(name, "") if name in known
                         else "", before.get(name)))
    return tuple(sorted(found, key=lambda one: (one.state not in ("due", "overdue"), one.due_at)))


def viewed(start: ExerciseStart, acts: Sequence[ExerciseAct], others: Sequence[tuple[ExerciseStart, Sequence[ExerciseAct]]], now: str, may: bool,
           snapshot: int, names: Mapping[str, str]) -> ExerciseView:
    """An exercise as it stands; `others` are those that may be seen besides, in the order they began; `names` of places and institutions by code."""
    script, one = script_of(start), played(start, acts, now)
    minutes, figures = one.minutes, figures_then(start.figures, names)
    rows = sorted(script.rows("step"), key=lambda row: row["at_minutes"])
    steps = tuple(Told(row["id"], float(row["at_minutes"]), spoken(row["told"], row["id"]), figures.get(row["id"], ())) for row in rows
                  if one.is_over or row["at_minutes"] <= minutes)
    coming = [float(row["at_minutes"]) for row in rows if row["at_minutes"] > minutes]
    same = [(other, told) for other, told in others if other.template == start.template and (other.at, other.exercise) < (start.at, start.exercise)
            and any(act.act == END for act in told)]
    last = _after(same[-1]) if same else {}
    allowed = () if not may else ("correct_reaction",) if one.is_over else ("record_reaction", "correct_reaction", "end_exercise")
    earlier = tuple(played(other, told, now) for other, told in reversed(same))
    return ExerciseView(one, start.pace, minutes, None if one.is_over else next(iter(coming), None), steps,
                        _reactions(script, acts, minutes, one.is_over, last), tuple(acts), allowed, earlier, float(script.of("")["pass_score"]),
                        start.snapshot, snapshot)


def _after(pair: tuple[ExerciseStart, Sequence[ExerciseAct]]) -> dict[str, float]:
    """Reaction → minutes after its step, of an exercise that is over."""
    start, acts = pair
    return {row.reaction: row.after_minutes for row in scored(script_of(start), minutes_of(acts)).reactions if row.after_minutes is not None}
