"""Read the road network of a data folder, whatever form it has."""

from __future__ import annotations

from pathlib import Path

from geo.schemas import RoadNetwork
from geo.sources.osm import read_osm
from geo.sources.overpass import read_overpass

#: How the name of a file ends that can be read.
SUFFIXES = (".osm.pbf", ".json")


def read_network(path: Path) -> RoadNetwork:
    """Return the network of an extract (``.osm.pbf``) or of an answer of Overpass (``.json``).

    Raises
    ------
    InputError
        As :func:`~geo.sources.osm.read_osm` and :func:`~geo.sources.overpass.read_overpass`.
    """
    return read_overpass(path) if path.name.lower().endswith(".json") else read_osm(path)
