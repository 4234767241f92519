"""How far a plan hangs on its weights, as two tables: by unit and by building."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.params import CRITERIA
from geo.plan import Plan, choose, limits_of, prepare, robustness_of
from geo.robust import weight_ranges
from geo.settings import Settings


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
