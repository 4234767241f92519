"""A network contracted node by node: its edges depend on the shape only, their lengths on the weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from geo.travel.engine import kernels
from geo.travel.engine.order import minimum_degree_order
from geo.travel.engine.places import UNREACHED, checked_nodes, checked_weights
from geo.travel.engine.sweep import Edges, Metric


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """A network contracted node by node; every set of weights uses it.

    Attributes
    ----------
    rank : ndarray of int32, shape (n_nodes,)
        Place of each node in the order of contraction.
    first : ndarray of int32, shape (n_nodes + 1,)
        The edges of rank ``v`` to higher ones are ``first[v]`` to ``first[v + 1]``.
    head : ndarray of int32, shape (n_edges,)
        Upper end of each edge, ascending for each lower end.
    edge : ndarray of int32, shape (n_arcs,)
        Edge that each arc of the network lies on, -1 for a loop.
    upward : ndarray of bool, shape (n_arcs,)
        The arc leads from the lower end to the upper.
    """

    rank: NDArray[np.int32]
    first: NDArray[np.int32]
    head: NDArray[np.int32]
    edge: NDArray[np.int32]
    upward: NDArray[np.bool_]

    @cached_property
    def parent(self) -> NDArray[np.int32]:
        """Lowest upper neighbour of each rank, -1 where it has none: the elimination tree."""
        return _lowest_upper(self.first, self.head)

    @cached_property
    def lower(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """The same edges by their upper end: first of each rank, lower end, edge."""
        n_nodes = len(self.rank)
        by_upper = csr_array(
            (np.arange(len(self.head), dtype=np.int32), self.head, self.first), (n_nodes, n_nodes)
        ).tocsc()
        return by_upper.indptr.astype(np.int32), by_upper.indices.astype(np.int32), by_upper.data

    def to_arrays(self) -> dict[str, NDArray]:
        """Return the arrays by name; ``Hierarchy(**arrays)`` is the same again."""
        return {name: getattr(self, name) for name in ("rank", "first", "head", "edge", "upward")}

    def customise(self, weights: ArrayLike) -> Metric:
        """Give every edge the shortest way between its ends, and leave out those that no shortest way needs.

        Parameters
        ----------
        weights : array_like of int, shape (n_arcs,)
            In any unit; :data:`~geo.travel.engine.CLOSED` closes an arc. A way must weigh less than
            :data:`~geo.travel.engine.UNREACHED`, or it counts as none.

        Raises
        ------
        GeoError
            Another number of weights, or one out of range.
        """
        checked = checked_weights(weights, len(self.edge))
        up, down = (_respect(self, checked, upward=upward) for upward in (True, False))
        of_nodes = np.empty((2, len(self.rank)), np.uint32)
        kernels.relax_lower(self.first, self.head, *self.lower, up, down, *of_nodes)
        best_up, best_down = up.copy(), down.copy()
        kernels.relax_upper(self.first, self.head, *self.lower, best_up, best_down, *of_nodes)
        return Metric(
            rank=self.rank,
            parent=self.parent,
            up=_prune(self, up, best_up),
            down=_prune(self, down, best_down),
        )


def _respect(hierarchy: Hierarchy, weights: NDArray[np.uint32], *, upward: bool) -> NDArray[np.uint32]:
    """Return the weight of the lightest arc on each edge in one direction: parallel arcs meet, loops drop out."""
    weight = np.full(len(hierarchy.head), UNREACHED, np.uint32)
    arcs = (hierarchy.upward == upward) & (hierarchy.edge >= 0)
    np.minimum.at(weight, hierarchy.edge[arcs], weights[arcs])
    return weight


def _prune(hierarchy: Hierarchy, basic: NDArray[np.uint32], best: NDArray[np.uint32]) -> Edges:
    """Return first, upper end and weight of the edges that are a shortest way themselves."""
    first = np.zeros_like(hierarchy.first)
    head, weight = np.empty_like(hierarchy.head), np.empty_like(basic)
    kernels.prune(hierarchy.first, hierarchy.head, basic, best, first, head, weight)
    return first, head[: first[-1]].copy(), weight[: first[-1]].copy()


def build_hierarchy(n_nodes: int, tail: ArrayLike, head: ArrayLike) -> Hierarchy:
    """Contract a network. Loops, parallel arcs, islands and one-way arcs are allowed.

    Parameters
    ----------
    n_nodes : int
    tail, head : array_like of int, shape (n_arcs,)
        Ends of the arcs, 0 to ``n_nodes - 1``.

    Raises
    ------
    GeoError
        An end is no node.
    """
    tail, head = checked_nodes(tail, n_nodes), checked_nodes(head, n_nodes)
    rank = minimum_degree_order(_adjacency(n_nodes, tail, head))
    graph = _adjacency(n_nodes, rank[tail], rank[head])
    first, uppers = _eliminate(graph)
    new, free = np.empty((2, n_nodes), np.int32)
    kernels.postorder(_lowest_upper(first, uppers), np.ones(n_nodes, np.int32), free, new)
    rank = new[rank]
    lower_ends = new[np.repeat(np.arange(n_nodes), np.diff(first))]
    edges = csr_array((np.ones(len(uppers), np.int32), (lower_ends, new[uppers])), shape=(n_nodes, n_nodes))
    edges.sort_indices()
    return Hierarchy(
        rank=rank,
        first=edges.indptr.astype(np.int32),
        head=edges.indices.astype(np.int32),
        edge=_edge_of(rank[tail], rank[head], edges),
        upward=rank[tail] < rank[head],
    )


def _eliminate(graph: csr_array) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first edge of each rank and the upper end of each edge."""
    n_nodes = graph.shape[0]
    first = np.zeros(n_nodes + 1, np.int32)
    room = np.empty(4 * graph.nnz + n_nodes, np.int32)
    child, sibling, seen = np.full((3, n_nodes), -1, np.int32)
    uppers = kernels.eliminate(graph.indptr, graph.indices, child, sibling, seen, first, room)
    return first, uppers[: first[-1]]


def _edge_of(tail: NDArray[np.int32], head: NDArray[np.int32], edges: csr_array) -> NDArray[np.int32]:
    """Return the edge between each two ranks, -1 for a loop; between the ends of an arc there is one."""
    n_nodes = edges.shape[0]
    known = np.repeat(np.arange(n_nodes), np.diff(edges.indptr)) * n_nodes + edges.indices
    edge = np.searchsorted(known, np.minimum(tail, head).astype(np.int64) * n_nodes + np.maximum(tail, head))
    return np.where(tail == head, -1, edge).astype(np.int32)


def _lowest_upper(first: NDArray[np.int32], uppers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the parent of each rank in the elimination tree, -1 for a root."""
    parent = np.full(len(first) - 1, -1, np.int32)
    lower = np.flatnonzero(np.diff(first))
    if len(lower):
        parent[lower] = np.minimum.reduceat(uppers, first[lower])
    return parent


def _adjacency(n_nodes: int, tail: NDArray, head: NDArray) -> csr_array:
    """Return the symmetric pattern of the arcs, without loops."""
    proper = tail != head
    ends = np.concatenate([tail[proper], head[proper]]), np.concatenate([head[proper], tail[proper]])
    return csr_array((np.ones(len(ends[0]), np.int32), ends), shape=(n_nodes, n_nodes))
