"""Read an OpenStreetMap extract (``.osm.pbf``, ``.osm``) into a RoadNetwork."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import osmium.filter
import pyproj
from numpy.typing import NDArray

from geo.errors import Fault, InputError
from geo.params import HIGHWAY_CLASSES, MODES
from geo.schemas import MODELLED, RoadNetwork

_CLASS = {name: number for number, name in enumerate(HIGHWAY_CLASSES)}
_ALIASES: dict[str, str | None] = {
    "road": "unclassified", "cycleway": "path", "bridleway": "path", "corridor": "footway", "busway": None,
    "crossing": "footway", "platform": None, "construction": None, "proposed": None,
}  # fmt: skip
#: Modes that may use a class unless a tag says otherwise: the OSM wiki's table, but that paths and cycleways carry
#: motorbikes too, as they do in Vietnam.
_DEFAULT_MODES = {
    "motorway": {"car"},
    "pedestrian": {"walk"},
    "footway": {"walk"},
    "steps": {"walk"},
    "path": {"walk", "motorbike"},
    "track": {"walk", "motorbike"},
}
#: Access tags of a mode, the most specific first.
_ACCESS_TAGS = {
    "motorbike": ("motorcycle", "motor_vehicle", "vehicle", "access"),
    "car": ("motorcar", "motor_vehicle", "vehicle", "access"),
    "walk": ("foot", "access"),
}
_ONEWAY_TAGS = {
    "motorbike": ("oneway:motorcycle", "oneway"),
    "car": ("oneway:motorcar", "oneway"),
    "walk": ("oneway:foot",),
}
_CLOSED = {"no", "private", "agricultural", "forestry", "military", "emergency", "psv", "bus", "use_sidepath"}
_GEOD = pyproj.Geod(ellps="WGS84")


@dataclass(slots=True)
class _Segments:
    """Growing columns of the ways read so far."""

    tail: array[int] = field(default_factory=lambda: array("q"))
    head: array[int] = field(default_factory=lambda: array("q"))
    highway: array[int] = field(default_factory=lambda: array("B"))
    open_to: array[int] = field(default_factory=lambda: array("B"))
    ferry_length_m: array[float] = field(default_factory=lambda: array("d"))
    duration_s: array[float] = field(default_factory=lambda: array("d"))
    node_id: array[int] = field(default_factory=lambda: array("q"))
    node_lon: array[float] = field(default_factory=lambda: array("d"))
    node_lat: array[float] = field(default_factory=lambda: array("d"))


def read_osm(path: Path) -> RoadNetwork:
    """Return the roads, paths and ferries of an extract.

    Read are ``highway``, ``route=ferry`` with ``duration``, ``oneway`` and the access tags of each mode. Node tags
    (barriers) are not. A way that names nodes the extract lacks keeps the stretches between nodes that are there.

    Parameters
    ----------
    path : pathlib.Path
        ``.osm.pbf``, ``.osm`` or ``.osm.gz``.

    Raises
    ------
    InputError
        The file cannot be read to its end, is empty, or holds no road.
    """
    segments = _Segments()
    if path.stat().st_size == 0:
        raise InputError(Fault(key="pbf_empty", file=path.name))
    try:
        reader = osmium.FileProcessor(str(path)).with_locations()
        modelled = MODELLED in reader.header.get("generator", "")
        for way in reader.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway", "route")
        ):
            assert isinstance(way, osmium.osm.Way)
            _add_way(way, segments)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise InputError(Fault(key="pbf_unreadable", file=path.name, values={"detail": str(error)})) from error
    if not segments.tail:
        raise InputError(Fault(key="pbf_no_roads", file=path.name))
    return _network(segments, modelled=modelled, digest=file_digest(path))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add_way(way: osmium.osm.Way, into: _Segments) -> None:
    tags = dict(way.tags)
    name = _class_of(tags)
    if name is None:
        return
    open_to = _open_to(name, tags)
    if not open_to:
        return
    for nodes in _runs(way):
        _add_run(nodes, name, open_to, tags, into)


_Node = tuple[int, float, float]


def _runs(way: osmium.osm.Way) -> list[list[_Node]]:
    """Return the stretches of the way whose nodes are all in the extract: a gap is not bridged by a straight line."""
    runs: list[list[_Node]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.ref, node.location.lon, node.location.lat))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _add_run(nodes: list[_Node], name: str, open_to: int, tags: dict[str, str], into: _Segments) -> None:
    if name == "ferry":
        nodes, length_m, duration_s = _ferry(nodes, tags)
    else:
        length_m = duration_s = float("nan")
    refs = [ref for ref, _, _ in nodes]
    n_segments = len(refs) - 1
    into.tail.extend(refs[:-1])
    into.head.extend(refs[1:])
    into.highway.extend([_CLASS[name]] * n_segments)
    into.open_to.extend([open_to] * n_segments)
    into.ferry_length_m.extend([length_m] * n_segments)
    into.duration_s.extend([duration_s] * n_segments)
    into.node_id.extend(refs)
    into.node_lon.extend([lon for _, lon, _ in nodes])
    into.node_lat.extend([lat for _, _, lat in nodes])


def _class_of(tags: dict[str, str]) -> str | None:
    """Return the highway class of a way, None where it is no road that anybody can use."""
    highway = tags.get("highway")
    if highway is None:
        return "ferry" if tags.get("route") == "ferry" else None
    if tags.get("area") == "yes":
        return None
    plain = highway.removesuffix("_link")
    name = _ALIASES.get(plain, plain)
    return name if name in _CLASS else None


def _open_to(name: str, tags: dict[str, str]) -> int:
    """Return the bits of the modes that may go along and against the way."""
    bits = 0
    for number, mode in enumerate(MODES):
        value = next((tags[key] for key in _ACCESS_TAGS[mode] if key in tags), None)
        if value in _CLOSED or (mode not in _DEFAULT_MODES.get(name, MODES) and not _says_yes(tags, mode)):
            continue
        along, against = _directions(name, tags, mode)
        bits |= along << 2 * number | against << 2 * number + 1
    return bits


def _says_yes(tags: dict[str, str], mode: str) -> bool:
    """Return whether the mode's own tag opens a way that its class closes."""
    own = _ACCESS_TAGS[mode][0]
    return tags.get(own) in {"yes", "designated", "permissive"}


