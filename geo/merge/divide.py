"""Divide communes between the units that their clauses name, where nobody has drawn the line: a modelled division.

Known are the units that take part in each commune and the official area of every unit. Assumed is that units are
compact; that a divided commune goes mostly to one unit, while each that the law names gets some land; that land without
people is a small part, and the part with all the people a large one; that few communes go to another district's unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from geo.merge.anneal import Potts, anneal
from geo.merge.planar import GRID_M, polygonal
from geo.merge.split import split_polygon

#: Atoms of land in a commune: enough to shape a line, few enough that a city takes seconds.
_ATOMS = 80
#: The grid over the box of a commune has no more points: slivers far apart would ask for any number.
_GRID_POINTS = 100_000
#: A line along an old boundary costs this much more than one across a commune, which the law divides anyway.
_ALONG_OLD_BOUNDARY = 1.2
#: The energy of a line is its length over the side of the units beside it, to this power.
_SIDE_POWER = 0.7
#: What all of a commune costs, by the words of the clause.
_COST_OF_RELATION = {"part_area_only": 4.0, "part_area_whole_population": -4.0}
#: What all of a commune costs a unit that has no other land of its district; nothing where half of it is of this one.
_COST_OF_DISTRICT = 3.0
#: Atoms farther apart than this many spacings are no neighbours: there is a gap in the map between them.
_REACH = 3.0
#: Lines between cells are simplified by this share of the spacing, which straightens their zigzag.
_SMOOTHING = 0.5


def divide_communes(
    shapes: NDArray[np.object_], clauses: pd.DataFrame, *, area_km2: pd.Series, district: pd.Series
) -> NDArray[np.object_]:
    """Return the part of its commune that each clause row gets.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (n_clauses,)
        What there is to divide of the commune of each row, in a metric CRS; the same for all rows of a commune.
    clauses : pandas.DataFrame
        Columns ``commune_id``, ``unit_id``, ``relation`` and ``area_share`` (NaN where not given) of
        :class:`~geo.schemas.Clauses`; all rows of each commune.
    area_km2 : pandas.Series
        By unit_id: what the rows of a unit should add up to; NaN where not known.
    district : pandas.Series
        District of each commune, by commune_id.

    Returns
    -------
    ndarray of shapely geometries, shape (n_clauses,)
        In every commune a partition of its shape; a commune with one row goes to it whole. Shares that the clauses
        give are kept, and scaled where together they are more than the commune, or where all are given and are less.
    """
    parts = shapes.copy()
    order = np.lexsort((clauses["unit_id"].to_numpy(str), clauses["commune_id"].to_numpy(str)))
    rows = clauses.iloc[order]
    commune, ids = pd.factorize(rows["commune_id"])
    first = np.searchsorted(commune, np.arange(len(ids) + 1))
    divided = np.flatnonzero(np.diff(first) > 1)
    atoms = _scatter(shapes[order[first[:-1]]], divided=divided)
    if not len(divided) or not len(atoms.point):
        return parts
    problem = _problem(atoms, rows, commune, area_km2=area_km2, district=district)
    option = anneal(problem)
    start = np.searchsorted(atoms.commune, np.arange(len(ids) + 1))
    for number in divided:
        options = slice(first[number], first[number + 1])
        own = slice(start[number], start[number + 1])
        parts[order[options]] = _cut(
            shapes[order[first[number]]], atoms.point[own], option[own] - first[number], problem.wanted[options]
        )
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Atoms:
    """Points that stand for the land nearest to them in their commune, sorted by commune."""

    point: NDArray[np.float64]
    commune: NDArray[np.intp]
    area_km2: NDArray[np.float64]
    spacing: NDArray[np.float64]


def _scatter(shapes: NDArray[np.object_], *, divided: NDArray[np.intp]) -> _Atoms:
    """Put about :data:`_ATOMS` points on a triangular grid into each shape, at least one; exact areas in `divided`."""
    grids = [_grid(shape) for shape in shapes]
    count = np.array([len(grid) for grid in grids])
    commune = np.repeat(np.arange(len(shapes)), count)
    mean_m2 = shapely.area(shapes) / np.maximum(count, 1)
    area = mean_m2[commune]
    stop = np.cumsum(count)
    for number in divided[count[divided] > 0]:
        own = slice(stop[number] - count[number], stop[number])
        area[own] = shapely.area(shapely.intersection(shapes[number], _cells(grids[number])))
    return _Atoms(point=np.concatenate(grids), commune=commune, area_km2=area / 1e6, spacing=np.sqrt(mean_m2)[commune])


def _grid(shape: shapely.Geometry) -> NDArray[np.float64]:
    if shape.is_empty:
        return np.empty((0, 2))
    west, south, east, north = shape.bounds
    box_m2 = (east - west) * (north - south)
    step = np.sqrt(max(shape.area / _ATOMS, box_m2 / _GRID_POINTS) * 2 / np.sqrt(3))
    x, y = np.meshgrid(
        np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step * np.sqrt(3) / 2)
    )
    x[1::2] += step / 2
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel())
    grid = np.column_stack([x.ravel()[inside], y.ravel()[inside]])
    return grid if len(grid) else shapely.get_coordinates(shapely.point_on_surface(shape))


def _problem(
    atoms: _Atoms, clauses: pd.DataFrame, commune: NDArray[np.intp], *, area_km2: pd.Series, district: pd.Series
) -> Potts:
    unit, unit_ids = pd.factorize(clauses["unit_id"])
    target = area_km2.where(area_km2 > 0).reindex(unit_ids).to_numpy(float)
    commune_km2 = np.asarray(np.bincount(atoms.commune, atoms.area_km2, minlength=commune[-1] + 1), float)
    tail, head, border_km = _borders(atoms)
    side_km = np.sqrt(_typical_area(commune, target[unit], commune_km2))
    scale = np.sqrt(side_km[atoms.commune[tail]] * side_km[atoms.commune[head]])
    is_old = atoms.commune[tail] != atoms.commune[head]
    home = _share_of_district(
        clauses["commune_id"].map(district).to_numpy(), unit, (commune_km2 / np.bincount(commune))[commune]
    )
    return Potts(
        group=atoms.commune,
        size=atoms.area_km2,
        tail=tail,
        head=head,
        length=border_km / scale**_SIDE_POWER * np.where(is_old, _ALONG_OLD_BOUNDARY, 1.0),
        option_group=commune,
        option_label=unit,
        cost=clauses["relation"].map(_COST_OF_RELATION).fillna(0.0).to_numpy()
        + _COST_OF_DISTRICT * np.maximum(1 - 2 * home, 0),
        wanted=_wanted(clauses["area_share"].to_numpy(float), commune),
        target=target,
    )


def _borders(atoms: _Atoms) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return pairs of neighbouring atoms and the kilometres of border between their Voronoi cells."""
    diagram, _ = _voronoi(atoms.point)
    inner = (diagram.ridge_points < len(atoms.point)).all(axis=1)
    tail, head = diagram.ridge_points[inner].T
    ends = diagram.vertices[np.array(diagram.ridge_vertices)[inner]]
    border = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
    spacing = np.maximum(atoms.spacing[tail], atoms.spacing[head])
    near = np.hypot(*(atoms.point[tail] - atoms.point[head]).T) < _REACH * spacing
    return tail[near], head[near], np.minimum(border, spacing)[near] / 1e3


