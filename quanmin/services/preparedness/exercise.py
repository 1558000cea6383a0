"""Exercises: a scenario's steps and the reactions that are expected of whom within what time, scored against what was recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal
from quanmin.services.preparedness.scenario import Field, Part, Scenario, text_of
from quanmin.services.preparedness.testing_answer import spoken

KIND = "exercise"
SHOWN = ("beds", "tests", "surge", "cover")  # figures from a site's registers that a step may tell
LATE = 2.0  # times the limit, when nothing of the points is left
PARTS = (
    Part("", (Field("pass_score", 0, 100, 80),)),
    Part("step", (Field("id", kind="text"), Field("at_minutes", 0, 1e6), Field("told", kind="label"), Field("shows", kind="text", is_optional=True)), True, 1),
    Part("reaction", (Field("id", kind="text"), Field("step", kind="text"), Field("expected", kind="label"), Field("role", kind="label"),
                      Field("within_minutes", 0.1, 1e6), Field("points", 0, 1000)), True, 1),
)


@dataclass(frozen=True)
class Reacted:
    """A reaction: minutes after its step (None: never), its limit, its points and what was earned; `state` is in_time, late, too_late or missed."""

    reaction: str
    step: str
    expected: str
    role: str
    within_minutes: float
    after_minutes: float | None
    state: str
    points: float
    earned: float


@dataclass(frozen=True)
class Exercise:
    """An exercise scored: percent of all points, whether that passes, and what was late or missed."""

    name: str
    score: float
    is_passed: bool
    reactions: tuple[Reacted, ...]


def shows(step: Mapping[str, object]) -> list[str]:
    """The figures that a step tells on a site."""
    return [name.strip() for name in str(step.get("shows") or "").split(",") if name.strip()]


def earned_share(after: float | None, within: float) -> tuple[str, float]:
    """(state, share of the points): all in time, then falling evenly to none at twice the limit; a reaction before its step counts as none (our own rule)."""
    if after is None or after < 0:
        return "missed", 0.0
    if after <= within:
        return "in_time", 1.0
    share = max(0.0, 1 - (after - within) / ((LATE - 1) * within))
    return ("late" if share > 0 else "too_late"), share


def scored(scenario: Scenario, minutes: Mapping[str, float], shown: str = KIND) -> Exercise:
    """Score what was recorded (reaction → minutes from the start); raises Refusal for what names no step or reaction."""
    steps, rows = {row["id"]: row for row in scenario.rows("step")}, scenario.rows("reaction")
    problems = [Problem(shown, None, f"step[{at}].shows", name, say("scenario_no_such"), ", ".join(SHOWN))
                for at, row in enumerate(scenario.rows("step")) for name in shows(row) if name not in SHOWN]
    problems += [Problem(shown, None, f"reaction[{at}].step", row["step"][:60], say("scenario_no_such"), ", ".join(steps))
                for at, row in enumerate(rows) if row["step"] not in steps]
    problems += [Problem("record", None, "reaction", name[:60], say("scenario_no_such"), ", ".join(row["id"] for row in rows))
                 for name in minutes if name not in {row["id"] for row in rows}]
    if problems:
        raise Refusal(*problems)
    found = []
    for row in rows:
        after = minutes[row["id"]] - steps[row["step"]]["at_minutes"] if row["id"] in minutes else None
        state, share = earned_share(after, row["within_minutes"])
        found.append(Reacted(row["id"], row["step"], spoken(row["expected"], ""), spoken(row["role"], ""), row["within_minutes"], after, state, row["points"],
                             row["points"] * share))
    total = sum(one.points for one in found)
    score = 100 * sum(one.earned for one in found) / total if total else 0.0
    return Exercise(spoken(scenario.label, KIND), score, score >= scenario.of("")["pass_score"], tuple(found))


def record_of(path: Path) -> dict[str, float]:
    """What was recorded: a CSV with columns `reaction` and `minutes` from the start; of several lines for one reaction the first counts. Raises Refusal."""
    reader = csv.DictReader(io.StringIO(text_of(path)))
    if not {"reaction", "minutes"} <= set(reader.fieldnames or ()):
        raise Refusal(Problem(path.name, 1, "", "", say("scenario_record"), "reaction,minutes"))
    found: dict[str, float] = {}
    problems = []
    for line, row in enumerate(reader, 2):
        try:
            found[row["reaction"]] = min(float(row["minutes"]), found.get(row["reaction"], float("inf")))
        except (TypeError, ValueError):
            problems.append(Problem(path.name, line, "minutes", str(row["minutes"])[:40], say("scenario_number", low="0", high="1e6"), "45"))
    if problems:
        raise Refusal(*problems)
    return found
