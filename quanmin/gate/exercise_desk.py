"""Exercises within an actor's scope: begun, recorded and ended in their name; every start and every record is audited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from quanmin.gate.actor import Actor
from quanmin.gate.audit import Audit
from quanmin.model.exercise import ExerciseAct, ExerciseStart
from quanmin.records.exercise_ledger import record_exercise, record_exercise_act, recorded_exercise_acts, recorded_exercises

EXERCISE = re.compile(r"[0-9a-f]{12}")


class ExerciseDesk:
    """The part of an inquiry that exercises go through."""

    actor: Actor

    def sees_exercise(self, county: str) -> bool:
        """Whether an exercise of a county ("" the whole region) lies within the actor's scope; institutions see none."""
        return self.actor.scope.holds(county)

    def exercises(self) -> Sequence[ExerciseStart]:
        """The exercises within the actor's scope, in the order they began."""
        return [one for one in recorded_exercises(self.actor.ledger) if self.sees_exercise(one.county)]

    def exercise_acts(self) -> Sequence[ExerciseAct]:
        """What was recorded of exercises within the actor's scope, in order."""
        seen = {one.exercise for one in self.exercises()}
        return [act for act in recorded_exercise_acts(self.actor.ledger) if act.exercise in seen]

    def start_exercise(self, start: ExerciseStart) -> None:
        """Record a start in the actor's name, audited; raises Refusal outside their scope."""
        if not EXERCISE.fullmatch(start.exercise) or not self.sees_exercise(start.county):
            self.actor.refuse("start exercise", start.exercise[:12])
        record_exercise(self.actor.ledger, replace(start, by=self.actor.name))
        Audit(self.actor.ledger).note(self.actor.name, "start exercise", f"{start.exercise} {start.template} {start.county}")

    def act_on_exercise(self, act: ExerciseAct) -> None:
        """Record an act in the actor's name, audited; raises Refusal for an exercise outside their scope, or where somebody was faster."""
        if act.exercise not in {one.exercise for one in self.exercises()}:
            self.actor.refuse("act on exercise", act.exercise[:12])
        record_exercise_act(self.actor.ledger, replace(act, by=self.actor.name))
        Audit(self.actor.ledger).note(self.actor.name, "act on exercise", f"{act.act} {act.exercise} {act.reaction}")
