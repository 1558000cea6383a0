"""Epidemics in discrete days: SIR as CHIME steps it, and SEIR with one more compartment; every array's last axis is the place.

Source of the SIR step, the fit of the first day and the census: CHIME (Penn Medicine, MIT licence), `models.py`; equal to its reference run bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Policy = Sequence[tuple[float, int]]


@dataclass(frozen=True)
class Course:
    """Persons by day: [days + 1] or [days + 1, places]; `exposed` is zero where there is no such compartment, `first_day` the day of the first row."""

    first_day: int
    susceptible: np.ndarray
    exposed: np.ndarray
    infected: np.ndarray
    recovered: np.ndarray

    @property
    def ever_infected(self) -> np.ndarray:
        """Infected and recovered: those who have become infectious by each day."""
        return np.asarray(self.infected + self.recovered)


def daily_growth(doubling_days: float) -> float:
    """The growth of a day that doubles in `doubling_days`; 0 for none."""
    return 0.0 if doubling_days == 0 else float(2.0 ** (1.0 / doubling_days) - 1.0)


def contact_rate(growth: float, gamma: float, susceptible: float, reduction: float) -> float:
    """CHIME's beta per susceptible person: (growth + gamma) ÷ susceptible, times what is left of contacts."""
    return (growth + gamma) / susceptible * (1.0 - reduction)


def sir(susceptible: float, infected: float, recovered: float, gamma: float, policy: Policy, first_day: int = 0) -> Course:
    """CHIME's discrete SIR: `policy` is (beta, days) one after the other; one row more than there are days."""
    s, i, r = float(susceptible), float(infected), float(recovered)
    total = s + i + r
    rows = [(s, i, r)]
    for beta, days in policy:
        for _ in range(days):
            s_next, i_next, r_next = (-beta * s * i) + s, (beta * s * i - gamma * i) + i, gamma * i + r
            scale = total / (s_next + i_next + r_next)
            s, i, r = s_next * scale, i_next * scale, r_next * scale
            rows.append((s, i, r))
    found = np.array(rows)
    return Course(first_day, found[:, 0], np.zeros(len(found)), found[:, 1], found[:, 2])


def seir(people: npt.ArrayLike, exposed: npt.ArrayLike, infected: npt.ArrayLike, reproduction: npt.ArrayLike, latent_days: float, infectious_days: float,
         mixing: float = 0.0, immune: npt.ArrayLike = 0.0) -> Course:
    """Discrete SEIR in several places at once: `reproduction` [days] is R of each day, `mixing` the share of contacts made anywhere in the region.

    S' = S - λS, E' = E + λS - E ÷ latent, I' = I + E ÷ latent - I ÷ infectious, with λ = R ÷ infectious × prevalence; without latency cases go straight to I.
    People are conserved in every step and place.
    """
    n = np.atleast_1d(np.asarray(people, dtype=float))
    e, i = (np.broadcast_to(np.asarray(value, dtype=float), n.shape).copy() for value in (exposed, infected))
    r = n * np.asarray(immune, dtype=float)
    s = n - e - i - r
    gamma, out = 1.0 / infectious_days, 1.0 / latent_days if latent_days >= 1 else 1.0
    rows = [(s, e, i, r)]
    with np.errstate(divide="ignore", invalid="ignore"):
        for strength in np.atleast_1d(np.asarray(reproduction, dtype=float)):
            prevalence = np.where(n > 0, i / n, 0.0)
            force = strength * gamma * ((1 - mixing) * prevalence + mixing * i.sum() / max(n.sum(), 1.0))
            caught = np.minimum(s, s * force)
            ripe = caught if latent_days < 1 else e * out
            s, e, i, r = s - caught, e + caught - ripe, i + ripe - i * gamma, r + i * gamma
            rows.append((s, e, i, r))
    compartments = [np.array(column) for column in zip(*rows, strict=True)]
    return Course(0, *compartments)


def admissions(course: Course, share: npt.ArrayLike, market_share: float = 1.0) -> np.ndarray:
    """Admissions of each day from the share of the infected who need them; the first row is NaN: what came before is not known."""
    ever = course.ever_infected * np.asarray(share) * market_share
    return np.concatenate([np.full_like(ever[:1], np.nan), ever[1:] - ever[:-1]])


def census(admitted: np.ndarray, stay_days: int) -> np.ndarray:
    """Who is in a bed at the end of each day when everybody stays `stay_days` [like admitted]; whole persons are for the reader to round up."""
    total = np.cumsum(np.nan_to_num(admitted), axis=0)
    before = np.zeros_like(total)
    before[stay_days:] = total[: len(total) - stay_days] if stay_days < len(total) else before[stay_days:]
    found = np.asarray(total - before)
    return np.concatenate([np.full_like(found[:1], np.nan), found[1:]])


@dataclass(frozen=True)
class Chime:
    """CHIME's parameters: a hospital's own census is fitted, then projected; `reduction` of contacts over the whole run, shares are of the infected."""

    population: float
    hospitalised_now: float
    market_share: float
    doubling_days: float
    infectious_days: float
    reduction: float
    days: int
    shares: dict[str, float]
    stays: dict[str, int]


def chime(one: Chime) -> tuple[Course, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(course, admissions by class, census by class) as CHIME gives them for a doubling time; rows from the day of the first cases to `days` from now."""
    infected = one.hospitalised_now / one.market_share / one.shares["hospitalised"]
    susceptible, gamma = one.population - infected, 1.0 / one.infectious_days
    beta = contact_rate(daily_growth(one.doubling_days), gamma, susceptible, one.reduction)

    def run(past: int) -> tuple[Course, dict[str, np.ndarray], dict[str, np.ndarray]]:
        course = sir(susceptible, infected, 0.0, gamma, [(beta, past + one.days)], -past)
        admitted = {name: admissions(course, share, one.market_share) for name, share in one.shares.items()}
        return course, admitted, {name: np.ceil(census(value, one.stays[name])) for name, value in admitted.items()}

    there = run(0)[2]["hospitalised"]
    return run(int(np.nanargmin((there - one.hospitalised_now) ** 2)))
