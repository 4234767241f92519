"""The part of the hierarchy that depends on the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.travel.engine import kernels
from geo.travel.engine.places import UNREACHED
from geo.travel.engine.sweep import Edges, Metric

if TYPE_CHECKING:
    from geo.travel.engine.hierarchy import Hierarchy


def customise(hierarchy: Hierarchy, weights: NDArray[np.uint32]) -> Metric:
    """Give every edge the shortest way between its ends, and leave out those that no shortest way needs.

    Parameters
    ----------
    hierarchy : Hierarchy
    weights : ndarray of uint32, shape (n_arcs,)
    """
    first, head, lower = hierarchy.first, hierarchy.head, hierarchy.lower
    up, down = (_respect(hierarchy, weights, upward=upward) for upward in (True, False))
    of_nodes = np.empty((2, len(hierarchy.rank)), np.uint32)
    kernels.relax_lower(first, head, *lower, up, down, *of_nodes)
    best_up, best_down = up.copy(), down.copy()
    kernels.relax_upper(first, head, *lower, best_up, best_down, *of_nodes)
    return Metric(
        rank=hierarchy.rank,
        parent=hierarchy.parent,
        up=_prune(hierarchy, up, best_up),
        down=_prune(hierarchy, down, best_down),
    )


def _prune(hierarchy: Hierarchy, basic: NDArray[np.uint32], best: NDArray[np.uint32]) -> Edges:
    """Return first, upper end and weight of the edges that are a shortest way themselves."""
    first = np.zeros_like(hierarchy.first)
    head, weight = np.empty_like(hierarchy.head), np.empty_like(basic)
    kernels.prune(hierarchy.first, hierarchy.head, basic, best, first, head, weight)
    return first, head[: first[-1]].copy(), weight[: first[-1]].copy()


def _respect(hierarchy: Hierarchy, weights: NDArray[np.uint32], *, upward: bool) -> NDArray[np.uint32]:
    """Return the weight of the lightest arc on each edge in one direction: parallel arcs meet, loops drop out."""
    weight = np.full(len(hierarchy.head), UNREACHED, np.uint32)
    arcs = (hierarchy.upward == upward) & (hierarchy.edge >= 0)
    np.minimum.at(weight, hierarchy.edge[arcs], weights[arcs])
    return weight
