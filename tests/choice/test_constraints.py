import dataclasses

import numpy as np
import pytest
from hypothesis import given

from geo.choice.choose import choose_sites
from geo.choice.constraints import has_costs, site_costs
from geo.errors import InfeasibleError, ParamsError
from geo.params import ChoiceParams, ConstraintParams
from geo.text import LANGUAGES
from tests.choices import SmallCity, best_by_trying, constrained_cities, needs_table, small_city

FREE = ChoiceParams(max_sites=100, unit_weight="equal")


def chosen_sites(city: SmallCity, choice: ChoiceParams, **wanted: object) -> list[str]:
    limits = city.limits(choice, ConstraintParams(**wanted))
    made = choose_sites(city.options, city.scores, city.population, choice, limits=limits)
    places = [p for row in made.chosen for p in (city.options.first[row], city.options.second[row]) if p >= 0]
    return [str(city.options.site_ids[place]) for place in places]


#: Unit U0 with buildings 0, 1, 2 alone and in the pairs 0+1, 0+2, 1+2; unit U1 with one building.
TWO_UNITS = {"scores": [0.5, 0.4, 0.3, 0.9, 0.6, 0.7, 0.5], "area": [100.0, 200.0, 300.0, 400.0]}


@pytest.fixture
def city() -> SmallCity:
    made = small_city([3, 1], **TWO_UNITS)
    made.sites["kind"] = ["district_office", "commune_office", "commune_office", "district_office"]
    made.sites["hall_seats"] = [50.0, np.nan, 120.0, 120.0]
    made.sites["parking_area_m2"] = [300.0, 50.0, 50.0, 300.0]
    return dataclasses.replace(made, needs=needs_table([400.0, 400.0], made.needs.index))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["U0-0", "U0-1", "U1-0"]),
        ({"pinned_sites": ["U0-2"]}, ["U0-1", "U0-2", "U1-0"]),
        ({"forbidden_sites": ["U0-1"]}, ["U0-0", "U0-2", "U1-0"]),
        ({"pinned_pairs": [("U0-2", "U0-0")]}, ["U0-0", "U0-2", "U1-0"]),
        ({"forbidden_pairs": [("U0-1", "U0-0")]}, ["U0-1", "U0-2", "U1-0"]),
        ({"one_site_units": ["U0"]}, ["U0-0", "U1-0"]),
        ({"two_site_units": ["U0"]}, ["U0-0", "U0-1", "U1-0"]),
        ({"min_norm_met_pct": 80}, ["U0-1", "U0-2", "U1-0"]),
        ({"min_m2_per_person": 16}, ["U0-1", "U0-2", "U1-0"]),
        ({"min_hall_seats": 100}, ["U0-2", "U1-0"]),
        ({"min_parking_m2": 200}, ["U0-0", "U0-1", "U1-0"]),
        ({"max_district_offices": 1}, ["U0-1", "U0-2", "U1-0"]),
        ({"max_cost": 800, "cost_per_m2": 1}, ["U0-0", "U0-1", "U1-0"]),
        ({"max_cost": 650, "cost_per_m2": 1}, ["U0-0", "U1-0"]),
    ],
)
def test_each_constraint_does_what_it_says(city: SmallCity, wanted: dict, expected: list[str]) -> None:
    assert sorted(chosen_sites(city, FREE, **wanted)) == expected


@pytest.mark.parametrize("wanted", [{"min_norm_met_pct": 84}, {"min_m2_per_person": 16.7}])
def test_too_much_room_in_one_house_does_not_make_up_for_the_other(city: SmallCity, wanted: dict) -> None:
    """U0 has 200 + 300 m2 and needs 400: but 240 of them, for 12 people, where the 200 are."""
    with pytest.raises(InfeasibleError):
        chosen_sites(city, FREE, **wanted)


def test_a_pair_too_far_apart_is_not_chosen(city: SmallCity) -> None:
    longest = float(np.nanmax(city.options.minutes_between))
    assert chosen_sites(city, FREE, max_minutes_between=longest) == ["U0-0", "U0-1", "U1-0"]
    city.options.minutes_between[3] = longest + 1
    assert chosen_sites(city, FREE, max_minutes_between=longest) == ["U0-1", "U0-2", "U1-0"]


@given(constrained_cities())
def test_the_choice_is_the_best_of_all_under_every_constraint(
    case: tuple[SmallCity, ChoiceParams, ConstraintParams],
) -> None:
    city, choice, wanted = case
    expected = best_by_trying(city, choice, wanted)
    try:
        made = choose_sites(city.options, city.scores, city.population, choice, limits=city.limits(choice, wanted))
    except InfeasibleError:
        assert expected is None
        return
    assert expected is not None
    assert made.objective == pytest.approx(expected, abs=1e-9)
    assert (made.gap, made.bound) == (0.0, pytest.approx(expected, abs=2e-9))


def test_costs_are_never_invented(city: SmallCity) -> None:
    with pytest.raises(ParamsError) as error:
        city.limits(FREE, ConstraintParams(max_cost=100))
    assert error.value.faults[0].key == "cost_unknown"
    with pytest.raises(ParamsError):
        city.limits(FREE, ConstraintParams(max_cost=100, costs={"U0-0": 3.0}))
    assert not has_costs(ConstraintParams())


def test_the_cost_of_a_building_goes_before_the_general_one(city: SmallCity) -> None:
    wanted = ConstraintParams(cost_per_site=10, cost_per_m2=2, costs={"U0-1": 7})
    assert site_costs(city.sites, wanted).tolist() == [210, 7, 610, 810]


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ({"pinned_sites": ["X"]}, "constraint_unknown"),
        ({"two_site_units": ["X"]}, "constraint_unknown"),
        ({"costs": {"X": 1}}, "constraint_unknown"),
        ({"pinned_pairs": [("U0-0", "U1-0")]}, "constraint_pair"),
    ],
)
def test_an_unknown_id_or_a_pair_across_units_is_named(city: SmallCity, wanted: dict, key: str) -> None:
    with pytest.raises(ParamsError) as error:
        city.limits(FREE, ConstraintParams(**wanted))
    assert [fault.key for fault in error.value.faults] == [key]
    for lang in LANGUAGES:
        assert error.value.faults[0].describe(lang=lang)
