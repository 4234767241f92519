"""From a raster of labels to one coverage of polygons with lines that look drawn, not like cells.

The sides between cells of different labels are joined into arcs that run from junction to junction. Each arc is
smoothed once and used by the polygons on both its sides, so that neighbours share every vertex.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

#: Standard deviation of the smoothing, in cells along the arc.
SMOOTHING_CELLS = 2.5
#: Tolerance of the simplification (square root of the triangle area of Visvalingam's rule), in cells.
TOLERANCE_CELLS = 0.35

Labels = NDArray[np.int32]
Points = NDArray[np.float64]


def trace_coverage(labels: Labels, *, crs: object, origin: tuple[float, float], cell_m: float) -> gpd.GeoSeries:
    """Return the polygon of every label as one valid coverage.

    Parameters
    ----------
    labels : numpy.ndarray of int, shape (rows, columns)
        Label of each cell, row 0 in the south; -1 where there is none.
    crs : object
        CRS of the result, as geopandas takes it; metric.
    origin : (float, float)
        South-west corner of the raster, in metres of `crs`.
    cell_m : float
        Width of a cell in metres.

    Returns
    -------
    geopandas.GeoSeries
        Polygon or MultiPolygon by label, ascending; a label without a cell is missing.
    """
    arcs = _smooth_arcs(_join_sides(labels))
    faces = shapely.get_parts(shapely.polygonize(list(arcs)))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    owner = _nearest_label(labels, inside)
    kept = owner >= 0
    simple = shapely.coverage_simplify(faces[kept], TOLERANCE_CELLS)
    placed = shapely.transform(simple, lambda xy: xy * cell_m + np.asarray(origin))
    pieces = gpd.GeoDataFrame({"label": owner[kept]}, geometry=list(placed), crs=crs)
    return pieces.dissolve("label", method="coverage").geometry


def _join_sides(labels: Labels) -> NDArray[np.object_]:
    """Return the lines between different labels from junction to junction, in cells."""
    padded = np.pad(labels, 1, constant_values=-1)
    rows, columns = np.nonzero(padded[1:, :] != padded[:-1, :])
    across = np.stack([np.c_[columns - 1, rows], np.c_[columns, rows]], axis=1)
    rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
    upward = np.stack([np.c_[columns, rows - 1], np.c_[columns, rows]], axis=1)
    sides = shapely.linestrings(np.concatenate([across, upward]).astype(float))
    return shapely.get_parts(shapely.line_merge(shapely.multilinestrings(sides)))


def _smooth_arcs(arcs: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the arcs smoothed; an arc that would meet another is smoothed less."""
    lines = [shapely.get_coordinates(arc) for arc in arcs]
    junctions = _relax_junctions(lines)
    sigma = np.full(len(lines), SMOOTHING_CELLS)
    smooth = np.array([_smooth(line, s, junctions) for line, s in zip(lines, sigma, strict=True)], dtype=object)
    for _ in range(6):
        bad = _find_crossings(smooth)
        if not len(bad):
            return smooth
        sigma[bad] = np.where(sigma[bad] > 0.4, sigma[bad] / 2, 0)
        for index in bad:
            smooth[index] = _smooth(lines[index], sigma[index], junctions)
    return smooth


def _relax_junctions(lines: list[Points]) -> dict[tuple[float, float], Points]:
    """Return where each end of an arc moves: half way to the mean of what lies around it."""
    around: dict[tuple[float, float], list[Points]] = {}
    for line in lines:
        reach = min(2, len(line) - 1)
        around.setdefault(tuple(line[0]), []).append(line[reach])
        around.setdefault(tuple(line[-1]), []).append(line[-1 - reach])
    return {end: (np.asarray(end) + np.mean(near, axis=0)) / 2 for end, near in around.items()}


def _smooth(line: Points, sigma: float, junctions: dict[tuple[float, float], Points]) -> shapely.LineString:
    """Return a Gaussian mean along the line; its ends go to their junctions, a ring stays a ring."""
    ring = bool((line[0] == line[-1]).all())
    width = min(sigma, len(line) / 6)
    middle = (line[1:] + line[:-1]) / 2
    if ring:
        points = ndimage.gaussian_filter1d(middle, min(width, 1.0), axis=0, mode="wrap")
        return shapely.LineString(np.r_[points, points[:1]])
    start, end = junctions[tuple(line[0])], junctions[tuple(line[-1])]
    path = np.r_[start[None], middle, end[None]]
    chord = np.linspace(0, 1, len(path))[:, None] * (end - start) + start
    # odd reflection about the chord keeps both ends where they are
    points = chord + _filter_odd(path - chord, width)
    # to the last bit: faces close only where arcs end at the same point
    points[0], points[-1] = start, end
    return shapely.LineString(points)


def _filter_odd(values: Points, sigma: float) -> Points:
    if sigma <= 0:
        return values
    extended = np.r_[-values[:0:-1], values, -values[-2::-1]]
    first = len(values) - 1
    return ndimage.gaussian_filter1d(extended, sigma, axis=0)[first : first + len(values)]


def _find_crossings(lines: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return which lines touch themselves or another line elsewhere than at a common end."""
    bad = set(np.flatnonzero(~shapely.is_simple(lines)))
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    common = shapely.intersection(shapely.boundary(lines[first]), shapely.boundary(lines[second]))
    wrong = ~shapely.equals(shapely.intersection(lines[first], lines[second]), common)
    bad.update(first[wrong], second[wrong])
    return np.array(sorted(bad), dtype=np.intp)


def _nearest_label(labels: Labels, points: Points) -> Labels:
    columns, rows = np.floor(points).astype(int).T
    return labels[np.clip(rows, 0, labels.shape[0] - 1), np.clip(columns, 0, labels.shape[1] - 1)]
