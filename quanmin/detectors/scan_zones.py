"""Circular zones for scan statistics: the nested sets of nearest neighbours around every place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
EARTH_KM = 6367.0  # the radius SaTScan uses
SLACK = 1 + 1e-12  # of a share that is met exactly


@dataclass(frozen=True)
class Zones:
    """Zones one after the other, those of the first centre first, each the one before and one more place.

    `order` holds the place that is added, `starts[i]:starts[i + 1]` the zones of centre i, `is_zone` says where the set so far is a circle (places at one
    point come together), `is_first` where no earlier centre has the same set, `distance` (km or the unit of the coordinates) how far the place is.
    """

    order: Whole
    starts: Whole
    is_zone: Flags
    is_first: Flags
    distance: Numbers

    def members(self, centre: int, zone: int) -> Whole:
        """The places of a zone, nearest first."""
        return self.order[self.starts[centre]:zone + 1]


def points_of(coordinates: Numbers, planar: bool) -> Numbers:
    """Points whose straight distances are compared: as they are, or latitude and longitude in degrees on the sphere (km), so that distances are chords."""
    if planar:
        return np.asarray(coordinates, dtype=np.float64)
    latitude, longitude = np.radians(np.asarray(coordinates, dtype=np.float64)).T
    return EARTH_KM * np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1)


def zones_of(coordinates: Numbers, weights: Numbers, max_share: float = 0.5, max_radius: float = np.inf, planar: bool = True) -> Zones:
    """Nearest-neighbour sets around each place that hold at most `max_share` of all weights and reach no farther than `max_radius`.

    `coordinates`: places × 2 (x, y, or latitude, longitude in degrees); `weights`: people or cases by place. Neighbours at one distance come in the order
    given.
    """
    points = points_of(coordinates, planar)
    count, most = len(points), max_share * float(weights.sum()) * SLACK
    marks = np.random.default_rng(0).integers(0, 2**63, count, dtype=np.int64)  # a set is known by the exclusive or of its places' marks
    order, distances, closed, known, starts = [], [], [], [], [0]
    for centre in range(count):
        distance = np.sqrt(((points - points[centre]) ** 2).sum(axis=1))
        near = np.argsort(distance, kind="stable")
        fits = (np.cumsum(weights[near]) <= most) & (distance[near] <= max_radius * SLACK)
        kept = int(np.argmin(fits)) if not fits.all() else count
        near = near[:kept + 1]  # one more, to see whether it lies where the last one does
        apart = np.r_[(points[near[1:]] != points[near[:-1]]).any(axis=1), True][:kept]
        near = near[:kept]
        order.append(near)
        distances.append(distance[near])
        closed.append(apart)
        known.append(np.bitwise_xor.accumulate(marks[near]) if kept else near)
        starts.append(starts[-1] + kept)
    every, is_zone = np.concatenate(known).astype(np.int64), np.concatenate(closed)
    first = np.zeros(len(every), dtype=np.bool_)
    first[np.unique(every, return_index=True)[1]] = True
    return Zones(np.concatenate(order).astype(np.int64), np.array(starts), is_zone, first & is_zone, np.concatenate(distances))
