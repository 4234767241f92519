"""How firm the choice is: under thousands of other weightings, and how far one weight may move.

*Random weightings.* Each weight is drawn evenly between ``1 - spread`` and ``1 + spread`` times its value; the draws
are the Halton sequence, which covers the box evenly and is the same on every machine. The city is chosen anew for every
draw. ``win_share`` of a unit is the share of draws that choose the very same buildings for it; it is *firm* from
``firm_share`` on, else *contestable*.

*Weight ranges.* With ``x_oj`` the criteria, ``p_o`` the penalties and ``w_j`` the weights, option ``c`` beats ``o``
where ``sum_j w_j (x_cj - x_oj - p_c + p_o) >= 0``. That is linear in each single weight, so the range in which ``c``
stays the best is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo.choice.choose import choose_sites, sites_only
from geo.choice.constraints import Limits
from geo.choice.score import Options
from geo.params import CRITERIA, ChoiceParams, RobustnessParams, Weights

#: Draws scored at once; more only cost memory.
_AT_ONCE = 128
_PRIMES = (2, 3, 5, 7)
_DECIMALS, _VALUE_DECIMALS = 9, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """Shares of the draws.

    Attributes
    ----------
    n_draws : int
    win_share : ndarray of float64, shape (n_units,)
        The unit gets the very same buildings; NaN where it gets none.
    same_number_share : ndarray of float64, shape (n_units,)
        The unit gets as many sites; NaN where it gets none.
    site_share : ndarray of float64, shape (n_sites,)
        The building is chosen.
    firm : ndarray of bool, shape (n_units,)
    """

    n_draws: int
    win_share: NDArray[np.float64]
    same_number_share: NDArray[np.float64]
    site_share: NDArray[np.float64]
    firm: NDArray[np.bool_]


def draw_weights(weights: Weights, params: RobustnessParams) -> NDArray[np.float64]:
    """Return the weights of every draw, shape (n_weightings, 4), each row with a sum of 1."""
    own = np.array([weights.normalised()[name] for name in CRITERIA])
    even = halton(params.n_weightings + 1, len(CRITERIA))[1:]  # the first point is 0
    drawn = own * (1 - params.spread + 2 * params.spread * even)
    return drawn / drawn.sum(axis=1, keepdims=True)


def halton(n_points: int, n_dimensions: int) -> NDArray[np.float64]:
    """Return the first points of the Halton sequence, shape (n_points, n_dimensions), at most four dimensions.

    To the bit those of ``scipy.stats.qmc``, which takes a quarter of a second to import, with every plan.
    """
    points = np.zeros((n_points, n_dimensions))
    for column, base in enumerate(_PRIMES[:n_dimensions]):
        left, weight = np.arange(n_points), 1.0
        while left.any():
            weight /= base
            left, digit = np.divmod(left, base)
            points[:, column] += weight * digit
    return points


def try_weights(
    options: Options,
    chosen: NDArray[np.int64],
    weights: Weights,
    population: NDArray[np.float64],
    choice: ChoiceParams,
    robustness: RobustnessParams,
    *,
    limits: Limits | None = None,
) -> Robustness:
    """Choose the city anew under other weights and count.

    Parameters
    ----------
    options : Options
    chosen : ndarray of int64, shape (n_units,)
        The choice to test; -1 where a unit gets no site.
    weights : Weights
    population : ndarray of float64, shape (n_units,)
    choice, robustness : ChoiceParams, RobustnessParams
    limits : Limits, optional
        As for :func:`geo.choice.choose.choose_sites`.
    """
    limits = limits or sites_only(options, choice)
    drawn = draw_weights(weights, robustness)
    city = _ManyChoices(options, population, choice, limits, used=np.asarray(drawn.any(axis=0)))
    chunks = [drawn[start : start + _AT_ONCE] for start in range(0, len(drawn), _AT_ONCE)]
    rows = np.concatenate([city.choose(chunk) for chunk in chunks])
    housed = chosen >= 0
    buildings = np.append(options.buildings, -1)
    same = np.where(housed, (buildings[rows] == buildings[chosen]).mean(axis=0), np.nan)
    pair = np.append(options.is_pair, False)
    same_number = np.where(housed, (pair[rows] == pair[chosen]).mean(axis=0), np.nan)
    taken = rows[rows >= 0]
    count = np.bincount(options.first[taken], minlength=len(options.site_ids))
    second = options.second[taken]
    count = count + np.bincount(second[second >= 0], minlength=len(options.site_ids))
    return Robustness(
        n_draws=len(drawn),
        win_share=same,
        same_number_share=same_number,
        site_share=count / max(1, len(drawn)),
        firm=same >= robustness.firm_share,
    )


class _ManyChoices:
    """The greedy choice of many weightings at once; one by one where another cap binds."""

    def __init__(
        self,
        options: Options,
        population: NDArray[np.float64],
        choice: ChoiceParams,
        limits: Limits,
        *,
        used: NDArray[np.bool_],
    ) -> None:
        self._options, self._population, self._choice, self._limits = options, population, choice, limits
        self._used = used
        bounds = np.searchsorted(options.unit, np.arange(len(options.unit_ids) + 1))
        fronts: dict[bool, list[NDArray[np.int64]]] = {False: [np.empty(0, np.int64)], True: [np.empty(0, np.int64)]}
        for start, stop in pairwise(bounds):
            rows = start + np.flatnonzero(limits.allowed[start:stop])
            for kind, found in fronts.items():
                found.append(self._front(rows[options.is_pair[rows] == kind]))
        self._rows = {kind: np.concatenate(found) for kind, found in fronts.items()}

    def choose(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the option of every unit under every row of `weights`, shape (n_draws, n_units); -1 where none."""
        single, single_score = self._best(self._rows[False], weights)
        pair, pair_score = self._best(self._rows[True], weights)
        chosen = self._with_second_sites(single, pair, single_score, pair_score)
        for draw in np.flatnonzero(self._breaks_cap(chosen)):
            own = self._scores(np.arange(len(self._options.unit)), weights[[draw]])[:, 0]
            made = choose_sites(self._options, own, self._population, self._choice, limits=self._limits)
            chosen[draw] = made.chosen
        return chosen

    def _front(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the options that some weighting may prefer: none of the others is as good in everything used.

        Of two that are equal in everything the first stays, as in a tie.
        """
        merits = np.column_stack([self._options.criteria[rows][:, self._used], -self._options.penalty[rows]])
        merits[np.isnan(merits)] = -1.0  # missing for the whole unit or for none of it
        as_good = np.ones((len(rows), len(rows)), bool)
        for merit in merits.T:
            as_good &= merit[:, None] >= merit[None, :]
        first = np.arange(len(rows))[:, None] < np.arange(len(rows))[None, :]
        return rows[~(as_good & (~as_good.T | first)).any(axis=0)]

    def _scores(self, rows: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores, shape (n_rows, n_draws), as :meth:`geo.choice.score.Options.scores` does one by one."""
        criteria = self._options.criteria[rows]
        known = (~np.isnan(criteria)).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.round((np.nan_to_num(criteria) @ weights.T) / (known @ weights.T), _DECIMALS)
        return np.round(mean - self._options.penalty[rows, None], _DECIMALS)

    def _best(
        self, rows: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the best of `rows` for every unit under every weighting, the first of equal ones, and its score."""
        best = np.full((len(weights), len(self._options.unit_ids)), -1, np.int64)
        value = np.full(best.shape, np.nan)
        units, starts, sizes = np.unique(self._options.unit[rows], return_index=True, return_counts=True)
        if len(rows):
            scores = np.nan_to_num(self._scores(rows, weights), nan=-np.inf)
            highest = np.maximum.reduceat(scores, starts, axis=0)
            number = np.arange(len(rows), dtype=np.int32)[:, None]
            place = np.where(scores == np.repeat(highest, sizes, axis=0), number, np.int32(len(rows)))
            option = rows[np.minimum.reduceat(place, starts, axis=0)]
            scored = np.isfinite(highest)
            best[:, units] = np.where(scored, option, -1).T
            value[:, units] = np.where(scored, highest, np.nan).T
        return best, value

    def _with_second_sites(
        self,
        single: NDArray[np.int64],
        pair: NDArray[np.int64],
        single_score: NDArray[np.float64],
        pair_score: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        forced = (single < 0) & (pair >= 0)
        housed = (single >= 0) | (pair >= 0)
        people = self._population if self._choice.unit_weight == "population" else np.ones(len(self._population))
        weight = np.where(housed, people, 0.0)
        weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, housed)
        weight = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
        net = np.round(pair_score - single_score, _DECIMALS) - self._choice.min_gain
        value = np.where(net > 0, np.round(weight * net, _VALUE_DECIMALS), -1.0)
        left = self._choice.max_sites - housed.sum(axis=1) - forced.sum(axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(order.shape[1])[None, :], axis=1)
        second = forced | ((value >= 0) & (place < left[:, None]))
        return np.where(second, pair, single)

    def _breaks_cap(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        broken = np.zeros(len(chosen), bool)
        for cap in self._limits.caps[1:]:
            broken |= np.append(cap.use, 0.0)[chosen].sum(axis=1) > cap.limit * (1 + 1e-9)
        return broken


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRange:
    """How far one weight may move, the others held, while an option stays the best.

    Attributes
    ----------
    criterion : str
    now, low, high : float
        `low` and `high` lie within 0 and 1.
    below, above : int
        The option that takes over below `low` and above `high`; -1 where the range ends at 0 or 1.
    """

    criterion: str
    now: float
    low: float
    high: float
    below: int
    above: int


def weight_ranges(options: Options, chosen: int, rivals: NDArray[np.int64], weights: Weights) -> list[WeightRange]:
    """Return, for each criterion, the range of its weight in which `chosen` beats all `rivals`.

    Parameters
    ----------
    options : Options
    chosen : int
    rivals : ndarray of int64
        Options that `chosen` beats, or ties with, at the weights as they are.
    weights : Weights
        As set, not scaled: a range holds for the figure that is set, with the other three as they are.
    """
    own = np.array([getattr(weights, name) for name in CRITERIA])
    edge = options.criteria[chosen] - options.criteria[rivals]
    edge = np.where(np.isnan(edge), 0.0, edge - (options.penalty[chosen] - options.penalty[rivals])[:, None])
    ranges = []
    for number, name in enumerate(CRITERIA):
        rest = edge @ np.where(np.arange(len(own)) == number, 0.0, own)
        slope = edge[:, number]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = -rest / slope
        floor = np.where(slope > 1e-12, crossing, -np.inf)
        ceiling = np.where(slope < -1e-12, crossing, np.inf)
        low, high = float(floor.max(initial=-np.inf)), float(ceiling.min(initial=np.inf))
        ranges.append(
            WeightRange(
                criterion=name,
                now=float(own[number]),
                low=min(max(0.0, low), float(own[number])),
                high=max(min(1.0, high), float(own[number])),
                below=int(rivals[floor.argmax()]) if low > 0 else -1,
                above=int(rivals[ceiling.argmin()]) if high < 1 else -1,
            )
        )
    return ranges
