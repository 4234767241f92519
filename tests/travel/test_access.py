import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.params import Params
from geo.travel.access import (
    REASON_CODES,
    TravelTimes,
    UnitTimes,
    access_figures,
    compute_travel_times,
    street_frontage,
)
from geo.travel.demand import place_demand
from geo.travel.engine import roads
from geo.travel.network import build_graph
from tests.roads import ALONG, CRS, ORIGIN, road_network

# A river runs between the banks; the only bridge is 3 km east. S stands across the water from the people at h.
#
#      S
#   n ─┴──────────────── n2
#   ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ │ ≈ ≈
#   h ─────────────────  h2
NODES = {"n": (0, 300), "n2": (3000, 300), "h": (0, 0), "h2": (3000, 0)}
ROADS = [("n", "n2", "primary"), ("n2", "h2", "primary"), ("h", "h2", "primary")]
KMH = 38 / 3.6 * 60  # metres a minute on a primary road by motorbike


def frame(places: dict[str, tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    geometry = [shapely.Point(x + ORIGIN[0], y + ORIGIN[1]) for x, y in places.values()]
    return gpd.GeoDataFrame(columns, geometry=geometry, index=list(places), crs=CRS)


def travel(
    nodes: dict, roads: list, start: str, site: tuple[float, float], **values: object
) -> tuple[UnitTimes, TravelTimes]:
    params = Params().with_values({f"access.{name}": value for name, value in values.items()}).access
    graph = build_graph(road_network(nodes, roads), params, crs=CRS)
    demand = frame({"p": nodes[start]}, unit_id="U", population=[10.0], node=[list(nodes).index(start)], reason="")
    sites = frame({"S": site}, unit_id="U")
    times = compute_travel_times(demand, sites, graph, params, unit_ids=pd.Index(["U"]))
    return times.units["U"], times


# A ring of one-way streets with two buildings on one of them: from S1 to S2 along it, back only round the ring.
#
#   d ◀──────────── c
#   │               ↑       one km each
#   ▼               │
#   a ──S1────S2──▶ b
RING = {"a": (0, 0), "b": (1000, 0), "c": (1000, 1000), "d": (0, 1000)}
RING_ROADS = [(u, v, "primary", ALONG) for u, v in ("ab", "bc", "cd", "da")]


def ring_times(**values: object) -> UnitTimes:
    params = Params().with_values({f"access.{name}": value for name, value in values.items()}).access
    graph = build_graph(road_network(RING, RING_ROADS), params, crs=CRS)
    demand = frame({name: RING[name] for name in "abc"}, unit_id="U", population=1.0, node=[0, 1, -1], reason="")
    sites = frame({"S1": (250, 0), "S2": (750, 24), "far": (5000, 5000)}, unit_id="U")
    return compute_travel_times(demand, sites, graph, params, unit_ids=pd.Index(["U"])).units["U"]


def test_two_buildings_on_one_one_way_street_are_near_in_its_direction_only() -> None:
    walk = 24 / (4.8 / 3.6 * 60)
    between = ring_times().between_min
    assert between[0, 1] == pytest.approx(500 / KMH + walk, rel=1e-3)
    assert between[1, 0] == pytest.approx(3500 / KMH + walk, rel=1e-3)
    assert np.isinf(between[:2, 2]).all()
    assert (np.diag(between) == 0).all()
    assert np.isinf(ring_times(cutoff_min=5).between_min[1, 0]), "beyond the cut-off"


def test_the_hierarchy_and_scipy_give_the_same_times_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="without numba there is no hierarchy")
    plain = ring_times()
    monkeypatch.setattr(roads, "SMALL_NETWORK_NODES", 0)
    fast = ring_times()
    for name in ("minutes", "between_min", "reason"):
        assert np.array_equal(getattr(fast, name), getattr(plain, name))
    assert np.isinf(plain.minutes[2]).all(), "c joins no node"
    assert np.isfinite(plain.minutes[:2, :2]).all()


def test_progress_tells_of_the_hierarchy_and_of_each_unit() -> None:
    told: list[tuple[str, float]] = []
    params = Params().access
    graph = build_graph(road_network(RING, RING_ROADS), params, crs=CRS)
    demand = frame({"a": RING["a"], "b": RING["b"]}, unit_id=["U", "V"], population=1.0, node=[0, 1], reason="")
    sites = frame({"S": (250, 0), "T": (750, 0)}, unit_id=["U", "V"])
    compute_travel_times(
        demand, sites, graph, params, unit_ids=pd.Index(["U", "V"]), progress=lambda *step: told.append(step)
    )
    assert told == [("hierarchy", 0.0), ("access", 0.0), ("access", 0.5)]


def reason_of(unit: UnitTimes) -> str:
    return next(name for name, code in REASON_CODES.items() if code == unit.reason[0, 0])


def test_a_river_is_crossed_at_its_bridge_only() -> None:
    unit, _ = travel(NODES, ROADS, "h", (0, 300))
    assert unit.minutes[0, 0] == pytest.approx((3000 + 300 + 3000) / KMH, rel=1e-3)


def test_the_way_from_the_road_to_the_building_is_walked() -> None:
    unit, _ = travel(NODES, ROADS, "n", (0, 380))
    assert unit.minutes[0, 0] == pytest.approx(80 / (4.8 / 3.6 * 60), rel=1e-3)


def test_time_runs_from_the_citizen_to_the_building_on_one_way_roads() -> None:
    nodes = {"a": (0, 0), "b": (1000, 0), "c": (1000, 1000), "d": (0, 1000)}
    ring = [(u, v, "primary", ALONG) for u, v in ("ab", "bc", "cd", "da")]
    unit, _ = travel(nodes, ring, "a", (1000, 0))
    assert unit.minutes[0, 0] == pytest.approx(1000 / KMH, rel=1e-3), "not the 3 km from the building to the citizen"


@pytest.mark.parametrize(
    ("nodes", "roads", "site", "values", "reason"),
    [
        (NODES, ROADS, (0, 1200), {}, "no_road_within_snap_limit"),
        ({**NODES, "x": (0, 9000), "y": (4000, 9000)}, [*ROADS, ("x", "y", "primary")], (0, 9000), {}, "island"),
        ({**NODES, "x": (0, 1200)}, [*ROADS, ("x", "n", "primary", ALONG)], (0, 1150), {}, "one_way_trap"),
        (NODES, ROADS, (0, 300), {"cutoff_min": 5}, "cut_off"),
    ],
)
def test_unreachable_has_a_reason(nodes: dict, roads: list, site: tuple, values: dict, reason: str) -> None:
    unit, _ = travel(nodes, roads, "h", site, **values)
    assert np.isinf(unit.minutes[0, 0])
    assert reason_of(unit) == reason
    figures = access_figures(unit, [0])
    assert (figures.reason, figures.unreachable_population) == (reason, 10)
    assert np.isnan(figures.mean_min)
    assert figures.share_within_30min == 0


def test_without_a_network_every_figure_is_missing_and_says_so() -> None:
    demand = frame({"p": (0, 0)}, unit_id="U", population=[10.0], node=[-1], reason="no_network")
    times = compute_travel_times(
        demand, frame({"S": (0, 0)}, unit_id="U"), None, Params().access, unit_ids=pd.Index(["U"])
    )
    figures = access_figures(times.units["U"], [0])
    assert figures.reason == "no_network"
    assert np.isnan(figures.share_within_30min)
    assert times.frontage_0_1.isna().all()


def test_citizens_go_to_the_nearer_of_two_sites() -> None:
    unit = UnitTimes(
        site_ids=("a", "b"),
        population=np.array([60.0, 40.0]),
        minutes=np.array([[10.0, 20.0], [40.0, 5.0]]),
        reason=np.zeros((2, 2), np.uint8),
        between_min=np.zeros((2, 2)),
    )
    assert access_figures(unit, [0]).mean_min == pytest.approx(22)
    assert access_figures(unit, [0]).share_within_30min == pytest.approx(0.6)
    assert access_figures(unit, [0, 1]).mean_min == pytest.approx(8)


def test_the_best_street_within_50_m_counts_as_frontage() -> None:
    nodes = {"a": (0, 0), "b": (1000, 0), "c": (0, 30), "d": (1000, 30)}
    graph = build_graph(road_network(nodes, [("a", "b", "primary"), ("c", "d", "service")]), Params().access, crs=CRS)
    sites = frame({"main": (500, 40), "alley": (500, 75), "field": (500, 500)}, unit_id="U")
    frontage = street_frontage(sites, graph)
    assert frontage["main"] == 1.0
    assert frontage["alley"] == pytest.approx(0.3)
    assert np.isnan(frontage["field"])


# Demand points


def unit_of(shape: shapely.Polygon, population: float) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    units = gpd.GeoDataFrame(
        {"population": [population], "area_km2": [shape.area / 1e6]}, geometry=[shape], index=["U"], crs=CRS
    )
    units.index.name = "unit_id"
    pieces = gpd.GeoDataFrame({"unit_id": ["U"], "population": [1.0], "area_km2": [1.0]}, geometry=[shape], crs=CRS)
    return pieces, units


def square(size: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] - 10, ORIGIN[1] - 10, ORIGIN[0] + size, ORIGIN[1] + size)


