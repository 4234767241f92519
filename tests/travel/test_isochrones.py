from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.city import City
from geo.params import AccessParams, Params
from geo.plan import travel_times
from geo.settings import Settings
from geo.travel import isochrones as isochrones_module
from geo.travel.engine import roads as engine_roads
from geo.travel.isochrones import CELL_M, MOST_OFF_ROAD_M, draw_isochrones, lay_ground
from geo.travel.network import TravelGraph, build_graph
from tests.roads import ALONG, CRS, ORIGIN, road_network

KMH = 38 / 3.6 * 60  # metres a minute on a primary road by motorbike
PARAMS = Params().access

# The site S stands on the north bank, 3 km west of the only bridge.
#
#   S─────────────────── n2      y = 500
#   ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈ ≈  │ ≈ ≈
#   h ────────────────── h2      y = 0
BANKS = {"n": (0, 500), "n2": (3000, 500), "h": (0, 0), "h2": (3000, 0)}
BANK_ROADS = [("n", "n2", "primary"), ("n2", "h2", "primary"), ("h", "h2", "primary")]


def graph_of(nodes: dict, roads: list, params: AccessParams = PARAMS) -> TravelGraph:
    return build_graph(road_network(nodes, roads), params, crs=CRS)


def bounds_of(graph: TravelGraph) -> tuple[float, float, float, float]:
    west, south = graph.xy.min(axis=0) - 400
    east, north = graph.xy.max(axis=0) + 400
    return west, south, east, north


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(x + ORIGIN[0], y + ORIGIN[1])


def drawn(
    graph: TravelGraph,
    sites: dict[str, tuple[float, float]],
    limits_min: tuple[float, ...],
    groups: dict | None = None,
    **options: object,
) -> dict[tuple[str, float], shapely.MultiPolygon]:
    """Return the isochrones by group, each site alone if none are given, and limit."""
    places = gpd.GeoSeries({name: point(*xy) for name, xy in sites.items()}, crs=CRS)
    groups = groups or {name: [name] for name in sites}
    frame = draw_isochrones(
        graph, lay_ground(graph, bounds_of(graph)), places, groups, PARAMS, limits_min=limits_min, **options
    )
    assert frame.geometry.is_valid.all()
    assert set(frame.geom_type) == {"MultiPolygon"}
    return frame.set_index(["id", "limit_min"]).geometry.to_dict()


def test_a_river_is_crossed_at_its_bridge_only() -> None:
    found = drawn(graph_of(BANKS, BANK_ROADS), {"S": (0, 500)}, (4, 8, 11))
    south_bank = shapely.box(ORIGIN[0] - 400, ORIGIN[1] - 400, ORIGIN[0] + 3400, ORIGIN[1] + 200)
    assert found["S", 4].intersection(south_bank).area == 0, "the far bank is 500 m away, and 10 minutes by road"
    assert found["S", 8].covers(point(2600, 0)), "8 minutes lead 5 km: over the bridge and 1.5 km back"
    assert not found["S", 8].intersects(point(1000, 0))
    assert found["S", 11].covers(point(0, 0))


def test_a_road_is_cut_where_the_limit_falls() -> None:
    found = drawn(graph_of(BANKS, BANK_ROADS), {"S": (0, 500)}, (2.0, 3.5))
    for limit in (2.0, 3.5):
        assert found["S", limit].bounds[2] - ORIGIN[0] == pytest.approx(limit * KMH, abs=CELL_M / 2)


def test_land_far_from_every_road_is_in_no_isochrone() -> None:
    graph = graph_of(BANKS, BANK_ROADS)
    roads = shapely.union_all(graph.lines(np.arange(len(graph.tail))))
    shape = drawn(graph, {"S": (0, 500)}, (30,))["S", 30]
    corners = shapely.points(shapely.get_coordinates(shape))
    assert shapely.distance(corners, roads).max() <= MOST_OFF_ROAD_M + CELL_M / 2
    north = shape.intersection(shapely.box(*point(500, 500).coords[0], *point(2500, 2000).coords[0]))
    assert north.area == pytest.approx(2000 * MOST_OFF_ROAD_M, rel=0.1), "the whole band beside the road is"


def test_it_is_no_convex_hull() -> None:
    corner = graph_of({"a": (0, 0), "b": (2000, 0), "c": (0, 2000)}, [("a", "b", "primary"), ("a", "c", "primary")])
    shape = drawn(corner, {"S": (0, 0)}, (5,))["S", 5]
    assert not shape.intersects(point(900, 900))
    assert shape.convex_hull.covers(point(900, 900))


def test_times_run_towards_the_site_on_one_way_streets() -> None:
    """Round a ring of 4 x 1 km, counter-clockwise: who lives before the building is near, who lives after it is far."""
    ring = {"a": (0, 0), "b": (1000, 0), "c": (1000, 1000), "d": (0, 1000)}
    graph = graph_of(ring, [(u, v, "primary", ALONG) for u, v in ("ab", "bc", "cd", "da")])
    shape = drawn(graph, {"S": (500, 0)}, (2,))["S", 2]
    assert shape.covers(point(300, 0)), "on the same street, before it"
    assert shape.covers(point(0, 500)), "on the street before"
    assert not shape.intersects(point(700, 0)), "on the same street, after it"
    assert not shape.intersects(point(1000, 500))


