"""Read the committed extract without the package's own reader: an independent oracle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

DATA = Path(__file__).resolve().parents[2] / "data"
PBF = DATA / "network" / "hanoi_modelled.osm.pbf"
TO_METRIC = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True)


@dataclass(frozen=True)
class Extract:
    """The roads; a node may be one of a river."""

    generator: str
    xy: NDArray[np.float64]
    edges: NDArray[np.int64]  # tail, head
    way: NDArray[np.int64]  # of every edge
    tags: list[dict[str, str]]  # of every way

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        return np.asarray(shapely.linestrings(self.xy[self.edges]))

    def edges_where(self, accept) -> NDArray[np.bool_]:
        return np.array([bool(accept(tags)) for tags in self.tags])[self.way]


def read_extract(path: Path = PBF) -> Extract:
    row: dict[int, int] = {}
    degrees, edges, way, tags = [], [], [], []
    reader = osmium.FileProcessor(str(path))
    for item in reader:
        if item.is_node():
            row[item.id] = len(degrees)
            degrees.append((item.location.lon, item.location.lat))
        elif item.is_way() and "waterway" not in item.tags:
            nodes = [row[node.ref] for node in item.nodes]
            edges += list(pairwise(nodes))
            way += [len(tags)] * (len(nodes) - 1)
            tags.append(dict(item.tags))
    xy = np.column_stack(TO_METRIC.transform(*np.array(degrees).T))
    return Extract(reader.header.get("generator"), xy, np.array(edges), np.array(way), tags)


def motorbike_components(extract: Extract, *, ferries: bool = True) -> NDArray[np.int64]:
    """The strong component of every node; -1 where no motorbike comes."""
    open_to = extract.edges_where(
        lambda t: t.get("highway") not in ("motorway", "motorway_link") and (ferries or "route" not in t)
    )
    oneway = extract.edges_where(lambda t: t.get("oneway") == "yes")
    along, back = extract.edges[open_to], extract.edges[open_to & ~oneway][:, ::-1]
    tail, head = np.vstack([along, back]).T
    n = len(extract.xy)
    _, label = connected_components(coo_array((np.ones(len(tail)), (tail, head)), shape=(n, n)), connection="strong")
    used = np.zeros(n, bool)
    used[tail] = used[head] = True
    return np.where(used, label, -1)
