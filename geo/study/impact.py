"""What a scenario does to a plan: minutes gained or lost, and people cut off, with the same sites.

A plan may be made under a network profile already. The scenario is then laid over it, so that what both say counts once
(:meth:`geo.profile.Scenario.over`), and the plan's own times are those before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.constants import kmh

from geo.city import City
from geo.errors import Fault, NetworkError
from geo.outcome import none_if_nan
from geo.params import AccessParams
from geo.plan import Plan, make_plan, prepare
from geo.profile import Scenario
from geo.progress import Progress, keep_silent
from geo.schemas import RoadNetwork
from geo.settings import Settings
from geo.study.people import minutes_changed, reception_sites
from geo.travel.access import AccessFigures, UnitTimes, access_figures
from geo.travel.branches import minutes_to_points, nearest_minutes
from geo.travel.engine import TICKS_PER_S, UNREACHED, both_ways, places_on, road_metric
from geo.travel.network import TravelGraph
from geo.travel.scenario import apply_scenario
from geo.travel.standing import standing_of
from geo.travel.weighted import weighted_mean

#: Why people lose their way, in the order in which it is looked for.
LOST_REASONS = ("home_closed", "site_closed", "way_closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The network of one mode with every building on it: all that scenarios of a city share.

    Attributes
    ----------
    network : RoadNetwork
    graph : TravelGraph
        Without any scenario or profile.
    arcs : ndarray of int64, shape (n_sites, 2)
        Arcs that each building joins, from :func:`geo.travel.engine.both_ways`.
    fraction : ndarray of float64, shape (n_sites,)
    off_road_s : ndarray of float64, shape (n_sites,)
        From the road to the building.
    """

    network: RoadNetwork
    graph: TravelGraph
    arcs: NDArray[np.int64]
    fraction: NDArray[np.float64]
    off_road_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """A plan under a scenario, beside the same plan without it.

    Attributes
    ----------
    scenario : Scenario
    units : pandas.DataFrame
        Index unit_id, in the order of the plan. Columns ``name``, ``population``, ``sites`` (where the citizens go),
        ``added_min`` and ``worst_added_min`` (mean and most minutes that the way takes longer, of people who arrive
        both with and without the scenario; negative where it is shorter, NaN where nobody does), ``mean_time_min``,
        ``p95_time_min``, ``share_within_30min`` and ``unreachable_population``, each with ``_before`` and ``_after``
        (see :class:`~geo.travel.access.AccessFigures`), ``arriving_population``, ``slower_population``,
        ``faster_population``, ``lost_population`` and ``regained_population`` (see
        :func:`geo.study.people.minutes_changed`), ``lost_<reason>_population`` (the lost by :data:`LOST_REASONS`) and
        ``lost_reason`` (the commonest of them, else empty).
    totals : dict
        ``population``, ``mean_time_min_before`` and ``_after``, ``share_within_30min_before`` and ``_after``,
        ``added_min`` (of those who arrive both times), ``slower_population``, ``faster_population``,
        ``lost_population`` and by reason, ``regained_population``, ``units_changed`` and ``units_with_lost``.
    idle : tuple of str
        Names of restrictions that touch no road of the mode.
    profile : Scenario or None
        The profile of the plan, over which the scenario was laid.
    """

    scenario: Scenario
    units: pd.DataFrame
    totals: dict[str, Any]
    idle: tuple[str, ...]
    profile: Scenario | None = None


def build_stage(city: City, params: AccessParams) -> Stage:
    """Return what every scenario of a city and a mode starts from.

    Raises
    ------
    NetworkError
        The city has no roads, or none that the mode may use.
    """
    if city.network is None:
        raise NetworkError(Fault(key="network_no_mode", values={"mode": params.mode}))
    standing = standing_of(city.network, city.sites, params, crs=city.crs)
    graph, snaps = standing.graph, standing.snaps
    return Stage(
        network=city.network,
        graph=graph,
        arcs=both_ways(graph, snaps.arc),
        fraction=snaps.fraction,
        off_road_s=np.nan_to_num(snaps.distance_m) / (params.off_road_kmh * kmh),
    )


