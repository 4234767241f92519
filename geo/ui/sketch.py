"""A small drawing of one unit with its candidates: SVG, shown as an image, so that nothing in it can run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.city import City
from geo.publish.reasons import number_text
from geo.schemas import WGS84
from geo.ui.colours import colour

_WIDTH, _HEIGHT, _MARGIN = 520, 340, 26
#: Blues (ColorBrewer) for the land within five limits, and the width of each in their legend.
_NEAR_TO_FAR, _STEP = ("#4292c6", "#6baed6", "#9ecae1", "#c6dbef", "#deebf7"), 34
_GROUND, _UNIT, _BORDER, _INK = "#e6e9ee", "#ffffff", "#8c94a3", "#1b1f27"
_THIN = f'stroke="{_BORDER}" stroke-width="0.6"'


def draw_unit(
    city: City,
    unit_id: str,
    *,
    shares: pd.Series[Any],
    roles: Mapping[str, str],
    lang: str,
    isochrones: gpd.GeoDataFrame | None = None,
    minutes_text: str = "{} min",
) -> str:
    """Return the unit as an SVG image, north up.

    Parameters
    ----------
    city : City
    unit_id : str
    shares : pandas.Series
        Place on the ramp of colours, 0 to 1, of the unit's candidates, by site_id.
    roles : mapping of str to str
        Role, one of :data:`geo.schemas.ROLES`, by site_id of the sites that are proposed.
    lang : {"vi", "en", "fr"}
    isochrones : geopandas.GeoDataFrame, optional
        Rows of the unit from :func:`geo.study.isochrones.unit_isochrones`, drawn under the buildings.
    minutes_text : str
        Label of the largest limit in their legend; ``{}`` stands for the minutes.
    """
    frame = _Frame(city.units.geometry[unit_id].bounds)
    neighbours = city.units.cx[frame.west : frame.east, frame.south : frame.north].drop(index=unit_id)
    points = city.sites.geometry[shares.index]
    ordered = sorted(shares.index, key=lambda site: site in roles)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f'<rect width="100%" height="100%" fill="{_GROUND}"/>',
        *(_area(frame, shape, fill="#f0f2f5", width=0.8) for shape in neighbours.geometry),
        _area(frame, city.units.geometry[unit_id], fill=_UNIT, width=2),
        *(_reached(frame, isochrones, minutes_text) if isochrones is not None else ()),
        *(_sign(*frame.place(points[site]), role=roles.get(site, ""), fill=colour(shares[site])) for site in ordered),
        _scale_bar(frame, lang),
        "</svg>",
    ]
    return "".join(parts)


def _reached(frame: _Frame, isochrones: gpd.GeoDataFrame, text: str) -> Iterator[str]:
    """Yield the land within each limit, the farthest first, and what the colours stand for."""
    limits = sorted(isochrones["limit_min"].unique())
    colours = dict(zip(limits, _NEAR_TO_FAR, strict=False))
    for limit, shape in sorted(zip(isochrones["limit_min"], isochrones.geometry, strict=True), reverse=True):
        yield f'<path d="{frame.path(shape)}" fill="{colours[limit]}" stroke="none" fill-rule="evenodd"/>'
    for number, limit in enumerate(limits):
        x = _WIDTH - 12 - _STEP * (len(limits) - number)
        label = text.format(f"{limit:g}") if number == len(limits) - 1 else f"{limit:g}"
        yield f'<rect x="{x - 4}" y="{_HEIGHT - 34}" width="{_STEP}" height="9" fill="{colours[limit]}" {_THIN}/>'
        yield f'<text x="{x}" y="{_HEIGHT - 12}" font-family="sans-serif" font-size="12" fill="{_INK}">{label}</text>'


def draw_findings(city: City, findings: pd.DataFrame, *, lang: str) -> str:
    """Return the units with a mark at every finding's place, as an SVG image: the larger, the more land in doubt.

    Parameters
    ----------
    city : City
    findings : pandas.DataFrame
        Rows of the table :class:`~geo.schemas.Audit`, the worst first; those without a place are left out.
    lang : {"vi", "en", "fr"}
    """
    frame = _Frame(tuple(city.units.total_bounds))
    placed = findings[findings["lon"].notna()].iloc[::-1]
    points = gpd.GeoSeries(gpd.points_from_xy(placed["lon"], placed["lat"]), crs=WGS84).to_crs(city.crs)
    radius = (3 * np.sqrt(placed["at_stake_km2"])).clip(1.5, 12)
    marks = zip(points, radius, placed["severity"], strict=True)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f'<rect width="100%" height="100%" fill="{_GROUND}"/>',
        *(_area(frame, shape, fill=_UNIT, width=0.6) for shape in city.units.geometry),
        *(_mark(*frame.place(point), r=r, grave=severity == "breach") for point, r, severity in marks),
        _scale_bar(frame, lang),
        "</svg>",
    ]
    return "".join(parts)


def _mark(x: float, y: float, *, r: float, grave: bool) -> str:
    """Return a red diamond for a breach, a purple disc for a notice."""
    look = f'stroke="{_INK}" stroke-width="0.7" fill-opacity="0.7"'
    if not grave:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="#9b4dca" {look}/>'
    half = 1.4 * r
    d = f"M{x:.1f},{y - half:.1f}l{half:.1f},{half:.1f}l{-half:.1f},{half:.1f}l{-half:.1f},{-half:.1f}z"
    return f'<path d="{d}" fill="#c1121f" {look}/>'


class _Frame:
    """From metres to pixels: the unit fills the picture, up to a margin."""

    def __init__(self, bounds: tuple[float, float, float, float]) -> None:
        west, south, east, north = bounds
        self.metres = max((east - west) / (_WIDTH - 2 * _MARGIN), (north - south) / (_HEIGHT - 2 * _MARGIN))
        self.west = (west + east - _WIDTH * self.metres) / 2
        self.east = self.west + _WIDTH * self.metres
        self.south = (south + north - _HEIGHT * self.metres) / 2
        self.north = self.south + _HEIGHT * self.metres

    def place(self, point: shapely.Point) -> tuple[float, float]:
        return (point.x - self.west) / self.metres, (self.north - point.y) / self.metres

    def path(self, shape: shapely.Geometry) -> str:
        rings = []
        for polygon in shapely.get_parts(shapely.simplify(shape, self.metres)):
            for ring in (polygon.exterior, *polygon.interiors):
                xy = (shapely.get_coordinates(ring) - [self.west, self.north]) / [self.metres, -self.metres]
                rings.append("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in xy) + "z")
        return "".join(rings)


def _area(frame: _Frame, shape: shapely.Geometry, *, fill: str, width: float) -> str:
    return (
        f'<path d="{frame.path(shape)}" fill="{fill}" stroke="{_BORDER}" stroke-width="{width}" fill-rule="evenodd"/>'
    )


def _sign(x: float, y: float, *, role: str, fill: str) -> str:
    """Return the sign of a site: the same shapes as on the city's map."""
    r = 9.0 if role else 4.5
    shapes = {
        "all_functions": f"M{x - r:.1f},{y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z",
        "committee_one_stop": f"M{x:.1f},{y - 1.35 * r:.1f}l{1.35 * r},{1.35 * r}l{-1.35 * r},{1.35 * r}"
        f"l{-1.35 * r},{-1.35 * r}z",
        "party_council": f"M{x:.1f},{y - 1.3 * r:.1f}l{1.3 * r},{2.34 * r}h{-2.6 * r}z",
    }
    ring = f'stroke="{_INK}" stroke-width="{2.4 if role else 0.7}"'
    if role not in shapes:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{fill}" {ring}/>'
    return f'<path d="{shapes[role]}" fill="{fill}" {ring}/>'


def _scale_bar(frame: _Frame, lang: str) -> str:
    """Return a bar of a round length, about a fifth of the picture."""
    wanted = _WIDTH * frame.metres / 5
    digits = int(np.floor(np.log10(wanted)))
    metres = max(step * 10.0**digits for step in (1, 2, 5) if step * 10.0**digits <= wanted)
    length, y = metres / frame.metres, _HEIGHT - 12
    label = f"{number_text(metres / 1000, lang=lang, decimals=max(0, 3 - digits))} km"
    return (
        f'<path d="M12,{y - 5}v5h{length:.1f}v-5" fill="none" stroke="{_INK}" stroke-width="1.5"/>'
        f'<text x="{18 + length:.1f}" y="{y}" font-family="sans-serif" font-size="12" fill="{_INK}">{label}</text>'
    )
