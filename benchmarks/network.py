"""Travel times by the project's engine and by the libraries that one would pick instead, on the same graphs.

Run ``python -m benchmarks.network``; ``pip install --group bench`` adds the peers, and who is absent is left out. Three
questions: the whole matrix of 903 sites and every node; the nodes of each of 126 units to all sites within 5 km; and
both again for another speed profile. Peers answer a sample, and their seconds are scaled to the whole; a peer without
a hierarchy starts from zero for a new profile, and needs one search a site for either matrix. Every sampled answer is
compared with ours. The bound is a plain pass on two threads over the bytes that must move for the whole matrix: every
sweep reads the edges once, and every entry is written once.

On the embedded city one more: rush hour as the network profile of a plan, with the score of every building and every
pair and the choice for the whole city; what is kept from the plan without it is not counted.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.city import load_city
from geo.params import HIGHWAY_CLASSES, Params
from geo.plan import choose, prepare_with, travel_times
from geo.profile import read_scenario
from geo.progress import Clock
from geo.settings import Settings
from geo.sources.osm import read_osm
from geo.travel.access import ways_to_sites
from geo.travel.engine import MOST_LANES, TICKS_PER_S, UNREACHED, Places
from geo.travel.engine.hierarchy import build_hierarchy
from geo.travel.network import build_graph
from geo.travel.standing import standing_of

HOME = Path(__file__).parents[1]
FILES = {
    "real": HOME.parent / "shared" / "data" / "hanoi" / "osm" / "hanoi_inner_roads.osm.pbf",
    "embedded": HOME / "data" / "network" / "hanoi_modelled.osm.pbf",
}
N_SITES, COLUMNS, ROWS, WITHIN_M = 903, 14, 9, 5000.0
RUNS = 3
CRS = "EPSG:32648"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A graph without parallel arcs, two sets of weights, sites, and the nodes and sites of each unit."""

    name: str
    xy: NDArray[np.float64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    ticks: NDArray[np.uint32]
    other_ticks: NDArray[np.uint32]
    sites: NDArray[np.int64]
    units: list[tuple[NDArray[np.int64], NDArray[np.int64]]]

    @property
    def n_nodes(self) -> int:
        return len(self.xy)


@dataclass(kw_only=True)
class Figures:
    """Seconds for everything that is asked, and what it took to get ready."""

    name: str
    ready_s: float
    memory_mb: float
    matrix_s: float
    units_s: float
    profile_s: float
    note: str = ""


def made_city(side: int = 603) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Return xy, tail, head, seconds and whether an arc is on a main road, of a city with a river and 9 bridges.

    A grid of 88 m with every 16th line a main road; of the other streets 38 % are left out and a tenth are one-way.
    """
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(side * side), side)
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    level = row[tail] == row[head]
    main = np.where(level, row[tail] % 16 == 0, column[tail] % 16 == 0)
    river = (row[tail] == side // 2) & (row[head] == side // 2 + 1)
    bridge = river & main & (column[tail] // 16 % 4 == 2)
    kept = (main | (rng.random(len(tail)) < 0.62)) & (~river | bridge)
    tail, head, main = tail[kept], head[kept], main[kept]
    one_way = ~main & (rng.random(len(tail)) < 0.1)
    tail, head = np.concatenate([tail, head[~one_way]]), np.concatenate([head, tail[~one_way]])
    main = np.concatenate([main, main[~one_way]])
    xy = np.stack([column, row], axis=1) * 88.0 + rng.normal(0, 15, (side * side, 2))
    _, part = connected_components(
        csr_array((np.ones(len(tail)), (tail, head)), (side * side,) * 2), connection="strong"
    )
    city = part == np.bincount(part).argmax()
    inside = city[tail] & city[head]
    number = np.cumsum(city) - 1
    tail, head, main = number[tail[inside]], number[head[inside]], main[inside]
    xy = xy[city]
    return xy, tail, head, np.hypot(*(xy[tail] - xy[head]).T) / np.where(main, 11.0, 6.0), main


def roads_of(path: Path) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Return the same of the motorbike's graph of an OSM extract."""
    graph = build_graph(read_osm(path), Params().access, crs=CRS)
    names = ("trunk", "primary", "secondary", "tertiary")
    main = np.isin(graph.highway[graph.segment], [HIGHWAY_CLASSES.index(name) for name in names])
    return graph.xy, graph.tail, graph.head, graph.seconds, main


def case_of(name: str) -> Case:
    """Return the case; the other profile is a rush hour that slows main roads to half their speed."""
    xy, tail, head, seconds, main = made_city() if name == "made" else roads_of(FILES[name])
    order = np.lexsort((seconds, head, tail))
    tail, head, seconds, main = (values[order] for values in (tail, head, seconds, main))
    lightest = np.concatenate([[True], (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])])
    tail, head, seconds, main = (values[lightest] for values in (tail, head, seconds, main))
    ticks = np.round(seconds * TICKS_PER_S)
    used = np.unique(tail)
    sites = np.random.default_rng(2).choice(used, N_SITES, replace=False)
    return Case(
        name=name,
        xy=xy,
        tail=tail,
        head=head,
        ticks=ticks.astype(np.uint32),
        other_ticks=np.round(ticks * np.where(main, 2.0, 1.0)).astype(np.uint32),
        sites=sites,
        units=list(units_of(xy, used, sites)),
    )


