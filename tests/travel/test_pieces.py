from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geo.cli import app
from geo.errors import NetworkError
from geo.params import Params
from geo.publish.network import network_texts
from geo.text import LANGUAGES
from geo.travel.network import build_graph
from geo.travel.pieces import KINDS, find_pieces
from tests.roads import ALONG, CRS, road_network
from tests.toy import toy_folder

# A main street, a cul-de-sac that one enters and does not leave, a road that one leaves and does not enter, a place p
# that is reached from there alone, and an island.
#
#   a ──── b ──── c        x ── y
#   ↓      ↑
#   t → u  s → p
NODES = {
    "a": (0, 0), "b": (1000, 0), "c": (2000, 0), "t": (0, -300), "u": (200, -300), "s": (1000, -400),
    "x": (5000, 0), "y": (5600, 0), "p": (1800, -400),
}  # fmt: skip
ROADS = [
    ("a", "b", "primary"), ("b", "c", "primary"), ("a", "t", "service", ALONG), ("t", "u", "service", ALONG),
    ("s", "b", "service", ALONG), ("s", "p", "service", ALONG), ("x", "y", "residential"),
]  # fmt: skip


def pieces_of(nodes: dict, roads: list) -> pd.DataFrame:
    network = road_network(nodes, roads)
    return find_pieces(build_graph(network, Params().access, crs=CRS), network)


def test_every_piece_is_named_by_what_it_is_to_the_main_one() -> None:
    pieces = pieces_of(NODES, ROADS).set_index("kind")
    assert pieces["road_km"].to_dict() == pytest.approx(
        {"main": 2.0, "no_way_in": 1.2, "island": 0.6, "no_way_out": 0.5, "passed_by": 0.0}, abs=1e-3
    )
    assert pieces["n_nodes"].to_dict() == {"main": 3, "passed_by": 1, "island": 2, "no_way_out": 2, "no_way_in": 1}
    assert pieces["lived_in"].to_dict() == {kind: kind == "main" for kind in pieces.index}, "the island is short"


@st.composite
def streets(draw: st.DrawFn) -> list[tuple[str, str, str, int]]:
    name = st.sampled_from("abctusxy")
    road = st.tuples(name, name, st.just("primary"), st.sampled_from([0b111111, ALONG]))
    return draw(st.lists(road, min_size=1, max_size=12))


@given(streets())
def test_kinds_are_those_of_networkx(roads: list) -> None:
    network = road_network(NODES, roads)
    try:
        graph = build_graph(network, Params().access, crs=CRS)
    except NetworkError:
        return
    pieces = find_pieces(graph, network)
    oracle = nx.DiGraph(list(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)))
    start = int(np.flatnonzero(graph.component == graph.main)[0])
    after, before = nx.descendants(oracle, start) | {start}, nx.ancestors(oracle, start) | {start}
    joined = nx.node_connected_component(oracle.to_undirected(), start)
    expected = {
        "main": after & before,
        "no_way_out": after - before,
        "no_way_in": before - after,
        "passed_by": joined - after - before,
        "island": set(oracle) - joined,
    }
    assert {kind: len(nodes) for kind, nodes in expected.items() if nodes} == (
        pieces.groupby("kind")["n_nodes"].sum().to_dict()
    )
    count = {kind: nx.number_weakly_connected_components(oracle.subgraph(nodes)) for kind, nodes in expected.items()}
    assert {kind: n for kind, n in count.items() if n} == pieces["kind"].value_counts().to_dict()
    used = np.unique(graph.segment)
    assert pieces["road_km"].sum() == pytest.approx(network.length_m[used].sum() / 1000)


def test_the_pieces_are_told_in_every_language() -> None:
    network = road_network(NODES, ROADS, rivers=[((0, 50), (100, 50))])
    pieces = find_pieces(build_graph(network, Params().access, crs=CRS), network)
    for lang in LANGUAGES:
        assert len(network_texts(network, pieces, lang=lang)) == len(KINDS) + 2, lang
    english = network_texts(network, pieces, lang="en")
    assert english[0] == "2.0 km of road in one piece, 46 % of all (3 nodes)."
    assert english[1].startswith(
        "Pieces that one can enter and not leave: 1, together 0.5 km, the longest 0.5 km. Look at"
    )


def test_a_folder_without_roads_has_no_pieces(tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    result = CliRunner().invoke(
        app, ["network", "--data", str(folder), "--out", str(tmp_path / "x.csv"), "--lang", "en"]
    )
    assert result.exit_code == 1
    assert "There is no road network" in result.output