def compare_scenario(
    plan: Plan,
    scenario: Scenario,
    *,
    stage: Stage | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Impact:
    """Return what `scenario` does to the travel times of `plan`, whose sites stay.

    People, buildings and the places where they join the network stay too; only the seconds of the arcs change, so
    that every difference is the scenario's. Where service points count in the plan (``service.count_points``) they do
    here, before and after. Ways are shortest ways exactly, as in :mod:`geo.travel.access`.

    Parameters
    ----------
    plan : Plan
    scenario : Scenario
    stage : Stage, optional
        From :func:`build_stage` for the plan's city and ``params.access``; made here if left out.
    settings : Settings, optional
        Names the folder that keeps the network's hierarchy.
    progress : callable, optional
        Called with ``"hierarchy"`` or ``"access"`` and the share done; what it raises stops the work.

    Raises
    ------
    NetworkError
        The city has no roads, or none that the mode may use.
    """
    city, access = plan.city, plan.params.access
    tell = progress or keep_silent
    tell("hierarchy", 0.0)
    stage = stage or build_stage(city, access)
    both = scenario.over(access.scenario)
    applied = apply_scenario(stage.graph, stage.network, both, mode=access.mode, crs=city.crs)
    base = prepare(city, plan.params, settings=settings).served
    rows = {unit_id: reception_sites(plan, unit_id) for unit_id in base.units if plan.units["n_sites"][unit_id] > 0}
    nodes = {str(unit_id): part["node"].to_numpy() for unit_id, part in base.demand.groupby("unit_id", sort=False)}
    points = plan.params.service.points if plan.params.service.count_points else {}
    cache_dir = (settings or Settings()).cache_dir
    nearest = nearest_minutes(minutes_to_points(base, points, applied.graph, access, cache_dir=cache_dir))
    after = _Travel(stage, applied.graph, access, cache_dir)
    positions = {unit_id: city.sites.index.get_indexer(list(sites)) for unit_id, sites in rows.items()}
    answers = after.minutes([(nodes[unit_id], positions[unit_id]) for unit_id in rows])
    found = {}
    for done, (unit_id, minutes) in enumerate(zip(rows, answers, strict=True)):
        tell("access", done / len(rows))
        people = _People(base.units[unit_id], rows[unit_id], np.minimum(minutes, nearest[unit_id][:, None]))
        found[unit_id] = people.row(after.closed(nodes[unit_id], positions[unit_id]))
    units = _units_table(plan, found, rows)
    units.loc[list(base.unserved), ["share_within_30min_before", "share_within_30min_after"]] = 0.0
    return Impact(scenario=scenario, units=units, totals=_totals(units), idle=applied.idle, profile=access.scenario)


def choose_anew(
    plan: Plan, scenario: Scenario, *, settings: Settings | None = None, progress: Progress | None = None
) -> Plan:
    """Return the plan that the same parameters make if the scenario is the rule: laid over the plan's own profile.

    Parameters are those of :func:`compare_scenario`; errors those of :func:`geo.plan.make_plan`.
    """
    profile = scenario.over(plan.params.access.scenario).as_profile()
    params = plan.params.with_values({"access.scenario": profile})
    return make_plan(plan.city, params, settings=settings, progress=progress)


def anew_table(plan: Plan, anew: Plan) -> pd.DataFrame:
    """Return the sites of a plan chosen anew, beside those of `plan`.

    Returns
    -------
    pandas.DataFrame
        Index unit_id, in the order of the plan. Columns ``site_id_1_anew``, ``site_id_2_anew``, ``other_sites`` (bool),
        ``mean_time_min_anew`` and ``share_within_30min_anew``, under the scenario.
    """
    units = anew.units[["site_id_1", "site_id_2", "mean_time_min", "share_within_30min"]].add_suffix("_anew")
    sites = ["site_id_1", "site_id_2"]
    units.insert(2, "other_sites", (anew.units[sites] != plan.units[sites]).any(axis=1))
    return units


class _Travel:
    """Travel on one network with one scenario."""

    def __init__(self, stage: Stage, graph: TravelGraph, params: AccessParams, cache_dir: Path) -> None:
        self._stage = stage
        self._cutoff_s = 60 * params.cutoff_min
        self._entrances = places_on(graph, stage.arcs, stage.fraction)
        self._metric = road_metric(graph, cutoff_s=self._cutoff_s, cache_dir=cache_dir)
        self._leaves = np.zeros(len(graph.xy), bool)
        self._leaves[graph.tail[np.isfinite(graph.seconds)]] = True

    def minutes(self, groups: list[tuple[NDArray[np.int64], NDArray[np.intp]]]) -> list[NDArray[np.float64]]:
        """Return the minutes from the nodes to the sites of each group, infinite where there is no way."""
        questions = ((self._entrances[sites], np.maximum(nodes, 0)) for nodes, sites in groups)
        minutes = []
        for (nodes, sites), ticks in zip(groups, self._metric.restricted(questions), strict=True):
            seconds = ticks / TICKS_PER_S
            reached = (nodes >= 0)[:, None] & (ticks < UNREACHED) & (seconds <= self._cutoff_s)
            minutes.append((np.where(reached, seconds, np.inf) + self._stage.off_road_s[sites]) / 60)
        return minutes

    def closed(self, nodes: NDArray[np.int64], sites: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the position in :data:`LOST_REASONS` that holds for people at `nodes` if they lose their way."""
        if (self._entrances.node[sites] < 0).all():
            return np.where(self._leaves[np.maximum(nodes, 0)], 1, 0)
        return np.where(self._leaves[np.maximum(nodes, 0)], 2, 0)


class _People:
    """The people of one unit, with and without a scenario."""

    def __init__(self, times: UnitTimes, sites: tuple[str, ...], minutes: NDArray[np.float64]) -> None:
        columns = [times.site_ids.index(site) for site in sites]
        self._before = access_figures(times, columns)
        self._after = access_figures(
            UnitTimes(
                site_ids=sites,
                population=times.population,
                minutes=minutes,
                reason=times.reason[:, columns],
                between_min=np.zeros((len(sites), len(sites))),
            ),
            list(range(len(sites))),
        )
        self._people = times.population
        self._was, self._is = times.minutes[:, columns].min(axis=1), minutes.min(axis=1)

    def row(self, reason: NDArray[np.intp]) -> dict[str, Any]:
        """Return the columns of one unit; `reason` holds for each point that loses its way."""
        lost = np.isfinite(self._was) & ~np.isfinite(self._is)
        counted = np.bincount(reason[lost], self._people[lost], minlength=len(LOST_REASONS))
        return {
            **minutes_changed(self._people, self._was, self._is),
            **_figures(self._before, "before"),
            **_figures(self._after, "after"),
            **{f"lost_{name}_population": float(n) for name, n in zip(LOST_REASONS, counted, strict=True)},
            "lost_reason": LOST_REASONS[int(counted.argmax())] if counted.sum() > 0 else "",
        }


def _figures(figures: AccessFigures, label: str) -> dict[str, float]:
    return {
        f"mean_time_min_{label}": figures.mean_min,
        f"p95_time_min_{label}": figures.p95_min,
        f"share_within_30min_{label}": figures.share_within_30min,
        f"unreachable_population_{label}": figures.unreachable_population,
    }


def _units_table(plan: Plan, found: dict[str, dict[str, Any]], sites: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(found, orient="index").reindex(plan.units.index)
    named = pd.Series({unit_id: " + ".join(ids) for unit_id, ids in sites.items()}, dtype=object)
    front = pd.DataFrame({"name": plan.units["name"], "population": plan.units["population"]})
    front["sites"] = named.reindex(front.index).fillna("")
    table["lost_reason"] = table["lost_reason"].fillna("")
    return front.join(table)


def _totals(units: pd.DataFrame) -> dict[str, Any]:
    counts = ["slower_population", "faster_population", "lost_population", "regained_population"]
    counts += [f"lost_{reason}_population" for reason in LOST_REASONS]
    known = units[units["share_within_30min_before"].notna()]
    totals: dict[str, Any] = {"population": float(units["population"].sum())}
    for label in ("before", "after"):
        arriving = known["population"] - known[f"unreachable_population_{label}"]
        means = {"mean_time_min": arriving, "share_within_30min": known["population"]}
        for name, weights in means.items():
            totals[f"{name}_{label}"] = none_if_nan(weighted_mean(known[f"{name}_{label}"], weights))
    totals["added_min"] = none_if_nan(weighted_mean(known["added_min"], known["arriving_population"]))
    totals |= {name: float(units[name].sum()) for name in counts}
    changed = (units["added_min"].abs() > 0) | (units["lost_population"] > 0) | (units["regained_population"] > 0)
    totals["units_changed"] = int(changed.sum())
    totals["units_with_lost"] = int((units["lost_population"] > 0).sum())
    return totals
