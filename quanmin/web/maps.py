"""Maps: outlines as they are registered, and a map of values by county, drawn by static/maps.js."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quanmin.web.view import View
from quanmin.web.words import word

DRAWN = ("Polygon", "MultiPolygon")
Point = tuple[float, float]


def outlines(view: View) -> dict[str, dict[str, Any]]:
    """County code → GeoJSON geometry (degrees, WGS-84); none where no boundary is registered or can be read."""
    def read() -> dict[str, dict[str, Any]]:
        found = {row["code"]: _geometry(row["boundary"]) for row in view.outlines() if row["level"] == "county" and row["boundary"]}
        return {code: geometry for code, geometry in found.items() if geometry is not None}

    return view.remembered("county geometries", read, "")


def township_outlines(view: View, county: str) -> dict[str, dict[str, Any]]:
    """Township code → GeoJSON geometry of a county's; none where no boundary is registered."""
    found = {row["code"]: _geometry(row["boundary"]) for row in view.township_outlines(county) if row["boundary"]}
    return {code: geometry for code, geometry in found.items() if geometry is not None}


def _geometry(text: str) -> dict[str, Any] | None:
    """The polygon in a GeoJSON text (a geometry, or a feature with one); None where there is none."""
    try:
        data = json.loads(text)
        data = data.get("geometry") if data.get("type") == "Feature" else data
        rings = data["coordinates"] if data["type"] == "MultiPolygon" else [data["coordinates"]]
        lines = [ring for part in rings for ring in part]
        is_drawn = [len(ring) > 3 and all(isinstance(n, int | float) for point in ring for n in point[:2]) for ring in lines]
        is_whole = data["type"] in DRAWN and bool(lines) and all(is_drawn)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return {"type": data["type"], "coordinates": data["coordinates"]} if is_whole else None


def points(view: View) -> dict[str, Point]:
    """Code of a county or city → its point (longitude, latitude in degrees): the registered one, else the middle of its outline."""
    found = {row["code"]: (row["longitude"], row["latitude"]) for row in view.outlines() if row["longitude"] is not None and row["latitude"] is not None}
    return {code: _middle(geometry) for code, geometry in outlines(view).items()} | found


def _middle(geometry: Mapping[str, Any]) -> Point:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    ring = max((part[0] for part in parts), key=len)
    return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)


def map_chart(view: View, values: Mapping[str, float | None], texts: Mapping[str, str] | None = None, verdicts: Mapping[str, str] | None = None,
              unit: str = "", links: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """A chart of kind `map`: counties shaded by value; None where no outline is registered.

    By county code: `values` in `unit` (None = not known), `texts` as shown, `verdicts` met, missed, bounds or "", `links` where a click leads.
    """
    shapes, names = outlines(view), view.place_names()
    if not shapes:
        return None
    shown = {code: values.get(code) for code in shapes}
    return {
        "kind": "map", "outlines": shapes, "points": {code: point for code, point in points(view).items() if code in shapes},
        "names": {code: names.get(code, code) for code in shapes}, "values": {code: None if v is None else float(v) for code, v in shown.items()},
        "texts": {code: (texts or {}).get(code, "") for code in shapes}, "verdicts": {code: (verdicts or {}).get(code, "") for code in shapes},
        "unit": unit, "links": dict(links or {}), "words": {"no_data": word("no_data")},
    }
