import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.choice.equity import kolm_pollak_beta, kolm_pollak_minutes, mean_minutes, worst_minutes
from geo.city import City
from geo.params import Params
from geo.plan import prepare
from geo.settings import Settings
from tests.test_plan import streets_of

minutes_and_people = st.lists(st.tuples(st.floats(0, 60), st.integers(1, 1000)), min_size=1, max_size=8)


def columns(groups: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([[t] for t, _ in groups]), np.array([p for _, p in groups], float)


def test_a_case_worked_by_hand() -> None:
    """95 people at 10 min, 5 at 30: mean 11, worst 5 % 30; beta = 2 * 1100 / 14000 = 0.15714 per minute."""
    times, people = columns([(10, 95), (30, 5)])
    assert mean_minutes(times, people)[0] == pytest.approx(11)
    assert worst_minutes(times, people)[0] == pytest.approx(30)
    beta = kolm_pollak_beta([(times[:, 0], people)], aversion=2)
    assert beta == pytest.approx(2 * 1100 / 14000)
    by_formula = math.log((95 * math.exp(beta * 10) + 5 * math.exp(beta * 30)) / 100) / beta
    assert kolm_pollak_minutes(times, people, beta)[0] == pytest.approx(by_formula)


@given(minutes_and_people, st.floats(0.001, 1))
def test_the_formulas_person_by_person(groups: list, beta: float) -> None:
    times, people = columns(groups)
    each = sorted((t for t, p in groups for _ in range(20 * p)), reverse=True)
    worst = each[: len(each) // 20]
    assert worst_minutes(times, people)[0] == pytest.approx(sum(worst) / len(worst), abs=1e-6)
    direct = math.log(sum(math.exp(beta * t) for t in each) / len(each)) / beta
    assert kolm_pollak_minutes(times, people, beta)[0] == pytest.approx(direct, abs=1e-6)


@given(minutes_and_people, st.floats(0.001, 1))
def test_the_equivalent_lies_between_the_mean_and_the_longest(groups: list, beta: float) -> None:
    times, people = columns(groups)
    mean, ede = mean_minutes(times, people)[0], kolm_pollak_minutes(times, people, beta)[0]
    assert mean - 1e-9 <= ede <= times.max() + 1e-9
    assert kolm_pollak_minutes(times, people, 2 * beta)[0] >= ede - 1e-9, "more aversion, more weight on the far"
    assert kolm_pollak_minutes(times + 7, people, beta)[0] == pytest.approx(ede + 7)


@given(minutes_and_people)
def test_it_does_not_depend_on_the_unit_of_time(groups: list) -> None:
    times, people = columns(groups)
    in_minutes = kolm_pollak_minutes(times, people, kolm_pollak_beta([(times[:, 0], people)], aversion=1))
    hours = times / 60
    in_hours = kolm_pollak_minutes(hours, people, kolm_pollak_beta([(hours[:, 0], people)], aversion=1))
    assert in_hours * 60 == pytest.approx(in_minutes)


def test_many_people_and_long_times_do_not_overflow() -> None:
    assert kolm_pollak_minutes(np.array([[1e4], [2e4]]), np.array([1e7, 1.0]), 5.0)[0] == pytest.approx(
        2e4 - math.log(1e7) / 5, abs=1e-3
    )


@pytest.mark.parametrize("reception", ["committee_site", "both_sites"])
def test_the_score_follows_the_figure_chosen(toy_city: City, settings: Settings, reception: str) -> None:
    city = dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")
    found = {}
    for name in ("mean", "worst_5_percent", "kolm_pollak"):
        params = Params().with_values({"score.access_of": name, "choice.reception": reception})
        prepared = prepare(city, params, settings=settings)
        found[name] = prepared.options.criteria[:, 2]
        unit = prepared.times.units["00010"]
        capped = np.minimum(unit.minutes, 30)
        beta = kolm_pollak_beta([(capped.min(axis=1), unit.population)], aversion=1)
        expected = {
            "mean": mean_minutes(capped, unit.population),
            "worst_5_percent": worst_minutes(capped, unit.population),
            "kolm_pollak": kolm_pollak_minutes(capped, unit.population, beta),
        }[name]
        known = prepared.criteria.loc[list(unit.site_ids), "access_0_1"].to_numpy()
        assert known == pytest.approx(1 - expected / 30), "the unit without roads has no part in beta"
    reached = ~np.isnan(found["mean"])
    assert (found["worst_5_percent"][reached] <= found["kolm_pollak"][reached] + 1e-12).all()
    assert (found["kolm_pollak"][reached] <= found["mean"][reached] + 1e-12).all()
