from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geo.demo.graph import components, node_roads, thin
from geo.demo.network import build_network
from geo.demo.roads import Road, make_barrier, read_bridges, read_rivers, read_roads
from geo.demo.ways import GENERATOR, DemoNetwork, make_ways, write_network
from tests.demo.extract import DATA, PBF, TO_METRIC, Extract, motorbike_components, read_extract

BIG_RIVERS = {"Hồng", "Đuống", "Đà", "Đáy"}


@pytest.fixture(scope="module")
def extract() -> Extract:
    return read_extract()


@pytest.fixture(scope="module")
def rivers() -> pd.Series:
    table = pd.read_csv(DATA / "facts" / "rivers.csv").sort_values(["river", "seq"])
    lines = {
        river: shapely.LineString(np.column_stack(TO_METRIC.transform(part["lon"], part["lat"])))
        for river, part in table.groupby("river")
    }
    return pd.Series(lines)


# What is committed


def test_the_extract_is_of_the_promised_size(extract):
    assert PBF.stat().st_size < 5_000_000
    assert 60_000 <= len(extract.xy) <= 120_000


def test_every_reader_is_told_that_the_roads_are_modelled(extract):
    assert "modelled" in extract.generator
    assert {tags["source"] for tags in extract.tags} == {"modelled"}


def test_motorbikes_get_everywhere_but_where_they_are_not_meant_to(extract):
    component = motorbike_components(extract)
    used = component >= 0
    main = np.bincount(component[used]).argmax()
    assert (component[used] == main).mean() >= 0.995
    elsewhere = (component[extract.edges] >= 0).all(axis=1) & (component[extract.edges] != main).any(axis=1)
    odd = set(pd.read_csv(DATA / "facts" / "oddities.csv")["name"])
    assert {extract.tags[way].get("name") for way in extract.way[elsewhere]} == odd


def test_the_trap_can_be_entered_and_not_left(extract):
    component = motorbike_components(extract)
    main = np.bincount(component[component >= 0]).argmax()
    trap = extract.edges[extract.edges_where(lambda t: "một chiều" in t.get("name", ""))]
    assert (component[trap[:, 0]] == main).sum() == 1  # one lane leads in
    assert (component[trap[:, 1]] == main).sum() == 0  # none leads out


def test_rivers_are_crossed_only_on_bridges_and_by_the_ferry(extract, rivers):
    dry = ~extract.edges_where(lambda t: t.get("bridge") == "yes" or t.get("route") == "ferry")
    for name, river in rivers.items():
        crossing = shapely.intersects(extract.lines[dry], river)
        assert not crossing.any(), f"{name}: {[extract.tags[w] for w in extract.way[dry][crossing]][:3]}"


def test_the_big_rivers_have_only_bridges_that_exist(extract, rivers):
    tables = [pd.read_csv(DATA / "facts" / name) for name in ("bridges.csv", "crossings.csv")]
    known = pd.concat(tables).query("precision != 'modelled'")
    over = extract.edges_where(lambda t: t.get("bridge") == "yes")
    for river in BIG_RIVERS:
        crossing = shapely.intersects(extract.lines[over], rivers[river])
        names = {extract.tags[w]["name"] for w in extract.way[over][crossing]}
        assert names == set(known.loc[known["river"] == river, "name"])


def test_long_bien_bridge_carries_no_cars(extract):
    assert [t for t in extract.tags if t.get("name") == "Cầu Long Biên" and t.get("bridge")] == [
        {
            "bridge": "yes", "foot": "yes", "highway": "residential", "layer": "1", "motorcar": "no",
            "motorcycle": "yes", "name": "Cầu Long Biên", "source": "modelled",
        }
    ]  # fmt: skip


def test_minh_chau_is_reached_by_ferry_only(extract):
    communes = gpd.read_file(DATA / "boundaries" / "communes.geojson").set_index("commune_id").to_crs("EPSG:32648")
    island = shapely.contains_xy(communes.geometry["09661"].buffer(-100), extract.xy)
    assert island.sum() > 20
    for ferries in (True, False):
        component = motorbike_components(extract, ferries=ferries)
        main = np.bincount(component[component >= 0]).argmax()
        assert ((component[island & (component >= 0)] == main).all()) == ferries


