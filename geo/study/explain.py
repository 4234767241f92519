"""Why a unit gets what it gets: the chosen, the runner-up, what would turn the choice, and what the budget denied.

Every "what if" is computed by scoring anew, never by a rule of thumb:

* *A building changed*: the least whole number of m2 (or seats) more, or the least better state, with which a choice
  that holds the building wins against the chosen one. What it would displace keeps its figures; travel times do not
  change; who receives the citizens in a pair stays.
* *A weight changed*: the range of each weight, the others as they are, in which the chosen stays the best of the
  options with as many sites, and what takes over beyond it (:func:`geo.choice.robust.weight_ranges`, exact).
* *The budget*: the rank of the unit's weighted gain of a second site among those of all units, beside the last one
  that got its second site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.choose import Choice
from geo.choice.need import unit_need
from geo.choice.robust import WeightRange, weight_ranges
from geo.choice.score import (
    CONDITION_COLUMNS,
    PARTS,
    Options,
    conditions_parts,
    mean_of_known,
    pair_criteria,
    size_score,
    weighted_score,
)
from geo.errors import Fault, InputError
from geo.outcome import Prepared
from geo.params import CRITERIA
from geo.plan import Plan, choose, limits_of, prepare
from geo.schemas import CONDITIONS
from geo.settings import Settings

_WON = 5e-10  # scores are rounded to nine decimals
_STEPS = 16


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
class BuildingChange:
    """The least change of one building with which it would be chosen.

    Attributes
    ----------
    site_id : str
    figure : {"usable_area_m2", "hall_seats", "parking_area_m2", "condition"}
    now, needed : float or str or None
        `now` is None where it is not known.
    """

    site_id: str
    figure: str
    now: float | str | None
    needed: float | str


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
    prepared = prepare(plan.city, plan.params, settings=settings)
    scores = prepared.options.scores(plan.params.weights)
    choice = choose(plan.city, prepared, scores, plan.params)
    case = _Case(plan, prepared, scores, choice, prepared.options.unit_ids.tolist().index(unit_id))
    return case.explain()


class _Case:
    """One unit of one plan."""

    def __init__(
        self, plan: Plan, prepared: Prepared, scores: NDArray[np.float64], choice: Choice, number: int
    ) -> None:
        self.plan, self.prepared, self.scores, self.choice, self.number = plan, prepared, scores, choice, number
        self.options: Options = prepared.options
        self.unit_id = str(self.options.unit_ids[number])
        self.need = unit_need(prepared.needs, self.unit_id)
        self.chosen = int(choice.chosen[number])
        allowed = limits_of(plan.city, prepared, plan.params).allowed & ~np.isnan(scores)
        of_unit = (self.options.unit == number) & allowed
        same_kind = self.options.is_pair == (self.chosen >= 0 and self.options.is_pair[self.chosen])
        rivals = np.flatnonzero(of_unit & same_kind)
        self.rivals = rivals[rivals != self.chosen]

    def explain(self) -> Explanation:
        row = self.plan.units.loc[self.unit_id]
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
            win_share=float(self.plan.units["win_share"].to_numpy()[self.number]),
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
        shop = _Rebuilt(self)
        new = [site for site in self._site_ids(runner_up) if site not in self._site_ids(self.chosen)]
        return tuple(change for site_id in new for change in shop.changes(site_id))


class _Rebuilt:
    """The unit's scores with one building changed."""

    def __init__(self, case: _Case) -> None:
        self._case = case
        options = case.options
        self._rows = np.flatnonzero(options.unit == case.number)
        self._start, self._n = int(self._rows[0]), int((~options.is_pair[self._rows]).sum())
        self._places = options.first[self._rows[: self._n]]
        self._sites = case.plan.city.sites.iloc[self._places]
        self._known = {name: self._sites[name].to_numpy() for name in CONDITION_COLUMNS}
        filled = case.prepared.filled.iloc[self._places]
        self._area = filled["usable_area_m2"].to_numpy(float)
        self._parts = filled[list(PARTS)].to_numpy(float)
        self._local = {int(place): number for number, place in enumerate(self._places)}

    def changes(self, site_id: str) -> list[BuildingChange]:
        """Return the least change of each figure that makes the building win; none where no change does."""
        site = self._sites.loc[site_id]
        score = self._case.plan.params.score
        limits = {
            "usable_area_m2": (float(self._area[self._number(site_id)]), self._case.need.m2),
            "hall_seats": (_known(site["hall_seats"]), score.hall_seats),
            "parking_area_m2": (
                _known(site["parking_area_m2"]),
                self._case.need.staff * score.parking_m2_per_motorbike,
            ),
        }
        found: list[BuildingChange] = []
        for figure, (now, most) in limits.items():
            start = 0.0 if now is None else now
            more = _least(partial(self._wins_with_more, site_id, figure, start), most - start)
            if more is not None:
                found.append(BuildingChange(site_id=site_id, figure=figure, now=now, needed=start + more))
        state = site["condition"]
        better = CONDITIONS[: CONDITIONS.index(state)] if state in CONDITIONS else CONDITIONS
        for grade in reversed(better):
            if self._wins(site_id, {"condition": grade}):
                now_state = state if state in CONDITIONS else None
                found.append(BuildingChange(site_id=site_id, figure="condition", now=now_state, needed=grade))
                break
        return found

    def _number(self, site_id: str) -> int:
        """Return the place of a building within the unit."""
        return list(self._sites.index).index(site_id)

    def _wins_with_more(self, site_id: str, figure: str, start: float, more: float) -> bool:
        return self._wins(site_id, {figure: start + more})

    def _wins(self, site_id: str, figures: dict[str, Any]) -> bool:
        """Whether an option with the building, so changed, beats the chosen one."""
        case, options = self._case, self._case.options
        scores = self.scores(site_id, figures)
        place = self._places[self._number(site_id)]
        rivals = case.rivals
        with_it = rivals[(options.first[rivals] == place) | (options.second[rivals] == place)]
        return bool((scores[with_it - self._start] > case.scores[case.chosen] + _WON).any())

    def scores(self, site_id: str, figures: dict[str, Any]) -> NDArray[np.float64]:
        """Return the scores of the unit's options with the building's `figures` replaced."""
        case, options = self._case, self._case.options
        number = self._number(site_id)
        site = {name: self._known[name][[number]] for name in CONDITION_COLUMNS}
        area = self._area.copy()
        for name, value in figures.items():
            if name == "usable_area_m2":
                area[number] = value
            else:
                site[name] = np.array([value])
        single = options.criteria[self._rows[: self._n]].copy()
        params = case.plan.params
        parts = self._parts.copy()
        changed = conditions_parts(site, np.array([case.need.staff]), params.score)[0]
        parts[number] = np.where(np.isnan(changed), parts[number], changed)
        single[:, CRITERIA.index("conditions")] = mean_of_known(parts)
        single[number, CRITERIA.index("size")] = size_score(area[[number]], np.array([case.need.m2]))[0]
        pairs = self._rows[self._n :]
        first, second = (
            np.array([self._local[int(place)] for place in column[pairs]], np.intp)
            for column in (options.first, options.second)
        )
        both = params.choice.reception == "both_sites"
        pair = pair_criteria(single, area, parts, first, second, case.need, both=both)
        criteria = np.concatenate([single, pair])
        for kept in ("location", "access"):
            criteria[:, CRITERIA.index(kept)] = options.criteria[self._rows, CRITERIA.index(kept)]
        return self._with_weights(criteria)

    def _with_weights(self, criteria: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = self._case.plan.params.weights
        return np.round(weighted_score(criteria, weights) - self._case.options.penalty[self._rows], 9)


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _least(wins: Callable[[float], bool], most: float) -> float | None:
    """Return the least whole number above 0 and up to `most` that wins; None if none does.

    More is not always better (a larger house wants more parking), so the range is searched in steps from below, and
    the first step that wins is halved down to one.
    """
    top = int(np.ceil(most))
    if top < 1:
        return None
    ends = np.unique(np.linspace(1, top, min(_STEPS, top)).round().astype(int))
    low = 0
    for end in ends.tolist():
        if wins(end):
            high = end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if wins(middle) else (middle, high)
            return float(high)
        low = end
    return None
