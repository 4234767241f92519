import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.params import HIGHWAY_CLASSES, MODES, SURFACES
from geo.schemas import RoadNetwork
from geo.sources.segments import Segments, split_at_barriers
from geo.sources.tags import _BARRED, barred_at

CAR, MOTORBIKE, WALK = (1 << MODES.index(mode) for mode in ("car", "motorbike", "walk"))

# A street with a bollard at b, from which an alley and a footpath go off.
#
#        d (alley)
#        │
#   a ── b ── c
#        ┆
#        e (footway)
PLACES = {1: (105.80, 21.00), 2: (105.81, 21.00), 3: (105.82, 21.00), 4: (105.81, 21.01), 5: (105.81, 20.99)}
A, B, C, D, E = range(5)


def read(*ways: tuple[tuple[int, ...], dict[str, str]], barrier: dict[str, str] | None = None) -> RoadNetwork:
    segments = Segments()
    if barrier:
        segments.add_node(2, barrier)
    for refs, tags in ways:
        segments.add_way([[(ref, *PLACES[ref]) for ref in refs]], tags)
    return segments.network(modelled=False, digest="")


def crossing(barrier: dict[str, str]) -> RoadNetwork:
    street = {"highway": "residential"}
    return read(((1, 2, 3), street), ((2, 4), street), ((2, 5), {"highway": "footway"}), barrier=barrier)


def graph_of(network: RoadNetwork, mode: str) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(network.lon)))
    bits = network.open_to >> 2 * MODES.index(mode)
    for tail, head, length, way in zip(network.tail, network.head, network.length_m, bits, strict=True):
        for one, other, allowed in ((tail, head, way & 1), (head, tail, way & 2)):
            if allowed and length < graph.get_edge_data(one, other, {"length": np.inf})["length"]:
                graph.add_edge(one, other, length=length)
    return graph


def reached(network: RoadNetwork, mode: str, start: int) -> set[int]:
    return {int(node) for node in nx.descendants(graph_of(network, mode), start) if node <= E}


@pytest.mark.parametrize(
    ("barrier", "barred"),
    [
        ({"barrier": "bollard"}, {"car"}),
        ({"barrier": "block"}, {"car"}),
        ({"barrier": "gate"}, set()),
        ({"barrier": "lift_gate"}, set()),
        ({"barrier": "gate", "locked": "yes"}, {"car", "motorbike", "walk"}),
        ({"barrier": "gate", "access": "private"}, {"car", "motorbike", "walk"}),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, {"car", "motorbike"}),
        ({"barrier": "lift_gate", "motor_vehicle": "no"}, {"car", "motorbike"}),
        ({"barrier": "bollard", "motorcar": "yes"}, set()),
        ({"barrier": "bollard", "motorcycle": "no"}, {"car", "motorbike"}),
        ({"barrier": "cycle_barrier"}, {"car", "motorbike"}),
        ({"barrier": "wall"}, {"car", "motorbike", "walk"}),
        ({"barrier": "something new"}, set()),
        ({"access": "no"}, set()),
    ],
)
def test_a_barrier_stops_the_modes_that_its_kind_and_its_tags_say(barrier: dict[str, str], barred: set[str]) -> None:
    network = crossing(barrier)
    assert {mode for mode in MODES if C not in reached(network, mode, A)} == barred


def test_the_documented_table_of_barriers_holds() -> None:
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*) \| (nobody|everybody|cars and motorbikes|cars; .*) \|$", text, re.MULTILINE)
    who = {"nobody": 0, "everybody": CAR | MOTORBIKE | WALK, "cars and motorbikes": CAR | MOTORBIKE}
    told = {kind: who.get(stops, CAR) for kinds, stops in rows for kind in re.findall("`(.*?)`", kinds)}
    assert {kind: barred_at({"barrier": kind}) for kind in told} == told
    assert set(_BARRED) <= set(told), "each kind that stops somebody is told"


def test_who_is_barred_comes_up_to_the_barrier_from_every_side_and_no_further() -> None:
    network = crossing({"barrier": "bollard"})
    assert reached(network, "walk", A) == {B, C, D, E}
    assert reached(network, "motorbike", A) == {B, C, D}
    assert reached(network, "car", A) | reached(network, "car", C) | reached(network, "car", D) <= {B}
    cars = graph_of(network, "car")
    at_the_bollard = np.flatnonzero((network.lon == network.lon[B]) & (network.lat == network.lat[B]))
    for start in (A, C, D):
        stops = nx.descendants(cars, start) & set(at_the_bollard)
        assert len(stops) == 1, "its own end of the street"


def test_no_segment_is_lost_and_only_segments_of_the_barred_get_an_end_of_their_own() -> None:
    plain, split = crossing({}), crossing({"barrier": "bollard"})
    assert (len(split.tail), len(split.lon)) == (len(plain.tail) + 2, len(plain.lon) + 2)
    assert (split.length_m[: len(plain.tail)] == plain.length_m).all()
    assert (split.length_m[len(plain.tail) :] == 0).all()
    walls = crossing({"barrier": "wall"})
    assert len(walls.tail) == len(plain.tail) + 3, "walkers use the footway too"


