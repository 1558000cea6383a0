"""Exercises on a site: who began one with which script, and what was recorded in its course."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExerciseStart:
    """An exercise begun: `script` is the scenario as it is played (TOML), `figures` what the registers said then (JSON by step).

    `county` is "" for the whole region; `pace` is minutes of the exercise in a minute.
    """

    exercise: str
    template: str
    script: str
    county: str
    pace: float
    figures: str
    snapshot: int
    by: str
    at: str = ""


@dataclass(frozen=True)
class ExerciseAct:
    """A record of an exercise: `step` counts them from 1; `act` is react, correct, withdraw or end; `minutes` are those of the exercise since its start."""

    exercise: str
    step: int
    act: str
    reaction: str
    minutes: float
    note: str
    by: str
    at: str = ""
