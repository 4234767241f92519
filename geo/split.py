"""Split a polygon between seeds so that each gets a given share of the area: a power diagram."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

_AREA_TOLERANCE = 1e-4
_MAX_ROUNDS = 200


def split_polygon(
    polygon: shapely.Geometry, *, seeds: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Return one part of `polygon` per seed, cut by straight lines.

    The parts are the cells of a power diagram, ``|x - p_i|^2 - w_i``, whose weights ``w`` are raised and lowered until
    the areas meet the shares (Aurenhammer, Hoffmann & Aronov, Algorithmica 20 (1998) 61-76: such weights exist and are
    unique but for a constant).

    Parameters
    ----------
    polygon : shapely.Polygon or MultiPolygon
        In a metric CRS.
    seeds : ndarray of float64, shape (n, 2)
        Need not lie inside. Seeds that coincide are moved apart by a metre.
    shares : ndarray of float64, shape (n,)
        Share of the area for each; only their ratios matter.

    Returns
    -------
    ndarray of shapely geometries, shape (n,)
        Together the polygon; each within 0.01 % of the area it should have.
    """
    if polygon.is_empty or len(seeds) == 1:
        return np.array([polygon] + [shapely.Polygon()] * (len(seeds) - 1), dtype=object)
    seeds = seeds + np.arange(len(seeds))[:, None] * np.array([1.0, 0.5])
    target = polygon.area * shares / shares.sum()
    weights = _first_weights(polygon, seeds)
    step = 1.0
    cells = _cells(polygon, seeds, weights)
    error = _error(cells, target)
    for _ in range(_MAX_ROUNDS):
        if np.abs(error).max() <= _AREA_TOLERANCE * polygon.area:
            break
        move = _newton_step(cells, seeds, error)
        trial = weights + step * move
        trial_cells = _cells(polygon, seeds, trial)
        trial_error = _error(trial_cells, target)
        if np.abs(trial_error).sum() < np.abs(error).sum():
            weights, cells, error = trial, trial_cells, trial_error
            step = min(1.0, 2 * step)
        else:
            step /= 2
            if step < 1e-6:
                break
    return np.array(cells, dtype=object)


def polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of `shape`, without the points and lines that an overlay leaves."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _first_weights(polygon: shapely.Geometry, seeds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights that give every seed some land, however far outside it lies: as if seen from the middle."""
    middle = shapely.get_coordinates(polygon.centroid)[0]
    return ((seeds - middle) ** 2).sum(axis=1)


def _error(cells: list[shapely.Geometry], target: NDArray[np.float64]) -> NDArray[np.float64]:
    return target - shapely.area(np.array(cells, dtype=object))


def _newton_step(
    cells: list[shapely.Geometry], seeds: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the change of the weights that mends `error` to first order.

    An area grows by ``length of the shared edge / (2 |p_i - p_j|)`` per unit of weight.
    """
    n = len(cells)
    slope = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            edge = shapely.length(shapely.intersection(cells[i].boundary, cells[j].boundary))
            slope[i, j] = slope[j, i] = -max(edge, 1.0) / (2 * np.linalg.norm(seeds[i] - seeds[j]))
    np.fill_diagonal(slope, -slope.sum(axis=1))
    return np.linalg.lstsq(slope, error, rcond=None)[0]


def _cells(
    polygon: shapely.Geometry, seeds: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[shapely.Geometry]:
    """Return the power cells, cut one after the other so that they partition the polygon exactly."""
    reach = 4 * (np.ptp(shapely.get_coordinates(shapely.envelope(polygon)), axis=0).max() + 1)
    cells, rest = [], polygon
    for i in range(len(seeds) - 1):
        cell = rest
        for j in range(i + 1, len(seeds)):
            cell = shapely.intersection(cell, _half_plane(polygon, seeds[i], seeds[j], weights[i] - weights[j], reach))
        cell = polygonal(cell)
        cells.append(cell)
        rest = polygonal(shapely.difference(rest, cell))
    return [*cells, rest]


def _half_plane(
    polygon: shapely.Geometry, p: NDArray[np.float64], q: NDArray[np.float64], gap: float, reach: float
) -> shapely.Polygon:
    """Return the part of a large square around the polygon where ``|x - p|^2 - |x - q|^2 <= gap``."""
    normal = (q - p) / np.linalg.norm(q - p)
    offset = (q @ q - p @ p + gap) / (2 * np.linalg.norm(q - p))
    middle = shapely.get_coordinates(polygon.centroid)[0]
    foot = middle + (offset - normal @ middle) * normal
    along = reach * np.array([-normal[1], normal[0]])
    back = -(reach + abs(offset - normal @ middle)) * normal
    return shapely.Polygon([foot - along, foot + along, foot + along + back, foot - along + back])
