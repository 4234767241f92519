import threading
from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.errors import GeoError
from geo.travel.engine import CLOSED, MOST_LANES, UNREACHED, Places, PlainMetric

pytest.importorskip("numba", reason="without numba there is no hierarchy")
from geo.travel.engine.hierarchy import build_hierarchy
from geo.travel.engine.sweep import Metric

Case = tuple[int, NDArray, NDArray, NDArray]


@st.composite
def networks(draw: st.DrawFn) -> Case:
    """Draw a graph with loops, parallel and opposite arcs, islands, arcs of no length and closed ones."""
    n_nodes = draw(st.integers(1, 12))
    node = st.integers(0, n_nodes - 1)
    weight = st.one_of(st.integers(0, 9), st.just(int(CLOSED)), st.integers(0, 100_000))
    arcs = draw(st.lists(st.tuples(node, node, weight), max_size=40))
    tail, head, weights = np.array(arcs, np.int64).reshape(-1, 3).T
    return n_nodes, tail, head, weights


def metric_of(case: Case) -> Metric:
    n_nodes, tail, head, weights = case
    return build_hierarchy(n_nodes, tail, head).customise(weights)


def all_pairs(metric: Metric | PlainMetric, n_nodes: int, *, towards: bool = True) -> NDArray[np.uint32]:
    return np.hstack(list(metric.one_to_all(Places.at(np.arange(n_nodes)), towards=towards)))


def by_networkx(case: Case) -> NDArray[np.float64]:
    """Return the weight of the way from row to column."""
    n_nodes, tail, head, weights = case
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(n_nodes))
    for u, v, weight in zip(tail.tolist(), head.tolist(), weights.tolist(), strict=True):
        if weight < CLOSED:
            graph.add_edge(u, v, weight=weight)
    found = np.full((n_nodes, n_nodes), int(UNREACHED))
    for source, row in nx.all_pairs_dijkstra_path_length(graph):
        found[source, list(row)] = list(row.values())
    return found


@given(networks())
def test_every_way_equals_that_of_networkx(case: Case) -> None:
    metric, expected = metric_of(case), by_networkx(case)
    assert (all_pairs(metric, case[0]) == expected).all()
    assert (all_pairs(metric, case[0], towards=False) == expected.T).all()


@given(networks())
def test_scipy_gives_the_same_answers(case: Case) -> None:
    plain, expected = PlainMetric(*case, first_limit=3), by_networkx(case)
    assert (all_pairs(plain, case[0]) == expected).all()
    assert (all_pairs(plain, case[0], towards=False) == expected.T).all()


@given(networks())
def test_no_detour_is_shorter_than_the_way(case: Case) -> None:
    way = np.minimum(all_pairs(metric_of(case), case[0]).astype(np.int64), int(UNREACHED))
    assert (way[:, None, :] <= way[:, :, None] + way[None, :, :]).all()
    assert (np.diag(way) == 0).all()


@given(networks())
def test_only_edges_that_are_a_shortest_way_are_kept(case: Case) -> None:
    metric = metric_of(case)
    way = all_pairs(metric, case[0])
    node = np.argsort(metric.rank)
    for (first, upper, weight), upward in ((metric.up, True), (metric.down, False)):
        ends = node[np.repeat(np.arange(case[0]), np.diff(first))], node[upper]
        assert (weight == way[ends if upward else ends[::-1]]).all()


@given(networks(), st.data())
def test_a_slower_network_shortens_no_way(case: Case, data: st.DataObject) -> None:
    n_nodes, tail, head, weights = case
    slower = [data.draw(st.integers(int(weight), int(CLOSED))) for weight in weights]
    hierarchy = build_hierarchy(n_nodes, tail, head)
    before, after = hierarchy.customise(weights), hierarchy.customise(np.array(slower, np.int64))
    assert (all_pairs(after, n_nodes) >= all_pairs(before, n_nodes)).all()


@given(networks(), st.data())
def test_a_place_on_an_arc_takes_the_better_of_its_ends(case: Case, data: st.DataObject) -> None:
    n_nodes = case[0]
    end = st.tuples(st.integers(-1, n_nodes - 1), st.integers(0, 50))
    ends = np.array(data.draw(st.lists(st.tuples(end, end), min_size=1, max_size=5)), np.int64)
    places = Places(node=ends[:, :, 0], weight=ends[:, :, 1].astype(np.uint32))
    nodes = data.draw(st.lists(st.integers(0, n_nodes - 1), max_size=6))
    way = by_networkx(case)
    expected = np.full((len(nodes), len(ends)), int(UNREACHED))
    for column, place in enumerate(ends):
        for node, weight in place[place[:, 0] >= 0]:
            expected[:, column] = np.minimum(expected[:, column], way[nodes, node] + weight)
    for metric in (metric_of(case), PlainMetric(*case)):
        assert (metric.many_to_many(places, nodes) == expected).all()


