"""Put the people on the streets where they live: demand points."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.merge.population import PEOPLE_PER_M
from geo.params import HIGHWAY_CLASSES, AccessParams
from geo.schemas import DemandPoints, check
from geo.travel.network import TravelGraph, snap


def place_demand(
    pieces: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    graph: TravelGraph | None,
    params: AccessParams,
    *,
    population_points: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return points on the road network that carry the population of the units.

    The people of a piece (the part of an old commune in a unit) are spread over its streets by length and class, and
    gathered in cells of ``params.demand_cell_m``, bank by bank where a river runs through; a cell's people stand at the
    nearer end of the road segment that is nearest to their middle and on their bank.
    Where the folder brings people at points, those are gathered instead. In each unit the sum is scaled to the unit's
    population.

    Parameters
    ----------
    pieces, units : geopandas.GeoDataFrame
        Tables of :mod:`geo.schemas`.
    graph : TravelGraph or None
        None where there is no road at all.
    params : AccessParams
    population_points : geopandas.GeoDataFrame, optional
        Columns ``population`` and ``geometry`` (points), same CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        Table :class:`~geo.schemas.DemandPoints`. People of a piece without a street stand at a point inside it: on
        the nearest road within the snap limit, else without a node and with the reason. A unit whose streets are
        thinner than ``params.min_road_km_per_km2`` has the reason ``no_network`` throughout.
    """
    rows = _homes(pieces, graph)
    covered = _covered_units(rows, units, params)
    rows = rows[rows["unit_id"].isin(covered)]
    if population_points is None:
        rows = _people_on_streets(rows, pieces)
    else:
        rows = _people_at_points(population_points, units)
    rows = rows[rows["population"] > 0]
    rows = pd.concat([rows, _people_left(rows, pieces, units)], ignore_index=True)
    points = _gathered(rows, params.demand_cell_m, graph)
    points = _scaled(points, units)
    return check(DemandPoints, _on_network(points, covered, graph, params, crs=units.crs), crs=units.crs)


def _homes(pieces: gpd.GeoDataFrame, graph: TravelGraph | None) -> pd.DataFrame:
    """Return the street segments of every piece: columns piece, unit_id, x, y, length_m, people_per_m."""
    columns = ["piece", "unit_id", "x", "y", "length_m", "people_per_m"]
    if graph is None:
        return pd.DataFrame({name: [] for name in columns}).astype({"unit_id": str})
    arcs = graph.joinable
    arcs = arcs[graph.settled[graph.tail[arcs]] & graph.settled[graph.head[arcs]]]
    middle = (graph.xy[graph.tail[arcs]] + graph.xy[graph.head[arcs]]) / 2
    tree = shapely.STRtree(shapely.points(middle))
    piece, place = tree.query(np.asarray(pieces.geometry), predicate="intersects")
    by_place = np.lexsort((piece, place))
    place, first = np.unique(place[by_place], return_index=True)
    piece = piece[by_place][first]
    density = np.array([PEOPLE_PER_M.get(name, 0.0) for name in HIGHWAY_CLASSES])
    ends = graph.xy[graph.head[arcs[place]]] - graph.xy[graph.tail[arcs[place]]]
    return pd.DataFrame(
        {
            "piece": piece,
            "unit_id": pieces["unit_id"].to_numpy()[piece],
            "x": middle[place, 0],
            "y": middle[place, 1],
            "length_m": np.hypot(*ends.T),
            "people_per_m": density[graph.highway[graph.segment[arcs[place]]]],
        }
    )


def _covered_units(homes: pd.DataFrame, units: gpd.GeoDataFrame, params: AccessParams) -> pd.Index:
    road_km = homes.groupby("unit_id")["length_m"].sum().reindex(units.index).fillna(0.0) / 1000
    return units.index[road_km / units["area_km2"] >= params.min_road_km_per_km2]


def _people_on_streets(homes: pd.DataFrame, pieces: gpd.GeoDataFrame) -> pd.DataFrame:
    people = _people_of(pieces)
    weight = homes["length_m"] * homes["people_per_m"]
    total = weight.groupby(homes["piece"]).transform("sum")
    homes = homes.assign(population=weight / total * people.to_numpy()[homes["piece"].to_numpy(int)])
    return homes[total > 0]


def _people_of(pieces: gpd.GeoDataFrame) -> pd.Series:
    """Return the people of each piece; where the census is silent, as many as on the same area elsewhere.

    Where it counts nobody in a whole unit, the land tells how the unit's people are spread.
    """
    known = pieces[pieces["population"].notna()]
    density = known["population"].sum() / known["area_km2"].sum() if known["area_km2"].sum() > 0 else 0.0
    people = pieces["population"].fillna(pieces["area_km2"] * (density or 1.0))
    return people.where(people.groupby(pieces["unit_id"]).transform("sum") > 0, pieces["area_km2"])


