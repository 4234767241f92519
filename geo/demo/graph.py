"""From crossing lines to a graph: shared nodes, thinning that keeps everything connected, one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree

from geo.demo.roads import CLASS_ORDER, Road, random_of

GRID_M = 0.5
_SHORT_M = 9.0
_RANK = {name: rank for rank, name in enumerate(CLASS_ORDER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes and straight edges between them.

    Attributes
    ----------
    xy : ndarray of float64, shape (n_nodes, 2)
        In :data:`geo.demo.roads.MODEL_CRS`.
    edges : pandas.DataFrame
        Columns ``tail``, ``head`` (rows of `xy`), ``road`` (index of the road the edge is part of) and ``rank``
        (of its class, 0 is the highest).
    """

    xy: NDArray[np.float64]
    edges: pd.DataFrame

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Length of every edge in metres."""
        step = self.xy[self.edges["tail"]] - self.xy[self.edges["head"]]
        return np.asarray(np.linalg.norm(step, axis=1))

    def lines(self) -> NDArray[np.object_]:
        """Return every edge as a line."""
        return np.asarray(shapely.linestrings(self.xy[self.edges[["tail", "head"]].to_numpy()]))

    def labels(self) -> NDArray[np.int64]:
        """Return the connected component of every node, directions apart."""
        return components(len(self.xy), self.edges["tail"].to_numpy(), self.edges["head"].to_numpy())


def components(
    n_nodes: int, tail: NDArray[np.int64], head: NDArray[np.int64], *, strong: bool = False
) -> NDArray[np.int64]:
    """Return the connected component of every node."""
    matrix = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n_nodes, n_nodes)).tocsr()
    found = connected_components(matrix, directed=strong, connection="strong" if strong else "weak")
    return np.asarray(found[1])


def node_roads(roads: Sequence[Road], *, merge: bool = True) -> Graph:
    """Return the graph of `roads`, with a node wherever two of them meet or cross.

    Where several share a stretch the highest class keeps it, and among equals the first one.

    Parameters
    ----------
    roads : sequence of Road
    merge : bool
        Contract edges too short to be blocks.
    """
    lines = np.array([road.line for road in roads], dtype=object)
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=GRID_M))
    coords, piece = shapely.get_coordinates(pieces, return_index=True)
    same = piece[1:] == piece[:-1]
    starts, ends = coords[:-1][same], coords[1:][same]
    xy, index = np.unique(np.round(np.vstack([starts, ends]) / GRID_M).astype(np.int64), axis=0, return_inverse=True)
    ends_of = index.reshape(2, -1)
    edges = pd.DataFrame({"tail": ends_of[0], "head": ends_of[1], "road": _owner(lines, roads, starts, ends)})
    edges["rank"] = [_RANK[roads[i].highway] for i in edges["road"]]
    graph = Graph(xy=xy.astype(np.float64) * GRID_M, edges=edges)
    return _merge_close(graph) if merge else compact(graph)


def _owner(
    lines: NDArray[np.object_], roads: Sequence[Road], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the road that each edge is part of."""
    middle = shapely.points((starts + ends) / 2)
    edge, road = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=2 * GRID_M)
    rank = np.array([_RANK[r.highway] for r in roads])[road]
    order = np.lexsort((road, rank, edge))
    edge, road = edge[order], road[order]
    first = np.unique(edge, return_index=True)[1]
    if len(first) != len(starts):
        raise AssertionError("an edge lies on no road")
    return np.asarray(road[first])


def _merge_close(graph: Graph) -> Graph:
    """Contract edges too short to be blocks; the node of the higher class keeps its place."""
    tail, head = graph.edges["tail"].to_numpy(), graph.edges["head"].to_numpy()
    short = graph.length_m < _SHORT_M
    group = components(len(graph.xy), tail[short], head[short])
    best = np.full(len(graph.xy), len(CLASS_ORDER))
    np.minimum.at(best, tail, graph.edges["rank"])
    np.minimum.at(best, head, graph.edges["rank"])
    order = np.lexsort((np.arange(len(best)), best, group))
    keeper = np.empty(group.max() + 1, np.int64)
    _, first = np.unique(group[order], return_index=True)
    keeper = order[first]
    edges = graph.edges.assign(tail=keeper[group[tail]], head=keeper[group[head]])
    return compact(Graph(xy=graph.xy, edges=edges))


