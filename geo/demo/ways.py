"""From the graph to OSM ways, and the ``.osm.pbf`` file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import osmium.osm.mutable as osm
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.demo.graph import Graph, components
from geo.demo.roads import MODEL_CRS, Road, rows_of
from geo.schemas import WGS84

#: Kept in the file's header, so that every reader sees that no road of it was surveyed.
GENERATOR = "truso build-demo (modelled)"
#: Decimals of a degree that a node keeps, as in OSM.
DECIMALS = 7
_RIVER_TAGS = {"source": "modelled", "waterway": "river"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoNetwork:
    """The network as it is written.

    Attributes
    ----------
    nodes : pandas.DataFrame
        Columns ``lon``, ``lat`` (EPSG:4326). The OSM id of a node is its row + 1.
    ways : pandas.DataFrame
        Columns ``nodes`` (list of rows of `nodes`) and ``tags`` (dict). The OSM id is the row + 1.
    edges : geopandas.GeoDataFrame
        The straight pieces that belong to the connected network, to place buildings at, in
        :data:`geo.demo.roads.MODEL_CRS`. Columns ``highway``, ``name``, ``geometry``.
    """

    nodes: pd.DataFrame
    ways: pd.DataFrame
    edges: gpd.GeoDataFrame


def make_ways(graph: Graph, roads: list[Road]) -> DemoNetwork:
    """Return nodes, ways and edges of the graph; nodes are numbered from west to east within strips of latitude."""
    graph = _renumber(_aligned(graph, roads))
    both_ways = _unlocked(graph, roads)
    ways = []
    for number, chain in _chains(graph):
        road = roads[number]
        ways.append({"nodes": chain, "tags": _tags(road, oneway=road.oneway and number not in both_ways)})
    lonlat = gpd.GeoSeries(shapely.points(graph.xy), crs=MODEL_CRS).to_crs(WGS84)
    degrees = np.round(shapely.get_coordinates(lonlat.to_numpy()), DECIMALS)
    return DemoNetwork(
        nodes=pd.DataFrame(degrees, columns=["lon", "lat"]), ways=pd.DataFrame(ways), edges=_edges(graph, roads)
    )


def add_rivers(network: DemoNetwork, rivers: gpd.GeoDataFrame) -> DemoNetwork:
    """Return the network with the rivers of :func:`geo.demo.roads.read_rivers` as ways behind all others."""
    coords, river = shapely.get_coordinates(rivers.geometry.to_crs(WGS84).to_numpy(), return_index=True)
    nodes = pd.DataFrame(np.round(coords, DECIMALS), columns=["lon", "lat"])
    rows = len(network.nodes) + np.arange(len(nodes))
    ways = [
        {"nodes": rows[river == number].tolist(), "tags": {"name": f"Sông {name}", **_RIVER_TAGS}}
        for number, name in enumerate(rivers.index)
    ]
    return DemoNetwork(
        nodes=pd.concat([network.nodes, nodes], ignore_index=True),
        ways=pd.concat([network.ways, pd.DataFrame(ways)], ignore_index=True),
        edges=network.edges,
    )


def _aligned(graph: Graph, roads: list[Road]) -> Graph:
    """Return the graph with every edge in the direction of its road, and along it in order."""
    edges = graph.edges
    lines = np.array([road.line for road in roads], dtype=object)[edges["road"]]
    tail = shapely.line_locate_point(lines, shapely.points(graph.xy[edges["tail"]]))
    head = shapely.line_locate_point(lines, shapely.points(graph.xy[edges["head"]]))
    swap = head < tail
    edges = edges.assign(
        tail=np.where(swap, edges["head"], edges["tail"]),
        head=np.where(swap, edges["tail"], edges["head"]),
        along=np.minimum(tail, head),
    )
    return Graph(xy=graph.xy, edges=edges.sort_values(["road", "along", "tail", "head"], ignore_index=True))


def _renumber(graph: Graph) -> Graph:
    """Return the graph with neighbours close in number, which keeps the file small."""
    used = np.unique(graph.edges[["tail", "head"]])
    strip = np.floor(graph.xy[used, 1] / 400.0)
    order = used[np.lexsort((graph.xy[used, 1], graph.xy[used, 0], strip))]
    row = np.full(len(graph.xy), -1)
    row[order] = np.arange(len(order))
    edges = graph.edges.assign(tail=row[graph.edges["tail"]], head=row[graph.edges["head"]])
    return Graph(xy=graph.xy[order], edges=edges)


def _unlocked(graph: Graph, roads: list[Road]) -> set[int]:
    """Return the one-way roads that must be open both ways, lest somebody is locked in or out by accident."""
    oneway = np.array([road.oneway for road in roads])[graph.edges["road"]]
    odd = np.array([road.odd for road in roads])[graph.edges["road"]]
    closed = np.array([road.highway == "motorway" for road in roads])[graph.edges["road"]]
    opened: set[int] = set()
    while True:
        back = ~oneway | graph.edges["road"].isin(opened).to_numpy()
        tail, head = graph.edges["tail"].to_numpy(), graph.edges["head"].to_numpy()
        use, turn = ~closed, ~closed & back
        strong = components(
            len(graph.xy), np.concatenate([tail[use], head[turn]]), np.concatenate([head[use], tail[turn]]), strong=True
        )
        locked = ~back & ~odd & (strong[tail] != strong[head])
        if not locked.any():
            return opened
        opened |= set(graph.edges.loc[locked, "road"])


def _chains(graph: Graph) -> list[tuple[int, list[int]]]:
    """Return for every unbroken stretch of a road its number and its nodes."""
    chains: list[tuple[int, list[int]]] = []
    for road, tail, head in graph.edges[["road", "tail", "head"]].to_numpy().tolist():
        if chains and chains[-1][0] == road and chains[-1][1][-1] == tail:
            chains[-1][1].append(head)
        else:
            chains.append((road, [tail, head]))
    return chains


def _tags(road: Road, *, oneway: bool) -> dict[str, str]:
    tags = {"source": "modelled"}
    if road.highway == "ferry":
        hours, minutes = divmod(round(road.minutes), 60)
        tags |= {"route": "ferry", "duration": f"{hours:02d}:{minutes:02d}", "foot": "yes", "motor_vehicle": "yes"}
    else:
        tags["highway"] = road.highway
    if road.name:
        tags["name"] = road.name
    if road.ref:
        tags["ref"] = road.ref
    if road.highway == "service":
        tags["service"] = "alley"
    if road.bridge:
        tags |= {"bridge": "yes", "layer": "1"}
    if "no cars" in road.carries:
        tags |= {"motorcar": "no", "motorcycle": "yes", "foot": "yes"}
    if road.highway == "motorway_link":
        tags["layer"] = "1"
    if road.highway == "motorway":
        # One line for both carriageways, above the streets it crosses without a node.
        tags |= {"oneway": "no", "motorcycle": "no", "foot": "no", "layer": "1"}
    if oneway:
        tags["oneway"] = "yes"
    return dict(sorted(tags.items()))


def _edges(graph: Graph, roads: list[Road]) -> gpd.GeoDataFrame:
    owner = graph.edges["road"].to_numpy()
    usable = np.array(
        [r.highway not in ("motorway", "motorway_link", "ferry") and not (r.bridge or r.odd) for r in roads]
    )
    kept = usable[owner]
    lines = shapely.linestrings(graph.xy[graph.edges[["tail", "head"]].to_numpy()[kept]])
    columns: dict[str, Any] = {
        "highway": np.array([r.highway for r in roads], dtype=object)[owner[kept]],
        "name": np.array([r.name for r in roads], dtype=object)[owner[kept]],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=MODEL_CRS)


def write_network(network: DemoNetwork, path: Path) -> None:
    """Write the network as ``.osm.pbf``; the same network gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    header.add_box(_box(network.nodes[["lon", "lat"]].to_numpy()))
    target = osmium.io.File(str(path), "pbf,pbf_dense_nodes=true,add_metadata=none")
    with osmium.SimpleWriter(target, header=header, overwrite=True) as writer:
        for row, (lon, lat) in enumerate(network.nodes.to_numpy().tolist(), start=1):
            writer.add_node(osm.Node(id=row, location=(lon, lat)))
        for row, way in enumerate(rows_of(network.ways), start=1):
            writer.add_way(osm.Way(id=row, nodes=[n + 1 for n in way.nodes], tags=way.tags))


def _box(lonlat: NDArray[np.float64]) -> osmium.osm.Box:
    (west, south), (east, north) = lonlat.min(axis=0), lonlat.max(axis=0)
    return osmium.osm.Box(float(west), float(south), float(east), float(north))
