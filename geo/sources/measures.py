"""Flag figures in another unit of measure than their column says, places that are rough, and false projections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.schemas import WGS84
from geo.sources.boundaries import Part
from geo.sources.faultlog import FaultLog
from geo.sources.places import Layer

#: The median building of an inventory has at least these square metres; as many hectares no building has.
_LEAST_M2 = 5.0
#: The median tells from this many figures on.
_ENOUGH = 3
#: Rounding makes a usable area larger than the floor area by this share at most.
_ROUNDED = 0.01
#: A building may stand so far from the commune that it is said to belong to; of Hanoi's 903 none stands 0.6 km away.
_AWAY_M = 2000.0
#: Degrees with so many decimals tell a place to 1 km.
_ROUGH_DECIMALS = 2
_SAME_NUMBER = 1e-9
#: A projection whose areas are off by more than this share is no metric one here.
_DISTORTED = 0.05


def note_building_areas(inventory: Part | None, log: FaultLog) -> None:
    """Note areas of buildings that are no square metres, and usable areas larger than the floor they are part of."""
    if inventory is None:
        return
    frame, headers = inventory.frame, inventory.frame.attrs["headers"]
    for name in ("floor_area_m2", "usable_area_m2"):
        areas = frame[name].dropna()
        if len(areas) >= _ENOUGH and areas.median() < _LEAST_M2:
            where: dict[str, Any] = {"file": inventory.raw.file, "column": headers[name]}
            log.add("area_tiny", **where, value=f"{areas.median():.4g}", least=f"{_LEAST_M2:g}")
    larger = frame["usable_area_m2"] > frame["floor_area_m2"] * (1 + _ROUNDED)
    for i in np.flatnonzero(larger):
        log.warn(
            "area_usable_larger",
            file=inventory.raw.file,
            row=inventory.raw.rows[i],
            column=headers["usable_area_m2"],
            value=f"{frame['usable_area_m2'].iloc[i]:g}",
            floor=f"{frame['floor_area_m2'].iloc[i]:g}",
        )


def note_fractions(parts: Iterable[Part | None], log: FaultLog) -> None:
    """Note files whose people come in fractions: they may be thousands of people, or a model's."""
    for part in parts:
        if part is None:
            continue
        people = part.frame["population"]
        broken = np.flatnonzero((people.notna() & (people % 1 != 0)).to_numpy())
        if len(broken):
            where: dict[str, Any] = {"file": part.raw.file, "row": part.raw.rows[broken[0]]}
            header = part.frame.attrs["headers"]["population"]
            value = f"{people.iloc[broken[0]]:.10g}"
            log.warn(
                "people_fractions", **where, column=header, value=value, n=len(broken), total=f"{people.sum():.6g}"
            )


def note_distortion(crs: pyproj.CRS, communes: Layer, *, file: str, log: FaultLog) -> None:
    """Note a declared metric system in which areas where the communes lie are far from the true ones."""
    middle = np.median(communes.points(), axis=0)
    scale = _areal_scale(crs, *middle)
    if not abs(scale - 1) <= _DISTORTED:
        off = f"{scale:.2f}" if np.isfinite(scale) else "∞"
        log.add("crs_distorts", file=file, column="metric_crs", value=crs.to_string(), scale=off)


def _areal_scale(crs: pyproj.CRS, lon: float, lat: float) -> float:
    """Return how many times larger areas are in `crs` than on the ground; infinite where it has no such place."""
    try:
        return float(pyproj.Proj(crs).get_factors(lon, lat).areal_scale)
    except pyproj.exceptions.ProjError:
        return float("inf")


def note_strays(inventory: Part, communes: Part, *, crs: pyproj.CRS, log: FaultLog) -> None:
    """Note buildings that stand far from the commune that the inventory gives them."""
    assert inventory.layer is not None
    assert communes.layer is not None
    known = {key: i for i, key in enumerate(communes.frame["commune_id"]) if isinstance(key, str)}
    own = np.array([known.get(key, -1) for key in inventory.frame["commune_id"]], dtype=int)
    places = inventory.layer.geometry
    on_earth = (own >= 0) & (np.abs(shapely.get_y(places)) <= 90)  # a swapped pair is told elsewhere
    rows = np.flatnonzero(on_earth)
    points, polygons = (
        gpd.GeoSeries(geometry, crs=WGS84).to_crs(crs).to_numpy()
        for geometry in (places[rows], communes.layer.geometry[own[rows]])
    )
    usable = np.isfinite(shapely.bounds(points)).all(axis=1) & ~shapely.is_missing(polygons)
    away_m = np.full(len(own), np.nan)
    away_m[rows[usable]] = shapely.distance(points[usable], polygons[usable])
    for i in np.flatnonzero(away_m > _AWAY_M):
        log.warn(
            "building_astray",
            file=inventory.raw.file,
            row=inventory.raw.rows[i],
            column=inventory.layer.columns,
            value=f"{places[i].x:.10g}, {places[i].y:.10g}",
            km=f"{away_m[i] / 1000:.1f}",
            commune=f"{communes.frame['name'].iloc[own[i]]} ({inventory.frame['commune_id'].iloc[i]})",
        )


def note_rough_places(inventory: Part, log: FaultLog) -> None:
    """Note an inventory whose coordinates are all rounded to 1 km or more."""
    assert inventory.layer is not None
    degrees = shapely.get_coordinates(inventory.layer.geometry[~shapely.is_missing(inventory.layer.geometry)])
    if inventory.layer.columns == "geometry" or len(degrees) < _ENOUGH:
        return
    if np.abs(degrees - degrees.round(_ROUGH_DECIMALS)).max() < _SAME_NUMBER:
        log.warn("places_rough", file=inventory.raw.file, column=inventory.layer.columns, decimals=_ROUGH_DECIMALS)
