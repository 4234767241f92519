"""The same questions answered by scipy: for small networks, where numba is absent, and as an oracle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.travel.engine.places import CLOSED, MOST_LANES, UNREACHED, Places, checked_nodes, checked_weights


class PlainMetric:
    """Shortest ways by Dijkstra's algorithm: the methods and the answers of :class:`~geo.travel.engine.Metric`.

    Parameters
    ----------
    n_nodes : int
    tail, head, weights : array_like of int, shape (n_arcs,)
    first_limit : int
        A search stops at this weight and starts anew with twice the limit while a node is missing; so short ways in
        a large network cost little.
    last_limit : int
        A longer way may be left out.
    """

    def __init__(
        self,
        n_nodes: int,
        tail: ArrayLike,
        head: ArrayLike,
        weights: ArrayLike,
        *,
        first_limit: int = int(UNREACHED) - 1,
        last_limit: int = int(UNREACHED) - 1,
    ) -> None:
        tail, head = checked_nodes(tail, n_nodes), checked_nodes(head, n_nodes)
        weight = checked_weights(weights, len(tail))
        usable = (weight < CLOSED) & (tail != head)
        along = _matrix(tail[usable], head[usable], weight[usable], shape=(n_nodes, n_nodes))
        self._graphs = {False: along, True: csr_array(along.T)}
        self._n_nodes = n_nodes
        self._limits = first_limit, last_limit

    def one_to_all(self, places: Places, *, towards: bool = True) -> Iterator[NDArray[np.uint32]]:
        """See :meth:`geo.travel.engine.Metric.one_to_all`."""
        for start in range(0, len(places), MOST_LANES):
            yield self.many_to_many(places[start : start + MOST_LANES], np.arange(self._n_nodes), towards=towards)

    def many_to_many(self, places: Places, nodes: ArrayLike, *, towards: bool = True) -> NDArray[np.uint32]:
        """See :meth:`geo.travel.engine.Metric.many_to_many`."""
        wanted = checked_nodes(nodes, self._n_nodes)
        ends = checked_nodes(places.node, self._n_nodes, least=-1)
        graph, found = self._with(ends, places.weight, towards=towards), np.full((len(places), len(wanted)), np.inf)
        limit, last_limit = self._limits
        missing = np.arange(len(places))
        while len(missing):
            found[missing] = dijkstra(graph, indices=self._n_nodes + missing, limit=limit)[:, wanted]
            missing = missing[np.isinf(found[missing]).any(axis=1)] if limit < last_limit else missing[:0]
            limit = min(2 * limit, last_limit)
        return np.where(found < UNREACHED, found, UNREACHED).astype(np.uint32).T

    def restricted(
        self, groups: Iterable[tuple[Places, ArrayLike]], *, towards: bool = True
    ) -> Iterator[NDArray[np.uint32]]:
        """See :meth:`geo.travel.engine.Metric.restricted`."""
        for places, nodes in groups:
            yield self.many_to_many(places, nodes, towards=towards)

    def _with(self, ends: NDArray[np.int64], weight: NDArray[np.uint32], *, towards: bool) -> csr_array:
        """Return the network in the direction of search, with each place as a row more."""
        place, column = np.nonzero(ends >= 0)
        graph, shape = self._graphs[towards], (len(ends), self._n_nodes)
        more = _matrix(place, ends[place, column], weight[place, column], shape=shape)
        n_rows = self._n_nodes + len(ends)
        return csr_array(
            (
                np.concatenate([graph.data, more.data]),
                np.concatenate([graph.indices, more.indices]),
                np.concatenate([graph.indptr, graph.indptr[-1] + more.indptr[1:]]),
            ),
            shape=(n_rows, n_rows),
        )


def _matrix(tail: NDArray, head: NDArray, weight: NDArray, *, shape: tuple[int, int]) -> csr_array:
    """Return the lightest of parallel arcs, which a sparse matrix would add; arcs of no length are kept."""
    order = np.lexsort((weight, head, tail))
    tail, head, weight = tail[order], head[order], weight[order]
    first = np.ones(len(tail), bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    return csr_array((weight[first].astype(np.float64), (tail[first], head[first])), shape=shape)
