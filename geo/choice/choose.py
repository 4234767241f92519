"""Choose one site or two for every unit under the city's budget and every other constraint, exactly.

Let ``s_o`` be the score of option ``o`` (a single building or a pair of one unit), ``w_u`` the weight of its unit,
``g = choice.min_gain`` the price of a second site and ``B`` the budget of sites. The problem is ::

    max  sum_u w_u sum_{o in u} (s_o - g [o is a pair]) x_o
    s.t. sum_{o in u} x_o = 1,   sum_o size_o x_o <= B,   every other cap,   x_o in {0, 1}

over the options that the rules allow; units without a candidate are left out.

*Greedy.* Without another cap the units are coupled by the number of sites only and every second site costs one. With
``a_u`` the best single site and ``b_u`` the best pair, giving the budget to the largest positive
``w_u (b_u - a_u - g)`` is optimal: in any other choice, swapping a unit with a smaller gain for one with a larger gain
never lowers the sum (exchange argument). If that choice happens to keep every other cap too, it is the optimum of the
whole problem, because leaving caps out can only help.

*Integer programme.* Otherwise :mod:`geo.choice.milp` solves the problem and proves the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.choice.conflicts import no_choice
from geo.choice.constraints import Cap, Limits
from geo.choice.milp import Columns, Solution, solve, undominated
from geo.choice.score import Options
from geo.params import ChoiceParams

#: Why a unit has the number of sites that it has.
REASONS = (
    "two_sites_gain",
    "two_sites_required",
    "two_sites_limits",
    "one_site_budget",
    "one_site_limits",
    "one_site_enough",
    "one_site_required",
    "one_candidate",
    "no_candidate",
    "not_scored",
)
_DECIMALS = 9
#: Weighted gains are compared so, that a tie is one on every machine.
_VALUE_DECIMALS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The decision for every unit; all arrays have the shape (n_units,).

    Attributes
    ----------
    best_single, best_pair : ndarray of int64
        Positions in the options: the best that the rules allow, or the one chosen where the city's caps leave
        another; -1 where the unit has none.
    chosen : ndarray of int64
        The option chosen; -1 for a unit without a candidate.
    gain : ndarray of float64
        Score of `best_pair` less that of `best_single`; NaN where one of them is missing.
    weight : ndarray of float64
        Weight of each unit; those with a candidate add up to 1, the others have 0.
    reason : ndarray of str
        One of :data:`REASONS`.
    objective : float
        Weighted sum of the scores chosen, less ``min_gain`` for each second site.
    bound : float
        What no choice exceeds, proven.
    gap : float
        ``bound - objective``; 0 where they are equal but for rounding (1e-9).
    method : {"greedy", "milp"}
        How the optimum was found and proven.
    """

    best_single: NDArray[np.int64]
    best_pair: NDArray[np.int64]
    chosen: NDArray[np.int64]
    gain: NDArray[np.float64]
    weight: NDArray[np.float64]
    reason: NDArray[np.object_]
    objective: float
    bound: float
    gap: float
    method: str


def choose_sites(
    options: Options,
    scores: NDArray[np.float64],
    population: NDArray[np.float64],
    params: ChoiceParams,
    *,
    limits: Limits | None = None,
) -> Choice:
    """Return the optimal choice.

    Ties: between options the first in their order (smaller site ids), one site before two; between units the one that
    comes first gets its second site.

    Parameters
    ----------
    options : Options
    scores : ndarray of float64, shape (n_options,)
        From :meth:`Options.scores`.
    population : ndarray of float64, shape (n_units,)
        Weight of the units if ``params.unit_weight`` is ``"population"``.
    params : ChoiceParams
    limits : Limits, optional
        From :func:`geo.choice.constraints.build_limits`; the budget of sites alone if left out.

    Raises
    ------
    InfeasibleError
        No choice keeps all constraints: says which of them conflict, and what would mend it.
    """
    limits = limits or sites_only(options, params)
    task = _Task(options, scores, population, params, limits)
    if (task.has_score & ~task.has_site).any():
        raise no_choice(options, task.scored, limits)
    second = task.second_sites()
    if second is None and len(limits.caps) == 1:
        raise no_choice(options, task.scored, limits)
    if second is not None:
        chosen = np.where(second, task.best_pair, task.best_single)
        if all(cap.use[chosen[chosen >= 0]].sum() <= cap.limit * (1 + 1e-9) for cap in limits.caps[1:]):
            return task.finish(chosen)
    solution, rows = task.solve()
    if solution is None:
        raise no_choice(options, task.scored, limits)
    return task.finish(rows, solution)


def sites_only(options: Options, params: ChoiceParams) -> Limits:
    """Return the limits of a choice that has no constraint but the budget of sites."""
    cap = Cap(key="max_sites", limit=params.max_sites, use=np.where(options.is_pair, 2.0, 1.0))
    return Limits(n_options=len(options.unit), rules=(), caps=(cap,))


