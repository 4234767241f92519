"""Travel times from the citizens to the candidate sites of their unit, on the whole network, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.network import FERRY, Snap, TravelGraph, insert_points, snap
from geo.params import HIGHWAY_CLASSES, AccessParams
from geo.progress import Progress
from geo.schemas import UNREACHABLE

#: Code of a reason in :attr:`UnitTimes.reason`; 0 means reached.
REASON_CODES = {name: code for code, name in enumerate(("", *UNREACHABLE))}
_REASON_NAMES = np.array(["", *UNREACHABLE], dtype=object)
_FIRST_LIMIT_S = 600.0
_KMH_TO_M_S = 1 / 3.6
_FRONTAGE = {
    "trunk": 1.0, "primary": 1.0, "secondary": 0.9, "tertiary": 0.8, "unclassified": 0.6, "residential": 0.5,
    "living_street": 0.4, "pedestrian": 0.4, "service": 0.3,
}  # fmt: skip
_FRONTAGE_WITHIN_M = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTimes:
    """Travel times inside one unit.

    Attributes
    ----------
    site_ids : tuple of str
        Candidates, in the order of the columns.
    population : ndarray of float64, shape (n_demand,)
    minutes : ndarray of float64, shape (n_demand, n_sites)
        From demand point to site; infinite where the site is not reached.
    reason : ndarray of uint8, shape (n_demand, n_sites)
        Why it is not reached, see :data:`REASON_CODES`.
    between_min : ndarray of float64, shape (n_sites, n_sites)
        From site to site; infinite where not reached.
    """

    site_ids: tuple[str, ...]
    population: NDArray[np.float64]
    minutes: NDArray[np.float64]
    reason: NDArray[np.uint8]
    between_min: NDArray[np.float64]

    @property
    def has_network(self) -> bool:
        """Whether the unit has roads enough to speak of travel times at all."""
        return not (self.reason == REASON_CODES["no_network"]).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelTimes:
    """Travel times of a city.

    Attributes
    ----------
    demand : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.DemandPoints`.
    units : dict of str to UnitTimes
        Every unit with a candidate, in the order of the city's units.
    frontage_0_1 : pandas.Series
        How good the street is that each building stands on, from :func:`street_frontage`. Index: site_id.
    centrality_0_1 : pandas.Series
        How central each building lies, from :func:`centrality`. Index: site_id.
    """

    demand: gpd.GeoDataFrame
    units: dict[str, UnitTimes]
    frontage_0_1: pd.Series
    centrality_0_1: pd.Series


def compute_travel_times(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    graph: TravelGraph | None,
    params: AccessParams,
    *,
    unit_ids: pd.Index,
    progress: Progress | None = None,
) -> TravelTimes:
    """Return the time from every demand point to every candidate of its unit.

    The whole network carries the way, whatever unit it crosses. Search runs from each site against the arcs, so a
    time is that of the citizen's way to the building. The way between a building and the road it joins counts at
    ``params.off_road_kmh``.

    Parameters
    ----------
    demand : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.DemandPoints`.
    sites : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Sites`, same CRS.
    graph : TravelGraph or None
        None where there is no road: then every reason is ``no_network``.
    params : AccessParams
    unit_ids : pandas.Index
        Units, in the order of the result.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.
    """
    demand_rows = demand.groupby("unit_id", sort=False).indices
    site_rows = sites.groupby("unit_id", sort=False).indices
    if graph is not None:
        snaps = snap(graph, np.asarray(sites.geometry), limit_m=params.snap_limit_m)
        router = _Router(graph, snaps, params)
    units: dict[str, UnitTimes] = {}
    for done, unit_id in enumerate(unit_ids):
        if progress is not None:
            progress("access", done / len(unit_ids))
        if unit_id not in site_rows:
            continue
        people = demand.iloc[demand_rows[unit_id]]
        rows = site_rows[unit_id]
        covered = graph is not None and not (people["reason"] == "no_network").all()
        minutes, between = router.times(people, rows) if covered else _no_times(len(people), len(rows))
        reason = router.reasons(people, rows, minutes) if covered else _no_network(minutes)
        units[str(unit_id)] = UnitTimes(
            site_ids=tuple(sites.index[rows]),
            population=people["population"].to_numpy(),
            minutes=minutes,
            reason=reason,
            between_min=between,
        )
    return TravelTimes(
        demand=demand,
        units=units,
        frontage_0_1=street_frontage(sites, graph),
        centrality_0_1=centrality(sites, demand),
    )


def _no_times(n_demand: int, n_sites: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.full((n_demand, n_sites), np.inf), np.full((n_sites, n_sites), np.inf)


def _no_network(minutes: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.full(minutes.shape, REASON_CODES["no_network"], np.uint8)


class _Router:
    """Searches on one graph with the sites inserted."""

    def __init__(self, graph: TravelGraph, snaps: Snap, params: AccessParams) -> None:
        self._graph = graph
        self._snaps = snaps
        times_s, self._site_node = insert_points(graph, snaps)
        self._against = csr_array(times_s.T)
        self._off_road_s = np.nan_to_num(snaps.distance_m) / (params.off_road_kmh * _KMH_TO_M_S)
        self._cutoff_s = 60 * params.cutoff_min

    def times(
        self, people: gpd.GeoDataFrame, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return minutes from each demand point, and from each site, to each of the sites `rows`."""
        starts = people["node"].to_numpy()
        site_nodes = self._site_node[rows]
        on_road = np.flatnonzero(site_nodes >= 0)
        minutes, between = _no_times(len(starts), len(rows))
        if not len(on_road):
            return minutes, between
        wanted = np.concatenate([starts[starts >= 0], site_nodes[on_road]])
        found = self._search(site_nodes[on_road], wanted)
        n_starts = int((starts >= 0).sum())
        off_road = self._off_road_s[rows[on_road]]
        minutes[np.ix_(starts >= 0, on_road)] = (found[:n_starts] + off_road) / 60
        between[np.ix_(on_road, on_road)] = (found[n_starts:] + off_road + off_road[:, None]) / 60
        np.fill_diagonal(between, 0.0)
        return minutes, between

    def _search(self, targets: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return seconds from the nodes `wanted` to the nodes `targets`, infinite beyond the cut-off.

        The limit grows until all that can be reached is: a search within a limit is exact for whatever it reaches.
        """
        reachable = self._graph.settled[np.minimum(wanted, len(self._graph.xy) - 1)] | (wanted >= len(self._graph.xy))
        limit = min(_FIRST_LIMIT_S, self._cutoff_s)
        while True:
            found = dijkstra(self._against, directed=True, indices=targets, limit=limit)[:, wanted].T
            if limit >= self._cutoff_s or np.isfinite(found[reachable]).all():
                return np.asarray(found)
            limit = min(2 * limit, self._cutoff_s)

    def reasons(
        self, people: gpd.GeoDataFrame, rows: NDArray[np.intp], minutes: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """Return why each time is missing; 0 where it is not."""
        graph, arc = self._graph, self._snaps.arc[rows]
        start, missing = people["node"].to_numpy(), ~np.isfinite(minutes)
        reason = np.where(missing, REASON_CODES["cut_off"], 0).astype(np.uint8)
        site_end = graph.tail[np.maximum(arc, 0)]
        component = graph.component[np.maximum(start, 0)][:, None], graph.component[site_end][None, :]
        apart = graph.island[np.maximum(start, 0)][:, None] | graph.island[site_end][None, :]
        other = component[0] != component[1]
        reason[missing & other] = REASON_CODES["one_way_trap"]
        reason[missing & other & apart] = REASON_CODES["island"]
        reason[:, arc < 0] = REASON_CODES["no_road_within_snap_limit"]
        own = people["reason"].map(REASON_CODES).to_numpy(np.uint8)
        reason[own > 0, :] = own[own > 0, None]
        return reason


def street_frontage(sites: gpd.GeoDataFrame, graph: TravelGraph | None) -> pd.Series:
    """Return how good the best street within 50 m of each building is, 0..1 by class; NaN where there is none."""
    frontage = pd.Series(np.nan, index=sites.index, name="frontage_0_1")
    if graph is None:
        return frontage
    arcs = graph.joinable
    tree = shapely.STRtree(graph.lines(arcs))
    site, arc = tree.query(np.asarray(sites.geometry), predicate="dwithin", distance=_FRONTAGE_WITHIN_M)
    value = np.array([_FRONTAGE.get(name, 0.1) for name in HIGHWAY_CLASSES])
    value[FERRY] = 0.0
    best = np.full(len(sites), -np.inf)
    np.maximum.at(best, site, value[graph.highway[graph.segment[arcs[arc]]]])
    return frontage.mask(np.isfinite(best), best)


def centrality(sites: gpd.GeoDataFrame, demand: gpd.GeoDataFrame) -> pd.Series:
    """Return how central each building lies among its unit's people, as the crow flies.

    The mean distance of the people to the best of their own places, over that to the building; at most 1, and NaN
    where the unit has no people.
    """
    result = np.full(len(sites), np.nan)
    places = shapely.get_coordinates(np.asarray(sites.geometry))
    people = shapely.get_coordinates(np.asarray(demand.geometry))
    population = demand["population"].to_numpy()
    rows = demand.groupby("unit_id", sort=False).indices
    for unit_id, own in sites.groupby("unit_id", sort=False).indices.items():
        xy, weight = people[rows[unit_id]], population[rows[unit_id]]
        if weight.sum() > 0:
            best = _mean_distance(xy, xy, weight).min()
            result[own] = np.minimum(1.0, best / np.maximum(_mean_distance(places[own], xy, weight), 1.0))
    return pd.Series(result, index=sites.index, name="centrality_0_1")


def _mean_distance(
    places: NDArray[np.float64], people: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    distance = np.hypot(*(places[:, None, :] - people[None, :, :]).transpose(2, 0, 1))
    return distance @ weight / weight.sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFigures:
    """What a unit's people meet, for one way of choosing.

    Attributes
    ----------
    mean_min, p95_min : float
        Mean, and the time within which 95 % are there; NaN where nobody, or where more than 5 %, cannot get there.
    share_within_30min : float
        Of all the unit's people; those who cannot get there count as outside.
    unreachable_population : float
    reason : str
        The commonest reason among them, weighted by people; empty where all get there.
    """

    mean_min: float
    p95_min: float
    share_within_30min: float
    unreachable_population: float
    reason: str


def access_figures(times: UnitTimes, columns: NDArray[np.intp] | list[int]) -> AccessFigures:
    """Return the figures of citizens who each go to the nearest of the sites `columns`."""
    minutes = times.minutes[:, columns].min(axis=1)
    people = times.population
    reached = np.isfinite(minutes)
    total = people.sum()
    if not times.has_network:
        return AccessFigures(
            mean_min=np.nan, p95_min=np.nan, share_within_30min=np.nan, unreachable_population=float(total),
            reason="no_network",
        )  # fmt: skip
    lost = float(people[~reached].sum())
    mean = float(np.average(minutes[reached], weights=people[reached])) if people[reached].sum() > 0 else np.nan
    reason = ""
    if not reached.all():
        codes = times.reason[~reached][:, columns[0]]
        reason = str(_REASON_NAMES[np.bincount(codes, people[~reached]).argmax()])
    return AccessFigures(
        mean_min=mean,
        p95_min=weighted_quantile(minutes, people, 0.95),
        share_within_30min=float(people[minutes <= 30].sum() / total) if total > 0 else np.nan,
        unreachable_population=lost,
        reason=reason,
    )


def weighted_quantile(values: NDArray[np.float64], weights: NDArray[np.float64], q: float) -> float:
    """Return the least value that at least the share `q` of the weight does not exceed; NaN where it is infinite."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= q * weights.sum() * (1 - 1e-12)
    value = values[order][int(reached.argmax())]
    return float(value) if np.isfinite(value) else float("nan")
