"""The length of the shortest way by road, from the people to the sites: the engine asked for metres, not seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.constants import kmh

from geo.params import AccessParams
from geo.progress import Progress
from geo.schemas import RoadNetwork
from geo.travel.access import ways_to_sites
from geo.travel.network import TravelGraph

#: A metre counts as a tenth of a second, so the engine counts millimetres and a way may be 2,000 km long.
_S_PER_M = 0.1
_KM_PER_MIN = 60 / _S_PER_M / 1000
_OFF_ROAD_KMH = 1 / (_S_PER_M * kmh)
_LONGEST_KM = 2_000.0


def compute_distances(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    minutes: Mapping[str, NDArray[np.float64]],
    graph: TravelGraph | None,
    network: RoadNetwork | None,
    params: AccessParams,
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return the length of the shortest way from every demand point to every candidate of its unit.

    The shortest way, not the quickest: it may take smaller streets. Ferries count with their length, and the way
    between a building and the road it joins as the crow flies.

    Parameters
    ----------
    demand, sites : geopandas.GeoDataFrame
        As given to :func:`~geo.travel.access.ways_to_sites`.
    minutes : mapping of str to ndarray of float64, shape (n_demand, n_sites)
        By unit_id, as that found them; infinite where there is no way.
    graph : TravelGraph or None
        Of ``params.mode``; an arc whose seconds are infinite is closed. None where there is no road.
    network : RoadNetwork or None
        That the graph was built from.
    params : AccessParams
    cache_dir : pathlib.Path, optional
        Folder that keeps the network's hierarchy from run to run.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_demand, n_sites)
        Kilometres by unit_id, in the shape of `minutes`; infinite where those are, for the same reason.
    """
    if graph is not None and network is not None:
        seconds = np.where(np.isfinite(graph.seconds), _S_PER_M * network.length_m[graph.segment], np.inf)
        graph = replace(graph, seconds=seconds)
    # Not validated on purpose: these are no speeds and minutes that a user may set.
    metres = params.model_copy(update={"off_road_kmh": _OFF_ROAD_KMH, "cutoff_min": _LONGEST_KM / _KM_PER_MIN})
    found = ways_to_sites(
        demand, sites, graph, metres, unit_ids=pd.Index(list(minutes)), progress=progress, cache_dir=cache_dir
    )
    return {
        unit_id: np.where(np.isfinite(by_time), _KM_PER_MIN * found[unit_id].minutes, np.inf)
        for unit_id, by_time in minutes.items()
    }