GRID = {f"{i}{j}": (i * 250.0, j * 250.0) for i in range(5) for j in range(5)}
STREETS = [(f"{i}{j}", f"{i + 1}{j}", "residential") for i in range(4) for j in range(5)]
STREETS += [(f"{i}{j}", f"{i}{j + 1}", "residential") for i in range(5) for j in range(4)]


def test_people_stand_on_the_nodes_of_their_streets_and_none_is_lost() -> None:
    params = Params().access
    graph = build_graph(road_network(GRID, STREETS), params, crs=CRS)
    demand = place_demand(*unit_of(square(1010), 8000.0), graph, params)
    assert demand["population"].sum() == pytest.approx(8000, rel=1e-12)
    assert (demand["reason"] == "").all()
    assert len(demand) > 4
    places = shapely.get_coordinates(np.asarray(demand.geometry))
    assert places == pytest.approx(graph.xy[demand["node"]])


def test_a_unit_with_hardly_a_road_has_no_network_but_keeps_its_people() -> None:
    params = Params().access
    graph = build_graph(road_network(GRID, STREETS), params, crs=CRS)
    demand = place_demand(*unit_of(square(9000), 500.0), graph, params)
    assert set(demand["reason"]) == {"no_network"}
    assert demand["population"].sum() == pytest.approx(500)


