"""What each further site buys: the optimum for every budget of sites, from one for each unit to two.

Every budget is chosen anew and exactly (:mod:`geo.choice.choose`): a point of the frontier is the plan of that
budget. The shadow price of a budget is what the next site adds to the objective; without other caps it never rises,
because the second sites are taken in the order of their weighted gain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.choose import Choice, choose_sites
from geo.choice.constraints import Limits, has_costs, site_costs
from geo.errors import InfeasibleError
from geo.outcome import Prepared
from geo.params import Params
from geo.plan import Plan, limits_of, prepare, with_areas
from geo.progress import Progress
from geo.settings import Settings
from geo.study.ways import TARGET_KM, TARGET_MIN, option_shares, served_distances
from geo.travel.weighted import weighted_mean, weighted_quantile

_DECIMALS = 9


def trace_frontier(
    plan: Plan,
    *,
    budgets: Iterable[int] | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the optimum of each budget of sites; all other parameters are those of `plan`.

    Parameters
    ----------
    plan : Plan
    budgets : iterable of int, optional
        One site for each unit with a candidate, to two, if left out. Those that no choice keeps are left out.
    settings : Settings, optional
        Those that the plan was made with.
    progress : callable, optional
        Called with a key and the share done; what it raises stops the work.

    Returns
    -------
    pandas.DataFrame
        Index ``max_sites``, rising. Columns: ``mark`` (``"one_each"``: the least budget that gives every unit a site;
        ``"budget"``: that of the plan; else empty), ``sites``, ``units_with_two``, ``objective``, ``marginal_gain``
        (of the last site: the objective less that of one site fewer; NaN in the first row), ``shadow_price`` (what one
        more would add; NaN in the last row), ``mean_time_min``, ``p95_time_min``, ``worst_time_min`` (of those who
        arrive), ``share_within_30min``, ``share_within_5km`` (by road), ``share_within_target`` (30 minutes or 5 km,
        the city's own aim), ``norm_met_pct``, ``solver``, ``gap``; and ``cost`` where the parameters give costs. The
        two gains are NaN where the neighbouring budget is not among `budgets`.

    Raises
    ------
    InfeasibleError
        No budget has a choice.
    """
    prepared = prepare(plan.city, plan.params, settings=settings)
    scores = prepared.options.scores(plan.params.weights)
    limits = limits_of(plan.city, prepared, plan.params)
    gauge = _Gauge(plan, prepared, _near_shares(plan, prepared, settings=settings, progress=progress))
    n_housed = len(np.unique(prepared.options.unit[~np.isnan(scores)]))
    wanted = sorted(range(n_housed, 2 * n_housed + 1) if budgets is None else set(budgets), reverse=True)
    rows: dict[int, dict[str, Any]] = {}
    for number, budget in enumerate(wanted):
        if progress is not None:
            progress("frontier", number / len(wanted))
        try:
            choice = _choose(plan, prepared, scores, limits, budget)
        except InfeasibleError:
            if not rows:
                raise
            break  # fewer sites are no more feasible
        rows[budget] = gauge.measure(choice)
    table = pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("max_sites")
    return _with_gains(table, n_housed, plan.params)


def mark_budget(table: pd.DataFrame, budget: int) -> pd.DataFrame:
    """Return a frontier with `budget` marked as that of the plan: the budget changes nothing else of it."""
    mark = table["mark"].where(table.index != budget, "budget")
    return table.assign(mark=mark)


def _choose(plan: Plan, prepared: Prepared, scores: NDArray[np.float64], limits: Limits, budget: int) -> Choice:
    params = plan.params.choice.model_copy(update={"max_sites": budget})
    sites, *others = limits.caps
    caps = (replace(sites, limit=budget), *others)
    population = plan.city.units["population"].to_numpy()
    return choose_sites(prepared.options, scores, population, params, limits=replace(limits, caps=caps))


