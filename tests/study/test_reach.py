import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.city import City
from geo.params import Params
from geo.plan import Plan, choose, make_plan, prepare
from geo.profile import Scenario
from geo.schemas import WGS84
from geo.settings import Settings
from geo.study import reach as reach_module
from geo.study.frontier import trace_frontier
from geo.study.impact import compare_scenario
from geo.study.reach import NO_SITE, Reach, reach_table
from geo.study.ways import option_shares, served_distances
from tests.roads import ORIGIN, road_network
from tests.test_plan import SMALL, streets_of

VARIANTS: dict[str, dict[str, object]] = {
    "one site receives": {},
    "both receive": {"choice.reception": "both_sites"},
    "points count": {"service.count_points": True},
}


@pytest.fixture
def city(toy_city: City) -> City:
    """Return the toy city with streets over the west: unit 00020 hardly has any."""
    return dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")


@pytest.fixture
def covered_city(toy_city: City) -> City:
    """Return the toy city with streets, 250 m apart, over both units."""
    west, south, east, north = toy_city.units.total_bounds - np.array([*ORIGIN, *ORIGIN])
    xs, ys = np.arange(west, east, 250), np.arange(south, north, 250)
    nodes = {f"{i}-{j}": (x, y) for i, x in enumerate(xs) for j, y in enumerate(ys)}
    roads = [(f"{i}-{j}", f"{i + 1}-{j}", "residential") for i in range(len(xs) - 1) for j in range(len(ys))]
    roads += [(f"{i}-{j}", f"{i}-{j + 1}", "residential") for i in range(len(xs)) for j in range(len(ys) - 1)]
    return dataclasses.replace(toy_city, network=road_network(nodes, roads), digest="toy-covered")


def near(city: City, site_id: str) -> tuple[float, float]:
    point = city.sites.geometry.to_crs(WGS84)[site_id]
    return point.x, point.y


def made(city: City, settings: Settings, values: dict[str, object]) -> Plan:
    """Return a plan; where points count, the only one stands where building S1 does."""
    points = {"service.points": {"P": near(city, "S1")}}
    return make_plan(city, SMALL.with_values({**points, **values}), settings=settings)


@pytest.fixture(params=VARIANTS)
def case(city: City, covered_city: City, settings: Settings, request: pytest.FixtureRequest) -> tuple[Plan, Reach]:
    roads = covered_city if request.param == "both receive" else city
    plan = made(roads, settings, VARIANTS[request.param])
    return plan, reach_table(plan, settings=settings)


def test_nobody_is_lost(case: tuple[Plan, Reach]) -> None:
    plan, found = case
    people = plan.units["population"]
    assert found.points.groupby("unit_id")["population"].sum()[people.index].tolist() == pytest.approx(people.tolist())
    arrived = found.receivers.groupby("unit_id")["population"].sum().reindex(people.index, fill_value=0.0)
    everybody = arrived + found.units["unreachable_population"]
    assert everybody.tolist() == pytest.approx(people.tolist())
    assert found.totals["population"] == people.sum()
    assert sum(found.totals["unreachable_by_reason"].values()) == found.totals["unreachable_population"]


@pytest.mark.parametrize("covered", [True, False])
def test_people_with_roads_and_without_a_candidate_count_as_not_served_everywhere(
    city: City, covered_city: City, settings: Settings, covered: bool
) -> None:
    """Without S1 nobody receives unit 00010; where the other one has no roads, it counts nowhere."""
    some = covered_city if covered else city
    some = dataclasses.replace(some, sites=some.sites.drop(index="S1"), digest=f"without-S1-{covered}")
    plan = make_plan(some, SMALL, settings=settings)
    share = 0.5 * plan.units["share_within_30min"]["00020"] if covered else 0.0  # both units have 5,000 people
    assert plan.totals["share_within_30min"] == pytest.approx(share)
    assert reach_table(plan, settings=settings).totals["share_within_30min"] == pytest.approx(share)
    front = trace_frontier(plan, budgets=[plan.totals["sites"]], settings=settings).iloc[0]
    assert front["share_within_30min"] == pytest.approx(share)
    impact = compare_scenario(plan, Scenario(name="none"), settings=settings)
    assert impact.totals["share_within_30min_before"] == pytest.approx(share)


def test_a_unit_without_roads_and_without_a_candidate_counts_nowhere(toy_city: City, settings: Settings) -> None:
    city = dataclasses.replace(toy_city, sites=toy_city.sites.drop(index="S1"), digest="no-roads")
    plan = make_plan(city, SMALL, settings=settings)
    assert plan.totals["share_within_30min"] is None
    assert reach_table(plan, settings=settings).totals["share_within_30min"] is None


