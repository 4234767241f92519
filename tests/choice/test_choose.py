from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.choice.choose import choose_sites
from geo.choice.score import Options
from geo.errors import InfeasibleError
from geo.params import ChoiceParams


def options_of(units: list[tuple[list[float], list[float]]]) -> tuple[Options, np.ndarray]:
    """Return the options and scores of units given as (scores of singles, scores of pairs)."""
    unit, first, second, scores = [], [], [], []
    for number, (singles, pairs) in enumerate(units):
        for place, score in enumerate(singles):
            unit.append(number), first.append(place), second.append(-1), scores.append(score)
        for score in pairs:
            unit.append(number), first.append(0), second.append(1), scores.append(score)
    n = len(unit)
    options = Options(
        unit_ids=pd.Index([f"U{i}" for i in range(len(units))]),
        site_ids=pd.Index([f"S{i}" for i in range(10)]),
        unit=np.array(unit, np.int64),
        first=np.array(first, np.int64),
        second=np.array(second, np.int64),
        criteria=np.zeros((n, 4)),
        usable_area_m2=np.zeros(n),
        penalty=np.zeros(n),
        minutes_between=np.zeros(n),
    )
    return options, np.array(scores)


EQUAL = ChoiceParams(max_sites=4, unit_weight="equal")


def test_the_second_sites_go_where_they_gain_most() -> None:
    options, scores = options_of([([0.5], [0.6]), ([0.5, 0.4], [0.9]), ([0.5], [0.55])])
    choice = choose_sites(options, scores, np.ones(3), EQUAL)
    assert choice.reason.tolist() == ["one_site_budget", "two_sites_gain", "one_site_budget"]
    assert scores[choice.chosen].tolist() == [0.5, 0.9, 0.5]


def test_a_unit_with_more_people_comes_first() -> None:
    options, scores = options_of([([0.5], [0.6]), ([0.5], [0.65])])
    choice = choose_sites(options, scores, np.array([9000.0, 1000.0]), ChoiceParams(max_sites=3))
    assert choice.reason.tolist() == ["two_sites_gain", "one_site_budget"]


def test_a_second_site_that_gains_nothing_is_not_taken_however_large_the_budget() -> None:
    options, scores = options_of([([0.5], [0.5]), ([0.7], [0.6])])
    choice = choose_sites(options, scores, np.ones(2), ChoiceParams(max_sites=100))
    assert choice.reason.tolist() == ["one_site_enough", "one_site_enough"]


def test_equal_gains_are_equal_whatever_the_floats_say() -> None:
    options, scores = options_of([([0.5], [0.6]), ([0.3], [0.4])])
    choice = choose_sites(options, scores, np.ones(2), ChoiceParams(max_sites=3, unit_weight="equal"))
    assert choice.reason.tolist() == ["two_sites_gain", "one_site_budget"], "0.6 - 0.5 < 0.4 - 0.3 in binary"
    none = choose_sites(options, scores, np.ones(2), ChoiceParams(max_sites=9, min_gain=0.1))
    assert none.reason.tolist() == ["one_site_enough", "one_site_enough"]


def test_a_unit_of_nobody_comes_last_but_is_not_told_the_budget_is_spent() -> None:
    options, scores = options_of([([0.5], [0.9]), ([0.5], [0.6])])
    for budget, reasons in ((3, ["one_site_budget", "two_sites_gain"]), (4, ["two_sites_gain"] * 2)):
        choice = choose_sites(options, scores, np.array([0.0, 10.0]), ChoiceParams(max_sites=budget))
        assert choice.reason.tolist() == reasons


def test_buildings_of_which_nothing_is_known_are_not_called_absent() -> None:
    options, scores = options_of([([np.nan], []), ([0.4], [])])
    assert choose_sites(options, scores, np.ones(2), EQUAL).reason.tolist() == ["not_scored", "one_candidate"]


def test_units_without_a_candidate_or_a_pair_say_so() -> None:
    options, scores = options_of([([], []), ([0.4], [])])
    choice = choose_sites(options, scores, np.ones(2), EQUAL)
    assert choice.reason.tolist() == ["no_candidate", "one_candidate"]
    assert choice.chosen.tolist() == [-1, 0]


def test_a_city_without_any_candidate_has_an_empty_choice() -> None:
    options, scores = options_of([([], [])])
    assert choose_sites(options, scores, np.ones(1), EQUAL).chosen.tolist() == [-1]


def test_ties_fall_to_the_first_option_and_the_first_unit() -> None:
    options, scores = options_of([([0.5, 0.5], [0.6, 0.6]), ([0.5], [0.6])])
    choice = choose_sites(options, scores, np.ones(2), ChoiceParams(max_sites=3, unit_weight="equal"))
    assert choice.best_single.tolist() == [0, 4]
    assert choice.chosen.tolist() == [2, 4]


def test_a_budget_below_one_site_each_says_what_is_needed() -> None:
    options, scores = options_of([([0.5], []), ([0.5], [])])
    with pytest.raises(InfeasibleError, match=r"choice\.max_sites = 2"):
        choose_sites(options, scores, np.ones(2), ChoiceParams(max_sites=1))


score = st.integers(0, 100).map(lambda n: n / 100)
cities = st.lists(
    st.tuples(st.lists(score, min_size=1, max_size=3), st.lists(score, max_size=3)), min_size=1, max_size=6
)


@given(cities, st.integers(0, 7), st.data())
def test_the_choice_is_the_optimum_of_the_integer_programme_and_of_brute_force(
    units: list, extra: int, data: st.DataObject
) -> None:
    population = np.array(data.draw(st.lists(st.integers(1, 90), min_size=len(units), max_size=len(units))), float)
    options, scores = options_of(units)
    params = ChoiceParams(max_sites=len(units) + extra)
    objective = choose_sites(options, scores, population, params).objective
    weight = (population / population.sum())[options.unit]
    size = np.where(options.is_pair, 2, 1)
    assert objective == pytest.approx(by_milp(options, weight * scores, size, params.max_sites), abs=1e-9)
    assert objective == pytest.approx(by_hand(options, weight * scores, size, params.max_sites), abs=1e-9)


def by_milp(options: Options, value: np.ndarray, size: np.ndarray, budget: int) -> float:
    one_each = (options.unit[None, :] == np.arange(len(options.unit_ids))[:, None]).astype(float)
    result = milp(
        -value,
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(size[None, :].astype(float), -np.inf, budget)],
        integrality=np.ones(len(value)),
        bounds=Bounds(0, 1),
    )
    assert result.status == 0
    return -result.fun


def by_hand(options: Options, value: np.ndarray, size: np.ndarray, budget: int) -> float:
    choices = [np.flatnonzero(options.unit == number) for number in range(len(options.unit_ids))]
    choices = [[max(rows[size[rows] == n], key=lambda r: value[r]) for n in set(size[rows])] for rows in choices]
    return max(value[list(picked)].sum() for picked in product(*choices) if size[list(picked)].sum() <= budget)


@given(cities, st.integers(0, 5))
def test_a_larger_budget_never_lowers_the_objective(units: list, extra: int) -> None:
    options, scores = options_of(units)
    values = [
        choose_sites(options, scores, np.ones(len(units)), ChoiceParams(max_sites=len(units) + n)).objective
        for n in (extra, extra + 1)
    ]
    assert values[1] >= values[0] - 1e-12