def test_a_group_is_its_nearest_site() -> None:
    graph = graph_of(BANKS, BANK_ROADS)
    sites = {"S": (0, 500), "T": (2900, 500)}
    alone, both = drawn(graph, sites, (3, 6)), drawn(graph, sites, (3, 6), groups={"U": ["S", "T"]})
    for limit in (3, 6):
        union = alone["S", limit].union(alone["T", limit])
        assert both["U", limit].area == pytest.approx(union.area, rel=0.02)
        assert union.difference(both["U", limit]).area < 1e-3


def test_what_is_cut_to_its_land_is_the_same_there() -> None:
    graph = graph_of(BANKS, BANK_ROADS)
    land = shapely.Polygon([point(-300, -300), point(1800, -300), point(900, 900)])
    cut = drawn(graph, {"S": (0, 500)}, (3, 9), land=gpd.GeoSeries({"S": land}, crs=CRS))
    whole = drawn(graph, {"S": (0, 500)}, (3, 9))
    for limit in (3, 9):
        assert cut["S", limit].symmetric_difference(whole["S", limit].intersection(land)).area < 1e-3
        assert cut["S", limit].area > 0


def test_a_building_without_a_road_has_empty_isochrones() -> None:
    found = drawn(graph_of(BANKS, BANK_ROADS), {"S": (0, 500), "far": (0, 9000)}, (5,))
    assert found["far", 5].is_empty
    assert found["S", 5].area > 0


def test_the_ground_is_kept_and_laid_anew_for_other_roads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, other = graph_of(BANKS, BANK_ROADS), graph_of(BANKS, BANK_ROADS[:2])
    first = lay_ground(graph, bounds_of(graph), cache_dir=tmp_path)
    fewer = lay_ground(other, bounds_of(graph), cache_dir=tmp_path)
    assert len(fewer.place) < len(first.place)
    monkeypatch.setattr(isochrones_module, "snap", None)
    again = lay_ground(graph, bounds_of(graph), cache_dir=tmp_path)
    for name in ("place", "arc", "fraction", "distance_m"):
        assert np.array_equal(getattr(again, name), getattr(first, name))


# Streets 400 m apart, some of them left out, so that ways wind and parts fall off.
SIDE = 5
STREETS = [((i, j), (i + 1, j)) for i in range(SIDE - 1) for j in range(SIDE)]
STREETS += [((i, j), (i, j + 1)) for i in range(SIDE) for j in range(SIDE - 1)]
GRID = {f"{i}{j}": (400.0 * i, 400.0 * j) for i in range(SIDE) for j in range(SIDE)}


def streets(kept: list[bool], directions: list[int] | None = None) -> list:
    named = [(f"{a[0]}{a[1]}", f"{b[0]}{b[1]}", "residential") for a, b in STREETS]
    bits = directions or [0b111111] * len(named)
    return [(*street, way) for street, way, keep in zip(named, bits, kept, strict=True) if keep]


KEPT = st.lists(st.booleans(), min_size=len(STREETS), max_size=len(STREETS)).filter(lambda kept: sum(kept) > 5)
WAYS = st.lists(st.sampled_from([0b111111, ALONG]), min_size=len(STREETS), max_size=len(STREETS))
SITE = st.tuples(st.floats(0, 1600), st.floats(0, 1600))


@given(kept=KEPT, ways=WAYS, site=SITE)
def test_isochrones_are_nested_and_the_same_every_time(kept: list[bool], ways: list[int], site: tuple) -> None:
    graph = graph_of(GRID, streets(kept, ways))
    limits = (0.5, 1.0, 2.5, 5.0)
    found = drawn(graph, {"S": site}, limits)
    for less, more in pairwise(limits):
        assert found["S", less].difference(found["S", more]).area < 1e-6
    again = drawn(graph, {"S": site}, limits)
    assert all(shapely.to_wkb(found[key]) == shapely.to_wkb(again[key]) for key in found)


@given(kept=KEPT, end=st.sampled_from(sorted(GRID)), limit=st.sampled_from([1.0, 2.0, 4.0]))
def test_ends_of_streets_are_inside_if_networkx_arrives_in_time(kept: list[bool], end: str, limit: float) -> None:
    """But for the width of the grid: a place of it is up to 71 m away, or 0.4 minutes by road and on foot."""
    roads = [*streets(kept), (end, "S", "residential")]
    nodes = {**GRID, "S": (GRID[end][0] + 60.0, GRID[end][1] + 60.0)}
    network = nx.Graph()
    network.add_nodes_from(nodes)
    metres = road_network(nodes, roads).length_m
    network.add_weighted_edges_from((u, v, m / (22 / 3.6 * 60)) for (u, v, *_), m in zip(roads, metres, strict=True))
    minutes = nx.single_source_dijkstra_path_length(network, "S")
    no_loose_ends = Params().with_values({"access.min_island_km": 0}).access
    shape = drawn(graph_of(nodes, roads, no_loose_ends), {"S": nodes["S"]}, (limit,))["S", limit]
    for name, xy in GRID.items():
        if not network.degree(name):
            continue
        if minutes.get(name, np.inf) <= limit - 0.45:
            assert shape.covers(point(*xy)), name
        if minutes.get(name, np.inf) >= limit + 0.45:
            assert not shape.intersects(point(*xy)), name


