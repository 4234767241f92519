"""Isochrones: the land from which one arrives within some minutes, as polygons.

From every place of a grid one walks to the nearest road, by the same rules by which a building joins it, and takes the
quickest way on the whole network from there. Between the places of the grid the time is interpolated, and the outline
runs where it passes the limit; so a road is cut where the limit falls. Land that is farther than
:data:`MOST_OFF_ROAD_M` from every road belongs to no isochrone. Neither does the far bank of a river: it has roads of
its own, and from there one takes the way over the bridge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import contourpy
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.constants import kmh

from geo.cache import cached
from geo.params import AccessParams
from geo.progress import Progress
from geo.travel.engine import TICKS_PER_S, UNREACHED, PlainMetric, both_ways, places_on, road_metric
from geo.travel.network import Snap, TravelGraph, snap

if TYPE_CHECKING:
    from geo.travel.engine.sweep import Metric

#: Minutes that isochrones are drawn for.
LIMITS_MIN = (5, 10, 15, 20, 30)
#: Side of the grid. Each of its places stands for the ground around it, so half a side is walked in no time.
CELL_M = 100.0
#: In this model people live on streets; what lies beyond is field, water or forest.
MOST_OFF_ROAD_M = 200.0
_NEXT_TO_S = 1e-3
_ARRAYS = ("place", "arc", "fraction", "distance_m")
#: Goes into the name of a cached ground; raise it when the same roads give another.
_VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A grid, and the road that one walks to from each of its places.

    It depends on which roads there are, not on how quick they are.

    Attributes
    ----------
    west, south : float
        First place of the grid, in the metric CRS.
    shape : tuple of int
        Rows from the south, columns from the west.
    place : ndarray of int64, shape (n,)
        Places with a road near enough, by their position in the flattened grid, ascending.
    arc, fraction, distance_m : ndarray, shape (n,)
        Where they join the network, see :class:`~geo.travel.network.Snap`.
    """

    west: float
    south: float
    shape: tuple[int, int]
    place: NDArray[np.int64]
    arc: NDArray[np.int64]
    fraction: NDArray[np.float64]
    distance_m: NDArray[np.float64]


def lay_ground(
    graph: TravelGraph, bounds: tuple[float, float, float, float], *, cache_dir: Path | None = None
) -> Ground:
    """Return the ground of a network, from the disk if it was laid before for the same roads.

    Parameters
    ----------
    graph : TravelGraph
    bounds : tuple of float
        West, south, east and north, in the metric CRS. Outlines end there.
    cache_dir : pathlib.Path, optional
        Folder that keeps the ground from run to run.
    """
    west, south, east, north = bounds
    shape = int(np.ceil((north - south) / CELL_M)) + 1, int(np.ceil((east - west) / CELL_M)) + 1

    def lay() -> Ground:
        row, column = np.indices(shape).reshape(2, -1)
        points = np.asarray(shapely.points(west + CELL_M * column, south + CELL_M * row))
        # The places beyond the limit tell where between two of them it falls.
        joined = snap(graph, points, limit_m=MOST_OFF_ROAD_M + 2 * CELL_M)
        place = np.flatnonzero(joined.arc >= 0)
        return Ground(
            west=west, south=south, shape=shape, place=place, arc=joined.arc[place], fraction=joined.fraction[place],
            distance_m=joined.distance_m[place],
        )  # fmt: skip

    if cache_dir is None:
        return lay()
    return cached(
        cache_dir,
        f"ground-{_VERSION}-{_digest(graph, bounds)}",
        make=lay,
        pack=lambda ground: {name: getattr(ground, name) for name in _ARRAYS},
        unpack=lambda arrays: Ground(west=west, south=south, shape=shape, **{name: arrays[name] for name in _ARRAYS}),
    )


def _digest(graph: TravelGraph, bounds: tuple[float, float, float, float]) -> str:
    """Return the digest of all that decides which road a point joins."""
    content = hashlib.sha256(repr((bounds, CELL_M, MOST_OFF_ROAD_M)).encode())
    for array in (graph.xy, graph.tail, graph.head, graph.joinable, graph.settled, graph.component):
        content.update(np.ascontiguousarray(array).tobytes())
    content.update(b"".join(shapely.to_wkb(graph.rivers)))
    return content.hexdigest()[:16]


