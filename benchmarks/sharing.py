"""Other ways from the literature to share the people of a divided commune, for ``python -m benchmarks.population``.

A way is what people may follow (:func:`land`, :class:`Streets`, :class:`BuiltUp`, :class:`Classes`), spread over the
pieces evenly (:func:`evenly`), by the neighbours (:func:`by_neighbours`), or by distance (:func:`by_distance`);
:class:`Grid` does both at once. The parameters are round values. None of them clearly beats
:mod:`geo.merge.population`.

References
----------
Eicher, C. L., Brewer, C. A. (2001). Dasymetric mapping and areal interpolation. Cartogr. Geogr. Inf. Sci. 28 (2).
Flowerdew, R., Green, M. (1991). Data integration: statistical methods for transferring data between zonal systems.
Kyriakidis, P. C. (2004). A geostatistical framework for area-to-point spatial interpolation. Geogr. Anal. 36 (3).
Tobler, W. (1979). Smooth pycnophylactic interpolation for geographical regions. J. Am. Stat. Assoc. 74 (367).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from geo.merge.population import Homes, _gather, _smooth_density, may_have_people, population_shares

Floats = NDArray[np.float64]
#: Pieces and the people of the communes in; the share of its commune's people that each piece carries out.
Way = Callable[[gpd.GeoDataFrame, pd.Series], pd.Series]
#: Pieces and the people of the communes in; what people follow in each piece out.
Ground = Callable[[gpd.GeoDataFrame, pd.Series], Floats]

#: Street that no map shows, and the least that a mapped commune has, in km/km2.
_UNSEEN = 4.0
_EM_ROUNDS, _GRID_ROUNDS, _CELL_M = 1000, 100, 100.0
#: Land this near to a street is built up, on cells of this size.
_BUILT_M, _BUILT_CELL_M = 50.0, 25.0
_RANGE_M, _NUGGET = 2000.0, 0.05


def land(pieces: gpd.GeoDataFrame, _: pd.Series) -> Floats:
    """Return the land of each piece in km2."""
    return pieces["area_km2"].to_numpy(float)


@dataclass(frozen=True)
class Streets:
    """Streets and some land, as in :mod:`geo.merge.population`; a commune that is not mapped has the least there is."""

    homes: Homes

    def __call__(self, pieces: gpd.GeoDataFrame, _: pd.Series) -> Floats:
        """Return the km of street of each piece, seen and unseen."""
        km = _in_pieces(self.homes, pieces)
        return _UNSEEN * land(pieces, _) + np.where(_mapped(km, pieces), km, _UNSEEN * land(pieces, _))


@dataclass(frozen=True)
class Classes:
    """People per km of each class of streets and per km2 of land, found from the communes by EM (Poisson)."""

    classes: dict[str, Homes]

    def __call__(self, pieces: gpd.GeoDataFrame, population: pd.Series) -> Floats:
        """Return the people of each piece that its streets and land let expect."""
        km = [_in_pieces(homes, pieces) for homes in self.classes.values()]
        amounts = np.column_stack([land(pieces, population), *km])
        mapped = _mapped(np.sum(km, axis=0), pieces)
        expected = land(pieces, population) * _rate(pieces[~mapped], population)
        sums = pd.DataFrame(amounts[mapped]).groupby(pieces.loc[mapped, "commune_id"].to_numpy()).sum()
        people = population.reindex(sums.index).to_numpy(float)
        expected[mapped] = amounts[mapped] @ _expect(sums.to_numpy(), people)
        return np.maximum(expected, 1e-9)


@dataclass(frozen=True)
class BuiltUp:
    """Land near a street, a binary mask (Eicher and Brewer 2001): it minds less how finely the alleys are mapped."""

    homes: Homes

    def __call__(self, pieces: gpd.GeoDataFrame, _: pd.Series) -> Floats:
        """Return the built-up km2 of each piece; all its land where the commune is not mapped."""
        cell = np.unique(np.rint(self.homes.xy / _BUILT_CELL_M).astype(int), axis=0)
        reach = np.arange(-2, 3)
        around = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
        near = np.unique((cell[:, None] + around).reshape(-1, 2), axis=0) * _BUILT_CELL_M
        kept = KDTree(self.homes.xy).query(near, distance_upper_bound=_BUILT_M)[0] <= _BUILT_M
        built = Homes(xy=near[kept], km=np.full(kept.sum(), (_BUILT_CELL_M / 1000) ** 2))
        mapped = _mapped(_in_pieces(self.homes, pieces), pieces)
        return np.where(mapped, _in_pieces(built, pieces), land(pieces, _))


def evenly(ground: Ground) -> Way:
    """Return the way that lets people follow `ground` and nothing else."""
    return lambda pieces, people: population_shares(pieces, pd.Series(ground(pieces, people), pieces.index))


def by_neighbours(ground: Ground) -> Way:
    """Return the way in which people per unit of `ground` pass smoothly from piece to piece (Tobler)."""

    def share(pieces: gpd.GeoDataFrame, population: pd.Series) -> pd.Series:
        follow, commune, peopled = ground(pieces, population), _numbers(pieces), may_have_people(pieces)
        free = peopled & (np.bincount(commune, peopled)[commune] > 1)
        people = population.reindex(pieces["commune_id"]).to_numpy(float)
        around = _smooth_density(pieces.geometry, commune, follow, people, peopled=peopled, free=free)
        return population_shares(pieces, pd.Series(follow * around, pieces.index))

    return share


def by_distance(ground: Ground) -> Way:
    """Return the way in which the logarithm of people per unit of `ground` is kriged from communes to pieces."""

    def share(pieces: gpd.GeoDataFrame, population: pd.Series) -> pd.Series:
        follow = np.where(may_have_people(pieces) & ~pieces.geometry.is_empty, ground(pieces, population), 0.0)
        commune, names = pd.factorize(pieces["commune_id"])
        weight = np.zeros((len(names), len(pieces)))
        weight[commune, np.arange(len(pieces))] = follow
        total = weight.sum(axis=1)
        known = total > 0
        weight = weight[known] / total[known, None]
        level = np.log(population.reindex(names).to_numpy(float)[known] / total[known])
        xy = np.zeros((len(pieces), 2))
        xy[~pieces.geometry.is_empty] = shapely.get_coordinates(pieces.geometry.centroid)
        around = _krige(xy, weight, level)
        return population_shares(pieces, pd.Series(follow * np.exp(around), pieces.index))

    return share


@dataclass(frozen=True)
class Grid:
    """Tobler's surface in full: cells of 100 m, each the mean of its neighbours, rescaled commune by commune."""

    homes: Homes

    def __call__(self, pieces: gpd.GeoDataFrame, population: pd.Series) -> pd.Series:
        """Return the shares."""
        west, south, east, north = pieces.total_bounds
        n_x, n_y = int((east - west) / _CELL_M) + 1, int((north - south) / _CELL_M) + 1
        column, row = ((self.homes.xy - (west, south)) // _CELL_M).astype(int).T
        inside = (column >= 0) & (column < n_x) & (row >= 0) & (row < n_y)
        km = np.bincount(row[inside] * n_x + column[inside], self.homes.km[inside], n_x * n_y)
        x, y = np.meshgrid(west + _CELL_M * (np.arange(n_x) + 0.5), south + _CELL_M * (np.arange(n_y) + 0.5))
        middle = shapely.points(x.ravel(), y.ravel())
        cell, piece = shapely.STRtree(np.asarray(pieces.geometry)).query(middle, predicate="within")
        cell, first = np.unique(cell, return_index=True)
        piece = piece[first]
        kept = may_have_people(pieces)[piece]
        follow = np.zeros(n_x * n_y)
        follow[cell[kept]] = km[cell[kept]] + _UNSEEN * (_CELL_M / 1000) ** 2
        people = population.reindex(pieces["commune_id"].unique()).to_numpy(float)
        owner = np.full(n_x * n_y, len(people))
        owner[cell] = _numbers(pieces)[piece]
        surface = _level_out(follow.reshape(n_y, n_x), owner.reshape(n_y, n_x), np.append(people, 0.0)).ravel()
        held = np.bincount(piece, (surface * follow)[cell], len(pieces))
        return population_shares(pieces, pd.Series(held, pieces.index))


def _level_out(follow: Floats, owner: NDArray[np.intp], people: Floats) -> Floats:
    """Return people per unit of `follow` in each cell of a grid, smooth, and summing up to the people of each owner."""
    open_cells = (follow > 0).astype(float)
    near = uniform_filter(open_cells, 3)
    density = open_cells
    for turn in range(_GRID_ROUNDS + 1):
        if turn:
            density = np.divide(uniform_filter(density, 3), near, out=np.zeros_like(near), where=open_cells > 0)
        total = np.bincount(owner.ravel(), (density * follow).ravel(), len(people))
        density = density * np.divide(people, total, out=np.zeros_like(total), where=total > 0)[owner]
    return density


def _krige(xy: Floats, weight: Floats, level: Floats) -> Floats:
    """Return the level at `xy` from its means, weighted by the rows of `weight`, in the communes: ordinary kriging."""
    near = np.exp(-cdist(xy, xy) / _RANGE_M)
    inverse = np.linalg.inv(weight @ near @ weight.T + _NUGGET * np.eye(len(level)))
    mean = (inverse @ level).sum() / inverse.sum()
    return np.asarray(mean + near @ weight.T @ inverse @ (level - mean), np.float64)


def _expect(amounts: Floats, people: Floats) -> Floats:
    """Return the people per unit of each column, none negative, that make `people` likeliest (Flowerdew & Green)."""
    each = np.full(amounts.shape[1], people.sum() / amounts.sum())
    total = np.maximum(amounts.sum(axis=0), np.finfo(float).tiny)
    for _ in range(_EM_ROUNDS):
        each = each * (amounts.T @ (people / (amounts @ each))) / total
    return each


def _rate(pieces: pd.DataFrame, population: pd.Series) -> float:
    """Return the people per km2 of the communes of `pieces`."""
    return float(population.reindex(pieces["commune_id"].unique()).sum() / max(pieces["area_km2"].sum(), 1e-9))


def _in_pieces(homes: Homes, pieces: gpd.GeoDataFrame) -> Floats:
    """Return the weighted km of street in each piece."""
    return _gather(homes.xy, homes.km, pieces.geometry, np.ones(len(pieces), bool))


def _mapped(km: Floats, pieces: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether the commune of each piece has enough street to be called mapped."""
    commune = _numbers(pieces)
    held = np.bincount(commune, km) >= _UNSEEN * np.bincount(commune, pieces["area_km2"])
    return np.asarray(held[commune], np.bool_)


def _numbers(pieces: pd.DataFrame) -> NDArray[np.intp]:
    return pd.factorize(pieces["commune_id"])[0]
