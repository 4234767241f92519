"""Shortest times on a road network: exact, many at once, and quick to follow a change of speeds.

Build the hierarchy of a network once, customise it with the weights of its arcs, and ask:

>>> import numpy as np
>>> tail, head = np.array([0, 1, 2]), np.array([1, 2, 0])
>>> metric = build_hierarchy(3, tail, head).customise(np.array([5, 7, 1]))
>>> metric.many_to_many(Places.at([2]), [0, 1])
array([[12],
       [ 7]], dtype=uint32)

The method is a customizable contraction hierarchy (Dibbelt, Strasser, Wagner, ACM JEA 21, 2016) with batched PHAST
sweeps (Delling, Goldberg, Nowatzyk, Werneck, J. Parallel Distrib. Comput. 73, 2013), restricted to the nodes that are
asked for (RPHAST: Delling, Goldberg, Werneck, ATMOS 2011). :class:`PlainMetric` gives the same answers with scipy.
"""

from geo.engine.hierarchy import Hierarchy, build_hierarchy
from geo.engine.kernels import HAS_NUMBA
from geo.engine.places import CLOSED, UNREACHED, Places
from geo.engine.plain import PlainMetric
from geo.engine.sweep import MOST_LANES, Metric

__all__ = [
    "CLOSED",
    "HAS_NUMBA",
    "MOST_LANES",
    "UNREACHED",
    "Hierarchy",
    "Metric",
    "Places",
    "PlainMetric",
    "build_hierarchy",
]
