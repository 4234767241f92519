import datetime
from pathlib import Path

import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from geo import Params, ParamsError
from geo.profile import Restriction, Scenario, list_scenarios, read_scenario
from geo.schemas import RoadNetwork
from geo.settings import EMBEDDED_DATA
from geo.text import LANGUAGES
from geo.travel.access import compute_travel_times
from geo.travel.engine import TICKS_PER_S, UNREACHED, Places, road_metric
from geo.travel.network import TravelGraph, build_graph
from geo.travel.scenario import apply_scenario
from tests.roads import ALONG, CRS, ORIGIN, road_network
from tests.travel.test_access import KMH, frame, pd

# Two banks and two bridges, one of them far away. People live at a, the building stands at B.
#
#   B ─────────────── b2 ── b3
#   │≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈│      the near bridge is 400 m long, the far one too, 3 km to the east
#   a ─────────────── a2 ── a3
NODES = {"a": (0, 0), "a2": (2000, 0), "a3": (3000, 0), "B": (0, 400), "b2": (2000, 400), "b3": (3000, 400)}
ROADS = [
    ("a", "B", "primary"), ("a", "a2", "primary"), ("a2", "a3", "primary"), ("a3", "b3", "primary"),
    ("b3", "b2", "primary"), ("b2", "B", "primary"),
]  # fmt: skip
ACCESS = Params().access


TO_DEGREES = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def degrees(x: float, y: float) -> tuple[float, float]:
    return TO_DEGREES.transform(x + ORIGIN[0], y + ORIGIN[1])


def metres(lon: float, lat: float) -> tuple[float, float]:
    return TO_DEGREES.transform(lon, lat, direction="INVERSE")


def disc(x: float, y: float, radius_m: float, **values: object) -> Restriction:
    lon, lat = degrees(x, y)
    return Restriction(name="disc", lon=lon, lat=lat, radius_m=radius_m, **values)


def ring(corners: list[tuple[float, float]], **values: object) -> Restriction:
    return Restriction(name="ring", ring=tuple(degrees(*corner) for corner in corners), **values)


def scenario(*restrictions: Restriction, **values: object) -> Scenario:
    return Scenario(name="toy", restrictions=restrictions, **values)


def toy(nodes: dict = NODES, roads: list = ROADS) -> tuple[RoadNetwork, TravelGraph]:
    network = road_network(nodes, roads)
    return network, build_graph(network, ACCESS, crs=CRS)


def minutes(given_scenario: Scenario, *, nodes: dict = NODES, roads: list = ROADS, site: str = "B") -> np.ndarray:
    """Return the minutes from every node to the building at `site`."""
    network, graph = toy(nodes, roads)
    graph = apply_scenario(graph, network, given_scenario, mode="motorbike", crs=CRS).graph
    demand = frame(nodes, unit_id="U", population=1.0, node=range(len(nodes)), reason="")
    sites = frame({"S": nodes[site]}, unit_id="U")
    times = compute_travel_times(demand, sites, graph, ACCESS, unit_ids=pd.Index(["U"]))
    return times.units["U"].minutes[:, 0]


def test_a_closed_bridge_sends_people_to_the_next_one() -> None:
    assert minutes(scenario())[0] == pytest.approx(400 / KMH, abs=1e-4)
    closed = scenario(disc(0, 200, 60))
    assert minutes(closed)[0] == pytest.approx((3000 + 400 + 3000) / KMH, abs=1e-4)
    both = scenario(disc(0, 200, 60), disc(3000, 200, 60))
    assert np.isinf(minutes(both)[:3]).all()
    assert np.isfinite(minutes(both)[3:]).all()


def test_a_factor_divides_the_speed_of_its_class_and_nought_closes_it() -> None:
    halved = scenario(speed_factors={"motorbike": {"primary": 0.5}})
    assert minutes(halved) == pytest.approx(2 * minutes(scenario()), abs=1e-4)
    assert np.isinf(minutes(scenario(speed_factors={"motorbike": {"primary": 0}}))).all()
    assert (minutes(scenario(speed_factors={"car": {"primary": 0.5}})) == minutes(scenario())).all()


def test_a_zone_may_let_people_go_on_on_foot_and_leaves_its_edge_open() -> None:
    around_bridge = [(-100, 50), (100, 50), (100, 350), (-100, 350)]
    on_foot = minutes(scenario(ring(around_bridge, max_kmh=4.8)))
    assert on_foot[0] == pytest.approx(400 / (4.8 / 3.6 * 60), rel=1e-4)
    assert (minutes(scenario(ring(around_bridge, edge_open_m=150))) == minutes(scenario())).all()


def test_a_restriction_holds_for_its_modes_from_its_day_on_and_for_its_classes() -> None:
    network, graph = toy()
    closed = disc(0, 200, 60, since=datetime.date(2026, 7, 1), modes=("motorbike",))

    def changed(given_scenario: Scenario, mode: str = "motorbike") -> bool:
        applied = apply_scenario(graph, network, given_scenario, mode=mode, crs=CRS)
        return bool((applied.graph.seconds != graph.seconds).any())

    assert changed(scenario(closed))
    assert changed(scenario(closed, on="2026-07-01"))
    assert not changed(scenario(closed, on="2026-06-30"))
    assert not changed(scenario(closed), mode="car")
    assert not changed(scenario(disc(0, 200, 60, classes=("trunk",))))


