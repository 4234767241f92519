"""Read an OpenStreetMap extract (``.osm.pbf``, ``.osm``) into a RoadNetwork."""

from __future__ import annotations

import hashlib
from pathlib import Path

import osmium
import osmium.filter

from geo.errors import Fault, InputError
from geo.schemas import MODELLED, RoadNetwork
from geo.sources.segments import Node, Segments


def _filters() -> tuple[osmium.filter.EntityFilter, osmium.filter.KeyFilter, osmium.filter.KeyFilter]:
    """Return what keeps the rest of an extract from the loop in Python: other entities, nodes and ways."""
    nodes, ways = osmium.filter.KeyFilter("barrier"), osmium.filter.KeyFilter("highway", "route", "waterway")
    nodes.enable_for(osmium.osm.NODE)
    ways.enable_for(osmium.osm.WAY)
    return osmium.filter.EntityFilter(osmium.osm.NODE | osmium.osm.WAY), nodes, ways


def read_osm(path: Path) -> RoadNetwork:
    """Return the roads, paths, ferries and rivers of an extract.

    Which tags are read, and what holds where they are silent, stands in :mod:`geo.sources.tags`. A way that names nodes
    the extract lacks keeps the stretches between nodes that are there.

    Parameters
    ----------
    path : pathlib.Path
        ``.osm.pbf``, ``.osm`` or ``.osm.gz``.

    Raises
    ------
    InputError
        The file cannot be read to its end, is empty, or holds no road, or roads without their nodes.
    """
    segments = Segments()
    if path.stat().st_size == 0:
        raise InputError(Fault(key="pbf_empty", file=path.name))
    try:
        reader = osmium.FileProcessor(str(path)).with_locations()
        modelled = MODELLED in reader.header.get("generator", "")
        for asked in _filters():
            reader.with_filter(asked)
        for item in reader:
            if isinstance(item, osmium.osm.Way):
                segments.add_way(_runs(item), dict(item.tags))
            elif isinstance(item, osmium.osm.Node):
                segments.add_node(item.id, dict(item.tags))
    except (RuntimeError, UnicodeDecodeError) as error:
        raise InputError(Fault(key="pbf_unreadable", file=path.name, values={"detail": str(error)})) from error
    if not segments.tail:
        raise InputError(Fault(key="pbf_no_places" if segments.unplaced else "pbf_no_roads", file=path.name))
    return segments.network(modelled=modelled, digest=file_digest(path))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _runs(way: osmium.osm.Way) -> list[list[Node]]:
    """Return the stretches of the way whose nodes are all in the extract."""
    runs: list[list[Node]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.ref, node.location.lon, node.location.lat))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]
