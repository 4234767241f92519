"""The pieces that a road network falls into for one mode: the main one, islands, and one-way traps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from geo.schemas import RoadNetwork
from geo.travel.network import TravelGraph

#: What a piece is to the main one: it can be entered and not left, left and not entered, neither, or nothing joins it.
KINDS = ("main", "no_way_out", "no_way_in", "passed_by", "island")


def find_pieces(graph: TravelGraph, network: RoadNetwork) -> pd.DataFrame:
    """Return every piece of the network that the mode of `graph` can use, the longest first.

    Nodes are of one piece when roads join them and they are of one kind, so a one-way cul-de-sac is one piece however
    many nodes it has. A long piece that is not the main one is nearly always a mistake of the map, or its edge.

    Parameters
    ----------
    graph : TravelGraph
    network : RoadNetwork
        The one that `graph` was built from.

    Returns
    -------
    pandas.DataFrame
        Index 0, 1, 2, ... Columns ``kind`` (one of :data:`KINDS`), ``road_km`` (of the segments inside and of those
        to another piece), ``n_nodes``, ``lived_in`` (points join it before looking further), ``lon`` and
        ``lat`` (degrees, an end of its longest segment).
    """
    kind = _kinds(graph)
    same = kind[graph.tail] == kind[graph.head]
    n_nodes = len(graph.xy)
    inside = csr_array((np.ones(same.sum(), np.int8), (graph.tail[same], graph.head[same])), shape=(n_nodes, n_nodes))
    piece = connected_components(inside, connection="weak")[1]
    used = np.flatnonzero(graph.component >= 0)
    nodes = pd.DataFrame({"piece": piece[used], "lived_in": graph.settled[used], "node": used}).groupby("piece")
    roads = _roads(graph, network, piece, kind).groupby("piece")
    table = pd.DataFrame({"n_nodes": nodes.size(), "lived_in": nodes["lived_in"].any()})
    table["road_km"] = roads["km"].sum().reindex(table.index, fill_value=0.0)
    node = roads["node"].first().reindex(table.index).fillna(nodes["node"].first()).to_numpy(np.int64)
    table["kind"] = np.array(KINDS, object)[kind[node]]
    table["lon"], table["lat"] = network.lon[node], network.lat[node]
    table = table.sort_values(["road_km", "lon", "lat"], ascending=[False, True, True], ignore_index=True)
    return table[["kind", "road_km", "n_nodes", "lived_in", "lon", "lat"]]


def _roads(graph: TravelGraph, network: RoadNetwork, piece: NDArray[np.int32], kind: NDArray[np.int64]) -> pd.DataFrame:
    """Return length, piece and an end of every segment that the mode may use, the longest first.

    A segment between two pieces counts for the one that it leaves, but for the main one never.
    """
    segment, first = np.unique(graph.segment, return_index=True)
    tail, head = graph.tail[first], graph.head[first]
    node = np.where(kind[tail] == KINDS.index("main"), head, tail)
    rows = pd.DataFrame({"piece": piece[node], "km": network.length_m[segment] / 1000, "node": node})
    return rows.sort_values(["km", "node"], ascending=[False, True])


def _kinds(graph: TravelGraph) -> NDArray[np.int64]:
    """Return the position in :data:`KINDS` of every node."""
    n_nodes, start = len(graph.xy), int(np.flatnonzero(graph.component == graph.main)[0])
    ways = csr_array((np.ones(len(graph.tail), np.int8), (graph.tail, graph.head)), shape=(n_nodes, n_nodes))
    reached, returns = np.zeros(n_nodes, bool), np.zeros(n_nodes, bool)
    reached[breadth_first_order(ways, start, return_predecessors=False)] = True
    returns[breadth_first_order(ways.T.tocsr(), start, return_predecessors=False)] = True
    return np.select([reached & returns, reached, returns, graph.island], (0, 1, 2, 4), default=3)