def draw_isochrones(
    graph: TravelGraph,
    ground: Ground,
    sites: gpd.GeoSeries,
    groups: Mapping[str, Sequence[str]],
    params: AccessParams,
    *,
    snaps: Snap | None = None,
    land: gpd.GeoSeries | None = None,
    limits_min: Sequence[float] = LIMITS_MIN,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return from where one arrives within some minutes at the nearest site of each group.

    Parameters
    ----------
    graph : TravelGraph
    ground : Ground
        Of a graph with the same roads.
    sites : geopandas.GeoSeries
        Points in the graph's CRS, by their id.
    groups : mapping of str to sequence of str
        Ids of sites by the name of their group.
    params : AccessParams
    snaps : Snap, optional
        Where `sites` join the graph, if that is known already.
    land : geopandas.GeoSeries, optional
        Polygons by the name of the group, which its isochrones are cut to. The ways may leave them all the same.
    limits_min : sequence of float
        Minutes.
    cache_dir : pathlib.Path, optional
        Folder that keeps the network's hierarchy from run to run.
    progress : callable, optional
        Called with ``"isochrones"`` and the share done; what it raises stops the work.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``id`` (the group), ``limit_min``, ``area_km2`` (in the grid of the CRS) and ``geometry`` (MultiPolygon,
        valid; empty where no site is reached). The groups keep their order, and the limits ascend: each polygon covers
        the one before.
    """
    limits = sorted(limits_min)
    snaps = snaps or snap(graph, np.asarray(sites), limit_m=params.snap_limit_m)
    members = sites.index.get_indexer([site for group in groups.values() for site in group])
    arrivals = _Arrivals(graph, ground, snaps, members, params)
    found = arrivals.seconds(road_metric(graph, cutoff_s=60 * limits[-1], cache_dir=cache_dir))
    drawing = _Drawing(ground, params, limits)
    rows: list[tuple[str, float, shapely.MultiPolygon]] = []
    for done, (name, group) in enumerate(groups.items()):
        if progress is not None:
            progress("isochrones", done / len(groups))
        own = None if land is None else land[name]
        places = drawing.near(own)
        nearest = np.full(len(places), np.inf, np.float32)
        for seconds_at in islice(found, len(group)):
            np.minimum(nearest, seconds_at(places), out=nearest)
        rows += [(name, *row) for row in drawing.outlines(places, nearest, own)]
    frame = pd.DataFrame(rows, columns=["id", "limit_min", "geometry"])
    frame.insert(2, "area_km2", shapely.area(frame["geometry"].to_numpy()) / 1e6)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=sites.crs)


class _Arrivals:
    """The ways from the places of a ground to sites."""

    def __init__(
        self, graph: TravelGraph, ground: Ground, snaps: Snap, sites: NDArray[np.intp], params: AccessParams
    ) -> None:
        self._graph, self._ground = graph, ground
        self._fraction, self._arcs = snaps.fraction[sites], both_ways(graph, snaps.arc[sites])
        self._off_road_s = np.nan_to_num(snaps.distance_m[sites]) / (params.off_road_kmh * kmh)
        exits = places_on(graph, both_ways(graph, ground.arc), ground.fraction, towards=False)
        self._node = exits.node.T.copy()
        self._ahead_s = np.where(exits.node >= 0, exits.weight / TICKS_PER_S, np.inf).astype(np.float32).T.copy()

    def seconds(self, metric: Metric | PlainMetric) -> Iterator[Callable[[NDArray[np.intp]], NDArray[np.float32]]]:
        """Yield, for each site, what gives the seconds from the roads of some places to it, infinite without a way."""
        blocks = metric.one_to_all(places_on(self._graph, self._arcs, self._fraction))
        for site, ticks in enumerate(ticks for block in blocks for ticks in block.T):
            onward = ticks.astype(np.float32) / np.float32(TICKS_PER_S)
            onward[ticks == UNREACHED] = np.inf
            yield partial(self._seconds_at, site, onward)

    def _seconds_at(self, site: int, onward: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float32]:
        one, other = (
            onward[node[places]] + ahead[places] for node, ahead in zip(self._node, self._ahead_s, strict=True)
        )
        seconds, arc = np.minimum(one, other), self._arcs[site, 0]
        same = np.flatnonzero(self._ground.arc[places] == arc) if arc >= 0 else np.empty(0, np.intp)
        ahead = self._fraction[site] - self._ground.fraction[places[same]]
        seconds[same] = np.minimum(seconds[same], _along(self._graph, self._arcs[site], ahead))
        return seconds + np.float32(self._off_road_s[site])


def _along(graph: TravelGraph, arcs: NDArray[np.int64], ahead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds to a site from places on its own road, of which it is `ahead` by a share of the road."""
    there, back = (graph.seconds[arc] if arc >= 0 else np.inf for arc in arcs)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.where(ahead >= 0, ahead * there, -ahead * back), posinf=np.inf)


