"""Where the people of a divided commune live: the share of them that each of its pieces carries.

The clauses rule: land without people carries none, and all the people go with the part they are given to. Where they
leave it open, the people follow, in this order, points with people, streets, and land, the last two weighted by a
density that passes smoothly from commune to commune. Nothing here knows a figure of the new units.

References
----------
Tobler, W. (1979). Smooth pycnophylactic interpolation for geographical regions. J. Am. Stat. Assoc. 74 (367), 519-530.
Goodchild, M. F., Lam, N. S.-N. (1980). Areal interpolation: a variant of the traditional spatial problem.
Geo-Processing 1, 297-312.
Eicher, C. L., Brewer, C. A. (2001). Dasymetric mapping and areal interpolation. Cartogr. Geogr. Inf. Sci. 28 (2).
Reibel, M., Bufalino, M. E. (2005). Street-weighted interpolation techniques for demographic count estimation in
incompatible zone systems. Environment and Planning A 37 (1), 127-139.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.params import HIGHWAY_CLASSES
from geo.schemas import WGS84, RoadNetwork

#: How many people live along a metre of street, relative to a residential street: a modelling assumption. Houses stand
#: along every street, the big ones too (Reibel & Bufalino 2005 weigh them alike); few along ways on foot and tracks.
PEOPLE_PER_M = {
    **dict.fromkeys(("residential", "living_street", "service", "unclassified"), 1.0),
    **dict.fromkeys(("tertiary", "secondary", "primary", "trunk"), 1.0),
    **dict.fromkeys(("pedestrian", "footway", "path", "track"), 0.2),
}

#: How much of what a commune grew by since an earlier count its register lacks, as a power: of 0.05, 0.1, ... the best
#: in Hanoi's 26 units of whole communes, where nothing is shared. And the largest change that counts.
_UNREGISTERED_POWER, _LARGEST_CHANGE = 0.3, 2.0
#: Weighted street that stands for what no map shows; a commune with less of it is not mapped, and follows its land.
_UNSEEN_KM_PER_KM2 = 4.0
#: Borders are walked on lines simplified by less than this, in steps no longer than that.
_LINE_TOLERANCE_M, _STEP_M = 10.0, 200.0
#: Pieces this near to a border share it: old and new lines do not meet exactly.
_BESIDE_M = 25.0
#: On Hanoi the tenth round changes a density by 0.3 % at most, the thirtieth none.
_ROUNDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Homes:
    """Where people may live, along streets.

    Attributes
    ----------
    xy : ndarray of float64, shape (n_segments, 2)
        Middle of each street segment in the metric CRS.
    km : ndarray of float64, shape (n_segments,)
        Length weighted by :data:`PEOPLE_PER_M`.
    """

    xy: NDArray[np.float64]
    km: NDArray[np.float64]


def find_homes(network: RoadNetwork, *, crs: pyproj.CRS) -> Homes:
    """Return the streets of `network` that people live along, in the metric `crs`."""
    weight = np.array([PEOPLE_PER_M.get(name, 0.0) for name in HIGHWAY_CLASSES])[network.highway]
    to_metric = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
    xy = np.column_stack(to_metric.transform(network.lon, network.lat))
    lived = weight > 0
    middle = (xy[network.tail[lived]] + xy[network.head[lived]]) / 2
    return Homes(xy=middle, km=weight[lived] * network.length_m[lived] / 1000)


def share_population(
    pieces: gpd.GeoDataFrame,
    population: pd.Series,
    *,
    homes: Homes | None = None,
    points: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    r"""Return the share of its commune's people that each piece carries, and how it was found.

    A piece :math:`i` of commune :math:`c` that the clauses leave open weighs

    .. math:: w_i = (l_i + k\,a_i)\,d_i

    with its weighted streets :math:`l_i` (km), its land :math:`a_i` (km2), :math:`k` km/km2 for the streets no map
    shows, and the density :math:`d_i` around it; where a commune has less than :math:`k` of street, :math:`w_i = a_i
    d_i`. The density is Tobler's: from :math:`d_i = P_c / \sum_c a_i`, in turns the mean of its own and its neighbours'
    by length of border, and scaled back so that :math:`\sum_c a_i d_i = P_c`. What borders on nothing is as dense as
    the rest of its commune. Land without people is held at 0.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        Columns ``commune_id``, ``relation``, ``area_km2`` and the geometry, in a metric CRS.
    population : pandas.Series
        People by commune_id; NaN where the census is silent.
    homes : Homes, optional
    points : geopandas.GeoDataFrame, optional
        Columns ``population`` and ``geometry`` (points), same CRS. Where some lie in a commune they alone count.

    Returns
    -------
    pandas.DataFrame
        Index of `pieces`. ``population_share``, 1 in all in every commune, and ``population_method``, one of
        :data:`~geo.schemas.POPULATION_METHODS`.
    """
    land = pieces["area_km2"].to_numpy(float)
    commune = pd.factorize(pieces["commune_id"])[0]
    peopled = may_have_people(pieces)
    free = peopled & (np.bincount(commune, peopled)[commune] > 1)
    method = np.where(np.bincount(commune)[commune] == 1, "whole", "clause").astype(object)
    weight = land.copy()
    if free.any():
        people = population.reindex(pieces["commune_id"]).to_numpy(float)
        density = _smooth_density(pieces.geometry, commune, land, people, peopled=peopled, free=free)
        street = _street_km(pieces.geometry, homes, free)
        mapped = free & (_sum(street, commune) >= _UNSEEN_KM_PER_KM2 * _sum(np.where(free, land, 0.0), commune))
        weight = np.where(mapped, street + _UNSEEN_KM_PER_KM2 * land, land) * density
        counted = _people_at(pieces.geometry, points, free)
        known = free & (_sum(counted, commune) > 0)
        weight = np.where(known, counted, weight)
        method[free] = np.select([known, mapped], ["points", "streets"], "land")[free]
    share = population_shares(pieces, pd.Series(weight, pieces.index))
    return pd.DataFrame({"population_share": share, "population_method": method}, index=pieces.index)


def may_have_people(pieces: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether the clauses let each piece carry people."""
    takes_all = pieces["relation"] == "part_area_whole_population"
    taken = takes_all.groupby(pieces["commune_id"]).transform("any")
    return np.where(taken, takes_all, pieces["relation"] != "part_area_only").astype(bool)


