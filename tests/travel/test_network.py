import dataclasses

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import NetworkError, ParamsError
from geo.params import SURFACES, AccessParams, Params
from geo.travel.network import TravelGraph, build_graph, snap
from tests.roads import ALONG, CRS, ORIGIN, road_network

# One kilometre between neighbours; d can be left but not reached, x-y is an island.
#
#       a ── b ── c            x ── y
#            ↑
#            d
NODES = {"a": (0, 0), "b": (1000, 0), "c": (2000, 0), "d": (1000, -1000), "x": (5000, 0), "y": (9000, 0)}
ROADS = [
    ("a", "b", "residential"),
    ("b", "c", "residential"),
    ("d", "b", "residential", ALONG),
    ("x", "y", "residential"),
]


def motorbike(**values: object) -> AccessParams:
    return Params().with_values({f"access.{name}": value for name, value in values.items()}).access


def at(x: float, y: float) -> shapely.Point:
    return shapely.Point(x + ORIGIN[0], y + ORIGIN[1])


def points(*places: tuple[float, float]) -> np.ndarray:
    return np.array([at(*place) for place in places], dtype=object)


def test_travel_time_is_length_over_the_speed_of_the_class() -> None:
    graph = build_graph(road_network(NODES, ROADS), motorbike(), crs=CRS)
    assert graph.seconds[0] == pytest.approx(1000 / (22 / 3.6))


@pytest.mark.parametrize(
    ("highway", "surface", "factor"),
    [
        ("residential", "unknown", 1.0),
        ("residential", "paved", 1.0),
        ("residential", "uneven", 0.8),
        ("residential", "unpaved", 0.65),
        ("residential", "bad", 0.4),
        ("track", "paved", 1.0),
        ("track", "unpaved", 1.0),
        ("track", "bad", 0.4 / 0.65),
    ],
)
def test_a_surface_worse_than_usual_for_the_class_slows_and_none_speeds_up(
    highway: str, surface: str, factor: float
) -> None:
    plain = road_network({"a": (0, 0), "b": (1000, 0)}, [("a", "b", highway)])
    network = dataclasses.replace(plain, surface=np.array([SURFACES.index(surface)], np.uint8))
    seconds = [build_graph(roads, motorbike(), crs=CRS).seconds[0] for roads in (plain, network)]
    assert seconds[0] / seconds[1] == pytest.approx(factor)


def test_the_factor_of_a_surface_can_be_edited() -> None:
    plain = road_network({"a": (0, 0), "b": (1000, 0)}, [("a", "b", "residential")])
    network = dataclasses.replace(plain, surface=np.array([SURFACES.index("bad")], np.uint8))
    edited = motorbike(**{"surface_factors.motorbike.bad": 0.5})
    assert build_graph(network, edited, crs=CRS).seconds[0] == pytest.approx(2000 / (22 / 3.6))
    with pytest.raises(ParamsError, match="allowed: > 0, ≤ 1"):
        motorbike(**{"surface_factors.motorbike.bad": 0})
    with pytest.raises(ParamsError, match="“ice”: The value is not allowed; allowed: paved, uneven, unpaved, bad"):
        motorbike(surface_factors={"motorbike": {"ice": 0.2}})


def test_a_speed_of_zero_closes_a_class() -> None:
    closed = {"motorbike": {"residential": 0}}
    with pytest.raises(NetworkError, match="no road open to mode 'motorbike'"):
        build_graph(road_network(NODES, ROADS), motorbike(speeds_kmh=closed), crs=CRS)


def test_components_tell_the_main_network_from_a_trap_and_an_island() -> None:
    graph = build_graph(road_network(NODES, ROADS), motorbike(), crs=CRS)
    a, b, c, d, x, y = range(6)
    assert {a, b, c} == set(np.flatnonzero(graph.component == graph.main))
    assert set(np.flatnonzero(graph.island)) == {x, y}
    assert set(np.flatnonzero(graph.settled)) == {a, b, c, x, y}, "the island has 4 km of road, one can live there"
    assert not graph.settled[d], "nobody comes back to d"


def test_an_island_shorter_than_the_least_length_is_a_loose_end() -> None:
    graph = build_graph(road_network(NODES, ROADS), motorbike(min_island_km=4.5), crs=CRS)
    assert not graph.settled[4]


def test_a_ferry_takes_its_tagged_time_and_the_wait() -> None:
    network = road_network({"a": (0, 0), "b": (400, 0)}, [("a", "b", "ferry")])
    untagged = build_graph(network, motorbike(ferry_wait_min=5), crs=CRS)
    tagged = build_graph(
        dataclasses.replace(network, duration_s=np.array([600.0])), motorbike(ferry_wait_min=5), crs=CRS
    )
    assert untagged.seconds[0] == pytest.approx(300 + 400 / (8 / 3.6))
    assert tagged.seconds[0] == pytest.approx(900)


def test_a_ferry_with_a_tagged_interval_is_waited_for_half_of_it() -> None:
    network = road_network({"a": (0, 0), "b": (400, 0)}, [("a", "b", "ferry")])
    tagged = dataclasses.replace(network, duration_s=np.array([600.0]), wait_s=np.array([450.0]))
    assert build_graph(tagged, motorbike(ferry_wait_min=5), crs=CRS).seconds[0] == pytest.approx(1050)


def test_points_join_the_nearest_road_and_say_how_far_it_is() -> None:
    graph = build_graph(road_network(NODES, ROADS), motorbike(), crs=CRS)
    snaps = snap(graph, points((250, 40), (250, 900)), limit_m=500)
    assert snaps.fraction[0] == pytest.approx(0.25, abs=1e-3)
    assert snaps.distance_m[0] == pytest.approx(40, abs=0.1)
    assert snaps.arc[1] == -1
    assert np.isnan(snaps.distance_m[1])


