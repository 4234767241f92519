"""Questions to a customised hierarchy: batched PHAST sweeps on two threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.travel.engine import kernels
from geo.travel.engine.places import MOST_LANES, UNREACHED, Places, checked_nodes

#: First edge of each rank, upper end and weight of each edge.
Edges = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint32]]
_CACHE_LINE = 16
_THREADS = min(2, os.cpu_count() or 1)
#: Groups begun before the first one's answer is taken: enough for the threads, few enough for the memory.
_AHEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Shortest ways for one set of weights. Nothing is modified, so any number of threads may ask at once.

    Attributes
    ----------
    rank : ndarray of int32, shape (n_nodes,)
        Place of each node in the order of contraction.
    parent : ndarray of int32, shape (n_nodes,)
        Elimination tree, by rank.
    up, down : tuple of ndarray
        Edges with the way along them and against them.
    """

    rank: NDArray[np.int32]
    parent: NDArray[np.int32]
    up: Edges
    down: Edges

    def one_to_all(self, places: Places, *, towards: bool = True) -> Iterator[NDArray[np.uint32]]:
        """Yield the ways between every node and the places, :data:`~geo.travel.engine.MOST_LANES` at a time (PHAST).

        The blocks, of shape (n_nodes, n_places of the block), stand side by side in the whole matrix. That one fills
        gigabytes; who needs the nearest place, say, has it from one block after the other.
        """
        everywhere = _Restriction(self, np.arange(len(self.rank)))
        parts = (places[start : start + MOST_LANES] for start in range(0, len(places), MOST_LANES))
        return self._answers(((part, everywhere) for part in parts), towards=towards)

    def many_to_many(self, places: Places, nodes: ArrayLike, *, towards: bool = True) -> NDArray[np.uint32]:
        """Return the way between each node and each place.

        Parameters
        ----------
        places : Places
        nodes : array_like of int, shape (n,)
        towards : bool
            From the node to the place; else from the place to the node.

        Returns
        -------
        ndarray of uint32, shape (n, n_places)
            Exact; :data:`~geo.travel.engine.UNREACHED` where no way leads.

        Raises
        ------
        GeoError
            A node is out of range.
        """
        (found,) = self.restricted([(places, nodes)], towards=towards)
        return found

    def restricted(
        self, groups: Iterable[tuple[Places, ArrayLike]], *, towards: bool = True
    ) -> Iterator[NDArray[np.uint32]]:
        """Yield :meth:`many_to_many` of each group of places and nodes.

        A group costs what the nodes above its own in the elimination tree cost, not the whole network (RPHAST).
        """
        restrictions = ((places, _Restriction(self, nodes)) for places, nodes in groups)
        return self._answers(restrictions, towards=towards)

    def _answers(self, groups: Iterable[tuple[Places, _Restriction]], *, towards: bool) -> Iterator[NDArray[np.uint32]]:
        workspace = _Workspace(len(self.rank))
        pool = ThreadPoolExecutor(_THREADS)
        running: deque[tuple[_Search, list[Future[None]]]] = deque()
        try:
            for places, restriction in groups:
                search = _Search(self, places, restriction, towards=towards)
                running.append((search, [pool.submit(search.run, part, workspace) for part in search.parts()]))
                if len(running) > _AHEAD:
                    yield _finish(*running.popleft())
            while running:
                yield _finish(*running.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _finish(search: _Search, parts: list[Future[None]]) -> NDArray[np.uint32]:
    for part in parts:
        part.result()
    return search.found()


class _Workspace(threading.local):
    """What one thread sweeps over, kept for all the parts that it runs."""

    def __init__(self, n_nodes: int) -> None:
        self._reach = _aligned(n_nodes, MOST_LANES)
        self.stamp = np.zeros(n_nodes, np.int32)
        self.batch = 0

    def rows(self, lanes: int) -> NDArray[np.uint32]:
        """Return a row of `lanes` for each node, with whatever they hold."""
        return self._reach.ravel()[: len(self.stamp) * lanes].reshape(-1, lanes)


def _aligned(n_rows: int, n_columns: int) -> NDArray[np.uint32]:
    """Return an array that begins where a cache line does: a row that straddles two costs twice."""
    cells = np.empty(n_rows * n_columns + _CACHE_LINE, np.uint32)
    start = -(cells.ctypes.data // 4) % _CACHE_LINE
    return cells[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


class _Restriction:
    """The part of the hierarchy that ways to some nodes come down through."""

    def __init__(self, metric: Metric, nodes: ArrayLike) -> None:
        wanted = metric.rank[checked_nodes(nodes, len(metric.rank))]
        row = np.full(len(metric.rank), -1, np.int32)
        row[wanted] = np.arange(len(wanted))
        self.ranks = _ancestors(metric.parent, wanted)[::-1].copy()
        self.rows = row[self.ranks]
        self.n_rows = len(wanted)
        self._first = row[wanted]

    def repeat(self, found: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Fill the rows of nodes that were asked more than once; the sweep filled one of them."""
        again = np.flatnonzero(self._first != np.arange(self.n_rows))
        found[again] = found[self._first[again]]
        return found


def _ancestors(parent: NDArray[np.int32], ranks: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return `ranks` and all that lie above them in the elimination tree, ascending."""
    marked = np.zeros(len(parent), np.bool_)
    kernels.mark_ancestors(parent, ranks, marked)
    return np.flatnonzero(marked).astype(np.int32)


class _Search:
    """One group of places and nodes, cut into parts that run on any thread."""

    def __init__(self, metric: Metric, places: Places, restriction: _Restriction, *, towards: bool) -> None:
        ends = checked_nodes(places.node, len(metric.rank), least=-1)
        self._starts = np.where(ends >= 0, metric.rank[ends], -1).astype(np.int32)
        self._offsets = np.minimum(places.weight, UNREACHED)
        self._parent = metric.parent
        self._climbing, self._sweeping = (metric.down, metric.up) if towards else (metric.up, metric.down)
        self._restriction = restriction
        self._found = _aligned(restriction.n_rows, len(places))

    def parts(self) -> Iterator[slice]:
        """Yield the places that share a sweep."""
        return (slice(start, start + MOST_LANES) for start in range(0, len(self._starts), MOST_LANES))

    def run(self, part: slice, workspace: _Workspace) -> None:
        """Answer some of the places."""
        workspace.batch += 1
        starts, to = self._starts[part], self._restriction
        lanes = -(-len(starts) // _CACHE_LINE) * _CACHE_LINE
        kernels.search(
            starts, self._offsets[part], _ancestors(self._parent, starts[starts >= 0]), self._climbing, to.ranks,
            to.rows, self._sweeping, workspace.rows(lanes), workspace.stamp, workspace.batch, self._found, part.start,
        )  # fmt: skip

    def found(self) -> NDArray[np.uint32]:
        """Return what all the parts found."""
        return self._restriction.repeat(self._found)
