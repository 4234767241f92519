"""The roads of one mode with every building on them, kept in memory: what no network profile changes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import geopandas as gpd
import numpy as np
import pyproj

from geo.params import AccessParams
from geo.profile import digest_of
from geo.schemas import RoadNetwork
from geo.travel.network import Snap, TravelGraph, build_graph, snap
from geo.travel.scenario import Applied, apply_scenario

_KEPT_IN_MEMORY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The graph of one mode without any profile, and where the sites join it.

    Attributes
    ----------
    network : RoadNetwork
    sites : geopandas.GeoDataFrame
    crs : pyproj.CRS
    graph : TravelGraph
    snaps : Snap
        Of the sites, in their order.
    """

    network: RoadNetwork
    sites: gpd.GeoDataFrame
    crs: pyproj.CRS
    graph: TravelGraph
    snaps: Snap

    def under(self, params: AccessParams) -> Applied:
        """Return the graph with the seconds that it takes under the profile of `params`, and what of that is idle."""
        if params.scenario is None:
            return Applied(graph=self.graph, idle=())
        return apply_scenario(self.graph, self.network, params.scenario, mode=params.mode, crs=self.crs)


_kept: OrderedDict[tuple[int, int, str, str], Standing] = OrderedDict()
_kept_lock = Lock()


def standing_of(network: RoadNetwork, sites: gpd.GeoDataFrame, params: AccessParams, *, crs: pyproj.CRS) -> Standing:
    """Return the roads and the sites on them, from memory if the very same objects stood there before.

    Parameters
    ----------
    network : RoadNetwork
    sites : geopandas.GeoDataFrame
        In `crs`.
    params : AccessParams
        The profile in them does not matter.
    crs : pyproj.CRS
        Metric.

    Raises
    ------
    NetworkError
        No segment is open to the mode.
    """
    plain = params.model_copy(update={"scenario": None})
    key = (id(network), id(sites), str(crs), digest_of(plain))  # what is kept holds both, so no other gets their ids
    with _kept_lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    graph = build_graph(network, plain, crs=crs)
    snaps = snap(graph, np.asarray(sites.geometry), limit_m=plain.snap_limit_m)
    standing = Standing(network=network, sites=sites, crs=crs, graph=graph, snaps=snaps)
    with _kept_lock:
        _kept[key] = standing
        while len(_kept) > _KEPT_IN_MEMORY:
            _kept.popitem(last=False)
    return standing