def test_a_bollard_on_a_footway_changes_nothing() -> None:
    path = {"highway": "footway"}
    assert len(read(((1, 2, 3), path), barrier={"barrier": "bollard"}).tail) == 2


def test_a_barrier_that_lies_on_no_way_is_no_matter() -> None:
    assert len(read(((1, 3), {"highway": "primary"}), barrier={"barrier": "wall"}).tail) == 1


def test_a_ferry_keeps_its_landing() -> None:
    network = read(((1, 2), {"route": "ferry"}), ((2, 3), {"highway": "primary"}), barrier={"barrier": "wall"})
    ferry = HIGHWAY_CLASSES.index("ferry")
    assert np.count_nonzero(network.highway == ferry) == 1, "a second one would cost a second wait"


@pytest.mark.parametrize(
    ("tags", "surface"),
    [
        ({}, "unknown"),
        ({"surface": "asphalt"}, "paved"),
        ({"surface": "asphalt;concrete"}, "paved"),
        ({"surface": "sett"}, "uneven"),
        ({"surface": "ground"}, "unpaved"),
        ({"surface": "mud"}, "bad"),
        ({"surface": "asphalt", "smoothness": "very_bad"}, "unpaved"),
        ({"surface": "compacted", "smoothness": "good"}, "paved"),
        ({"tracktype": "grade5"}, "bad"),
        ({"surface": "lava", "tracktype": "grade1"}, "paved"),
    ],
)
def test_smoothness_goes_before_surface_and_surface_before_the_type_of_track(
    tags: dict[str, str], surface: str
) -> None:
    assert SURFACES[read(((1, 2), {"highway": "track", **tags})).surface[0]] == surface


@st.composite
def networks(draw: st.DrawFn) -> tuple[RoadNetwork, NDArray[np.uint8]]:
    """Draw a small network with loops, parallel segments and one-ways, and whom each node bars."""
    n_nodes = draw(st.integers(2, 7))
    node = st.integers(0, n_nodes - 1)
    roads = draw(st.lists(st.tuples(node, node, st.integers(0, 63), st.integers(0, 9)), min_size=1, max_size=14))
    tail, head, open_to, length = (np.array(column) for column in zip(*roads, strict=True))
    network = RoadNetwork(
        lon=np.arange(n_nodes, dtype=float), lat=np.zeros(n_nodes), tail=tail.astype(np.int32),
        head=head.astype(np.int32), length_m=length.astype(float),
        highway=np.full(len(roads), HIGHWAY_CLASSES.index("residential"), np.uint8), open_to=open_to.astype(np.uint8),
        duration_s=np.full(len(roads), np.nan), wait_s=np.full(len(roads), np.nan),
        surface=np.zeros(len(roads), np.uint8), spanning=np.zeros(len(roads), bool), rivers=np.empty((0, 4)),
        modelled=False, digest="",
    )  # fmt: skip
    return network, np.array(draw(st.lists(st.integers(0, 7), min_size=n_nodes, max_size=n_nodes)), np.uint8)


def from_end_to_end(network: RoadNetwork, barred: NDArray[np.uint8], mode: str) -> dict[int, dict[int, float]]:
    """Return the distances from each end of a segment to each other, barriers obeyed; end ``2 * s`` is the tail of s.

    The oracle walks from end to end, so that it knows which segment it came by; it knows nothing of copies.
    """
    number = MODES.index(mode)
    graph = nx.DiGraph()
    place = np.stack([network.tail, network.head], axis=1).ravel()
    bits = network.open_to >> 2 * number & 3
    usable = [end for end in range(len(place)) if bits[end // 2] and network.tail[end // 2] != network.head[end // 2]]
    graph.add_nodes_from(usable)
    for end in usable:
        if bits[end // 2] & 1 << end % 2:
            graph.add_edge(end, end ^ 1, length=network.length_m[end // 2])
        for other in usable:
            if other != end and place[other] == place[end] and not barred[place[end]] >> number & 1:
                graph.add_edge(end, other, length=0.0)
    return {end: nx.single_source_dijkstra_path_length(graph, end, weight="length") for end in usable}


@given(networks())
def test_barriers_change_no_distance_but_of_those_they_stop(drawn: tuple[RoadNetwork, NDArray[np.uint8]]) -> None:
    network, barred = drawn
    split = split_at_barriers(network, barred)
    node = np.stack([split.tail, split.head], axis=1).ravel()
    for mode in MODES:
        graph, expected = graph_of(split, mode), from_end_to_end(network, barred, mode)
        for start, distances in expected.items():
            found = nx.single_source_dijkstra_path_length(graph, node[start], weight="length")
            for end in expected:
                assert found.get(node[end]) == distances.get(end)