def compact(graph: Graph) -> Graph:
    """Return the graph without loops, double edges and unused nodes, in a canonical order."""
    edges = graph.edges[graph.edges["tail"] != graph.edges["head"]]
    low = edges[["tail", "head"]].min(axis=1).rename("low")
    high = edges[["tail", "head"]].max(axis=1).rename("high")
    keyed = edges.assign(low=low, high=high).sort_values(["low", "high", "rank", "road"], kind="stable")
    edges = keyed.drop_duplicates(["low", "high"])[["tail", "head", "road", "rank"]]
    used, index = np.unique(edges[["tail", "head"]].to_numpy().ravel(), return_inverse=True)
    ends = index.reshape(-1, 2)
    edges = edges.assign(tail=ends[:, 0], head=ends[:, 1]).reset_index(drop=True)
    return Graph(xy=graph.xy[used], edges=edges)


def uncross(graph: Graph) -> Graph:
    """Drop the lower of two edges that cross without a node, as moving nodes a little can make them."""
    lines = graph.lines()
    one, other = shapely.STRtree(lines).query(lines, predicate="crosses")
    rank = graph.edges["rank"].to_numpy()
    lower = np.where(rank[one] > rank[other], one, np.where(rank[one] < rank[other], other, np.maximum(one, other)))
    return compact(Graph(xy=graph.xy, edges=graph.edges.drop(index=np.unique(lower).tolist())))


def join_pieces(graph: Graph, *, water: shapely.Geometry, limit_m: float) -> Graph:
    """Tie every stray piece to the rest by its shortest dry link up to `limit_m`; drop what cannot be tied."""
    lane = CLASS_ORDER.index("residential")
    road = int(graph.edges.loc[graph.edges["rank"] == lane, "road"].iloc[0])
    for _ in range(12):
        labels = graph.labels()
        main = int(np.bincount(labels).argmax())
        if (labels == main).all():
            return graph
        links = _links(graph, labels, main, water, limit_m)
        if not links:
            break
        extra = pd.DataFrame([{"tail": a, "head": b, "road": road, "rank": lane} for a, b in links])
        graph = Graph(xy=graph.xy, edges=pd.concat([graph.edges, extra], ignore_index=True))
    labels = graph.labels()
    main = int(np.bincount(labels).argmax())
    return compact(Graph(xy=graph.xy, edges=graph.edges[labels[graph.edges["tail"]] == main]))


def _links(
    graph: Graph, labels: NDArray[np.int64], main: int, water: shapely.Geometry, limit_m: float
) -> list[tuple[int, int]]:
    xy = graph.xy
    base = np.flatnonzero(labels == main)
    stray = np.flatnonzero(labels != main)
    distance, near = cKDTree(xy[base]).query(xy[stray], k=5)
    table = pd.DataFrame(
        {"label": labels[stray].repeat(5), "a": stray.repeat(5), "b": base[near.ravel()], "d": distance.ravel()}
    )
    table = table[table["d"] <= limit_m].sort_values(["label", "d", "a", "b"], kind="stable")
    lines = shapely.linestrings(xy[table[["a", "b"]].to_numpy()])
    over = np.unique(shapely.STRtree(graph.lines()).query(lines, predicate="crosses")[0])
    clear = ~shapely.intersects(water, lines)
    clear[over] = False
    dry = table[clear].drop_duplicates("label")
    return [(int(a), int(b)) for a, b in dry[["a", "b"]].to_numpy()]


def thin(graph: Graph, *, drop: dict[int, float], fixed: NDArray[np.bool_], key: str) -> Graph:
    """Drop edges at random by the rank of their class, but never one of a spanning tree.

    Parameters
    ----------
    drop : dict of int to float
        Share dropped, by rank; ranks that are not named stay.
    fixed : ndarray of bool, shape (n_edges,)
        Edges that stay.
    key : str
        Seed.
    """
    rng = random_of("thin", key)
    dice = rng.random(len(graph.edges))
    rank = graph.edges["rank"].to_numpy()
    weight = np.where(np.isin(rank, list(drop)), 1 + dice, 0.5)
    tail, head = graph.edges["tail"].to_numpy(), graph.edges["head"].to_numpy()
    tree = minimum_spanning_tree(coo_array((weight, (tail, head)), shape=(len(graph.xy),) * 2).tocsr()).tocoo()
    kept = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    needed = np.fromiter(((t, h) in kept for t, h in zip(tail, head, strict=True)), bool, len(tail))
    gone = rng.random(len(graph.edges)) < pd.Series(rank).map(drop).fillna(0.0).to_numpy()
    return Graph(xy=graph.xy, edges=graph.edges[needed | fixed | ~gone].reset_index(drop=True))


def prune_spurs(graph: Graph, *, shorter_m: float) -> Graph:
    """Drop dead ends that are too short to be alleys."""
    degree = np.bincount(graph.edges[["tail", "head"]].to_numpy().ravel(), minlength=len(graph.xy))
    dead = (degree[graph.edges["tail"]] == 1) | (degree[graph.edges["head"]] == 1)
    return compact(Graph(xy=graph.xy, edges=graph.edges[~(dead & (graph.length_m < shorter_m))]))
