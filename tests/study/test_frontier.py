import dataclasses

import numpy as np
import pandas as pd
import pytest

from geo.city import City
from geo.errors import InfeasibleError
from geo.params import Params
from geo.plan import make_plan
from geo.settings import Settings
from geo.study.frontier import trace_frontier
from geo.study.reach import reach_table
from geo.study.sensitivity import robustness_tables
from tests.test_plan import SMALL, streets_of


@pytest.fixture(scope="module")
def frontier(embedded_city: City, shared_settings: Settings) -> pd.DataFrame:
    return trace_frontier(make_plan(embedded_city, settings=shared_settings), settings=shared_settings)


def test_the_frontier_runs_from_one_site_each_to_two_and_never_falls(frontier: pd.DataFrame) -> None:
    assert frontier.index.tolist() == list(range(126, 253))
    assert frontier["mark"][126] == "one_each"
    assert frontier["mark"][232] == "budget"
    assert (frontier["mark"] != "").sum() == 2
    gains = frontier["marginal_gain"].to_numpy()[1:]
    assert (gains >= 0).all()
    assert (np.diff(gains) <= 2e-9).all(), "each further site is worth no more than the one before"
    assert frontier["shadow_price"].to_numpy()[:-1] == pytest.approx(gains)


@pytest.mark.parametrize("budget", [126, 180, 232])
def test_a_point_of_the_frontier_is_the_plan_of_that_budget(
    embedded_city: City, shared_settings: Settings, frontier: pd.DataFrame, budget: int
) -> None:
    plan = make_plan(embedded_city, Params().with_values({"choice.max_sites": budget}), settings=shared_settings)
    row = frontier.loc[budget]
    for name in ("sites", "mean_time_min", "share_within_30min", "norm_met_pct"):
        assert row[name] == pytest.approx(plan.totals[name])
    assert row["units_with_two"] == plan.totals["units_with_two"]
    assert row["objective"] == pytest.approx(plan.optimality["objective"])
    assert row["mean_time_min"] <= row["p95_time_min"] <= row["worst_time_min"]
    reach = reach_table(plan, settings=shared_settings).totals
    for name in ("share_within_5km", "share_within_target", "p95_time_min", "worst_time_min"):
        assert row[name] == pytest.approx(reach[name])


def test_staff_people_and_area_are_the_same_in_every_table(embedded_city: City, shared_settings: Settings) -> None:
    """Nothing is lost or counted twice on the way from the city to the tables of a plan."""
    for values in ({}, {"choice.max_sites": 126}, {"constraints.max_district_offices": 3}):
        params = Params().with_values(values)
        plan = make_plan(embedded_city, params, settings=shared_settings)
        assert plan.units["population"].sum() == embedded_city.units["population"].sum() == plan.totals["population"]
        assert plan.units["staff"].sum() == params.norms.staff_to_house
        picked = plan.sites[plan.sites["chosen"]]
        chosen = plan.options[plan.options["chosen"]].set_index("unit_id")
        assert chosen["usable_area_m2"].sum() == pytest.approx(picked["usable_area_m2"].sum())
        by_unit = plan.units["norm_met_pct"] / 100 * plan.units["need_m2"]
        assert by_unit.sum() == pytest.approx(picked["usable_area_m2"].sum())
        assert len(picked) == plan.units["n_sites"].sum() == plan.totals["sites"]
        assert (
            picked.groupby("unit_id")
            .size()
            .equals(plan.units["n_sites"].rename(None).loc[lambda n: n > 0].sort_index())
        )


def test_with_a_cap_each_budget_is_solved_by_integer_programming(toy_city: City, settings: Settings) -> None:
    city = dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")
    params = SMALL.with_values({"constraints.max_district_offices": 0, "constraints.cost_per_site": 10})
    table = trace_frontier(make_plan(city, params, settings=settings), settings=settings)
    assert table.index.tolist() == [2, 3, 4]
    assert table["cost"].tolist() == [20, 30, 30]
    assert table["gap"].tolist() == [0, 0, 0]


def test_budgets_that_no_choice_keeps_are_left_out(toy_city: City, settings: Settings) -> None:
    params = SMALL.with_values({"constraints.two_site_units": ["00020"], "choice.max_sites": 9})
    plan = make_plan(toy_city, params, settings=settings)
    assert trace_frontier(plan, settings=settings).index.tolist() == [3, 4]
    with pytest.raises(InfeasibleError):
        trace_frontier(plan, budgets=[2], settings=settings)


def test_budgets_apart_have_no_marginal_gain(toy_city: City, settings: Settings) -> None:
    table = trace_frontier(make_plan(toy_city, SMALL, settings=settings), budgets=[2, 4], settings=settings)
    assert table["marginal_gain"].isna().all()


def test_the_tables_of_robustness_agree_with_the_plan(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, settings=shared_settings)
    units, sites = robustness_tables(plan, settings=shared_settings)
    pd.testing.assert_series_equal(units["win_share"], plan.units["win_share"])
    assert units["firmness"].tolist() == plan.units["firmness"].tolist()
    assert (units["same_number_share"] >= units["win_share"]).all()
    for name in ("location", "size", "access", "conditions"):
        assert (units[f"{name}_low"] <= units[f"{name}_weight"]).all()
        assert (units[f"{name}_high"] >= units[f"{name}_weight"]).all()
    per_unit = sites.groupby("unit_id")["chosen_share"].sum()
    assert per_unit.between(1 - 1e-9, 2 + 1e-9).all(), "one site or two in every weighting"
