"""How far the people of a city are from where a plan receives them, by the clock and by the kilometre.

Every person goes to the reception place that is nearest by time: a chosen site of the own unit or, where service
points count (``service.count_points``), a point of the city. The order of ties is that of the sites, then the points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.outcome import none_if_nan
from geo.plan import Plan, prepare
from geo.progress import Progress
from geo.schemas import UNREACHABLE, WGS84
from geo.settings import Settings
from geo.study.people import reception_sites
from geo.study.ways import TARGET_KM, TARGET_MIN, PointWays, point_ways, travel_distances
from geo.travel.access import REASON_CODES, UnitTimes
from geo.travel.weighted import weighted_mean, weighted_quantile

#: Limits that shares are told for, minutes.
WITHIN_MIN = (10, 15, 20, 30)
#: Nearer to its place of reception than this, a detour is an accident of where the road is joined, and not counted.
DETOUR_FROM_KM = 0.2
#: Reason of people whose unit has no site at all.
NO_SITE = "no_site"
#: Arrays by the name of their column.
_Columns = dict[str, NDArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Who reaches what, and how far it is.

    Attributes
    ----------
    points : pandas.DataFrame
        Index demand_id. Columns ``unit_id``, ``lon``, ``lat``, ``population``, ``receiver_id`` (a site_id, or the name
        of a service point; empty where none is reached), ``receiver_kind`` (``"site"``, ``"service_point"`` or empty),
        ``minutes``, ``km`` (length of the shortest way there by road), ``least_km`` (to the place that is nearest by
        road, which another one may be), ``straight_km`` (as the crow flies), each NaN where nothing is reached, and
        ``reason`` (why, one of :data:`~geo.schemas.UNREACHABLE` or ``"no_site"``; else empty).
    units : pandas.DataFrame
        Index unit_id, in the order of the plan. Columns ``name``, ``population``, ``sites`` (that receive, with `` + ``
        between), of those who arrive ``mean_time_min``, ``median_time_min``, ``p95_time_min``, ``worst_time_min``,
        ``mean_km``, ``p95_km``, ``detour_mean``, ``detour_p95`` (way by road over straight line, where that has
        :data:`DETOUR_FROM_KM`); of all ``share_within_<n>min``, ``share_within_5km``, ``share_within_target`` (30
        minutes or 5 km); a quantile is NaN where more than its complement cannot arrive. ``minutes_between`` (the two
        sites of the unit, mean of both directions), ``other_population`` (who goes to a service point),
        ``unreachable_population``, ``access_reason`` (the commonest). A unit without network has NaN throughout.
    receivers : pandas.DataFrame
        One row for every pair of a unit and a place that receives its people. Columns ``unit_id``, ``receiver_id``,
        ``receiver_kind``, ``population``, ``mean_time_min``, ``mean_km``.
    totals : dict
        The figures of `units` for the city, whose people without a network are left out of them; None where there is
        none. And ``population``, ``unreachable_population``, ``unreachable_by_reason`` (dict), ``at_service_points``.
    """

    points: pd.DataFrame
    units: pd.DataFrame
    receivers: pd.DataFrame
    totals: dict[str, Any]


def reach_table(plan: Plan, *, settings: Settings | None = None, progress: Progress | None = None) -> Reach:
    """Return how far the people of a plan are from where they are received.

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with: they name the folder that keeps the ways.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.
    """
    city, params = plan.city, plan.params
    times = prepare(city, params, settings=settings, progress=progress).times
    km = travel_distances(city, params.access, times=times, settings=settings, progress=progress)
    ways = point_ways(city, params, times=times, settings=settings, progress=progress)
    points, places = _nobody_arrives(times.demand, plan.units["population"]), _places(plan)
    rows = times.demand.groupby("unit_id", sort=False).indices
    for unit_id, unit in times.units.items():
        sites = reception_sites(plan, unit_id)
        if sites:
            choices = _choices(unit, km[unit_id], sites, ways, unit_id)
            _arrive(points, rows[unit_id], choices, places)
    table = pd.DataFrame(points, index=times.demand.index)
    return Reach(
        points=table.drop(columns=["weight", "place"]),
        units=_units(plan, points, rows, times.units),
        receivers=_receivers(table),
        totals=_totals(plan, points),
    )