class _Drawing:
    """From seconds at the places of a ground to outlines."""

    def __init__(self, ground: Ground, params: AccessParams, limits_min: Sequence[float]) -> None:
        self._ground = ground
        self._row, self._column = np.divmod(ground.place, ground.shape[1])
        speed_m_s = params.off_road_kmh * kmh
        self._walk_s = (np.maximum(ground.distance_m - CELL_M / 2, 0) / speed_m_s).astype(np.float32)
        self._beyond_s = ((ground.distance_m - MOST_OFF_ROAD_M) / speed_m_s).astype(np.float32)
        # Where the time jumps, at a river or where the roads end, the outline runs halfway between two places: so much
        # more or less than the limit is as good as any more.
        self._most_s = np.float32(CELL_M / speed_m_s)
        self._limits_min = limits_min

    def near(self, land: shapely.Geometry | None) -> NDArray[np.intp]:
        """Return the places around `land`, and one more on every side; all of them if it is None."""
        if land is None:
            return np.arange(len(self._row))
        west, south, east, north = shapely.bounds(land)
        column, row = (west - self._ground.west) / CELL_M, (south - self._ground.south) / CELL_M
        last_column, last_row = (east - self._ground.west) / CELL_M, (north - self._ground.south) / CELL_M
        first, last = np.searchsorted(self._row, (np.ceil(row - 1), np.floor(last_row + 1) + 1))
        columns = self._column[first:last]
        return first + np.flatnonzero((columns >= column - 1) & (columns <= last_column + 1))

    def outlines(
        self, places: NDArray[np.intp], seconds: NDArray[np.float32], land: shapely.Geometry | None
    ) -> list[tuple[float, shapely.MultiPolygon]]:
        """Return each limit and what lies within it, all of it or on `land` only; `seconds` are from the road on."""
        arrival = seconds + self._walk_s[places]
        outlines = []
        for limit in reversed(self._limits_min):
            near = arrival < 60 * limit + self._most_s
            places, arrival = places[near], arrival[near]
            excess = np.maximum(arrival - np.float32(60 * limit), self._beyond_s[places])
            outline = self._outline(places, np.maximum(excess, -self._most_s))
            outlines.append((limit, outline if land is None else _cut(outline, land)))
        return outlines[::-1]

    def _outline(self, places: NDArray[np.intp], excess: NDArray[np.float32]) -> shapely.MultiPolygon:
        """Return the land where `excess`, known at some of the places, is not above 0."""
        within = excess < self._most_s
        if not within.any():
            return shapely.MultiPolygon()
        row, column = self._row[places[within]], self._column[places[within]]
        first_row, first_column = row.min() - 1, column.min() - 1
        # A margin of places beyond the limit closes every outline.
        field = np.full((row.max() - first_row + 2, column.max() - first_column + 2), float(self._most_s))
        # An outline through a place itself would have rings without an inside.
        field[row - first_row, column - first_column] = np.where(np.abs(excess) < _NEXT_TO_S, -_NEXT_TO_S, excess)[
            within
        ]
        x = self._ground.west + CELL_M * (first_column + np.arange(field.shape[1]))
        y = self._ground.south + CELL_M * (first_row + np.arange(field.shape[0]))
        filled = contourpy.contour_generator(x, y, field, fill_type=contourpy.FillType.OuterOffset)
        return _multipolygon(*filled.filled(-2 * float(self._most_s), 0.0))


def _cut(outline: shapely.MultiPolygon, land: shapely.Geometry) -> shapely.MultiPolygon:
    """Return what both share, without the lines and points where they touch."""
    parts = shapely.get_parts(shapely.intersection(outline, land))
    return shapely.MultiPolygon(list(parts[shapely.get_dimensions(parts) == 2]))


def _multipolygon(points: list[NDArray[np.float64]], offsets: list[NDArray[np.uint32]]) -> shapely.MultiPolygon:
    """Return contourpy's polygons, each with its holes, as one geometry."""
    if not points:
        return shapely.MultiPolygon()
    starts = np.cumsum([0, *(len(part) for part in points)])
    rings = np.concatenate(
        [[0], *(start + np.asarray(part[1:], np.int64) for start, part in zip(starts, offsets, strict=False))]
    )
    of_polygon = np.cumsum([0, *(len(part) - 1 for part in offsets)])
    coordinates = np.concatenate(points)
    whole = np.array([0, len(points)])
    (shape,) = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, coordinates, (rings, of_polygon, whole))
    return shape
