from __future__ import annotations

import json
import socket
import time
import tomllib
from functools import lru_cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import geopandas as gpd
import osmium
import osmnx
import pyproj.database
import pytest
import shapely

from geo.errors import FetchError, InputError
from geo.settings import Settings
from geo.sources.fetch import WAY_FILTERS, fetch_osm, overpass_json_to_pbf, split_area
from geo.sources.osm import read_osm
from tests.sources.loopback import Loopback, Reply, hang_up, send, stall, stop_halfway, trickle

#: A square of about a kilometre in Hanoi.
SQUARE = shapely.box(105.84, 21.02, 105.85, 21.03)
SHARED = Path(__file__).parents[3] / "shared" / "data" / "hanoi" / "osm" / "overpass"

#: Two roads that cross at node 2, and a ferry; the first way carries a tag that OSMnx's graph would drop.
#:
#:       4
#:       |
#:   1 --2-- 3 ~~~ 5
ANSWER = {
    "version": 0.6,
    "osm3s": {"timestamp_osm_base": "2025-05-01T20:04:00Z", "copyright": "ODbL"},
    "elements": [
        {"type": "node", "id": 1, "lat": 21.025, "lon": 105.841},
        {"type": "node", "id": 2, "lat": 21.025, "lon": 105.844, "tags": {"barrier": "bollard"}},
        {"type": "node", "id": 3, "lat": 21.025, "lon": 105.847},
        {"type": "node", "id": 4, "lat": 21.028, "lon": 105.844},
        {"type": "node", "id": 5, "lat": 21.025, "lon": 105.849},
        {
            "type": "way",
            "id": 10,
            "nodes": [1, 2, 3],
            "tags": {"highway": "residential", "name": "Phố Huế", "motorcycle": "no"},
        },
        {"type": "way", "id": 11, "nodes": [2, 4], "tags": {"highway": "tertiary", "oneway": "yes"}},
        {"type": "way", "id": 12, "nodes": [3, 5], "tags": {"route": "ferry", "duration": "00:10"}},
    ],
}
PLACE = [
    {
        "place_id": 1,
        "osm_type": "relation",
        "osm_id": 2,
        "lat": "21.025",
        "lon": "105.845",
        "importance": 0.6,
        "display_name": "Phường thử",
        "boundingbox": ["21.02", "21.03", "105.84", "105.85"],
        "geojson": shapely.geometry.mapping(SQUARE),
    }
]


