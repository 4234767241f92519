"""Overlays of polygons that neither lose land nor invent it.

In full precision GEOS can, in silence, lose a polygon or keep one that should go, where lines nearly coincide. Snapped
to a grid it does not, but then neighbours no longer share their lines to the last bit: the grid is the second choice.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

#: A hundredth of a micrometre.
GRID_M = 1e-8
#: What tiles adds up to its union, to this share of its area.
_SAME_AREA = 1e-9


def overlay_pairs(
    operation: Callable[..., NDArray[np.object_]], one: NDArray[np.object_], other: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return the overlay of each pair of polygons, on the grid where that is not the same.

    Parameters
    ----------
    operation : callable
        :func:`shapely.intersection` or :func:`shapely.difference`.
    one, other : numpy.ndarray of shapely.Geometry, shape (n,)
        Polygons in a metric CRS.

    Returns
    -------
    numpy.ndarray of shapely.Geometry, shape (n,)
        With the points and lines that an overlay leaves.
    """
    exact, snapped = operation(one, other), operation(one, other, grid_size=GRID_M)
    moved_m2 = GRID_M * (shapely.length(one) + shapely.length(other))
    return np.where(np.abs(shapely.area(exact) - shapely.area(snapped)) > moved_m2, snapped, exact)


def join(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Return the union of polygons that do not overlap, with all of their land."""
    land_m2 = shapely.area(shapes).sum()
    whole = polygonal(shapely.union_all(shapes))
    if abs(whole.area - land_m2) <= _SAME_AREA * land_m2:
        return whole
    return polygonal(shapely.union_all(shapes, grid_size=GRID_M))


def polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of `shape`, without the points and lines that an overlay leaves."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()
