"""What may be asked of and done in exercises on a site: start one of a scenario, record reactions as they come, correct them, end and score it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.model.action import action
from quanmin.model.asker import UNITS, Asker
from quanmin.model.exercise import ExerciseAct, ExerciseStart
from quanmin.services.preparedness import exercise as scripts
from quanmin.services.preparedness.exercise import scored
from quanmin.services.preparedness.exercise_figures import figures_now
from quanmin.services.preparedness.exercise_view import END, ExerciseView, Played, minutes_of, passed, played, script_of, viewed
from quanmin.services.preparedness.on_site import counties_seen
from quanmin.services.preparedness.scenario import checked, parsed, template_names, template_text

LONGEST_NOTE = 2_000
MOST_PACE = 480  # minutes of the exercise in a minute
NOT_DONE = -1.0


@dataclass(frozen=True)
class ExerciseList:
    """Exercises within the scope, the newest first, and the scripts that may be played."""

    exercises: tuple[Played, ...]
    templates: tuple[str, ...]
    snapshot: int


def _refuse(field: str, value: str, rule: str, mend: str, **values: str) -> Refusal:
    return Refusal(Problem("exercise", None, field, value[:60], say(rule, **values), mend))


def _known(asker: Asker) -> list[tuple[ExerciseStart, list[ExerciseAct]]]:
    acts: dict[str, list[ExerciseAct]] = defaultdict(list)
    for act in asker.exercise_acts():
        acts[act.exercise].append(act)
    return [(one, acts[one.exercise]) for one in asker.exercises()]


def _one(asker: Asker, exercise: str) -> tuple[ExerciseStart, list[ExerciseAct]]:
    found = next((pair for pair in _known(asker) if pair[0].exercise == exercise), None)
    if found is None:
        raise _refuse("exercise", exercise, "no_exercise", say("mend_no_exercise"))
    return found


def _view(asker: Asker, exercise: str) -> ExerciseView:
    start, acts = _one(asker, exercise)
    others = [pair for pair in _known(asker) if pair[0].exercise != exercise]
    names = {code: unit.name for kind in UNITS for code, unit in asker.units(kind).items()}
    return viewed(start, acts, others, asker.now(), asker.may("respond"), asker.snapshot, names)


@action("small")
def exercises(asker: Asker, template: str = "") -> ExerciseList:
    """The exercises within the scope, of one script or of all, with their scores."""
    names = template_names(scripts.KIND)
    if template and template not in names:
        raise _refuse("template", template, "bad_value", ", ".join(names))
    now = asker.now()
    rows = [played(start, acts, now) for start, acts in _known(asker) if template in ("", start.template)]
    return ExerciseList(tuple(reversed(rows)), tuple(names), asker.snapshot)


@action("small")
def exercise(asker: Asker, exercise: str) -> ExerciseView:
    """An exercise: the steps announced with the figures registered at its start, the reactions due and recorded, the score and earlier ones."""
    return _view(asker, exercise)


@action("respond", changes=True)
def start_exercise(asker: Asker, template: str = "", place: str = "", pace: float = 1.0) -> ExerciseView:
    """Start an exercise of a script in a county ("" the whole region, or one's own county), `pace` minutes of it passing in a minute."""
    names = template_names(scripts.KIND)
    if template and template not in names:
        raise _refuse("template", template, "bad_value", ", ".join(names))
    if not 1 <= pace <= MOST_PACE:
        raise _refuse("pace", f"{pace:g}", "exercise_pace", say("exercise_pace", most=f"{MOST_PACE}"), most=f"{MOST_PACE}")
    counties = counties_seen(asker, place)
    county = place or ("" if asker.sees_exercise("") else counties[0])
    name = template or names[0]
    text = template_text(name)
    script = checked(scripts.KIND, scripts.PARTS, parsed(text, name), name)
    scored(script, {}, name)  # refuses a script whose reactions name no step
    number = secrets.token_hex(6)
    asker.start_exercise(ExerciseStart(number, name, text, county, pace, figures_now(asker, script, county), asker.snapshot, ""))
    return _view(asker, number)


def _note(note: str, is_needed: bool = False) -> str:
    if len(note) > LONGEST_NOTE or (is_needed and not note.strip()):
        raise _refuse("note", note, "event_text", say("mend_event_text"))
    return note.strip()


def _write(asker: Asker, acts: list[ExerciseAct], exercise: str, act: str, reaction: str, minutes: float, note: str) -> ExerciseView:
    asker.act_on_exercise(ExerciseAct(exercise, len(acts) + 1, act, reaction, minutes, note, ""))
    return _view(asker, exercise)


def _reaction(start: ExerciseStart, reaction: str) -> tuple[float, list[str]]:
    """When the reaction's step is announced."""
    script = script_of(start)
    steps, rows = {row["id"]: float(row["at_minutes"]) for row in script.rows("step")}, {row["id"]: row for row in script.rows("reaction")}
    if reaction not in rows:
        raise _refuse("reaction", reaction, "scenario_no_such", ", ".join(rows))
    return steps[rows[reaction]["step"]], list(rows)


@action("respond", changes=True)
def record_reaction(asker: Asker, exercise: str, reaction: str, note: str = "") -> ExerciseView:
    """Record that a reaction is done now; of two who record the same one, the first counts and the second is refused."""
    start, acts = _one(asker, exercise)
    at, _ = _reaction(start, reaction)
    if any(act.act == END for act in acts):
        raise _refuse("exercise", exercise, "exercise_over", say("mend_exercise_over"))
    minutes = passed(start, asker.now(), acts)
    if minutes < at:
        raise _refuse("reaction", reaction, "exercise_early", say("mend_exercise_early", minutes=f"{at:g}"))
    known = minutes_of(acts)
    if reaction in known:
        by = next(act.by for act in reversed(acts) if act.reaction == reaction and act.act in ("react", "correct"))
        raise _refuse("reaction", reaction, "exercise_done", say("mend_exercise_done"), by=by, minutes=f"{known[reaction]:.0f}")
    act = "correct" if any(one.reaction == reaction for one in acts) else "react"  # after a withdrawal, only a correction counts
    return _write(asker, acts, exercise, act, reaction, minutes, _note(note))


@action("respond", changes=True)
def correct_reaction(asker: Asker, exercise: str, reaction: str, minutes: float, note: str) -> ExerciseView:
    """Correct when a reaction was done: minutes from the start, -1 for what was not done; a record of its own, with the reason. Also after the end."""
    start, acts = _one(asker, exercise)
    _reaction(start, reaction)
    most = passed(start, asker.now(), acts)
    if minutes != NOT_DONE and not 0 <= minutes <= most:
        raise _refuse("minutes", f"{minutes:g}", "exercise_minutes", say("exercise_minutes", most=f"{most:.0f}"), most=f"{most:.0f}")
    if not any(act.reaction == reaction for act in acts) and not any(act.act == END for act in acts):
        raise _refuse("reaction", reaction, "exercise_not_done", say("mend_exercise_not_done"))
    act, when = ("withdraw", most) if minutes == NOT_DONE else ("correct", minutes)
    return _write(asker, acts, exercise, act, reaction, when, _note(note, is_needed=True))


@action("respond", changes=True)
def end_exercise(asker: Asker, exercise: str, note: str = "") -> ExerciseView:
    """End an exercise and score it; what was not recorded by then was missed."""
    start, acts = _one(asker, exercise)
    if any(act.act == END for act in acts):
        raise _refuse("exercise", exercise, "exercise_over", say("mend_exercise_over"))
    return _write(asker, acts, exercise, END, "", passed(start, asker.now(), acts), _note(note))
