import dataclasses
import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.city import check_city
from geo.errors import InputError
from geo.schemas import RoadNetwork
from geo.sources.fetch import overpass_json_to_pbf
from geo.sources.network import read_network
from geo.sources.osm import read_osm
from geo.sources.overpass import read_overpass
from geo.text import LANGUAGES
from tests.toy import faults_in, toy_folder

OSM = Path(__file__).parents[3] / "shared" / "data" / "hanoi" / "osm"
REAL = sorted((OSM / "overpass").glob("*.json"))

# A street with a bollard at 2, an alley, a ferry and a river.
#
#       4
#       |
#   1 ──2── 3 ┄┄ 5
#   6 ~~~~~~~ 7
PLACES = {
    1: (105.841, 21.025), 2: (105.844, 21.025), 3: (105.847, 21.025), 4: (105.844, 21.028), 5: (105.849, 21.025),
    6: (105.841, 21.02), 7: (105.847, 21.02),
}  # fmt: skip
WAYS = {
    10: ([1, 2, 3], {"highway": "residential", "surface": "asphalt"}),
    11: ([2, 4], {"highway": "service", "oneway": "yes", "bridge": "yes"}),
    12: ([3, 5], {"route": "ferry", "duration": "00:10"}),
    13: ([6, 7], {"waterway": "river"}),
    14: ([1, 4], {"building": "yes"}),
}
NODE_TAGS = {2: {"tags": {"barrier": "bollard"}}}
NODES = [{"type": "node", "id": i, "lat": lat, "lon": lon, **NODE_TAGS.get(i, {})} for i, (lon, lat) in PLACES.items()]
SKELETONS = [{key: node[key] for key in ("type", "id", "lat", "lon")} for node in NODES]
BODIES = [{"type": "way", "id": i, "nodes": refs, "tags": tags} for i, (refs, tags) in WAYS.items()]


def with_geometry(way: dict[str, Any]) -> dict[str, Any]:
    geometry = [{"lat": PLACES[ref][1], "lon": PLACES[ref][0]} for ref in way["nodes"]]
    return {**way, "bounds": {}, "geometry": geometry}


def without(element: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in element.items() if name != key}


def write(path: Path, elements: list[Any], **members: Any) -> Path:
    path = path / "roads.json"
    path.write_text(json.dumps({"version": 0.6, "osm3s": {}, "elements": elements, **members}), encoding="utf-8")
    return path


def by_pbf(path: Path, content: dict[str, Any]) -> RoadNetwork:
    """Return what the reader of extracts makes of the same answer."""
    return read_osm(overpass_json_to_pbf(content, path / "same.osm.pbf"))


def assert_same(one: RoadNetwork, other: RoadNetwork) -> None:
    for field in dataclasses.fields(RoadNetwork):
        if field.name != "digest":
            assert np.array_equal(
                getattr(one, field.name), getattr(other, field.name), equal_nan=field.name != "modelled"
            )


def outline(network: RoadNetwork) -> set[tuple]:
    """Return the segments by the places of their ends, for networks whose nodes bear other numbers."""
    ends = [(network.lon[end].tolist(), network.lat[end].tolist()) for end in (network.tail, network.head)]
    rest = (network.highway.tolist(), network.open_to.tolist(), network.surface.tolist(), network.spanning.tolist())
    return set(zip(*ends[0], *ends[1], *rest, strict=True))


FORMS = {
    "body, nodes after as skeletons": [*BODIES, *SKELETONS, *NODES],
    "nodes before": [*NODES, *BODIES],
    "tags and nodes in two elements": [*NODES, *(without(way, "tags") for way in BODIES), *BODIES],
    "geometry": [*map(with_geometry, BODIES), NODES[1]],
}


@pytest.mark.parametrize("elements", FORMS.values(), ids=FORMS)
def test_every_form_of_an_answer_gives_the_network_of_the_same_extract(tmp_path: Path, elements: list) -> None:
    network = read_overpass(write(tmp_path, elements))
    assert_same(network, by_pbf(tmp_path, {"elements": [*NODES, *BODIES]}))
    assert len(network.tail) == 4 + 2, "the bollard parts three ends"
    assert len(network.rivers) == 1


def test_ways_without_node_ids_meet_where_they_share_a_place(tmp_path: Path) -> None:
    anonymous = [without(with_geometry(way), "nodes") for way in BODIES]
    network = read_overpass(write(tmp_path, anonymous))
    named = read_overpass(write(tmp_path, [*SKELETONS, *BODIES]))
    assert len(network.lon) == len(named.lon)
    assert outline(network) == outline(named)


