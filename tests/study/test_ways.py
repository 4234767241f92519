import dataclasses

import numpy as np
import pytest

from geo import plan as plan_module
from geo.city import City
from geo.plan import prepare, travel_times
from geo.settings import Settings
from geo.study import ways as ways_module
from geo.study.ways import point_ways, travel_distances
from tests.test_plan import SMALL, streets_of


@pytest.fixture
def city(toy_city: City) -> City:
    return dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")


def test_distances_are_kept_on_disk_and_measured_anew_for_other_ways(
    city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = travel_times(city, SMALL.access, settings=settings)
    first = travel_distances(city, SMALL.access, times=times, settings=settings)
    measured: list[int] = []

    def measure(*_: object, **__: object) -> dict[str, np.ndarray]:
        measured.append(1)
        return first

    monkeypatch.setattr(ways_module, "compute_distances", measure)
    again = travel_distances(city, SMALL.access, settings=settings)
    assert not measured
    for unit_id, km in first.items():
        assert np.array_equal(again[unit_id], km)
        assert km.shape == times.units[unit_id].minutes.shape
    unit = times.units["00010"]
    lost = dataclasses.replace(unit, minutes=np.full_like(unit.minutes, np.inf))
    other = dataclasses.replace(times, units={**times.units, "00010": lost})
    travel_distances(city, SMALL.access, times=other, settings=settings)
    assert measured


def test_service_points_in_another_order_keep_their_ways(city: City, settings: Settings) -> None:
    """The name of the cache does not depend on the order: the second answer comes from the first."""
    near, far = city.sites.geometry.to_crs("EPSG:4326")[["S1", "S2"]]
    points = {"near": (near.x, near.y), "far": (far.x, far.y)}
    found = []
    for names in (("near", "far"), ("far", "near")):
        given = {"service.count_points": True, "service.points": {name: points[name] for name in names}}
        ways = point_ways(city, SMALL.with_values(given), settings=settings)
        assert ways is not None
        column = ways.names.index("near")
        found.append((ways.minutes["00010"][:, column], ways.km["00010"][:, column]))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_plan_and_its_ways_compute_the_times_to_service_points_once(
    city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = SMALL.with_values({"service.count_points": True})
    prepare(city, params, settings=settings)
    monkeypatch.setattr(plan_module, "minutes_to_points", None)
    assert point_ways(city, params, settings=settings) is not None


def test_the_ways_to_service_points_are_kept_and_known_only_where_they_count(city: City, settings: Settings) -> None:
    assert point_ways(city, SMALL, settings=settings) is None
    point = city.sites.geometry.to_crs("EPSG:4326")["S1"]
    counted = SMALL.with_values({"service.count_points": True, "service.points": {"P": (point.x, point.y)}})
    first, again = (point_ways(city, counted, settings=settings) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.names == again.names == ("P",)
    distances = travel_distances(city, counted.access, settings=settings)
    for unit_id, km in first.km.items():
        assert np.array_equal(km, again.km[unit_id])
        assert np.array_equal(first.minutes[unit_id], again.minutes[unit_id])
        assert np.array_equal(np.isinf(km), np.isinf(first.minutes[unit_id]))
    assert first.km["00010"][:, 0] == pytest.approx(distances["00010"][:, 0], abs=2e-5), "S1 is the only building there"
