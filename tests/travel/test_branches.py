import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from geo.city import City
from geo.errors import ParamsError
from geo.params import Params
from geo.plan import make_plan, prepare
from geo.publish.files import write_plan
from geo.schemas import WGS84
from geo.settings import Settings
from geo.travel.branches import minutes_to_points, nearest_minutes, with_points
from geo.travel.network import build_graph
from tests.test_plan import SMALL, streets_of

COUNTED = SMALL.with_values({"service.count_points": True})


@pytest.fixture
def city(toy_city: City) -> City:
    return dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")


def place_of(city: City, site_id: str) -> tuple[float, float]:
    point = city.sites.geometry.to_crs(WGS84)[site_id]
    return point.x, point.y


def at(params: Params, *places: tuple[float, float]) -> Params:
    return params.with_values({"service.points": {str(number): place for number, place in enumerate(places)}})


def test_a_point_where_a_building_stands_is_as_far_as_the_building(city: City, settings: Settings) -> None:
    times = prepare(city, SMALL, settings=settings).times
    assert city.network is not None
    graph = build_graph(city.network, SMALL.access, crs=city.crs)
    unit = times.units["00010"]
    home = place_of(city, unit.site_ids[0])
    far = (home[0] + 5.0, home[1])
    nearest = nearest_minutes(minutes_to_points(times, {"a": far, "b": home}, graph, SMALL.access))
    np.testing.assert_allclose(nearest["00010"], unit.minutes[:, 0])
    assert np.isinf(nearest["00020"]).all(), "a unit without roads has no times to anything"
    none = nearest_minutes(minutes_to_points(times, {}, graph, SMALL.access))
    assert np.isinf(none["00010"]).all()
    with_none = with_points(times, none)
    np.testing.assert_array_equal(with_none.units["00010"].minutes, unit.minutes)
    np.testing.assert_array_equal(with_none.units["00020"].reason, times.units["00020"].reason)


def test_each_citizen_goes_to_the_nearer_of_site_and_point(city: City, settings: Settings) -> None:
    west, south, _, north = city.units.to_crs(WGS84).geometry["00010"].bounds
    params = at(COUNTED, (west + 0.002, (south + north) / 2))
    with_them, without = (prepare(city, p, settings=settings) for p in (params, SMALL))
    served, alone = with_them.served.units["00010"].minutes, without.times.units["00010"].minutes
    assert (served <= alone).all()
    assert (served < alone).any()
    np.testing.assert_array_equal(with_them.times.units["00010"].minutes, alone)
    access = with_them.criteria["access_0_1"] - without.criteria["access_0_1"]
    assert (access.dropna() > 0).all()
    plan = make_plan(city, params, settings=settings)
    assert plan.totals["mean_time_min"] < plan.totals["sites_mean_time_min"]
    assert plan.totals["share_within_30min_of_sites"] <= plan.totals["share_within_30min"]
    pinned = SMALL.with_values({"constraints.pinned_sites": plan.sites.index[plan.sites["chosen"]].tolist()})
    same = make_plan(city, pinned.with_values({"choice.max_sites": plan.totals["sites"]}), settings=settings)
    assert plan.totals["sites_mean_time_min"] == pytest.approx(same.totals["mean_time_min"])


def test_without_them_nothing_is_said_of_points_and_with_them_both_figures_are_in_the_files(
    city: City, settings: Settings, tmp_path: Path
) -> None:
    plan = make_plan(city, SMALL, settings=settings)
    assert not any("sites_mean" in name for name in plan.totals)
    write_plan(make_plan(city, at(COUNTED, place_of(city, "S1")), settings=settings), tmp_path / "out", lang="en")
    totals = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["totals"]
    assert totals["mean_time_min"] <= totals["sites_mean_time_min"]


def test_no_point_changes_no_figure(city: City, settings: Settings) -> None:
    plain, none = (make_plan(city, p, settings=settings) for p in (SMALL, at(COUNTED)))
    assert none.units["mean_time_min"].tolist() == pytest.approx(plain.units["mean_time_min"].tolist(), nan_ok=True)
    assert none.optimality["objective"] == plain.optimality["objective"]


def test_a_point_off_the_earth_is_refused() -> None:
    with pytest.raises(ParamsError, match="service"):
        Params().with_values({"service.points": {"1": [21.07, 105.8]}})
