import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.params import AccessParams, Params
from geo.travel.access import UnitTimes, ways_to_sites
from geo.travel.distances import compute_distances
from geo.travel.network import build_graph
from tests.roads import ALONG, BOTH_WAYS, CRS, ORIGIN, road_network

# From a to b a lane of 1 km, or a fast road of 1.6 km around it; the building stands 40 m off b.
#
#      ┌──── primary ────┐
#    a ┴───── track ─────┴ b
#                          ¦ 40 m
#                          S
NODES = {"a": (0, 0), "b": (1000, 0), "c": (0, 300), "d": (1000, 300)}
ROADS = [("a", "b", "track"), ("a", "c", "primary"), ("c", "d", "primary"), ("d", "b", "primary")]


def frame(places: dict[str, tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    geometry = [shapely.Point(x + ORIGIN[0], y + ORIGIN[1]) for x, y in places.values()]
    return gpd.GeoDataFrame(columns, geometry=geometry, index=list(places), crs=CRS)


def ways(
    nodes: dict[str, tuple[float, float]], roads: list, site: tuple[float, float], params: AccessParams
) -> tuple[UnitTimes, np.ndarray]:
    """Return times and kilometres from every node to one building."""
    network = road_network(nodes, roads)
    graph = build_graph(network, params, crs=CRS)
    demand = frame(nodes, unit_id="U", population=1.0, node=np.arange(len(nodes)), reason="")
    sites = frame({"S": site}, unit_id="U")
    units = ways_to_sites(demand, sites, graph, params, unit_ids=pd.Index(["U"]))
    return units["U"], compute_distances(demand, sites, minutes_of(units), graph, network, params)["U"]


def minutes_of(units: dict[str, UnitTimes]) -> dict[str, np.ndarray]:
    return {unit_id: unit.minutes for unit_id, unit in units.items()}


def test_the_shortest_way_may_be_slower_than_the_quickest() -> None:
    unit, km = ways(NODES, ROADS, (1000, -40), Params().access)
    assert km[:, 0] == pytest.approx([1.04, 0.04, 1.34, 0.34], abs=1e-5)
    walk_min = 40 / (4.8 / 3.6 * 60)
    assert unit.minutes[0, 0] - walk_min == pytest.approx(1600 / (38 / 3.6 * 60), rel=1e-3)


def test_a_road_closed_to_the_mode_is_no_shorter_way() -> None:
    params = Params().with_values({"access.mode": "car"}).access
    assert ways(NODES, ROADS, (1000, 0), params)[1][0, 0] == pytest.approx(1.6, abs=1e-5)


def test_a_distance_is_missing_where_the_time_is() -> None:
    params = Params().with_values({"access.cutoff_min": 2}).access
    unit, km = ways(NODES, ROADS, (1000, 0), params)
    assert np.isinf(unit.minutes[:, 0]).tolist() == [True, False, True, False]
    assert np.array_equal(np.isinf(km), np.isinf(unit.minutes))


def test_without_any_road_every_distance_is_missing() -> None:
    demand = frame({"a": (0, 0)}, unit_id="U", population=1.0, node=-1, reason="no_network")
    sites, params = frame({"S": (0, 0)}, unit_id="U"), Params().access
    units = ways_to_sites(demand, sites, None, params, unit_ids=pd.Index(["U"]))
    assert np.isinf(compute_distances(demand, sites, minutes_of(units), None, None, params)["U"]).all()


PLACES = {name: (400.0 * (i % 3), 500.0 * (i // 3)) for i, name in enumerate("abcdefghi")}
SOME_ROADS = st.lists(
    st.tuples(
        st.sampled_from("abcdefghi"),
        st.sampled_from("abcdefghi"),
        st.sampled_from(["primary", "service"]),
        st.sampled_from([ALONG, BOTH_WAYS]),
    ).filter(lambda road: road[0] != road[1]),
    min_size=3,
    max_size=16,
)


@given(roads=SOME_ROADS)
def test_distances_are_those_of_networkx(roads: list) -> None:
    places = {"s": (0.0, -200.0), **PLACES}
    roads = [("a", "s", "primary", BOTH_WAYS), *roads]
    network = road_network(places, roads)
    graph = nx.DiGraph()
    graph.add_nodes_from(places)
    for (tail, head, _, open_to), metres in zip(roads, network.length_m, strict=True):
        graph.add_edge(tail, head, weight=metres)
        if open_to == BOTH_WAYS:
            graph.add_edge(head, tail, weight=metres)
    to_site = nx.single_source_dijkstra_path_length(graph.reverse(), "a")
    _, km = ways(places, roads, (0, -50), Params().with_values({"access.snap_limit_m": 1}).access)
    wanted = [0.15, *((to_site.get(name, np.inf) + 50) / 1000 for name in PLACES)]
    assert km[:, 0] == pytest.approx(wanted, abs=2e-5)