def test_the_figures_that_a_plan_has_too_are_the_same(case: tuple[Plan, Reach]) -> None:
    plan, found = case
    for name in ("mean_time_min", "p95_time_min", "share_within_30min", "unreachable_population", "access_reason"):
        left, right = found.units[name], plan.units[name]
        pd.testing.assert_series_equal(left, right, check_exact=False, rtol=1e-12)


def test_a_way_is_no_shorter_than_the_straight_line(case: tuple[Plan, Reach]) -> None:
    points = case[1].points
    arrived = points[points["reason"] == ""]
    assert len(arrived) > 15
    assert (arrived["km"] >= arrived["straight_km"] * (1 - 1e-3)).all()
    assert (arrived["least_km"] <= arrived["km"]).all()
    assert points[points["reason"] != ""][["minutes", "km", "least_km", "straight_km"]].isna().all().all()


def test_a_unit_without_network_has_no_figures_and_says_why(city: City, settings: Settings) -> None:
    row = reach_table(made(city, settings, {}), settings=settings).units.loc["00020"]
    assert row["access_reason"] == "no_network"
    assert row[["mean_time_min", "share_within_5km", "detour_mean"]].isna().all()


def test_a_service_point_beside_the_office_takes_nobody_from_it_and_a_nearer_one_does(
    city: City, settings: Settings
) -> None:
    plan = made(city, settings, {"service.count_points": True, "constraints.pinned_sites": ["S1"]})
    beside = reach_table(plan, settings=settings)
    assert set(beside.receivers["receiver_kind"]) == {"site"}, "a tie falls to the site"
    lon, lat = near(city, "S1")
    away = {"service.count_points": True, "service.points": {"P": (lon, lat + 0.003)}}
    found = reach_table(make_plan(city, SMALL.with_values(away), settings=settings), settings=settings)
    taken = found.receivers.set_index("receiver_kind")["population"]
    assert found.units.loc["00010", "other_population"] == pytest.approx(taken["service_point"])
    assert found.totals["at_service_points"] == pytest.approx(taken["service_point"])
    assert taken.min() > 0


def test_who_lives_in_a_unit_without_a_site_is_told_so(city: City, settings: Settings) -> None:
    plan = made(city, settings, {})
    without = plan.units.assign(site_id_1="", site_id_2="", n_sites=0)
    found = reach_table(dataclasses.replace(plan, units=without), settings=settings)
    reasons = found.points.groupby("unit_id")["reason"].unique().str.join(" ")
    assert reasons.to_dict() == {"00010": NO_SITE, "00020": "no_network"}
    assert found.totals["unreachable_population"] == plan.totals["population"]
    assert found.totals["mean_time_min"] is None


def test_the_minutes_between_the_sites_of_a_unit_are_those_of_its_option(
    covered_city: City, settings: Settings
) -> None:
    plan = made(covered_city, settings, {"constraints.two_site_units": ["00020"]})
    options = plan.options[(plan.options["n_sites"] == 2) & plan.options["chosen"]]
    found = reach_table(plan, settings=settings).units["minutes_between"]
    assert found["00020"] == pytest.approx(options["minutes_between"].item())
    assert np.isnan(found["00010"]), "it has one site"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_share_of_every_option_agrees_with_the_people_of_the_chosen_ones(
    city: City, covered_city: City, settings: Settings, variant: str
) -> None:
    city = covered_city if variant == "both receive" else city
    plan = made(city, settings, VARIANTS[variant])
    prepared, distances = (
        prepare(city, plan.params, settings=settings),
        served_distances(city, plan.params, settings=settings),
    )
    both = plan.params.choice.reception == "both_sites"
    chosen = choose(city, prepared, prepared.options.scores(plan.params.weights), plan.params).chosen
    points = reach_table(plan, settings=settings).points
    near_by_road = points["least_km"] <= 0.6
    for within_min, inside in ((None, near_by_road), (0.9, near_by_road | (points["minutes"] <= 0.9))):
        shares = option_shares(prepared, distances, both=both, within_km=0.6, within_min=within_min)[chosen]
        share = (points["population"] * inside).groupby(points["unit_id"]).sum() / plan.units["population"]
        known = (plan.units["access_reason"] != "no_network").to_numpy()
        assert shares[known] == pytest.approx(share.to_numpy()[known])
        assert 0 < shares[known].min() < 1
        assert np.isnan(shares[~known]).all()


