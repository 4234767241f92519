"""Why a unit gets what it gets: the chosen, the runner-up, what would turn the choice, and what the budget denied.

Every "what if" is computed by scoring anew, never by a rule of thumb:

* *A building changed*: the least whole number of m2 (or seats) more, or the least better state, with which a choice
  that holds the building wins against the chosen one (:mod:`geo.study.counterfactual`).
* *A weight changed*: the range of each weight, the others as they are, in which the chosen stays the best of the
  options with as many sites, and what takes over beyond it (:func:`geo.choice.robust.weight_ranges`, exact).
* *The budget*: the rank of the unit's weighted gain of a second site among those of all units, beside the last one
  that got its second site.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.choose import Choice
from geo.choice.need import UnitNeed, unit_needs
from geo.choice.robust import WeightRange, weight_ranges
from geo.choice.score import Options
from geo.errors import Fault, InputError
from geo.params import CRITERIA
from geo.plan import Plan, Prepared, choose, limits_of, prepare
from geo.settings import Settings
from geo.study.counterfactual import BuildingChange, Rebuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionFigures:
    """One way to house the unit.

    Attributes
    ----------
    site_ids : tuple of str
        The first receives the citizens.
    score : float
    criteria : dict of str to float
    penalty, mean_time_min, share_within_30min, usable_area_m2, norm_met_pct, minutes_between : float
        NaN where not known.
    """

    site_ids: tuple[str, ...]
    score: float
    criteria: dict[str, float]
    penalty: float
    mean_time_min: float
    share_within_30min: float
    usable_area_m2: float
    norm_met_pct: float
    minutes_between: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStanding:
    """Where a unit stands in the queue for second sites.

    Attributes
    ----------
    rank, n_wanting : int
        Its place by weighted gain, from 1, among the units that a second site would help.
    n_granted : int
        How many of them got one.
    weighted_gain, marginal_gain : float
        Its own, and the least that was granted (NaN where none was).
    """

    rank: int
    n_wanting: int
    n_granted: int
    weighted_gain: float
    marginal_gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that a decision rests on.

    Attributes
    ----------
    unit_id, reason : str
    chosen, runner_up, one_site, two_sites : OptionFigures or None
        `runner_up` is the best other option with as many sites; `one_site` and `two_sites` are the best of each.
    building_changes : tuple of BuildingChange
        Of the buildings of the runner-up that are not chosen.
    weight_ranges : tuple of WeightRange
    takers : dict of int to tuple of str
        The buildings of each option that a weight range names.
    standing : BudgetStanding or None
        None where a second site would not help.
    win_share : float
        Share of random weightings with the same buildings; NaN where it was not computed.
    firmness : str
    """

    unit_id: str
    reason: str
    chosen: OptionFigures | None
    runner_up: OptionFigures | None
    one_site: OptionFigures | None
    two_sites: OptionFigures | None
    building_changes: tuple[BuildingChange, ...]
    weight_ranges: tuple[WeightRange, ...]
    takers: dict[int, tuple[str, ...]]
    standing: BudgetStanding | None
    win_share: float
    firmness: str


def explain_unit(plan: Plan, unit_id: str, *, settings: Settings | None = None) -> Explanation:
    """Return why `unit_id` gets what it gets in `plan`.

    Parameters
    ----------
    plan : Plan
    unit_id : str
    settings : Settings, optional
        Those that the plan was made with.

    Raises
    ------
    InputError
        There is no such unit (key ``unit_unknown``).
    """
    if unit_id not in plan.units.index:
        raise InputError(Fault(key="unit_unknown", value=unit_id))
    return next(explain_units(plan, [unit_id], settings=settings))


def explain_units(
    plan: Plan, unit_ids: Iterable[str] | None = None, *, settings: Settings | None = None
) -> Iterator[Explanation]:
    """Yield why each of `unit_ids` (every unit if left out) gets what it gets; all of them share one choice.

    Parameters
    ----------
    plan : Plan
    unit_ids : iterable of str, optional
        Ids of ``plan.units``.
    settings : Settings, optional
        Those that the plan was made with.
    """
    prepared = prepare(plan.city, plan.params, settings=settings)
    scores = prepared.options.scores(plan.params.weights)
    choice = choose(plan.city, prepared, scores, plan.params)
    usable = limits_of(plan.city, prepared, plan.params).allowed & ~np.isnan(scores)
    need = unit_needs(prepared.needs)
    for unit_id in plan.units.index if unit_ids is None else unit_ids:
        yield _Case(plan, prepared, scores, choice, usable, need[unit_id], unit_id).explain()


