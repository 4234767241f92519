import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.city import City
from geo.params import Params
from geo.schemas import WGS84
from geo.travel.access import REASON_CODES, compute_travel_times
from geo.travel.demand import place_demand
from geo.travel.network import TravelGraph, build_graph, snap
from tests.roads import CRS, ORIGIN, road_network

FACTS = Path(__file__).parents[2] / "data" / "facts"

# One cell of people, 400 m wide, and a river through it. Houses stand along both streets.
#
#    a ── b ── c    y = 300
#    ~~~~~~~~~~~    y = 150
#    d ─────── e    y = 100, joined to the other one by a bridge beyond the picture
X, Y = np.ceil(np.array(ORIGIN) / 400) * 400 - ORIGIN
NODES = {
    "a": (X + 50, Y + 300), "b": (X + 200, Y + 300), "c": (X + 350, Y + 300),
    "d": (X + 50, Y + 100), "e": (X + 350, Y + 100),
    "c2": (X + 3000, Y + 300), "e2": (X + 3000, Y + 100),
}  # fmt: skip
ROADS = [
    ("a", "b", "residential"), ("b", "c", "residential"), ("d", "e", "residential"),
    ("c", "c2", "primary"), ("c2", "e2", "primary"), ("e2", "e", "primary"),
]  # fmt: skip
RIVER = [((X - 500, Y + 150), (X + 2500, Y + 150))]
PARAMS = Params().with_values({"access.min_road_km_per_km2": 0.0}).access


def graph_with(rivers: list) -> TravelGraph:
    network = road_network(NODES, ROADS, rivers=rivers)
    bridge = np.array([road[:2] == ("c2", "e2") for road in ROADS])
    return build_graph(dataclasses.replace(network, spanning=bridge), PARAMS, crs=CRS)


def one_cell() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return a piece and a unit that are the cell, with 600 people."""
    west, south = X + ORIGIN[0], Y + ORIGIN[1]
    shape = shapely.box(west + 1, south + 1, west + 399, south + 399)
    pieces = gpd.GeoDataFrame({"unit_id": ["U"], "population": [600.0], "area_km2": [0.16]}, geometry=[shape], crs=CRS)
    return pieces, pieces.set_index("unit_id")


def test_people_on_the_two_banks_of_a_river_are_gathered_apart() -> None:
    together = place_demand(*one_cell(), graph_with([]), PARAMS)
    assert len(together) == 1
    apart = place_demand(*one_cell(), graph_with(RIVER), PARAMS)
    assert apart["population"].tolist() == pytest.approx([300, 300])
    assert sorted(apart.geometry.y - ORIGIN[1] - Y) == pytest.approx([100, 300], abs=0.1)


def test_people_whose_only_road_lies_across_the_river_are_not_ferried_over() -> None:
    params = Params().with_values({"access.min_road_km_per_km2": 0.0, "access.snap_limit_m": 60.0}).access
    pieces, units = one_cell()
    people = gpd.GeoDataFrame({"population": [1.0, 1.0]}, geometry=shapely.points(
        np.array([(X + 200, Y + 155), (X + 200, Y + 10)]) + ORIGIN), crs=CRS)  # fmt: skip
    demand = place_demand(pieces, units, graph_with(RIVER), params, population_points=people.iloc[:1])
    assert demand["reason"].tolist() == ["across_water"]
    far = place_demand(pieces, units, graph_with(RIVER), params, population_points=people.iloc[1:])
    assert far["reason"].tolist() == ["no_road_within_snap_limit"]


def test_a_building_whose_only_road_lies_across_the_river_says_so() -> None:
    params = Params().with_values({"access.min_road_km_per_km2": 0.0, "access.snap_limit_m": 60.0}).access
    graph = graph_with(RIVER)
    demand = place_demand(*one_cell(), graph_with([]), PARAMS)
    place = shapely.Point(X + 200 + ORIGIN[0], Y + 155 + ORIGIN[1])
    sites = gpd.GeoDataFrame({"unit_id": ["U"]}, geometry=[place], index=["S"], crs=CRS)
    times = compute_travel_times(demand, sites, graph, params, unit_ids=sites["unit_id"].unique())
    assert times.units["U"].reason.tolist() == [[REASON_CODES["across_water"]]]


def test_nobody_near_the_rivers_of_the_embedded_city_joins_a_road_across_them(embedded_city: City) -> None:
    assert embedded_city.network is not None
    table = pd.read_csv(FACTS / "rivers.csv").sort_values(["river", "seq"])
    degrees = gpd.GeoSeries([shapely.LineString(part[["lon", "lat"]]) for _, part in table.groupby("river")], crs=WGS84)
    rivers = shapely.union_all(degrees.to_crs(embedded_city.crs).to_numpy())
    random = np.random.default_rng(7)
    along = shapely.get_coordinates(shapely.line_interpolate_point(rivers, random.random(1500), normalized=True))
    places = np.concatenate([shapely.points(along + random.normal(0, 250, along.shape)), embedded_city.sites.geometry])
    places = places[shapely.distance(places, rivers) > 1]  # who stands on the line is on neither bank
    graph = build_graph(embedded_city.network, Params().access, crs=embedded_city.crs)
    snaps = snap(graph, places, limit_m=500)
    joined = snaps.arc >= 0
    feet = shapely.line_interpolate_point(graph.lines(snaps.arc[joined]), snaps.fraction[joined], normalized=True)
    assert not shapely.intersects(shapely.shortest_line(places[joined], feet), rivers).any()
    assert joined.sum() > 1500
    assert snaps.across_water.any(), "some stand on a bank without a road"