def test_a_smaller_limit_leaves_fewer_people_near(city: City, settings: Settings) -> None:
    plan = made(city, settings, {})
    prepared, distances = (
        prepare(city, plan.params, settings=settings),
        served_distances(city, plan.params, settings=settings),
    )
    shares = [np.nansum(option_shares(prepared, distances, both=False, within_km=km)) for km in (0.2, 0.6, 1.0, 3.0)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


PERSON = st.tuples(st.integers(1, 4), st.one_of(st.none(), st.tuples(st.integers(1, 60), st.integers(1, 120))))


@given(groups=st.lists(PERSON, min_size=1, max_size=12))
def test_the_figures_are_those_of_the_people_counted_one_by_one(
    groups: list[tuple[int, tuple[int, int] | None]],
) -> None:
    """A group arrives by a way of so many minutes and so many 100 m, twice the straight line; or not at all."""
    number = np.array([n for n, _ in groups], float)
    minutes = np.array([np.nan if way is None else way[0] for _, way in groups])
    km = np.array([np.nan if way is None else way[1] / 10 for _, way in groups])
    columns = {
        "minutes": minutes, "km": km, "least_km": km, "straight_km": km / 2,
        "reason": np.where(np.isnan(km), "cut_off", ""),
    }  # fmt: skip
    found = reach_module._figures(columns, number)
    everyone = sorted(minutes.repeat(number.astype(int)), key=lambda m: (np.isnan(m), m))
    arrived = [m for m in everyone if not np.isnan(m)]
    lengths = [k for k in km.repeat(number.astype(int)) if not np.isnan(k)]
    assert found["mean_time_min"] == pytest.approx(np.mean(arrived) if arrived else np.nan, nan_ok=True)
    assert found["median_time_min"] == pytest.approx(everyone[(len(everyone) + 1) // 2 - 1], nan_ok=True)
    assert found["worst_time_min"] == pytest.approx(max(arrived, default=np.nan), nan_ok=True)
    assert found["share_within_20min"] == pytest.approx(sum(m <= 20 for m in arrived) / len(everyone))
    near = [m <= 30 or k <= 5 for m, k in zip(minutes, km, strict=True)]
    assert found["share_within_target"] == pytest.approx(number[near].sum() / number.sum())
    assert found["share_within_5km"] == pytest.approx(sum(k <= 5 for k in lengths) / len(everyone))
    assert found["detour_mean"] == pytest.approx(2.0 if any(k >= 0.4 for k in lengths) else np.nan, nan_ok=True)


def test_people_go_to_the_place_that_is_nearest_by_time_and_count_the_one_that_is_nearest_by_road() -> None:
    choices = reach_module._Choices(
        ids=[("site", "S1"), ("site", "S2")],
        minutes=np.array([[5.0, 6.0], [7.0, 7.0], [np.inf, 9.0], [np.inf, np.inf]]),
        km=np.array([[4.0, 1.0], [3.0, 2.0], [np.inf, 8.0], [np.inf, np.inf]]),
        reason=np.array(["", "", "island", "island"], dtype=object),
    )
    people = gpd.GeoDataFrame(
        {"unit_id": ["U"] * 4, "population": 1.0, "reason": ""},
        geometry=gpd.points_from_xy([0, 0, 0, 0], [0, 0, 0, 0]),
        crs=32648,
    )
    points = reach_module._nobody_arrives(people, pd.Series({"U": 4.0}))
    places = {("site", "S1"): shapely.Point(3000, 0), ("site", "S2"): shapely.Point(0, 500)}
    reach_module._arrive(points, np.arange(4), choices, places)
    assert points["receiver_id"].tolist() == ["S1", "S1", "S2", ""]
    assert points["km"][:3].tolist() == [4, 3, 8]
    assert points["least_km"][:3].tolist() == [1, 2, 8]
    assert points["straight_km"][:3].tolist() == [3, 3, 0.5]
    assert np.isnan(points["minutes"][3])
    assert points["reason"].tolist() == ["", "", "", "island"]


@pytest.mark.slow
def test_on_the_embedded_city_nobody_is_lost_and_no_way_is_shorter_than_a_line(
    embedded_city: City, shared_settings: Settings
) -> None:
    counted = Params().with_values({"service.count_points": True, "choice.reception": "both_sites"})
    plan = make_plan(embedded_city, counted, settings=shared_settings)
    found = reach_table(plan, settings=shared_settings)
    people = plan.units["population"]
    by_unit = found.points.groupby("unit_id")["population"].sum()[people.index]
    assert by_unit.tolist() == pytest.approx(people.tolist())
    assert found.receivers["population"].sum() + found.totals["unreachable_population"] == pytest.approx(people.sum())
    assert found.units["mean_time_min"].tolist() == pytest.approx(plan.units["mean_time_min"].tolist())
    arrived = found.points[found.points["reason"] == ""]
    assert (arrived["km"] >= 0.999 * arrived["straight_km"]).all(), "a grid of UTM is up to 0.1 % off"
    assert found.units["detour_mean"].between(1.05, 2.5).all()
    assert 0 < found.totals["at_service_points"] < 0.1 * people.sum()
    assert found.totals["share_within_target"] >= max(
        found.totals["share_within_30min"], found.totals["share_within_5km"]
    )
