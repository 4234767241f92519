"""Make a plan of a City: compose access, score and choice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from threading import Lock
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cache import Arrays, cached, digest_of_text
from geo.choice.choose import Choice, choose_sites
from geo.choice.constraints import Limits, build_limits
from geo.choice.need import needs_of
from geo.choice.robust import Robustness, try_weights
from geo.choice.score import Options, build_options, fill_unknown, site_criteria
from geo.city import City
from geo.errors import Fault, InfeasibleError
from geo.outcome import Prepared, notes_on, options_table, sites_table, sum_up, units_table
from geo.params import AccessParams, Params, digest_of
from geo.progress import Clock, Progress
from geo.settings import Settings
from geo.sources.elsewhere import notes_elsewhere
from geo.travel.access import (
    AccessFigures,
    TravelTimes,
    UnitTimes,
    access_figures,
    compute_travel_times,
    ways_to_sites,
)
from geo.travel.branches import minutes_to_points, nearest_minutes, with_points
from geo.travel.demand import place_demand
from geo.travel.network import TravelGraph
from geo.travel.standing import Standing, standing_of

#: Goes into the name of cached travel times; raise it when the same input gives other times.
_ACCESS_VERSION = "4"
_KEPT_IN_MEMORY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One site or two for every unit, with what led there.

    Attributes
    ----------
    city : City
    params : Params
    version : str
        Version of the package.
    units : pandas.DataFrame
        Index unit_id, in the order of ``city.units``. Columns: ``name``, ``n_sites`` (0, 1 or 2), ``site_id_1``
        (single site, or the committee's with the one-stop service), ``site_id_2`` (the Party's and council's; empty
        string where none), ``one_site_score``, ``two_site_score`` and ``second_site_gain`` (NaN where there is no
        such option), ``mean_time_min``, ``p95_time_min``, ``share_within_30min`` (of the chosen sites; NaN where the
        unit has no network; the share is 0 where it has roads and no candidate), ``norm_met_pct`` (known area of its
        sites over the area needed), ``norm_met_pct_1``, ``norm_met_pct_2`` (of each site over what its role needs),
        ``population``, ``staff``, ``need_m2``, ``reason`` (a code, see
        :data:`geo.choice.choose.REASONS`), ``access_reason`` (why times are missing, one of
        :data:`geo.schemas.UNREACHABLE`, or empty), ``unreachable_population``, ``win_share`` (share of random
        weightings that choose the very same buildings; NaN where none does or an integer programme was needed) and
        ``firmness`` (``"firm"``, ``"contestable"`` or empty, see :mod:`geo.choice.robust`).
    sites : pandas.DataFrame
        Index site_id, in the order of ``city.sites``. Columns: ``unit_id``, ``name``, ``kind``, ``lon``, ``lat``,
        ``score_0_1``, ``location_0_1``, ``size_0_1``, ``access_0_1``, ``conditions_0_1`` (NaN where not known),
        ``usable_area_m2``, ``mean_time_min``, ``p95_time_min``,
        ``share_within_30min``, ``access_reason``, ``chosen`` (bool), ``role`` (one of :data:`geo.schemas.ROLES`, or
        empty), ``role_staff``, ``role_need_m2`` (of those who work in a chosen building; they add up to the unit's),
        ``norm_met_pct`` (its area over that), ``position_source``, ``data_source``.
    options : pandas.DataFrame
        The best single site and the best pair of every unit, side by side. Columns: ``unit_id``, ``n_sites`` (1 or
        2), ``site_id_1``, ``site_id_2``, ``score``, ``location_0_1``, ``size_0_1``, ``access_0_1``,
        ``conditions_0_1``, ``penalty`` (lost by working in two houses), ``minutes_between`` (NaN for one site),
        ``mean_time_min``, ``p95_time_min``, ``share_within_30min``, ``usable_area_m2``, ``norm_met_pct``, ``chosen``.
    totals : dict
        ``units``, ``candidates``, ``sites``, ``units_with_one``, ``units_with_two``, ``units_without``,
        ``population``, ``mean_time_min`` (of those who arrive), ``share_within_30min`` (of all the people of units
        with a network),
        ``norm_met_pct``, ``units_without_network`` (list of ids); where service points count (``service``), the
        travel times are those to the nearer of site and point, and ``sites_mean_time_min`` and
        ``share_within_30min_of_sites`` are those to the sites of the same plan alone.
    optimality : dict
        ``status`` (``"optimal"``), ``solver`` (``"greedy"`` or ``"milp"``), ``gap``, ``objective`` and ``bound``;
        :mod:`geo.choice.choose` says why it is so.
    notes : tuple of Fault
        Warnings of the city and of the plan.
    seconds : dict of str to float
        Wall-clock seconds per step; the only part that differs from run to run.
    """

    city: City
    params: Params
    version: str
    units: pd.DataFrame
    sites: pd.DataFrame
    options: pd.DataFrame
    totals: dict[str, Any]
    optimality: dict[str, Any]
    notes: tuple[Fault, ...]
    seconds: dict[str, float]