def test_roads_that_cross_share_a_node(extract):
    lines = extract.lines
    one, other = shapely.STRtree(lines).query(lines, predicate="crosses")
    above = extract.edges_where(lambda t: "layer" in t or "route" in t)  # motorways and bridges pass over
    assert not (~above[one] & ~above[other]).any()


def test_no_edge_is_double_or_a_loop(extract):
    ends = Counter(map(tuple, np.sort(extract.edges, axis=1).tolist()))
    assert max(ends.values()) == 1
    assert (extract.edges[:, 0] != extract.edges[:, 1]).all()


def test_ways_are_about_a_third_longer_than_the_crow_flies(extract):
    component = motorbike_components(extract)
    main = np.bincount(component[component >= 0]).argmax()
    length = shapely.length(extract.lines)
    keep = (component[extract.edges] == main).all(axis=1)
    tail, head = extract.edges[keep].T
    n = len(extract.xy)
    graph = coo_array((length[keep], (tail, head)), shape=(n, n)).tocsr()
    sources = np.random.default_rng(1).choice(np.flatnonzero(component == main), 25)
    road = dijkstra(graph, directed=False, indices=sources)
    crow = np.linalg.norm(extract.xy[sources][:, None] - extract.xy[None], axis=2)
    near = (crow > 1000) & (crow < 5000) & np.isfinite(road)
    assert 1.2 < (road[near] / crow[near]).mean() < 1.45


def test_streets_are_denser_where_more_people_live(extract):
    communes = gpd.read_file(DATA / "boundaries" / "communes.geojson").to_crs("EPSG:32648")
    people = pd.read_csv(DATA / "population" / "communes.csv", dtype={"commune_id": str})
    middle = shapely.line_interpolate_point(extract.lines, 0.5, normalized=True)
    commune, edge = shapely.STRtree(middle).query(communes.geometry, predicate="contains")
    km = np.bincount(commune, shapely.length(extract.lines)[edge], minlength=len(communes)) / 1000
    area = communes.geometry.area.to_numpy() / 1e6
    table = pd.DataFrame({"roads": km / area, "people": people["population"] / area})
    assert table.corr(method="spearman").iloc[0, 1] > 0.8
    assert table["roads"].min() > 1.0  # km per km2


def test_the_streets_people_know_are_there_by_name(extract):
    names = {tags.get("name") for tags in extract.tags}
    for name in (
        "Nguyễn Trãi",
        "Kim Mã",
        "Đường Láng",
        "Giải Phóng",
        "Võ Nguyên Giáp",
        "Đại lộ Thăng Long",
        "Cầu Nhật Tân",
    ):
        assert name in names


# How it is made


def cross(*, highway: str = "residential") -> list[Road]:
    #       |
    #   ----+----    two roads, neither of which has a corner where they cross
    #       |
    return [
        Road(line=shapely.LineString([(0, 100), (200, 100)]), highway=highway),
        Road(line=shapely.LineString([(100, 0), (100, 200)]), highway="residential"),
    ]


def test_crossing_roads_get_a_common_node():
    graph = node_roads(cross())
    assert len(graph.edges) == 4
    degree = np.bincount(graph.edges[["tail", "head"]].to_numpy().ravel())
    assert graph.xy[degree.argmax()].tolist() == [100, 100]


def test_a_shared_stretch_belongs_to_the_higher_class():
    #  ====------    a primary road, and a residential one that runs along it and goes on
    roads = [
        Road(line=shapely.LineString([(0, 0), (200, 0)]), highway="residential"),
        Road(line=shapely.LineString([(0, 0), (100, 0)]), highway="primary"),
    ]
    graph = node_roads(roads)
    assert sorted(graph.edges["road"]) == [0, 1]


@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_thinning_never_cuts_anything_off(seed, share):
    #  +--+--+--+
    #  |  |  |  |    a lattice of 6 x 6
    #  +--+--+--+
    lines = [[(x, 0), (x, 500)] for x in range(0, 600, 100)] + [[(0, y), (500, y)] for y in range(0, 600, 100)]
    graph = node_roads([Road(line=shapely.LineString(line), highway="service") for line in lines])
    rank = int(graph.edges["rank"].iloc[0])
    thinned = thin(graph, drop={rank: share}, fixed=np.zeros(len(graph.edges), bool), key=str(seed))
    label = components(len(graph.xy), thinned.edges["tail"].to_numpy(), thinned.edges["head"].to_numpy())
    assert len(np.unique(label)) == 1
    assert len(thinned.edges) <= len(graph.edges)


