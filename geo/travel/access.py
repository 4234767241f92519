"""Travel times from the citizens to the candidate sites of their unit, on the whole network, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.constants import kmh

from geo.params import HIGHWAY_CLASSES, AccessParams
from geo.progress import Progress, keep_silent
from geo.schemas import UNREACHABLE
from geo.travel.engine import TICKS_PER_S, UNREACHED, Places, both_ways, places_on, road_metric, seconds_along_one_road
from geo.travel.network import FERRY, Snap, TravelGraph, snap
from geo.travel.weighted import weighted_mean, weighted_quantile

#: Code of a reason in :attr:`UnitTimes.reason`; 0 means reached.
REASON_CODES = {name: code for code, name in enumerate(("", *UNREACHABLE))}
_REASON_NAMES = np.array(["", *UNREACHABLE], dtype=object)
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

    @property
    def unserved(self) -> dict[str, NDArray[np.float64]]:
        """People of each unit that has roads and no candidate: they count, and nobody receives them."""
        left = self.demand[~self.demand["unit_id"].isin(list(self.units)) & (self.demand["reason"] != "no_network")]
        return {str(unit_id): part.to_numpy() for unit_id, part in left.groupby("unit_id", sort=False)["population"]}


def compute_travel_times(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    graph: TravelGraph | None,
    params: AccessParams,
    *,
    unit_ids: pd.Index,
    snaps: Snap | None = None,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
) -> TravelTimes:
    """Return the time from every demand point to every candidate of its unit, and how each candidate lies.

    Parameters are those of :func:`ways_to_sites`.
    """
    return TravelTimes(
        demand=demand,
        units=ways_to_sites(
            demand, sites, graph, params, unit_ids=unit_ids, snaps=snaps, progress=progress, cache_dir=cache_dir
        ),
        frontage_0_1=street_frontage(sites, graph),
        centrality_0_1=centrality(sites, demand),
    )


def ways_to_sites(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    graph: TravelGraph | None,
    params: AccessParams,
    *,
    unit_ids: pd.Index,
    snaps: Snap | None = None,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
) -> dict[str, UnitTimes]:
    """Return the time from every demand point to every candidate of its unit.

    The whole network carries the way, whatever unit it crosses. Search runs from each site against the arcs, so a
    time is that of the citizen's way to the building. The way between a building and the road it joins counts at
    ``params.off_road_kmh``. A graph of the same network with other seconds needs no new hierarchy: see
    :func:`geo.travel.engine.road_metric`.

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
    snaps : Snap, optional
        Where the sites join the graph, if that is known already.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.
    cache_dir : pathlib.Path, optional
        Folder that keeps the network's hierarchy from run to run.
    """
    demand_rows = demand.groupby("unit_id", sort=False).indices
    site_rows = sites.groupby("unit_id", sort=False).indices
    node, population = demand["node"].to_numpy(), demand["population"].to_numpy()
    reason = demand["reason"].map(REASON_CODES).to_numpy(np.uint8)
    parts = [
        _Part(str(unit_id), node[own], population[own], reason[own], site_rows[unit_id])
        for unit_id, own in ((unit_id, demand_rows[unit_id]) for unit_id in unit_ids if unit_id in site_rows)
    ]
    if graph is None:
        times: Iterator[_Times] = map(_no_times, parts)
    else:
        snaps = snaps or snap(graph, np.asarray(sites.geometry), limit_m=params.snap_limit_m)
        times = _times(graph, snaps, parts, params, progress or keep_silent, cache_dir)
    return {
        part.unit_id: UnitTimes(
            site_ids=tuple(sites.index[part.rows]),
            population=part.population,
            minutes=minutes,
            reason=reason,
            between_min=between,
        )
        for part, (minutes, between, reason) in zip(parts, times, strict=True)
    }


class _Part(NamedTuple):
    """The nodes, numbers and reasons of the people of one unit, and the rows of its sites."""

    unit_id: str
    node: NDArray[np.int64]
    population: NDArray[np.float64]
    reason: NDArray[np.uint8]
    rows: NDArray[np.intp]

    @property
    def covered(self) -> bool:
        """Whether the unit has roads enough."""
        return not (self.reason == REASON_CODES["no_network"]).all()


#: Minutes to each site, minutes between the sites, and why the former are missing.
_Times = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]


def _no_times(part: _Part) -> _Times:
    n_people, n_sites = len(part.node), len(part.rows)
    reason = np.full((n_people, n_sites), REASON_CODES["no_network"], np.uint8)
    return np.full((n_people, n_sites), np.inf), np.full((n_sites, n_sites), np.inf), reason


def _times(
    graph: TravelGraph,
    snaps: Snap,
    parts: list[_Part],
    params: AccessParams,
    progress: Progress,
    cache_dir: Path | None,
) -> Iterator[_Times]:
    """Yield the times of each unit."""
    progress("hierarchy", 0.0)
    router = _Router(graph, snaps, params)
    metric = road_metric(graph, cutoff_s=router.cutoff_s, cache_dir=cache_dir)
    answers = metric.restricted(router.question(part) for part in parts if part.covered)
    for done, part in enumerate(parts):
        progress("access", done / len(parts))
        yield router.times(part, next(answers)) if part.covered else _no_times(part)


class _Router:
    """From people and sites to the engine's nodes, and from its ticks to minutes."""

    def __init__(self, graph: TravelGraph, snaps: Snap, params: AccessParams) -> None:
        self.cutoff_s = 60 * params.cutoff_min
        self._graph = graph
        self._snaps = snaps
        self._arcs = both_ways(graph, snaps.arc)
        self._entrances = places_on(graph, self._arcs, snaps.fraction)
        self._exits = places_on(graph, self._arcs, snaps.fraction, towards=False)
        self._off_road_s = np.nan_to_num(snaps.distance_m) / (params.off_road_kmh * kmh)

    def question(self, part: _Part) -> tuple[Places, NDArray[np.int64]]:
        """Return the unit's sites, and the nodes of its people followed by those that one leaves its sites by."""
        nodes = np.concatenate([part.node, self._exits.node[part.rows].ravel()])
        return self._entrances[part.rows], np.maximum(nodes, 0)

    def times(self, part: _Part, ticks: NDArray[np.uint32]) -> _Times:
        """Return minutes and reasons from the answer to :meth:`question`."""
        n_people, off_road_s = len(part.node), self._off_road_s[part.rows]
        to_sites_s = self._seconds(ticks[:n_people], known=part.node >= 0)
        minutes = (to_sites_s + off_road_s) / 60
        between = (self._between_s(part.rows, ticks[n_people:]) + off_road_s + off_road_s[:, None]) / 60
        np.fill_diagonal(between, 0.0)
        return minutes, between, self._reasons(part, minutes)

    def _between_s(self, rows: NDArray[np.intp], ticks: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the seconds on the road from site to site; `ticks` are those from where one leaves each site."""
        exits = self._exits[rows]
        onward = self._seconds(ticks, known=exits.node.ravel() >= 0).reshape(len(rows), -1, len(rows))
        by_nodes = (exits.weight[:, :, None] / TICKS_PER_S + onward).min(axis=1)
        directly = seconds_along_one_road(self._graph, self._arcs[rows], self._snaps.fraction[rows])
        seconds = np.minimum(by_nodes, directly)
        return np.where(seconds <= self.cutoff_s, seconds, np.inf)

    def _seconds(self, ticks: NDArray[np.uint32], *, known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return `ticks` as seconds; infinite beyond the cut-off and in rows that are not `known`."""
        seconds = ticks / TICKS_PER_S
        return np.where(known[:, None] & (ticks < UNREACHED) & (seconds <= self.cutoff_s), seconds, np.inf)

    def _reasons(self, part: _Part, minutes: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return why each time is missing; 0 where it is not."""
        graph, arc = self._graph, self._snaps.arc[part.rows]
        start, missing = part.node, ~np.isfinite(minutes)
        reason = np.where(missing, REASON_CODES["cut_off"], 0).astype(np.uint8)
        site_end = graph.tail[np.maximum(arc, 0)]
        component = graph.component[np.maximum(start, 0)][:, None], graph.component[site_end][None, :]
        apart = graph.island[np.maximum(start, 0)][:, None] | graph.island[site_end][None, :]
        other = component[0] != component[1]
        reason[missing & other] = REASON_CODES["one_way_trap"]
        reason[missing & other & apart] = REASON_CODES["island"]
        reason[:, arc < 0] = REASON_CODES["no_road_within_snap_limit"]
        reason[:, self._snaps.across_water[part.rows]] = REASON_CODES["across_water"]
        own = part.reason > 0
        reason[own, :] = part.reason[own, None]
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
    reason = ""
    if not reached.all():
        codes = times.reason[~reached][:, columns[0]]
        reason = str(_REASON_NAMES[np.bincount(codes, people[~reached]).argmax()])
    return AccessFigures(
        mean_min=weighted_mean(minutes, people),
        p95_min=weighted_quantile(minutes, people, 0.95),
        share_within_30min=float(people[minutes <= 30].sum() / total) if total > 0 else np.nan,
        unreachable_population=lost,
        reason=reason,
    )
