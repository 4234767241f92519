"""Carry any statistic of the old communes over to the new units.

An extensive variable (a count: households, hectares of rice) is divided with its commune and added up in the unit. An
intensive one (a rate: income a head, share of tiled roofs) is averaged in the unit, weighted by what it is a rate of.
The shares are those of the merge, so the clauses rule the people: land without people carries none.
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
        What the values go with. An average over people of whom some are not counted is not known; where no commune has
        a census at all, averages are over the area.

    Returns
    -------
    pandas.DataFrame
        Index unit_id, sorted; the columns `add` and `average`, in this order, and ``n_unknown``: the predecessors of
        the unit for which some column is not known. A unit with such a predecessor has no value in that column: a sum
        without it would be too small and nobody would see it. Sums are conserved: where all is known, a column of `add`
        has the same total as in `table`.
    """
    share = pieces[f"{by}_share"].to_numpy()
    touched = share > 0
    weight = np.where(touched, _amount(pieces, by), 0.0)
    values = table.reindex(pieces["commune_id"])
    unit = pieces["unit_id"].to_numpy()
    result = pd.DataFrame(index=pd.Index(sorted(pieces["unit_id"].unique()), name="unit_id"))
    for name in add:
        part = np.where(touched, share * values[name].to_numpy(float), 0.0)
        result[name] = _sum(part, unit)
    for name in average:
        part = np.where(touched, weight * values[name].to_numpy(float), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            result[name] = _sum(part, unit) / _sum(weight, unit)
    unknown = values[[*add, *average]].isna().to_numpy().any(axis=1) & touched
    result["n_unknown"] = _sum(unknown.astype(float), unit).astype(int)
    return result


def _amount(pieces: gpd.GeoDataFrame, by: By) -> np.ndarray:
    """Return the people or the area of each piece; its area where no commune has a census."""
    no_census = by == "population" and pieces["population"].isna().all()
    return pieces["area_km2" if no_census or by == "area" else "population"].to_numpy(float)


def _sum(values: np.ndarray, unit: np.ndarray) -> pd.Series:
    """Return the sums by unit; NaN where a value is."""
    return pd.Series(values).groupby(unit).agg(lambda part: part.sum(skipna=False))
