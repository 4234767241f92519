from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import shapely
from typer.testing import CliRunner

from geo.cli import app
from geo.errors import FetchError
from geo.settings import Settings
from geo.sources.folder import read_folder
from geo.sources.pins import Pin, polygon_digest, read_pins
from geo.sources.units import COMMIT, SOURCE, UNITS_URL, fetch_units
from geo.text import LANGUAGES
from tests.sources.loopback import Loopback, Reply, hang_up, send, stall, stop_halfway, trickle
from tests.toy import polygon, unit_features, write_features

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hanoi" / "units_2025.geojson"
WEST, EAST = "00010_tay.geojson", "00020_dong.geojson"


def ward_file(unit_id: str, name: str, geometry: dict[str, Any]) -> bytes:
    """Return a file as the repository writes it."""
    given = {"code": unit_id, "name": name.split(" ", 1)[1], "fullName": name}
    feature = {"type": "Feature", "id": unit_id, "geometry": geometry, "properties": given}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False, indent=2).encode()


def pin_of(file: str, name: str, geometry: dict[str, Any], area_km2: float) -> Pin:
    return Pin(file, name, area_km2, polygon_digest(shapely.geometry.shape(geometry)))


class Mirror(Loopback):
    """It holds the two units of the toy city; a file may have a script of replies, the last one for ever."""

    def __init__(self) -> None:
        super().__init__()
        shapes = {f["properties"]["unit_id"]: (f["properties"]["name"], f["geometry"]) for f in unit_features()}
        self.files = {WEST: ward_file("00010", *shapes["00010"]), EAST: ward_file("00020", *shapes["00020"])}
        self.pins = [pin_of(WEST, *shapes["00010"], 1.7), pin_of(EAST, *shapes["00020"], 2.9)]
        self.scripts: dict[str, list[Reply]] = {}
        self.asked: list[str] = []

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> Reply:
        name = handler.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        script = self.scripts.get(name)
        if script:
            return script.pop(0) if len(script) > 1 else script[0]
        return send(self.files[name]) if name in self.files else send(b"404: Not Found", status=404)


Fetch = Callable[..., Path]


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    yield mirror
    mirror.close()


@pytest.fixture
def fetch(mirror: Mirror, folder: Path) -> Fetch:
    (folder / "boundaries" / "units.geojson").unlink()

    def run(*, timeout_s: float = 10.0, waits: tuple[float, ...] = (0.0, 0.0), **options: Any) -> Path:
        settings = Settings(request_timeout_s=timeout_s)
        given = {"url": f"{mirror.url}/wards", "pins": mirror.pins, "settings": settings, "retry_waits_s": waits}
        return fetch_units(folder, **(given | options))

    return run


@pytest.fixture
def refused(fetch: Fetch, folder: Path) -> Callable[..., str]:
    """Fetch, see it fail, see that no file of polygons is left, and return the message."""

    def run(**options: Any) -> str:
        with pytest.raises(FetchError) as caught:
            fetch(**options)
        assert not (folder / "boundaries" / "units.geojson").exists()
        for lang in LANGUAGES:
            assert all(fault.describe(lang=lang) for fault in caught.value.faults)
        return str(caught.value)

    return run


def features_of(path: Path) -> dict[str, dict[str, Any]]:
    return {f["properties"]["unit_id"]: f for f in json.loads(path.read_bytes())["features"]}


def test_the_polygons_come_as_they_are_with_what_the_source_tells(fetch: Fetch, folder: Path) -> None:
    path = fetch()
    assert path == folder / "boundaries" / "units.geojson"
    found = features_of(path)
    drawn = {f["properties"]["unit_id"]: f["geometry"] for f in unit_features()}
    assert {unit_id: feature["geometry"] for unit_id, feature in found.items()} == drawn
    west = {"unit_id": "00010", "name": "Phường Tây", "kind": "ward", "area_km2": 1.7, "data_source": SOURCE}
    assert found["00010"]["properties"] == west