def _directions(name: str, tags: dict[str, str], mode: str) -> tuple[int, int]:
    value = next((tags[key] for key in _ONEWAY_TAGS[mode] if key in tags), None)
    if value in {"yes", "true", "1"}:
        return 1, 0
    if value in {"-1", "reverse"}:
        return 0, 1
    implied = name == "motorway" or tags.get("junction") in {"roundabout", "circular"}
    if value is None and implied and mode != "walk":
        return 1, 0
    return 1, 1


def _ferry(nodes: list[_Node], tags: dict[str, str]) -> tuple[list[_Node], float, float]:
    """Return a ferry line as one segment: its ends, its length and its crossing time."""
    length_m = _GEOD.line_length([lon for _, lon, _ in nodes], [lat for _, _, lat in nodes])
    return [nodes[0], nodes[-1]], length_m, _duration_s(tags.get("duration", ""))


def _duration_s(text: str) -> float:
    """Return ``H:MM``, ``HH:MM:SS`` or minutes as seconds; NaN where it is none of them."""
    parts = text.split(":")
    if not all(part.strip().isdecimal() for part in parts):
        return float("nan")
    numbers = [int(part) for part in parts]
    match numbers:
        case [minutes]:
            return 60.0 * minutes
        case [hours, minutes]:
            return 3600.0 * hours + 60 * minutes
        case [hours, minutes, seconds]:
            return 3600.0 * hours + 60 * minutes + seconds
    return float("nan")


def _network(segments: _Segments, *, modelled: bool, digest: str) -> RoadNetwork:
    ids, first = np.unique(np.frombuffer(segments.node_id, np.int64), return_index=True)
    lon = np.frombuffer(segments.node_lon, np.float64)[first]
    lat = np.frombuffer(segments.node_lat, np.float64)[first]
    tail = np.searchsorted(ids, np.frombuffer(segments.tail, np.int64)).astype(np.int32)
    head = np.searchsorted(ids, np.frombuffer(segments.head, np.int64)).astype(np.int32)
    ferry_length_m: NDArray[np.float64] = np.frombuffer(segments.ferry_length_m, np.float64)
    straight_m = _GEOD.inv(lon[tail], lat[tail], lon[head], lat[head])[2]
    return RoadNetwork(
        lon=lon,
        lat=lat,
        tail=tail,
        head=head,
        length_m=np.where(np.isnan(ferry_length_m), straight_m, ferry_length_m),
        highway=np.frombuffer(segments.highway, np.uint8).copy(),
        open_to=np.frombuffer(segments.open_to, np.uint8).copy(),
        duration_s=np.frombuffer(segments.duration_s, np.float64).copy(),
        modelled=modelled,
        digest=digest,
    )