def units_of(xy: NDArray, nodes: NDArray[np.int64], sites: NDArray[np.int64]) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield the nodes of 126 units, cut at quantiles, each with the sites within 5 km of its box."""
    for strip in np.array_split(nodes[np.argsort(xy[nodes, 0], kind="stable")], COLUMNS):
        for unit in np.array_split(strip[np.argsort(xy[strip, 1], kind="stable")], ROWS):
            low, high = xy[unit].min(axis=0), xy[unit].max(axis=0)
            outside = np.maximum(np.maximum(low - xy[sites], xy[sites] - high), 0)
            yield unit, sites[np.hypot(*outside.T) <= WITHIN_M]


def seconds_of(work: Callable[[], object], runs: int = 1) -> float:
    """Return the least wall-clock seconds of `runs` calls: the machine may have other work."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def resident_mb() -> float:
    """Return the memory that this process holds; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 / 2**20 if statm.exists() else 0.0


def ours(case: Case, sample: NDArray[np.int64]) -> tuple[Figures, float, NDArray[np.uint32]]:
    """Return our figures, the seconds of the bound, and the ways of the sampled sites."""
    before = resident_mb()
    ready_s = seconds_of(lambda: build_hierarchy(case.n_nodes, case.tail, case.head))
    hierarchy = build_hierarchy(case.n_nodes, case.tail, case.head)
    metric = hierarchy.customise(case.ticks)
    memory_mb = resident_mb() - before
    groups = [(Places.at(sites), nodes) for nodes, sites in case.units]

    def profile() -> None:
        list(hierarchy.customise(case.other_ticks).restricted(groups))

    edges = [*metric.up, *metric.down]
    n_blocks = -(-N_SITES // MOST_LANES)
    figures = Figures(
        name="truso",
        ready_s=ready_s,
        memory_mb=memory_mb,
        matrix_s=seconds_of(lambda: list(metric.one_to_all(Places.at(case.sites))), RUNS),
        units_s=seconds_of(lambda: list(metric.restricted(groups)), RUNS),
        profile_s=seconds_of(profile, RUNS),
        note=f"new weights alone {seconds_of(lambda: hierarchy.customise(case.other_ticks), RUNS):.2f} s",
    )
    bound_s = seconds_of(lambda: stream(edges, case.n_nodes, n_blocks), RUNS)
    return figures, bound_s, next(metric.one_to_all(Places.at(sample)))


def stream(edges: list[NDArray], n_nodes: int, n_blocks: int) -> list[NDArray[np.uint32]]:
    """Read the edges once and fill one block of the matrix, for every block, on two threads."""

    def one(_: int) -> NDArray[np.uint32]:
        for array in edges:
            array.max()
        block = np.empty((n_nodes, MOST_LANES), np.uint32)
        block.fill(1)
        return block

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(n_blocks)))


def by_search(
    name: str,
    case: Case,
    ready: Callable[[], object],
    search: Callable[[object, int], NDArray],
    sample: NDArray,
    truth: NDArray,
) -> Figures:
    """Return the figures of a peer that searches from one site after the other."""
    before = resident_mb()
    start = time.perf_counter()
    graph = ready()
    ready_s, memory_mb = time.perf_counter() - start, resident_mb() - before
    search(graph, int(sample[0]))  # not measured: the first call may be slower
    seconds = []
    for column, site in enumerate(sample):
        start = time.perf_counter()
        found = search(graph, int(site))
        seconds.append(time.perf_counter() - start)
        compare(name, found, truth[:, column])
    whole = statistics.mean(seconds) * N_SITES
    return Figures(
        name=name, ready_s=ready_s, memory_mb=memory_mb, matrix_s=whole, units_s=whole, profile_s=ready_s + whole,
        note=f"scaled from {len(sample)} sites",
    )  # fmt: skip


def compare(name: str, found: NDArray, truth: NDArray[np.uint32]) -> None:
    """Stop where a peer differs from us."""
    theirs = np.where(np.asarray(found, float) < float(UNREACHED), found, float(UNREACHED))
    if not np.array_equal(theirs, truth):
        sys.exit(f"{name} differs in {np.count_nonzero(theirs != truth)} of {len(truth)} ways")


def scipy_figures(case: Case, sample: NDArray, truth: NDArray) -> Figures:
    """Return the figures of scipy.sparse.csgraph.dijkstra."""
    shape = (case.n_nodes, case.n_nodes)
    return by_search(
        "scipy", case, lambda: csr_array((case.ticks.astype(float), (case.head, case.tail)), shape=shape),
        lambda graph, site: dijkstra(graph, indices=site), sample, truth,
    )  # fmt: skip


def igraph_figures(case: Case, sample: NDArray, truth: NDArray) -> Figures:
    """Return the figures of igraph."""
    igraph = importlib.import_module("igraph")
    ends = np.stack([case.tail, case.head], axis=1)
    weights = case.ticks.tolist()
    return by_search(
        "igraph", case, lambda: igraph.Graph(n=case.n_nodes, edges=ends, directed=True),
        lambda graph, site: np.array(graph.distances(source=[site], weights=weights, mode="in")[0]), sample, truth,
    )  # fmt: skip


def networkx_figures(case: Case, sample: NDArray, truth: NDArray) -> Figures:
    """Return the figures of networkx, which OSMnx builds on."""
    networkx = importlib.import_module("networkx")

    def ready() -> object:
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(case.n_nodes))
        graph.add_weighted_edges_from(zip(case.head.tolist(), case.tail.tolist(), case.ticks.tolist(), strict=True))
        return graph

    def search(graph: object, site: int) -> NDArray:
        lengths = networkx.single_source_dijkstra_path_length(graph, site)
        found = np.full(case.n_nodes, np.inf)
        found[list(lengths)] = list(lengths.values())
        return found

    return by_search("networkx", case, ready, search, sample[:2], truth)


def pyroutingkit_figures(case: Case, sample: NDArray, truth: NDArray) -> Figures:
    """Return the figures of pyroutingkit, which has a customizable contraction hierarchy too; arcs are turned round."""
    pyroutingkit = importlib.import_module("pyroutingkit")
    before, start = resident_mb(), time.perf_counter()
    topology = pyroutingkit.CCHTopology()
    y, x = (case.xy[:, axis].astype(np.float32) / 111_000 for axis in (1, 0))
    topology.build(case.head.astype(np.uint32), case.tail.astype(np.uint32), y, x, case.n_nodes)
    ready_s = time.perf_counter() - start
    metric = pyroutingkit.CCHMetric(topology)
    metric.customize(case.ticks)
    memory_mb = resident_mb() - before
    everywhere = np.arange(case.n_nodes, dtype=np.uint32)
    found: list[NDArray] = []
    matrix_s = seconds_of(lambda: found.append(metric.distances_many_to_many(sample.astype(np.uint32), everywhere)))
    for column, ways in enumerate(found[0].reshape(len(sample), -1)):
        compare("pyroutingkit", ways, truth[:, column])
    units = case.units[::10]

    def restricted() -> None:
        for nodes, sites in units:
            metric.distances_many_to_many(sites.astype(np.uint32), nodes.astype(np.uint32))

    units_s = seconds_of(restricted) / len(units) * len(case.units)
    customise_s = seconds_of(lambda: metric.customize(case.other_ticks))
    return Figures(
        name="pyroutingkit", ready_s=ready_s, memory_mb=memory_mb, matrix_s=matrix_s / len(sample) * N_SITES,
        units_s=units_s, profile_s=customise_s + units_s,
        note=f"scaled from {len(sample)} sites and {len(units)} units; new weights alone {customise_s:.2f} s",
    )  # fmt: skip


PEERS = {
    "scipy": scipy_figures,
    "pyroutingkit": pyroutingkit_figures,
    "igraph": igraph_figures,
    "networkx": networkx_figures,
}


def measure(case: Case, n_sample: int) -> None:
    """Print the table of one graph."""
    sample = case.sites[:: N_SITES // n_sample][:n_sample]
    pairs = sum(len(nodes) * len(sites) for nodes, sites in case.units)
    print(
        f"\n{case.name}: {case.n_nodes:,} nodes, {len(case.tail):,} arcs, {N_SITES} sites; "
        f"units: {pairs / 1e6:.1f} M pairs"
    )
    best, bound_s, truth = ours(case, sample)
    rows = [best]
    for name, figures in PEERS.items():
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed")
            continue
        rows.append(figures(case, sample, truth))
    columns = ("ready s", "MB", "matrix s", "ms a site", "ratio", "units s", "ratio", "new profile s", "ratio")
    print(f"{'':13}" + "".join(f"{column:>14}" for column in columns))
    for row in rows:
        values = [row.ready_s, row.memory_mb, row.matrix_s, 1000 * row.matrix_s / N_SITES, row.matrix_s / best.matrix_s]
        values += [row.units_s, row.units_s / best.units_s, row.profile_s, row.profile_s / best.profile_s]
        print(f"{row.name:13}" + "".join(f"{value:14,.2f}" for value in values) + f"   {row.note}")
    print(f"bound: {bound_s:.2f} s for the matrix; we take {best.matrix_s / bound_s:.1f} times that, "
          f"{case.n_nodes * N_SITES * 4 / 2**20:,.0f} MB")  # fmt: skip


def measure_scores() -> None:
    """Print the seconds from a new profile to a new choice on the embedded city, whole and by step."""
    city, params = load_city(), Params()
    assert city.network is not None
    times = travel_times(city, params.access)
    standing = standing_of(city.network, city.sites, params.access, crs=city.crs)
    profile = params.access.model_copy(update={"scenario": read_scenario("rush_hour").as_profile()})
    folder, best = Settings().cache_dir, None
    for _ in range(RUNS + 1):  # the first is not measured: it reads the hierarchy
        clock = Clock()
        with clock("seconds of the arcs"):
            graph = standing.under(profile).graph
        with clock("new weights and matrix"):
            units = ways_to_sites(
                times.demand, city.sites, graph, profile, unit_ids=city.units.index, snaps=standing.snaps,
                cache_dir=folder,
            )  # fmt: skip
        with clock("criteria of all options"):
            prepared = prepare_with(city, params, replace(times, units=units))
        with clock("scores and choice"):
            choose(city, prepared, prepared.options.scores(params.weights), params)
        whole = sum(clock.seconds.values())
        if best is None or whole < sum(best.values()):
            best = clock.seconds
    pairs = sum(unit.minutes.size for unit in times.units.values())
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in best.items())
    print(
        f"new profile with all scores: {sum(best.values()):.2f} s ({steps}); {pairs:,} times, "
        f"{len(prepared.options.unit):,} options, {len(city.units)} units"
    )


def main() -> None:
    """Measure the graphs that are asked for and present."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graphs", nargs="*", default=["made", *FILES], help="made, real, embedded; all if left out")
    parser.add_argument("--sample", type=int, default=8, help="sites that the peers search from")
    options = parser.parse_args()
    build_hierarchy(2, [0], [1]).customise([1]).many_to_many(Places.at([0]), [1])  # compiles, once for all
    for name in options.graphs:
        if name in FILES and not FILES[name].is_file():
            print(f"\n{name}: the file is not here")
            continue
        measure(case_of(name), options.sample)
        if name == "embedded":
            measure_scores()


if __name__ == "__main__":
    main()
