"""Read an answer of the Overpass API (``.json``) into a RoadNetwork.

Read are the forms that hold tags and places: ``out body; >; out skel qt;`` (ways, then their nodes), ``out geom;``
(places inside the ways), and both mixed. Barriers are known only where nodes come with their tags, as in
``(._; >;); out body;``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from geo.errors import Fault, InputError
from geo.schemas import MODELLED, RoadNetwork
from geo.sources.osm import file_digest
from geo.sources.segments import Node, Segments

#: Decimals of a degree that OpenStreetMap keeps.
_DECIMALS = 7
_Elements = dict[int, dict[str, Any]]


def read_overpass(path: Path) -> RoadNetwork:
    """Return the roads, paths, ferries and rivers of an answer; what tags mean is said for :func:`~.osm.read_osm`.

    An element that occurs more than once is one element with all that is said of it. A way that names nodes without a
    place keeps the stretches between nodes that have one.

    Parameters
    ----------
    path : pathlib.Path
        ``.json``, UTF-8.

    Raises
    ------
    InputError
        The file is empty, cut off, no answer of Overpass, the answer of a query that failed, holds a broken element,
        or no road, or roads without places.
    """
    answer = _parse(path)
    segments = Segments()
    try:
        nodes, ways = _by_id(answer["elements"], "node"), _by_id(answer["elements"], "way")
        for node_id, node in nodes.items():
            if "tags" in node:
                segments.add_node(node_id, node["tags"])
        for way in ways.values():
            if way.get("tags"):
                segments.add_way(list(_runs(way, nodes)), way["tags"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _fault(path, "overpass_element", detail=f"{type(error).__name__} {error}") from error
    if not segments.tail:
        raise _fault(path, "overpass_no_places" if segments.unplaced else "pbf_no_roads")
    return segments.network(modelled=MODELLED in str(answer.get("generator", "")), digest=file_digest(path))


def _parse(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if not content.strip():
        raise _fault(path, "pbf_empty")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _fault(path, "overpass_unreadable", detail=str(error)) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        raise _fault(path, "overpass_other_json")
    if "remark" in answer:
        raise _fault(path, "overpass_gave_up", remark=str(answer["remark"]))
    return answer


def _fault(path: Path, key: str, **values: str) -> InputError:
    return InputError(Fault(key=key, file=path.name, values=values))


def _by_id(elements: list[dict[str, Any]], kind: str) -> _Elements:
    found: _Elements = {}
    for element in elements:
        if element["type"] == kind:
            found.setdefault(int(element["id"]), {}).update(element)
    return found


def _runs(way: Mapping[str, Any], nodes: _Elements) -> Iterator[list[Node]]:
    """Yield the stretches of a way whose nodes have places."""
    run: list[Node] = []
    for node in _nodes_of(way, nodes):
        if node is not None:
            run.append(node)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _nodes_of(way: Mapping[str, Any], nodes: _Elements) -> Iterator[Node | None]:
    places = way.get("geometry")
    if places is None:
        places = [nodes.get(ref) for ref in way["nodes"]]
    refs = way.get("nodes") or [None] * len(places)
    for ref, place in zip(refs, places, strict=True):
        if place is None:  # outside the box that was asked for
            yield None
            continue
        lon, lat = float(place["lon"]), float(place["lat"])
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise ValueError(f"place {lon}, {lat} of way {way['id']}")
        yield _id_of_place(lon, lat) if ref is None else int(ref), lon, lat


def _id_of_place(lon: float, lat: float) -> int:
    """Return an id for a node that has none; ways meet where they share a place. Ids of OpenStreetMap are positive."""
    scale = 10**_DECIMALS
    return -(round((lon + 180) * scale) * 180 * scale + round((lat + 90) * scale)) - 1
