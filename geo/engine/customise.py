"""The part of the hierarchy that depends on the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.engine import kernels
from geo.engine.places import UNREACHED
from geo.engine.sweep import Edges, Metric

if TYPE_CHECKING:
    from geo.engine.hierarchy import Hierarchy


def customise(hierarchy: Hierarchy, weights: NDArray[np.uint32]) -> Metric:
    """Give every edge the shortest way between its ends, and leave out those that no shortest way needs.

    Parameters
    ----------
    hierarchy : Hierarchy
    weights : ndarray of uint32, shape (n_arcs,)
    """
    first, head, lower = hierarchy.first, hierarchy.head, hierarchy.lower
    up, down = (_respect(hierarchy, weights, upward=upward) for upward in (True, False))
    kernels.relax_lower(first, head, *lower, up, down)
    perfect = up.copy(), down.copy()
    kernels.relax_upper(first, head, *lower, *perfect)
    kept: list[Edges] = [
        kernels.prune(first, head, basic, best) for basic, best in zip((up, down), perfect, strict=True)
    ]
    return Metric(rank=hierarchy.rank, parent=hierarchy.parent, up=kept[0], down=kept[1])


def _respect(hierarchy: Hierarchy, weights: NDArray[np.uint32], *, upward: bool) -> NDArray[np.uint32]:
    """Return the weight of the lightest arc on each edge in one direction: parallel arcs meet, loops drop out."""
    weight = np.full(len(hierarchy.head), UNREACHED, np.uint32)
    arcs = (hierarchy.upward == upward) & (hierarchy.edge >= 0)
    np.minimum.at(weight, hierarchy.edge[arcs], weights[arcs])
    return weight
