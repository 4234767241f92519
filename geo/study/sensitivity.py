"""How far a plan hangs on its weights, its travel times, its norms and its other figures.

Everything is chosen anew for the city, under its budget and constraints: for every random weighting
(:mod:`geo.choice.robust`), for every figure of :data:`FIGURES` lower and higher, one at a time, and for travel times
that err building by building.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.robust import weight_ranges
from geo.errors import InfeasibleError, ParamsError
from geo.params import CRITERIA, DECREES, Params
from geo.plan import Plan, choose, limits_of, prepare, prepare_with, robustness_of
from geo.progress import Progress
from geo.settings import Settings
from geo.travel.access import TravelTimes

#: All travel times together, those between two sites too; the other figures are named as parameters.
TIMES = "travel_times"
FIGURES = (
    TIMES,
    "norms.secretary_m2", "norms.deputy_or_chair_m2", "norms.department_head_m2", "norms.specialist_m2",
    "norms.common_area_share", "norms.party_deputies_share", "norms.party_heads_share", "norms.party_specialists_share",
    "norms.city_staff", "norms.staff_leaving", "norms.staff_not_placed", "norms.base_staff", "norms.ward_factor",
    "norms.usable_share",
    "score.access_zero_min", "score.frontage_share", "score.unknown_0_1", "score.service_life_years",
    "score.hall_seats", "score.parking_m2_per_motorbike", "choice.split_penalty", "choice.split_penalty_per_min",
)  # fmt: skip
_SEED = 2025


def robustness_tables(plan: Plan, *, settings: Settings | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose anew under the random weightings of ``plan.params.robustness``, and find the range of every weight.

    Where a cap other than the budget of sites binds, each weighting takes an integer programme (tens of milliseconds).

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with.

    Returns
    -------
    units : pandas.DataFrame
        Index unit_id. Columns ``name``, ``site_id_1``, ``site_id_2``, ``win_share``, ``same_number_share``,
        ``firmness``; and for each criterion ``<criterion>_weight``, ``<criterion>_low``, ``<criterion>_high``: the
        range of the weight, the others as they are, in which the buildings stay the best of those with as many sites
        (empty where the city's caps left the best out).
    sites : pandas.DataFrame
        Index site_id. Columns ``unit_id``, ``name``, ``chosen``, ``chosen_share`` (of the weightings).
    """
    prepared = prepare(plan.city, plan.params, settings=settings)
    scores = prepared.options.scores(plan.params.weights)
    choice = choose(plan.city, prepared, scores, plan.params)
    found = robustness_of(plan.city, prepared, choice, plan.params)
    housed = choice.chosen >= 0
    units = plan.units[["name", "site_id_1", "site_id_2"]].copy()
    units["win_share"] = found.win_share
    units["same_number_share"] = found.same_number_share
    units["firmness"] = np.where(housed, np.where(found.firm, "firm", "contestable"), "")
    options = prepared.options
    usable = limits_of(plan.city, prepared, plan.params).allowed & ~np.isnan(scores)
    bounds: dict[str, list[float]] = {f"{name}_{end}": [] for name in CRITERIA for end in ("low", "high")}
    for number, chosen in enumerate(choice.chosen):
        same_kind = options.is_pair == (chosen >= 0 and options.is_pair[chosen])
        rivals = np.flatnonzero(usable & (options.unit == number) & same_kind)
        best = chosen >= 0 and bool((scores[rivals] <= scores[chosen]).all())
        ranges = weight_ranges(options, int(chosen), rivals[rivals != chosen], plan.params.weights) if best else ()
        by_name = {found.criterion: found for found in ranges}
        for name in CRITERIA:
            bounds[f"{name}_low"].append(by_name[name].low if best else np.nan)
            bounds[f"{name}_high"].append(by_name[name].high if best else np.nan)
    for name in CRITERIA:
        units[f"{name}_weight"] = getattr(plan.params.weights, name)
        for end in ("low", "high"):
            units[f"{name}_{end}"] = bounds[f"{name}_{end}"]
    sites = plan.sites[["unit_id", "name", "chosen"]].copy()
    sites["chosen_share"] = found.site_share
    return units, sites