def _sites(plan: Plan, unit_id: str) -> tuple[str, ...]:
    """Return the sites of a unit, the receiving one first."""
    both = plan.units["site_id_1"][unit_id], plan.units["site_id_2"][unit_id]
    return tuple(str(site) for site in both if site)


def _places(plan: Plan) -> dict[tuple[str, str], shapely.Point]:
    """Return where people are received, by kind and id, in the city's CRS."""
    sites, points = plan.city.sites.geometry, plan.params.service.points
    lonlat = np.array(list(points.values()), float).reshape(-1, 2)
    placed = gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), index=list(points), crs=WGS84).to_crs(sites.crs)
    return {
        (kind, str(name)): place
        for kind, series in (("site", sites), ("service_point", placed))
        for name, place in series.items()
    }


def _nobody_arrives(demand: gpd.GeoDataFrame, population: pd.Series) -> _Columns:
    """Return the columns of :attr:`Reach.points` while no place receives anybody.

    People add up to those of their unit; ``weight`` is their share of it, which is known also where it has none.
    """
    weight = demand["population"] / demand.groupby("unit_id")["population"].transform("sum")
    degrees, nothing = demand.geometry.to_crs(WGS84), np.full(len(demand), "", dtype=object)
    return {
        "unit_id": demand["unit_id"].to_numpy(),
        "lon": degrees.x.to_numpy(),
        "lat": degrees.y.to_numpy(),
        "population": (weight * population[demand["unit_id"]].to_numpy()).to_numpy(),
        "receiver_id": nothing.copy(),
        "receiver_kind": nothing.copy(),
        **{name: np.full(len(demand), np.nan) for name in ("minutes", "km", "least_km", "straight_km")},
        "reason": np.where(demand["reason"] == "no_network", "no_network", NO_SITE).astype(object),
        "weight": weight.to_numpy(),
        "place": np.asarray(demand.geometry),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """The places that may receive the people of one unit, in the order of ties; minutes and km are (people, places)."""

    ids: list[tuple[str, str]]
    minutes: NDArray[np.float64]
    km: NDArray[np.float64]
    reason: NDArray[np.object_]


def _choices(
    unit: UnitTimes, km: NDArray[np.float64], sites: tuple[str, ...], ways: PointWays | None, unit_id: str
) -> _Choices:
    columns = [unit.site_ids.index(site) for site in sites]
    choices = _Choices(
        ids=[("site", site) for site in sites],
        minutes=unit.minutes[:, columns],
        km=km[:, columns],
        reason=np.array([*REASON_CODES], dtype=object)[unit.reason[:, columns[0]]],
    )
    if ways is None:
        return choices
    return replace(
        choices,
        ids=[*choices.ids, *(("service_point", name) for name in ways.names)],
        minutes=np.hstack([choices.minutes, ways.minutes[unit_id]]),
        km=np.hstack([choices.km, ways.km[unit_id]]),
    )


def _arrive(
    points: _Columns, rows: NDArray[np.intp], choices: _Choices, places: Mapping[tuple[str, str], shapely.Point]
) -> None:
    """Fill the rows of the people of one unit."""
    nearest = choices.minutes.argmin(axis=1)
    of_place = np.array([places[name] for name in choices.ids])[nearest]
    points["reason"][rows] = choices.reason
    reached = np.isfinite(choices.minutes[np.arange(len(rows)), nearest])
    rows, nearest, of_place, km = rows[reached], nearest[reached], of_place[reached], choices.km[reached]
    there = np.arange(len(rows)), nearest
    kind, name = (np.array(part, dtype=object) for part in zip(*choices.ids, strict=True))
    points["reason"][rows] = ""
    points["receiver_kind"][rows] = kind[nearest]
    points["receiver_id"][rows] = name[nearest]
    points["minutes"][rows] = choices.minutes[reached][there]
    points["km"][rows] = km[there]
    points["least_km"][rows] = km.min(axis=1)
    points["straight_km"][rows] = shapely.distance(points["place"][rows], of_place) / 1000


def _units(
    plan: Plan, points: _Columns, rows: Mapping[str, NDArray[np.intp]], times: Mapping[str, UnitTimes]
) -> pd.DataFrame:
    found: dict[str, dict[str, Any]] = {}
    for unit_id in plan.units.index:
        people = {name: column[rows.get(unit_id, [])] for name, column in points.items()}
        lost, other = people["reason"] != "", people["receiver_kind"] == "service_point"
        found[unit_id] = {
            "sites": " + ".join(reception_sites(plan, unit_id)),
            **_figures(people, people["weight"]),
            "minutes_between": _between_min(plan, unit_id, times),
            "other_population": float(people["population"][other].sum()),
            "unreachable_population": float(people["population"][lost].sum()),
            "access_reason": _commonest(people["reason"][lost], people["weight"][lost]),
        }
    return plan.units[["name", "population"]].join(pd.DataFrame.from_dict(found, orient="index"))


def _commonest(reasons: NDArray[np.object_], weight: NDArray[np.float64]) -> str:
    names, number = np.unique(reasons.astype(str), return_inverse=True)
    return str(names[np.bincount(number, weight).argmax()]) if len(names) else ""


def _figures(people: _Columns, weight: NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of some people who count with `weight`; all NaN where no road is known or nobody lives."""
    known = people["reason"] != "no_network"
    weight = weight[known]
    minutes, km, least_km, straight_km = (people[name][known] for name in ("minutes", "km", "least_km", "straight_km"))
    far = straight_km >= DETOUR_FROM_KM
    detour = km[far] / straight_km[far]
    near = {f"share_within_{n}min": minutes <= n for n in WITHIN_MIN}
    near[f"share_within_{TARGET_KM:g}km"] = least_km <= TARGET_KM
    near["share_within_target"] = (minutes <= TARGET_MIN) | (least_km <= TARGET_KM)
    return {
        "mean_time_min": weighted_mean(minutes, weight),
        "median_time_min": _quantile(minutes, weight, 0.5),
        "p95_time_min": _quantile(minutes, weight, 0.95),
        "worst_time_min": float(np.nanmax(minutes)) if np.isfinite(minutes).any() else np.nan,
        **{name: weighted_mean(inside, weight) for name, inside in near.items()},
        "mean_km": weighted_mean(km, weight),
        "p95_km": _quantile(km, weight, 0.95),
        "detour_mean": weighted_mean(detour, weight[far]),
        "detour_p95": _quantile(detour, weight[far], 0.95),
    }


def _quantile(values: NDArray[np.float64], weights: NDArray[np.float64], q: float) -> float:
    """Return the weighted quantile, a missing value counting as the largest; NaN where it is one."""
    return weighted_quantile(np.nan_to_num(values, nan=np.inf), weights, q) if weights.sum() > 0 else np.nan


def _between_min(plan: Plan, unit_id: str, times: Mapping[str, UnitTimes]) -> float:
    """Return the minutes between the two sites of a unit, the mean of both directions; NaN for one site."""
    sites = _sites(plan, unit_id)
    if len(sites) < 2:
        return np.nan
    one, other = (times[unit_id].site_ids.index(site) for site in sites)
    minutes = (times[unit_id].between_min[one, other] + times[unit_id].between_min[other, one]) / 2
    return float(minutes) if np.isfinite(minutes) else np.nan


def _receivers(points: pd.DataFrame) -> pd.DataFrame:
    arrived = points[points["receiver_id"] != ""]
    arrived = arrived.assign(
        person_min=arrived["minutes"] * arrived["weight"], person_km=arrived["km"] * arrived["weight"]
    )
    sums = arrived.groupby(["unit_id", "receiver_kind", "receiver_id"], sort=False)[
        ["population", "weight", "person_min", "person_km"]
    ].sum()
    return pd.DataFrame(
        {
            "population": sums["population"],
            "mean_time_min": sums["person_min"] / sums["weight"],
            "mean_km": sums["person_km"] / sums["weight"],
        }
    ).reset_index()


def _totals(plan: Plan, points: _Columns) -> dict[str, Any]:
    people, reason = points["population"], points["reason"]
    lost = {name: float(people[reason == name].sum()) for name in (*UNREACHABLE, NO_SITE) if (reason == name).any()}
    return {
        "population": float(plan.units["population"].sum()),
        **{name: none_if_nan(value) for name, value in _figures(points, people).items()},
        "unreachable_population": sum(lost.values()),
        "unreachable_by_reason": lost,
        "at_service_points": float(people[points["receiver_kind"] == "service_point"].sum()),
    }