def grid(side: int, seed: int = 0) -> Case:
    """Return a square grid with one-way streets and a river that two bridges cross."""
    rng = np.random.default_rng(seed)
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    river = (tail // side == side // 2) & (head // side == side // 2 + 1) & ~np.isin(tail % side, (3, side - 2))
    tail, head = tail[~river], head[~river]
    weights = rng.integers(0, 5000, 2 * len(tail))
    weights[rng.random(len(weights)) < 0.1] = CLOSED
    return side * side, np.concatenate([tail, head]), np.concatenate([head, tail]), weights


def test_more_places_than_lanes_and_nodes_asked_twice() -> None:
    case = grid(24)
    metric, plain = metric_of(case), PlainMetric(*case)
    places = Places.at(np.random.default_rng(1).integers(0, case[0], 2 * MOST_LANES + 5))
    nodes = [5, 17, 5, 400, 17]
    assert (metric.many_to_many(places, nodes) == plain.many_to_many(places, nodes)).all()
    whole = np.hstack(list(metric.one_to_all(places)))
    assert (whole == np.hstack(list(plain.one_to_all(places)))).all()


def test_groups_are_answered_in_their_order() -> None:
    case = grid(24)
    metric, plain = metric_of(case), PlainMetric(*case)
    groups = [(Places.at([place, place + 1]), np.arange(place, place + 30)) for place in range(0, 500, 25)]
    groups += [(Places.at([]), np.array([1])), (Places.at([1]), np.array([], np.int64))]
    for ours, theirs in zip(metric.restricted(groups), plain.restricted(groups), strict=True):
        assert ours.shape == theirs.shape
        assert (ours == theirs).all()


def test_a_caller_may_stop_before_the_last_answer() -> None:
    metric, before = metric_of(grid(24)), threading.active_count()
    begun = []

    def groups() -> Iterator[tuple[Places, list[int]]]:
        for place in range(100):
            begun.append(place)
            yield Places.at([place]), [0]

    answers = metric.restricted(groups())
    next(answers)
    answers.close()
    assert len(begun) < 10, "the others were never begun, so they took no memory"
    assert threading.active_count() == before


def test_another_set_of_weights_leaves_the_first_alone() -> None:
    n_nodes, tail, head, weights = grid(24)
    hierarchy = build_hierarchy(n_nodes, tail, head)
    first = hierarchy.customise(weights)
    before = all_pairs(first, n_nodes)
    closed = np.where(np.isin(tail // 24, (12, 13)), int(CLOSED), weights)
    after = all_pairs(hierarchy.customise(closed), n_nodes)
    assert (after == all_pairs(PlainMetric(n_nodes, tail, head, closed), n_nodes)).all()
    assert (all_pairs(first, n_nodes) == before).all()
    assert (after[:100, 500:] == UNREACHED).all(), "the bridges are closed"
    assert (before[:100, 500:] < UNREACHED).any()


def test_any_number_of_threads_may_ask_the_same_metric() -> None:
    n_nodes, *rest = grid(24)
    metric = metric_of((n_nodes, *rest))
    expected, wrong = all_pairs(metric, n_nodes), []

    def ask(seed: int) -> None:
        nodes = np.random.default_rng(seed).integers(0, n_nodes, 200)
        for _ in range(10):
            if (metric.many_to_many(Places.at(nodes), nodes) != expected[np.ix_(nodes, nodes)]).any():
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_way_too_long_for_32_bits_counts_as_none_and_never_as_a_short_one() -> None:
    nodes = np.arange(5)
    half = int(UNREACHED) // 2
    metric = build_hierarchy(6, nodes, nodes + 1).customise(np.full(5, half))
    assert metric.many_to_many(Places.at([5]), np.arange(6)).ravel().tolist() == [
        *[int(UNREACHED)] * 3, 2 * half, half, 0,
    ]  # fmt: skip


def test_an_empty_network_and_one_without_arcs_are_no_special_case() -> None:
    assert metric_of((0, *np.empty((3, 0), np.int64))).many_to_many(Places.at([]), []).shape == (0, 0)
    assert all_pairs(metric_of((2, *np.empty((3, 0), np.int64))), 2).tolist() == [[0, UNREACHED], [UNREACHED, 0]]


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, 2], "shape"), ([1.5], "float64"), ([-1], "allowed"), ([2**31], "allowed"), ([2**40], "allowed")],
)
def test_weights_that_the_kernels_cannot_take_are_refused(weights: list, message: str) -> None:
    hierarchy = build_hierarchy(2, [0], [1])
    with pytest.raises(GeoError, match=message):
        hierarchy.customise(weights)


def test_nodes_out_of_range_are_refused() -> None:
    metric = build_hierarchy(2, [0], [1]).customise([1])
    for nodes, places in (([2], [0]), ([-1], [0]), ([0], [2]), ([0], [-2])):
        with pytest.raises(GeoError, match="allowed"):
            metric.many_to_many(Places.at(places), nodes)
    with pytest.raises(GeoError, match="allowed"):
        build_hierarchy(2, [0], [2])
