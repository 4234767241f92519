"""The land of the communes that official polygons leave to units without one, and who inherits what falls between."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.merge.planar import join, overlay_pairs, polygonal

#: What lies nearer than this touches.
_SAME_PLACE_M = 0.0005
#: A strip that is narrower in the mean (twice its area over its perimeter) shows a coarse line, not land of its own.
COARSE_LINE_M = 150.0
#: A gap between communes no wider than this is a fault of the map, and is filled.
_GAP_M = 200.0


def land_left(land: gpd.GeoSeries, open_ids: pd.Series, official: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the land of every commune that units with an official polygon leave to units without one.

    Three kinds of loose land go to the open commune that they border on longest: what the others' own units leave out,
    where the map shows it as open land too; the same where it borders on open land for at least as long as on nobody's
    (the remainder lies beyond the units); and narrow strips that an official polygon cuts off from their commune.

    Parameters
    ----------
    land : geopandas.GeoSeries
        Polygons of all communes in a metric CRS, as found: gaps and overlaps are tidied here. Index ``commune_id``.
    open_ids : pandas.Series
        Ids of the communes of which a unit without an official polygon gets land; repeated ids do no harm.
    official : geopandas.GeoSeries
        The official polygons; empty where none is known.

    Returns
    -------
    geopandas.GeoSeries
        Index and CRS of `land`. Communes not in `open_ids` keep all their land.
    """
    index, land = land.index, land.sort_index()  # ties go to the first, so the order must not be that of a file
    tidy = _tidied(land)
    if not official.empty:
        is_open = tidy.index.isin(open_ids)
        tidy[is_open] = _open_land(land, tidy, is_open, np.asarray(official))
    return tidy.loc[index]


