"""The ledger's part about exercises: those begun, and what was recorded in them."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert, select

from quanmin.model.exercise import ExerciseAct, ExerciseStart
from quanmin.records import ledger_tables as t
from quanmin.records.ledger import Ledger, first, now


def record_exercise(ledger: Ledger, start: ExerciseStart) -> None:
    """Record that an exercise began."""
    with ledger.transaction() as connection:
        connection.execute(insert(t.exercise).values(**asdict(start) | {"at": now()}))


def recorded_exercises(ledger: Ledger) -> list[ExerciseStart]:
    """The exercises in the order they began."""
    with ledger.reading() as connection:
        return [ExerciseStart(*row) for row in connection.execute(select(*(c for c in t.exercise.c if c.name != "id")).order_by(t.exercise.c.id))]


def record_exercise_act(ledger: Ledger, act: ExerciseAct) -> None:
    """Record an act; raises Refusal where somebody else has taken the step."""
    with first("exercise", "exercise_moved"), ledger.transaction() as connection:
        connection.execute(insert(t.exercise_act).values(**asdict(act) | {"at": now()}))


def recorded_exercise_acts(ledger: Ledger, exercise: str = "") -> list[ExerciseAct]:
    """The acts of an exercise, or of all, in order."""
    query = select(*(c for c in t.exercise_act.c if c.name != "id")).order_by(t.exercise_act.c.id)
    with ledger.reading() as connection:
        return [ExerciseAct(*row) for row in connection.execute(query.where(t.exercise_act.c.exercise == exercise) if exercise else query)]