@pytest.mark.slow
def test_the_people_inside_are_those_of_the_travel_times(embedded_city: City, shared_settings: Settings) -> None:
    """Within 1.5 % of the people at 5 minutes and 0.5 % at 10, over the land of eight units of all kinds."""
    city, params = embedded_city, PARAMS
    times = travel_times(city, params, settings=shared_settings)
    assert city.network is not None
    graph = build_graph(city.network, params, crs=city.crs)
    units = city.units.index[::16]
    groups = {unit_id: times.units[unit_id].site_ids[:1] for unit_id in units}
    land = city.units.geometry[units]
    inside, within, total = np.zeros(2), np.zeros(2), 0.0
    for unit_id in units:
        ground = lay_ground(graph, tuple(land[unit_id].buffer(500).bounds))
        frame = draw_isochrones(
            graph, ground, city.sites.geometry, {unit_id: groups[unit_id]}, params, limits_min=(5, 10),
            cache_dir=shared_settings.cache_dir,
        )  # fmt: skip
        people = times.demand[times.demand["unit_id"] == unit_id]
        at_home = shapely.covers(land[unit_id].buffer(300), np.asarray(people.geometry))
        weight = people["population"].to_numpy() * at_home
        total += weight.sum()
        for number, limit in enumerate((5, 10)):
            covered = shapely.covers(frame.geometry.iloc[number], np.asarray(people.geometry))
            inside[number] += weight[covered].sum()
            within[number] += weight[times.units[unit_id].minutes[:, 0] <= limit].sum()
    assert inside / total == pytest.approx(within / total, abs=0.015)
    assert inside[1] / total == pytest.approx(within[1] / total, abs=0.005)


def test_walking_is_as_quick_as_the_parameters_say() -> None:
    """The road ends at b; beyond it one walks, slower by half with the slower speed."""
    graph = graph_of({"a": (0, 0), "b": (1000, 0)}, [("a", "b", "primary")])
    places = gpd.GeoSeries({"S": point(500, 0)}, crs=CRS)
    areas = []
    for speed in (2.0, 8.0):
        slow: AccessParams = Params().with_values({"access.off_road_kmh": speed}).access
        frame = draw_isochrones(graph, lay_ground(graph, bounds_of(graph)), places, {"S": ["S"]}, slow, limits_min=(3,))
        areas.append(frame["area_km2"].item())
    assert areas[0] < areas[1]


def test_nobody_swims_to_a_road() -> None:
    """A road runs 60 m from a river; whoever stands on the other bank, 140 m away, has no way to it."""
    network = road_network({"a": (0, 0), "b": (2000, 0)}, [("a", "b", "primary")], rivers=[((-500, -60), (2500, -60))])
    graph = build_graph(network, PARAMS, crs=CRS)
    shape = drawn(graph, {"S": (1000, 0)}, (5,))["S", 5]
    assert shape.covers(point(800, 140))
    assert not shape.intersects(point(800, -140))
    assert shape.bounds[1] - ORIGIN[1] > -60 - CELL_M / 2


def test_the_hierarchy_and_scipy_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="without numba there is no hierarchy")
    graph = graph_of(GRID, streets([True] * len(STREETS)))
    plain = drawn(graph, {"S": (500, 420)}, (1, 3))
    monkeypatch.setattr(engine_roads, "SMALL_NETWORK_NODES", 0)
    fast = drawn(graph, {"S": (500, 420)}, (1, 3))
    assert all(shapely.to_wkb(plain[key]) == shapely.to_wkb(fast[key]) for key in plain)


def test_the_way_from_the_road_to_the_building_is_walked() -> None:
    """A building 300 m off the road costs 3.75 minutes on foot, whoever comes."""
    graph = graph_of({"a": (0, 0), "b": (2000, 0)}, [("a", "b", "primary")])
    found = drawn(graph, {"S": (1000, 300)}, (3.7, 4.25))
    assert found["S", 3.7].is_empty
    width = found["S", 4.25].bounds[2] - found["S", 4.25].bounds[0]
    assert width == pytest.approx(2 * 0.5 * KMH, abs=CELL_M)


def test_a_limit_that_falls_on_a_place_of_the_grid_gives_a_ring_with_an_inside() -> None:
    ground = isochrones_module.Ground(
        west=0.0, south=0.0, shape=(3, 3), place=np.array([4]), arc=np.array([0]), fraction=np.array([0.5]),
        distance_m=np.array([0.0]),
    )  # fmt: skip
    drawing = isochrones_module._Drawing(ground, PARAMS, (5,))
    ((_, outline),) = drawing.outlines(np.array([0]), np.array([300.0], np.float32), None)
    assert outline.is_valid
    assert 0 < outline.area < 1
