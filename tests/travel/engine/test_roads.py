"""The engine on road networks: toy ones against networkx, the embedded and the real one against scipy."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.errors import NetworkError
from geo.params import MODES, Params
from geo.sources.osm import read_osm
from geo.travel.engine import (
    TICKS_PER_S,
    UNREACHED,
    Places,
    PlainMetric,
    both_ways,
    places_on,
    road_metric,
    roads,
    seconds_along_one_road,
)
from geo.travel.network import TravelGraph, build_graph, snap
from tests.roads import ALONG, CRS, ORIGIN, road_network

HOME = Path(__file__).parents[3]
EMBEDDED = HOME / "data" / "network" / "hanoi_modelled.osm.pbf"
REAL = HOME.parent / "shared" / "data" / "hanoi" / "osm" / "hanoi_inner_roads.osm.pbf"
DAY_S = 86_400.0

# a ──250 m── P ──750 m──▶ b      a ring of one-way streets, entered at P from behind and left ahead
#   ◀──────── c ◀─────────
RING = {"a": (0, 0), "b": (1000, 0), "c": (500, 800)}
ONE_WAY = [("a", "b", "residential", ALONG), ("b", "c", "residential", ALONG), ("c", "a", "residential", ALONG)]
M_S = 22 / 3.6  # by motorbike on a residential street


@pytest.fixture
def with_hierarchies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use a hierarchy for the smallest of networks, too."""
    pytest.importorskip("numba", reason="without numba there is no hierarchy")
    monkeypatch.setattr(roads, "SMALL_NETWORK_NODES", 0)
    roads._kept.clear()
    yield
    roads._kept.clear()


def points(*places: tuple[float, float]) -> NDArray[np.object_]:
    return np.array([shapely.Point(x + ORIGIN[0], y + ORIGIN[1]) for x, y in places], dtype=object)


def graph_of(nodes: dict, ways: list, **values: object) -> TravelGraph:
    params = Params().with_values({f"access.{name}": value for name, value in values.items()}).access
    return build_graph(road_network(nodes, ways), params, crs=CRS)


def seconds_to_and_from(graph: TravelGraph, *places: tuple[float, float]) -> tuple[NDArray, NDArray]:
    """Return seconds from every node to each place, and from each place to every node."""
    snaps = snap(graph, points(*places), limit_m=5000)
    metric, arcs = road_metric(graph, cutoff_s=DAY_S), both_ways(graph, snaps.arc)
    both = [
        metric.many_to_many(
            places_on(graph, arcs, snaps.fraction, towards=towards), np.arange(len(graph.xy)), towards=towards
        )
        for towards in (True, False)
    ]
    to, away = (np.where(ticks < UNREACHED, ticks / TICKS_PER_S, np.inf) for ticks in both)
    return to, away


@pytest.mark.usefixtures("with_hierarchies")
def test_a_point_on_a_one_way_road_is_entered_from_behind_and_left_ahead() -> None:
    to, away = seconds_to_and_from(graph_of(RING, ONE_WAY), (250, 0))
    assert to[0, 0] == pytest.approx(250 / M_S, rel=1e-3)
    assert away[1, 0] == pytest.approx(750 / M_S, rel=1e-3)
    assert away[0, 0] > to[0, 0], "back to a only round the ring"


def test_two_points_on_one_road_are_joined_along_it_where_it_is_open() -> None:
    two_way = [("a", "b", "residential"), ("b", "c", "residential")]
    for ways, back in ((ONE_WAY, np.inf), (two_way, 500 / M_S)):
        graph = graph_of(RING, ways)
        snaps = snap(graph, points((250, 0), (750, 0), (500, 790)), limit_m=500)
        seconds = seconds_along_one_road(graph, both_ways(graph, snaps.arc), snaps.fraction)
        assert seconds[0, 1] == pytest.approx(500 / M_S, rel=1e-3)
        assert seconds[1, 0] == pytest.approx(back, rel=1e-3)
        assert np.isinf(seconds[[0, 1], [2, 2]]).all(), "the third stands on another road"
        assert (np.diag(seconds) == 0).all()


def test_nobody_enters_or_leaves_by_a_closed_road() -> None:
    graph = graph_of(RING, [("a", "b", "residential")])
    closed = dataclasses.replace(graph, seconds=np.full(2, np.inf))
    snaps = snap(graph, points((0, 0), (250, 0)), limit_m=500)
    arcs = both_ways(closed, snaps.arc)
    assert (places_on(closed, arcs, snaps.fraction).node == -1).all()
    assert np.isinf(seconds_along_one_road(closed, arcs, snaps.fraction)).all()


@st.composite
def networks(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str, str, int]]]:
    n = draw(st.integers(2, 7))
    place = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda p: (p[0] * 137.0, p[1] * 211.0))
    nodes = {str(i): draw(place) for i in range(n)}
    road = st.tuples(
        st.sampled_from(list(nodes)),
        st.sampled_from(list(nodes)),
        st.sampled_from(["primary", "residential", "service"]),
        st.sampled_from([0b111111, 0b010101, 0b101010]),
    )
    return nodes, draw(st.lists(road, min_size=1, max_size=14))