def test_a_way_clipped_by_the_box_keeps_what_lies_inside(tmp_path: Path) -> None:
    way = with_geometry(BODIES[0])
    way["geometry"][0] = None
    assert len(read_overpass(write(tmp_path, [way])).tail) == 1


def test_a_modelled_answer_says_so(tmp_path: Path) -> None:
    assert read_overpass(write(tmp_path, [*NODES, *BODIES], generator="a toy (modelled)")).modelled
    assert not read_overpass(write(tmp_path, [*NODES, *BODIES], generator="Overpass API")).modelled


WHOLE = json.dumps({"elements": [*NODES, *BODIES]}).encode()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b" \n", "pbf_empty"),
        (WHOLE[: len(WHOLE) // 2], "overpass_unreadable"),
        (b"<html>busy</html>", "overpass_unreadable"),
        (b"\xff\xfe\x00", "overpass_unreadable"),
        (b"[" * 100_000, "overpass_unreadable"),
        (b'{"type": "FeatureCollection", "features": []}', "overpass_other_json"),
        (b"[1, 2]", "overpass_other_json"),
        (json.dumps({"elements": [], "remark": "runtime error: Query timed out"}).encode(), "overpass_gave_up"),
        (json.dumps({"elements": NODES}).encode(), "pbf_no_roads"),
        (json.dumps({"elements": []}).encode(), "pbf_no_roads"),
        (json.dumps({"elements": BODIES}).encode(), "overpass_no_places"),
        (json.dumps({"elements": [*NODES, {"type": "way"}]}).encode(), "overpass_element"),
        (json.dumps({"elements": [*NODES, 7]}).encode(), "overpass_element"),
        (json.dumps({"elements": [*BODIES, {**NODES[0], "lat": 91}]}).encode(), "overpass_element"),
        (json.dumps({"elements": [*BODIES, {**NODES[0], "lat": "north"}]}).encode(), "overpass_element"),
        (json.dumps({"elements": [*NODES, {**BODIES[0], "nodes": [1, 10**30]}]}).encode(), "overpass_no_places"),
        (json.dumps({"elements": [*NODES, {**BODIES[0], "id": float("inf")}]}).encode(), "overpass_element"),
        (json.dumps({"elements": [*NODES, {**BODIES[0], "tags": {"highway": 5}}]}).encode(), "overpass_element"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_file_and_remedy(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "roads.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_overpass(path)
    (fault,) = error.value.faults
    assert (fault.key, fault.file) == (key, "roads.json")
    assert all(len(fault.describe(lang=lang)) > 40 for lang in LANGUAGES)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=4
)


@given(
    number=st.integers(0, len(NODES) + len(BODIES) - 1),
    key=st.sampled_from(["type", "id", "lat", "lon", "nodes", "tags", "geometry"]),
    value=JUNK | st.dictionaries(st.sampled_from(["highway", "access", "barrier", "duration", "lat", "lon"]), JUNK),
)
def test_any_broken_element_is_read_or_told_and_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, number: int, key: str, value: object
) -> None:
    elements = [*map(dict, NODES), *map(dict, BODIES)]
    elements[number][key] = value
    with suppress(InputError):
        network = read_overpass(write(tmp_path_factory.mktemp("broken"), elements))
        assert len(network.tail) == len(network.open_to) == len(network.length_m)


def test_a_data_folder_may_bring_an_answer_as_its_network(tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    (folder / "network").mkdir()
    write(folder / "network", [*NODES, *BODIES])
    assert [fault.file for fault in faults_in(folder)] == ["population/"]


def test_what_is_wrong_with_the_answer_of_a_folder_is_told_with_its_path(tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    (folder / "network").mkdir()
    (folder / "network" / "roads.JSON").write_bytes(WHOLE[:100])
    (fault,) = (fault for fault in check_city(folder) if fault.severity == "error")
    assert (fault.key, fault.file) == ("overpass_unreadable", "network/roads.JSON")


@pytest.mark.skipif(not REAL, reason="the real answers of Overpass are not here (shared/data/hanoi/osm/overpass)")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem.split("_")[0])
def test_a_real_answer_is_read_as_the_same_extract_is(tmp_path: Path, path: Path) -> None:
    assert_same(read_network(path), by_pbf(tmp_path, json.loads(path.read_bytes())))


@pytest.mark.slow
@pytest.mark.skipif(not OSM.is_dir(), reason="the real roads of Hanoi are not here (shared/data/hanoi/osm)")
def test_the_real_inner_city_is_the_same_as_an_answer_and_as_an_extract(tmp_path: Path) -> None:
    path = tmp_path / "roads.json"
    path.write_bytes(gzip.decompress((OSM / "hanoi_inner_roads_overpass.json.gz").read_bytes()))
    assert_same(read_network(path), read_network(OSM / "hanoi_inner_roads.osm.pbf"))