def test_the_folder_reads_them_as_official_outlines(fetch: Fetch, folder: Path) -> None:
    fetch()
    units = read_folder(folder, settings=Settings()).units
    assert set(units["data_source"]) == {SOURCE}
    assert not units.geometry.isna().any()


def test_a_note_beside_them_tells_source_licence_and_digests(fetch: Fetch, folder: Path, mirror: Mirror) -> None:
    note = tomllib.loads(fetch().with_name("fetched-units.toml").read_text(encoding="utf-8"))
    assert (note["commit"], note["licence"]) == (COMMIT, "MIT")
    assert note["sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in mirror.files.items()}
    assert not list((folder / "boundaries").glob(".*"))


def test_modelled_polygons_are_replaced_and_what_else_is_known_stays(fetch: Fetch, folder: Path) -> None:
    known = {"unit_id": "00010", "name": "Phường Tây", "population": 5000, "staff": 76, "data_source": "modelled"}
    feature = {"type": "Feature", "properties": known, "geometry": polygon(105.80, 21.01)}
    write_features(folder / "boundaries" / "units.geojson", [feature])
    west = features_of(fetch())["00010"]
    assert west["properties"] == {**known, "kind": "ward", "area_km2": 1.7, "data_source": SOURCE}
    assert west["geometry"] == unit_features()[0]["geometry"]


@pytest.mark.parametrize("name", ["units.gpkg", "units.zip", "units.geojson"])
def test_polygons_of_another_source_are_never_replaced(fetch: Fetch, mirror: Mirror, folder: Path, name: str) -> None:
    there = write_features(folder / "boundaries" / name, unit_features())
    before = there.read_bytes()
    with pytest.raises(FetchError, match="not modelled"):
        fetch()
    assert there.read_bytes() == before
    assert mirror.asked == []


def test_a_second_fetch_asks_for_nothing(fetch: Fetch, mirror: Mirror) -> None:
    before = fetch().read_bytes()
    mirror.asked.clear()
    assert fetch().read_bytes() == before
    assert mirror.asked == []


def test_polygons_spoilt_after_the_fetch_are_fetched_again(fetch: Fetch, mirror: Mirror) -> None:
    path = fetch()
    before = path.read_bytes()
    path.write_bytes(before.replace(b"105.815", b"105.816"))
    assert fetch().read_bytes() == before


def test_what_came_before_a_failure_is_not_fetched_again(fetch: Fetch, refused: Callable, mirror: Mirror) -> None:
    mirror.scripts[EAST] = [send(b"", status=500)]
    refused()
    mirror.scripts.clear()
    mirror.asked.clear()
    fetch()
    assert mirror.asked == [EAST]


def test_a_part_spoilt_on_the_disk_is_fetched_again(
    fetch: Fetch, refused: Callable, mirror: Mirror, folder: Path
) -> None:
    mirror.scripts[EAST] = [send(b"", status=500)]
    refused()
    part = folder / "boundaries" / ".fetched-units" / WEST
    part.write_bytes(part.read_bytes()[:100])
    mirror.scripts.clear()
    mirror.asked.clear()
    fetch()
    assert mirror.asked == [WEST, EAST]


def test_what_a_caller_stops_stays_stopped_and_goes_on_later(fetch: Fetch, mirror: Mirror, folder: Path) -> None:
    def stop(step: str, share: float) -> None:
        if share:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(progress=stop)
    assert not (folder / "boundaries" / "units.geojson").exists()
    shares: list[float] = []
    fetch(progress=lambda step, share: shares.append(share))
    assert mirror.asked == [WEST, EAST]
    assert shares == [0.0, 0.5, 1.0]


def test_a_half_fetched_folder_is_still_a_data_folder(refused: Callable, mirror: Mirror, folder: Path) -> None:
    mirror.scripts[EAST] = [send(b"", status=500)]
    refused()
    assert read_folder(folder, settings=Settings()).units.geometry.isna().all()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(fetch: Fetch, mirror: Mirror, status: int) -> None:
    mirror.scripts[WEST] = [send(b"", status=status), hang_up, send(mirror.files[WEST])]
    fetch()
    assert mirror.asked == [WEST, WEST, WEST, EAST]


def test_the_patience_a_server_asks_for_is_kept(fetch: Fetch, mirror: Mirror) -> None:
    mirror.scripts[WEST] = [send(b"", status=429, Retry_After="1"), send(mirror.files[WEST])]
    start = time.monotonic()
    fetch()
    assert time.monotonic() - start >= 1


@pytest.mark.parametrize("status", [429, 500])
def test_a_server_that_stays_busy_is_not_asked_for_ever(refused: Callable, mirror: Mirror, status: int) -> None:
    mirror.scripts[WEST] = [send(b"", status=status)]
    message = refused()
    assert message.startswith(f"{WEST}: 127.0.0.1:")
    assert f"answered {status}" in message
    assert "tried 3 times" in message
    assert mirror.asked == [WEST] * 3


def test_a_file_that_is_not_there_is_named_at_once(refused: Callable, mirror: Mirror) -> None:
    del mirror.files[EAST]
    assert f"{EAST}: " in (message := refused())
    assert "answered 404 Not Found" in message
    assert mirror.asked == [WEST, EAST]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (stall, "did not answer in time"),
        (trickle, "did not send its answer within 0.5 s"),
        (stop_halfway, "stopped in the middle"),
    ],
    ids=["silent", "trickling", "stopping"],
)
def test_a_server_that_stalls_is_given_up(refused: Callable, mirror: Mirror, reply: Reply, words: str) -> None:
    mirror.scripts[WEST] = [reply]
    start = time.monotonic()
    assert words in refused(timeout_s=0.5, waits=())
    assert time.monotonic() - start < 4


