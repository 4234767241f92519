"""Split a polygon between seeds so that each gets a given share of the area."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.merge.planar import GRID_M, polygonal

#: Cuts are made to a billionth of the side of the polygon's box.
_CUT_TOLERANCE = 1e-9


def split_polygon(
    polygon: shapely.Geometry, *, seeds: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Return one part of `polygon` per seed, cut by straight lines.

    Recursive bisection: the seeds fall into two groups at the widest gap along the line between the two that lie
    farthest apart; a line square to the way from group to group gives each the sum of its shares; and so on inside
    each group. For two seeds that is their power diagram.

    Parameters
    ----------
    polygon : shapely.Polygon or MultiPolygon
        In a metric CRS.
    seeds : ndarray of float64, shape (n, 2)
        Need not lie inside. Of seeds that coincide, the earlier gets the land to the west.
    shares : ndarray of float64, shape (n,)
        Share of the area for each, not negative; only their ratios matter.

    Returns
    -------
    ndarray of shapely geometries, shape (n,)
        Together the polygon, without overlap. A share of 0 gives an empty part.
    """
    parts = np.full(len(seeds), shapely.Polygon(), dtype=object)
    _bisect(polygon, np.arange(len(seeds)), seeds, shares, parts)
    return parts


def _bisect(
    polygon: shapely.Geometry,
    members: NDArray[np.intp],
    seeds: NDArray[np.float64],
    shares: NDArray[np.float64],
    parts: NDArray[np.object_],
) -> None:
    members = members[shares[members] > 0]
    if polygon.is_empty or not len(members):
        return
    if len(members) == 1:
        parts[members[0]] = polygon
        return
    near, far = _two_groups(members, seeds)
    towards = seeds[far].mean(axis=0) - seeds[near].mean(axis=0)
    length = np.hypot(*towards)
    direction = towards / length if length > 0 else np.array([1.0, 0.0])
    before, after = _cut(polygon, direction, shares[near].sum() / shares[members].sum())
    _bisect(before, near, seeds, shares, parts)
    _bisect(after, far, seeds, shares, parts)


def _two_groups(members: NDArray[np.intp], seeds: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    points = seeds[members]
    distance = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
    one, other = np.unravel_index(distance.argmax(), distance.shape)
    along = points @ (points[other] - points[one])
    order = np.argsort(along, kind="stable")
    gap = int(np.diff(along[order]).argmax()) + 1
    return members[order[:gap]], members[order[gap:]]


def _cut(
    polygon: shapely.Geometry, direction: NDArray[np.float64], share: float
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Cut `polygon` square to `direction` so that the part that comes first has `share` of the area."""
    from scipy.optimize import brentq  # here, because it takes half a second to import and few cities need a cut

    centre = shapely.get_coordinates(shapely.envelope(polygon)).mean(axis=0)
    along = (shapely.get_coordinates(polygon) - centre) @ direction
    first, last = float(along.min()), float(along.max())
    reach = 2 * float(np.abs(shapely.get_coordinates(polygon) - centre).max()) + 1

    def before(offset: float) -> shapely.Geometry:
        side = reach * np.array([-direction[1], direction[0]])
        front, back = centre + offset * direction, centre + (first - 1) * direction
        ahead = shapely.Polygon([back - side, back + side, front + side, front - side])
        return shapely.intersection(polygon, ahead, grid_size=GRID_M)

    offset = brentq(
        lambda x: before(x).area - share * polygon.area, first, last, xtol=_CUT_TOLERANCE * (last - first), rtol=1e-12
    )
    part = polygonal(before(offset))
    return part, polygonal(shapely.difference(polygon, part, grid_size=GRID_M))