def _people_at_points(points: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    joined = gpd.sjoin(points[["population", "geometry"]], units[["geometry"]], predicate="within")
    joined = joined[~joined.index.duplicated()]
    xy = shapely.get_coordinates(np.asarray(joined.geometry))
    return pd.DataFrame(
        {
            "piece": -1,
            "unit_id": joined["unit_id"].to_numpy(),
            "x": xy[:, 0],
            "y": xy[:, 1],
            "population": joined["population"].to_numpy(float),
        }
    )


def _people_left(rows: pd.DataFrame, pieces: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return a point inside each piece whose people have no street, and inside each unit that has no row yet."""
    people = _people_of(pieces)
    without = ~pieces.index.isin(rows["piece"]) & (people > 0).to_numpy() & ~pieces.geometry.is_empty.to_numpy()
    if (rows["piece"] == -1).any():
        without &= ~pieces["unit_id"].isin(rows["unit_id"]).to_numpy()
    inside = pieces.geometry[without].representative_point()
    left = pd.DataFrame(
        {
            "piece": np.flatnonzero(without),
            "unit_id": pieces["unit_id"][without].to_numpy(),
            "x": inside.x.to_numpy(),
            "y": inside.y.to_numpy(),
            "population": people[without].to_numpy(),
        }
    )
    empty = units.index[~units.index.isin(rows["unit_id"]) & ~units.index.isin(left["unit_id"])]
    middle = units.geometry[empty].representative_point()
    return pd.concat(
        [
            left,
            pd.DataFrame({"piece": -1, "unit_id": empty, "x": middle.x, "y": middle.y, "population": 1.0}),
        ]
    )


def _gathered(rows: pd.DataFrame, cell_m: float, graph: TravelGraph | None) -> pd.DataFrame:
    """Gather the people of each unit by square cells: one row per cell at the weighted middle of its people.

    Those whom a river parts from that middle are gathered apart from the others.
    """
    keys = rows.assign(i=rows["x"] // cell_m, j=rows["y"] // cell_m).groupby(["unit_id", "i", "j"])
    cell, people, xy = keys.ngroup().to_numpy(), rows["population"].to_numpy(), rows[["x", "y"]].to_numpy()
    if graph is not None and len(graph.rivers):
        across = graph.across_river(shapely.points(xy), shapely.points(_middles(xy, people, cell)[cell]))
        cell = np.unique(2 * cell + across, return_inverse=True)[1]
    x, y = _middles(xy, people, cell).T
    first = np.unique(cell, return_index=True)[1]
    unit_id = rows["unit_id"].to_numpy()[first]
    return pd.DataFrame({"unit_id": unit_id, "x": x, "y": y, "population": np.bincount(cell, people)})


def _middles(xy: NDArray[np.float64], people: NDArray[np.float64], cell: NDArray) -> NDArray[np.float64]:
    """Return the weighted middle of each cell."""
    moments = np.column_stack([np.bincount(cell, people * along) for along in xy.T])
    return moments / np.bincount(cell, people)[:, None]


def _scaled(points: pd.DataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    order = units.index.get_indexer(points["unit_id"])
    points = points.iloc[np.lexsort((points["x"], points["y"], order))]
    total = points.groupby("unit_id")["population"].transform("sum")
    wanted = units["population"][points["unit_id"]].to_numpy()
    scale = np.where(wanted > 0, wanted / total.to_numpy(), 1.0)  # an unknown population leaves the shares as they are
    return points.assign(population=points["population"].to_numpy() * scale).reset_index(drop=True)


def _on_network(
    points: pd.DataFrame, covered: pd.Index, graph: TravelGraph | None, params: AccessParams, *, crs: object
) -> gpd.GeoDataFrame:
    """Move each point to the nearer end of the road it joins; where there is none, keep it and say why."""
    places = shapely.points(points["x"], points["y"])
    node = np.full(len(points), -1, np.int64)
    reason = np.where(points["unit_id"].isin(covered), "no_road_within_snap_limit", "no_network").astype(object)
    if graph is not None:
        on = points["unit_id"].isin(covered).to_numpy()
        snaps = snap(graph, places[on], limit_m=params.snap_limit_m)
        joined = np.flatnonzero(on)[snaps.arc >= 0]
        arc, fraction = snaps.arc[snaps.arc >= 0], snaps.fraction[snaps.arc >= 0]
        node[joined] = np.where(fraction <= 0.5, graph.tail[arc], graph.head[arc])
        reason[joined] = ""
        reason[np.flatnonzero(on)[snaps.across_water]] = "across_water"
        places[joined] = shapely.points(graph.xy[node[joined]])
    ids = _numbered(points["unit_id"])
    return gpd.GeoDataFrame(
        {"unit_id": points["unit_id"].to_numpy(), "population": points["population"].to_numpy(), "node": node,
         "reason": reason},
        geometry=places,
        index=pd.Index(ids, name="demand_id"),
        crs=crs,
    )  # fmt: skip


def _numbered(unit_id: pd.Series) -> NDArray[np.object_]:
    number = unit_id.groupby(unit_id).cumcount()
    return (unit_id + "-" + number.astype(str).str.zfill(4)).to_numpy(object)
