"""Merge old communes into the new units by the clauses of the resolution.

The clauses say which commune goes to which unit; geometry overrules them only in strips that coarse lines leave. A
commune that goes to one unit joins it whole. A divided one is cut by the official polygons of its units where they are
known, else by lines that the user drew, else by a modelled split. Where official polygons are known they *are* the
units, and the communes are fitted into them.
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
from geo.merge.leftover import hand_over, land_left, settle_detached
from geo.merge.lines import cut_by_lines
from geo.merge.planar import join, polygonal
from geo.merge.population import Homes, share_population
from geo.merge.sureness import add_ranges
from geo.schemas import MODELLED, Districts, Pieces, Units, check

_SAME_AREA = 1e-12
#: GEOS lets go of the interpreter, so threads use more than one core.
_THREADS = 4


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
    geometry = np.full(len(clauses), shapely.Polygon(), dtype=object)
    method = np.where(named_once, "whole", "modelled").astype(object)
    unused = gpd.GeoSeries(crs=communes.crs)
    if cut.any():
        geometry[cut] = _fit(shared, clauses[cut], official, commune_m2=communes.area)
        modelled = unit_facts["data_source"][clauses["unit_id"]].to_numpy() == MODELLED
        method[cut & ~named_once] = np.where(modelled[cut & ~named_once], "modelled", "official")
    rest = communes.geometry
    if not cut.all():
        rest = land_left(rest, clauses["commune_id"][~cut], official.geometry)
    geometry[named_once & ~cut] = rest[clauses["commune_id"][named_once & ~cut]]
    open_rows = ~named_once & ~cut
    if lines is not None:
        by_lines = cut_by_lines(lines, land=communes.geometry, rest=rest, clauses=clauses, open_rows=open_rows)
        unused = by_lines.unused.geometry
        for row, part in by_lines.parts.items():
            geometry[row], method[row], open_rows[row] = part, "drawn", False
    if open_rows.any():
        by_line = method == "drawn"
        drawn_m2 = pd.Series(shapely.area(geometry) * by_line).groupby(clauses["unit_id"].to_numpy()).sum()
        left = ~cut & ~by_line
        geometry[left] = divide_communes(
            np.asarray(rest[clauses["commune_id"][left]]),
            clauses[left],
            area_km2=unit_facts["area_km2"] - drawn_m2 / 1e6,
            district=communes["district_id"],
        )
        geometry = _settle(geometry, clauses, open_rows=open_rows)
    return geometry, method, unused


def _settle(
    geometry: NDArray[np.object_], clauses: pd.DataFrame, *, open_rows: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Settle what a modelled line cut off, where the clauses give no shares that it would break."""
    ids = clauses["commune_id"]
    given = ids.isin(ids[clauses["area_share"].notna()]).to_numpy()
    return settle_detached(
        geometry,
        commune=ids.to_numpy(object),
        unit=clauses["unit_id"].to_numpy(object),
        movable=open_rows & ~given,
    )


def _overlay(old: gpd.GeoSeries, new: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return :func:`~geo.merge.coverage.overlay` of the two, worked out in threads."""
    parts = [old.iloc[rows] for rows in np.array_split(np.arange(len(old)), _THREADS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        return pd.concat(list(threads.map(lambda part: overlay(part, new), parts)), ignore_index=True)


def _fit(
    shared: gpd.GeoDataFrame, clauses: pd.DataFrame, units: gpd.GeoDataFrame, *, commune_m2: pd.Series
) -> NDArray[np.object_]:
    """Fit the communes into the polygons of `units`: the pieces of a unit make up the unit, no more and no less.

    What the law does not name cannot be there: land of a unit that no commune named in its clause covers goes to the
    named piece it borders on longest, else to the nearest. Land under two communes goes to the smaller.
    """
    pairs = pd.MultiIndex.from_frame(shared[["old_id", "new_id"]])
    place = pairs.get_indexer(pd.MultiIndex.from_frame(clauses[["commune_id", "unit_id"]]))
    overlap = np.array([*shared.geometry, shapely.Polygon()], dtype=object)[place]
    result = np.array([polygonal(shape) for shape in overlap], dtype=object)
    order = np.lexsort((clauses["commune_id"].to_numpy(str), commune_m2[clauses["commune_id"]].to_numpy()))
    rows = _rows_of(clauses["unit_id"].iloc[order], units.index)
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda unit, own: _fill(unit, order[own], result), units.geometry, rows))
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
    result[rows] = hand_over(gaps, result[rows])


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
        geometry[number] = join(np.asarray(pieces.geometry.iloc[rows[number]]))
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
