"""The engine on a road network: seconds as integers, points on roads as places, hierarchies that are kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.cache import cached
from geo.travel.engine.places import CLOSED, Places
from geo.travel.engine.plain import PlainMetric
from geo.travel.network import TravelGraph

if TYPE_CHECKING:
    from geo.travel.engine.hierarchy import Hierarchy
    from geo.travel.engine.sweep import Metric

#: An arc is rounded by 50 microseconds at most, a way of 1,000 arcs by 0.05 s; the longest way is 59 hours.
TICKS_PER_S = 10_000
#: Below this, scipy is done before numba is loaded.
SMALL_NETWORK_NODES = 20_000
_FIRST_LIMIT_S = 600
_VERSION = "1"
_KEPT_IN_MEMORY = 2
_kept: OrderedDict[str, Hierarchy] = OrderedDict()
_kept_lock = Lock()


def road_metric(graph: TravelGraph, *, cutoff_s: float, cache_dir: Path | None = None) -> Metric | PlainMetric:
    """Return the travel times of `graph`, in ticks.

    The hierarchy is that of all the segments in both directions, open or not. So it serves every mode, every speed
    and every closed road of a network, and is kept; only what follows from the seconds is computed anew.

    Parameters
    ----------
    graph : TravelGraph
        An arc whose seconds are infinite is closed.
    cutoff_s : float
        Longer ways may be left out.
    cache_dir : pathlib.Path, optional
        Folder that keeps the hierarchy from run to run.
    """
    ticks = _ticks(graph.seconds)
    n_nodes = len(graph.xy)
    if n_nodes >= SMALL_NETWORK_NODES:
        try:
            hierarchy = _hierarchy(n_nodes, graph.segment_ends, cache_dir)
        except ImportError:  # no numba for this platform
            pass
        else:
            weights = np.full(2 * len(graph.segment_ends), CLOSED)
            weights[graph.segment + len(graph.segment_ends) * _against(graph)] = ticks
            return hierarchy.customise(weights)
    limits = {"first_limit": _FIRST_LIMIT_S * TICKS_PER_S, "last_limit": int(_ticks(np.array(cutoff_s)))}
    return PlainMetric(n_nodes, graph.tail, graph.head, ticks, **limits)


def _ticks(seconds: NDArray[np.float64]) -> NDArray[np.uint32]:
    return np.minimum(np.round(seconds * TICKS_PER_S), CLOSED).astype(np.uint32)


def _against(graph: TravelGraph) -> NDArray[np.bool_]:
    """Return which arcs run against the drawing of their segment."""
    return graph.tail != graph.segment_ends[graph.segment, 0]


def _hierarchy(n_nodes: int, ends: NDArray[np.int32], cache_dir: Path | None) -> Hierarchy:
    """Return the hierarchy of a network, from memory or from disk if it was built before."""
    from geo.travel.engine.hierarchy import Hierarchy, build_hierarchy  # loads numba, which takes a moment

    def build() -> Hierarchy:
        return build_hierarchy(n_nodes, ends.T.ravel(), ends[:, ::-1].T.ravel())

    name = f"hierarchy-{_VERSION}-{hashlib.sha256(ends.tobytes()).hexdigest()[:16]}-{n_nodes}"
    with _kept_lock:
        if name not in _kept:
            _kept[name] = (
                cached(cache_dir, name, make=build, pack=Hierarchy.to_arrays, unpack=lambda arrays: Hierarchy(**arrays))
                if cache_dir
                else build()
            )
        _kept.move_to_end(name)
        while len(_kept) > _KEPT_IN_MEMORY:
            _kept.popitem(last=False)
        return _kept[name]


def both_ways(graph: TravelGraph, arc: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `arc`, shape (n,), and beside each the arc of the same segment the other way, -1 where there is none."""
    arc_of = np.full((len(graph.segment_ends), 2), -1, np.int64)
    against = _against(graph).astype(np.int64)
    arc_of[graph.segment, against] = np.arange(len(graph.tail))
    back = np.where(arc >= 0, arc_of[graph.segment[arc], 1 - against[arc]], -1)
    return np.stack([arc, back], axis=1)


def places_on(
    graph: TravelGraph, arcs: NDArray[np.int64], fraction: NDArray[np.float64], *, towards: bool = True
) -> Places:
    """Return points on roads as places of the engine.

    Parameters
    ----------
    graph : TravelGraph
    arcs : ndarray of int64, shape (n_points, 2)
        The arcs that each point joins, from :func:`both_ways`.
    fraction : ndarray of float64, shape (n_points,)
        Place on the first of them, 0 at its tail and 1 at its head; NaN for a point that joins none.
    towards : bool
        For ways that end at the points; else for those that start there.
    """
    behind = np.nan_to_num(np.stack([fraction, 1 - fraction], axis=1))
    ends, share = (graph.tail, behind) if towards else (graph.head, 1 - behind)
    passable = (arcs >= 0) & np.isfinite(graph.seconds[arcs])
    seconds = np.where(passable, graph.seconds[arcs], 0)
    return Places(node=np.where(passable, ends[arcs], -1), weight=_ticks(share * seconds))


def seconds_along_one_road(
    graph: TravelGraph, arcs: NDArray[np.int64], fraction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the seconds from row to column along the segment that both join; infinite where they join two.

    Parameters are those of :func:`places_on`.
    """
    seconds = np.full((len(arcs), len(arcs)), np.inf)
    for way, sign in ((0, 1), (1, -1)):
        whole = np.where(arcs[:, way] >= 0, graph.seconds[arcs[:, way]], np.inf)
        ahead = sign * (fraction - fraction[:, None])
        passable = (arcs[:, 0] == arcs[:, :1]) & np.isfinite(whole) & (ahead >= 0)
        along = _ticks(np.where(passable, ahead, 0) * np.where(np.isfinite(whole), whole, 0)) / TICKS_PER_S
        seconds = np.where(passable, np.minimum(seconds, along), seconds)
    return seconds