def _voronoi(point: NDArray[np.float64]) -> tuple[Voronoi, NDArray[np.float64]]:
    """Return the Voronoi diagram of the points, bounded by four far ones that follow them, and its origin."""
    low, high = point.min(axis=0), point.max(axis=0)
    origin = (low + high) / 2
    frame = (10 * (high - low).max() + 1e4) * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    return Voronoi(np.concatenate([point - origin, frame])), origin


def _typical_area(
    commune: NDArray[np.intp], target: NDArray[np.float64], commune_km2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the geometric mean of the areas of each commune's units; its own area where none is known."""
    known = ~np.isnan(target)
    n_known = np.bincount(commune[known], minlength=len(commune_km2))
    total = np.bincount(commune[known], np.log(target[known]), minlength=len(commune_km2))
    own = np.maximum(commune_km2, np.finfo(float).tiny)
    return np.where(n_known > 0, np.exp(total / np.maximum(n_known, 1)), own)


def _share_of_district(
    district: NDArray[np.object_], unit: NDArray[np.intp], land: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of the land in the clauses of each row's unit that lies in the row's district."""
    rows = pd.DataFrame({"unit": unit, "district": district, "land": land})
    of_unit = rows.groupby("unit")["land"].transform("sum")
    home: NDArray[np.float64] = (
        rows.groupby(["unit", "district"], dropna=False)["land"].transform("sum") / of_unit
    ).to_numpy()
    return home


def _wanted(given: NDArray[np.float64], commune: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the given shares, scaled to no more than the commune; a single share that is missing is the rest.

    Where what the others leave is given to nobody, the shares are free.
    """
    taken = np.bincount(commune, np.nan_to_num(given))[commune]
    missing = np.bincount(commune, np.isnan(given))[commune]
    rest = np.where(missing == 1, np.maximum(1 - taken, 0), np.nan)
    scale = np.where(missing > 0, np.maximum(taken, 1), np.where(taken > 0, taken, np.nan))
    return np.where(np.isnan(given), rest, given / scale)


def _cut(
    shape: shapely.Geometry, point: NDArray[np.float64], option: NDArray[np.intp], wanted: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Cut `shape` between the options: by straight lines where a share is given, else between their atoms."""
    n_atoms = np.bincount(option, minlength=len(wanted))
    if len(option) and not np.isnan(wanted).all():
        middle = point.mean(axis=0)
        seeds = np.array([point[option == n].mean(axis=0) if n_atoms[n] else middle for n in range(len(wanted))])
        return split_polygon(shape, seeds=seeds, shares=_filled(wanted, n_atoms))
    parts = np.full(len(wanted), shapely.Polygon(), dtype=object)
    if not len(option):
        return parts
    present = np.flatnonzero(n_atoms)
    cells = _cells(point)
    land = np.array([shapely.coverage_union_all(cells[option == n]) for n in present])
    tolerance = _SMOOTHING * np.sqrt(shape.area / len(point))
    for n, region in zip(present[:-1], shapely.coverage_simplify(land, tolerance), strict=False):
        parts[n] = polygonal(shapely.intersection(shape, region, grid_size=GRID_M))
        shape = polygonal(shapely.difference(shape, region, grid_size=GRID_M))
    parts[present[-1]] = shape
    return parts


def _filled(wanted: NDArray[np.float64], n_atoms: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return `wanted` with the rest of the commune spread over the missing shares as their atoms are."""
    missing = np.isnan(wanted)
    rest = max(1 - np.nansum(wanted), 0.0)
    return np.where(missing, rest * (n_atoms + 1) / (n_atoms + 1)[missing].sum(), wanted) if missing.any() else wanted


def _cells(point: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the Voronoi cell of each point; neighbours share their corners exactly."""
    diagram, origin = _voronoi(point)
    regions = [diagram.regions[region] for region in diagram.point_region[: len(point)]]
    corners = shapely.points(diagram.vertices[np.concatenate(regions)] + origin)
    cell = np.repeat(np.arange(len(regions)), [len(region) for region in regions])
    return shapely.convex_hull(shapely.multipoints(corners, indices=cell))