def test_a_unit_whose_census_counts_nobody_spreads_its_people_over_its_streets() -> None:
    params = Params().access
    graph = build_graph(road_network(GRID, STREETS), params, crs=CRS)
    pieces, units = unit_of(square(1010), 5000.0)
    demand = place_demand(pieces.assign(population=0.0), units, graph, params)
    assert demand["population"].sum() == pytest.approx(5000)
    assert len(demand) > 4


def test_people_given_at_points_join_the_road_nearest_to_them() -> None:
    params = Params().access
    graph = build_graph(road_network(GRID, STREETS), params, crs=CRS)
    points = frame({"a": (20, 20), "b": (990, 980)}, population=[30.0, 10.0])
    demand = place_demand(*unit_of(square(1010), 80.0), graph, params, population_points=points)
    assert demand["population"].tolist() == [60, 20]


@given(
    st.lists(st.sampled_from(range(40)), max_size=25, unique=True),
    st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
)
def test_minutes_equal_those_of_networkx(missing: list[int], site: tuple[int, int]) -> None:
    params = Params().with_values({"access.min_island_km": 0.1}).access
    streets = [street for number, street in enumerate(STREETS) if number not in missing]
    network = road_network(GRID, streets)
    graph = build_graph(network, params, crs=CRS)
    start = int(network.tail[0])
    demand = frame({"p": GRID[list(GRID)[start]]}, unit_id="U", population=[1.0], node=[start], reason="")
    unit = compute_travel_times(demand, frame({"S": site}, unit_id="U"), graph, params, unit_ids=pd.Index(["U"])).units[
        "U"
    ]
    assert unit.minutes[0, 0] == pytest.approx(by_networkx(graph, start, site), abs=1e-4)


def by_networkx(graph: object, start: int, site: tuple[int, int]) -> float:
    """Return the minutes by way of every road that lies nearest to the site."""
    oracle = nx.DiGraph()
    for u, v, seconds in zip(graph.tail, graph.head, graph.seconds, strict=True):
        oracle.add_edge(int(u), int(v), weight=float(seconds))
    lengths = nx.single_source_dijkstra_path_length(oracle, start)
    place = shapely.Point(site[0] + ORIGIN[0], site[1] + ORIGIN[1])
    lines = graph.lines(np.arange(len(graph.tail)))
    settled = graph.settled[graph.tail] & graph.settled[graph.head]
    distance = np.where(settled, shapely.distance(lines, place), np.inf)
    best = np.inf
    nearest = int(np.flatnonzero(distance <= distance.min())[0])
    both_ways = (graph.segment == graph.segment[nearest]).nonzero()[0]
    for arc in both_ways:
        fraction = lines[arc].project(place, normalized=True)
        best = min(best, lengths.get(int(graph.tail[arc]), np.inf) + fraction * graph.seconds[arc])
    return (best + distance.min() / (4.8 / 3.6)) / 60 if distance.min() <= 500 else np.inf
