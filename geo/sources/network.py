"""Read the road network of a data folder, whatever form it has."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo.errors import Fault
from geo.schemas import WGS84, RoadNetwork
from geo.sources.osm import read_osm
from geo.sources.overpass import read_overpass

#: How the name of a file ends that can be read.
SUFFIXES = (".osm.pbf", ".json")
_SHOWN_COMMUNES = 10


def read_network(path: Path) -> RoadNetwork:
    """Return the network of an extract (``.osm.pbf``) or of an answer of Overpass (``.json``).

    Raises
    ------
    InputError
        As :func:`~geo.sources.osm.read_osm` and :func:`~geo.sources.overpass.read_overpass`.
    """
    return read_overpass(path) if path.name.lower().endswith(".json") else read_osm(path)


def notes_on_coverage(network: RoadNetwork, communes: gpd.GeoDataFrame) -> tuple[Fault, ...]:
    """Return a note where the roads lie elsewhere than the communes, or leave some of them out.

    Parameters
    ----------
    network : RoadNetwork
    communes : geopandas.GeoDataFrame
        Index commune_id; column ``name``; any CRS.
    """
    points = shapely.points(network.lon, network.lat)
    found, _ = shapely.STRtree(points).query(communes.geometry.to_crs(WGS84).to_numpy(), predicate="intersects")
    without = communes["name"].drop(communes.index[np.unique(found)])
    if without.empty:
        return ()
    if len(without) == len(communes):
        value = f"{np.median(network.lon):.3f}, {np.median(network.lat):.3f}"
        return (Fault(key="roads_elsewhere", severity="warning", file="network/", value=value),)
    listed = ", ".join(f"{name} ({key})" for key, name in without.iloc[:_SHOWN_COMMUNES].items())
    more = ", …" if len(without) > _SHOWN_COMMUNES else ""
    values = {"n": str(len(without)), "total": str(len(communes)), "communes": listed + more}
    return (Fault(key="roads_partial", severity="warning", file="network/", values=values),)
