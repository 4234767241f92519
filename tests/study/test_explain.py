import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from geo.choice.need import unit_needs
from geo.city import City
from geo.errors import InputError
from geo.params import CRITERIA, Params
from geo.plan import Plan, choose, make_plan, prepare, prepare_with
from geo.publish.why import explanation_texts
from geo.settings import Settings
from geo.study.counterfactual import BuildingChange, Rebuilt, least_that_wins
from geo.study.explain import Explanation, explain_unit, explain_units
from geo.text import LANGUAGES
from tests.test_plan import STAFF, streets_of

ONE_EACH = Params().with_values({**STAFF, "norms.city_staff": 150, "choice.max_sites": 2})


#: The same, with two sites in the unit that has three buildings.
PAIR = ONE_EACH.with_values({"choice.max_sites": 3, "constraints.two_site_units": ["00020"]})


@pytest.fixture
def city(toy_city: City) -> City:
    """Return the toy city, whose building 4 (S4) is known like the others, so that its figures can be changed."""
    sites = toy_city.sites.copy()
    sites.loc["S4", ["floor_area_m2", "usable_area_m2", "hall_seats", "parking_area_m2", "condition"]] = [
        300.0, 225.0, 20.0, 50.0, "fair",
    ]  # fmt: skip
    sites["hall_seats"] = sites["hall_seats"].fillna(20.0)
    sites["parking_area_m2"] = sites["parking_area_m2"].fillna(50.0)
    return dataclasses.replace(toy_city, sites=sites, network=streets_of(toy_city), digest="toy-known")


def explained(city: City, params: Params, settings: Settings, unit_id: str) -> tuple[Plan, Explanation]:
    plan = make_plan(city, params, settings=settings)
    return plan, explain_unit(plan, unit_id, settings=settings)


def changed(city: City, change: BuildingChange, *, less: float = 0.0) -> City:
    """Return the city with the building as the change wants it, by `less` short of it."""
    sites = city.sites.copy()
    value = change.needed if isinstance(change.needed, str) else change.needed - less
    sites.loc[change.site_id, change.figure] = value
    return dataclasses.replace(city, sites=sites, digest=f"{change.site_id}-{change.figure}-{value}")


@pytest.mark.parametrize("params", [ONE_EACH, PAIR, PAIR.with_values({"choice.reception": "both_sites"})])
def test_a_building_changed_as_told_is_chosen_and_by_one_less_is_not(
    city: City, settings: Settings, params: Params
) -> None:
    """The oracle is the whole plan, made anew for the changed city."""
    _, found = explained(city, params, settings, "00020")
    assert found.building_changes
    for change in found.building_changes:
        assert found.chosen is not None
        assert change.site_id not in found.chosen.site_ids
        after = make_plan(changed(city, change), params, settings=settings).units.loc["00020"]
        assert change.site_id in (after["site_id_1"], after["site_id_2"]), change
        if not isinstance(change.needed, str):
            before = make_plan(changed(city, change, less=1), params, settings=settings).units.loc["00020"]
            assert change.site_id not in (before["site_id_1"], before["site_id_2"]), change


@pytest.mark.slow
def test_changes_told_in_the_embedded_city_are_enough(embedded_city: City, shared_settings: Settings) -> None:
    """The oracle scores the whole inventory anew, with the building as the change wants it."""
    plan = make_plan(embedded_city, settings=shared_settings)
    served = prepare(embedded_city, plan.params, settings=shared_settings).served
    changes = {
        (c.figure, len(found.chosen.site_ids)): (found.unit_id, c) for found, c in told_changes(plan, shared_settings)
    }
    assert {figure for figure, _ in changes} >= {"usable_area_m2", "parking_area_m2", "condition"}
    assert {n_sites for _, n_sites in changes} == {1, 2}
    for unit_id, change in changes.values():
        after = prepare_with(changed(embedded_city, change), plan.params, served)
        choice = choose(embedded_city, after, after.options.scores(plan.params.weights), plan.params)
        option = choice.chosen[plan.units.index.get_loc(unit_id)]
        places = (after.options.first[option], after.options.second[option])
        assert change.site_id in {after.options.site_ids[place] for place in places if place >= 0}, change


def told_changes(plan: Plan, settings: Settings) -> Iterator[tuple[Explanation, BuildingChange]]:
    for found in explain_units(plan, settings=settings):
        yield from ((found, change) for change in found.building_changes)


