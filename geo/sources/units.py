"""Fetch the polygons of Hanoi's 126 units from the public repository that keeps them, file by file.

The repository is asked at one commit, and each polygon must be the very one that is pinned (:mod:`geo.sources.pins`):
whatever a server between would send instead is refused. What came is recorded beside the data.
"""

from __future__ import annotations

import hashlib
import json
import shutil
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
from geo.sources.pins import Pin, polygon_digest, read_pins
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
_OUT, _NOTE, _PARTS = "units.geojson", "fetched-units.toml", ".fetched-units"
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
    its licence and the SHA-256 of every file as it came. Modelled polygons of the same name are replaced; what the
    folder knows of a unit besides its polygon (population, staff, ...) is kept. What has come stays when the work is
    stopped, and is not fetched again.

    Parameters
    ----------
    folder : path-like
        Data folder; made if there is none.
    url : str
        Address of the folder that holds the files; a mirror must hold the same polygons.
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
        There is no internet; the server refuses, stays busy, stalls or breaks off; what it sends is not the pinned
        polygon of the unit; the folder holds other polygons, or cannot be written.
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
        features = [
            _feature_of(_pinned_geometry(contents[pin.file], pin, url=url), pin, known.get(pin.unit_id, {}))
            for pin in pins
        ]
        _write(place / _NOTE, _note_text(contents, url=url))
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
                _pinned_geometry(kept, pin, url=url)
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
        _pinned_geometry(content, pin, url="")
    except FetchError:
        return None
    return content


def _pinned_geometry(content: bytes, pin: Pin, *, url: str) -> dict[str, Any]:
    """Return the geometry of a file that holds the pinned polygon of its unit and nothing else."""
    feature = _only_feature(content, pin, url=url)
    shape = _shape_of(feature)
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        detail = "-" if shape is None else shape.geom_type
        raise FetchError(fetch_fault("not_unit", file=pin.file, host=host_of(url), detail=detail))
    found = polygon_digest(shape)
    if found != pin.polygon_sha256:
        digests = {"found": found[:16], "expected": pin.polygon_sha256[:16]}
        raise FetchError(fetch_fault("not_pinned", file=pin.file, host=host_of(url), unit=pin.name, **digests))
    geometry: dict[str, Any] = feature["geometry"]
    return geometry


def _only_feature(content: bytes, pin: Pin, *, url: str) -> dict[str, Any]:
    where = {"file": pin.file, "host": host_of(url)}
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FetchError(fetch_fault("not_json", **where, words=first_words(content) or "-")) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or len(features) != 1 or not isinstance(features[0], dict):
        raise FetchError(fetch_fault("not_unit", **where, detail="features"))
    return dict(features[0])


def _shape_of(feature: Mapping[str, Any]) -> shapely.Geometry | None:
    return shapely.from_geojson(json.dumps(feature.get("geometry")), on_invalid="ignore")


def _feature_of(geometry: Mapping[str, Any], pin: Pin, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the feature that is written: what the folder knows of the unit comes before what the pin says."""
    kind = next((kind for word, kind in _KINDS.items() if pin.name.startswith(word)), None)
    told = {"unit_id": pin.unit_id, "name": pin.name, "kind": kind, "area_km2": pin.area_km2}
    properties = {**told, **{key: value for key, value in known.items() if value is not None}, "data_source": SOURCE}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


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
    """Say whether the folder holds every pinned polygon already; what else it says may be changed by its owner."""
    if not (place / _OUT).is_file():
        return False
    features = json.loads((place / _OUT).read_bytes())["features"]
    if any(feature["properties"]["data_source"] != SOURCE for feature in features):
        return False
    found = {feature["properties"]["unit_id"]: polygon_digest(_shape_of(feature)) for feature in features}
    return found == {pin.unit_id: pin.polygon_sha256 for pin in pins}


def _note_text(contents: Mapping[str, bytes], *, url: str) -> bytes:
    note = {
        "repository": f"https://github.com/{REPOSITORY}",
        "commit": COMMIT,
        "url": url,
        "licence": "MIT",
        "attribution": "Copyright (c) Thang Le Quoc; drawn from the public merger map (sapnhap.bando.com.vn)",
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