def population_shares(pieces: pd.DataFrame, weight: pd.Series | None = None) -> pd.Series:
    """Return the share of its commune's people that each piece carries: the clauses rule, then the weight.

    Parameters
    ----------
    pieces : pandas.DataFrame
        Columns ``commune_id``, ``relation`` and ``area_km2``.
    weight : pandas.Series, optional
        Same index; the land where left out, or where all that the clauses leave open weighs nothing.

    Returns
    -------
    pandas.Series
        Same index; sums to 1 in every commune. Land without people carries none; all the people go with the part
        that the clause gives them to. Where the clauses leave people no land, they follow the remainder.
    """
    commune, peopled = pieces["commune_id"], may_have_people(pieces)
    heir = (pieces["relation"].isin(["remainder", "whole", "part_area_whole_population"]) & peopled).astype(float)
    land = pieces["area_km2"].where(peopled, 0.0)
    share = pd.Series(1.0, pieces.index)
    for candidate in (heir, land) if weight is None else (heir, land, weight.where(peopled, 0.0)):
        share = candidate.where(candidate.groupby(commune).transform("sum") > 0, share)
    return (share / share.groupby(commune).transform("sum")).clip(0, 1)


def _smooth_density(
    shapes: gpd.GeoSeries,
    commune: NDArray[np.intp],
    land: NDArray[np.float64],
    people: NDArray[np.float64],
    *,
    peopled: NDArray[np.bool_],
    free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the density around each free piece; only its ratios within a commune mean something."""
    ground = np.where(peopled, land, 0.0)
    total = _sum(ground, commune)
    start = np.divide(people, total, out=np.full(len(land), np.nan), where=total > 0)
    known = np.isfinite(start)
    mean = (start * ground)[known].sum() / max(ground[known].sum(), np.finfo(float).tiny)
    start = np.where(peopled, np.where(known, start, mean or 1.0), 0.0)
    border = _borders(np.asarray(shapes), free)
    length = np.asarray(border.sum(axis=1)).ravel()
    held = _sum(start * ground, commune)
    beside_others = free & (length > 0)
    apart = free & ~beside_others
    density = around = start
    for _ in range(_ROUNDS):
        beside = np.divide(border @ density, length, out=density.copy(), where=beside_others)
        around = np.where(beside_others, (density + beside) / 2, start)
        around = np.where(apart, _mean(around, ground * beside_others, commune), around)
        carried = _sum(around * ground, commune)
        density = around * np.divide(held, carried, out=np.ones_like(held), where=carried > 0)
    return around


def _borders(shapes: NDArray[np.object_], free: NDArray[np.bool_]) -> csr_array:
    """Return the length in m along which each free piece borders on each other piece."""
    plain = shapely.simplify(shapes, _LINE_TOLERANCE_M, preserve_topology=False)
    lines, owner = shapely.get_parts(shapely.boundary(plain[free]), return_index=True)
    xy, line = shapely.get_coordinates(shapely.segmentize(lines, _STEP_M), return_index=True)
    step = np.flatnonzero(line[1:] == line[:-1])
    tree = shapely.STRtree(shapely.points((xy[step] + xy[step + 1]) / 2))
    other, place = tree.query(plain, predicate="dwithin", distance=_BESIDE_M)
    own = np.flatnonzero(free)[owner[line[step[place]]]]
    metres = np.hypot(*(xy[step + 1] - xy[step]).T)[place]
    foreign = own != other
    return csr_array((metres[foreign], (own[foreign], other[foreign])), shape=(len(shapes), len(shapes)))


def _street_km(shapes: gpd.GeoSeries, homes: Homes | None, free: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weighted street of each free piece, 0 elsewhere."""
    if homes is None:
        return np.zeros(len(shapes))
    return _gather(homes.xy, homes.km, shapes, free)


def _people_at(shapes: gpd.GeoSeries, points: gpd.GeoDataFrame | None, free: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the people that stand at points in each free piece, 0 elsewhere."""
    if points is None:
        return np.zeros(len(shapes))
    xy = shapely.get_coordinates(np.asarray(points.geometry))
    return _gather(xy, points["population"].to_numpy(float), shapes, free)


def _gather(
    xy: NDArray[np.float64], values: NDArray[np.float64], shapes: gpd.GeoSeries, free: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the sum of `values` in each free piece; a place on a common border counts half, or less, in each."""
    held = _places_in(np.asarray(shapes)[free], xy)
    times = np.bincount(np.concatenate([*held, []]).astype(np.intp), minlength=len(xy))
    total = np.zeros(len(shapes))
    total[free] = [(values[places] / times[places]).sum() for places in held]
    return total


def _places_in(shapes: NDArray[np.object_], xy: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return which places lie in each shape or on its border; to make a geometry of each would take longest."""
    order = np.argsort(xy[:, 0], kind="stable")
    x, y = xy[order].T
    shapely.prepare(shapes)
    west, south, east, north = shapely.bounds(shapes).T
    start, stop = np.searchsorted(x, west, side="left"), np.searchsorted(x, east, side="right")
    found = []
    for i, shape in enumerate(shapes):
        near = np.arange(start[i], stop[i])
        near = near[(y[near] >= south[i]) & (y[near] <= north[i])]
        found.append(np.sort(order[near[shapely.intersects_xy(shape, x[near], y[near])]]))
    return found


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64], commune: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the weighted mean over the commune of each piece; the values where nothing weighs."""
    total = _sum(weight, commune)
    return np.divide(_sum(values * weight, commune), total, out=values.copy(), where=total > 0)


def _sum(values: NDArray[np.float64], commune: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sum over the commune of each piece."""
    return np.asarray(np.bincount(commune, values), np.float64)[commune]


def registered_people(population: pd.Series, earlier: pd.Series | None) -> pd.Series:
    r"""Return how many people each commune has in its register, as a census and an earlier count let expect.

    A census counts who lives in a place, official figures who is registered there, and many who came since are
    registered elsewhere. With the people :math:`P_c` of the census and :math:`Q_c` of the earlier count,

    .. math:: R_c = s\, P_c\, g_c^{-0.3}, \qquad g_c = \min(2, \max(1/2, P_c / Q_c))

    where :math:`s` keeps the sum. The formula is an assumption of this project; its power was found on Hanoi
    (docs/method.md).

    Parameters
    ----------
    population : pandas.Series
        People by commune_id; NaN where the census is silent, and so is the result.
    earlier : pandas.Series or None
        People of the earlier count, by commune_id. Where NaN or 0, the commune has changed as all others together.

    Returns
    -------
    pandas.Series
        Index and sum of `population`; the same people where no earlier count is known.
    """
    before = pd.Series(np.nan, population.index) if earlier is None else earlier.reindex(population.index)
    known = (before > 0) & (population > 0)
    if not known.any():
        return population
    change = (population / before).where(known, population[known].sum() / before[known].sum())
    people = population * change.clip(1 / _LARGEST_CHANGE, _LARGEST_CHANGE) ** -_UNREGISTERED_POWER
    return people * (population.sum() / people.sum())


def explain_errors(pieces: pd.DataFrame, population: pd.Series, official: pd.Series) -> pd.DataFrame:
    """Return how far the people that each unit gets from its communes lie from the official figure, and why.

    Parameters
    ----------
    pieces : pandas.DataFrame
        Columns of :class:`~geo.schemas.Pieces`.
    population : pandas.Series
        People by commune_id, of an earlier census.
    official : pandas.Series
        People by unit_id; the city's growth is their sum over that of the census.

    Returns
    -------
    pandas.DataFrame
        Index unit_id, the largest error first, without units of which something is not known. ``expected_people`` is
        what the communes bring, grown as the city; ``official_people``; ``error_pct``; ``least_people`` and
        ``most_people`` what any other shares could bring under the same clauses; ``around_pct`` the error of the unit
        and the units it divides communes with, together; ``growth_pct`` the part of the error that is growth unlike the
        city's: people cannot be shared out of that group, nor beyond those bounds; ``clause_pct`` what the clauses on
        land without people and on all the people make of it; ``cause``: ``clause`` where the error would be less than
        half without them, else ``growth`` where growth is at least half of it, else ``sharing``: shared out wrongly.
    """
    growth = official.sum() / population.sum()
    table = growth * _amounts(pieces, population).groupby(pieces["unit_id"].to_numpy()).sum(min_count=1)
    unknown = pieces.loc[pieces["commune_id"].map(population).isna(), "unit_id"]
    table = table.drop(unknown.unique()).rename_axis("unit_id")
    table["official_people"] = official.reindex(table.index)
    table = table.dropna()
    given = table["official_people"]
    table["error_pct"] = 100 * (table["expected_people"] / given - 1)
    table["around_pct"] = _error_around(pieces, table)
    nearest = given.clip(table["least_people"], table["most_people"])
    beyond, around = 100 * (nearest / given - 1), table["around_pct"]
    both = np.where(around.abs() > beyond.abs(), around, beyond)
    table["growth_pct"] = np.clip(both, table["error_pct"].clip(upper=0), table["error_pct"].clip(lower=0))
    table["clause_pct"] = 100 * table.pop("by_clause") / given
    half = table["error_pct"].abs() / 2
    ruled = (table["error_pct"] - table["clause_pct"]).abs() < half
    grown = table["growth_pct"].abs() >= half
    table["cause"] = np.select([ruled, grown], ["clause", "growth"], "sharing")
    return table.sort_values("error_pct", key=abs, ascending=False, kind="stable")


def _amounts(pieces: pd.DataFrame, population: pd.Series) -> pd.DataFrame:
    """Return the people of each piece: as shared, the fewest and the most, and what a clause makes of its land."""
    people, share = pieces["commune_id"].map(population), pieces["population_share"]
    ruled = pieces["population_method"] == "clause"
    settled = ruled | (pieces["population_method"] == "whole")
    columns = {
        "expected_people": share,
        "least_people": share.where(settled, 0.0),
        "most_people": share.where(settled, 1.0),
        "by_clause": (share - pieces["area_share"]).where(ruled, 0.0),
    }
    return pd.DataFrame({name: column * people for name, column in columns.items()})


def _error_around(pieces: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """Return the error in percent of each unit together with the units it shares divided communes with."""
    pair = pieces.loc[pieces["unit_id"].isin(table.index), ["commune_id", "unit_id"]]
    linked = pair.merge(pair, on="commune_id")[["unit_id_x", "unit_id_y"]].drop_duplicates()
    both = table[["expected_people", "official_people"]].reindex(linked["unit_id_y"])
    group = both.groupby(linked["unit_id_x"].to_numpy()).sum().reindex(table.index)
    return 100 * (group["expected_people"] / group["official_people"] - 1)
