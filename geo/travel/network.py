"""The travel-time graph of one mode on a road network. No input or output here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.constants import kmh
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.errors import Fault, NetworkError
from geo.params import HIGHWAY_CLASSES, MODES, SURFACES, AccessParams
from geo.schemas import RoadNetwork

FERRY = HIGHWAY_CLASSES.index("ferry")
_MOTORWAY = HIGHWAY_CLASSES.index("motorway")
#: A point this near to the line of a river stands on neither bank.
_ON_RIVER_M = 0.01
#: Classes whose speed is one on earth or gravel already.
_UNPAVED_CLASSES = ("track", "path")


@dataclass(frozen=True, kw_only=True)
class TravelGraph:
    """The directed graph of one mode, with travel times, and where one can join it.

    Attributes
    ----------
    xy : ndarray of float64, shape (n_nodes, 2)
        Node coordinates in the metric CRS.
    tail, head : ndarray of int64, shape (n_arcs,)
    seconds : ndarray of float64, shape (n_arcs,)
    segment : ndarray of int64, shape (n_arcs,)
        Segment of the RoadNetwork that the arc runs along.
    highway : ndarray of uint8, shape (n_segments,)
    segment_ends : ndarray of int32, shape (n_segments, 2)
        Nodes of every segment of the network, whether the mode may use it or not, in the direction it is drawn.
    spanning : ndarray of bool, shape (n_segments,)
        On a bridge or in a tunnel.
    rivers : ndarray of shapely LineStrings, shape (n_pieces,)
        Straight pieces of rivers and canals, which nobody crosses to get to a road.
    component : ndarray of int32, shape (n_nodes,)
        Strongly connected component; -1 for a node that the mode cannot reach at all.
    main : int
        The component with the most nodes.
    island : ndarray of bool, shape (n_nodes,)
        The node is not joined to the main component in either direction.
    settled : ndarray of bool, shape (n_nodes,)
        The node lies in the main component or in an island long enough to live on, so that points join there first.
    """

    xy: NDArray[np.float64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    seconds: NDArray[np.float64]
    segment: NDArray[np.int64]
    highway: NDArray[np.uint8]
    segment_ends: NDArray[np.int32]
    spanning: NDArray[np.bool_]
    rivers: NDArray[np.object_]
    component: NDArray[np.int32]
    main: int
    island: NDArray[np.bool_]
    settled: NDArray[np.bool_]

    @cached_property
    def joinable(self) -> NDArray[np.int64]:
        """First arc of every segment that a point may join.

        Left out are ferries, motorways, bridges, tunnels, and barriers, which have no length.
        """
        ends = self.xy[self.segment_ends]
        closed = np.isin(self.highway, (FERRY, _MOTORWAY)) | self.spanning | (ends[:, 0] == ends[:, 1]).all(axis=1)
        arcs = np.flatnonzero(~closed[self.segment])
        _, first = np.unique(self.segment[arcs], return_index=True)
        return arcs[first]

    @cached_property
    def _river_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.rivers)

    def across_river(self, starts: NDArray[np.object_], ends: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Return whether the straight line from each of `starts` to its end, points both, crosses a river."""
        places = np.stack([shapely.get_coordinates(starts), shapely.get_coordinates(ends)], axis=1)
        line, river = self._river_tree.query(shapely.linestrings(places), predicate="intersects")
        crossed = ~shapely.dwithin(starts[line], self.rivers[river], _ON_RIVER_M)
        across = np.zeros(len(starts), bool)
        across[line[crossed]] = True
        return across

    def lines(self, arcs: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return `arcs` as straight lines in the metric CRS."""
        ends = np.stack([self.xy[self.tail[arcs]], self.xy[self.head[arcs]]], axis=1)
        return np.asarray(shapely.linestrings(ends))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """Where points join a graph.

    Attributes
    ----------
    arc : ndarray of int64, shape (n_points,)
        Arc that the point joins, -1 where no road lies within the limit.
    fraction : ndarray of float64, shape (n_points,)
        Place on the arc, 0 at its tail and 1 at its head.
    distance_m : ndarray of float64, shape (n_points,)
        From the point to that place, as the crow flies; NaN where there is none.
    across_water : ndarray of bool, shape (n_points,)
        There is none because every road within the limit lies across a river.
    """

    arc: NDArray[np.int64]
    fraction: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    across_water: NDArray[np.bool_]


def build_graph(network: RoadNetwork, params: AccessParams, *, crs: pyproj.CRS) -> TravelGraph:
    """Return the graph of ``params.mode``.

    Parameters
    ----------
    network : RoadNetwork
    params : AccessParams
        Mode, speeds in km/h by highway class (0 closes it), ferry wait and the least length of a real island.
    crs : pyproj.CRS
        Metric CRS of the node coordinates.

    Raises
    ------
    NetworkError
        No segment is open to the mode.
    """
    tail, head, seconds, segment = _arcs(network, params)
    if not len(tail):
        raise NetworkError(Fault(key="network_no_mode", values={"mode": params.mode}))
    n_nodes = len(network.lon)
    adjacency = csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    used = np.zeros(n_nodes, bool)
    used[tail] = used[head] = True
    _, strong = connected_components(adjacency, connection="strong")
    _, weak = connected_components(adjacency, connection="weak")
    strong = np.where(used, strong, -1).astype(np.int32)
    main = int(np.bincount(strong[used]).argmax())
    island = used & (weak != weak[strong == main][0])
    points = shapely.get_coordinates(network.node_points(crs))
    return TravelGraph(
        xy=points,
        tail=tail,
        head=head,
        seconds=seconds,
        segment=segment,
        highway=network.highway,
        segment_ends=np.stack([network.tail, network.head], axis=1),
        spanning=network.spanning,
        rivers=network.river_lines(crs),
        component=strong,
        main=main,
        island=island,
        settled=(strong == main) | _long_islands(network, strong, island, params.min_island_km),
    )


def _arcs(
    network: RoadNetwork, params: AccessParams
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return tail, head, seconds and segment of every arc open to the mode, both directions."""
    speeds = params.speeds_kmh[params.mode]
    speed = np.array([speeds.get(name, 0.0) for name in HIGHWAY_CLASSES])[network.highway] * kmh
    speed *= _surface_factor(network, params)
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds = network.length_m / speed
    ferry = network.highway == FERRY
    seconds = np.where(ferry & ~np.isnan(network.duration_s), network.duration_s, seconds)
    wait_s = np.where(np.isnan(network.wait_s), 60 * params.ferry_wait_min, network.wait_s)
    seconds = np.where(ferry, seconds + wait_s, seconds)
    passable = (speed > 0) & (network.tail != network.head)
    bit = 2 * MODES.index(params.mode)
    along = np.flatnonzero(passable & (network.open_to >> bit & 1).astype(bool))
    against = np.flatnonzero(passable & (network.open_to >> (bit + 1) & 1).astype(bool))
    return (
        np.concatenate([network.tail[along], network.head[against]]).astype(np.int64),
        np.concatenate([network.head[along], network.tail[against]]).astype(np.int64),
        np.concatenate([seconds[along], seconds[against]]),
        np.concatenate([along, against]),
    )


def _surface_factor(network: RoadNetwork, params: AccessParams) -> NDArray[np.float64]:
    """Return the share of its class's speed that every segment keeps: less where it is worse than usual, never more."""
    factors = params.surface_factors[params.mode]
    factor = np.array([factors.get(name, 1.0) for name in SURFACES])
    usual = np.array([factors["unpaved" if name in _UNPAVED_CLASSES else "paved"] for name in HIGHWAY_CLASSES])
    share: NDArray[np.float64] = np.minimum(factor[network.surface] / usual[network.highway], 1.0)
    return np.where(network.surface == SURFACES.index("unknown"), 1.0, share)


def _long_islands(
    network: RoadNetwork, strong: NDArray[np.int32], island: NDArray[np.bool_], least_km: float
) -> NDArray[np.bool_]:
    """Return the island nodes whose component has at least `least_km` of road; the rest are loose ends of the map."""
    inside = (strong[network.tail] == strong[network.head]) & island[network.tail]
    components = strong[network.tail[inside]]
    length_km = np.bincount(components, network.length_m[inside], minlength=int(strong.max()) + 1) / 1000
    return island & (length_km[strong] >= least_km)


def snap(graph: TravelGraph, points: NDArray[np.object_], *, limit_m: float) -> Snap:
    """Join points to the nearest road within `limit_m` that a straight line reaches without crossing a river.

    Roads of the main component and of islands long enough to live on come first; only a point with none of them
    within the limit joins a one-way trap or a loose end. Equal distances fall to the lower arc number.

    Parameters
    ----------
    graph : TravelGraph
    points : ndarray of shapely Points, shape (n_points,)
        In the graph's metric CRS.
    limit_m : float
        Longest distance from a point to its road.
    """
    arc = np.full(len(points), -1, np.int64)
    near = np.zeros(len(points), bool)
    arcs = graph.joinable
    lived_in = graph.settled[graph.tail[arcs]] & (
        graph.component[graph.tail[arcs]] == graph.component[graph.head[arcs]]
    )
    for candidates in (arcs[lived_in], arcs[~lived_in]):
        left = np.flatnonzero(arc < 0)
        if len(candidates) and len(left):
            found = _join(graph, candidates, points[left], limit_m)
            arc[left], near[left] = found.arc, near[left] | found.near
    fraction, distance = np.full(len(points), np.nan), np.full(len(points), np.nan)
    joined = arc >= 0
    lines = graph.lines(arc[joined])
    fraction[joined] = shapely.line_locate_point(lines, points[joined], normalized=True)
    distance[joined] = shapely.distance(lines, points[joined])
    return Snap(arc=arc, fraction=fraction, distance_m=distance, across_water=near & ~joined)


class _Joined(NamedTuple):
    """The arc of each point, -1 where there is none, and whether one lies within the limit on whatever bank."""

    arc: NDArray[np.int64]
    near: NDArray[np.bool_]


def _join(graph: TravelGraph, candidates: NDArray[np.int64], points: NDArray[np.object_], limit_m: float) -> _Joined:
    """Return the nearest of `candidates` on this bank; only where the nearest is on the other one, all are tried."""
    lines = graph.lines(candidates)
    tree = shapely.STRtree(lines)
    arc = np.full(len(points), -1, np.int64)
    point, line = tree.query_nearest(points, max_distance=limit_m, all_matches=True)
    _keep_nearest(arc, point, line, candidates)
    near = arc >= 0
    if len(graph.rivers):
        joined = np.flatnonzero(near)
        wet = joined[graph.across_river(points[joined], _feet(graph.lines(arc[joined]), points[joined]))]
        arc[wet] = -1
        point, line = tree.query(points[wet], predicate="dwithin", distance=limit_m)
        dry = ~graph.across_river(points[wet[point]], _feet(lines[line], points[wet[point]]))
        point, line = point[dry], line[dry]
        distance = shapely.distance(points[wet[point]], lines[line])
        least = np.full(len(wet), np.inf)
        np.minimum.at(least, point, distance)
        nearest = distance == least[point]
        _keep_nearest(arc, wet[point[nearest]], line[nearest], candidates)
    return _Joined(arc, near)


def _keep_nearest(
    arc: NDArray[np.int64], point: NDArray[np.intp], line: NDArray[np.intp], candidates: NDArray[np.int64]
) -> None:
    """Write the lowest of the equally near arcs of every point into `arc`."""
    lowest = np.full(len(arc), np.iinfo(np.int64).max)
    np.minimum.at(lowest, point, candidates[line])
    arc[point] = lowest[point]


def _feet(lines: NDArray[np.object_], points: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the place on each line that is nearest to its point."""
    return np.asarray(shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points)))
