"""The coupled choice as an integer programme, solved to proven optimality, with ties by a rule.

Over the columns ``o`` (one option of one unit each) with value ``v_o`` and use ``a_ko`` of cap ``k``::

    max  sum_o v_o x_o
    s.t. sum_{o in u} x_o = 1       for every unit u
         sum_o a_ko x_o <= L_k      for every cap k
         x_o in {0, 1}

:func:`undominated` first drops columns that no optimum needs. Then the prices of the linear relaxation bound what a
choice with a given column can be worth; against a choice found among the cheapest columns that rules out nearly all of
them. Both are exact. HiGHS proves the optimum among the rest with a relative gap of 0. Choices whose values differ by
less than 1e-9 are ties: among them the lexicographically first is taken, unit after unit in their order, by the rank of
the column.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_array, hstack, vstack

from geo.errors import GeoError

#: Values that differ by less are equal.
TIE = 1e-9
#: HiGHS stops at an absolute gap of 1e-6: of values scaled so, that is a tenth of a tie.
_SCALE = 1e4
#: A cap is scaled to the first, a tie to the second figure: well above the solver's tolerance of 1e-6, which takes up
#: rounding in the sums too, and so small that a variable which is off by that tolerance breaks no row.
_CAP_SCALE, _TIE_SCALE = 100.0, 1e-5
#: HiGHS's presolve takes longer than it saves once the columns are thinned out here, prints to the terminal, and at the
#: edge of its tolerance calls infeasible what is not.
_PRESOLVE = False
#: Columns beyond one a unit that the first, quick solution may use.
_CORE = 60
#: Largest coefficient of a block of ranks in the second stage; beyond it the solver's tolerance would blur ranks.
_MAX_RANK_WEIGHT = 1e5


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A coupled choice.

    Attributes
    ----------
    unit : ndarray of int64, shape (n,)
        Unit of each column, sorted, 0 to the number of units less one.
    value : ndarray of float64, shape (n,)
    rank : ndarray of int64, shape (n,)
        Place of the column within its unit among ties, from 0.
    use : ndarray of float64, shape (n_caps, n)
    limit : ndarray of float64, shape (n_caps,)
    """

    unit: NDArray[np.int64]
    value: NDArray[np.float64]
    rank: NDArray[np.int64]
    use: NDArray[np.float64]
    limit: NDArray[np.float64]

    def take(self, rows: NDArray) -> Columns:
        """Return the columns `rows` alone."""
        return replace(self, unit=self.unit[rows], value=self.value[rows], rank=self.rank[rows], use=self.use[:, rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """An optimal choice.

    Attributes
    ----------
    picked : ndarray of int64, shape (n_units,)
        The column of each unit.
    value : float
    bound : float
        What the solver proved that no choice exceeds.
    gap : float
        ``bound - value``, at least 0; below a tie it is 0.
    n_tied : int
        Columns that the rule of ties changed.
    """

    picked: NDArray[np.int64]
    value: float
    bound: float
    gap: float
    n_tied: int


def undominated(unit: NDArray[np.int64], score: NDArray[np.float64], use: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the columns that an optimum may need, in their order.

    A column is dropped if another of its unit uses no more of any cap and scores more, or scores the same and stands
    before it. Swapping the one for the other keeps any choice feasible and never lowers its value.

    Parameters
    ----------
    unit : ndarray of int64, shape (n,)
    score : ndarray of float64, shape (n,)
    use : ndarray of float64, shape (n_caps, n)
    """
    order = np.lexsort((np.arange(len(unit)), -score, unit))
    kept: list[int] = []
    starts = np.flatnonzero(np.diff(unit[order], prepend=-1))
    for block in np.split(order, starts[1:]):
        front = np.empty((0, len(use)))
        for row in block:
            if not (front <= use[:, row]).all(axis=1).any():
                front = np.vstack([front, use[:, row]])
                kept.append(int(row))
    return np.sort(np.array(kept, np.int64))


def solve(columns: Columns) -> Solution | None:
    """Return the optimum, ties by rank; None where no choice keeps the caps.

    Raises
    ------
    GeoError
        The solver stopped without an answer.
    """
    relaxed = _relax(columns)
    if relaxed is None:
        return None
    lp_bound, loss = relaxed
    core = np.sort(np.argsort(loss, kind="stable")[: int(columns.unit[-1]) + 1 + _CORE])
    found = _optimum(columns, core)
    if found is None:
        core = np.arange(len(loss))
        found = _optimum(columns, core)
        if found is None:
            return None
    needed = np.flatnonzero(loss <= lp_bound - found[1] + 2 * TIE)
    if not np.isin(needed, core).all():
        again = _optimum(columns, needed)
        if again is None:
            raise GeoError("the solver lost a choice that it had found")
        found = again
    first, best, proven = found
    left = columns.take(needed)
    picked = needed[_first_of_ties(left, np.searchsorted(needed, first), best)]
    value = float(columns.value[picked].sum())
    bound = max(value, min(proven, lp_bound))
    gap = bound - value
    n_tied = int((picked != first).sum())
    return Solution(picked=picked, value=value, bound=bound, gap=gap if gap > 2 * TIE else 0.0, n_tied=n_tied)


def _relax(columns: Columns) -> tuple[float, NDArray[np.float64]] | None:
    """Return the bound of the linear relaxation, and what each column would cost against it; None if infeasible.

    The cost is the reduced cost: a choice with that column is worth at most the bound less the cost, so where a choice
    is known that is worth more, the column cannot be in an optimum and is left out.
    """
    one_each, caps = _rows_of(columns)
    rows = vstack([cap.A for cap in caps])
    result = linprog(
        -_SCALE * columns.value,
        A_eq=one_each.A,
        b_eq=np.ones(one_each.A.shape[0]),
        A_ub=rows,
        b_ub=np.concatenate([np.atleast_1d(cap.ub) for cap in caps]),
        bounds=(0, None),
        method="highs",
        options={"presolve": _PRESOLVE},
    )
    if result.status == 2:
        return None
    if result.status != 0:
        raise GeoError(f"the solver stopped without an answer: {result.message}")
    # Prices of the wrong sign are rounding; without them the bound below holds for any prices.
    price = np.minimum(result.ineqlin.marginals, 0.0)
    net = -_SCALE * columns.value - rows.T @ price
    least = np.full(one_each.A.shape[0], np.inf)
    np.minimum.at(least, columns.unit, net)
    bound = least.sum() + float(price @ np.concatenate([np.atleast_1d(cap.ub) for cap in caps]))
    return -bound / _SCALE, (net - least[columns.unit]) / _SCALE


def _optimum(columns: Columns, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], float, float] | None:
    """Return the best choice among the columns `rows`, its value and its proven bound; None if there is none."""
    some = columns.take(rows)
    if len(np.unique(some.unit)) < int(columns.unit[-1]) + 1:
        return None
    one_each, caps = _rows_of(some)
    result = _milp(-_SCALE * some.value, [one_each, *caps])
    if result.x is None:
        return None
    picked = rows[result.x > 0.5]
    return picked, float(columns.value[picked].sum()), float(-result.mip_dual_bound) / _SCALE


def is_feasible(columns: Columns) -> bool:
    """Whether any choice keeps the caps."""
    one_each, caps = _rows_of(columns)
    return _milp(np.zeros(len(columns.unit)), [one_each, *caps]).x is not None


def least_use(columns: Columns, cap: int) -> float | None:
    """Return the least that any choice uses of `cap` while it keeps the other caps; None where none does."""
    one_each, caps = _rows_of(columns)
    others = [row for number, row in enumerate(caps) if number != cap]
    scale = max(1.0, float(np.abs(columns.use[cap]).max()))
    result = _milp(columns.use[cap] / scale * _SCALE, [one_each, *others])
    return None if result.x is None else float(columns.use[cap][result.x > 0.5].sum())


def least_excess(columns: Columns) -> NDArray[np.float64] | None:
    """Return what a choice uses of each cap that exceeds them least, the excesses added up as shares of the caps.

    None only where a unit has no column.
    """
    one_each, _ = _rows_of(columns)
    n_caps, n = columns.use.shape
    scale = np.maximum(columns.limit, columns.use.max(axis=1)).clip(1e-12)
    cost = np.concatenate([np.zeros(n), np.ones(n_caps)])
    widened = LinearConstraint(hstack([one_each.A, csr_array((one_each.A.shape[0], n_caps))]), 1, 1)
    caps = np.hstack([columns.use / scale[:, None], -np.eye(n_caps)])
    elastic = LinearConstraint(csr_array(caps), -np.inf, columns.limit / scale)
    integral = np.concatenate([np.ones(n), np.zeros(n_caps)])
    upper = np.concatenate([np.ones(n), np.full(n_caps, np.inf)])
    result = _milp(cost, [widened, elastic], integrality=integral, upper=upper)
    return None if result.x is None else columns.use @ (result.x[:n] > 0.5)


def _rows_of(columns: Columns) -> tuple[LinearConstraint, list[LinearConstraint]]:
    """Return "one option a unit", and the caps, each scaled so that the solver's tolerance is far below a unit."""
    n_units, n = int(columns.unit[-1]) + 1, len(columns.unit)
    one_each = csr_array((np.ones(n), (columns.unit, np.arange(n))), shape=(n_units, n))
    caps = []
    for use, limit in zip(columns.use, columns.limit, strict=True):
        scale = _CAP_SCALE / max(limit, float(use.max()), 1e-12)
        caps.append(LinearConstraint(csr_array(use[None, :] * scale), -np.inf, limit * scale))
    return LinearConstraint(one_each, 1, 1), caps


def _milp(
    cost: NDArray[np.float64],
    constraints: list[LinearConstraint],
    *,
    integrality: NDArray[np.float64] | float = 1,
    upper: NDArray[np.float64] | float = 1,
) -> OptimizeResult:
    result = milp(
        cost,
        constraints=constraints,
        integrality=np.broadcast_to(integrality, cost.shape),
        bounds=Bounds(0, upper),
        options={"mip_rel_gap": 0.0, "presolve": _PRESOLVE},
    )
    if result.status not in (0, 2):
        raise GeoError(f"the solver stopped without an answer: {result.message}")
    return result


def _first_of_ties(columns: Columns, picked: NDArray[np.int64], best: float) -> NDArray[np.int64]:
    """Return the lexicographically first choice, by rank, among those worth `best`."""
    if not _has_tie(columns, picked, best):
        return picked
    rows = np.arange(len(columns.unit))
    for units in _blocks(columns):
        left = columns.take(rows)
        weight = np.zeros(int(columns.unit[-1]) + 1)
        weight[units] = np.concatenate([[1.0], np.cumprod(_ranks(columns)[units[:0:-1]])])[::-1]
        one_each, caps = _rows_of(left)
        result = _milp(weight[left.unit] * left.rank, [one_each, *caps, _worth(left, best)])
        if result.x is None:
            raise GeoError("the solver lost the optimum while breaking ties")
        chosen = rows[result.x > 0.5]
        fixed = np.isin(columns.unit[rows], units)
        rows = rows[~fixed | np.isin(rows, chosen)]
    return rows


def _has_tie(columns: Columns, picked: NDArray[np.int64], best: float) -> bool:
    """Whether another choice is worth as much."""
    one_each, caps = _rows_of(columns)
    same = np.zeros(len(columns.unit))
    same[picked] = 1
    another = LinearConstraint(csr_array(same[None, :]), -np.inf, len(picked) - 1)
    return _milp(np.zeros(len(same)), [one_each, *caps, another, _worth(columns, best)]).x is not None


def _worth(columns: Columns, best: float) -> LinearConstraint:
    scale = _TIE_SCALE / TIE
    return LinearConstraint(csr_array(scale * columns.value[None, :]), scale * (best - TIE), np.inf)


def _ranks(columns: Columns) -> NDArray[np.float64]:
    """Return how many ranks each unit has."""
    most = np.zeros(int(columns.unit[-1]) + 1)
    np.maximum.at(most, columns.unit, columns.rank + 1.0)
    return most


def _blocks(columns: Columns) -> list[NDArray[np.int64]]:
    """Return runs of units whose ranks, read as digits, make a number that the solver tells apart."""
    ranks = _ranks(columns)
    blocks: list[list[int]] = [[]]
    size = 1.0
    for unit, n in enumerate(ranks):
        if blocks[-1] and size * n > _MAX_RANK_WEIGHT:
            blocks.append([])
            size = 1.0
        blocks[-1].append(unit)
        size *= n
    return [np.array(block, np.int64) for block in blocks]