class _Case:
    """One unit of one plan."""

    def __init__(
        self,
        plan: Plan,
        prepared: Prepared,
        scores: NDArray[np.float64],
        choice: Choice,
        usable: NDArray[np.bool_],
        need: UnitNeed,
        unit_id: str,
    ) -> None:
        self.plan, self.prepared, self.scores, self.choice = plan, prepared, scores, choice
        self.need, self.unit_id = need, unit_id
        self.options: Options = prepared.options
        self.number = int(self.options.unit_ids.get_indexer(pd.Index([unit_id]))[0])
        self.chosen = int(choice.chosen[self.number])
        start, stop = np.searchsorted(self.options.unit, [self.number, self.number + 1])
        of_unit = start + np.flatnonzero(usable[start:stop])
        two = self.chosen >= 0 and bool(self.options.is_pair[self.chosen])
        rivals = of_unit[self.options.is_pair[of_unit] == two]
        self.rivals = rivals[rivals != self.chosen]

    def explain(self) -> Explanation:
        row: dict[Any, Any] = self.plan.units.loc[self.unit_id].to_dict()
        runner_up = self._runner_up()
        ranges = self._ranges()
        ends = sorted({end for found in ranges for end in (found.below, found.above) if end >= 0})
        return Explanation(
            unit_id=self.unit_id,
            reason=str(row["reason"]),
            chosen=self._figures(self.chosen),
            runner_up=self._figures(runner_up),
            one_site=self._figures(int(self.choice.best_single[self.number])),
            two_sites=self._figures(int(self.choice.best_pair[self.number])),
            building_changes=self._building_changes(runner_up),
            weight_ranges=ranges,
            takers={end: self._site_ids(end) for end in ends},
            standing=self._standing(),
            win_share=float(row["win_share"]),
            firmness=str(row["firmness"]),
        )

    def _runner_up(self) -> int:
        if self.chosen < 0 or not len(self.rivals):
            return -1
        others = self.rivals[self.options.buildings[self.rivals] != self.options.buildings[self.chosen]]
        return int(others[self.scores[others].argmax()]) if len(others) else -1

    def _ranges(self) -> tuple[WeightRange, ...]:
        if self.chosen < 0:
            return ()
        beaten = self.rivals[self.scores[self.rivals] <= self.scores[self.chosen]]
        if not len(beaten):
            return ()
        return tuple(weight_ranges(self.options, self.chosen, beaten, self.plan.params.weights))

    def _site_ids(self, option: int) -> tuple[str, ...]:
        places = (self.options.first[option], self.options.second[option])
        return tuple(str(self.options.site_ids[place]) for place in places if place >= 0)

    def _figures(self, option: int) -> OptionFigures | None:
        if option < 0:
            return None
        access, need = self.prepared.figures[option], self.need.m2
        area = float(self.options.usable_area_m2[option])
        return OptionFigures(
            site_ids=self._site_ids(option),
            score=float(self.scores[option]),
            criteria=dict(zip(CRITERIA, self.options.criteria[option].tolist(), strict=True)),
            penalty=float(self.options.penalty[option]),
            mean_time_min=access.mean_min,
            share_within_30min=access.share_within_30min,
            usable_area_m2=area,
            norm_met_pct=100 * area / need if need > 0 else float("nan"),
            minutes_between=float(self.options.minutes_between[option]),
        )

    def _standing(self) -> BudgetStanding | None:
        net = self.choice.gain - self.plan.params.choice.min_gain
        value = np.round(self.choice.weight * net, 15)
        wanting = np.flatnonzero(net > 0)
        if self.number not in wanting:
            return None
        queue = wanting[np.lexsort((wanting, -value[wanting]))]
        chosen = self.choice.chosen[queue]
        granted = queue[self.options.is_pair[chosen]]
        return BudgetStanding(
            rank=int(np.flatnonzero(queue == self.number)[0]) + 1,
            n_wanting=len(queue),
            n_granted=len(granted),
            weighted_gain=float(value[self.number]),
            marginal_gain=float(value[granted].min()) if len(granted) else float("nan"),
        )

    def _building_changes(self, runner_up: int) -> tuple[BuildingChange, ...]:
        if runner_up < 0 or self.scores[runner_up] > self.scores[self.chosen]:
            return ()
        to_beat = float(self.scores[self.chosen])
        new = [site for site in self._site_ids(runner_up) if site not in self._site_ids(self.chosen)]
        return tuple(
            change
            for site_id in new
            for change in Rebuilt(self.plan, self.prepared, self.need, site_id).changes(self.rivals, to_beat)
        )
