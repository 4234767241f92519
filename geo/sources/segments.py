"""From ways and nodes, wherever they were read, to a RoadNetwork: the one place that cuts and joins segments."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pyproj
from numpy.typing import NDArray

from geo.params import HIGHWAY_CLASSES, MODES
from geo.schemas import RoadNetwork
from geo.sources.tags import barred_at, class_of, duration_s, is_river, is_spanning, open_to, surface_of

#: OSM id, longitude and latitude of a node that the file holds.
Node = tuple[int, float, float]
_CLASS = {name: number for number, name in enumerate(HIGHWAY_CLASSES)}
_FERRY = _CLASS["ferry"]
_GEOD = pyproj.Geod(ellps="WGS84")


class Segments:
    """Growing columns of the ways read so far, the nodes that bar somebody, and how many roads have no place."""

    def __init__(self) -> None:
        self.tail, self.head, self.node_id = array("q"), array("q"), array("q")
        self.highway, self.open_to, self.surface, self.spanning = array("B"), array("B"), array("B"), array("B")
        self.ferry_length_m, self.duration_s, self.wait_s = array("d"), array("d"), array("d")
        self.node_lon, self.node_lat, self.rivers = array("d"), array("d"), array("d")
        self.barred: dict[int, int] = {}
        self.unplaced = 0

    def add_node(self, node_id: int, tags: Mapping[str, str]) -> None:
        """Keep whom a node bars."""
        bits = barred_at(tags)
        if bits:
            self.barred[node_id] = bits

    def add_way(self, runs: Sequence[Sequence[Node]], tags: Mapping[str, str]) -> None:
        """Add a way.

        Parameters
        ----------
        runs : sequence of sequences of Node
            The stretches of the way whose nodes are all known; no straight line bridges a gap between them.
        tags : mapping of str to str
        """
        if is_river(tags):
            for nodes in runs:
                self._add_river(nodes)
        name = class_of(tags)
        if name is None:
            return
        bits = open_to(name, tags)
        if bits:
            self.unplaced += not runs
            for nodes in runs:
                self._add_run(nodes, name, bits, tags)

    def _add_river(self, nodes: Sequence[Node]) -> None:
        for (_, lon, lat), (_, next_lon, next_lat) in pairwise(nodes):
            self.rivers.extend((lon, lat, next_lon, next_lat))

    def _add_run(self, nodes: Sequence[Node], name: str, bits: int, tags: Mapping[str, str]) -> None:
        length_m = crossing_s = wait_s = float("nan")
        if name == "ferry":  # one segment, from landing to landing
            length_m = _GEOD.line_length([lon for _, lon, _ in nodes], [lat for _, _, lat in nodes])
            crossing_s, wait_s = duration_s(tags.get("duration", "")), duration_s(tags.get("interval", "")) / 2
            nodes = [nodes[0], nodes[-1]]
        refs, lons, lats = zip(*nodes, strict=True)
        n_segments = len(refs) - 1
        self.tail.extend(refs[:-1])
        self.head.extend(refs[1:])
        self.highway.extend([_CLASS[name]] * n_segments)
        self.open_to.extend([bits] * n_segments)
        self.surface.extend([surface_of(tags)] * n_segments)
        self.spanning.extend([is_spanning(tags)] * n_segments)
        self.ferry_length_m.extend([length_m] * n_segments)
        self.duration_s.extend([crossing_s] * n_segments)
        self.wait_s.extend([wait_s] * n_segments)
        self.node_id.extend(refs)
        self.node_lon.extend(lons)
        self.node_lat.extend(lats)

    def network(self, *, modelled: bool, digest: str) -> RoadNetwork:
        """Return the network: nodes numbered by OSM id, barriers as zero-length segments behind all others."""
        ids, first = np.unique(np.frombuffer(self.node_id, np.int64), return_index=True)
        lon = np.frombuffer(self.node_lon, np.float64)[first]
        lat = np.frombuffer(self.node_lat, np.float64)[first]
        tail = np.searchsorted(ids, np.frombuffer(self.tail, np.int64)).astype(np.int32)
        head = np.searchsorted(ids, np.frombuffer(self.head, np.int64)).astype(np.int32)
        ferry_length_m: NDArray[np.float64] = np.frombuffer(self.ferry_length_m, np.float64)
        straight_m = _GEOD.inv(lon[tail], lat[tail], lon[head], lat[head])[2]
        network = RoadNetwork(
            lon=lon,
            lat=lat,
            tail=tail,
            head=head,
            length_m=np.where(np.isnan(ferry_length_m), straight_m, ferry_length_m),
            highway=np.frombuffer(self.highway, np.uint8).copy(),
            open_to=np.frombuffer(self.open_to, np.uint8).copy(),
            duration_s=np.frombuffer(self.duration_s, np.float64).copy(),
            wait_s=np.frombuffer(self.wait_s, np.float64).copy(),
            surface=np.frombuffer(self.surface, np.uint8).copy(),
            spanning=np.frombuffer(self.spanning, np.bool_).copy(),
            rivers=np.frombuffer(self.rivers, np.float64).reshape(-1, 4).copy(),
            modelled=modelled,
            digest=digest,
        )
        barred = np.zeros(len(ids), np.uint8)
        known = [node for node in self.barred if _holds(ids, node)]
        barred[np.searchsorted(ids, known)] = [self.barred[node] for node in known]
        return split_at_barriers(network, barred)


def _holds(ids: NDArray[np.int64], node: int) -> bool:
    place = int(np.searchsorted(ids, node))
    return place < len(ids) and bool(ids[place] == node)


def split_at_barriers(network: RoadNetwork, barred: NDArray[np.uint8]) -> RoadNetwork:
    """Return `network` with each barrier between the segments that meet at it.

    ::

        ── v ──   becomes   ── v ┄┄ v' ──     ┄┄ has no length and is open to the modes that the barrier lets through
           │                    ┊
                                v'' ──

    Segments that a barred mode may use get an end of their own, all but the first; who is barred comes up to the
    barrier from every side and passes it from none. No other distance changes and no segment is lost.

    Parameters
    ----------
    network : RoadNetwork
    barred : ndarray of uint8, shape (n_nodes,)
        Bit ``m`` where the node stops mode ``m`` of :data:`geo.params.MODES`.
    """
    segment, side = _ends_to_part(network, barred)
    ends = np.stack([network.tail, network.head])
    hub = ends[side, segment]
    fresh = (len(network.lon) + np.arange(len(hub))).astype(np.int32)
    ends[side, segment] = fresh
    through = np.array([_both_ways(bits) for bits in range(1 << len(MODES))], np.uint8)
    nothing = np.zeros(len(hub))
    return RoadNetwork(
        lon=np.concatenate([network.lon, network.lon[hub]]),
        lat=np.concatenate([network.lat, network.lat[hub]]),
        tail=np.concatenate([ends[0], hub]),
        head=np.concatenate([ends[1], fresh]),
        length_m=np.concatenate([network.length_m, nothing]),
        # The class of its segment: a mode that has no speed there need not get there.
        highway=np.concatenate([network.highway, network.highway[segment]]),
        open_to=np.concatenate([network.open_to, through[barred[hub]]]),
        duration_s=np.concatenate([network.duration_s, nothing + np.nan]),
        wait_s=np.concatenate([network.wait_s, nothing + np.nan]),
        surface=np.concatenate([network.surface, network.surface[segment]]),
        spanning=np.concatenate([network.spanning, network.spanning[segment]]),
        rivers=network.rivers,
        modelled=network.modelled,
        digest=network.digest,
    )


def _both_ways(barred: int) -> int:
    """Return the ``open_to`` bits of a barrier that stops the modes in `barred`."""
    return sum(0b11 << 2 * number for number in range(len(MODES)) if not barred >> number & 1)


def _ends_to_part(network: RoadNetwork, barred: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return segment and side (0 tail, 1 head) of every end that gets a node of its own, by node and segment."""
    usable = np.zeros(len(network.tail), np.uint8)
    for number in range(len(MODES)):
        usable |= ((network.open_to >> 2 * number & 0b11) > 0).astype(np.uint8) << number
    # A landing stays at its node: a zero-length ferry would cost the wait once more.
    usable[(network.highway == _FERRY) | (network.tail == network.head)] = 0
    side, segment = np.nonzero(np.stack([usable & barred[network.tail], usable & barred[network.head]]))
    node = np.stack([network.tail, network.head])[side, segment]
    order = np.lexsort((side, segment, node))
    first = np.unique(node[order], return_index=True)[1]
    parted = np.delete(order, first)
    return segment[parted], side[parted]
