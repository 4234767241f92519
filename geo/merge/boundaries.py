"""Merge old communes into the new units by the clauses of the resolution.

The clauses say which commune goes to which unit; geometry never overrules them. A commune that goes to one unit joins
it whole. A divided one is cut by the official polygons of its units where they are known, else by lines that the user
drew, else by a modelled split.
Where official polygons are known they *are* the units, and the communes are fitted into them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.merge.audit import audit_merge
from geo.merge.coverage import ellipsoidal_area_km2, is_drawn, overlay
from geo.merge.divide import divide_communes
from geo.merge.lines import cut_by_lines
from geo.merge.population import Homes, share_population
from geo.merge.split import polygonal
from geo.merge.sureness import add_ranges
from geo.schemas import MODELLED, Districts, Pieces, Units, check

_SAME_AREA = 1e-12
#: GEOS lets go of the interpreter, so threads use more than one core.
_THREADS = 4
#: What lies nearer than this touches.
_SAME_PLACE_M = 0.0005
#: A strip that is narrower in the mean (twice its area over its perimeter) shows a coarse line, not land of its own.
_COARSE_LINE_M = 150.0
#: A gap between communes no wider than this is a fault of the map, and is filled.
_GAP_M = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Outcome of :func:`merge_communes`: tables of :mod:`geo.schemas`."""

    units: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    audit: pd.DataFrame


def merge_communes(
    communes: gpd.GeoDataFrame,
    clauses: pd.DataFrame,
    unit_facts: gpd.GeoDataFrame,
    *,
    lines: gpd.GeoDataFrame | None = None,
    homes: Homes | None = None,
    points: gpd.GeoDataFrame | None = None,
) -> Merge:
    """Merge `communes` into units, clause by clause.

    Parameters
    ----------
    communes : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Communes`, in a metric CRS.
    clauses : pandas.DataFrame
        Table :class:`~geo.schemas.Clauses`; every commune and unit occurs.
    unit_facts : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.UnitFacts`, same CRS; units without a polygon have an empty geometry.
    lines : geopandas.GeoDataFrame, optional
        Table :class:`~geo.schemas.DivisionLines`, same CRS: they cut divided communes where no official polygon does.
    homes, points : Homes and geopandas.GeoDataFrame, optional
        Streets, and points with people, that the people of a divided commune follow; see
        :func:`geo.merge.population.share_population`.

    Returns
    -------
    Merge
        Units in the order of `unit_facts`, pieces in the order of `clauses`.

    Raises
    ------
    InputError
        Drawn lines do not divide what they should; carries every fault.
    """
    shared = _overlay(communes.geometry, unit_facts.geometry)
    geometry, method, unused = _piece_geometry(communes, clauses, unit_facts, lines, shared)
    pieces = _pieces(communes, clauses, geometry, method)
    pieces = pieces.join(share_population(pieces, communes["population"], homes=homes, points=points))
    pieces["population"] = pieces["population_share"] * communes["population"][pieces["commune_id"]].to_numpy()
    pieces = add_ranges(
        pieces,
        found_share=_found_share(pieces, shared, communes.area),
        official_area_km2=unit_facts["area_km2"],
    )
    units, districts = _units(pieces, unit_facts), _districts(communes)
    audit = audit_merge(
        communes=communes,
        unit_facts=unit_facts,
        units=units,
        pieces=pieces,
        overlay=shared,
        districts=districts.geometry,
        given_share=clauses["area_share"].set_axis(pieces.index),
        unused_lines=unused,
    )
    return Merge(
        units=check(Units, units, crs=communes.crs),
        pieces=check(Pieces, pieces, crs=communes.crs),
        districts=check(Districts, districts, crs=communes.crs),
        audit=audit,
    )


def _piece_geometry(
    communes: gpd.GeoDataFrame,
    clauses: pd.DataFrame,
    unit_facts: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame | None,
    shared: gpd.GeoDataFrame,
) -> tuple[NDArray[np.object_], NDArray[np.object_], gpd.GeoSeries]:
    """Return the polygon of every clause row and how it was found, and the drawn lines that divide nothing."""
    named_once = ~clauses["commune_id"].duplicated(keep=False).to_numpy()
    official = unit_facts[is_drawn(unit_facts.geometry)]
    cut = clauses["unit_id"].isin(official.index).to_numpy()
    geometry = np.full(len(clauses), None, dtype=object)
    method = np.where(named_once, "whole", "modelled").astype(object)
    unused = gpd.GeoSeries(crs=communes.crs)
    if cut.any():
        geometry[cut] = _fit(shared, clauses[cut], official)
        modelled = unit_facts["data_source"][clauses["unit_id"]].to_numpy() == MODELLED
        method[cut & ~named_once] = np.where(modelled[cut & ~named_once], "modelled", "official")
    rest = communes.geometry if cut.all() else _rest(communes.geometry, clauses["commune_id"][~cut], official.geometry)
    geometry[named_once & ~cut] = rest[clauses["commune_id"][named_once & ~cut]]
    open_rows = ~named_once & ~cut
    if lines is not None:
        by_lines = cut_by_lines(lines, rest=rest, clauses=clauses, open_rows=open_rows)
        unused = by_lines.unused.geometry
        for row, part in by_lines.parts.items():
            geometry[row], method[row], open_rows[row] = part, "drawn", False
    if open_rows.any():
        by_line = pd.Series(np.where(method == "drawn", shapely.area(geometry), 0.0)) / 1e6
        settled = by_line.groupby(clauses["unit_id"].to_numpy()).sum()
        left = ~cut & (method != "drawn")
        parts = divide_communes(
            np.asarray(rest[clauses["commune_id"][left]]),
            clauses[left],
            area_km2=unit_facts["area_km2"] - settled,
            district=communes["district_id"],
        )
        geometry[open_rows] = parts[open_rows[left]]
    return np.where(shapely.is_missing(geometry), shapely.Polygon(), geometry), method, unused


