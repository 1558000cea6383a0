"""A map for paper: places coloured by value, each with its name and text, unknown ones hatched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline

from quanmin.services.briefs.brief import MapOf
from quanmin.services.briefs.charts import GREY, INK, WIDTH, drawn, shortened
from quanmin.services.briefs.contents import NOTHING, Words, number

Ring = np.ndarray[Any, np.dtype[np.float64]]


def rings_of(geometry: Mapping[str, object]) -> list[list[Ring]]:
    """The polygons of a GeoJSON Polygon or MultiPolygon, each as its rings (the outer one first) of shape (points, 2); other kinds have none.

    Source: RFC 7946, 3.1.6 and 3.1.7.
    """
    parts: Any = geometry.get("coordinates", [])
    if geometry.get("type") == "Polygon":
        parts = [parts]
    elif geometry.get("type") != "MultiPolygon":
        return []
    return [[np.asarray(ring, dtype=float)[:, :2] for ring in polygon if len(ring) > 3] for polygon in parts if polygon and len(polygon[0]) > 3]


def middle(ring: Ring) -> tuple[float, float, float]:
    """A ring's centroid and area (shoelace formula); the mean of its points where it has no area."""
    x, y = ring[:, 0], ring[:, 1]
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    area = float(cross.sum()) / 2
    if abs(area) < 1e-12:
        return float(x.mean()), float(y.mean()), 0.0
    return float(((x[:-1] + x[1:]) * cross).sum() / (6 * area)), float(((y[:-1] + y[1:]) * cross).sum() / (6 * area)), abs(area)


def _shape(polygons: list[list[Ring]]) -> Outline:
    rings = [ring for polygon in polygons for ring in polygon]
    codes = [code for ring in rings for code in (Outline.MOVETO, *[Outline.LINETO] * (len(ring) - 2), Outline.CLOSEPOLY)]
    return Outline(np.concatenate(rings), codes)


def readable(fill: tuple[float, float, float, float]) -> str:
    """The letters' colour with the greater contrast on `fill` (red, green, blue, alpha between 0 and 1). Source: WCAG 2.2, relative luminance."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in fill[:3])
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"


def map_picture(given: MapOf, words: Words, form: str) -> bytes:
    """The map as svg or png; degrees are drawn with the aspect of its middle latitude."""
    shapes = {name: rings for name, geometry in given.outlines.items() if (rings := rings_of(geometry))}
    corners = [ring for polygons in shapes.values() for polygon in polygons for ring in polygon]
    points = np.concatenate(corners) if corners else np.array([[0.0, 0.0], [1.0, 1.0]])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    stretch = 1 / max(math.cos(math.radians((south + north) / 2)), 0.1)
    known = [value for name in shapes if (value := given.values.get(name)) is not None]
    scale = Normalize(min(known, default=0.0), max(known, default=1.0) if len(set(known)) > 1 else min(known, default=0.0) + 1)
    colours = ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.1, 0.8, 256)))

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_axis_off()
        for name, polygons in shapes.items():
            value = given.values.get(name)
            look: dict[str, Any] = {"facecolor": "white", "hatch": "////"} if value is None else {"facecolor": colours(float(scale(value)))}
            axes.add_patch(PathPatch(_shape(polygons), edgecolor=GREY, linewidth=0.8, **look))
        for name, polygons in shapes.items():
            x, y, _ = max((middle(polygon[0]) for polygon in polygons), key=lambda found: found[2])
            value = given.values.get(name)
            text = given.texts.get(name) or (number(value) if value is not None else NOTHING)
            colour = INK if value is None else readable(colours(float(scale(value))))
            behind = None if value is not None else {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
            axes.text(x, y, f"{shortened(name, 16)}\n{text}", ha="center", va="center", fontsize=8, color=colour, linespacing=1.25,
                      bbox=behind)
        axes.set_xlim(west - (east - west) * 0.02, east + (east - west) * 0.02)
        axes.set_ylim(south - (north - south) * 0.02, north + (north - south) * 0.02)
        axes.set_aspect(stretch)
        if known:
            strip = figure.colorbar(matplotlib.cm.ScalarMappable(Normalize(scale.vmin, scale.vmax), colours), ax=axes, shrink=0.6, aspect=22, pad=0.02)
            strip.set_label(given.unit)
            strip.outline.set_visible(False)
            if len(set(known)) == 1:
                strip.set_ticks([known[0]])
        if len(known) < len(shapes):
            figure.legend(handles=[Patch(facecolor="white", edgecolor=GREY, hatch="////", label=words["no_data"])], loc="outside lower right", frameon=False)

    height = (WIDTH - 1.1) * (north - south) * stretch / max(east - west, 1e-9)
    return drawn(paint, min(max(height, 2.6), 6.2), form)