def test_a_road_one_can_leave_again_is_preferred_to_a_nearer_trap() -> None:
    graph = build_graph(road_network(NODES, ROADS), motorbike(), crs=CRS)
    snaps = snap(graph, points((1050, -200), (1050, -800)), limit_m=400)
    assert graph.tail[snaps.arc[0]] != 3, "b is 206 m away and lies in the main network"
    assert graph.tail[snaps.arc[1]] == 3, "only the trap is within reach"


# Two streets and a river between them; the bridge over it is a main road.
#
#    a ────────── b   y = 60
#    ~~~~~~~│~~~~~~   y = 30, from x = -500 to 1500
#           │ bridge  x = 1000
#    c ───────────d   y = -80
BANKS = {"a": (0, 60), "b": (1000, 60), "c": (0, -80), "d": (1000, -80)}
BANK_ROADS = [("a", "b", "residential"), ("c", "d", "residential"), ("b", "d", "primary")]
RIVER = [((-500, 30), (1500, 30))]


def banks(*, rivers: list[tuple[tuple[float, float], tuple[float, float]]]) -> TravelGraph:
    network = road_network(BANKS, BANK_ROADS, rivers=rivers)
    return build_graph(dataclasses.replace(network, spanning=np.array([False, False, True])), motorbike(), crs=CRS)


def segments_joined(graph: TravelGraph, places: np.ndarray, *, limit_m: float) -> list[int]:
    arc = snap(graph, places, limit_m=limit_m).arc
    return np.where(arc >= 0, graph.segment[arc], -1).tolist()


def test_nobody_crosses_a_river_to_get_to_a_road() -> None:
    places = points((300, 0), (300, 40), (300, 20))
    assert segments_joined(banks(rivers=[]), places, limit_m=500) == [0, 0, 0]
    assert segments_joined(banks(rivers=RIVER), places, limit_m=500) == [1, 0, 1]


def test_a_point_whose_only_roads_lie_across_the_river_says_so() -> None:
    snaps = snap(banks(rivers=RIVER), points((300, 20), (300, 40), (300, 900)), limit_m=90)
    assert snaps.across_water.tolist() == [True, False, False]
    assert (snaps.arc < 0).tolist() == [True, False, True], "the last one is simply far from everything"
    assert np.isnan(snaps.distance_m[0])


def test_a_point_on_the_line_of_a_river_joins_either_bank() -> None:
    assert segments_joined(banks(rivers=RIVER), points((300, 30)), limit_m=500) == [0]


def test_nobody_gets_on_at_a_bridge_or_a_motorway() -> None:
    assert segments_joined(banks(rivers=[]), points((1000, 10)), limit_m=500) == [0], "not at the bridge beside it"
    network = road_network(BANKS, [("a", "b", "motorway"), ("b", "d", "primary")])
    graph = build_graph(network, motorbike(mode="car"), crs=CRS)
    assert segments_joined(graph, points((300, 50)), limit_m=5000) == [1]


def test_nobody_joins_a_barrier_that_has_no_length() -> None:
    nodes = {"a": (0, 0), "b": (500, 0), "b'": (500, 0), "c": (1000, 0)}
    roads = [("b", "b'", "residential"), ("a", "b", "residential"), ("b'", "c", "residential")]
    graph = build_graph(road_network(nodes, roads), motorbike(), crs=CRS)
    assert segments_joined(graph, points((500, 10)), limit_m=500) == [1]


COORDINATE = st.integers(-20, 20).map(lambda number: 10.0 * number)
PLACE = st.tuples(COORDINATE, COORDINATE)


@given(
    roads=st.lists(st.tuples(PLACE, PLACE), min_size=1, max_size=6),
    rivers=st.lists(st.tuples(PLACE, PLACE), max_size=4),
    place=PLACE,
)
def test_the_road_joined_is_the_nearest_of_all_that_no_river_parts_from_the_point(
    roads: list[tuple[tuple[float, float], ...]], rivers: list[tuple[tuple[float, float], ...]], place: tuple
) -> None:
    roads = [road for road in roads if road[0] != road[1]]
    rivers = [tuple((x + 3.7, y - 2.9) for x, y in river) for river in rivers if river[0] != river[1]]
    assume(roads)
    nodes = {f"{i}{side}": end for i, road in enumerate(roads) for side, end in zip("th", road, strict=True)}
    network = road_network(nodes, [(f"{i}t", f"{i}h", "residential") for i in range(len(roads))], rivers=rivers)
    graph = build_graph(network, motorbike(min_island_km=0), crs=CRS)
    found = snap(graph, points(place), limit_m=153)
    here, waters = shapely.Point(place), shapely.MultiLineString(rivers)
    ways = [shapely.shortest_line(here, shapely.LineString(road)) for road in roads]
    near = [way for way in ways if way.length <= 153]
    dry = [way.length for way in near if not way.intersects(waters)]
    assume(not rivers or here.distance(waters) > 0.1)
    assume(not any(abs(way.length - 153) < 0.1 or 0 < way.distance(waters) < 0.1 for way in ways))
    assert bool(found.across_water[0]) == bool(near and not dry)
    assert found.distance_m[0] == pytest.approx(min(dry, default=np.nan), abs=0.05, nan_ok=True)


def test_no_one_joins_a_ferry() -> None:
    nodes = {"a": (0, 0), "b": (3000, 0), "c": (3000, 3000)}
    graph = build_graph(road_network(nodes, [("a", "b", "ferry"), ("b", "c", "primary")]), motorbike(), crs=CRS)
    assert snap(graph, points((1000, 10)), limit_m=500).arc[0] == -1
