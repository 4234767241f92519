"""Small random cities for the tests of the choice, and the choice by trying everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from geo.choice.constraints import Limits, build_limits
from geo.choice.score import Options
from geo.params import ChoiceParams, ConstraintParams


@dataclass(frozen=True)
class SmallCity:
    """Units U0, U1, ... with buildings U0-0, U0-1, ...: every single and every pair is an option."""

    options: Options
    scores: np.ndarray
    sites: pd.DataFrame
    needs: pd.DataFrame
    population: np.ndarray

    def limits(self, choice: ChoiceParams, constraints: ConstraintParams) -> Limits:
        return build_limits(self.options, self.sites, self.needs, choice=choice, constraints=constraints)


def small_city(sizes: list[int], draw: np.random.Generator | None = None, **given: Any) -> SmallCity:
    """Return a city whose unit ``u`` has ``sizes[u]`` buildings; figures are drawn, or `given` by name.

    The areas of a share of the buildings, `share_unknown`, are not known; with `both_orders` either building of a pair
    may receive the citizens.
    """
    draw = draw or np.random.default_rng(0)
    ids = [f"U{u}-{i}" for u, n in enumerate(sizes) for i in range(n)]
    start = np.concatenate([[0], np.cumsum(sizes)])
    rows = []
    for u, n in enumerate(sizes):
        rows += [(u, start[u] + i, -1) for i in range(n)]
        orders = permutations if given.get("both_orders") else combinations
        rows += [(u, start[u] + i, start[u] + j) for i, j in orders(range(n), 2)]
    unit, first, second = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    area = np.array(given.get("area", draw.integers(2, 12, len(ids)) * 100.0))
    options = Options(
        unit_ids=pd.Index([f"U{u}" for u in range(len(sizes))]),
        site_ids=pd.Index(ids),
        unit=unit,
        first=first,
        second=second,
        criteria=np.zeros((len(unit), 4)),
        usable_area_m2=area[first] + np.where(second >= 0, area[second], 0.0),
        penalty=np.zeros(len(unit)),
        minutes_between=np.where(second >= 0, draw.integers(1, 30, len(unit)), np.nan),
    )
    sites = pd.DataFrame(
        {
            "kind": draw.choice(["district_office", "commune_office"], len(ids), p=[0.4, 0.6]),
            "hall_seats": draw.choice([50.0, 100.0, np.nan], len(ids)),
            "parking_area_m2": draw.choice([100.0, 300.0, np.nan], len(ids)),
            "priced_area_m2": area,
            "known_area_m2": np.where(draw.random(len(ids)) < given.get("share_unknown", 0.0), np.nan, area),
        },
        index=options.site_ids,
    )
    needs = needs_table(draw.integers(3, 10, len(sizes)) * 100.0, options.unit_ids)
    scores = np.array(given.get("scores", draw.integers(0, 101, len(unit)) / 100))
    return SmallCity(options, scores, sites, needs, draw.integers(1, 90, len(sizes)).astype(float))


def needs_table(need_m2: Sequence[float] | np.ndarray, unit_ids: pd.Index) -> pd.DataFrame:
    """Return what units of 20 staff need: 12 people and six tenths of the area are the committee's."""
    whole = np.asarray(need_m2, float)
    columns = {"staff": 20.0, "need_m2": whole, "committee_staff": 12.0, "committee_need_m2": np.round(0.6 * whole)}
    return pd.DataFrame({**columns, "party_staff": 8.0, "party_need_m2": np.round(0.4 * whole)}, index=unit_ids)


small_cities = st.builds(
    lambda sizes, seed, unknown, both: small_city(
        sizes, np.random.default_rng(seed), share_unknown=unknown, both_orders=both
    ),
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.0, 0.3]),
    st.booleans(),
)


