import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.choice.choose import choose_sites
from geo.choice.conflicts import ConflictError
from geo.errors import Fault
from geo.params import ChoiceParams, ConstraintParams
from geo.text import LANGUAGES
from tests.choices import SmallCity, best_by_trying, constrained_cities, needs_table, small_city


def conflict(city: SmallCity, choice: ChoiceParams, wanted: ConstraintParams) -> tuple[Fault, ...]:
    with pytest.raises(ConflictError) as error:
        choose_sites(city.options, city.scores, city.population, choice, limits=city.limits(choice, wanted))
    for fault in error.value.faults:
        for lang in LANGUAGES:
            assert fault.describe(lang=lang)
    return error.value.faults


def test_a_budget_below_one_site_each_says_what_is_needed() -> None:
    (fault,) = conflict(small_city([1, 2, 1]), ChoiceParams(max_sites=2), ConstraintParams(min_hall_seats=0))
    assert fault.key == "conflict_city"
    assert fault.values == {"rules": "choice.max_sites = 2", "changes": "choice.max_sites = 3"}


def test_units_that_must_have_two_conflict_with_a_small_budget() -> None:
    wanted = ConstraintParams(two_site_units=["U0", "U1"], forbidden_sites=["U2-0"])
    (fault,) = conflict(small_city([2, 2, 2]), ChoiceParams(max_sites=4), wanted)
    assert fault.values["rules"] == (
        "choice.max_sites = 4; constraints.two_site_units = U0; constraints.two_site_units = U1"
    ), "the forbidden building has no part in it"
    assert fault.values["changes"].split("; ") == [
        "choice.max_sites = 5",
        "− constraints.two_site_units = U0",
        "− constraints.two_site_units = U1",
    ]


def test_a_pin_and_a_prohibition_of_one_building_conflict_within_its_unit() -> None:
    wanted = ConstraintParams(pinned_sites=["U1-0"], forbidden_sites=["U1-0"], one_site_units=["U1"])
    (fault,) = conflict(small_city([2, 2]), ChoiceParams(max_sites=4), wanted)
    assert fault.key == "conflict_unit"
    assert fault.values["unit"] == "U1"
    assert fault.values["rules"] == "constraints.pinned_sites = U1-0; constraints.forbidden_sites = U1-0"
    assert fault.values["changes"] == "− constraints.pinned_sites = U1-0; − constraints.forbidden_sites = U1-0"


def needing_400(city: SmallCity) -> SmallCity:
    """Return the city with a need of 400 m2 in each unit: 240 of them the committee's."""
    return dataclasses.replace(city, needs=needs_table([400.0] * len(city.needs), city.needs.index))


def test_a_norm_that_a_unit_cannot_meet_says_what_it_could() -> None:
    city = needing_400(small_city([2, 2], area=[180.0, 120.0, 500.0, 500.0]))
    (fault,) = conflict(city, ChoiceParams(max_sites=4), ConstraintParams(min_norm_met_pct=90))
    assert fault.values["changes"] == "constraints.min_norm_met_pct = 75"


def test_units_that_cannot_meet_a_norm_are_told_what_all_could() -> None:
    city = needing_400(small_city([1, 1], area=[100.0, 200.0]))
    faults = conflict(city, ChoiceParams(max_sites=4), ConstraintParams(min_norm_met_pct=90))
    assert [fault.key for fault in faults] == ["conflict_unit", "conflict_unit", "conflict_units"]
    assert faults[-1].values["changes"] == "constraints.min_norm_met_pct = 25"


def test_a_norm_and_a_budget_that_conflict_are_each_told_what_would_do() -> None:
    city = needing_400(small_city([2, 2], area=[300.0, 200.0, 300.0, 240.0]))
    (fault,) = conflict(city, ChoiceParams(max_sites=3), ConstraintParams(min_norm_met_pct=80))
    assert fault.values["rules"] == "choice.max_sites = 3; constraints.min_norm_met_pct = 80"
    assert fault.values["changes"] == "choice.max_sites = 4; constraints.min_norm_met_pct = 75"


def test_too_little_money_says_how_much_is_enough() -> None:
    city = small_city([2, 2], area=[300.0, 200.0, 300.0, 240.0])
    wanted = ConstraintParams(max_cost=400, cost_per_m2=1.5)
    (fault,) = conflict(city, ChoiceParams(max_sites=4), wanted)
    assert fault.values == {"rules": "constraints.max_cost = 400", "changes": "constraints.max_cost = 660"}


@given(constrained_cities(), st.data())
def test_a_conflict_is_real_and_every_change_told_is_enough(
    case: tuple[SmallCity, ChoiceParams, ConstraintParams], data: st.DataObject
) -> None:
    city, choice, wanted = case
    if best_by_trying(city, choice, wanted) is not None:
        return
    for fault in conflict(city, choice, wanted):
        if fault.key == "conflict_city":
            for change in fault.values["changes"].split("; "):
                after = choice, wanted
                for part in change.split(" & "):
                    after = applied(part, *after)
                assert best_by_trying(city, *after) is not None, change


def applied(change: str, choice: ChoiceParams, wanted: ConstraintParams) -> tuple[ChoiceParams, ConstraintParams]:
    """Return the parameters after a change as it is told."""
    given_up = change.startswith("− ")
    name, value = change.removeprefix("− ").split(" = ")
    key = name.split(".")[1]
    if key == "max_sites":
        return ChoiceParams(**{**choice.model_dump(), key: int(value)}), wanted
    left = wanted.model_dump()
    if not given_up:
        left[key] = float(value)
    else:
        same = [" + ".join(item) if isinstance(item, tuple) else item for item in left[key]]
        left[key] = [item for item, name in zip(left[key], same, strict=True) if name != value]
    return choice, ConstraintParams(**left)


def test_caps_that_only_together_are_enough_are_raised_together() -> None:
    city = small_city([2, 2], area=[300.0, 200.0, 300.0, 240.0])
    wanted = ConstraintParams(max_cost=900, cost_per_m2=1, two_site_units=["U0", "U1"])
    (fault,) = conflict(city, ChoiceParams(max_sites=3), wanted)
    changes = fault.values["changes"].split("; ")
    assert "choice.max_sites = 4 & constraints.max_cost = 1040" in changes or len(changes) > 1


def test_an_empty_city_has_no_conflict() -> None:
    city = small_city([1])
    made = choose_sites(city.options, np.array([np.nan]), city.population, ChoiceParams(max_sites=1))
    assert made.reason.tolist() == ["not_scored"]