def vary_figures(plan: Plan, *, settings: Settings | None = None, progress: Progress | None = None) -> pd.DataFrame:
    """Choose anew with one figure lower or higher by ``robustness.figure_spread``, and with the norms of other decrees.

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with.
    progress : callable, optional
        Called before each figure; what it raises stops the work.

    Returns
    -------
    pandas.DataFrame
        Index 0, 1, 2, ... Columns ``figure`` (one of :data:`FIGURES`, or ``norms.decree``), ``now``, ``tried`` (of
        ``travel_times`` the factor), ``possible`` (whether a choice keeps the constraints), ``units_changed`` (other
        buildings), ``units_other_number`` (one instead of two, or the reverse), ``people`` (in the units changed) and
        ``unit_ids`` (of these, with spaces between). Figures that are 0, and values out of their bounds, are left out.
    """
    prepared = prepare(plan.city, plan.params, settings=settings)
    before = _choose_with(plan, plan.params, prepared.served)
    population, unit_ids = plan.units["population"].to_numpy(), plan.units.index.to_numpy()
    rows = []
    variations = list(_variations(plan.params))
    for number, (figure, now, tried, params) in enumerate(variations):
        if progress is not None:
            progress("figures", number / len(variations))
        factor = float(tried) if figure == TIMES else 1.0
        after = _choose_with(plan, params, _scaled(prepared.served, factor))
        changed = before.buildings != after.buildings
        found = {
            "figure": figure,
            "now": now,
            "tried": tried,
            "possible": after.possible,
            "units_changed": int(changed.sum()),
            "units_other_number": int((before.two != after.two).sum()),
            "people": float(population[changed].sum()),
            "unit_ids": " ".join(unit_ids[changed]),
        }
        rows.append(found)
    return pd.DataFrame(rows)


def try_times(plan: Plan, *, settings: Settings | None = None, progress: Progress | None = None) -> pd.Series:
    """Return how often each unit gets the very same buildings if the travel times to every building err by themselves.

    The times to each building are multiplied by a factor drawn evenly between ``1 - figure_spread`` and ``1 +
    figure_spread`` (a fixed seed), those between two buildings by the mean of their factors; ``n_time_draws`` cities
    are chosen anew.

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with.

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with.
    progress : callable, optional
        Called before each city; what it raises stops the work.

    Returns
    -------
    pandas.Series
        Share of the draws, index unit_id; NaN where a unit gets no building. A draw without a choice that keeps the
        constraints counts as other buildings.
    """
    prepared, wanted = prepare(plan.city, plan.params, settings=settings), plan.params.robustness
    before = _choose_with(plan, plan.params, prepared.served)
    draw = np.random.default_rng(_SEED)
    same = np.zeros(len(plan.units))
    for number in range(wanted.n_time_draws):
        if progress is not None:
            progress("times", number / wanted.n_time_draws)
        factors = draw.uniform(1 - wanted.figure_spread, 1 + wanted.figure_spread, len(plan.sites))
        by_site = pd.Series(factors, index=plan.sites.index)
        same += before.buildings == _choose_with(plan, plan.params, _scaled(prepared.served, by_site)).buildings
    share = np.where(plan.units["n_sites"] > 0, same / wanted.n_time_draws, np.nan)
    return pd.Series(share, index=plan.units.index, name="times_win_share")


def _variations(params: Params) -> Iterator[tuple[str, float | str, float | str, Params]]:
    """Yield a figure, its value, the one to try and the parameters with it."""
    for figure in FIGURES:
        group, _, name = figure.partition(".")
        now = 1.0 if figure == TIMES else float(getattr(getattr(params, group), name))
        for sign in (-1, 1) if now else ():
            tried = round(now * (1 + sign * params.robustness.figure_spread), 9)
            with suppress(ParamsError):  # out of its bounds
                yield figure, now, tried, params if figure == TIMES else params.with_values({figure: tried})
    for decree in DECREES:
        if decree != params.norms.decree:
            yield "norms.decree", params.norms.decree, decree, params.with_values({"norms.decree": decree})


class _Chosen(NamedTuple):
    """The choice of every unit: the number of its set of buildings (-1: none), and whether they are two."""

    possible: bool
    buildings: NDArray[np.int64]
    two: NDArray[np.bool_]


def _choose_with(plan: Plan, params: Params, times: TravelTimes) -> _Chosen:
    """Return the choice for other parameters or times; no building anywhere where none keeps the constraints."""
    prepared = prepare_with(plan.city, params, times)
    options = prepared.options
    try:
        chosen = choose(plan.city, prepared, options.scores(params.weights), params).chosen
    except InfeasibleError:
        chosen = np.full(len(plan.units), -1)
    possible = bool((chosen >= 0).any()) or not len(options.unit)
    return _Chosen(possible, np.append(options.buildings, -1)[chosen], np.append(options.is_pair, False)[chosen])


def _scaled(times: TravelTimes, factor: float | pd.Series) -> TravelTimes:
    """Return the times multiplied by one factor, or by one for each building."""
    units = {}
    for unit_id, unit in times.units.items():
        sites = list(unit.site_ids)
        own = np.full(len(sites), factor) if isinstance(factor, float) else factor[sites].to_numpy()
        between = unit.between_min * (own[:, None] + own) / 2
        units[unit_id] = replace(unit, minutes=unit.minutes * own, between_min=between)
    return replace(times, units=units)