@st.composite
def constrained_cities(draw: st.DrawFn) -> tuple[SmallCity, ChoiceParams, ConstraintParams]:
    """Return a city with any of the constraints, feasible or not."""
    city = draw(small_cities)
    some_site, some_unit = st.sampled_from(list(city.options.site_ids)), st.sampled_from(list(city.options.unit_ids))
    pairs = [
        (city.options.site_ids[i], city.options.site_ids[j])
        for i, j in zip(city.options.first, city.options.second, strict=True)
        if j >= 0
    ]
    some_pairs = st.lists(st.sampled_from(pairs), max_size=1) if pairs else st.just([])
    n = len(city.options.unit_ids)
    return (
        city,
        ChoiceParams(
            max_sites=draw(st.integers(n, 2 * n)),
            min_gain=draw(st.sampled_from([0.0, 0.0, 0.05])),
            unit_weight=draw(st.sampled_from(["population", "equal"])),
        ),
        ConstraintParams(
            pinned_sites=draw(st.lists(some_site, max_size=1)),
            forbidden_sites=draw(st.lists(some_site, max_size=1)),
            pinned_pairs=draw(some_pairs),
            forbidden_pairs=draw(some_pairs),
            one_site_units=draw(st.lists(some_unit, max_size=1)),
            two_site_units=draw(st.lists(some_unit, max_size=1)),
            min_norm_met_pct=draw(st.sampled_from([0, 0, 50, 100])),
            min_m2_per_person=draw(st.sampled_from([0, 0, 20])),
            min_hall_seats=draw(st.sampled_from([0, 0, 0, 100])),
            min_parking_m2=draw(st.sampled_from([0, 0, 0, 200])),
            max_minutes_between=draw(st.sampled_from([None, None, 15])),
            max_district_offices=draw(st.sampled_from([None, None, 0, 1, 2, 3])),
            max_cost=draw(st.sampled_from([None, None, 3000, 5000, 8000])),
            cost_per_site=draw(st.sampled_from([0, 250])),
            cost_per_m2=draw(st.sampled_from([1, 1.7])),
        ),
    )


def breaks_a_wish(city: SmallCity, row: int, wanted: ConstraintParams) -> bool:
    """Whether an option is ruled out, read from the parameters by plain words rather than by masks."""
    options = city.options
    unit = options.unit_ids[options.unit[row]]
    sites = [options.site_ids[p] for p in (options.first[row], options.second[row]) if p >= 0]
    same_unit = [site for site in wanted.pinned_sites if site.startswith(unit + "-")]
    pair_here = [set(pair) for pair in wanted.pinned_pairs if pair[0].startswith(unit + "-")]
    roles = ["committee_", "party_"] if len(sites) == 2 else [""]
    need = city.needs.loc[unit]
    houses = [(city.sites.loc[site, "known_area_m2"], role) for site, role in zip(sites, roles, strict=True)]
    seats, parking = city.sites.loc[sites[0], ["hall_seats", "parking_area_m2"]]
    return bool(
        any(site not in sites for site in same_unit)
        or any(site in sites for site in wanted.forbidden_sites)
        or any(set(sites) != pair for pair in pair_here)
        or any(set(sites) == set(pair) for pair in wanted.forbidden_pairs)
        or (unit in wanted.one_site_units and len(sites) == 2)
        or (unit in wanted.two_site_units and len(sites) == 1)
        or (
            wanted.min_norm_met_pct > 0
            and not all(100 * m2 >= wanted.min_norm_met_pct * need[f"{role}need_m2"] for m2, role in houses)
        )
        or (
            wanted.min_m2_per_person > 0
            and not all(m2 >= wanted.min_m2_per_person * need[f"{role}staff"] for m2, role in houses)
        )
        or (wanted.min_hall_seats > 0 and not seats >= wanted.min_hall_seats)
        or (wanted.min_parking_m2 > 0 and not parking >= wanted.min_parking_m2)
        or (
            wanted.max_minutes_between is not None
            and len(sites) == 2
            and options.minutes_between[row] > wanted.max_minutes_between
        )
    )


def best_by_trying(city: SmallCity, choice: ChoiceParams, wanted: ConstraintParams) -> float | None:
    """Return the best weighted score of all choices that keep every constraint; None where there is none."""
    options = city.options
    weight = city.population if choice.unit_weight == "population" else np.ones(len(city.population))
    weight = weight / weight.sum()
    rows_of = [
        [row for row in np.flatnonzero(options.unit == u) if not breaks_a_wish(city, row, wanted)]
        for u in range(len(options.unit_ids))
    ]
    best = None
    for rows in product(*rows_of):
        sites = [options.site_ids[p] for row in rows for p in (options.first[row], options.second[row]) if p >= 0]
        cost = sum(wanted.cost_per_site + wanted.cost_per_m2 * city.sites.loc[site, "priced_area_m2"] for site in sites)
        n_district = sum(city.sites.loc[site, "kind"] == "district_office" for site in sites)
        if (
            len(sites) <= choice.max_sites
            and (wanted.max_district_offices is None or n_district <= wanted.max_district_offices)
            and (wanted.max_cost is None or cost <= wanted.max_cost + 1e-6)
        ):
            price = [choice.min_gain * (options.second[row] >= 0) for row in rows]
            value = float((weight * (city.scores[list(rows)] - price)).sum())
            best = value if best is None else max(best, value)
    return best
