import dataclasses

import numpy as np
import pytest

from geo import plan as plan_module
from geo.city import City
from geo.params import Params
from geo.plan import travel_times
from geo.profile import Scenario
from geo.settings import Settings
from geo.travel import standing as standing_module
from geo.travel.access import compute_travel_times
from geo.travel.demand import place_demand
from geo.travel.network import build_graph
from geo.travel.scenario import apply_scenario
from geo.travel.standing import standing_of
from tests.test_plan import streets_of

SLOW = Params().with_values({"access.scenario": Scenario(speed_factors={"motorbike": {"residential": 0.25}})}).access
PLAIN = Params().access


@pytest.fixture
def city(toy_city: City) -> City:
    return dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("must not be called")


def test_times_under_a_profile_are_those_of_the_roads_with_its_seconds(city: City, settings: Settings) -> None:
    assert city.network is not None
    assert SLOW.scenario is not None
    graph = build_graph(city.network, PLAIN, crs=city.crs)
    demand = place_demand(city.pieces, city.units, graph, PLAIN)
    slow = apply_scenario(graph, city.network, SLOW.scenario, mode="motorbike", crs=city.crs).graph
    wanted = compute_travel_times(demand, city.sites, slow, SLOW, unit_ids=city.units.index)
    found, plain = (travel_times(city, params, settings=settings) for params in (SLOW, PLAIN))
    for unit_id, unit in wanted.units.items():
        for name in ("minutes", "between_min", "reason", "population"):
            assert np.array_equal(getattr(found.units[unit_id], name), getattr(unit, name)), name
    assert (found.frontage_0_1.fillna(-1) == wanted.frontage_0_1.fillna(-1)).all()
    assert (found.centrality_0_1.fillna(-1) == wanted.centrality_0_1.fillna(-1)).all()
    assert np.nanmin(found.units["00010"].minutes - plain.units["00010"].minutes) > 0


def test_another_profile_builds_no_graph_and_places_nobody(
    city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    travel_times(city, PLAIN, settings=settings)
    monkeypatch.setattr(plan_module, "place_demand", forbidden)
    for name in ("build_graph", "snap"):
        monkeypatch.setattr(standing_module, name, forbidden)
    travel_times(city, SLOW, settings=settings)


def test_other_roads_other_sites_and_another_mode_stand_apart(city: City) -> None:
    assert city.network is not None
    first = standing_of(city.network, city.sites, PLAIN, crs=city.crs)
    assert standing_of(city.network, city.sites, SLOW, crs=city.crs) is first
    walking = PLAIN.model_copy(update={"mode": "walk"})
    others = (
        standing_of(city.network, city.sites, walking, crs=city.crs),
        standing_of(dataclasses.replace(city.network), city.sites, PLAIN, crs=city.crs),
        standing_of(city.network, city.sites.iloc[:2], PLAIN, crs=city.crs),
    )
    assert all(other is not first for other in others)
    assert len(standing_module._kept) <= 2
