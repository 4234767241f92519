"""Small road networks for tests, written as names and places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyproj
from numpy.typing import NDArray

from geo.params import HIGHWAY_CLASSES
from geo.schemas import RoadNetwork

CRS = pyproj.CRS("EPSG:32648")
#: A place in Hanoi that all toy coordinates, in metres, are counted from.
ORIGIN = (585_000.0, 2_325_000.0)
BOTH_WAYS, ALONG = 0b111111, 0b010101


def degrees(xy: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude of places in metres."""
    lon, lat = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(xy[:, 0], xy[:, 1])
    return np.asarray(lon), np.asarray(lat)


def road_network(
    nodes: dict[str, tuple[float, float]],
    roads: list[tuple[str, str, str] | tuple[str, str, str, int]],
    *,
    rivers: Sequence[tuple[tuple[float, float], ...]] = (),
) -> RoadNetwork:
    """Return the network of `roads`: tail, head, highway class and, optionally, the ``open_to`` bits.

    A river is a straight piece from one place to another.
    """
    names = list(nodes)
    xy = np.array([nodes[name] for name in names], float) + ORIGIN
    lon, lat = degrees(xy)
    tail = np.array([names.index(road[0]) for road in roads], np.int32)
    head = np.array([names.index(road[1]) for road in roads], np.int32)
    return RoadNetwork(
        lon=lon,
        lat=lat,
        tail=tail,
        head=head,
        length_m=np.hypot(*(xy[tail] - xy[head]).T),
        highway=np.array([HIGHWAY_CLASSES.index(road[2]) for road in roads], np.uint8),
        open_to=np.array([road[3] if len(road) == 4 else BOTH_WAYS for road in roads], np.uint8),
        duration_s=np.full(len(roads), np.nan),
        wait_s=np.full(len(roads), np.nan),
        surface=np.zeros(len(roads), np.uint8),
        spanning=np.zeros(len(roads), bool),
        rivers=np.column_stack(degrees(np.array(rivers, float).reshape(-1, 2) + ORIGIN)).reshape(-1, 4),
        modelled=False,
        digest="toy",
    )
