"""The whole chain on the data that the project ships."""

import numpy as np
import pytest

from geo import City, Params, Plan, Settings, make_plan


@pytest.fixture(scope="module")
def plan(embedded_city: City, shared_settings: Settings) -> Plan:
    return make_plan(embedded_city, Params(), settings=shared_settings)


def test_the_embedded_city_is_hanoi_and_says_that_it_is_modelled(embedded_city: City) -> None:
    tables = (embedded_city.communes, embedded_city.districts, embedded_city.units, embedded_city.sites)
    assert [len(table) for table in tables] == [526, 30, 126, 903]
    assert set(embedded_city.modelled) == {"boundaries", "buildings", "network", "population"}
    assert embedded_city.name == "Hà Nội"


def test_every_unit_gets_one_site_or_two_within_the_budget(plan: Plan) -> None:
    assert plan.units["n_sites"].isin([1, 2]).all()
    assert 126 < plan.totals["sites"] <= plan.params.choice.max_sites
    assert (
        plan.sites["unit_id"][plan.sites["chosen"]]
        .value_counts()
        .sort_index()
        .equals(plan.units["n_sites"].rename("count").sort_index())
    )


def test_every_unit_has_travel_times(plan: Plan) -> None:
    assert plan.units["mean_time_min"].between(0.5, 30).all()
    assert plan.totals["units_without_network"] == []


def test_nobody_and_nothing_is_lost_on_the_way(plan: Plan) -> None:
    demand = plan.city.units["population"].sum()
    assert plan.units["population"].sum() == pytest.approx(demand)
    assert plan.city.pieces["population"].sum() == pytest.approx(plan.city.communes["population"].sum(), rel=1e-9)
    assert plan.units["staff"].sum() == plan.params.norms.staff_to_house


def test_a_budget_of_one_site_each_takes_the_best_single_ones(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, Params().with_values({"choice.max_sites": 126}), settings=shared_settings)
    assert plan.totals["units_with_one"] == 126
    single = plan.sites.groupby("unit_id")["score_0_1"].max()
    chosen = plan.sites[plan.sites["chosen"]].set_index("unit_id")["score_0_1"]
    assert chosen.sort_index().to_numpy() == pytest.approx(single.sort_index().to_numpy(), abs=1e-9)


def test_the_people_of_the_island_cross_by_ferry(plan: Plan) -> None:
    """Minh Châu lies in the Hồng; its own people need no ferry to reach their own commune office."""
    island = plan.units.loc["09661"]
    assert np.isfinite(island["mean_time_min"])
    assert island["unreachable_population"] == 0
