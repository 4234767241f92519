import dataclasses

import pytest

from geo.city import City
from geo.params import Params
from geo.plan import Plan, make_plan
from geo.settings import Settings
from geo.study.sensitivity import FIGURES, TIMES, try_times, vary_figures
from tests.test_plan import SMALL, streets_of

VARIED = SMALL.with_values(
    {
        "norms.staff_leaving": 20,
        "norms.staff_not_placed": 20,
        "choice.max_sites": 3,
        "robustness.figure_spread": 0.3,
        "robustness.n_time_draws": 20,
    }
)


def plan_of(city: City, params: Params, settings: Settings) -> Plan:
    streets = dataclasses.replace(city, network=streets_of(city), digest="toy-with-streets")
    return make_plan(streets, params, settings=settings)


def buildings(plan: Plan) -> list[set[str]]:
    return [{row.site_id_1, row.site_id_2} for row in plan.units.itertuples()]


@pytest.mark.slow
def test_every_figure_is_tried_both_ways_and_told_as_the_whole_plan_tells_it(
    toy_city: City, settings: Settings
) -> None:
    """The oracle is a plan made anew with each value."""
    plan = plan_of(toy_city, VARIED, settings)
    table = vary_figures(plan, settings=settings)
    assert set(table["figure"]) == {*FIGURES, "norms.decree"}
    assert (table["figure"].value_counts()[list(FIGURES)] == 2).all()
    for row in table[table["figure"] != TIMES].iloc[::3].itertuples():
        other = plan_of(toy_city, VARIED.with_values({row.figure: row.tried}), settings)
        changed = [old != new for old, new in zip(buildings(plan), buildings(other), strict=True)]
        assert row.unit_ids.split() == plan.units.index[changed].tolist(), row.figure
        assert row.units_changed == sum(changed)
        assert row.people == plan.units["population"][changed].sum()
        assert row.units_other_number == (plan.units["n_sites"] != other.units["n_sites"]).sum()
    assert table["units_changed"].sum() > 0


def test_values_out_of_their_bounds_and_figures_of_nothing_are_left_out(toy_city: City, settings: Settings) -> None:
    params = VARIED.with_values({"norms.usable_share": 0.9, "choice.split_penalty": 0.0})
    tried = vary_figures(plan_of(toy_city, params, settings), settings=settings).groupby("figure")["tried"].agg(list)
    assert tried["norms.usable_share"] == [0.63]
    assert "choice.split_penalty" not in tried.index


def test_a_norm_that_nothing_can_meet_is_told_as_impossible(toy_city: City, settings: Settings) -> None:
    plan = plan_of(toy_city, VARIED, settings)
    least = float(plan.units["norm_met_pct"].min())
    pinned = {"constraints.pinned_sites": [site for site in plan.units["site_id_1"] if site]}
    tight = VARIED.with_values({"constraints.min_norm_met_pct": least, "choice.max_sites": 3} | pinned)
    table = vary_figures(plan_of(toy_city, tight, settings), settings=settings)
    staff = table[table["figure"] == "norms.city_staff"].set_index("tried")["possible"]
    assert staff.tolist() == [True, False], "more staff, more area to find"


@pytest.mark.slow
def test_travel_times_that_count_for_nothing_turn_nothing(toy_city: City, settings: Settings) -> None:
    idle = VARIED.with_values({"weights.access": 0, "choice.split_penalty_per_min": 0})
    plan = plan_of(toy_city, idle, settings)
    table = vary_figures(plan, settings=settings)
    assert (table["units_changed"][table["figure"] == TIMES] == 0).all()
    assert (try_times(plan, settings=settings) == 1).all()


@pytest.mark.slow
def test_travel_times_that_count_turn_some_and_always_the_same(embedded_city: City, shared_settings: Settings) -> None:
    few = Params().with_values({"robustness.n_time_draws": 3})
    plan = make_plan(embedded_city, few, settings=shared_settings)
    share = try_times(plan, settings=shared_settings)
    assert set((share * 3).round(9)) == {0.0, 1.0, 2.0, 3.0}
    assert share.mean() > 0.7, "an error of a fifth does not turn the city"
    assert share.tolist() == try_times(plan, settings=shared_settings).tolist()
