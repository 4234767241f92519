"""Where polygons that should tile the land leave gaps, lie on one another or leave their outline."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

_EQUAL_AREA = "EPSG:6933"
#: Overlaps that add up to less than this share of the land are rounding: nobody looks for their spots.
ROUNDING = 1e-6
#: Smaller spots are counted in the sums but get no row of their own.
LEAST_SPOT_M2 = 100.0
#: A spot narrower than this in the mean (twice its area over its perimeter), or below a hectare, is a sliver.
SLIVER_WIDTH_M = 20.0
SLIVER_M2 = 10_000.0
#: A polygon this near to a spot is its neighbour.
_BESIDE_M = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """Connected bits of land where something is wrong.

    Attributes
    ----------
    total_m2 : float
        Area of all of them, those too small for a row included.
    shape : ndarray of shapely.Polygon, shape (n,)
        Those of at least :data:`LEAST_SPOT_M2`, in a metric CRS.
    near : list of tuple of str
        Ids of the polygons beside each spot, or lying on one another there.
    """

    total_m2: float
    shape: NDArray[np.object_]
    near: list[tuple[str, ...]]

    @property
    def are_slivers(self) -> NDArray[np.bool_]:
        """Whether each spot is narrow or small, shape (n,)."""
        area = shapely.area(self.shape)
        narrow: NDArray[np.bool_] = 2 * area < SLIVER_WIDTH_M * shapely.length(self.shape)
        return narrow | (area < SLIVER_M2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How a layer of polygons tiles its land; `outside` is empty where no outline is known."""

    overlaps: Spots
    gaps: Spots
    outside: Spots


def unite(*layers: gpd.GeoSeries) -> list[shapely.Geometry]:
    """Return the union of each layer, worked out side by side: it is most of the work of an audit."""
    with ThreadPoolExecutor(len(layers)) as threads:
        return list(threads.map(lambda shapes: shapely.union_all(np.asarray(shapes[is_drawn(shapes)])), layers))


def examine_coverage(
    shapes: gpd.GeoSeries, *, union: shapely.Geometry, outline: shapely.Geometry | None = None
) -> Coverage:
    """Find overlaps, gaps and what lies beyond the outline.

    Parameters
    ----------
    shapes : geopandas.GeoSeries
        Valid polygons in a metric CRS, indexed by their id; empty ones are left out.
    union : shapely.Geometry
        Their union, of :func:`unite`.
    outline : shapely.Geometry, optional
        The land to be covered. Without it, only holes inside the union count as gaps.
    """
    shapes = shapes[is_drawn(shapes)]
    land = _without_holes(union) if outline is None else outline
    excess_m2 = float(shapes.area.sum()) - union.area
    with ThreadPoolExecutor() as threads:
        overlaps = threads.submit(_overlaps, shapes, excess_m2=excess_m2, rounding_m2=ROUNDING * union.area)
        gaps = threads.submit(lambda: shapely.Polygon() if land is union else shapely.difference(land, union))
        outside = shapely.Polygon() if outline is None else shapely.difference(union, outline)
        return Coverage(
            overlaps=overlaps.result(),
            gaps=_spots_beside(gaps.result(), shapes),
            outside=_spots_beside(outside, shapes),
        )


def _without_holes(shape: shapely.Geometry) -> shapely.Geometry:
    if not shapely.get_num_interior_rings(shapely.get_parts(shape)).any():
        return shape
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(shape))))


def _overlaps(shapes: gpd.GeoSeries, *, excess_m2: float, rounding_m2: float) -> Spots:
    """Return where two polygons lie on one another; pairs come from a tree, and only if there is something to find."""
    total = max(excess_m2, 0.0)
    if total < max(LEAST_SPOT_M2, rounding_m2):
        return Spots(total_m2=total, shape=np.array([], dtype=object), near=[])
    array = np.asarray(shapes)
    shapely.prepare(array)
    one, other = shapely.STRtree(array).query(array, predicate="intersects")
    one, other = one[one < other], other[one < other]
    parts, pair = shapely.get_parts(shapely.intersection(array[one], array[other]), return_index=True)
    kept = shapely.area(parts) >= LEAST_SPOT_M2
    ids = [tuple(sorted((shapes.index[one[i]], shapes.index[other[i]]))) for i in pair[kept]]
    return Spots(total_m2=total, shape=parts[kept], near=ids)


def _spots_beside(land: shapely.Geometry, shapes: gpd.GeoSeries) -> Spots:
    parts = shapely.get_parts(land)
    area = shapely.area(parts)
    kept = parts[area >= LEAST_SPOT_M2]
    near: list[set[str]] = [set() for _ in kept]
    if len(kept):
        for i, j in shapely.STRtree(np.asarray(shapes)).query(kept, predicate="dwithin", distance=_BESIDE_M).T:
            near[i].add(shapes.index[j])
    return Spots(total_m2=float(area.sum()), shape=kept, near=[tuple(sorted(ids)) for ids in near])


def overlay(old: gpd.GeoSeries, new: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return what every polygon of `old` shares with every polygon of `new`.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``old_id``, ``new_id``, ``area_m2`` and ``geometry``; one row per pair with common land, in the order of
        `old`, then `new`. Pairs come from a tree, so the work grows with the number of polygons, not of pairs.
    """
    old, new = (shapes[is_drawn(shapes)] for shapes in (old, new))
    one, other = np.asarray(old), np.asarray(new)
    shapely.prepare(one)
    i, j = shapely.STRtree(other).query(one, predicate="intersects")
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    shared = shapely.intersection(one[i], other[j])
    area = shapely.area(shared)
    land = area > 0
    columns = {"old_id": old.index[i[land]], "new_id": new.index[j[land]], "area_m2": area[land]}
    return gpd.GeoDataFrame(columns, geometry=shared[land], crs=old.crs)


def is_drawn(shapes: gpd.GeoSeries) -> NDArray[np.bool_]:
    """Say which of the geometries are there and not empty, shape (n,)."""
    array = np.asarray(shapes)
    return ~(shapely.is_missing(array) | shapely.is_empty(array))


def ellipsoidal_area_km2(geometry: gpd.GeoSeries) -> pd.Series:
    """Return the area of each geometry on the WGS 84 ellipsoid, by an equal-area projection; 0 for an empty one."""
    return geometry.to_crs(_EQUAL_AREA).area.fillna(0.0) / 1e6