def by_networkx(graph: TravelGraph, place: tuple[float, float]) -> tuple[NDArray, NDArray]:
    """Return seconds to and from a point that splits the arcs of the segment it stands on."""
    snaps = snap(graph, points(place), limit_m=5000)
    arc, fraction = int(snaps.arc[0]), float(snaps.fraction[0])
    oracle = nx.MultiDiGraph()
    oracle.add_nodes_from(range(len(graph.xy)))
    for number, (u, v, seconds) in enumerate(zip(graph.tail, graph.head, graph.seconds, strict=True)):
        oracle.add_edge(int(u), int(v), weight=float(seconds))
        if graph.segment[number] == graph.segment[arc]:
            share = fraction if u == graph.tail[arc] else 1 - fraction
            oracle.add_edge(int(u), "P", weight=share * float(seconds))
            oracle.add_edge("P", int(v), weight=(1 - share) * float(seconds))
    found = [nx.single_source_dijkstra_path_length(one, "P") for one in (oracle.reverse(), oracle)]
    to, away = (np.array([row.get(node, np.inf) for node in range(len(graph.xy))]) for row in found)
    return to, away


@pytest.mark.usefixtures("with_hierarchies")
@given(networks(), st.tuples(st.integers(0, 1300), st.integers(0, 2000)))
def test_times_equal_those_of_networkx(case: tuple, place: tuple[float, float]) -> None:
    """Parallel, zero-length, one-way and missing ways included; each arc is rounded to a tenth of a millisecond."""
    try:
        graph = graph_of(*case)
    except NetworkError:
        return
    assume(len(graph.joinable))  # nobody joins a road that has no length
    for ours, expected in zip(seconds_to_and_from(graph, place), by_networkx(graph, place), strict=True):
        assert ours[:, 0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.usefixtures("with_hierarchies")
def test_one_hierarchy_serves_every_mode_and_every_closed_road(monkeypatch: pytest.MonkeyPatch) -> None:
    network = road_network(RING, [*ONE_WAY, ("a", "c", "footway")])
    motorbike = build_graph(network, Params().access, crs=CRS)
    road_metric(motorbike, cutoff_s=DAY_S)
    monkeypatch.setattr("geo.travel.engine.hierarchy.build_hierarchy", forbidden)
    walking = build_graph(network, Params().with_values({"access.mode": "walk"}).access, crs=CRS)
    road_metric(walking, cutoff_s=DAY_S)
    closed = dataclasses.replace(motorbike, seconds=np.where(motorbike.tail == 0, np.inf, motorbike.seconds))
    metric = road_metric(closed, cutoff_s=DAY_S)
    assert metric.many_to_many(Places.at([1]), [0]) == UNREACHED
    assert metric.many_to_many(Places.at([0]), [1]) < UNREACHED


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("must not be called")


@pytest.mark.usefixtures("with_hierarchies")
def test_a_hierarchy_is_kept_on_disk_and_made_again_if_its_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(RING, ONE_WAY)

    def ask() -> list[int]:
        roads._kept.clear()
        metric = road_metric(graph, cutoff_s=DAY_S, cache_dir=tmp_path)
        return metric.many_to_many(Places.at([0, 1, 2]), [0, 1, 2]).ravel().tolist()

    first = ask()
    (file,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("geo.travel.engine.hierarchy.build_hierarchy", forbidden)
        assert ask() == first
    file.write_bytes(file.read_bytes()[:100])
    assert ask() == first


def test_without_numba_scipy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roads, "SMALL_NETWORK_NODES", 0)
    monkeypatch.setattr(roads, "_hierarchy", missing)
    assert isinstance(road_metric(graph_of(RING, ONE_WAY), cutoff_s=DAY_S), PlainMetric)


def missing(*_: object) -> None:
    raise ImportError("no numba")


@pytest.mark.slow
@pytest.mark.usefixtures("with_hierarchies")
@pytest.mark.parametrize("path", [EMBEDDED, REAL], ids=["embedded", "real"])
def test_every_pair_of_a_sample_equals_scipy(path: Path) -> None:
    if not path.is_file():
        pytest.skip("the real roads of Hanoi are not here (shared/data/hanoi/osm)")
    network = read_osm(path)
    for mode in MODES:
        graph = build_graph(network, Params().with_values({"access.mode": mode}).access, crs=CRS)
        n_nodes = len(graph.xy)
        ticks = np.round(graph.seconds * TICKS_PER_S).astype(np.int64)
        plain = PlainMetric(n_nodes, graph.tail, graph.head, ticks)
        metric = road_metric(graph, cutoff_s=DAY_S)
        places = Places.at(np.random.default_rng(0).choice(n_nodes, 6))
        for towards in (True, False):
            ours, theirs = (next(each.one_to_all(places, towards=towards)) for each in (metric, plain))
            assert (ours == theirs).all()
