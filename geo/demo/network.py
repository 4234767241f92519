"""The modelled road network of the demonstration city, and its ``.osm.pbf``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.demo.extras import add_ferries, add_motorways, add_oddities
from geo.demo.graph import GRID_M, Graph, join_pieces, node_roads, prune_spurs, thin, uncross
from geo.demo.roads import (
    CLASS_ORDER,
    MODEL_CRS,
    Road,
    make_barrier,
    read_bridges,
    read_lakes,
    read_rivers,
    read_roads,
    to_metric,
)
from geo.demo.streets import lay_streets, lay_zones, link_places
from geo.demo.ways import DemoNetwork, add_rivers, make_ways
from geo.progress import keep_silent

#: Shares of streets left out, by class: what makes alleys end and blocks differ.
_DROP = {"unclassified": 0.12, "residential": 0.27, "service": 0.48, "track": 0.3}
_JOIN_M = 900.0
_ISLAND_SHORE_M = 45.0
_OUTSIDE_M = 300.0
_TIE_M = 350.0
_HUB_APART_M = 700.0
_SPUR_M = 22.0


def build_network(
    facts: Path, communes: gpd.GeoDataFrame, *, progress: Callable[[str], None] | None = None
) -> DemoNetwork:
    """Return the modelled network.

    Parameters
    ----------
    facts : path-like
        Folder of the facts tables.
    communes : geopandas.GeoDataFrame
        Index commune_id, columns ``population`` and ``geometry`` in any CRS.
    progress : callable, optional
        Told what is being done.
    """
    tell = progress or keep_silent
    communes = communes.to_crs(MODEL_CRS)
    outline = shapely.union_all(communes.geometry.to_numpy(), grid_size=1.0)
    rivers = read_rivers(facts)
    river_water = make_barrier(rivers)
    ferries = pd.read_csv(facts / "ferries.csv", dtype={"commune_id": str})
    water = shapely.union_all([river_water, *_shores(communes, ferries["commune_id"])])
    tell("named roads")
    bridges = read_bridges(facts, rivers=rivers, barrier=river_water)
    roads = _inside(read_roads(facts, bridges=bridges, barrier=water), outline)
    water = shapely.union_all([water, read_lakes(facts, roads=roads)])
    tell("country roads")
    anchors = _anchors(facts)
    zones = lay_zones(communes, water=water, anchors=anchors)
    ends = np.vstack([bridge.ends for bridge in bridges.values()])
    hubs = np.vstack([ends, _hubs(facts, water, ends)])
    villages = [shapely.get_coordinates(z.shape.representative_point())[0] for z in zones if z.kind == "village"]
    surface = [road for road in roads if road.highway != "motorway"]
    surface += _tie_ends(surface, water)
    links = link_places(hubs, np.array(villages), water=water, avoid=surface)
    surface += _inside(links, outline)
    tell("streets")
    faces = _faces(surface, outline, water)
    surface += lay_streets(faces, zones, outline=outline, water=water)
    tell("crossings")
    graph = uncross(node_roads(surface))
    island = communes.geometry[ferries["commune_id"]]
    graph, surface = add_ferries(graph, surface, ferries=ferries, islands=island)
    graph = join_pieces(graph, water=water, limit_m=_JOIN_M)
    graph = _thin(graph, surface)
    motorways = [road for road in roads if road.highway == "motorway"]
    graph, surface = add_motorways(graph, surface, motorways, water=water)
    graph, surface = add_oddities(graph, surface, facts=facts, rivers=rivers)
    return add_rivers(make_ways(graph, surface), rivers)


def _shores(communes: gpd.GeoDataFrame, islands: pd.Series) -> list[shapely.Geometry]:
    """Return the water around the communes that only a ferry reaches."""
    return [communes.geometry[name].boundary.buffer(_ISLAND_SHORE_M) for name in islands]


def _inside(roads: list[Road], outline: shapely.Geometry) -> list[Road]:
    """Return the roads as far as they lie in the city or just outside; a bridge to the neighbours stays whole."""
    city = outline.buffer(_OUTSIDE_M)
    shapely.prepare(city)
    kept: list[Road] = []
    for road in roads:
        if road.bridge or city.contains(road.line):
            kept.append(road)
            continue
        parts = shapely.get_parts(road.line.intersection(city))
        kept += [replace(road, line=part) for part in parts if part.geom_type == "LineString" and part.length > 30]
    return kept


def _tie_ends(roads: list[Road], water: shapely.Geometry) -> list[Road]:
    """Return short links from ends of roads that stop a little before another road."""
    lines = np.array([road.line for road in roads], dtype=object)
    tree = shapely.STRtree(lines)
    ties: list[Road] = []
    for i, road in enumerate(roads):
        for end in (0, -1):
            point = shapely.get_point(road.line, end)
            near = [j for j in np.sort(tree.query(point, predicate="dwithin", distance=_TIE_M)) if j != i]
            if not near or road.bridge:
                continue
            gaps = shapely.distance(point, lines[near])
            link = shapely.shortest_line(point, lines[near[int(np.argmin(gaps))]])
            if gaps.min() > 1.0 and not link.intersects(water):
                ties.append(replace(road, line=link))
    return ties


def _anchors(facts: Path) -> pd.Series:
    table = pd.read_csv(facts / "communes_2024.csv", dtype={"code": str})
    return pd.Series(shapely.points(to_metric(table["lon"], table["lat"])), index=table["code"])


def _hubs(facts: Path, water: shapely.Geometry, ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return reference points of communes and units on dry land, apart from each other and from the bridges' ends."""
    tables = [pd.read_csv(facts / name) for name in ("communes_2024.csv", "units_2025.csv")]
    xy = np.vstack([to_metric(table["lon"], table["lat"]) for table in tables])
    xy = xy[~shapely.intersects_xy(water, xy) & (cKDTree(ends).query(xy)[0] > _HUB_APART_M / 2)]
    kept: list[int] = []
    for i, near in enumerate(cKDTree(xy).query_ball_point(xy, _HUB_APART_M)):
        if not set(near) & set(kept):
            kept.append(i)
    return np.asarray(xy[kept])


def _faces(roads: list[Road], outline: shapely.Geometry, water: shapely.Geometry) -> list[shapely.Polygon]:
    """Return the dry pieces of land between the roads, in a fixed order."""
    lines = [road.line for road in roads if not road.bridge]
    edges = shapely.union_all([*lines, outline.boundary, water.boundary], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(water)
    faces = faces[~shapely.intersects(water, inner) & (shapely.area(faces) > 4000)]
    place = shapely.get_coordinates(shapely.point_on_surface(faces))
    return list(faces[np.lexsort((place[:, 1], place[:, 0]))])


def _thin(graph: Graph, roads: list[Road]) -> Graph:
    named = np.array([bool(road.name) for road in roads])
    drop = {CLASS_ORDER.index(name): share for name, share in _DROP.items()}
    graph = thin(graph, drop=drop, fixed=named[graph.edges["road"]], key="streets")
    return prune_spurs(graph, shorter_m=_SPUR_M)
