"""Fetch the polygons of Hanoi's 126 units from the public repository that keeps them, file by file.

The repository is asked at one commit, so that its files cannot change; Git names a commit by the hash of all it holds,
but a server between could still send something else. So each polygon must be that of its unit by what is known of it,
and all of them together must make up the city (:mod:`geo.sources.pins`). What came is recorded with its SHA-256 beside
the data, and a later fetch into the same folder must bring the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
import shapely
import tomlkit

from geo.errors import Fault, FetchError
from geo.progress import Progress
from geo.schemas import MODELLED
from geo.settings import Settings
from geo.sources.boundaries import FOLDER
from geo.sources.download import fetch_fault, first_words, get, host_of, repeat
from geo.sources.pins import Deviation, Pin, find_deviation, find_joint_deviation, read_pins
from geo.sources.vectors import VECTOR_SUFFIXES

REPOSITORY = "thanglequoc/vietnamese-provinces-database"
#: Release v5.2.0 of 20 September 2026.
COMMIT = "8b78ba5118715e1fa81769286724db79346abf52"
UNITS_URL = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/json/geojson/01_ha_noi/wards"
#: Value of ``data_source`` of a polygon that came from there.
SOURCE = f"official: {REPOSITORY} {COMMIT[:8]}"
RETRY_WAITS_S = (2.0, 5.0, 15.0, 30.0)
#: The largest file has 0.4 MB.
_LIMIT_BYTES = 4_000_000
_OUT, _LOCK, _PARTS = "units.geojson", "fetched-units.toml", ".fetched-units"
_KINDS = {"Phường": "ward", "Xã": "commune", "Thị trấn": "commune", "Đặc khu": "commune"}


def fetch_units(
    folder: str | Path,
    *,
    url: str = UNITS_URL,
    pins: Sequence[Pin] | None = None,
    settings: Settings | None = None,
    retry_waits_s: Sequence[float] = RETRY_WAITS_S,
    progress: Progress | None = None,
) -> Path:
    """Bring the official polygons of the units into a data folder.

    They are written as ``boundaries/units.geojson``, beside ``boundaries/fetched-units.toml``, which names the source,
    its licence and the SHA-256 of every file. Modelled polygons of the same name are replaced; what the folder knows
    of a unit besides its polygon (population, staff, ...) is kept. What has come stays when the work is stopped, and
    is not fetched again.

    Parameters
    ----------
    folder : path-like
        Data folder; made if there is none.
    url : str
        Address of the folder that holds the files; a mirror must hold the same ones.
    pins : sequence of Pin, optional
        Files to fetch; the 126 of Hanoi if left out.
    settings : Settings, optional
        ``request_timeout_s``, the longest wait for one file.
    retry_waits_s : sequence of float
        Seconds to wait before each repetition of a request that failed in passing.
    progress : callable, optional
        Called with ``"fetch"`` and the share done; what it raises stops the work.

    Returns
    -------
    pathlib.Path
        The file of polygons.

    Raises
    ------
    FetchError
        There is no internet; the server refuses, stays busy, stalls or breaks off; what it sends is not the polygon
        of the unit, or not what came the first time; the polygons overlap or do not make up the city; the folder
        holds other polygons, or cannot be written.
    """
    place = Path(folder) / FOLDER
    pins = read_pins() if pins is None else pins
    known = _facts_there(place)
    limit_s = (settings or Settings()).request_timeout_s
    try:
        if _is_complete(place, pins):
            return place / _OUT
        (place / _PARTS).mkdir(parents=True, exist_ok=True)
        contents = _contents(place, pins, url=url, limit_s=limit_s, waits_s=retry_waits_s, progress=progress)
        features = [_feature_of(contents[pin.file], pin, known.get(pin.unit_id, {}), url=url) for pin in pins]
        _require_city(place, pins, features, url=url)
        _write(place / _LOCK, _lock_text(contents, features, url=url))
        _write(place / _OUT, _collection_text(features))  # last: where it lies, its source lies beside it
        shutil.rmtree(place / _PARTS)
    except OSError as error:
        detail = str(error.strerror or error)
        raise FetchError(
            Fault(key="output_not_writable", file=f"{FOLDER}/{_OUT}", values={"detail": detail})
        ) from error
    return place / _OUT


def _contents(
    place: Path, pins: Sequence[Pin], *, url: str, limit_s: float, waits_s: Sequence[float], progress: Progress | None
) -> dict[str, bytes]:
    """Return the bytes of every file, checked: those kept of an earlier try, and the rest from the server."""
    came_before = _lock_there(place).get("sha256", {})
    contents: dict[str, bytes] = {}
    hosts: set[str] = set()
    with requests.Session() as session:
        for done, pin in enumerate(pins):
            if progress is not None:
                progress("fetch", done / len(pins))
            part = place / _PARTS / pin.file
            kept = _kept(part, pin)
            if kept is None:
                kept = repeat(
                    lambda pin=pin: get(  # type: ignore[misc]
                        f"{url}/{pin.file}", session, limit_s=limit_s, limit_bytes=_LIMIT_BYTES, hosts=hosts
                    ),
                    waits_s=waits_s,
                    hosts=hosts,
                    file=pin.file,
                )
                _checked_polygon(kept, pin, url=url)
                _require_same(kept, pin, came_before.get(pin.file), url=url)
                _write(part, kept)
            contents[pin.file] = kept
    if progress is not None:
        progress("fetch", 1.0)
    return contents


def _kept(part: Path, pin: Pin) -> bytes | None:
    """Return what an earlier try left, if it is whole and right."""
    if not part.is_file():
        return None
    content = part.read_bytes()
    try:
        _checked_polygon(content, pin, url="")
    except FetchError:
        return None
    return content


def _checked_polygon(content: bytes, pin: Pin, *, url: str) -> dict[str, Any]:
    """Return the feature of a file that holds the polygon of its unit and nothing else."""
    feature = _only_feature(content, pin, url=url)
    shape = _shape_of(feature)
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) or not shape.is_valid:
        detail = "-" if shape is None else shapely.is_valid_reason(shape)
        raise FetchError(fetch_fault("not_unit", file=pin.file, host=host_of(url), detail=detail))
    given = feature["properties"]
    found = str(feature.get("id") or given.get("code"))
    deviation = find_deviation(pin, unit_id=found, name=str(given.get("fullName")), shape=shape)
    if deviation is not None:
        raise _error_of(deviation, file=pin.file, url=url)
    return feature


def _shape_of(feature: Mapping[str, Any]) -> shapely.Geometry | None:
    return shapely.from_geojson(json.dumps(feature.get("geometry")), on_invalid="ignore")


def _error_of(deviation: Deviation, *, file: str | None, url: str) -> FetchError:
    words = {"found": deviation.found, "expected": deviation.expected}
    return FetchError(fetch_fault(deviation.key, file=file, host=host_of(url), **words))


def _require_city(place: Path, pins: Sequence[Pin], features: Sequence[Mapping[str, Any]], *, url: str) -> None:
    """Raise unless the polygons make up the city; nothing that came is kept then, since any of it may be wrong."""
    shapes = {feature["properties"]["unit_id"]: _shape_of(feature) for feature in features}
    deviation = find_joint_deviation(pins, shapes)
    if deviation is not None:
        shutil.rmtree(place / _PARTS)
        raise _error_of(deviation, file=None, url=url)


def _only_feature(content: bytes, pin: Pin, *, url: str) -> dict[str, Any]:
    where = {"file": pin.file, "host": host_of(url)}
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FetchError(fetch_fault("not_json", **where, words=first_words(content) or "-")) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or len(features) != 1 or not isinstance(features[0], dict):
        raise FetchError(fetch_fault("not_unit", **where, detail="features"))
    if not isinstance(features[0].get("properties") or {}, dict):
        raise FetchError(fetch_fault("not_unit", **where, detail="properties"))
    feature: dict[str, Any] = {**features[0], "properties": features[0].get("properties") or {}}
    return feature


def _require_same(content: bytes, pin: Pin, digest: str | None, *, url: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if digest is not None and digest != found:
        words = {"found": f"SHA-256 {found[:16]}", "expected": f"SHA-256 {digest[:16]}"}
        raise FetchError(fetch_fault("changed", file=pin.file, host=host_of(url), **words))


def _feature_of(content: bytes, pin: Pin, known: Mapping[str, Any], *, url: str) -> dict[str, Any]:
    """Return the feature that is written: what the folder knows of the unit comes before what the source says."""
    feature = _checked_polygon(content, pin, url=url)
    given = feature["properties"]
    name = given.get("fullName")
    kind = next((kind for word, kind in _KINDS.items() if str(name).startswith(word)), None)
    told = {"unit_id": pin.unit_id, "name": name, "kind": kind, "area_km2": given.get("areaKm2")}
    properties = {**told, **{key: value for key, value in known.items() if value is not None}, "data_source": SOURCE}
    return {"type": "Feature", "properties": properties, "geometry": feature["geometry"]}


def _facts_there(place: Path) -> dict[str, dict[str, Any]]:
    """Return what the folder's ``units.geojson`` says of every unit; refuse to replace polygons that are no model's."""
    others = [path for path in place.glob("units.*") if path.suffix.lower() in VECTOR_SUFFIXES and path.name != _OUT]
    if others:
        raise FetchError(fetch_fault("units_there", file=f"{FOLDER}/{others[0].name}"))
    if not (place / _OUT).is_file():
        return {}
    try:
        records = [feature["properties"] for feature in json.loads((place / _OUT).read_bytes())["features"]]
        if {record["data_source"] for record in records} <= {MODELLED, SOURCE}:
            return {str(record["unit_id"]): record for record in records}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise FetchError(fetch_fault("units_there", file=f"{FOLDER}/{_OUT}"))


def _is_complete(place: Path, pins: Sequence[Pin]) -> bool:
    """Say whether the folder holds every polygon already, as it was fetched."""
    if not (place / _OUT).is_file():
        return False
    features = json.loads((place / _OUT).read_bytes())["features"]
    fetched = all(feature["properties"]["data_source"] == SOURCE for feature in features)
    found = {feature["properties"]["unit_id"]: feature for feature in features}
    if not fetched or found.keys() != {pin.unit_id for pin in pins}:
        return False
    return _lock_there(place).get("polygons_sha256") == _digest_of([found[pin.unit_id] for pin in pins])


def _digest_of(features: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of the polygons as they are written; what else the file says may be changed by its owner."""
    return hashlib.sha256(json.dumps([feature["geometry"] for feature in features]).encode()).hexdigest()


def _lock_there(place: Path) -> dict[str, Any]:
    """Return the note on an earlier fetch; nothing where there was none of this version."""
    try:
        lock = tomllib.loads((place / _LOCK).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    return lock if lock.get("commit") == COMMIT else {}


def _lock_text(contents: Mapping[str, bytes], features: Sequence[Mapping[str, Any]], *, url: str) -> bytes:
    note = {
        "repository": f"https://github.com/{REPOSITORY}",
        "commit": COMMIT,
        "url": url,
        "licence": "MIT",
        "attribution": "Copyright (c) Thang Le Quoc; drawn from the public merger map (sapnhap.bando.com.vn)",
        "polygons_sha256": _digest_of(features),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    return tomlkit.dumps(note).encode()


def _collection_text(features: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a GeoJSON file with one feature a line."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'.encode()


def _write(path: Path, content: bytes) -> None:
    """Write aside, then rename."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)
