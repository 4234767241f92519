"""What lies on top of the streets: ferries, motorways that pass over them, and two deliberate oddities."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.demo.graph import Graph, node_roads
from geo.demo.roads import CLASS_ORDER, Road, rows_of, to_metric

_INTERCHANGES = ("trunk", "primary", "secondary")
_LINK_M = 400.0
_NEAR_NODE_M = 9.0  # a crossing this close to a junction is that junction
_ISLET_ROWS_M = (50.0, 135.0, 220.0)
_ISLET_COLUMNS = 5


def add_ferries(
    graph: Graph, roads: list[Road], *, ferries: pd.DataFrame, islands: gpd.GeoSeries
) -> tuple[Graph, list[Road]]:
    """Return graph and roads with each ferry between the nodes of island and mainland next to its landing.

    Parameters
    ----------
    ferries : pandas.DataFrame
        Columns ``name``, ``lon``, ``lat`` (the mainland's landing), ``duration_min``.
    islands : geopandas.GeoSeries
        The island of every row.
    """
    roads = list(roads)
    extra = []
    for row, island in zip(rows_of(ferries), islands, strict=True):
        on = shapely.contains_xy(island, graph.xy)
        landing = to_metric([row.lon], [row.lat])[0]
        mainland, island_rows = np.flatnonzero(~on), np.flatnonzero(on)
        tail = mainland[np.argmin(np.linalg.norm(graph.xy[mainland] - landing, axis=1))]
        head = island_rows[np.argmin(np.linalg.norm(graph.xy[island_rows] - graph.xy[tail], axis=1))]
        extra.append({"tail": tail, "head": head, "road": len(roads), "rank": CLASS_ORDER.index("ferry")})
        line = shapely.LineString(graph.xy[[tail, head]])
        roads.append(Road(line=line, highway="ferry", name=row.name, minutes=float(row.duration_min)))
    return _with_edges(graph, extra), roads


def _with_edges(graph: Graph, extra: list[dict[str, int]], xy: NDArray[np.float64] | None = None) -> Graph:
    nodes = graph.xy if xy is None else np.vstack([graph.xy, xy])
    return Graph(xy=nodes, edges=pd.concat([graph.edges, pd.DataFrame(extra)], ignore_index=True))


def add_motorways(
    graph: Graph, roads: list[Road], motorways: list[Road], *, water: shapely.Geometry
) -> tuple[Graph, list[Road]]:
    """Return graph and roads with the motorways, joined to the big roads they cross and passing over all others.

    Their loose ends are joined to a big road near by, on dry land.
    """
    rank = graph.edges["rank"].to_numpy()
    big = np.flatnonzero(np.isin(rank, [CLASS_ORDER.index(name) for name in _INTERCHANGES]))
    ends = graph.xy[graph.edges[["tail", "head"]].to_numpy()[big]]
    under = [Road(line=line, highway="primary") for line in shapely.linestrings(ends)]
    over = node_roads([*motorways, *under], merge=False)
    mine = over.edges["road"] < len(motorways)
    upper = over.edges[mine]
    crossings = np.intersect1d(upper[["tail", "head"]], over.edges.loc[~mine, ["tail", "head"]])
    graph, at = _split_at(graph, over.xy[crossings], big)
    used = np.unique(upper[["tail", "head"]])
    fresh = np.setdiff1d(used, crossings)
    row = np.full(len(over.xy), -1)
    row[crossings] = at
    row[fresh] = len(graph.xy) + np.arange(len(fresh))
    ends_of = row[upper[["tail", "head"]].to_numpy()].tolist()
    edges = [
        {"tail": tail, "head": head, "road": road + len(roads), "rank": level}
        for (tail, head), (road, level) in zip(ends_of, upper[["road", "rank"]].to_numpy().tolist(), strict=True)
    ]
    ramps = _ramps(graph, over, _loose_ends(upper, crossings), water)
    link = CLASS_ORDER.index("motorway_link")
    first = len(roads) + len(motorways)
    links = [
        {"tail": int(row[end]), "head": node, "road": first + i, "rank": link} for i, (end, node) in enumerate(ramps)
    ]
    link_roads = [
        Road(line=shapely.LineString([over.xy[end], graph.xy[node]]), highway="motorway_link") for end, node in ramps
    ]
    joined = _with_edges(graph, _without_doubles(edges + links, graph), over.xy[fresh])
    return joined, [*roads, *motorways, *link_roads]


def _without_doubles(edges: list[dict[str, int]], graph: Graph) -> list[dict[str, int]]:
    """Return the edges without loops and without those between two nodes that are joined already."""
    taken = set(map(tuple, np.sort(graph.edges[["tail", "head"]].to_numpy(), axis=1).tolist()))
    kept = []
    for edge in edges:
        ends = tuple(sorted((edge["tail"], edge["head"])))
        if ends[0] != ends[1] and ends not in taken:
            taken.add(ends)
            kept.append(edge)
    return kept


def _split_at(
    graph: Graph, places: NDArray[np.float64], candidates: NDArray[np.int64]
) -> tuple[Graph, NDArray[np.int64]]:
    """Return the graph with a node at every place, which lies on one of the candidate edges, and those nodes."""
    ends = graph.edges[["tail", "head"]].to_numpy()
    lines = shapely.linestrings(graph.xy[ends[candidates]])
    nearest = candidates[shapely.STRtree(lines).nearest(shapely.points(places))]
    at = np.empty(len(places), np.int64)
    extra: list[dict[str, int]] = []
    xy: list[NDArray[np.float64]] = []
    for edge in np.unique(nearest):
        tail, head = ends[edge]
        on = np.flatnonzero(nearest == edge)
        on = on[np.argsort(np.linalg.norm(places[on] - graph.xy[tail], axis=1))]
        chain = [int(tail)]
        for i in on:
            close = [n for n in (tail, head) if np.linalg.norm(places[i] - graph.xy[n]) <= _NEAR_NODE_M]
            at[i] = close[0] if close else len(graph.xy) + len(xy)
            if not close:
                xy.append(places[i])
                chain.append(int(at[i]))
        row = graph.edges.loc[edge]
        steps = zip(chain, [*chain[1:], int(head)], strict=True)
        extra += [{"tail": a, "head": b, "road": int(row["road"]), "rank": int(row["rank"])} for a, b in steps]
    kept = Graph(xy=graph.xy, edges=graph.edges.drop(index=np.unique(nearest).tolist()))
    return _with_edges(kept, extra, np.array(xy).reshape(-1, 2)), at


def _loose_ends(upper: pd.DataFrame, crossings: NDArray[np.int64]) -> NDArray[np.int64]:
    ends, count = np.unique(upper[["tail", "head"]], return_counts=True)
    return np.setdiff1d(ends[count == 1], crossings)


def _ramps(graph: Graph, over: Graph, loose: NDArray[np.int64], water: shapely.Geometry) -> list[tuple[int, int]]:
    """Return the loose ends of the motorways, each with the nearest node of a big road that is reached on dry land."""
    ranks = [CLASS_ORDER.index(name) for name in _INTERCHANGES]
    nodes = np.unique(graph.edges.loc[graph.edges["rank"].isin(ranks), ["tail", "head"]])
    distance, near = cKDTree(graph.xy[nodes]).query(over.xy[loose], k=12)
    ramps: list[tuple[int, int]] = []
    for end, gaps, candidates in zip(loose, distance, nodes[near], strict=True):
        for gap, node in zip(gaps, candidates, strict=True):
            line = shapely.LineString([over.xy[end], graph.xy[node]])
            if gap < _LINK_M and not line.intersects(water):
                ramps.append((int(end), int(node)))
                break
    return ramps


def add_oddities(graph: Graph, roads: list[Road], *, facts: Path, rivers: gpd.GeoDataFrame) -> tuple[Graph, list[Road]]:
    """Return graph and roads with the islet and the one-way trap of ``oddities.csv``."""
    for row in rows_of(pd.read_csv(facts / "oddities.csv")):
        place = to_metric([row.lon], [row.lat])[0]
        if row.kind == "island":
            graph, roads = _add_islet(graph, roads, row.name, place, rivers)
        else:
            graph, roads = _add_trap(graph, roads, row.name, place, float(row.size_m))
    return graph, roads


def _add_islet(
    graph: Graph, roads: list[Road], name: str, place: NDArray[np.float64], rivers: gpd.GeoDataFrame
) -> tuple[Graph, list[Road]]:
    """Lay paths between the middle of the nearest river and its bank, on the side where `place` is."""
    gaps = rivers.geometry.distance(shapely.Point(place))
    river = rivers.geometry[gaps.idxmin()]
    along = river.project(shapely.Point(place))
    rows = []
    for column in range(_ISLET_COLUMNS):
        here = along + 130.0 * (column - _ISLET_COLUMNS / 2)
        middle, ahead = (shapely.get_coordinates(river.interpolate(d))[0] for d in (here, here + 10.0))
        step = (ahead - middle) / np.linalg.norm(ahead - middle)
        normal = np.array([-step[1], step[0]])
        side = np.sign(np.dot(place - middle, normal)) or 1.0
        rows.append([middle + side * d * normal for d in _ISLET_ROWS_M])
    xy = np.array(rows).reshape(-1, 2)
    index = len(graph.xy) + np.arange(len(xy)).reshape(_ISLET_COLUMNS, len(_ISLET_ROWS_M))
    pairs = np.vstack(
        [
            np.column_stack([index[:-1].ravel(), index[1:].ravel()]),
            np.column_stack([index[:, :-1].ravel(), index[:, 1:].ravel()]),
        ]
    )
    return _add_lanes(graph, roads, name, xy, pairs, oneway=False)


def _add_trap(
    graph: Graph, roads: list[Road], name: str, place: NDArray[np.float64], size_m: float
) -> tuple[Graph, list[Road]]:
    """Hang a one-way loop on the nearest dead end that has room for it."""
    ends = graph.edges[["tail", "head"]].to_numpy()
    degree = np.bincount(ends.ravel(), minlength=len(graph.xy))
    lines = shapely.STRtree(shapely.linestrings(graph.xy[ends]))
    dead = np.flatnonzero(degree == 1)
    for node in dead[np.argsort(np.linalg.norm(graph.xy[dead] - place, axis=1))]:
        edge = np.flatnonzero((ends == node).any(axis=1))[0]
        out = graph.xy[node] - graph.xy[ends[edge].sum() - node]
        out /= np.linalg.norm(out)
        across = np.array([-out[1], out[0]])
        steps = ((0.4, 0.0), (0.7, 0.3), (1.0, 0.0), (0.7, -0.3))
        xy = np.array([graph.xy[node] + size_m * (a * out + b * across) for a, b in steps])
        if not len(lines.query(shapely.LineString([graph.xy[node] + 5 * out, *xy]).buffer(10), "intersects")):
            break
    first = len(graph.xy)
    pairs = np.array(
        [[node, first], [first, first + 1], [first + 1, first + 2], [first + 2, first + 3], [first + 3, first]]
    )
    return _add_lanes(graph, roads, name, xy, pairs, oneway=True)


def _add_lanes(
    graph: Graph, roads: list[Road], name: str, xy: NDArray[np.float64], pairs: NDArray[np.int64], *, oneway: bool
) -> tuple[Graph, list[Road]]:
    highway = "residential"
    nodes = np.vstack([graph.xy, xy])
    extra: list[dict[str, int]] = []
    lanes: list[Road] = []
    for tail, head in pairs.tolist():
        rank = CLASS_ORDER.index(highway)
        extra.append({"tail": tail, "head": head, "road": len(roads) + len(lanes), "rank": rank})
        line = shapely.LineString(nodes[[tail, head]])
        lanes.append(Road(line=line, highway=highway, name=name, oneway=oneway, odd=True))
    return _with_edges(graph, extra, xy), [*roads, *lanes]