def test_scores_rebuilt_without_a_change_are_the_scores(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, settings=shared_settings)
    prepared = prepare(embedded_city, plan.params, settings=shared_settings)
    scores = prepared.options.scores(plan.params.weights)
    need = unit_needs(prepared.needs)
    for site_id in plan.sites.index[::101]:
        rebuilt = Rebuilt(plan, prepared, need[plan.sites.at[site_id, "unit_id"]], site_id)
        np.testing.assert_allclose(rebuilt.scores({}), scores[rebuilt.rows], atol=2e-9)


def test_the_units_explained_together_are_as_explained_alone(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, settings=shared_settings)
    together = {found.unit_id: found for found in explain_units(plan, settings=shared_settings)}
    assert list(together) == list(plan.units.index)
    for unit_id in plan.units.index[::40]:
        assert repr(explain_unit(plan, unit_id, settings=shared_settings)) == repr(together[unit_id])


@pytest.mark.slow
def test_beyond_its_range_a_weight_makes_the_other_win(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, settings=shared_settings)
    tried = 0
    for unit_id in plan.units.index[::40]:
        found = explain_unit(plan, unit_id, settings=shared_settings)
        for weight in found.weight_ranges:
            for end, taker, step in ((weight.low, weight.below, -1e-6), (weight.high, weight.above, 1e-6)):
                if taker >= 0 and 0 <= end + step <= 1:
                    beyond = plan.params.with_values({f"weights.{weight.criterion}": end + step})
                    inside = plan.params.with_values({f"weights.{weight.criterion}": end - step})
                    assert best_of_kind(embedded_city, beyond, shared_settings, unit_id, found) == found.takers[taker]
                    assert found.chosen is not None
                    kept = best_of_kind(embedded_city, inside, shared_settings, unit_id, found)
                    assert kept == found.chosen.site_ids
                    tried += 1
    assert tried >= 3


def best_of_kind(city: City, params: Params, settings: Settings, unit_id: str, found: Explanation) -> tuple[str, ...]:
    assert found.chosen is not None
    table = make_plan(city, params, settings=settings).options
    row = table[(table["unit_id"] == unit_id) & (table["n_sites"] == len(found.chosen.site_ids))].iloc[0]
    return tuple(site for site in (row["site_id_1"], row["site_id_2"]) if site)


def test_the_budget_that_was_denied_is_ranked(embedded_city: City, shared_settings: Settings) -> None:
    params = Params().with_values({"choice.max_sites": 150})
    plan = make_plan(embedded_city, params, settings=shared_settings)
    denied = plan.units.index[plan.units["reason"] == "one_site_budget"][0]
    place = explain_unit(plan, denied, settings=shared_settings).standing
    assert place is not None
    assert place.n_granted == 150 - 126 < place.rank <= place.n_wanting
    assert place.weighted_gain <= place.marginal_gain
    enough = params.with_values({"choice.max_sites": 126 + place.rank})
    assert make_plan(embedded_city, enough, settings=shared_settings).units.loc[denied, "n_sites"] == 2
    short = params.with_values({"choice.max_sites": 126 + place.rank - 1})
    assert make_plan(embedded_city, short, settings=shared_settings).units.loc[denied, "n_sites"] == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_explanation_has_words(embedded_city: City, shared_settings: Settings, lang: str) -> None:
    for values in ({}, {"choice.max_sites": 150}, {"constraints.max_district_offices": 3}):
        plan = make_plan(embedded_city, Params().with_values(values), settings=shared_settings)
        for unit_id in plan.units.index[::25]:
            texts = explanation_texts(plan, explain_unit(plan, unit_id, settings=shared_settings), lang=lang)
            assert len(texts) >= 4
            assert not any("{" in text or "nan" in text.split() for text in texts)


def test_a_unit_with_one_building_has_no_runner_up(city: City, settings: Settings) -> None:
    plan, found = explained(city, ONE_EACH, settings, "00010")
    assert (found.runner_up, found.building_changes, found.weight_ranges) == (None, (), ())
    assert "no other choice" in " ".join(explanation_texts(plan, found, lang="en"))
    assert set(CRITERIA) == set(found.chosen.criteria if found.chosen else ())


def test_an_unknown_unit_is_named(city: City, settings: Settings) -> None:
    plan = make_plan(city, ONE_EACH, settings=settings)
    with pytest.raises(InputError) as error:
        explain_unit(plan, "99999", settings=settings)
    assert error.value.faults[0].key == "unit_unknown"


def test_the_least_number_that_wins_is_found() -> None:
    assert least_that_wins(lambda more: more >= 37, 100) == 37
    assert least_that_wins(lambda more: False, 100) is None
    assert least_that_wins(lambda more: True, 0.4) == 1
    assert least_that_wins(lambda more: True, -5) is None