def test_a_restriction_that_touches_no_road_is_named() -> None:
    network, graph = toy()
    applied = apply_scenario(graph, network, scenario(disc(0, 9000, 60)), mode="motorbike", crs=CRS)
    assert applied.idle == ("disc",)


def test_a_barrier_without_length_is_closed_by_what_it_joins_alone() -> None:
    nodes = {"a": (0, 0), "b": (1000, 0), "b'": (1000, 0), "c": (2000, 0)}
    network, graph = toy(nodes, [("a", "b", "primary"), ("b'", "c", "primary"), ("b", "b'", "primary")])
    barrier = graph.segment == 2
    at_it = ring([(900, -100), (1100, -100), (1100, 100), (900, 100)], edge_open_m=0)
    for closed in (at_it, disc(1000, 0, 50)):
        applied = apply_scenario(graph, network, scenario(closed), mode="motorbike", crs=CRS)
        assert (applied.graph.seconds[barrier] == 0).all()
    none = scenario(speed_factors={"motorbike": {"primary": 0}})
    seconds = apply_scenario(graph, network, none, mode="motorbike", crs=CRS).graph.seconds
    assert np.isinf(seconds[~barrier]).all()
    assert not np.isnan(seconds).any()


# Random streets on a grid of 4 by 4 places, one-way or not, and random scenarios over them.
GRID = {f"{i}{j}": (400.0 * i, 400.0 * j) for i in range(4) for j in range(4)}
EDGES = [(u, v) for u in GRID for v in GRID if u < v and np.hypot(*np.subtract(GRID[u], GRID[v])) < 401]
place = st.floats(-200, 1400)
discs = st.builds(
    lambda x, y, r, kmh: disc(x, y, r, max_kmh=kmh), place, place, st.floats(20, 500), st.sampled_from([0, 5])
)
rings = st.builds(
    lambda x, y, size, kmh: ring([(x, y), (x + size, y), (x + size, y + size), (x, y + size)], max_kmh=kmh),
    place, place, st.floats(200, 900), st.sampled_from([0, 5]),
)  # fmt: skip
slower = st.dictionaries(st.sampled_from(["primary", "residential"]), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
scenarios = st.builds(
    lambda places, factors: scenario(*places, speed_factors={"motorbike": factors}),
    st.lists(discs | rings, max_size=3), slower,
)  # fmt: skip
streets = st.lists(
    st.tuples(st.sampled_from(EDGES), st.sampled_from(["primary", "residential"]), st.sampled_from([0b111111, ALONG])),
    min_size=4, max_size=30, unique_by=lambda street: street[0],
).map(lambda rows: [(*edge, kind, open_to) for edge, kind, open_to in rows])  # fmt: skip


SPEEDS = ACCESS.speeds_kmh["motorbike"]


def held(restriction: Restriction, start: np.ndarray, end: np.ndarray) -> bool:
    if not restriction.ring:
        middle = shapely.Point(metres(restriction.lon, restriction.lat))
        return shapely.LineString([start, end]).distance(middle) <= restriction.radius_m
    area = shapely.Polygon([metres(*corner) for corner in restriction.ring])
    middle = shapely.Point((start + end) / 2)
    return area.contains(middle) and area.exterior.distance(middle) > restriction.edge_open_m


def is_on_the_edge(restriction: Restriction, start: np.ndarray, end: np.ndarray) -> bool:
    """Return whether the last bit of a coordinate decides if the street is held."""
    if not restriction.ring:
        middle = shapely.Point(metres(restriction.lon, restriction.lat))
        return abs(shapely.LineString([start, end]).distance(middle) - restriction.radius_m) < 1e-3
    edge = shapely.LinearRing([metres(*corner) for corner in restriction.ring])
    return abs(edge.distance(shapely.Point((start + end) / 2)) - restriction.edge_open_m) < 1e-3


def streets_left(roads: list, given_scenario: Scenario) -> nx.DiGraph:
    """Return what the scenario leaves, told anew street by street."""
    factors = given_scenario.speed_factors["motorbike"]
    left = nx.DiGraph()
    for tail, head, kind, open_to in roads:
        start, end = (np.add(GRID[name], ORIGIN) for name in (tail, head))
        speeds = [SPEEDS[kind] * factors.get(kind, 1.0)]
        speeds += [one.max_kmh for one in given_scenario.restrictions if held(one, start, end)]
        if min(speeds) == 0:
            continue
        seconds = float(np.hypot(*(end - start))) / (min(speeds) / 3.6)
        left.add_edge(tail, head, weight=seconds)
        if open_to != ALONG:
            left.add_edge(head, tail, weight=seconds)
    return left


@given(streets, scenarios)
def test_ways_under_a_scenario_are_those_of_networkx_and_never_shorter_than_without(
    roads: list, given_scenario: Scenario
) -> None:
    places = [[np.add(GRID[name], ORIGIN) for name in road[:2]] for road in roads]
    assume(not any(is_on_the_edge(one, *ends) for one in given_scenario.restrictions for ends in places))
    network, graph = toy(GRID, roads)
    applied = apply_scenario(graph, network, given_scenario, mode="motorbike", crs=CRS).graph
    left, names = streets_left(roads, given_scenario), list(GRID)
    ways = [
        road_metric(each, cutoff_s=10_000).many_to_many(Places.at(range(len(GRID))), range(len(GRID)))
        for each in (graph, applied)
    ]
    assert (ways[1] >= ways[0]).all()
    for column, target in enumerate(names):
        expected = nx.single_source_dijkstra_path_length(left.reverse(), target) if target in left else {target: 0.0}
        found = {name: ways[1][row, column] for row, name in enumerate(names) if ways[1][row, column] < UNREACHED}
        assert {name: ticks / TICKS_PER_S for name, ticks in found.items()} == pytest.approx(expected, abs=0.01)


def test_every_scenario_that_is_shipped_is_told_in_every_language_and_marks_what_it_assumes() -> None:
    found = [read_scenario(name) for name in list_scenarios()]
    assert len(found) >= 5
    for one in found:
        assert set(one.title) == set(one.about) == set(LANGUAGES)
        assert one.assumption
        assert one.source
        assert one.speed_factors or one.restrictions


def test_the_zone_of_ring_road_1_holds_the_middle_of_the_old_city_and_not_the_other_bank() -> None:
    (zone,) = read_scenario("ring_road_1_barred").restrictions
    area = shapely.Polygon(zone.ring)
    assert area.contains(shapely.Point(105.8500, 21.0300)), "Hoàn Kiếm"
    assert not area.contains(shapely.Point(105.8700, 21.0450)), "Long Biên"
    assert zone.since == datetime.date(2026, 7, 1)
    assert zone.modes == ("motorbike",)


def test_the_ring_roads_lie_in_each_other_and_hold_from_their_dates() -> None:
    rings = read_scenario("ring_roads_on_foot").restrictions
    inner, middle, outer = (shapely.Polygon(zone.ring) for zone in rings)
    assert inner.intersection(middle).area > 0.97 * inner.area, "they share the western street"
    assert middle.intersection(outer).area > 0.99 * middle.area
    assert middle.contains(shapely.Point(105.8850, 21.0350)), "Long Biên"
    assert outer.contains(shapely.Point(105.8300, 21.1200)), "the south of Đông Anh"
    assert not outer.contains(shapely.Point(105.7750, 20.9700)), "Hà Đông"
    on_day = [
        sum(zone.holds("motorbike", on=datetime.date(year, 1, 2)) for zone in rings) for year in range(2026, 2031)
    ]
    assert on_day == [0, 1, 2, 2, 3]


def test_a_scenario_written_as_toml_is_read_back(tmp_path: Path) -> None:
    for name in list_scenarios():
        first = read_scenario(name, on=datetime.date(2026, 7, 1))
        (tmp_path / f"{name}.toml").write_text(first.to_toml(), encoding="utf-8")
        assert read_scenario(tmp_path / f"{name}.toml") == first


def test_a_folder_brings_scenarios_of_its_own_which_go_first(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    for name in ("night", "market_day"):
        (tmp_path / "scenarios" / f"{name}.toml").write_text("[speed_factors.car]\nprimary = 0.5\n")
    assert {"night", "market_day", "rush_hour"} <= set(list_scenarios(tmp_path))
    assert read_scenario("night", data_dir=tmp_path).speed_factors == {"car": {"primary": 0.5}}
    assert read_scenario("market_day", data_dir=tmp_path).words("fr") == "market_day"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[speed_factors.car]\nroad = 1", "speed_factors.car, value “road”.*allowed: ferry"),
        ("[speed_factors.car]\nprimary = 3", "speed_factors.car.primary, value “3.0”.*allowed: 0 … 2"),
        ("[speed_factors.boat]\nprimary = 1", "motorbike"),
        ('[[restrictions]]\nbridge = "Cầu X"', "Cầu Đuống"),
        ('[[restrictions]]\nzone = "X"', "Vành đai 1"),
        ('[[restrictions]]\nname = "x"', "no place, or more than one"),
        ('[[restrictions]]\nname = "x"\nlon = 1.0', "no place, or more than one"),
        ('[[restrictions]]\nname = "x"\nring = [[0, 0], [1, 1], [1, 0], [0, 1]]', "crosses itself"),
        ('[[restrictions]]\nbridge = "Cầu Đuống"\nclasses = ["road"]', "restrictions.0.classes, value “road”"),
        ("restrictions = 1", "must be a list"),
        ("restrictions = [1]", "must be a table"),
        ("surprise = 1", "no parameter"),
        ("= 1", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_told_with_the_file(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=rf"(?s)mine\.toml.*{told}"):
        read_scenario(path)


def test_an_unknown_scenario_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match="rush_hour"):
        read_scenario("nope")


def test_the_shipped_scenarios_lie_in_the_embedded_folder() -> None:
    assert {path.parent.parent for path in list_scenarios().values()} == {EMBEDDED_DATA}