def write_facts(folder, *, bridge_at: str) -> None:
    # A river from south to north along 105.50 E and a road from west to east that crosses it twice: by name, and not.
    river = "river,seq,lon,lat,width_m\nToy,0,105.50,20.90,200\nToy,1,105.50,21.10,200\n"
    (folder / "rivers.csv").write_text(river)
    head = "name,river,lon,lat,road_class,carries,precision,source\n"
    (folder / "bridges.csv").write_text(f"{head}Cầu Toy,Toy,{bridge_at},21.00,primary,road,x,x\n")
    (folder / "crossings.csv").write_text(head)
    (folder / "roads.csv").write_text(
        "road_id,name,ref,highway,oneway,offset_m,seq,lon,lat,bridge\n"
        "R1,East,,primary,no,0,0,105.48,21.00,\n"
        "R1,East,,primary,no,0,1,,,Cầu Toy\n"
        "R1,East,,primary,no,0,2,105.52,21.00,\n"
        "R2,Ford,,secondary,no,0,0,105.48,21.05,\nR2,Ford,,secondary,no,0,1,105.52,21.05,\n"
    )


@pytest.mark.parametrize("bridge_at", ["105.50", "105.51", "105.485"])
def test_a_road_goes_over_its_bridge_and_stops_at_the_water_elsewhere(tmp_path, bridge_at):
    write_facts(tmp_path, bridge_at=bridge_at)
    rivers = read_rivers(tmp_path)
    water = make_barrier(rivers)
    bridges = read_bridges(tmp_path, rivers=rivers, barrier=water)
    roads = read_roads(tmp_path, bridges=bridges, barrier=water)
    river = rivers.geometry["Toy"]
    assert [road.name for road in roads if road.line.intersects(river)] == ["Cầu Toy"]
    graph = node_roads(roads)
    assert len(np.unique(graph.labels())) == 3  # the road with its bridge, and the two ends of the ford


def test_a_one_way_street_keeps_its_direction_through_noding(tmp_path):
    lines = [
        [(500_000 + x, 2_300_000 + y) for x, y in line] for line in ([(200, 0), (0, 0)], [(0, 0), (100, 90), (200, 0)])
    ]
    roads = [
        Road(line=shapely.LineString(lines[0]), highway="secondary", name="back", oneway=True),
        Road(line=shapely.LineString(lines[1]), highway="secondary", name="there", oneway=True),
    ]
    network = make_ways(node_roads(roads), roads)
    for row in network.ways.itertuples():
        lon = network.nodes["lon"].iloc[row.nodes]
        assert row.tags["oneway"] == "yes"
        assert lon.is_monotonic_increasing == (row.tags["name"] == "there")


def test_a_one_way_street_that_locks_people_in_is_opened():
    roads = [
        Road(line=shapely.LineString([(500_000, 2_300_000), (500_100, 2_300_000)]), highway="tertiary"),
        Road(line=shapely.LineString([(500_100, 2_300_000), (500_200, 2_300_000)]), highway="tertiary", oneway=True),
    ]
    network = make_ways(node_roads(roads), roads)
    assert all("oneway" not in tags for tags in network.ways["tags"])


def test_the_same_network_gives_the_same_bytes(tmp_path):
    roads = cross()
    network: DemoNetwork = make_ways(node_roads(roads), roads)
    for name in ("a", "b"):
        write_network(network, tmp_path / f"{name}.osm.pbf")
    assert (tmp_path / "a.osm.pbf").read_bytes() == (tmp_path / "b.osm.pbf").read_bytes()
    assert read_extract(tmp_path / "a.osm.pbf").generator == GENERATOR


@pytest.mark.slow
def test_a_rebuilt_network_equals_the_committed_one(tmp_path):
    communes = gpd.read_file(DATA / "boundaries" / "communes.geojson").set_index("commune_id")
    people = pd.read_csv(DATA / "population" / "communes.csv", dtype={"commune_id": str}).set_index("commune_id")
    network = build_network(DATA / "facts", communes.assign(population=people["population"]))
    write_network(network, tmp_path / "again.osm.pbf")
    assert (tmp_path / "again.osm.pbf").read_bytes() == PBF.read_bytes()
