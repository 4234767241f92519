"""Score buildings, alone and in pairs, between 0 and 1 on four criteria; every part is kept.

=============  ==============================================================================================
criterion      formula
=============  ==============================================================================================
location       ``(1 - f) * centrality + f * frontage``, ``f = score.frontage_share``; centrality is the mean distance
               of the unit's people to the best of their own places, over that to the building (as the crow flies);
               frontage is the class of the best street within 50 m
size           ``min(1, usable area / area needed by the norm)``; of a pair the share of the area needed that each
               building offers to its own role
access         ``1 - T / z``, ``z = score.access_zero_min``; ``T`` is the mean of ``min(minutes, z)`` over people, or
               what ``score.access_of`` names (:mod:`geo.choice.equity`); who cannot get there counts ``z``
conditions     mean of what is known of: state, age, hall, parking (a motorbike for each of the unit's staff)
=============  ==============================================================================================

What is not known of a building stays NaN in its parts and is scored low, by a figure that no other building moves
(:func:`fill_unknown`). Where a whole unit has no network, access carries no weight there: the score is
the mean of the other criteria.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.equity import kolm_pollak_beta, kolm_pollak_minutes, mean_minutes, worst_minutes
from geo.choice.need import UnitNeed, unit_needs
from geo.params import CRITERIA, ChoiceParams, Norms, ScoreParams, Weights
from geo.travel.access import TravelTimes, UnitTimes

_DECIMALS = 9
#: Parts of the conditions of a building.
PARTS = ("state_0_1", "age_0_1", "hall_0_1", "parking_0_1")
#: Columns of the sites that they are made from.
CONDITION_COLUMNS = ("condition", "year_built", "hall_seats", "parking_area_m2")


def site_criteria(
    sites: gpd.GeoDataFrame,
    units: pd.DataFrame,
    times: TravelTimes,
    need_m2: pd.Series,
    staff: pd.Series,
    *,
    score: ScoreParams,
    norms: Norms,
) -> pd.DataFrame:
    """Return the criteria of every building taken alone.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Sites`.
    units : pandas.DataFrame
        Table :class:`~geo.schemas.Units`.
    times : TravelTimes
    need_m2 : pandas.Series
        By unit_id, see :func:`geo.choice.need.needs_of`.
    staff : pandas.Series
        By unit_id, see :func:`geo.choice.need.needs_of`.
    score, norms : ScoreParams, Norms

    Returns
    -------
    pandas.DataFrame
        Index site_id. Columns ``usable_area_m2``, ``centrality_0_1``, ``frontage_0_1``, ``location_0_1``,
        ``size_0_1``, ``access_0_1``, ``conditions_0_1``, and the parts of the last: those of
        :func:`conditions_parts`. NaN where not known.
    """
    usable = sites["usable_area_m2"].fillna(sites["floor_area_m2"] * norms.usable_share)
    need = need_m2[sites["unit_id"]].to_numpy()
    centrality = times.centrality_0_1
    frontage_0_1 = times.frontage_0_1
    share = np.where(frontage_0_1.isna(), 0.0, score.frontage_share)
    known = {name: sites[name].to_numpy() for name in CONDITION_COLUMNS}
    parts = conditions_parts(known, staff[sites["unit_id"]].to_numpy(), score)
    return pd.DataFrame(
        {
            "usable_area_m2": usable,
            "centrality_0_1": centrality,
            "frontage_0_1": frontage_0_1,
            "location_0_1": (1 - share) * centrality + share * frontage_0_1.fillna(0.0),
            "size_0_1": size_score(usable, need),
            "access_0_1": _access(sites, times, score),
            "conditions_0_1": mean_of_known(parts),
            **dict(zip(PARTS, parts.T, strict=True)),
        },
        index=sites.index,
    )


def fill_unknown(criteria: pd.DataFrame, need_m2: pd.Series, score: ScoreParams) -> pd.DataFrame:
    """Return the criteria with unknown areas and parts of the conditions replaced by a low figure.

    An unknown area counts as the share ``score.unknown_0_1`` of what the building's unit needs, an unknown part of the
    conditions as that score, be it known of other buildings or of none: so what is known of one building never moves
    the score of another, and a building never loses by being better.

    Parameters
    ----------
    criteria : pandas.DataFrame
        From :func:`site_criteria`.
    need_m2 : pandas.Series
        Area needed in the unit of each building, by site_id.
    score : ScoreParams
    """
    filled = criteria.copy()
    filled["usable_area_m2"] = criteria["usable_area_m2"].fillna(need_m2 * score.unknown_0_1)
    filled[list(PARTS)] = criteria[list(PARTS)].fillna(score.unknown_0_1)
    filled["size_0_1"] = size_score(filled["usable_area_m2"], need_m2.to_numpy())
    filled["conditions_0_1"] = filled[list(PARTS)].mean(axis=1)
    return filled


def size_score(usable_m2: pd.Series | NDArray[np.float64], need_m2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``min(1, usable area / area needed)``; 1 where nothing is needed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(need_m2 > 0, np.minimum(1.0, np.asarray(usable_m2) / need_m2), 1.0)


@dataclass(frozen=True, slots=True)
class _AccessScore:
    """From the minutes of a unit's people to one score: what ``score.access_of`` names."""

    score: ScoreParams
    beta: float

    @classmethod
    def of(cls, times: TravelTimes, score: ScoreParams) -> _AccessScore:
        """Return the score for a city; ``beta`` holds for all of it."""
        if score.access_of != "kolm_pollak":
            return cls(score, 0.0)
        served = [unit for unit in times.units.values() if unit.has_network]
        nearest = [(np.minimum(unit.minutes.min(axis=1), score.access_zero_min), unit.population) for unit in served]
        return cls(score, kolm_pollak_beta(nearest, aversion=score.inequality_aversion))

    def __call__(self, minutes: NDArray[np.float64], population: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score of each column of `minutes`, shape (n_groups, k)."""
        capped = np.minimum(minutes, self.score.access_zero_min)
        if self.score.access_of == "worst_5_percent":
            figure = worst_minutes(capped, population)
        elif self.score.access_of == "kolm_pollak":
            figure = kolm_pollak_minutes(capped, population, self.beta)
        else:
            figure = mean_minutes(capped, population)
        return 1 - figure / self.score.access_zero_min


def _access(sites: gpd.GeoDataFrame, times: TravelTimes, score: ScoreParams) -> NDArray[np.float64]:
    result = np.full(len(sites), np.nan)
    access_score = _AccessScore.of(times, score)
    for unit in times.units.values():
        if unit.has_network and unit.population.sum() > 0:
            own = sites.index.get_indexer(pd.Index(unit.site_ids))
            result[own] = access_score(unit.minutes, unit.population)
    return result


def conditions_parts(
    figures: Mapping[str, NDArray], staff: NDArray[np.float64], score: ScoreParams
) -> NDArray[np.float64]:
    """Return the parts of the conditions, in the order of :data:`PARTS`, between 0 and 1; NaN where not known.

    Parameters
    ----------
    figures : mapping of str to ndarray, shape (n_sites,)
        The columns :data:`CONDITION_COLUMNS` of the sites.
    staff : ndarray of float64, shape (n_sites,)
        Of each building's unit, who park a motorbike each. Measured so, and not by the size of the building, a building
        does not lose by being larger.
    score : ScoreParams

    Returns
    -------
    ndarray of float64, shape (n_sites, 4)
    """
    graded = {"good": score.good_0_1, "fair": score.fair_0_1, "poor": score.poor_0_1}
    state = np.array(
        [graded.get(grade, np.nan) if isinstance(grade, str) else np.nan for grade in figures["condition"]]
    )
    year, seats, parking = (np.asarray(figures[name], float) for name in CONDITION_COLUMNS[1:])
    age = np.clip(1 - np.maximum(score.base_year - year, 0) / score.service_life_years, 0, 1)
    parked = np.where(np.isnan(parking), np.nan, size_score(parking, staff * score.parking_m2_per_motorbike))
    return np.column_stack([state, age, np.clip(seats / score.hall_seats, 0, 1), parked])


@dataclass(frozen=True, kw_only=True)
class Options:
    """Every way to house a unit: each candidate alone and each pair, with what does not depend on the weights.

    Attributes
    ----------
    unit : ndarray of int64, shape (n_options,)
        Position in ``unit_ids``; options of a unit are contiguous, singles first, in the order of their site ids. A
        pair is listed with either role for each building, the one with the better access receiving first.
    first, second : ndarray of int64, shape (n_options,)
        Positions in ``site_ids``; `first` receives the citizens; `second` is -1 for a single site.
    criteria : ndarray of float64, shape (n_options, 4)
        In the order of :data:`geo.params.CRITERIA`; NaN where not known.
    penalty : ndarray of float64, shape (n_options,)
        Score lost by working in two houses.
    usable_area_m2 : ndarray of float64, shape (n_options,)
        Known area of both together; NaN where none is known.
    minutes_between : ndarray of float64, shape (n_options,)
        Mean of both directions; NaN for a single site and where there is no way.
    """

    unit_ids: pd.Index
    site_ids: pd.Index
    unit: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    criteria: NDArray[np.float64]
    usable_area_m2: NDArray[np.float64]
    penalty: NDArray[np.float64]
    minutes_between: NDArray[np.float64]

    def scores(self, weights: Weights) -> NDArray[np.float64]:
        """Return the score of every option: the weighted mean of the known criteria, less the penalty."""
        return np.round(weighted_score(self.criteria, weights) - self.penalty, _DECIMALS)

    @cached_property
    def is_pair(self) -> NDArray[np.bool_]:
        """Whether the option has two sites."""
        return self.second >= 0

    @cached_property
    def buildings(self) -> NDArray[np.int64]:
        """The same number for options of the same buildings, whatever their roles; shape (n_options,)."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        return (low + 1) * (len(self.site_ids) + 1) + high


def weighted_score(criteria: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return the weighted mean of the known criteria of each row, NaN where none is known.

    Rounded to nine decimals, so that a tie is one on every machine.
    """
    weight = np.array([weights.normalised()[name] for name in CRITERIA])
    known = ~np.isnan(criteria)
    total = known @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.round(np.where(known, criteria, 0.0) @ weight / total, _DECIMALS)


def build_options(
    criteria: pd.DataFrame,
    usable_area_m2: pd.Series,
    unit_ids: pd.Index,
    times: TravelTimes,
    needs: pd.DataFrame,
    *,
    score: ScoreParams,
    choice: ChoiceParams,
    cutoff_min: float,
) -> Options:
    """List every single site and every pair of every unit, with either of its buildings receiving the citizens.

    ``choice.reception`` says whether the other one receives them too: then each citizen goes to the nearer. The figures
    of a pair are those of :func:`pair_criteria`. A pair never loses by one of its buildings being better, which a mean
    weighted by area, or a rule that fixes who receives, does not give.

    Parameters
    ----------
    criteria : pandas.DataFrame
        From :func:`fill_unknown`.
    usable_area_m2 : pandas.Series
        As known, NaN where not, by site_id; to report, not to score.
    unit_ids : pandas.Index
    times : TravelTimes
    needs : pandas.DataFrame
        From :func:`geo.choice.need.needs_of`.
    score, choice : ScoreParams, ChoiceParams
    cutoff_min : float
        Minutes that count between two buildings with no way from one to the other.
    """
    access_score, need, houses = _AccessScore.of(times, score), unit_needs(needs), _Houses.of(criteria)
    blocks: list[dict[str, NDArray]] = []
    for number, unit_id in enumerate(unit_ids):
        if unit_id in times.units:
            unit = _by_id(times.units[unit_id])
            own = houses.at(criteria.index.get_indexer(pd.Index(unit.site_ids)))
            block = _unit_options(
                own, unit, need[unit_id], access_score=access_score, choice=choice, cutoff_min=cutoff_min
            )
            blocks.append({"unit": np.full(len(block["first"]), number), **block})
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else _NO_OPTIONS
    known = _known_area(usable_area_m2.to_numpy(), joined["first"], joined["second"])
    return Options(unit_ids=unit_ids, site_ids=criteria.index, usable_area_m2=known, **joined)


def _known_area(usable_m2: NDArray[np.float64], first: NDArray, second: NDArray) -> NDArray[np.float64]:
    """Return the known area of every option; NaN where none of its buildings' is."""
    area = np.stack([usable_m2[first], np.where(second >= 0, usable_m2[second], np.nan)])
    return np.where(np.isnan(area).all(axis=0), np.nan, np.nansum(area, axis=0))


_NO_OPTIONS: dict[str, NDArray] = {
    "unit": np.empty(0, np.int64), "first": np.empty(0, np.int64), "second": np.empty(0, np.int64),
    "criteria": np.empty((0, len(CRITERIA))), "penalty": np.empty(0),
    "minutes_between": np.empty(0),
}  # fmt: skip


class _Houses(NamedTuple):
    """Buildings: their rows in the table of the criteria, and what stands there in figures."""

    row: NDArray[np.intp]
    criteria: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    parts: NDArray[np.float64]

    @classmethod
    def of(cls, table: pd.DataFrame) -> _Houses:
        """Return all buildings of a table."""
        criteria = table[[f"{name}_0_1" for name in CRITERIA]].to_numpy()
        return cls(np.arange(len(table)), criteria, table["usable_area_m2"].to_numpy(), table[list(PARTS)].to_numpy())

    def at(self, rows: NDArray[np.intp]) -> _Houses:
        """Return the buildings in some rows."""
        return _Houses(self.row[rows], self.criteria[rows], self.area_m2[rows], self.parts[rows])


def _by_id(unit: UnitTimes) -> UnitTimes:
    """Return the same times with the sites in the order of their ids."""
    order = np.argsort(np.array(unit.site_ids, dtype=object))
    return replace(
        unit,
        site_ids=tuple(unit.site_ids[place] for place in order),
        minutes=unit.minutes[:, order],
        reason=unit.reason[:, order],
        between_min=unit.between_min[np.ix_(order, order)],
    )


def _unit_options(
    houses: _Houses,
    unit: UnitTimes,
    need: UnitNeed,
    *,
    access_score: _AccessScore,
    choice: ChoiceParams,
    cutoff_min: float,
) -> dict[str, NDArray]:
    """Return the options of one unit, whose `houses` stand in the order of the unit's sites."""
    n, single, area = len(houses.row), houses.criteria, houses.area_m2
    first, second = _either_order(single[:, CRITERIA.index("access")], area)
    minutes = (unit.between_min[first, second] + unit.between_min[second, first]) / 2
    minutes = np.where(np.isfinite(minutes), minutes, np.nan)
    no_way_min = cutoff_min if unit.has_network else 0.0
    penalty = choice.split_penalty + choice.split_penalty_per_min * np.nan_to_num(minutes, nan=no_way_min)
    pairs = pair_criteria(single, area, houses.parts, first, second, need, both=choice.reception == "both_sites")
    if choice.reception == "both_sites":
        _receive_at_both(pairs, single, first, second, unit, access_score)
    return {
        "first": np.concatenate([houses.row, houses.row[first]]),
        "second": np.concatenate([np.full(n, -1), houses.row[second]]),
        "criteria": np.concatenate([single, pairs]),
        "penalty": np.concatenate([np.zeros(n), np.round(penalty, _DECIMALS)]),
        "minutes_between": np.concatenate([np.full(n, np.nan), minutes]),
    }


def _either_order(access: NDArray[np.float64], area: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return who receives and who does not in every pair, once for each role.

    Of the two orders the one in which the better access receives comes first, then the larger building, then the
    smaller id: ties between the orders fall so.
    """
    n = len(area)
    i, j = np.triu_indices(n, 1)
    place = np.empty(n, np.intp)
    place[np.lexsort((np.arange(n), -np.nan_to_num(area), -np.nan_to_num(access)))] = np.arange(n)
    better, other = np.where(place[i] < place[j], i, j), np.where(place[i] < place[j], j, i)
    return np.stack([better, other], axis=1).ravel(), np.stack([other, better], axis=1).ravel()


def pair_criteria(
    single: NDArray[np.float64],
    area: NDArray[np.float64],
    parts: NDArray[np.float64],
    first: NDArray,
    second: NDArray,
    need: UnitNeed,
    *,
    both: bool,
) -> NDArray[np.float64]:
    """Return the criteria of pairs whose `first` site receives the citizens, from those of the single sites.

    The first houses the People's Committee and the one-stop service, the second the Party committee and the council.
    Size is the share of the area needed that each offers to its own role: what is too much in one house does not fill
    what the other lacks. Location, access, hall and parking are those of the first, the parking for the staff that
    works there; state and age count by the staff in each house.

    Parameters
    ----------
    single : ndarray of float64, shape (n_sites, 4)
    area : ndarray of float64, shape (n_sites,)
    parts : ndarray of float64, shape (n_sites, 4)
        Of the conditions, in the order of :data:`PARTS`; parking for all the staff of the unit.
    first, second : ndarray of int, shape (n_pairs,)
    need : UnitNeed
    both : bool
        Whether the second site receives citizens too, so that its hall and its parking serve them.
    """
    pairs = single[first].copy()
    housed = np.minimum(area[first], need.committee_m2) + np.minimum(area[second], need.party_m2)
    pairs[:, CRITERIA.index("size")] = size_score(housed, np.full(len(housed), need.m2))
    (state, age, hall, parking), (state_2, age_2, hall_2, parking_2) = parts[first].T, parts[second].T
    share = need.committee_share
    # A figure capped at all the staff is exact for the part of it that works here.
    here = np.where(share > 0, np.minimum(1.0, parking / max(share, 1e-12)), 1.0)
    together = [
        share * state + (1 - share) * state_2,
        share * age + (1 - share) * age_2,
        np.fmax(hall, hall_2) if both else hall,
        np.minimum(1.0, parking + parking_2) if both else here,
    ]
    pairs[:, CRITERIA.index("conditions")] = mean_of_known(np.stack(together, 1))
    return pairs


def mean_of_known(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row, NaN where nothing is known."""
    with np.errstate(invalid="ignore"):
        return np.nansum(parts, axis=1) / (~np.isnan(parts)).sum(axis=1)


def _receive_at_both(
    pairs: NDArray[np.float64],
    single: NDArray[np.float64],
    first: NDArray,
    second: NDArray,
    unit: UnitTimes,
    access_score: _AccessScore,
) -> None:
    location = CRITERIA.index("location")
    pairs[:, location] = np.fmax(single[first, location], single[second, location])
    if unit.has_network and unit.population.sum() > 0:
        nearer = np.minimum(unit.minutes[:, first], unit.minutes[:, second])
        pairs[:, CRITERIA.index("access")] = access_score(nearer, unit.population)