class _Gauge:
    """Measures any choice of a city by figures that are taken from the options once."""

    def __init__(self, plan: Plan, prepared: Prepared, near: dict[str, NDArray[np.float64]]) -> None:
        self._plan, self._prepared, self._options = plan, prepared, prepared.options
        self._both = plan.params.choice.reception == "both_sites"
        self._people = plan.city.units["population"].to_numpy()
        self._need = prepared.needs["need_m2"].to_numpy()
        of_option = {
            "mean_time_min": [figure.mean_min for figure in prepared.figures],
            "unreachable": [figure.unreachable_population for figure in prepared.figures],
            "share_within_30min": [figure.share_within_30min for figure in prepared.figures],
            "usable_area_m2": prepared.options.usable_area_m2,
            **near,
        }
        # The last figure is that of a unit without a site, whose option is -1.
        self._of_option = {name: np.append(np.asarray(values, float), np.nan) for name, values in of_option.items()}
        self._shares = ("share_within_30min", *near)
        self._unserved = prepared.times.unserved
        self._is_unserved = prepared.options.unit_ids.isin(list(self._unserved))
        self._costs = _costs(plan, prepared)

    def measure(self, choice: Choice) -> dict[str, Any]:
        """Return a row of the frontier."""
        found = {name: values[choice.chosen] for name, values in self._of_option.items()}
        housed = choice.chosen[choice.chosen >= 0]
        n_two = int(self._options.is_pair[housed].sum())
        figures = {
            "sites": len(housed) + n_two,
            "units_with_two": n_two,
            "objective": round(choice.objective, _DECIMALS),
            **self._times(choice),
            "mean_time_min": weighted_mean(found["mean_time_min"], self._people - found["unreachable"]),
            **{
                name: weighted_mean(np.where(self._is_unserved, 0.0, found[name]), self._people)
                for name in self._shares
            },
            "norm_met_pct": 100
            * weighted_mean(found["usable_area_m2"] / np.where(self._need > 0, self._need, np.nan), self._need),
            "solver": choice.method,
            "gap": choice.gap,
        }
        if self._costs is not None:
            both = self._costs[self._options.first[housed]] + self._costs[self._options.second[housed]]
            figures["cost"] = round(float(both.sum()), 6)
        return figures

    def _times(self, choice: Choice) -> dict[str, float]:
        minutes, population = self._everybody(choice)
        arrives = np.isfinite(minutes)
        return {
            "p95_time_min": weighted_quantile(minutes, population, 0.95) if len(minutes) else np.nan,
            "worst_time_min": float(minutes[arrives].max()) if arrives.any() else np.nan,
        }

    def _everybody(self, choice: Choice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return minutes and people of every group in the units that have a network; infinite where nobody receives."""
        options = self._options
        population = [np.empty(0), *self._unserved.values()]
        minutes = [np.full(len(people), np.inf) for people in population]
        for number, option in enumerate(choice.chosen):
            unit = self._prepared.served.units.get(str(options.unit_ids[number]))
            if option >= 0 and unit is not None and unit.has_network:
                places = [options.first[option], options.second[option]] if self._both else [options.first[option]]
                columns = [unit.site_ids.index(str(options.site_ids[place])) for place in places if place >= 0]
                minutes.append(unit.minutes[:, columns].min(axis=1))
                population.append(unit.population)
        return np.concatenate(minutes), np.concatenate(population)


def _costs(plan: Plan, prepared: Prepared) -> NDArray[np.float64] | None:
    """Return the cost of every building, and 0 for none at the end; None where the parameters give no costs."""
    if not has_costs(plan.params.constraints):
        return None
    return np.append(site_costs(with_areas(plan.city, prepared), plan.params.constraints).to_numpy(), 0.0)


def _near_shares(
    plan: Plan, prepared: Prepared, *, settings: Settings | None, progress: Progress | None
) -> dict[str, NDArray[np.float64]]:
    """Return the shares of people near enough to every option, by the name of their column."""
    distances = served_distances(plan.city, plan.params, settings=settings, progress=progress)
    both = plan.params.choice.reception == "both_sites"
    within = {f"share_within_{TARGET_KM:g}km": None, "share_within_target": TARGET_MIN}
    return {name: option_shares(prepared, distances, both=both, within_min=minutes) for name, minutes in within.items()}


def _with_gains(table: pd.DataFrame, n_housed: int, params: Params) -> pd.DataFrame:
    objective = table["objective"].to_numpy()
    adjacent = np.diff(table.index.to_numpy()) == 1
    gain = np.where(adjacent, np.round(np.diff(objective), _DECIMALS), np.nan)
    marks = {n_housed: "one_each", params.choice.max_sites: "budget"}
    table.insert(0, "mark", [marks.get(budget, "") for budget in table.index])
    table["marginal_gain"] = np.concatenate([[np.nan], gain])
    table["shadow_price"] = np.concatenate([gain, [np.nan]])
    order = ["mark", "sites", "units_with_two", "objective", "marginal_gain", "shadow_price", "mean_time_min"]
    order += ["p95_time_min", "worst_time_min", "share_within_30min", "share_within_5km", "share_within_target"]
    order += ["norm_met_pct", "solver", "gap"]
    return table[[*order, *(["cost"] if "cost" in table else [])]]
