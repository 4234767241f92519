"""Where buildings stand: real places where they are known, else beside a road of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.demo.boundaries import DemoBoundaries
from geo.demo.roads import MODEL_CRS, random_of, to_metric

_KINDS_OF_PLACE = {
    "stop": "osm_bus_stop", "stop_opposite": "osm_bus_stop", "stop_offset": "osm_bus_stop",
    "stop_road_to": "osm_bus_stop", "poi": "osm_poi",
}  # fmt: skip
_SETBACK_M = 14.0
#: How readily an office stands on a road of each class.
_FRONT = {"primary": 1.0, "secondary": 2.0, "tertiary": 3.0, "unclassified": 2.0, "residential": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a building stands (in :data:`geo.demo.roads.MODEL_CRS`), and how that is known."""

    xy: NDArray[np.float64]
    source: str


class Ground:
    """Where a building can stand: roads, communes and the outline of the city."""

    def __init__(self, boundaries: DemoBoundaries, roads: gpd.GeoDataFrame) -> None:
        self.communes = _metric(boundaries.communes, "commune_id")
        self.units = _metric(boundaries.units, "unit_id")
        self.city = shapely.union_all(self.communes.to_numpy(), grid_size=1.0).buffer(-30)
        shapely.prepare(self.city)
        front = roads[roads["highway"].isin(_FRONT)].reset_index(drop=True)
        self.weight = front["highway"].map(_FRONT).to_numpy()
        self.roads = front
        self.tree = shapely.STRtree(front.geometry.to_numpy())
        named = roads[roads["name"] != ""].reset_index(drop=True)
        self.names = named["name"].to_numpy()
        self.named_tree = shapely.STRtree(named.geometry.to_numpy())

    def near(self, key: str, centre: NDArray[np.float64], *, within: shapely.Geometry, spread_m: float) -> Place:
        """Return a plausible place on a road around `centre` that lies `within` a polygon."""
        rng = random_of("place", key)
        for reach in (spread_m, 2 * spread_m, 4 * spread_m, 20_000.0):
            hits = np.sort(self.tree.query(shapely.Point(centre), predicate="dwithin", distance=reach))
            middle = shapely.line_interpolate_point(self.roads.geometry.to_numpy()[hits], 0.5, normalized=True)
            inside = shapely.contains(within, middle) if len(hits) else np.array([], bool)
            hits, middle = hits[inside], middle[inside]
            if len(hits):
                gap = shapely.distance(shapely.Point(centre), middle)
                chance = self.weight[hits] * np.exp(-gap / spread_m)
                line = self.roads.geometry[hits[rng.choice(len(hits), p=chance / chance.sum())]]
                return Place(xy=_beside(rng, line, within), source="modelled")
        return Place(xy=shapely.get_coordinates(within.representative_point())[0], source="modelled")

    def known(self, row: Any) -> Place:
        """Return the place of a row of ``admin_buildings_osm.csv``, moved only where it leaves the city."""
        xy = to_metric([row.lon], [row.lat])[0]
        source = f"{_KINDS_OF_PLACE[row.position_kind]} ({row.error_m} m)"
        if not shapely.contains_xy(self.city, *xy):
            xy = shapely.get_coordinates(shapely.shortest_line(self.city, shapely.Point(xy)))[0]
            source += ", moved inside the modelled outline"
        return Place(xy=xy, source=source)

    def street(self, xy: NDArray[np.float64]) -> str:
        """Return the name of a road in sight of the place, or an empty string."""
        hits = self.named_tree.query(shapely.Point(xy), predicate="dwithin", distance=60.0)
        if not len(hits):
            return ""
        gaps = shapely.distance(shapely.Point(xy), self.named_tree.geometries[hits])
        return str(self.names[hits[np.lexsort((self.names[hits], gaps.round(1)))[0]]])

    def commune_at(self, xy: NDArray[np.float64]) -> str:
        """Return the commune nearest to the place."""
        gaps = shapely.distance(self.communes.to_numpy(), shapely.Point(xy))
        return str(self.communes.index[int(np.argmin(gaps))])


def _metric(frame: gpd.GeoDataFrame, key: str) -> gpd.GeoSeries:
    return gpd.GeoSeries(frame.to_crs(MODEL_CRS).geometry.to_numpy(), index=frame[key], crs=MODEL_CRS)


def _beside(rng: np.random.Generator, line: shapely.LineString, within: shapely.Geometry) -> NDArray[np.float64]:
    """Return a place a few metres off a road."""
    share = rng.uniform(0.25, 0.75)
    a, b = shapely.get_coordinates(line)
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / max(float(np.linalg.norm(b - a)), 1.0)
    for side in rng.permutation([-1.0, 1.0]):
        xy = a + share * (b - a) + side * _SETBACK_M * normal
        if shapely.contains_xy(within, *xy):
            return np.asarray(xy)
    return np.asarray(a + share * (b - a))