class Overpass(Loopback):
    """It plays Overpass and Nominatim, and replies by a script, the last reply for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = [send(ANSWER)]
        self.place: Reply = send(PLACE)
        self.queries: list[str] = []

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> Reply:
        if handler.command == "GET":
            return self.place
        self.queries.append(parse_qs(body)["data"][0])
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@pytest.fixture
def server():
    server = Overpass()
    yield server
    server.close()


#: OSMnx looks the zone up twice for every request, a tenth of a second each.
_zones = lru_cache(pyproj.database.query_utm_crs_info)


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    monkeypatch.setattr(pyproj.database, "query_utm_crs_info", _zones)

    def run(
        area: object = SQUARE, *, timeout_s: float = 10.0, waits: tuple[float, ...] = (0.0, 0.0), **options
    ) -> Path:
        return fetch_osm(
            area,
            tmp_path / "out" / "roads.osm.pbf",
            settings=Settings(overpass_url=f"{server.url}/api", request_timeout_s=timeout_s),
            nominatim_url=server.url,
            retry_waits_s=waits,
            **options,
        )

    return run


@pytest.fixture
def refused(fetch, tmp_path):
    """Fetch, see it fail, see that nothing is left behind, and return the message."""

    def run(*args: object, **options: object) -> str:
        with pytest.raises(FetchError) as caught:
            fetch(*args, **options)
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        return str(caught.value)

    return run


def ways_of(path: Path) -> dict[int, tuple[list[int], dict[str, str]]]:
    return {
        way.id: ([node.ref for node in way.nodes], dict(way.tags))
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY)
    }


def nodes_of(path: Path) -> dict[int, tuple[float, float, dict[str, str]]]:
    return {node.id: (node.lon, node.lat, dict(node.tags)) for node in osmium.FileProcessor(str(path), osmium.osm.NODE)}


def test_an_answer_becomes_an_extract_with_all_its_tags(fetch):
    path = fetch()
    assert ways_of(path) == {
        10: ([1, 2, 3], {"highway": "residential", "name": "Phố Huế", "motorcycle": "no"}),
        11: ([2, 4], {"highway": "tertiary", "oneway": "yes"}),
        12: ([3, 5], {"route": "ferry", "duration": "00:10"}),
    }
    assert nodes_of(path)[2] == (105.844, 21.025, {"barrier": "bollard"})


def test_the_reader_of_extracts_takes_it(fetch):
    network = read_osm(fetch())
    assert (len(network.lon), len(network.tail)) == (5 + 2, 4 + 2), "three segments meet at the bollard"
    assert not network.modelled


def test_roads_ferries_and_rivers_are_asked_for_around_the_area(fetch, server):
    fetch()
    assert len(server.queries) == len(WAY_FILTERS)
    assert '["highway"]' in server.queries[0]
    assert '["route"="ferry"]' in server.queries[1]
    assert '["waterway"~"^(river|canal)$"]' in server.queries[2]
    assert server.queries[0].startswith("[out:json][timeout:10]")
    corners = server.queries[0].split("poly:'")[1].split("'")[0].split()
    asked = shapely.Polygon([(float(lon), float(lat)) for lat, lon in zip(corners[::2], corners[1::2], strict=True)])
    assert asked.contains(SQUARE.buffer(0.009))


def test_a_place_is_found_by_its_name(fetch, server):
    seen = []
    path = fetch("Phường thử, Hà Nội", progress=lambda step, share: seen.append((step, share)))
    assert ways_of(path).keys() == {10, 11, 12}
    assert seen == [("fetch", 0.0), ("fetch", 1.0)]


def test_a_file_of_polygons_is_taken_as_one_area(fetch, server, tmp_path):
    halves = [shapely.box(105.84, 21.02, 105.845, 21.03), shapely.box(105.845, 21.02, 105.85, 21.03)]
    file = tmp_path / "area.geojson"
    gpd.GeoDataFrame(geometry=halves, crs="EPSG:4326").to_crs("EPSG:32648").to_file(file, driver="GeoJSON")
    assert ways_of(fetch(file)).keys() == {10, 11, 12}
    assert len(server.queries) == len(WAY_FILTERS)


def test_a_polygon_file_that_cannot_be_read_is_an_input_error(fetch, tmp_path):
    file = tmp_path / "area.geojson"
    file.write_text("{")
    with pytest.raises(InputError):
        fetch(file)


def test_the_note_beside_it_says_whom_it_is_owed_to_and_how_it_was_asked(fetch, server):
    path = fetch("Phường thử")
    note = tomllib.loads(path.with_name("roads.osm.toml").read_text(encoding="utf-8"))
    assert note["attribution"] == "© OpenStreetMap contributors"
    assert note["licence"] == "ODbL-1.0"
    assert note["place"] == "Phường thử"
    assert note["osm_base"] == ["2025-05-01T20:04:00Z"]
    assert (note["n_nodes"], note["n_ways"]) == (5, 3)
    assert note["overpass_url"] == f"{server.url}/api"
    assert [path.name for path in path.parent.iterdir()] != []
    assert sorted(file.name for file in path.parent.iterdir()) == ["roads.osm.pbf", "roads.osm.toml"]


def test_the_same_answers_give_the_same_bytes_in_any_order(tmp_path):
    turned = {**ANSWER, "elements": ANSWER["elements"][::-1]}
    one = overpass_json_to_pbf(ANSWER, tmp_path / "one.osm.pbf")
    two = overpass_json_to_pbf([turned, ANSWER], tmp_path / "two.osm.pbf")
    assert one.read_bytes() == two.read_bytes()


def test_a_large_area_is_asked_for_in_tiles_that_cover_it():
    area = shapely.box(105.4, 20.8, 105.9, 21.2).difference(shapely.box(105.4, 20.8, 105.6, 21.0))
    tiles = split_area(area, margin_m=1_000)
    assert 4 <= len(tiles) <= 9
    together = shapely.union_all(tiles)
    assert together.buffer(1e-6).contains(area.buffer(0.008))
    metric = gpd.GeoSeries(tiles, crs="EPSG:4326").to_crs("EPSG:32648")
    assert (metric.area <= 25_000**2 * 1.001).all()


def test_a_busy_server_is_asked_again(fetch, server):
    server.replies = [send(b"slow down", status=429), send(b"", status=504), send(ANSWER)]
    assert ways_of(fetch()).keys() == {10, 11, 12}
    assert len(server.queries) == 2 + len(WAY_FILTERS)


@pytest.mark.parametrize("status", [429, 504])
def test_a_server_that_stays_busy_is_not_asked_for_ever(refused, server, status):
    server.replies = [send(b"<html>", status=status)]
    message = refused()
    assert f"answered {status}" in message
    assert "tried 3 times" in message
    assert len(server.queries) == 3


def test_a_wrong_query_is_not_repeated(refused, server):
    server.replies = [send(b"line 1: parse error", status=400)]
    assert "400 Bad Request: line 1: parse error" in refused()
    assert len(server.queries) == 1


def test_a_server_that_is_silent_is_given_up(refused, server):
    server.replies = [stall]
    start = time.monotonic()
    assert "did not answer in time (tried 1 times)" in refused(timeout_s=1.0, waits=())
    assert time.monotonic() - start < 4


def test_a_server_that_trickles_is_given_up(refused, server):
    server.replies = [trickle]
    start = time.monotonic()
    assert "did not send its answer within 0.5 s" in refused(timeout_s=0.5, waits=())
    assert time.monotonic() - start < 4


def test_a_server_that_stops_halfway_is_given_up(refused, server):
    server.replies = [stop_halfway]
    assert "stopped in the middle of its answer" in refused(timeout_s=1.0, waits=())


@pytest.mark.parametrize(
    "reply",
    [
        send(json.dumps(ANSWER).encode()[:300], length=5_000),
        send(json.dumps(ANSWER).encode()[:300]),
    ],
    ids=["shorter than announced", "ends inside the JSON"],
)
def test_an_answer_that_is_cut_off_is_never_kept(refused, server, reply):
    server.replies = [reply]
    assert "cut off" in refused()
    assert len(server.queries) == 3


def test_an_answer_with_a_run_time_error_is_never_kept(refused, server):
    server.replies = [send({**ANSWER, "remark": 'runtime error: Query timed out in "query" at line 1'})]
    assert "gave up on the query: runtime error: Query timed out" in refused()


def test_a_failed_try_leaves_nothing_of_its_answers(fetch, server):
    other = {**ANSWER, "elements": [*ANSWER["elements"][:3], {**ANSWER["elements"][5], "id": 99}]}
    server.replies = [send(other), send({**other, "remark": "runtime error"}), send(ANSWER)]
    assert ways_of(fetch()).keys() == {10, 11, 12}


def test_a_page_of_a_filter_is_told_from_an_answer(refused, server):
    server.replies = [send(b"<html>Please log in to the office network</html>", Content_Type="text/html")]
    message = refused()
    assert "login page" in message
    assert "Please log in" in message
    assert len(server.queries) == 1


def test_other_json_is_told_from_an_answer(refused, server):
    server.replies = [send({"status": "ok"})]
    assert "no answer of Overpass" in refused()


def test_an_area_without_roads_is_said(refused, server):
    server.replies = [send({**ANSWER, "elements": []})]
    assert "holds no road" in refused()


def test_an_answer_of_another_area_is_refused(refused, server):
    moved = [
        {**element, "lon": element["lon"] - 100} if element["type"] == "node" else element
        for element in ANSWER["elements"]
    ]
    server.replies = [send({**ANSWER, "elements": moved})]
    assert "another area than was asked for" in refused()


def test_a_way_whose_nodes_are_missing_is_refused(refused, server):
    server.replies = [send({**ANSWER, "elements": ANSWER["elements"][1:]})]
    assert "lacks 1 nodes of its ways, such as 1" in refused()


@pytest.mark.parametrize(
    "element",
    [
        "text",
        {"type": "node", "id": 7},
        {"type": "node", "id": 7, "lat": "north", "lon": 105},
        {"type": "way", "id": 7, "nodes": None},
        {"type": "node", "id": 2**70, "lat": 21.0, "lon": 105.0},
    ],
)
def test_a_broken_element_is_refused(refused, server, element):
    server.replies = [send({**ANSWER, "elements": [*ANSWER["elements"], element]})]
    assert "element of the answer" in refused()


def test_no_internet_is_said_at_once(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    settings = Settings(overpass_url=f"http://127.0.0.1:{port}/api", request_timeout_s=5)
    start = time.monotonic()
    with pytest.raises(FetchError, match=f"127.0.0.1:{port} cannot be reached: no internet"):
        fetch_osm(SQUARE, tmp_path / "x.osm.pbf", settings=settings)
    assert time.monotonic() - start < 5


def test_a_connection_that_breaks_later_is_tried_again(fetch, server):
    server.replies = [send(ANSWER), hang_up, send(ANSWER)]
    assert ways_of(fetch()).keys() == {10, 11, 12}
    assert len(server.queries) == 2 + len(WAY_FILTERS)


def test_an_unknown_place_is_said(refused, server):
    server.place = send([])
    assert "Nominatim knows no place 'Nirgends'" in refused("Nirgends")
    assert server.queries == []


def test_a_place_without_an_outline_is_said(refused, server):
    server.place = send([{**PLACE[0], "geojson": {"type": "Point", "coordinates": [105.8, 21.0]}}])
    assert "without an outline" in refused("Hà Nội")


def test_the_name_of_the_file_must_say_what_it_is(tmp_path):
    with pytest.raises(FetchError, match=r"must end with \.osm\.pbf"):
        fetch_osm(SQUARE, tmp_path / "roads.json")


def test_an_older_file_stays_where_the_fetch_fails(fetch, server, tmp_path):
    path = fetch()
    before = path.read_bytes()
    server.replies = [send(b"", status=400)]
    with pytest.raises(FetchError):
        fetch()
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 2


def test_what_a_caller_stops_stays_stopped(fetch, tmp_path):
    def stop(step: str, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(progress=stop)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_settings_of_osmnx_and_of_the_process_are_put_back(fetch, server):
    before = {name: getattr(osmnx.settings, name) for name in dir(osmnx.settings) if name.islower()}
    getaddrinfo = socket.getaddrinfo
    fetch("Phường thử")
    server.replies = [send(b"", status=400)]
    with pytest.raises(FetchError):
        fetch()
    assert {name: getattr(osmnx.settings, name) for name in before} == before
    assert socket.getaddrinfo is getaddrinfo


REAL = sorted(SHARED.glob("*.json")) if SHARED.is_dir() else []


@pytest.mark.skipif(not REAL, reason="the real answers of Overpass are not here (../shared/data/hanoi/osm/overpass)")
@pytest.mark.parametrize("file", REAL, ids=lambda file: file.stem.split("_")[0])
def test_a_real_answer_of_overpass_is_replayed_and_read(fetch, server, file):
    content = file.read_bytes()
    answer = json.loads(content)
    server.replies = [send(content), send({**answer, "elements": []})]
    nodes = [element for element in answer["elements"] if element["type"] == "node"]
    ways = {element["id"]: element for element in answer["elements"] if element["type"] == "way"}
    lon, lat = [node["lon"] for node in nodes], [node["lat"] for node in nodes]
    path = fetch(shapely.box(min(lon), min(lat), max(lon), max(lat)))
    written = ways_of(path)
    assert written.keys() == ways.keys()
    assert all(written[way_id] == (way["nodes"], way["tags"]) for way_id, way in ways.items())
    network = read_osm(path)
    assert len(network.tail) > 0.9 * sum(len(way["nodes"]) - 1 for way in ways.values())