def _rest(land: gpd.GeoSeries, open_ids: pd.Series, official: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the land of each commune of `open_ids` that official polygons leave; that of the others as it is.

    Three kinds of loose land go to the open commune that they border on longest: what the others' own units leave out,
    where the map shows it as open land too; the same where it borders on open land for at least as long as on nobody's
    (the remainder lies beyond the units); and narrow strips that an official polygon cuts off from their commune.
    """
    tidy = _tidied(land)
    if official.empty:
        return tidy
    is_open = tidy.index.isin(open_ids)
    taken = np.asarray(official)
    left = _less(np.asarray(tidy), taken)
    outside, rest = polygonal(shapely.union_all(left[~is_open])), left[is_open]
    shown = shapely.union_all(np.asarray(land[is_open]))
    theirs, foreign = _parts(shapely.intersection(outside, shown)), _parts(shapely.difference(outside, shown))
    foreign = foreign[_is_enclosed(foreign, rest, np.concatenate([taken, theirs]))]
    rest, strips = _without_strips(rest, taken)
    loose = np.concatenate([theirs, foreign, strips])
    heir = _heirs(loose, rest) if len(loose) else np.array([], dtype=int)
    for place in np.unique(heir):
        rest[place] = polygonal(shapely.union_all([rest[place], *loose[heir == place]]))
    result = np.asarray(tidy).copy()
    result[is_open] = rest
    return gpd.GeoSeries(result, index=tidy.index, crs=tidy.crs)


def _less(shapes: NDArray[np.object_], taken: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return `shapes` without the land of `taken`."""
    result = shapes.copy()
    shape, other = shapely.STRtree(taken).query(shapes, predicate="intersects")
    numbers, start = np.unique(shape, return_index=True)
    for number, near in zip(numbers, np.split(other, start[1:]), strict=False):
        result[number] = polygonal(shapely.difference(shapes[number], shapely.union_all(taken[near])))
    return result


def _without_strips(
    shapes: NDArray[np.object_], taken: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Take off the narrow parts of `shapes` that `taken` cut off from the largest and that touch another shape."""
    parts, place = shapely.get_parts(shapes, return_index=True)
    area = shapely.area(parts)
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, place, area)
    narrow = (area < largest[place]) & (2 * area < _COARSE_LINE_M * shapely.length(parts))
    strip, other = shapely.STRtree(parts).query(parts[narrow], predicate="dwithin", distance=_SAME_PLACE_M)
    strip = np.flatnonzero(narrow)[strip]
    beside = np.zeros(len(parts), dtype=bool)
    beside[strip[(place[strip] != place[other]) & ~narrow[other]]] = True
    loose = np.zeros(len(parts), dtype=bool)
    loose[np.flatnonzero(beside)[shapely.STRtree(taken).query(parts[beside], "dwithin", _SAME_PLACE_M)[0]]] = True
    kept = shapes.copy()
    for number in np.unique(place[loose]):
        kept[number] = polygonal(shapely.union_all(parts[(place == number) & ~loose]))
    return kept, parts[loose]


def _parts(shape: shapely.Geometry) -> NDArray[np.object_]:
    parts = shapely.get_parts(polygonal(shape))
    return np.asarray(parts[~shapely.is_empty(parts)])


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


def _overlay(old: gpd.GeoSeries, new: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return :func:`~geo.merge.coverage.overlay` of the two, worked out in threads."""
    parts = [old.iloc[rows] for rows in np.array_split(np.arange(len(old)), _THREADS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        return pd.concat(list(threads.map(lambda part: overlay(part, new), parts)), ignore_index=True)


def _fit(shared: gpd.GeoDataFrame, clauses: pd.DataFrame, units: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Fit the communes into the polygons of `units`: the pieces of a unit make up the unit, no more and no less.

    What the law does not name cannot be there: land of a unit that no commune named in its clause covers goes to the
    named piece it borders on longest, else to the nearest.
    """
    pairs = pd.MultiIndex.from_frame(shared[["old_id", "new_id"]])
    place = pairs.get_indexer(pd.MultiIndex.from_frame(clauses[["commune_id", "unit_id"]]))
    overlap = np.array([*shared.geometry, shapely.Polygon()], dtype=object)[place]
    result = np.array([polygonal(shape) for shape in overlap], dtype=object)
    by_unit = clauses.reset_index(drop=True).sort_values("commune_id", kind="stable").groupby("unit_id").groups
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda unit_id: _fill(units.geometry[unit_id], by_unit[unit_id].to_numpy(), result), by_unit))
    return result


def _fill(unit: shapely.Geometry, rows: NDArray[np.intp], result: NDArray[np.object_]) -> None:
    """Make the pieces `rows` of `result` a partition of `unit`: no gap, and no overlap (the first keeps it)."""
    taken = shapely.union_all(result[rows])
    if shapely.area(result[rows]).sum() > taken.area * (1 + _SAME_AREA):
        for place, row in enumerate(rows[1:], start=1):
            for earlier in rows[:place]:
                if shapely.intersects(result[row], result[earlier]):
                    result[row] = polygonal(shapely.difference(result[row], result[earlier]))
    if taken.area >= unit.area * (1 - _SAME_AREA):
        return
    gaps = shapely.get_parts(polygonal(shapely.difference(unit, taken)))
    heir = _heirs(gaps, result[rows])
    for place in np.unique(heir):
        result[rows[place]] = polygonal(shapely.union(result[rows[place]], shapely.multipolygons(gaps[heir == place])))


def _heirs(gaps: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return for each gap the place of the shape it goes to: the longest border, else the nearest; ties to the first.

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


def _pieces(
    communes: gpd.GeoDataFrame, clauses: pd.DataFrame, geometry: NDArray[np.object_], method: NDArray[np.object_]
) -> gpd.GeoDataFrame:
    pieces = gpd.GeoDataFrame(
        clauses[["commune_id", "unit_id", "relation"]].reset_index(drop=True), geometry=geometry, crs=communes.crs
    )
    pieces["method"] = method
    pieces["area_km2"] = ellipsoidal_area_km2(pieces.geometry)
    pieces["area_share"] = _share_within(pieces["area_km2"], pieces["commune_id"])
    return pieces


def _share_within(value: pd.Series, group: pd.Series) -> pd.Series:
    """Return `value` as a share of its group's sum; equal shares where that is 0."""
    total = value.groupby(group).transform("sum")
    count = value.groupby(group).transform("size")
    return (value / total).where(total > 0, 1 / count).clip(0, 1)


def _found_share(pieces: pd.DataFrame, shared: gpd.GeoDataFrame, commune_m2: pd.Series) -> pd.Series:
    """Return the share of its commune, as found, that lies in the polygon of each piece's unit; 0 without one."""
    area = shared.set_index(["old_id", "new_id"])["area_m2"]
    found = area.reindex(pd.MultiIndex.from_frame(pieces[["commune_id", "unit_id"]]), fill_value=0.0).to_numpy()
    return pd.Series(found, index=pieces.index) / commune_m2[pieces["commune_id"]].to_numpy()


def _units(pieces: gpd.GeoDataFrame, unit_facts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    geometry = np.asarray(unit_facts.geometry).copy()
    rows = _rows_of(pieces["unit_id"], unit_facts.index)
    for number in np.flatnonzero(~is_drawn(unit_facts.geometry)):
        geometry[number] = _joined(pieces.geometry.iloc[rows[number]])
    units = gpd.GeoDataFrame(unit_facts[["name", "kind", "staff"]], geometry=geometry, crs=pieces.crs)
    units["official_area_km2"] = unit_facts["area_km2"]
    units["area_km2"] = ellipsoidal_area_km2(units.geometry)
    carried = pieces.groupby("unit_id")["population"].sum(min_count=1).reindex(units.index)
    units["population"] = unit_facts["population"].fillna(carried).fillna(0.0)
    return units


def _districts(communes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    ids = pd.Index(sorted(communes["district_id"].unique()), name="district_id")
    own = communes.groupby("district_id")["district_name"].first().reindex(ids)
    with ThreadPoolExecutor(_THREADS) as threads:
        rows_of = _rows_of(communes["district_id"], ids)
        geometry = list(threads.map(lambda rows: _joined(communes.geometry.iloc[rows]), rows_of))
    districts = gpd.GeoDataFrame({"name": own}, geometry=gpd.GeoSeries(geometry, index=ids, crs=communes.crs))
    districts["area_km2"] = ellipsoidal_area_km2(districts.geometry)
    districts["population"] = communes.groupby("district_id")["population"].sum(min_count=1).reindex(ids)
    return districts


def _rows_of(column: pd.Series, ids: pd.Index) -> list[NDArray[np.intp]]:
    rows = column.groupby(column.to_numpy()).indices
    return [np.asarray(rows.get(key, ()), np.intp) for key in ids]


def _joined(shapes: gpd.GeoSeries) -> shapely.Geometry:
    return polygonal(shapely.union_all(np.asarray(shapes)))
