"""Carry any statistic of the old communes over to the new units.

An extensive variable (a count: households, hectares of rice) is divided with its commune and added up in the unit. An
intensive one (a rate: income a head, share of tiled roofs) is averaged in the unit, weighted by what it is a rate of:
people, land, or a count of the same table, such as houses. The shares are those of the merge, so the clauses rule the
people: land without people carries none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import Fault

By = Literal["population", "area"]
#: Communes or units that a note names.
_NAMED = 10


def convert_statistic(
    table: pd.DataFrame,
    pieces: gpd.GeoDataFrame,
    *,
    add: Sequence[str] = (),
    average: Sequence[str] = (),
    by: By = "population",
    weight: str | None = None,
) -> pd.DataFrame:
    """Return the columns of `table`, given by old commune, for the new units.

    Parameters
    ----------
    table : pandas.DataFrame
        Index commune_id; numbers, NaN where not known. Communes it lacks are not known.
    pieces : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Pieces`.
    add : sequence of str
        Extensive columns.
    average : sequence of str
        Intensive columns.
    by : {"population", "area"}
        What counts go with, and what rates are weighted by. Where no commune has a census at all, rates are weighted
        by the area.
    weight : str, optional
        Column of `table`, a count that the rates are weighted by instead; it is divided as `by` says.

    Returns
    -------
    pandas.DataFrame
        Index unit_id, sorted; the columns `add` and `average`, in this order, and ``n_unknown``: the predecessors of
        the unit for which some column, or the weight of a rate, is not known. A unit with such a predecessor has no
        value in that column: a sum without it would be too small and nobody would see it. A rate needs no predecessor
        that weighs nothing; a unit of such ones alone has none. Sums are conserved: where all is known, a column of
        `add` has the same total as in `table`.
    """
    weights = _weights(table, pieces, add=add, average=average, by=by, weight=weight)
    values = table.reindex(pieces["commune_id"])
    unit = pieces["unit_id"].to_numpy()
    result = pd.DataFrame(index=pd.Index(sorted(pieces["unit_id"].unique()), name="unit_id"))
    for name, amount in weights.items():
        # What weighs nothing needs no figure.
        part = np.where(amount == 0, 0.0, amount * values[name].to_numpy(float))
        result[name] = _sum(part, unit)
        if name in average:
            total = _sum(amount, unit)
            result[name] = result[name] / total.where(total > 0)
    n_unknown = _gaps(table, pieces, weights).groupby("unit_id")["commune_id"].nunique()
    result["n_unknown"] = n_unknown.reindex(result.index, fill_value=0).astype(int)
    return result


def note_gaps(
    table: pd.DataFrame,
    pieces: gpd.GeoDataFrame,
    *,
    communes: pd.Series,
    units: pd.Series,
    file: str,
    add: Sequence[str] = (),
    average: Sequence[str] = (),
    by: By = "population",
    weight: str | None = None,
) -> list[Fault]:
    """Return notes that say in how many units a column has no value, and what keeps them from it.

    Parameters
    ----------
    communes, units : pandas.Series
        Names by id.
    file : str
        The table.
    table, pieces, add, average, by, weight
        As in :func:`convert_statistic`.
    """
    weights = _weights(table, pieces, add=add, average=average, by=by, weight=weight)
    gaps = _gaps(table, pieces, weights)
    weigher = weight or _weigher(pieces, by)
    notes = []
    if average and weight is None and weigher != by:
        notes.append(Fault(key="statistic_by_land", severity="warning", file=file, column=", ".join(average)))
    for (column, lacks), rows in gaps.groupby(["column", "lacks"], sort=False):
        values = _named(rows["commune_id"], communes) | {"units": str(rows["unit_id"].nunique()), "weight": weigher}
        key = "statistic_gap" if lacks == "figure" else "statistic_weight_gap"
        notes.append(_note(key, file, str(column), values, n_all=len(units)))
    for column in average:
        weightless = _sum(weights[column], pieces["unit_id"].to_numpy()) == 0
        if weightless.any():
            listed = _named(weightless.index[weightless], units)
            values = listed | {"units": listed["n"], "weight": weigher}
            notes.append(_note("statistic_weightless", file, column, values, n_all=len(units)))
    return notes


def _note(key: str, file: str, column: str, values: dict[str, str], *, n_all: int) -> Fault:
    return Fault(key=key, severity="warning", file=file, column=column, values=values | {"total": str(n_all)})


def _named(ids: Iterable[str], names: pd.Series) -> dict[str, str]:
    """Return how many the `ids` are, and the first of them with their names."""
    each = sorted(set(ids))
    more = ["…"] if len(each) > _NAMED else []
    return {"n": str(len(each)), "list": ", ".join([*(f"{key} {names[key]}" for key in each[:_NAMED]), *more])}


def _weights(
    table: pd.DataFrame,
    pieces: gpd.GeoDataFrame,
    *,
    add: Sequence[str],
    average: Sequence[str],
    by: By,
    weight: str | None,
) -> dict[str, np.ndarray]:
    """Return, for each column, what the value of its commune counts in each piece: NaN where that is not known."""
    share = pieces[f"{by}_share"].to_numpy(float)
    if weight is None:
        amount = pieces["population" if _weigher(pieces, by) == "population" else "area_km2"].to_numpy(float)
    else:
        amount = share * table[weight].reindex(pieces["commune_id"]).to_numpy(float)
    return dict.fromkeys(add, share) | dict.fromkeys(average, np.where(share > 0, amount, 0.0))


def _weigher(pieces: gpd.GeoDataFrame, by: By) -> By:
    """Return what rates are weighted by where no column of the table is named."""
    return "area" if by == "area" or pieces["population"].isna().all() else "population"


def _gaps(table: pd.DataFrame, pieces: gpd.GeoDataFrame, weights: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return a row for each column and piece that is not known: column, unit, commune and which of the two it lacks."""
    values = table.reindex(pieces["commune_id"])
    found = []
    for name, amount in weights.items():
        unknown = values[name].isna().to_numpy()
        lacks = np.where(unknown, "figure", "weight")
        places = pieces[["unit_id", "commune_id"]].assign(column=name, lacks=lacks)
        found.append(places[np.isnan(amount) | (unknown & (amount != 0))])
    return pd.concat(found)


def _sum(values: np.ndarray, unit: np.ndarray) -> pd.Series:
    """Return the sums by unit; NaN where a value is."""
    return pd.Series(values).groupby(unit).agg(lambda part: part.sum(skipna=False))
