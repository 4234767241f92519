"""What a choice must respect, as rules on single options and caps on the whole city.

A *rule* rules out options of a unit: a pin, a prohibition, a minimum. A *cap* bounds a sum over the options chosen in
all units: sites, former district offices, money. Rules leave the units independent of each other; caps couple them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.score import Options
from geo.errors import Fault, ParamsError
from geo.params import ChoiceParams, ConstraintParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing asked for, and the options it rules out.

    Attributes
    ----------
    key : str
        Name of the parameter in ``constraints``.
    subject : str
        The id, the two ids joined by `` + ``, or the figure that was asked for.
    rows : ndarray of int64
        Positions in the options.
    level : ndarray of float64, shape (n_options,), optional
        Where a figure was asked for: the one that each option would still meet, NaN where it meets none.
    """

    key: str
    subject: str
    rows: NDArray[np.int64]
    level: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A bound on what the options chosen use together.

    Attributes
    ----------
    key : str
        ``max_sites``, ``max_district_offices`` or ``max_cost``.
    limit : float
    use : ndarray of float64, shape (n_options,)
    """

    key: str
    limit: float
    use: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every rule and every cap; the first cap is the budget of sites.

    Attributes
    ----------
    n_options : int
    rules : tuple of Rule
    caps : tuple of Cap
    """

    n_options: int
    rules: tuple[Rule, ...]
    caps: tuple[Cap, ...]

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """Whether each option is allowed by every rule; shape (n_options,)."""
        allowed = np.ones(self.n_options, bool)
        for rule in self.rules:
            allowed[rule.rows] = False
        return allowed


def build_limits(
    options: Options,
    sites: pd.DataFrame,
    needs: pd.DataFrame,
    *,
    choice: ChoiceParams,
    constraints: ConstraintParams,
) -> Limits:
    """Return the rules and caps that the parameters stand for.

    Parameters
    ----------
    options : Options
    sites : pandas.DataFrame
        Index site_id, as ``options.site_ids``. Columns ``kind``, ``hall_seats``, ``parking_area_m2`` (NaN where not
        known), ``known_area_m2`` (usable, NaN where not known) and ``priced_area_m2``, the area that costs go by.
    needs : pandas.DataFrame
        Index unit_id, as ``options.unit_ids``; from :func:`geo.choice.need.needs_of`.
    choice, constraints : ChoiceParams, ConstraintParams

    Raises
    ------
    ParamsError
        An id is unknown (key ``constraint_unknown``), a pair does not lie in one unit (``constraint_pair``), or a
        budget of money is given without the cost of every building (``cost_unknown``).
    """
    faults = list(_unknown_ids(options, constraints))
    if faults:
        raise ParamsError(faults)
    caps = [Cap(key="max_sites", limit=choice.max_sites, use=np.where(options.is_pair, 2.0, 1.0))]
    if constraints.max_district_offices is not None:
        use = _per_option(options, np.where(sites["kind"] == "district_office", 1.0, 0.0))
        caps.append(Cap(key="max_district_offices", limit=constraints.max_district_offices, use=use))
    if constraints.max_cost is not None:
        use = _per_option(options, site_costs(sites, constraints).to_numpy())
        caps.append(Cap(key="max_cost", limit=constraints.max_cost, use=use))
    both = choice.reception == "both_sites"
    rules = (*_site_rules(options, constraints), *_minimum_rules(options, sites, needs, constraints, both=both))
    return Limits(n_options=len(options.unit), rules=rules, caps=tuple(caps))


def has_costs(constraints: ConstraintParams) -> bool:
    """Whether the parameters say what a building costs."""
    return constraints.cost_per_site is not None or constraints.cost_per_m2 is not None or bool(constraints.costs)


def site_costs(sites: pd.DataFrame, constraints: ConstraintParams) -> pd.Series:
    """Return the cost of keeping each building: its own if given, else by site and by m2.

    Raises
    ------
    ParamsError
        A building has no cost (key ``cost_unknown``).
    """
    general = constraints.cost_per_site is not None or constraints.cost_per_m2 is not None
    area = sites["priced_area_m2"] * (constraints.cost_per_m2 or 0.0)
    cost = area + (constraints.cost_per_site or 0.0) if general else pd.Series(np.nan, index=sites.index)
    cost = pd.Series(constraints.costs, dtype=float).reindex(sites.index).fillna(cost)
    missing = cost.index[cost.isna()]
    if len(missing):
        values = {"n": str(len(missing)), "first": str(missing[0])}
        raise ParamsError(Fault(key="cost_unknown", column="constraints.max_cost", values=values))
    return cost


