"""Shortest ways on a road network: exact, many at once, and quick to follow a change of speeds.

:mod:`~geo.travel.engine.hierarchy` contracts a network once; each set of weights of its arcs makes a
:class:`~geo.travel.engine.sweep.Metric` of it in a fraction of a second, and that answers:

>>> from geo.travel.engine.hierarchy import build_hierarchy
>>> metric = build_hierarchy(3, tail=[0, 1, 2], head=[1, 2, 0]).customise([5, 7, 1])
>>> metric.many_to_many(Places.at([2]), [0, 1])
array([[12],
       [ 7]], dtype=uint32)

The method is a customizable contraction hierarchy (Dibbelt, Strasser, Wagner, ACM JEA 21, 2016) with batched PHAST
sweeps (Delling, Goldberg, Nowatzyk, Werneck, J. Parallel Distrib. Comput. 73, 2013), restricted to the nodes that are
asked for (RPHAST: Delling, Goldberg, Werneck, ATMOS 2011). :class:`PlainMetric` gives the same answers with scipy.
Importing this package does not import numba; importing the hierarchy does.
"""

from geo.travel.engine.places import CLOSED, MOST_LANES, UNREACHED, Places
from geo.travel.engine.plain import PlainMetric
from geo.travel.engine.roads import TICKS_PER_S, both_ways, places_on, road_metric, seconds_along_one_road

__all__ = [
    "CLOSED", "MOST_LANES", "TICKS_PER_S", "UNREACHED", "Places", "PlainMetric", "both_ways", "places_on",
    "road_metric", "seconds_along_one_road",
]  # fmt: skip