def test_an_answer_shorter_than_announced_is_never_kept(refused: Callable, mirror: Mirror) -> None:
    mirror.scripts[WEST] = [send(mirror.files[WEST][:200], length=5_000)]
    assert "cut off after 200 bytes (tried 3 times)" in refused()


def test_a_bomb_is_not_unpacked(refused: Callable, mirror: Mirror) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    mirror.scripts[WEST] = [send(bomb, Content_Encoding="gzip")]
    assert "at most 4 MB are accepted" in refused()


def moved(mirror: Mirror, digits: bytes) -> bytes:
    return mirror.files[WEST].replace(b"105.815", digits)


WEST_RING = unit_features()[0]["geometry"]["coordinates"][0]


def with_rings(rings: list[list[list[float]]]) -> bytes:
    return ward_file("00010", "Phường Tây", {"type": "Polygon", "coordinates": rings})


LIES: dict[str, tuple[Callable[[Mirror], bytes], str]] = {
    "a login page": (lambda m: b"<html>Please log in</html>", "login page may stand between: <html>Please log in"),
    "cut off but announced so": (lambda m: m.files[WEST][:300], "something else than JSON"),
    "other JSON": (lambda m: b'{"message": "ok"}', "not the polygon of one unit"),
    "a list": (lambda m: b"[]", "not the polygon of one unit"),
    "a deep nest": (lambda m: b"[" * 100_000, "something else than JSON"),
    "two features": (
        lambda m: json.dumps({"features": json.loads(m.files[WEST])["features"] * 2}).encode(),
        "not the polygon of one unit",
    ),
    "another unit": (lambda m: m.files[EAST], "not the pinned polygon of Phường Tây"),
    "another polygon under its code and name": (
        lambda m: m.files[EAST].replace(b"00020", b"00010").replace("Đông".encode(), "Tây".encode()),
        "not the pinned polygon of Phường Tây",
    ),
    "a line moved by 0.1 m": (lambda m: moved(m, b"105.815001"), "not the pinned polygon of Phường Tây"),
    "a number out of this world": (lambda m: moved(m, b"1e300"), "not the pinned polygon of Phường Tây"),
    "a hole": (
        lambda m: with_rings([WEST_RING, [[x / 2 + 52.9, y / 2 + 10.505] for x, y in WEST_RING]]),
        "not the pinned polygon of Phường Tây",
    ),
    "a number that is none": (lambda m: moved(m, b"NaN"), "not the polygon of one unit"),
    "a point": (
        lambda m: ward_file("00010", "Phường Tây", {"type": "Point", "coordinates": [105.8, 21.0]}),
        "not the polygon of one unit",
    ),
    "no geometry": (
        lambda m: m.files[WEST].replace(b'"geometry"', b'"shape"'),
        "not the polygon of one unit",
    ),
    "a line along its sides": (
        lambda m: ward_file("00010", "Phường Tây", {"type": "LineString", "coordinates": WEST_RING}),
        "not the polygon of one unit: LineString",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_told_from_the_polygon_and_never_kept(
    refused: Callable, mirror: Mirror, folder: Path, lie: str
) -> None:
    make, words = LIES[lie]
    mirror.scripts[WEST] = [send(make(mirror))]
    assert words in refused()
    assert mirror.asked == [WEST], "what is wrong is not asked for again"
    assert not list((folder / "boundaries" / ".fetched-units").iterdir())


def test_the_layout_of_a_file_is_free(fetch: Fetch, mirror: Mirror) -> None:
    """The source has changed the keys of its properties, and where a ring begins, without moving a line."""
    feature = json.loads(mirror.files[WEST])["features"][0]
    ring = [*WEST_RING[1:], WEST_RING[1], WEST_RING[1]]
    other = {"geometry": {"type": "MultiPolygon", "coordinates": [[ring[::-1]]]}, "properties": None}
    mirror.files[WEST] = json.dumps({"features": [feature | other]}).encode()
    assert features_of(fetch())["00010"]["properties"]["name"] == "Phường Tây"


def test_the_owner_may_change_what_the_file_says_of_a_unit(fetch: Fetch, mirror: Mirror) -> None:
    path = fetch()
    path.write_text(path.read_text(encoding="utf-8").replace('"area_km2":1.7', '"area_km2":1.8'), encoding="utf-8")
    mirror.asked.clear()
    assert features_of(fetch())["00010"]["properties"]["area_km2"] == 1.8
    assert mirror.asked == []


def test_no_internet_is_said_at_once(refused: Callable, mirror: Mirror) -> None:
    mirror.close()
    start = time.monotonic()
    assert "no internet" in refused(waits=(5.0,))
    assert time.monotonic() - start < 4


def test_a_folder_that_cannot_be_written_is_said(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "city").write_text("a file")
    with pytest.raises(FetchError, match="cannot be written"):
        fetch_units(tmp_path / "city", url=mirror.url, pins=mirror.pins)


def test_the_address_names_the_commit() -> None:
    assert COMMIT in UNITS_URL


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_file(), reason="the official polygons are not here (../shared/data/hanoi)")
def test_the_real_polygons_come_whole_and_the_plan_says_which_data_are_official(mirror: Mirror, tmp_path: Path) -> None:
    files = {pin.unit_id: pin.file for pin in read_pins()}
    for feature in json.loads(SHARED.read_bytes())["features"]:
        given = feature["properties"]
        content = ward_file(given["code"], given["name"], feature["geometry"])
        mirror.files[files[given["code"]]] = content
    folder = tmp_path / "hanoi"
    shutil.copytree(Settings().data_dir, folder, ignore=shutil.ignore_patterns("facts"))
    runner = CliRunner()
    fetched = runner.invoke(app, ["fetch", "units", str(folder), "--url", mirror.url, "--lang", "en"])
    assert fetched.exit_code == 0, fetched.output
    assert len(mirror.asked) == 126
    checked = runner.invoke(app, ["check", str(folder), "--lang", "en"])
    assert checked.exit_code == 0, checked.output
    planned = runner.invoke(app, ["plan", "--data", str(folder), "--out", str(tmp_path / "plan"), "--lang", "en"])
    assert planned.exit_code == 0, planned.output
    summary = json.loads((tmp_path / "plan" / "summary.json").read_bytes())
    assert set(summary["modelled"]) == {"communes", "buildings", "network", "population"}
    banner = (tmp_path / "plan" / "map.html").read_text(encoding="utf-8")
    assert "Official data: boundaries of the units. Modelled data: old communes, buildings, population" in banner
