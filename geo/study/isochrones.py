"""The isochrones of a plan: what land lies within so many minutes of its sites."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import geopandas as gpd
import numpy as np

from geo.plan import Plan
from geo.progress import Progress
from geo.settings import Settings
from geo.study.people import reception_sites
from geo.travel.isochrones import LIMITS_MIN, MOST_OFF_ROAD_M, draw_isochrones, lay_ground
from geo.travel.network import TravelGraph
from geo.travel.standing import standing_of

#: Isochrones leave the city, but a country's roads are not looked at for that.
_BEYOND_CITY_M = 10_000.0


def unit_isochrones(
    plan: Plan,
    *,
    unit_ids: Collection[str] | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return the land of each unit from where its citizens arrive within some minutes, at the nearer of its sites.

    Service points do not count, only the sites where the plan's parameters let the unit's citizens be received.

    Parameters
    ----------
    plan : Plan
    unit_ids : collection of str, optional
        Only these; all units if left out.
    settings : Settings, optional
        Names the folder that keeps the network's hierarchy and the ground.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``unit_id``, ``name``, ``limit_min`` (:data:`~geo.travel.isochrones.LIMITS_MIN`), ``area_km2``,
        ``area_share`` (of the unit) and ``geometry`` in the city's CRS; the units in their order, without those that
        have no site. No row where the city has no roads.
    """
    wanted = plan.units.index if unit_ids is None else plan.units.index.intersection(list(unit_ids), sort=False)
    groups = {unit_id: reception_sites(plan, unit_id) for unit_id in wanted}
    frame = _drawn(plan, {name: sites for name, sites in groups.items() if sites}, True, settings, progress)
    frame = frame.rename(columns={"id": "unit_id"})
    frame.insert(1, "name", plan.units["name"].reindex(frame["unit_id"]).to_numpy())
    own_km2 = plan.city.units.geometry.area.reindex(frame["unit_id"]).to_numpy() / 1e6
    frame.insert(4, "area_share", frame["area_km2"] / own_km2)
    return frame


def site_isochrones(
    plan: Plan, *, settings: Settings | None = None, progress: Progress | None = None
) -> gpd.GeoDataFrame:
    """Return all the land from where one arrives within some minutes at each chosen site, whatever unit it lies in.

    Parameters are those of :func:`unit_isochrones`, without `unit_ids`.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``site_id``, ``unit_id``, ``limit_min``, ``area_km2`` and ``geometry`` in the city's CRS; the sites in
        their order. No row where the city has no roads.
    """
    chosen = plan.sites.index[plan.sites["chosen"]]
    frame = _drawn(plan, {site: (site,) for site in chosen}, False, settings, progress)
    frame = frame.rename(columns={"id": "site_id"})
    frame.insert(1, "unit_id", plan.sites["unit_id"].reindex(frame["site_id"]).to_numpy())
    return frame


def _drawn(
    plan: Plan,
    groups: Mapping[str, Sequence[str]],
    own_land: bool,
    settings: Settings | None,
    progress: Progress | None,
) -> gpd.GeoDataFrame:
    city, access, settings = plan.city, plan.params.access, settings or Settings()
    if city.network is None or not groups:
        columns = ["id", "limit_min", "area_km2", "geometry"]
        return gpd.GeoDataFrame({name: [] for name in columns}, geometry="geometry", crs=city.crs)
    if progress is not None:
        progress("isochrones", 0.0)
    standing = standing_of(city.network, city.sites, access, crs=city.crs)
    graph = standing.under(access).graph
    ground = lay_ground(graph, _bounds(plan, graph), cache_dir=settings.cache_dir)
    return draw_isochrones(
        graph, ground, city.sites.geometry, groups, access, snaps=standing.snaps,
        land=city.units.geometry if own_land else None, limits_min=LIMITS_MIN, cache_dir=settings.cache_dir,
        progress=progress,
    )  # fmt: skip


def _bounds(plan: Plan, graph: TravelGraph) -> tuple[float, float, float, float]:
    """Return the box around the roads and around the city with its surroundings, whichever is nearer on each side."""
    city = plan.city.units.total_bounds + np.array([-1, -1, 1, 1]) * _BEYOND_CITY_M
    roads = np.concatenate([graph.xy.min(axis=0) - 2 * MOST_OFF_ROAD_M, graph.xy.max(axis=0) + 2 * MOST_OFF_ROAD_M])
    low, high = np.maximum(city[:2], roads[:2]), np.minimum(city[2:], roads[2:])
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