_prepared: OrderedDict[str, Prepared] = OrderedDict()
_prepared_lock = Lock()


def make_plan(
    city: City,
    params: Params | None = None,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Choose one site or two for every unit of `city`.

    Pure and deterministic: the same city and parameters give the same plan. Travel times are kept on disk, and all
    that the weights do not touch in memory, so that another plan with other weights takes milliseconds.

    Parameters
    ----------
    city : City
    params : Params, optional
        Defaults if left out.
    settings : Settings, optional
    progress : callable, optional
        Called with the name of a step and the share done; what it raises stops the work.

    Raises
    ------
    InfeasibleError
        No choice keeps the budget and the constraints.
    ParamsError
        A constraint names an unknown building or unit, or lacks a figure.
    NetworkError
        The network holds no road open to the mode.
    """
    params = params or Params()
    clock = Clock()
    with clock("access"):
        prepared = prepare(city, params, settings=settings, progress=progress)
    with clock("score_and_choose"):
        scores = prepared.options.scores(params.weights)
        choice = choose(city, prepared, scores, params)
        firmness = _firmness(city, prepared, choice, params)
    units = units_table(city, prepared, choice, scores, firmness)
    totals = sum_up(city, units)
    if params.service.count_points:
        totals |= totals_to_sites(city, prepared, choice, scores, both=params.choice.reception == "both_sites")
    return Plan(
        city=city,
        params=params,
        version=package_version("truso"),
        units=units,
        sites=sites_table(city, prepared, choice, scores),
        options=options_table(city, prepared, choice, scores),
        totals=totals,
        optimality={
            "status": "optimal",
            "solver": choice.method,
            "gap": choice.gap,
            "objective": round(choice.objective, 9),
            "bound": round(choice.bound, 9),
        },
        notes=city.notes + notes_elsewhere(city.units, params) + notes_on(totals, units, idle=prepared.idle),
        seconds=city.seconds | clock.seconds,
    )


def prepare(
    city: City, params: Params, *, settings: Settings | None = None, progress: Progress | None = None
) -> Prepared:
    """Return what the weights and the budget do not touch, from memory if it was made before."""
    choice = params.choice.model_copy(update={"max_sites": 1, "min_gain": 0.0, "unit_weight": "equal"})
    groups = (params.access, params.service, params.score, params.norms, choice)
    key = digest_of_text(city.digest, *(digest_of(group) for group in groups))
    with _prepared_lock:
        if key in _prepared:
            _prepared.move_to_end(key)
            return _prepared[key]
    times = travel_times(city, params.access, settings=settings, progress=progress)
    served = times
    if params.service.count_points:
        served = with_points(times, nearest_minutes(point_minutes(city, params, times, settings=settings)))
    standing = _standing(city, params.access) if params.access.scenario else None
    idle = () if standing is None else standing.under(params.access).idle
    prepared = replace(prepare_with(city, params, served), times=times, idle=idle)
    with _prepared_lock:
        _prepared[key] = prepared
        while len(_prepared) > _KEPT_IN_MEMORY:
            _prepared.popitem(last=False)
    return prepared


def _firmness(city: City, prepared: Prepared, choice: Choice, params: Params) -> Robustness | None:
    """Return how the choice fares under other weights; None where each draw would take an integer programme."""
    if choice.method == "milp":
        return None
    return robustness_of(city, prepared, choice, params)


def robustness_of(city: City, prepared: Prepared, choice: Choice, params: Params) -> Robustness:
    """Return how the choice fares under the random weightings of ``params.robustness``."""
    return try_weights(
        prepared.options,
        choice.chosen,
        params.weights,
        city.units["population"].to_numpy(),
        params.choice,
        params.robustness,
        limits=limits_of(city, prepared, params),
    )


def choose(city: City, prepared: Prepared, scores: NDArray[np.float64], params: Params) -> Choice:
    """Return the optimal choice for `scores` under every constraint of `params`."""
    population = city.units["population"].to_numpy()
    limits = limits_of(city, prepared, params)
    try:
        return choose_sites(prepared.options, scores, population, params.choice, limits=limits)
    except InfeasibleError as error:
        notes = notes_elsewhere(city.units, params) if "choice.max_sites" in str(error) else ()
        raise InfeasibleError([*error.faults, *(note for note in notes if note.key == "budget_of_hanoi")]) from error


def limits_of(city: City, prepared: Prepared, params: Params) -> Limits:
    """Return the constraints of `params` on the options of a city."""
    sites = with_areas(city, prepared)
    return build_limits(prepared.options, sites, prepared.needs, choice=params.choice, constraints=params.constraints)


def with_areas(city: City, prepared: Prepared) -> pd.DataFrame:
    """Return the sites with ``known_area_m2`` and ``priced_area_m2``.

    The first is the usable area, NaN where not known; the second is the area that costs go by: an unknown one costs as
    much as the whole need of its unit, because the low figure that is scored would be a cheap one.
    """
    known = prepared.criteria["usable_area_m2"]
    need_m2 = city.sites["unit_id"].map(prepared.needs["need_m2"])
    return city.sites.assign(known_area_m2=known, priced_area_m2=known.fillna(need_m2))


def point_minutes(
    city: City,
    params: Params,
    times: TravelTimes,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return :func:`geo.travel.branches.minutes_to_points`, from the disk if they were computed before.

    `times` are those of :func:`travel_times`; the columns are in the order of ``params.service.points``.
    """
    settings, points = settings or Settings(), params.service.points
    sizes: list[tuple[int, ...]] = [(len(unit.population), len(points)) for unit in times.units.values()]

    def compute() -> dict[str, NDArray[np.float64]]:
        graph = graph_of(city, params.access)
        return minutes_to_points(times, points, graph, params.access, progress=progress, cache_dir=settings.cache_dir)

    digests = (city.digest, str(city.crs), digest_of(params.access), digest_of(params.service))
    return cached(
        settings.cache_dir,
        f"point-times-{_ACCESS_VERSION}-{digest_of_text(*digests)}",
        make=compute,
        pack=lambda minutes: {"minutes": join_blocks(minutes.values())},
        unpack=lambda arrays: dict(zip(times.units, cut_blocks(arrays["minutes"], sizes), strict=True)),
    )


def totals_to_sites(
    city: City, prepared: Prepared, choice: Choice, scores: NDArray[np.float64], *, both: bool
) -> dict[str, Any]:
    """Return the travel times of a plan whose service points count, to its sites alone."""
    alone = replace(prepared, figures=_figures(prepared.options, prepared.times, both=both))
    totals = sum_up(city, units_table(city, alone, choice, scores, None))
    return {
        "sites_mean_time_min": totals["mean_time_min"],
        "share_within_30min_of_sites": totals["share_within_30min"],
    }


def prepare_with(city: City, params: Params, times: TravelTimes) -> Prepared:
    """Return what the weights and the budget do not touch, for the travel times given as they are scored; not kept."""
    needs = needs_of(city.units, params.norms)
    need_m2, staff = needs["need_m2"], needs["staff"]
    criteria = site_criteria(city.sites, city.units, times, need_m2, staff, score=params.score, norms=params.norms)
    of_site = need_m2[city.sites["unit_id"]].set_axis(city.sites.index)
    filled = fill_unknown(criteria, of_site, params.score)
    options = build_options(
        filled,
        criteria["usable_area_m2"],
        city.units.index,
        times,
        needs,
        score=params.score,
        choice=params.choice,
        cutoff_min=params.access.cutoff_min,
    )
    return Prepared(
        times=times,
        served=times,
        needs=needs,
        criteria=criteria,
        filled=filled,
        options=options,
        figures=_figures(options, times, both=params.choice.reception == "both_sites"),
    )


def _figures(options: Options, times: TravelTimes, *, both: bool) -> tuple[AccessFigures, ...]:
    columns = {
        unit_id: {site_id: column for column, site_id in enumerate(unit.site_ids)}
        for unit_id, unit in times.units.items()
    }
    known: dict[tuple[int, ...], AccessFigures] = {}
    figures = []
    for number, first, second in zip(options.unit, options.first, options.second, strict=True):
        sites = (first, second) if both and second >= 0 else (first,)
        if sites not in known:
            unit_id = options.unit_ids[number]
            where = [columns[unit_id][options.site_ids[site]] for site in sites]
            known[sites] = access_figures(times.units[unit_id], where)
        figures.append(known[sites])
    return tuple(figures)


def travel_times(
    city: City, params: AccessParams, *, settings: Settings | None = None, progress: Progress | None = None
) -> TravelTimes:
    """Return the travel times of `city`, from the disk if they were computed before.

    Under a network profile people and buildings stand where they do without it: only the ways are computed anew.
    """
    settings = settings or Settings()
    options: dict[str, Any] = {
        "unit_ids": city.units.index, "cache_dir": settings.cache_dir, "progress": progress,
    }  # fmt: skip

    def compute() -> TravelTimes:
        standing = _standing(city, params)
        graph, snaps = (None, None) if standing is None else (standing.under(params).graph, standing.snaps)
        if params.scenario is None:
            demand = place_demand(city.pieces, city.units, graph, params, population_points=city.population_points)
            return compute_travel_times(demand, city.sites, graph, params, snaps=snaps, **options)
        plain = travel_times(city, params.model_copy(update={"scenario": None}), settings=settings, progress=progress)
        units = ways_to_sites(plain.demand, city.sites, graph, params, snaps=snaps, **options)
        return replace(plain, units=units)

    name = f"times-{_ACCESS_VERSION}-{digest_of_text(city.digest, str(city.crs), digest_of(params))}"
    return cached(settings.cache_dir, name, make=compute, pack=_pack_times, unpack=lambda a: _unpack_times(a, city))


def graph_of(city: City, params: AccessParams) -> TravelGraph | None:
    """Return the roads of `city` under the profile of `params`, kept in memory; None where it has none."""
    standing = _standing(city, params)
    return None if standing is None else standing.under(params).graph


def _standing(city: City, params: AccessParams) -> Standing | None:
    return None if city.network is None else standing_of(city.network, city.sites, params, crs=city.crs)


def _pack_times(times: TravelTimes) -> Arrays:
    """Return few, long arrays: the blocks of the units one after the other, and their sizes."""
    demand, blocks = times.demand, list(times.units.values())
    arrays: Arrays = {
        "demand_id": demand.index.to_numpy(str),
        "unit_id": demand["unit_id"].to_numpy(str),
        "population": demand["population"].to_numpy(),
        "node": demand["node"].to_numpy(),
        "reason": demand["reason"].to_numpy(str),
        "x": demand.geometry.x.to_numpy(),
        "y": demand.geometry.y.to_numpy(),
        "frontage_0_1": times.frontage_0_1.to_numpy(),
        "centrality_0_1": times.centrality_0_1.to_numpy(),
        "units": np.array(list(times.units), dtype=str),
        "site_ids": np.array([site_id for block in blocks for site_id in block.site_ids], dtype=str),
        "shape": np.array([block.minutes.shape for block in blocks], np.int64).reshape(-1, 2),
    }
    for name in _BLOCKS:
        arrays[f"unit_{name}"] = np.concatenate([getattr(block, name).ravel() for block in blocks] or [np.empty(0)])
    return arrays


#: Arrays of :class:`~geo.travel.access.UnitTimes`, with the axes of each: d for demand points, s for sites.
_BLOCKS = {"population": "d", "minutes": "ds", "reason": "ds", "between_min": "ss"}


def _unpack_times(arrays: Arrays, city: City) -> TravelTimes:
    demand = gpd.GeoDataFrame(
        {name: arrays[name] for name in ("unit_id", "population", "node", "reason")},
        geometry=gpd.points_from_xy(arrays["x"], arrays["y"], crs=city.crs),
        index=pd.Index(arrays["demand_id"].astype(object), name="demand_id"),
    )
    sizes = [{"d": n_demand, "s": n_sites} for n_demand, n_sites in arrays["shape"].tolist()]
    blocks = {
        name: cut_blocks(arrays[f"unit_{name}"], [tuple(size[axis] for axis in axes) for size in sizes])
        for name, axes in _BLOCKS.items()
    }
    site_ids = cut_blocks(arrays["site_ids"], [(size["s"],) for size in sizes])
    units = {
        str(unit_id): UnitTimes(
            site_ids=tuple(site_ids[number].tolist()), **{name: blocks[name][number] for name in _BLOCKS}
        )
        for number, unit_id in enumerate(arrays["units"])
    }
    return TravelTimes(
        demand=demand,
        units=units,
        frontage_0_1=pd.Series(arrays["frontage_0_1"], index=city.sites.index, name="frontage_0_1"),
        centrality_0_1=pd.Series(arrays["centrality_0_1"], index=city.sites.index, name="centrality_0_1"),
    )


def join_blocks(blocks: Iterable[NDArray]) -> NDArray:
    """Return the figures of all `blocks` in one array of one axis."""
    return np.concatenate([*(block.ravel() for block in blocks), np.empty(0)])


def cut_blocks(flat: NDArray, shapes: Sequence[tuple[int, ...]]) -> list[NDArray]:
    """Return `flat` cut into blocks of `shapes`."""
    if not shapes:
        return []
    stops = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, stops[:-1]), shapes, strict=True)]
