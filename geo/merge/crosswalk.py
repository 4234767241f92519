"""Carry any statistic of the old communes over to the new units.

An extensive variable (a count: households, hectares of rice) is divided with its commune and added up in the unit. An
intensive one (a rate: income a head, share of tiled roofs) is averaged in the unit, weighted by what it is a rate of:
people, land, or a count of the same table, such as houses. The shares are those of the merge, so the clauses rule the
people: land without people carries none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

By = Literal["population", "area"]


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
    gaps = _gaps(values, pieces, weights)
    n_unknown = gaps.groupby("unit_id")["commune_id"].nunique()
    result["n_unknown"] = n_unknown.reindex(result.index, fill_value=0).astype(int)
    return result


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
    amount = _amount(pieces, by) if weight is None else share * table[weight].reindex(pieces["commune_id"]).to_numpy()
    return dict.fromkeys(add, share) | dict.fromkeys(average, np.where(share > 0, amount, 0.0))


def _amount(pieces: gpd.GeoDataFrame, by: By) -> np.ndarray:
    """Return the people or the area of each piece; its area where no commune has a census."""
    no_census = by == "population" and pieces["population"].isna().all()
    return pieces["area_km2" if no_census or by == "area" else "population"].to_numpy(float)


def _gaps(values: pd.DataFrame, pieces: gpd.GeoDataFrame, weights: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return a row for each piece and column that is not known: ``column``, ``unit_id``, ``commune_id``."""
    places = pieces[["unit_id", "commune_id"]]
    lacking = {
        name: places[(amount != 0) & np.isnan(amount * values[name].to_numpy(float))]
        for name, amount in weights.items()
    }
    return pd.concat(lacking, names=["column"]).reset_index("column")


def _sum(values: np.ndarray, unit: np.ndarray) -> pd.Series:
    """Return the sums by unit; NaN where a value is."""
    return pd.Series(values).groupby(unit).agg(lambda part: part.sum(skipna=False))
