"""Lay a scenario over a network that stays the same: other speeds, closed bridges and zones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.constants import kmh

from geo.profile import HIGHWAY_CLASSES, Mode, Restriction, Scenario
from geo.schemas import WGS84, RoadNetwork
from geo.travel.network import TravelGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A scenario on a network.

    Attributes
    ----------
    graph : TravelGraph
        The same nodes, arcs and components with other seconds; infinite where closed.
    idle : tuple of str
        Names of the restrictions that hold for the mode and the day, and touch no road.
    """

    graph: TravelGraph
    idle: tuple[str, ...]


def apply_scenario(
    graph: TravelGraph, network: RoadNetwork, scenario: Scenario, *, mode: str, crs: pyproj.CRS
) -> Applied:
    """Return `graph` with the seconds that it takes under `scenario`.

    ``seconds' = max(seconds / factor, length / max_kmh)``, so nothing but a factor above 1 shortens a way. A factor on
    a ferry counts for crossing and wait together. What has no length, a barrier, is closed by what it joins alone.

    Parameters
    ----------
    graph : TravelGraph
        Of `mode`, from `network`.
    network : RoadNetwork
    scenario : Scenario
    mode : str
        One of :data:`geo.params.MODES`.
    crs : pyproj.CRS
        Metric CRS of the graph.
    """
    factors = scenario.speed_factors.get(cast("Mode", mode), {})
    factor = np.array([factors.get(name, 1.0) for name in HIGHWAY_CLASSES])[graph.highway[graph.segment]]
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds = np.where(graph.seconds > 0, graph.seconds / factor, 0.0)
    idle = []
    for restriction in scenario.restrictions:
        if not restriction.holds(mode, on=scenario.on):
            continue
        touched = _touched(graph, restriction, crs)[graph.segment]
        if not touched.any():
            idle.append(restriction.name)
        speed_m_s = restriction.max_kmh * kmh
        length_m = network.length_m[graph.segment[touched]]
        least = length_m / speed_m_s if speed_m_s else np.where(length_m > 0, np.inf, 0.0)
        seconds[touched] = np.maximum(seconds[touched], least)
    return Applied(graph=replace(graph, seconds=seconds), idle=tuple(idle))


def _touched(graph: TravelGraph, restriction: Restriction, crs: pyproj.CRS) -> NDArray[np.bool_]:
    """Return the segments that a restriction holds."""
    area = _area(restriction, crs)
    ends = graph.xy[graph.segment_ends]
    low, high = ends.min(axis=1), ends.max(axis=1)
    west, south, east, north = shapely.bounds(area)
    near = np.flatnonzero(((low <= [east, north]) & (high >= [west, south])).all(axis=1))
    if restriction.ring:
        held = shapely.contains_xy(area, ends[near].mean(axis=1))
    else:
        held = shapely.dwithin(shapely.linestrings(ends[near]), shapely.centroid(area), restriction.radius_m)
    touched = np.zeros(len(ends), bool)
    touched[near[held]] = True
    if restriction.classes:
        touched &= np.isin(graph.highway, [HIGHWAY_CLASSES.index(name) for name in restriction.classes])
    return touched


def _area(restriction: Restriction, crs: pyproj.CRS) -> shapely.Geometry:
    """Return the ring without its edge, or the square around the disc, in `crs`."""
    if restriction.ring:
        shape: shapely.Geometry = shapely.Polygon(restriction.ring)
        margin = -restriction.edge_open_m
    else:
        shape, margin = shapely.Point(restriction.lon, restriction.lat), restriction.radius_m
    metric = gpd.GeoSeries([shape], crs=WGS84).to_crs(crs).iloc[0]
    return metric.buffer(margin, cap_style="square", join_style="mitre")
