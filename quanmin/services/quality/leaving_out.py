"""What a unit's stays would have come to elsewhere: the expected outcome of every stay by the model of all stays but those of its own unit.

A unit judged by a model it helped to make hides part of its own excess. Refitting the model once per unit is not needed: with the unit's part taken
from gradient and curvature, one Newton step from the common fit ends next to the refit (D. Pregibon, Annals of Statistics 1981;9:705–724, of single
cases), and units that weigh much are given a second step on the stays of the others. Days are exact: least squares add up. Judging each unit by the
others is also the internal-external validation of the model (E. W. Steyerberg & F. E. Harrell, Journal of Clinical Epidemiology 2016;69:245–247).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, special

from quanmin.services.quality.design import BLOCK, Rows
from quanmin.services.quality.risk import RiskModel, only, slopes

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
LARGE = 0.05  # a unit's share of the information from which on a second step is made


def _part(rows: Rows, start: int, stop: int) -> Rows:
    """The rows from start to stop, counted from 0."""
    return lambda of: rows(slice(start + of.start, min(start + of.stop, stop)))


def _solved(curvature: Numbers, gradient: Numbers) -> Numbers:
    scale = 1 / np.sqrt(np.maximum(np.diag(curvature), np.finfo(float).tiny))
    found: Numbers = linalg.solve(curvature * scale[:, None] * scale, gradient * scale, assume_a="sym") * scale
    return found


def _expected(rows: Rows, start: int, stop: int, coefficients: Numbers) -> Numbers:
    """Scores of the stays from start to stop."""
    return np.concatenate([rows(slice(at, min(at + BLOCK, stop))) @ coefficients for at in range(start, stop, BLOCK)] or [np.zeros(0)])


def expected_elsewhere(model: RiskModel, rows: Rows, outcome: ArrayLike, edges: Places, penalty: Numbers) -> Numbers:
    """The expected outcome (chance or days) of every stay by the model of the other units' stays.

    Stays are in the order of their units: those of unit i are edges[i] … edges[i + 1]; `penalty` is the one the model was fitted with. A unit is expected
    what the common model says where the others have no more stays than the model has columns, or of a binary outcome not both with and without it.
    Raises ValueError where the edges do not span the stays.
    """
    happened = np.asarray(outcome, dtype=np.float64)
    if edges[0] != 0 or edges[-1] != happened.size or (np.diff(edges) < 0).any():
        raise ValueError("the edges must rise from 0 to the number of stays")
    return (_chances if model.kind == "logistic" else _days)(model, rows, happened, edges, penalty)


def _chances(model: RiskModel, rows: Rows, happened: Numbers, edges: Places, penalty: Numbers) -> Numbers:
    found = np.empty(happened.size)
    _, _, total = slopes(rows, happened, None, model.coefficients)
    for start, stop in pairwise(edges.tolist()):
        _, gradient, curvature = slopes(_part(rows, start, stop), happened[start:stop], None, model.coefficients)
        others = happened.size - (stop - start)
        events = happened.sum() - happened[start:stop].sum()
        coefficients = model.coefficients
        if 0 < events < others and others > coefficients.size:
            coefficients = coefficients - _solved(total - curvature + np.diag(penalty), gradient)
            if curvature[0, 0] > LARGE * total[0, 0]:
                coefficients = _step(rows, happened, (start, stop), coefficients, penalty)
        found[start:stop] = special.expit(_expected(rows, start, stop, coefficients))
    return found


def _step(rows: Rows, happened: Numbers, left_out: tuple[int, int], coefficients: Numbers, penalty: Numbers) -> Numbers:
    """A Newton step on all stays but some."""
    places = np.r_[0 : left_out[0], left_out[1] : happened.size]
    _, gradient, curvature = slopes(only(rows, places), happened[places], None, coefficients)
    return coefficients + _solved(curvature + np.diag(penalty), gradient - penalty * coefficients)


def _days(model: RiskModel, rows: Rows, happened: Numbers, edges: Places, penalty: Numbers) -> Numbers:
    found, width = np.empty(happened.size), len(model.names)
    square, product, smear = _sums(model, rows, happened, 0, happened.size)
    square += np.diag(penalty)
    for start, stop in pairwise(edges.tolist()):
        others = happened.size - (stop - start)
        coefficients, smearing = model.coefficients, model.smearing
        if others > width:
            own = _sums(model, rows, happened, start, stop)
            coefficients, smearing = _solved(square - own[0], product - own[1]), (smear - own[2]) / others
        found[start:stop] = np.exp(_expected(rows, start, stop, coefficients)) * smearing
    return found


def _sums(model: RiskModel, rows: Rows, days: Numbers, start: int, stop: int) -> tuple[Numbers, Numbers, float]:
    """What least squares need of some stays: X'X, X' log days, and the sum of days over those of the common fit."""
    width = len(model.names)
    square, product, smear = np.zeros((width, width)), np.zeros(width), 0.0
    for at in range(start, stop, BLOCK):
        part = slice(at, min(at + BLOCK, stop))
        made, logs = rows(part), np.log(days[part])
        square += made.T @ made
        product += made.T @ logs
        smear += float(np.exp(logs - made @ model.coefficients).sum())
    return square, product, smear
