"""The modelled population of the old communes: the census of 2019, scaled to the units' official figures."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.demo.boundaries import DemoBoundaries
from geo.demo.roads import MODEL_CRS
from geo.errors import GeoError
from geo.merge.population import population_shares
from geo.schemas import MODELLED

_ROUNDS = 4000
_CLOSE_ENOUGH = 1e-7


def build_population(facts: Path, boundaries: DemoBoundaries) -> pd.DataFrame:
    """Return the people of every old commune in 2025, as whole numbers.

    The census figures are scaled by iterative proportional fitting: in every round a commune grows by the mean of its
    units' official figures over their present ones, each unit weighed by the share of the commune's people that lives
    in it (:func:`geo.merge.population.population_shares`: whole communes with all, land without people with none, a
    part that takes all the people with all, the rest by land). The sum is the sum of the units' official figures.

    Returns
    -------
    pandas.DataFrame
        Columns ``commune_id``, ``population_2019``, ``population``, ``data_source``; ascending by id.

    Raises
    ------
    GeoError
        A commune has no census figure or a unit no official one.
    """
    census = _column(facts / "communes_2024.csv", "population_2019")
    official = _column(facts / "units_2025.csv", "population")
    pieces = piece_areas(boundaries)
    share = population_shares(pieces).to_numpy()
    people = _fit(
        census.to_numpy(),
        official.to_numpy(),
        share=share,
        commune=census.index.get_indexer(pd.Index(pieces["commune_id"])),
        unit=official.index.get_indexer(pd.Index(pieces["unit_id"])),
    )
    return pd.DataFrame(
        {
            "commune_id": census.index,
            "population_2019": census.astype(int).to_numpy(),
            "population": _round_to_sum(people, int(official.sum())),
            "data_source": MODELLED,
        }
    )


def piece_areas(boundaries: DemoBoundaries) -> pd.DataFrame:
    """Return every clause row with the land that its commune and its unit share.

    Returns
    -------
    pandas.DataFrame
        In the order of the clauses. Columns ``commune_id``, ``unit_id``, ``relation``, ``area_km2``.
    """
    communes, units = (
        gpd.GeoSeries(frame.to_crs(MODEL_CRS).geometry.to_numpy(), index=frame[key])
        for frame, key in ((boundaries.communes, "commune_id"), (boundaries.units, "unit_id"))
    )
    rows = boundaries.clauses[["commune_id", "unit_id", "relation"]].reset_index(drop=True)
    ours = communes.loc[rows["commune_id"]].to_numpy()
    theirs = units.loc[rows["unit_id"]].to_numpy()
    return rows.assign(area_km2=shapely.area(shapely.intersection(ours, theirs)) / 1e6)


def _column(path: Path, name: str) -> pd.Series:
    table = pd.read_csv(path, dtype={"code": str}).set_index("code").sort_index()
    values: pd.Series = table[name].astype(float)
    if values.isna().any():
        raise GeoError(f"{path.name}: no {name} for {', '.join(values.index[values.isna()])}")
    return values


def _fit(
    start: NDArray[np.float64],
    target: NDArray[np.float64],
    *,
    share: NDArray[np.float64],
    commune: NDArray[np.int64],
    unit: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return `start` scaled so that the shares of the communes add up to the `target` of every unit."""
    matrix = csr_array((share, (unit, commune)), shape=(len(target), len(start)))
    people = start.copy()
    for _ in range(_ROUNDS):
        ratio = target / (matrix @ people)
        people = people * (matrix.T @ ratio)
        if np.abs(ratio - 1).max() < _CLOSE_ENOUGH:
            break
    return np.asarray(people)


def _round_to_sum(values: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Return `values` as whole numbers of that sum, by largest remainders."""
    whole = np.floor(values).astype(np.int64)
    rest = total - int(whole.sum())
    order = np.argsort(whole - values, kind="stable")
    whole[order[:rest]] += 1
    return whole


def write_population(population: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    population.to_csv(path, index=False, lineterminator="\n")
