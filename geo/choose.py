"""Choose one site or two for every unit under the city's budget, exactly.

Let ``a_u`` be the score of the best single site of unit ``u``, ``b_u`` that of its best pair, ``w_u`` its weight and
``B`` the budget of sites. The problem is ::

    max  sum_u w_u (a_u + (b_u - a_u) y_u)   subject to   sum_u (1 + y_u) <= B,   y_u in {0, 1}

where units without a candidate are left out. The units are coupled by the number of sites only and every second site
costs the same, so giving the budget to the largest positive ``w_u (b_u - a_u)`` is optimal: in any other choice,
swapping a unit with a smaller gain for one with a larger gain never lowers the sum (exchange argument).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InfeasibleError
from geo.params import ChoiceParams
from geo.score import Options

#: Why a unit has the number of sites that it has.
REASONS = (
    "two_sites_gain",
    "one_site_budget",
    "one_site_enough",
    "one_candidate",
    "no_candidate",
    "not_scored",
)
_DECIMALS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The decision for every unit; all arrays have the shape (n_units,).

    Attributes
    ----------
    best_single, best_pair : ndarray of int64
        Positions in the options; -1 where the unit has none.
    chosen : ndarray of int64
        The option chosen; -1 for a unit without a candidate.
    gain : ndarray of float64
        Score of the best pair less that of the best single; NaN where there is no pair.
    reason : ndarray of str
        One of :data:`REASONS`.
    objective : float
        Weighted sum of the scores chosen; the weights of the units with a candidate add up to 1.
    """

    best_single: NDArray[np.int64]
    best_pair: NDArray[np.int64]
    chosen: NDArray[np.int64]
    gain: NDArray[np.float64]
    reason: NDArray[np.object_]
    objective: float


def choose_sites(
    options: Options, scores: NDArray[np.float64], population: NDArray[np.float64], params: ChoiceParams
) -> Choice:
    """Return the optimal choice.

    Ties: between options the first in their order (smaller site ids), between units the one that comes first.

    Parameters
    ----------
    options : Options
    scores : ndarray of float64, shape (n_options,)
        From :meth:`Options.scores`.
    population : ndarray of float64, shape (n_units,)
        Weight of the units if ``params.unit_weight`` is ``"population"``.
    params : ChoiceParams

    Raises
    ------
    InfeasibleError
        The budget is smaller than the number of units that have a candidate.
    """
    n_units = len(options.unit_ids)
    best_single = _best(options.unit, scores, ~options.is_pair, n_units)
    best_pair = _best(options.unit, scores, options.is_pair, n_units)
    has_building = np.isin(np.arange(n_units), options.unit)
    has_site, has_pair = best_single >= 0, best_pair >= 0
    n_housed = int(has_site.sum())
    if params.max_sites < n_housed:
        raise InfeasibleError(
            f"the budget of {params.max_sites} sites is smaller than the {n_housed} units that need one; "
            f"raise choice.max_sites to at least {n_housed}"
        )
    gain = np.full(n_units, np.nan)
    gain[has_pair] = np.round(scores[best_pair[has_pair]] - scores[best_single[has_pair]], _DECIMALS)
    weight = _unit_weights(population, has_site, params)
    second = _second_sites(gain, weight, params, budget=params.max_sites - n_housed)
    chosen = np.where(second, best_pair, best_single)
    objective = float((weight[has_site] * scores[chosen[has_site]]).sum())
    return Choice(
        best_single=best_single,
        best_pair=best_pair,
        chosen=chosen,
        gain=gain,
        reason=_reasons(gain, second, has_building, has_site, has_pair, params),
        objective=objective,
    )


def _best(
    unit: NDArray[np.int64], scores: NDArray[np.float64], among: NDArray[np.bool_], n_units: int
) -> NDArray[np.int64]:
    """Return the position of the best option of each unit among those allowed; -1 where there is none."""
    rows = np.flatnonzero(among & ~np.isnan(scores))
    order = rows[np.lexsort((rows, -scores[rows], unit[rows]))]
    units, first = np.unique(unit[order], return_index=True)
    best = np.full(n_units, -1, np.int64)
    best[units] = order[first]
    return best


def _unit_weights(
    population: NDArray[np.float64], has_site: NDArray[np.bool_], params: ChoiceParams
) -> NDArray[np.float64]:
    weight = np.where(has_site, population if params.unit_weight == "population" else 1.0, 0.0)
    if weight.sum() <= 0:
        weight = has_site.astype(float)
    return weight / weight.sum() if weight.sum() else weight


def _second_sites(
    gain: NDArray[np.float64], weight: NDArray[np.float64], params: ChoiceParams, *, budget: int
) -> NDArray[np.bool_]:
    """Return the units that get a second site: the largest weighted gains that the budget reaches."""
    worth_it = np.flatnonzero(gain > params.min_gain)
    value = weight[worth_it] * gain[worth_it]
    second = np.zeros(len(gain), bool)
    second[worth_it[np.lexsort((worth_it, -value))][:budget]] = True
    return second


def _reasons(
    gain: NDArray[np.float64],
    second: NDArray[np.bool_],
    has_building: NDArray[np.bool_],
    has_site: NDArray[np.bool_],
    has_pair: NDArray[np.bool_],
    params: ChoiceParams,
) -> NDArray[np.object_]:
    return np.select(
        [~has_building, ~has_site, ~has_pair, second, gain > params.min_gain],
        ["no_candidate", "not_scored", "one_candidate", "two_sites_gain", "one_site_budget"],
        default="one_site_enough",
    ).astype(object)
