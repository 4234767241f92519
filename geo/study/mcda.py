"""Where other methods of multi-criteria decision would choose other buildings: TOPSIS and PROMETHEE II beside our sum.

Within each unit the options with as many sites as the plan gives it are ranked by three methods of the library pymcdm,
on the same figures ``x_oj - p_o`` (criteria less the penalty of working in two houses) and the same weights:

* *Weighted sum*: our score.
* *TOPSIS* (Hwang and Yoon 1981): nearness to the best that any option of the unit offers, and distance from the worst.
* *PROMETHEE II* (Brans and Vincke 1985): net flow of pairwise preferences; a lead in one criterion counts in proportion
  up to :data:`PREFERENCE`, and no more beyond. Only a lead counts, so one that is huge cannot make up for several.

Criteria lie between 0 and 1 by their own formulas already, so no method normalises them again. One site or two, and the
budget, stay those of the plan: figures of the two other methods compare the options of one unit and cannot be added up
over the city, which an optimum under a budget needs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymcdm.methods import PROMETHEE_II, TOPSIS, WSM

from geo.choice.score import Options
from geo.outcome import Prepared
from geo.params import CRITERIA
from geo.plan import Plan, limits_of, prepare
from geo.settings import Settings

#: A lead that makes one option preferred outright in a criterion (PROMETHEE II).
PREFERENCE = 0.2
_DECIMALS = 9


def _as_it_is(values: NDArray[np.float64], cost: bool = False) -> NDArray[np.float64]:
    return values


#: Each method, made anew for every unit: PROMETHEE II of pymcdm can be asked once only.
METHODS: dict[str, Callable[[], Callable[..., NDArray[np.float64]]]] = {
    "weighted_sum": lambda: WSM(_as_it_is),
    "topsis": lambda: TOPSIS(_as_it_is),
    "promethee": lambda: PROMETHEE_II("vshape", p=[PREFERENCE] * len(CRITERIA)),
}


def compare_methods(plan: Plan, *, settings: Settings | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return which buildings each method would choose, by unit and by building.

    Parameters
    ----------
    plan : Plan
    settings : Settings, optional
        Those that the plan was made with.

    Returns
    -------
    units : pandas.DataFrame
        Index unit_id. Columns ``name``, ``population``, ``n_sites``, ``chosen`` (ids with `` + `` between, the
        receiving one first); for each method ``<method>`` (the same) and ``<method>_loses`` (how much lower its choice
        scores than the best score, at least 0); ``n_choices`` (different sets of buildings among the methods) and
        ``agree``. Units without a site are left out.
    sites : pandas.DataFrame
        Index site_id: the buildings on which the methods disagree. Columns ``unit_id``, ``name``, ``chosen`` and, for
        each method, whether it takes the building.
    """
    prepared = prepare(plan.city, plan.params, settings=settings)
    options, scores = prepared.options, prepared.options.scores(plan.params.weights)
    usable = limits_of(plan.city, prepared, plan.params).allowed & ~np.isnan(scores)
    rows = {}
    taken = pd.DataFrame(False, index=plan.sites.index, columns=list(METHODS))
    for number, unit_id in enumerate(options.unit_ids):
        n_sites = int(plan.units["n_sites"].to_numpy()[number])
        if n_sites == 0:
            continue
        among = np.flatnonzero(usable & (options.unit == number) & (options.is_pair == (n_sites == 2)))
        best = {name: among[place] for name, place in _best_of_each(prepared, among, plan).items()}
        rows[unit_id] = _unit_row(options, scores, scores[among].max(), best)
        for name, option in best.items():
            taken.loc[_site_ids(options, option), name] = True
    names = plan.units.loc[list(rows), ["name", "population", "n_sites"]]
    ids = plan.units["site_id_1"].str.cat(plan.units["site_id_2"], sep=" + ").str.removesuffix(" + ")
    units = names.assign(chosen=ids[names.index]).join(pd.DataFrame.from_dict(rows, orient="index"))
    disagreed = taken.any(axis=1) & ~taken.all(axis=1)
    sites = plan.sites.loc[disagreed, ["unit_id", "name", "chosen"]].join(taken[disagreed])
    return units.rename_axis("unit_id"), sites.rename_axis("site_id")


def _best_of_each(prepared: Prepared, among: NDArray[np.int64], plan: Plan) -> dict[str, int]:
    """Return the place of each method's best option among those given; of equal ones the first."""
    criteria = prepared.options.criteria[among]
    own = np.array([getattr(plan.params.weights, name) for name in CRITERIA])
    counts = ~np.isnan(criteria).any(axis=0) & (own > 0)  # a criterion is missing for the whole unit or for none of it
    figures = criteria[:, counts] - prepared.options.penalty[among, None]
    return {name: best_option(name, figures, own[counts]) for name in METHODS}


def best_option(method: str, figures: NDArray[np.float64], weights: NDArray[np.float64]) -> int:
    """Return the row that a method puts first; of equal ones the first.

    Parameters
    ----------
    method : str
        One of :data:`METHODS`.
    figures : ndarray of float64, shape (n_options, n_criteria)
        More is better.
    weights : ndarray of float64, shape (n_criteria,)
        Above 0; only their ratios matter.
    """
    if (figures == figures[0]).all():  # nothing to tell apart: TOPSIS and PROMETHEE II would divide by 0
        return 0
    values = METHODS[method]()(figures, weights / weights.sum(), np.ones(len(weights)), validation=False)
    return int(np.round(values, _DECIMALS).argmax())


def _site_ids(options: Options, option: int) -> list[str]:
    places = (options.first[option], options.second[option])
    return [str(options.site_ids[place]) for place in places if place >= 0]


def _unit_row(options: Options, scores: NDArray[np.float64], best_score: float, best: dict[str, int]) -> dict:
    row: dict[str, object] = {}
    for name, option in best.items():
        row[name] = " + ".join(_site_ids(options, option))
        row[f"{name}_loses"] = round(float(best_score - scores[option]), _DECIMALS)
    n_choices = len({int(options.buildings[option]) for option in best.values()})
    return row | {"n_choices": n_choices, "agree": n_choices == 1}
