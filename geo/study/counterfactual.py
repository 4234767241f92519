"""The least change of a building with which it would be chosen, found by scoring its options anew.

A better building never loses by being better, so the least change is found by halving. Every other building keeps its
scores, and travel times do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.need import UnitNeed
from geo.choice.score import (
    CONDITION_COLUMNS,
    PARTS,
    conditions_parts,
    mean_of_known,
    pair_criteria,
    size_score,
    weighted_score,
)
from geo.params import CRITERIA
from geo.plan import Plan, Prepared
from geo.schemas import CONDITIONS

_WON = 5e-10  # scores are rounded to nine decimals
_SIZE, _CONDITIONS = CRITERIA.index("size"), CRITERIA.index("conditions")


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


class Rebuilt:
    """The options of a unit that hold one building, scored with that building changed.

    Attributes
    ----------
    rows : ndarray of int64
        Positions in the options; the building alone comes first.
    """

    def __init__(self, plan: Plan, prepared: Prepared, need: UnitNeed, site_id: str) -> None:
        self._params, self._need, self._site_id, options = plan.params, need, site_id, prepared.options
        place = int(options.site_ids.get_indexer(pd.Index([site_id]))[0])
        self.rows = np.flatnonzero((options.first == place) | (options.second == place))
        self._criteria, self._penalty = options.criteria[self.rows], options.penalty[self.rows]
        pairs = np.stack([options.first[self.rows[1:]], options.second[self.rows[1:]]])
        places = np.union1d(pairs, [place]).astype(np.int64)
        self._first, self._second = np.searchsorted(places, pairs)
        self._number = int(np.searchsorted(places, np.int64(place)))
        self._known_m2 = prepared.criteria.loc[site_id, "usable_area_m2"]
        self._area = prepared.filled["usable_area_m2"].to_numpy(float)[places]
        self._parts = np.stack([prepared.filled[name].to_numpy(float)[places] for name in PARTS], axis=1)
        self._site = {name: plan.city.sites[name].to_numpy()[place] for name in CONDITION_COLUMNS}

    def changes(self, rivals: NDArray[np.int64], to_beat: float) -> Iterator[BuildingChange]:
        """Yield the least change of each figure with which one of `rivals` that holds the building beats a score."""
        competing = np.isin(self.rows, rivals)
        score = self._params.score
        limits = {
            "usable_area_m2": (_known(self._known_m2), self._need.m2),
            "hall_seats": (_known(self._site["hall_seats"]), score.hall_seats),
            "parking_area_m2": (
                _known(self._site["parking_area_m2"]),
                self._need.staff * score.parking_m2_per_motorbike,
            ),
        }
        for figure, (now, most) in limits.items():
            start = now or 0.0
            more = least_that_wins(partial(self._wins_with, competing, to_beat, figure, start), most - start)
            if more is not None:
                yield BuildingChange(site_id=self._site_id, figure=figure, now=now, needed=start + more)
        state = self._site["condition"]
        now_state = state if state in CONDITIONS else None
        better = CONDITIONS[: CONDITIONS.index(state)] if now_state else CONDITIONS
        grade = next((one for one in reversed(better) if self._wins(competing, to_beat, {"condition": one})), None)
        if grade is not None:
            yield BuildingChange(site_id=self._site_id, figure="condition", now=now_state, needed=grade)

    def _wins_with(self, competing: NDArray[np.bool_], to_beat: float, figure: str, start: float, more: float) -> bool:
        return self._wins(competing, to_beat, {figure: start + more})

    def _wins(self, competing: NDArray[np.bool_], to_beat: float, figures: dict[str, Any]) -> bool:
        return bool((self.scores(figures)[competing] > to_beat + _WON).any())

    def scores(self, figures: dict[str, Any]) -> NDArray[np.float64]:
        """Return the scores of :attr:`rows` with the building's `figures` replaced."""
        params, number = self._params, self._number
        area, parts, criteria = self._area.copy(), self._parts.copy(), self._criteria.copy()
        area[number] = figures.get("usable_area_m2", area[number])
        site = {name: np.array([figures.get(name, self._site[name])]) for name in CONDITION_COLUMNS}
        changed = conditions_parts(site, np.array([self._need.staff]), params.score)[0]
        parts[number] = np.where(np.isnan(changed), parts[number], changed)
        criteria[0, _SIZE] = size_score(area[[number]], np.array([self._need.m2]))[0]
        criteria[0, _CONDITIONS] = mean_of_known(parts[[number]])[0]
        both = params.choice.reception == "both_sites"
        columns = np.zeros((len(area), len(CRITERIA)))  # location and access of a pair stay
        pairs = pair_criteria(columns, area, parts, self._first, self._second, self._need, both=both)
        criteria[1:, [_SIZE, _CONDITIONS]] = pairs[:, [_SIZE, _CONDITIONS]]
        return np.round(weighted_score(criteria, params.weights) - self._penalty, 9)


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def least_that_wins(wins: Callable[[float], bool], most: float) -> float | None:
    """Return the least whole number above 0 and up to `most` that wins; None if none does. More is never worse."""
    low, high = 0, int(np.ceil(most))
    if high < 1 or not wins(float(high)):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wins(float(middle)) else (middle, high)
    return float(high)