def _open_land(
    land: gpd.GeoSeries, tidy: gpd.GeoSeries, is_open: NDArray[np.bool_], taken: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return the land of the open communes, given that of all as found and tidied, and what official polygons take."""
    left = overlay_pairs(shapely.difference, np.asarray(tidy), _near(np.asarray(tidy), taken))
    left = np.array([polygonal(shape) for shape in left], dtype=object)
    outside, rest = _parts(shapely.union_all(left[~is_open])), left[is_open]
    shown = _near(outside, np.asarray(land[is_open]))
    rest = hand_over(_parts(overlay_pairs(shapely.intersection, outside, shown)), rest)
    foreign = _parts(overlay_pairs(shapely.difference, outside, shown))
    foreign = foreign[_is_enclosed(foreign, rest, taken)]
    rest, strips = _without_strips(rest, taken)
    return hand_over(np.concatenate([foreign, strips]), rest)


def _near(shapes: NDArray[np.object_], others: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return for each shape the union of those `others` that meet it, so that no operation meets the whole city."""
    result = np.full(len(shapes), shapely.Polygon(), dtype=object)
    shape, other = shapely.STRtree(others).query(shapes, predicate="intersects")
    numbers, start = np.unique(shape, return_index=True)
    for number, near in zip(numbers, np.split(other, start[1:]), strict=False):
        result[number] = join(others[near])
    return result


def _without_strips(
    shapes: NDArray[np.object_], taken: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Take off the narrow parts of `shapes` that `taken` cut off from the largest and that touch another shape."""
    parts, place = shapely.get_parts(shapes, return_index=True)
    area = shapely.area(parts)
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, place, area)
    narrow = (area < largest[place]) & (2 * area < COARSE_LINE_M * shapely.length(parts))
    strip, other = shapely.STRtree(parts).query(parts[narrow], predicate="dwithin", distance=_SAME_PLACE_M)
    strip = np.flatnonzero(narrow)[strip]
    beside = np.zeros(len(parts), dtype=bool)
    beside[strip[(place[strip] != place[other]) & ~narrow[other]]] = True
    loose = np.zeros(len(parts), dtype=bool)
    loose[np.flatnonzero(beside)[shapely.STRtree(taken).query(parts[beside], "dwithin", _SAME_PLACE_M)[0]]] = True
    kept = shapes.copy()
    for number in np.unique(place[loose]):
        kept[number] = join(parts[(place == number) & ~loose])
    return kept, parts[loose]


def _parts(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    parts = shapely.get_parts(shapes)
    return np.asarray(parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)])


def _is_enclosed(
    parts: NDArray[np.object_], shapes: NDArray[np.object_], others: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Say which `parts` border on `shapes`, and for at least as long as on nobody: no shape, part or other."""
    edge = shapely.boundary(parts)
    around = np.concatenate([shapes, parts, others])
    part, place = shapely.STRtree(around).query(parts, predicate="dwithin", distance=_SAME_PLACE_M)
    part, place = (numbers[place != len(shapes) + part] for numbers in (part, place))
    near, position = np.unique(place, return_inverse=True)
    along = shapely.buffer(around[near], _SAME_PLACE_M)[position]
    border_m = shapely.length(shapely.intersection(edge[part], along))
    beside_m = np.bincount(part, np.where(place < len(shapes), border_m, 0.0), minlength=len(parts))
    nobody_m = shapely.length(edge) - np.bincount(part, border_m, minlength=len(parts))
    enclosed: NDArray[np.bool_] = (beside_m > 0) & (beside_m.round(2) >= nobody_m.round(2))
    return enclosed


def hand_over(loose: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return `shapes` with each of `loose` joined to the one that it borders on longest, else to the nearest.

    Parameters
    ----------
    loose, shapes : numpy.ndarray of shapely.Geometry
        Polygons in one metric CRS that do not overlap; a shape may be empty. Borders count to the millimetre, what lies
        within half of one touches, and ties go to the first shape.

    Returns
    -------
    numpy.ndarray of shapely.Geometry
        As many as `shapes`; land is neither lost nor doubled.
    """
    result = shapes.copy()
    if not len(loose):
        return result
    heir = _heirs(loose, shapes)
    for place in np.unique(heir):
        result[place] = join(np.array([shapes[place], *loose[heir == place]], dtype=object))
    return result


def _heirs(gaps: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return for each gap the place of the shape it goes to.

    Lines that were rounded leave thousands of gaps, most of them beside one shape only: only the others are measured.
    """
    gap, place = shapely.STRtree(shapes).query(gaps, predicate="dwithin", distance=_SAME_PLACE_M)
    apart = np.setdiff1d(np.arange(len(gaps)), gap)
    metres = shapely.distance(gaps[apart][:, None], shapes).round(3)
    metres[np.isnan(metres)] = np.inf
    nearest, nearest_place = np.nonzero(metres == metres.min(axis=1, keepdims=True))
    gap, place = np.append(gap, apart[nearest]), np.append(place, nearest_place)
    open_ = np.bincount(gap)[gap] > 1
    border = np.zeros(len(gap))
    border[open_] = shapely.length(shapely.intersection(shapes[place[open_]], shapely.boundary(gaps[gap[open_]])))
    order = np.lexsort((place, -border.round(3), gap))
    _, first = np.unique(gap[order], return_index=True)
    return place[order][first]


def settle_detached(
    parts: NDArray[np.object_],
    *,
    commune: NDArray[np.object_],
    unit: NDArray[np.object_],
    movable: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Give what lies apart from the rest of its unit to the part of the same commune that it borders on longest.

    A line that somebody modelled cuts off corners which no resolution would. The largest piece of each part stays where
    it is: the law names the part.

    Parameters
    ----------
    parts : numpy.ndarray of shapely.Geometry, shape (n_clauses,)
        The land of every clause row, in a metric CRS.
    commune, unit : numpy.ndarray of str, shape (n_clauses,)
        Ids, of each row.
    movable : numpy.ndarray of bool, shape (n_clauses,)
        The rows between which land may pass.

    Returns
    -------
    numpy.ndarray of shapely.Geometry, shape (n_clauses,)
        In every commune the same land as before.
    """
    order = np.lexsort((unit, commune))
    parts, commune, unit, movable = parts[order], commune[order], unit[order], movable[order]
    bits, row = shapely.get_parts(parts, return_index=True)
    detached = movable[row] & ~_is_largest(bits, row)
    detached[detached] = _is_detached(bits[detached], unit[row[detached]], parts, unit)
    for taken in np.unique(row[detached]):
        parts[taken] = join(bits[(row == taken) & ~detached])
    for bit in np.flatnonzero(detached):
        own = np.flatnonzero(movable & (commune == commune[row[bit]]))
        parts[own] = hand_over(bits[[bit]], parts[own])
    return np.asarray(parts[np.argsort(order)])


def _is_largest(bits: NDArray[np.object_], row: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say which of `bits` is the first of the largest in its row."""
    order = np.lexsort((-shapely.area(bits), row))
    largest = np.zeros(len(bits), dtype=bool)
    largest[order[np.unique(row[order], return_index=True)[1]]] = True
    return largest


def _is_detached(
    bits: NDArray[np.object_], of_unit: NDArray[np.object_], parts: NDArray[np.object_], unit: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Say which `bits` lie outside the largest piece of their unit."""
    inside = shapely.point_on_surface(bits)
    detached = np.zeros(len(bits), dtype=bool)
    for name in np.unique(of_unit):
        own = of_unit == name
        pieces = shapely.get_parts(shapely.union_all(parts[unit == name]))
        detached[own] = ~shapely.intersects(pieces[np.argmax(shapely.area(pieces))], inside[own])
    return detached


def _tidied(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the communes without the overlaps and narrow gaps that maps from several sources leave.

    Land under two communes goes to the smaller; a gap to the one it borders on longest.
    """
    polygons = np.asarray(shapes)
    if shapely.coverage_is_valid(polygons):
        return shapes
    with np.errstate(invalid="ignore"):
        tidy = shapely.coverage_clean(polygons, gap_width=_GAP_M, merge_strategy="min_area")
    return gpd.GeoSeries(tidy, index=shapes.index, crs=shapes.crs)