def _per_option(options: Options, per_site: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of a figure over the sites of each option."""
    padded = np.append(per_site, 0.0)  # position -1 stands for no second site
    return padded[options.first] + padded[options.second]


def _unknown_ids(options: Options, constraints: ConstraintParams) -> Iterator[Fault]:
    pairs = {name: getattr(constraints, name) for name in ("pinned_pairs", "forbidden_pairs")}
    wanted = {
        "pinned_sites": (constraints.pinned_sites, options.site_ids),
        "forbidden_sites": (constraints.forbidden_sites, options.site_ids),
        "costs": (tuple(constraints.costs), options.site_ids),
        "one_site_units": (constraints.one_site_units, options.unit_ids),
        "two_site_units": (constraints.two_site_units, options.unit_ids),
        **{name: (tuple(site for pair in value for site in pair), options.site_ids) for name, value in pairs.items()},
    }
    for name, (ids, known) in wanted.items():
        for unknown in [one for one in ids if one not in known]:
            yield Fault(key="constraint_unknown", column=f"constraints.{name}", value=unknown)
    for name, value in pairs.items():
        for pair in value:
            if all(site in options.site_ids for site in pair) and not len(_pair_rows(options, pair)):
                yield Fault(key="constraint_pair", column=f"constraints.{name}", value=" + ".join(pair))


def _pair_rows(options: Options, pair: tuple[str, str]) -> NDArray[np.int64]:
    a, b = options.site_ids.get_indexer(pd.Index(list(pair)))
    either = ((options.first == a) & (options.second == b)) | ((options.first == b) & (options.second == a))
    return np.flatnonzero(either)


def _site_rules(options: Options, constraints: ConstraintParams) -> Iterator[Rule]:
    """Yield the rules about single buildings, pairs and units."""
    for site in constraints.pinned_sites:
        rows = _rows_with(options, site)
        yield Rule(key="pinned_sites", subject=site, rows=_others_of_unit(options, rows))
    for site in constraints.forbidden_sites:
        yield Rule(key="forbidden_sites", subject=site, rows=_rows_with(options, site))
    for pair in constraints.pinned_pairs:
        rows = _others_of_unit(options, _pair_rows(options, pair))
        yield Rule(key="pinned_pairs", subject=" + ".join(pair), rows=rows)
    for pair in constraints.forbidden_pairs:
        yield Rule(key="forbidden_pairs", subject=" + ".join(pair), rows=_pair_rows(options, pair))
    for name, ruled_out in (("one_site_units", options.is_pair), ("two_site_units", ~options.is_pair)):
        for unit_id in getattr(constraints, name):
            of_unit = options.unit == options.unit_ids.get_loc(unit_id)
            yield Rule(key=name, subject=unit_id, rows=np.flatnonzero(of_unit & ruled_out))


def _rows_with(options: Options, site_id: str) -> NDArray[np.int64]:
    site = options.site_ids.get_loc(site_id)
    return np.flatnonzero((options.first == site) | (options.second == site))


def _others_of_unit(options: Options, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every other option of the units that `rows` belong to."""
    others = np.isin(options.unit, options.unit[rows])
    others[rows] = False
    return np.flatnonzero(others)


def _minimum_rules(
    options: Options, sites: pd.DataFrame, needs: pd.DataFrame, constraints: ConstraintParams, *, both: bool
) -> Iterator[Rule]:
    """Yield the rules about figures; what is not known does not meet them."""
    hall, parking = (np.append(sites[name].to_numpy(float), np.nan) for name in ("hall_seats", "parking_area_m2"))
    levels = {
        "min_norm_met_pct": 100 * least_of_roles(options, sites["known_area_m2"], needs, "need_m2"),
        "min_m2_per_person": least_of_roles(options, sites["known_area_m2"], needs, "staff"),
        "min_hall_seats": np.fmax(hall[options.first], hall[options.second]) if both else hall[options.first],
        "min_parking_m2": parking[options.first],
    }
    for name, level in levels.items():
        asked = getattr(constraints, name)
        if asked > 0:
            yield Rule(key=name, subject=f"{asked:g}", rows=np.flatnonzero(~(level >= asked)), level=level)
    longest = constraints.max_minutes_between
    if longest is not None:
        level = np.where(options.is_pair, options.minutes_between, 0.0)
        rows = np.flatnonzero(~(level <= longest))
        yield Rule(key="max_minutes_between", subject=f"{longest:g}", rows=rows, level=level)


def least_of_roles(options: Options, known_area_m2: pd.Series, needs: pd.DataFrame, wanted: str) -> NDArray[np.float64]:
    """Return the known area of each option over what is wanted of it, in a pair that of the role served worse.

    Parameters
    ----------
    options : Options
    known_area_m2 : pandas.Series
        By site_id; NaN where not known.
    needs : pandas.DataFrame
        From :func:`geo.choice.need.needs_of`.
    wanted : {"need_m2", "staff"}

    Returns
    -------
    ndarray of float64, shape (n_options,)
        Without bound where nothing is wanted; NaN where an area is not known.
    """
    area = np.append(known_area_m2.to_numpy(float), np.nan)
    whole, committee, party = (
        needs[f"{role}{wanted}"].to_numpy()[options.unit] for role in ("", "committee_", "party_")
    )
    first, second = area[options.first], area[options.second]
    pair = np.minimum(_ratio(first, committee), _ratio(second, party))
    return np.where(options.is_pair, pair, _ratio(first, whole))


def _ratio(value: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``value / whole``: without bound where nothing is needed, NaN where the value is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, value / whole, np.where(np.isnan(value), np.nan, np.inf))