class _Task:
    """One choice: what every step of it needs."""

    def __init__(
        self,
        options: Options,
        scores: NDArray[np.float64],
        population: NDArray[np.float64],
        params: ChoiceParams,
        limits: Limits,
    ) -> None:
        n_units = len(options.unit_ids)
        self.options, self.scores, self.params, self.limits = options, scores, params, limits
        self.scored = ~np.isnan(scores)
        self.usable = self.scored & limits.allowed
        self.best_single = _best(options.unit, scores, self.usable & ~options.is_pair, n_units)
        self.best_pair = _best(options.unit, scores, self.usable & options.is_pair, n_units)
        self.has_score = np.isin(np.arange(n_units), options.unit[self.scored])
        self.has_site = (self.best_single >= 0) | (self.best_pair >= 0)
        self.weight = _unit_weights(population, self.has_site, params)

    def gain(self, best_single: NDArray[np.int64], best_pair: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what a second site adds to the score; NaN where there is no such comparison."""
        gain = np.full(len(best_single), np.nan)
        both = (best_single >= 0) & (best_pair >= 0)
        gain[both] = np.round(self.scores[best_pair[both]] - self.scores[best_single[both]], _DECIMALS)
        return gain

    def second_sites(self) -> NDArray[np.bool_] | None:
        """Return which units get a second site if the budget of sites is the only cap; None if it is too small."""
        forced = (self.best_single < 0) & (self.best_pair >= 0)
        left = self.params.max_sites - int(self.has_site.sum()) - int(forced.sum())
        if left < 0:
            return None
        gain = self.gain(self.best_single, self.best_pair)
        worth_it = np.flatnonzero(gain > self.params.min_gain)
        value = np.round(self.weight[worth_it] * (gain[worth_it] - self.params.min_gain), _VALUE_DECIMALS)
        second = forced.copy()
        second[worth_it[np.lexsort((worth_it, -value))][:left]] = True
        return second

    def solve(self) -> tuple[Solution | None, NDArray[np.int64]]:
        """Return the optimum of the integer programme and the option that it gives each unit."""
        options = self.options
        rows = np.flatnonzero(self.usable)
        net = np.round(self.scores - np.where(options.is_pair, self.params.min_gain, 0.0), _DECIMALS)
        use = np.stack([cap.use for cap in self.limits.caps])
        rows = rows[undominated(options.unit[rows], net[rows], use[:, rows])]
        units, number = np.unique(options.unit[rows], return_inverse=True)
        columns = Columns(
            unit=number,
            value=self.weight[options.unit[rows]] * net[rows],
            rank=_ranks(number, np.lexsort((rows, -net[rows], ~options.is_pair[rows], number))),
            use=use[:, rows],
            limit=np.array([cap.limit for cap in self.limits.caps], float),
        )
        solution = solve(columns)
        chosen = np.full(len(options.unit_ids), -1, np.int64)
        if solution is not None:
            chosen[units] = rows[solution.picked]
        return solution, chosen

    def finish(self, chosen: NDArray[np.int64], solution: Solution | None = None) -> Choice:
        """Return the choice with its reasons; `solution` is what the integer programme proved, if it was needed."""
        is_pair = self.options.is_pair
        two = np.zeros(len(chosen), bool)
        two[chosen >= 0] = is_pair[chosen[chosen >= 0]]
        best_single = np.where((chosen >= 0) & ~two, chosen, self.best_single)
        best_pair = np.where(two, chosen, self.best_pair)
        housed = chosen >= 0
        price = self.params.min_gain * two[housed]
        objective = float((self.weight[housed] * (self.scores[chosen[housed]] - price)).sum())
        return Choice(
            best_single=best_single,
            best_pair=best_pair,
            chosen=chosen,
            gain=self.gain(best_single, best_pair),
            weight=self.weight,
            reason=self._reasons(chosen, two, by_milp=solution is not None),
            objective=objective,
            bound=objective if solution is None else max(objective, solution.bound),
            gap=0.0 if solution is None else solution.gap,
            method="greedy" if solution is None else "milp",
        )

    def _reasons(self, chosen: NDArray[np.int64], two: NDArray[np.bool_], *, by_milp: bool) -> NDArray[np.object_]:
        n_units = len(chosen)
        has_building = np.isin(np.arange(n_units), self.options.unit)
        may_have_two = np.isin(np.arange(n_units), self.options.unit[self.scored & self.options.is_pair])
        wants_two = self.gain(self.best_single, self.best_pair) > self.params.min_gain
        preferred = np.where(wants_two | (self.best_single < 0), self.best_pair, self.best_single)
        limited = by_milp & (chosen != preferred)
        return np.select(
            [
                ~has_building,
                ~self.has_site,
                two & (self.best_single < 0),
                two & limited,
                two,
                ~may_have_two,
                self.best_pair < 0,
                limited,
                wants_two,
            ],
            [
                "no_candidate",
                "not_scored",
                "two_sites_required",
                "two_sites_limits",
                "two_sites_gain",
                "one_candidate",
                "one_site_required",
                "one_site_limits",
                "one_site_budget",
            ],
            default="one_site_enough",
        ).astype(object)


def _best(
    unit: NDArray[np.int64], scores: NDArray[np.float64], among: NDArray[np.bool_], n_units: int
) -> NDArray[np.int64]:
    """Return the position of the best option of each unit among those allowed; -1 where there is none."""
    rows = np.flatnonzero(among)
    order = rows[np.lexsort((rows, -scores[rows], unit[rows]))]
    units, first = np.unique(unit[order], return_index=True)
    best = np.full(n_units, -1, np.int64)
    best[units] = order[first]
    return best


def _ranks(unit: NDArray[np.int64], order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the place of each column within its unit, in `order`."""
    rank = np.empty(len(unit), np.int64)
    start = np.searchsorted(unit[order], unit[order])
    rank[order] = np.arange(len(unit)) - start
    return rank


def _unit_weights(
    population: NDArray[np.float64], has_site: NDArray[np.bool_], params: ChoiceParams
) -> NDArray[np.float64]:
    weight = np.where(has_site, population if params.unit_weight == "population" else 1.0, 0.0)
    if weight.sum() <= 0:
        weight = has_site.astype(float)
    return weight / weight.sum() if weight.sum() else weight
