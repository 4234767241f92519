"""Service points beside the headquarters: a citizen is received at the site of the unit or at the nearest point.

The branches of the public administrative service centre take the files of anybody in the city, so their travel times
run from the people of every unit to every point, over the boundaries of units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.params import AccessParams
from geo.progress import Progress
from geo.schemas import WGS84
from geo.travel.access import TravelTimes, ways_to_sites
from geo.travel.network import TravelGraph


def minutes_to_points(
    times: TravelTimes,
    points: Mapping[str, tuple[float, float]],
    graph: TravelGraph | None,
    params: AccessParams,
    *,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return the minutes from the people of each unit to every service point.

    Parameters
    ----------
    times : TravelTimes
        Whose people, and whose units.
    points : mapping of str to (float, float)
        Longitude and latitude of each point, degrees.
    graph : TravelGraph or None
    params : AccessParams
    progress, cache_dir
        As :func:`~geo.travel.access.ways_to_sites` takes them.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_demand, n_points)
        By unit_id, in the order of `points`; infinite where a point is not reached, as in a unit without a network.
    """
    if not points:
        return {unit_id: np.empty((len(unit.population), 0)) for unit_id, unit in times.units.items()}
    sites, unit_ids = points_as_sites(times, points), pd.Index(list(times.units))
    found = ways_to_sites(times.demand, sites, graph, params, unit_ids=unit_ids, progress=progress, cache_dir=cache_dir)
    return {unit_id: block.minutes for unit_id, block in found.items()}


def nearest_minutes(minutes: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the minutes to the point nearest by time, infinite where there is none; from :func:`minutes_to_points`."""
    return {unit_id: to_points.min(axis=1, initial=np.inf) for unit_id, to_points in minutes.items()}


def points_as_sites(times: TravelTimes, points: Mapping[str, tuple[float, float]]) -> gpd.GeoDataFrame:
    """Return every service point as a site of every unit: columns ``unit_id`` and ``geometry``, CRS of the people.

    Parameters are those of :func:`minutes_to_points`; the points of a unit keep their order.
    """
    lon, lat = zip(*points.values(), strict=True)
    places = gpd.GeoSeries(gpd.points_from_xy(lon, lat, crs=WGS84)).to_crs(times.demand.crs)
    every = np.tile(np.arange(len(points)), len(times.units))
    unit_id = np.repeat(np.array(list(times.units), dtype=object), len(points))
    return gpd.GeoDataFrame(
        {"unit_id": unit_id},
        geometry=places.iloc[every].to_numpy(),
        index=[f"{unit} {point}" for unit, point in zip(unit_id, every, strict=True)],
        crs=times.demand.crs,
    )


def with_points(times: TravelTimes, nearest: Mapping[str, NDArray[np.float64]]) -> TravelTimes:
    """Return the times to the nearer of each site and the nearest service point.

    Parameters
    ----------
    times : TravelTimes
    nearest : mapping of str to ndarray of float64, shape (n_demand,)
        From :func:`nearest_minutes`.
    """
    units = {}
    for unit_id, unit in times.units.items():
        minutes = np.minimum(unit.minutes, nearest[unit_id][:, None])
        reason = np.where(np.isfinite(minutes), 0, unit.reason).astype(np.uint8)
        units[unit_id] = replace(unit, minutes=minutes, reason=reason)
    return replace(times, units=units)
