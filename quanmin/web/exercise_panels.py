"""The panels and sentences of exercises: the list with scores, the board's reactions, what was recorded, and the record that `simulate exercise` scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quanmin.reports.exercise_report import figure_sentence
from quanmin.services.preparedness.exercise_actions import ExerciseList
from quanmin.services.preparedness.exercise_view import ExerciseView, Played, minutes_of
from quanmin.web.preparedness_sheets import panel_of, text
from quanmin.web.sheets import Column, Panel, Sheet, Shown
from quanmin.web.words import word

PATH = "/preparedness/exercises"
About = Mapping[str, Any]


def place_of(code: str, names: Mapping[str, str]) -> str:
    """Where an exercise is: a county's name, or the whole region."""
    return names.get(code, code) if code else word("prep_whole_region")


def _played(one: Played, names: Mapping[str, str]) -> dict[str, Any]:
    state = "over" if one.is_over else "running"
    told = {name: getattr(one, name) if one.is_over else None for name in ("in_time", "late", "missed")}
    return {"exercise": Shown(one.name, one.exercise, f"{PATH}/{one.exercise}"), "started_at": one.started_at[:16].replace("T", " "),
            "place": place_of(one.county, names), "exercise_state": word(f"exercise_{state}"), "score": one.score} | told


def list_panel(found: ExerciseList, names: Mapping[str, str], about: About) -> Panel:
    """Exercises, the newest first."""
    return panel_of("exercises", [_played(one, names) for one in found.exercises],
                    "started_at exercise place exercise_state score:0 in_time:0 late:0 missed:0", about, is_open=True)


def tiles(view: ExerciseView) -> list[tuple[str, str, str]]:
    """Where an exercise stands."""
    one = view.played
    minute = word("exercise_minute", minute=text(view.minutes), pace=f"{view.pace:g}")
    if one.is_over:
        verdict = "good" if one.is_passed else "bad"
        return [(word("exercise_score"), f"{text(one.score)} / 100", verdict), (word("exercise_pass"), text(view.pass_score), ""),
                (word("prep_state_in_time"), text(one.in_time), "good" if one.in_time else ""),
                (word("prep_state_late"), text(one.late), "bad" if one.late else "good"),
                (word("prep_state_missed"), text(one.missed), "bad" if one.missed else "good")]
    due = sum(row.state == "due" for row in view.reactions)
    overdue = sum(row.state == "overdue" for row in view.reactions)
    coming = word("exercise_last_told") if view.next_minutes is None else word("exercise_at_minute", minute=text(view.next_minutes))
    return [(word("exercise_now"), minute, ""), (word("exercise_next"), coming, ""), (word("prep_state_due"), text(due), ""),
            (word("prep_state_overdue"), text(overdue), "bad" if overdue else "good")]


def steps(view: ExerciseView) -> list[dict[str, Any]]:
    """The announced steps, the newest first, each with the sentences of its figures."""
    return [{"at": word("exercise_at_minute", minute=text(step.at_minutes)), "told": step.told, "figures": [figure_sentence(one) for one in step.figures]}
            for step in reversed(view.steps)]


def reactions_panel(view: ExerciseView, about: About) -> Panel:
    """Every reaction that was expected so far, with what it earned."""
    rows = [vars(one) | {"points_given": one.points, "recorded_by": one.by} for one in view.reactions]
    return panel_of("board", rows, "expected role due_at:0 within_minutes:0 after_minutes:1 state points_given:0 earned:1 before_minutes:1 recorded_by", about,
                    is_open=True)


def acts_panel(view: ExerciseView, about: About) -> Panel:
    """What was recorded, in order; a correction stands below what it corrects."""
    rows = [{"acted_at": act.at[:19].replace("T", " "), "exercise_act": word(f"exercise_act_{act.act}"), "reaction": act.reaction,
             "minute": act.minutes, "recorded_by": act.by, "note": act.note} for act in view.acts]
    return panel_of("acts", rows, "acted_at exercise_act reaction minute:1 recorded_by note", about, is_open=True)


def record_panel(view: ExerciseView, about: About) -> Panel:
    """The record as `quanmin simulate exercise --record` reads it."""
    found = minutes_of(view.acts)
    columns = [Column("reaction", word("prep_f_reaction")), Column("minutes", word("prep_f_minute"), True)]
    rows = [[name, Shown(text(minutes, 1), minutes)] for name, minutes in found.items()]
    return Panel("record", word("prep_panel_record"), Sheet(columns, rows, dict(about)), None, word("prep_panel_record_note", script=view.played.template))


def earlier_panel(view: ExerciseView, names: Mapping[str, str], about: About) -> Panel:
    """Earlier exercises of the same script."""
    return panel_of("earlier", [_played(one, names) for one in view.earlier], "started_at exercise place score:0 in_time:0 late:0 missed:0", about,
                    is_open=True)
