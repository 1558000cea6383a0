"""Outlines on a jittered grid: neighbours share every vertex of their common border."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np

RIM_WAVES = ((2, 0.07, 0.6), (3, 0.06, 2.1), (5, 0.035, 4.0))


def grid_nodes(cells: int, side_km: float, rng: np.random.Generator) -> np.ndarray:
    """Corner points of the grid, shifted at random so that borders look drawn: (cells+1, cells+1, 2) in km from the centre."""
    step = side_km / cells
    line = np.arange(cells + 1) * step - side_km / 2
    x, y = np.meshgrid(line, line)
    nodes = np.stack([x, y], axis=-1)
    return nodes + rng.uniform(-0.34, 0.34, nodes.shape) * step


def inside_rim(points: np.ndarray, radius_km: float) -> np.ndarray:
    """Which points (n, 2) lie inside the wavy rim of the region."""
    angle = np.arctan2(points[:, 1], points[:, 0])
    rim = radius_km * (1 + sum(size * np.sin(waves * angle + shift) for waves, size, shift in RIM_WAVES))
    return np.hypot(points[:, 0], points[:, 1]) < rim


def spread_seeds(points: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Seeds spread over `points` by a few rounds of Lloyd's method: (seeds (count, 2), index of the seed of each point)."""
    seeds = points[rng.choice(len(points), count, replace=False)]
    for _ in range(6):
        owner = np.argmin(((points[:, None] - seeds[None]) ** 2).sum(-1), axis=1)
        seeds = np.array([points[owner == k].mean(0) if (owner == k).any() else seeds[k] for k in range(count)])
    return seeds, np.argmin(((points[:, None] - seeds[None]) ** 2).sum(-1), axis=1)


def _turn(before: tuple[int, int], here: tuple[int, int], after: tuple[int, int]) -> float:
    first = math.atan2(here[1] - before[1], here[0] - before[0])
    second = math.atan2(after[1] - here[1], after[0] - here[0])
    return (second - first + 3 * math.pi) % (2 * math.pi)


def rings(cells: set[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Closed rings of grid corners around a set of (column, row) cells; outer rings run anticlockwise, holes clockwise."""
    edges: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for column, row in sorted(cells):
        corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
        sides = [(0, -1), (1, 0), (0, 1), (-1, 0)]
        for k, (dx, dy) in enumerate(sides):
            if (column + dx, row + dy) not in cells:
                edges[corners[k]].append(corners[(k + 1) % 4])
    found = []
    while edges:
        start = min(edges)
        ring = [start]
        here = edges[start].pop(0)
        while here != start:
            ring.append(here)
            ways = edges[here]
            following = max(ways, key=lambda way: _turn(ring[-2], here, way)) if len(ways) > 1 else ways[0]
            ways.remove(following)
            here = following
        ring.append(start)
        edges = defaultdict(list, {k: v for k, v in edges.items() if v})
        found.append(ring)
    return found


def to_degrees(points: np.ndarray, longitude: float, latitude: float) -> np.ndarray:
    """Kilometres east and north of a centre → degrees (WGS-84, flat-earth approximation, good to 0.5 % at 80 km)."""
    per_degree = 111.32
    return np.stack(
        [
            longitude + points[..., 0] / (per_degree * math.cos(math.radians(latitude))),
            latitude + points[..., 1] / per_degree,
        ],
        axis=-1,
    ).round(4)


def geometry(cells: set[tuple[int, int]], nodes: np.ndarray) -> dict[str, object]:
    """The GeoJSON geometry of a set of cells; `nodes` in degrees."""
    outer, holes = [], []
    for ring in rings(cells):
        points = [nodes[row, column].tolist() for column, row in ring]
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
        (outer if area > 0 else holes).append(points)
    if len(outer) == 1:
        return {"type": "Polygon", "coordinates": [outer[0], *holes]}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in outer]}
