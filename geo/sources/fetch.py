"""Fetch the roads of a place from OpenStreetMap and keep them as an extract that :mod:`geo.sources.osm` reads.

OSMnx asks: Nominatim for the outline of a place, the Overpass API for the ways. Its graph is not what is wanted,
because a graph keeps a chosen few tags of a way and none of a node's. So it runs in its documented
``cache_only_mode``, which asks and builds nothing, and the answers are taken where they arrive: in a response hook of
requests, handed over through OSMnx's public setting ``requests_kwargs``. The hook also does what OSMnx leaves open:
it bounds the time of a whole answer, and raises where OSMnx would retry without end (HTTP 429, 504) or drop an answer
silently (a remark of a run-time error). OSMnx's polling of the server's status is off for the same reason; when the
server is busy, the request is repeated after waits of known length.
"""

from __future__ import annotations

import io
import json
import math
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import pyproj
import requests
import shapely
import tomlkit

from geo.errors import Fault, FetchError, InputError
from geo.progress import Progress, keep_silent
from geo.schemas import WGS84
from geo.settings import Settings
from geo.sources.download import PassingError, check_status, fetch_fault, first_words, host_of, read_body, repeat
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.osm import file_digest
from geo.sources.places import layer_of_polygons
from geo.sources.vectors import read_vector

ATTRIBUTION = "© OpenStreetMap contributors"
LICENCE = "ODbL-1.0"
LICENCE_URL = "https://opendatacommons.org/licenses/odbl/1-0/"
NOMINATIM_URL = "https://nominatim.openstreetmap.org"
#: Roads and paths in use, ferries, and rivers that lie between; what a mode may take is decided by the reader.
WAY_FILTERS = (
    '["highway"]["area"!~"yes"]'
    '["highway"!~"^(abandoned|construction|corridor|elevator|no|planned|platform|proposed|raceway|razed|rest_area|services)$"]',
    '["route"="ferry"]',
    '["waterway"~"^(river|canal)$"]',
)
#: Seconds before a request is repeated; the public server asks for patience.
RETRY_WAITS_S = (10.0, 30.0, 60.0)
_TILE_M = 25_000.0
_SUFFIX = ".osm.pbf"
#: OSMnx's settings belong to the whole process.
_LOCK = threading.Lock()


@dataclass(slots=True)
class _Answers:
    """Takes every answer of a server as it arrives, whole and checked."""

    limit_s: float
    limit_bytes: int
    overpass: list[dict[str, Any]] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def hook(self, response: requests.Response, *args: Any, **kwargs: Any) -> requests.Response | None:
        """Read and check one answer; the hook of requests."""
        if response.is_redirect:
            return None
        self.hosts.add(host_of(response.url))
        body = read_body(response, limit_s=self.limit_s, limit_bytes=self.limit_bytes)
        check_status(response, body)
        content = _parse_body(response, body)
        if isinstance(content, dict):
            self.overpass.append(_checked_answer(content, host=host_of(response.url)))
        return _copy_with_body(response, body)


def fetch_osm(
    place_or_polygon: str | Path | shapely.Polygon | shapely.MultiPolygon,
    out: str | Path,
    *,
    settings: Settings | None = None,
    nominatim_url: str = NOMINATIM_URL,
    way_filters: Sequence[str] = WAY_FILTERS,
    margin_m: float = 1_000.0,
    retry_waits_s: Sequence[float] = RETRY_WAITS_S,
    progress: Progress | None = None,
) -> Path:
    """Fetch the roads and ferries of an area and write them as an extract, all tags kept.

    Beside it a ``.toml`` of the same name says whom the data are owed to, when they were asked for and how. Both
    files are written aside and renamed when they are whole.

    Parameters
    ----------
    place_or_polygon : str, pathlib.Path or shapely polygon
        Name of a place that Nominatim knows with an outline, such as ``"Hanoi, Vietnam"``; or a file of polygons
        (GeoJSON, GeoPackage, shapefile) whose union is taken; or a polygon in EPSG:4326. Holes are filled.
    out : path-like
        File to write; its name ends with ``.osm.pbf``. An older one is replaced.
    settings : Settings, optional
        ``overpass_url`` and ``request_timeout_s``, the longest wait for one whole answer.
    nominatim_url : str
    way_filters : sequence of str
        Filters of Overpass QL; a way that passes one of them is fetched.
    margin_m : float
        How far beyond the area roads are fetched too, so that a faster way around is not cut off.
    retry_waits_s : sequence of float
        Seconds to wait before each repetition of a request that failed in passing.
    progress : callable, optional
        Called with ``"fetch"`` and the share done; what it raises stops the work.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FetchError
        There is no internet; the place is not known; the server stays busy, stalls or fails; an answer is cut off,
        incomplete, empty or of another area.
    InputError
        The polygon file cannot be read.
    """
    out = Path(out)
    if not out.name.endswith(_SUFFIX):
        raise FetchError(fetch_fault("name", file=out.name, suffix=_SUFFIX))
    settings = settings or Settings()
    progress = progress or keep_silent
    answers = _Answers(limit_s=settings.request_timeout_s, limit_bytes=settings.max_upload_mb * 1_000_000)
    with _osmnx(settings, nominatim_url=nominatim_url, hook=answers.hook) as ox:
        area = _area_of(place_or_polygon, ox, answers, settings=settings, waits_s=retry_waits_s)
        tiles = split_area(area, margin_m=margin_m)
        progress("fetch", 0.0)
        for done, tile in enumerate(tiles, start=1):
            _repeat(lambda tile=tile: _ask(ox, tile, way_filters), answers, waits_s=retry_waits_s)  # type: ignore[misc]
            progress("fetch", done / len(tiles))
    _require_area(answers.overpass, area)
    source = {
        "place": place_or_polygon if isinstance(place_or_polygon, str) else "",
        "bounds_wgs84": [round(value, 6) for value in area.bounds],
        "overpass_url": settings.overpass_url,
        "way_filters": list(way_filters),
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return overpass_json_to_pbf(answers.overpass, out, source=source)


def overpass_json_to_pbf(
    answers: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    out: str | Path,
    *,
    source: Mapping[str, Any] | None = None,
) -> Path:
    """Write answers of the Overpass API as an ``.osm.pbf`` with a ``.toml`` beside it.

    Parameters
    ----------
    answers : mapping or iterable of mappings
        Parsed JSON with ``elements``; nodes and ways that occur more than once are written once, in the order of
        their ids, so the same answers give the same bytes.
    out : path-like
        File to write; its name ends with ``.osm.pbf``.
    source : mapping, optional
        What else to note beside the attribution: place, query, date.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FetchError
        An answer is no answer of Overpass, holds no way, or lacks a node that one of its ways names.
    """
    listed = [answers] if isinstance(answers, Mapping) else list(answers)
    nodes, ways = _elements(listed)
    out = Path(out)
    note = {
        "file": out.name,
        "attribution": ATTRIBUTION,
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "osm_base": sorted({_osm_base(answer) for answer in listed} - {""}),
        "n_nodes": len(nodes),
        "n_ways": len(ways),
        **(source or {}),
    }
    try:
        _write_extract(out, nodes, ways, note)
    except OSError as error:
        detail = str(error.strerror or error)
        raise FetchError(Fault(key="output_not_writable", file=out.name, values={"detail": detail})) from error
    except (RuntimeError, TypeError, ValueError) as error:
        raise FetchError(fetch_fault("element", detail=error)) from error
    return out


def split_area(area: shapely.Polygon, *, margin_m: float, tile_m: float = _TILE_M) -> list[shapely.Polygon]:
    """Return convex tiles of at most `tile_m` a side that cover `area` (EPSG:4326) and `margin_m` around it.

    A tile is small enough for the server to answer in time, and convex so that a query names few corners.
    """
    local = pyproj.CRS.from_dict({"proj": "aeqd", "lon_0": area.centroid.x, "lat_0": area.centroid.y})
    # Simplified by less than it was widened, the outline still holds the whole area.
    wide = gpd.GeoSeries([area], crs=WGS84).to_crs(local).buffer(margin_m + tile_m / 250).simplify(tile_m / 250).iloc[0]
    west, south, east, north = wide.bounds
    n_columns, n_rows = math.ceil((east - west) / tile_m), math.ceil((north - south) / tile_m)
    width, height = (east - west) / n_columns, (north - south) / n_rows
    boxes = [
        shapely.box(west + i * width, south + j * height, west + (i + 1) * width, south + (j + 1) * height)
        for j in range(n_rows)
        for i in range(n_columns)
    ]
    pieces = [shapely.convex_hull(wide.intersection(box)) for box in boxes if wide.intersects(box)]
    polygons = [piece for piece in pieces if isinstance(piece, shapely.Polygon)]
    return list(gpd.GeoSeries(polygons, crs=local).to_crs(WGS84))


@contextmanager
def _osmnx(settings: Settings, *, nominatim_url: str, hook: Callable[..., Any]) -> Iterator[Any]:
    """Lend OSMnx with settings of our own, and put back what it and we changed in the process."""
    # Imported here, because it takes a second that nobody who does not fetch should wait.
    import osmnx as ox

    values = {
        "overpass_url": settings.overpass_url,
        "nominatim_url": nominatim_url,
        # Overpass wants whole seconds in the query.
        "requests_timeout": max(1, math.ceil(settings.request_timeout_s)),
        "requests_kwargs": {"hooks": {"response": hook}},
        "http_user_agent": "truso",
        "http_referer": "truso",
        "use_cache": False,
        "cache_only_mode": True,
        "overpass_rate_limit": False,
        # No name is looked up behind the back of the office's own DNS.
        "doh_url_template": None,
        "log_file": False,
        "log_console": False,
    }
    with _LOCK:
        before = {name: getattr(ox.settings, name) for name in values}
        getaddrinfo = socket.getaddrinfo
        try:
            for name, value in values.items():
                setattr(ox.settings, name, value)
            yield ox
        finally:
            for name, value in before.items():
                setattr(ox.settings, name, value)
            # OSMnx pins the server's address for the rest of the process.
            socket.getaddrinfo = getaddrinfo


def _area_of(
    place_or_polygon: str | Path | shapely.Geometry,
    ox: Any,
    answers: _Answers,
    *,
    settings: Settings,
    waits_s: Sequence[float],
) -> shapely.Polygon:
    if isinstance(place_or_polygon, str):
        found: list[shapely.Geometry] = []
        _repeat(lambda: found.append(_geocode(ox, place_or_polygon)), answers, waits_s=waits_s)
        shape = found[0]
    elif isinstance(place_or_polygon, Path):
        shape = _polygon_of_file(place_or_polygon, settings=settings)
    else:
        shape = place_or_polygon
    parts = shapely.get_parts(shapely.make_valid(shape))
    polygons = [shapely.Polygon(part.exterior) for part in parts if isinstance(part, shapely.Polygon)]
    if not polygons:
        raise FetchError(fetch_fault("no_polygon"))
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)


def _polygon_of_file(path: Path, *, settings: Settings) -> shapely.Geometry:
    log = FaultLog()
    raw = read_vector(FolderFiles(path.parent, settings=settings, log=log), path)
    layer = None if raw is None else layer_of_polygons(raw, log)
    if log.failed or layer is None:
        raise InputError(log.faults())
    return shapely.union_all(layer.geometry[~shapely.is_missing(layer.geometry)])


def _geocode(ox: Any, place: str) -> shapely.Geometry:
    try:
        return ox.geocode_to_gdf(place).geometry.iloc[0]
    except TypeError as error:
        raise FetchError(fetch_fault("no_outline", place=place)) from error
    except requests.RequestException:
        raise
    except (ValueError, KeyError, IndexError) as error:
        raise FetchError(fetch_fault("no_place", place=place)) from error


def _ask(ox: Any, tile: shapely.Polygon, way_filters: Sequence[str]) -> None:
    # With cache_only_mode on, OSMnx ends every download with an InterruptedError of its own.
    with suppress(InterruptedError):
        ox.graph_from_polygon(tile, custom_filter=list(way_filters), retain_all=True, simplify=False)


def _repeat(ask: Callable[[], object], answers: _Answers, *, waits_s: Sequence[float]) -> None:
    """Call `ask` until it succeeds; what a failed try brought is forgotten."""
    kept = len(answers.overpass)

    def ask_anew() -> None:
        del answers.overpass[kept:]
        ask()

    repeat(ask_anew, waits_s=waits_s, hosts=answers.hosts)


def _parse_body(response: requests.Response, body: bytes) -> Any:
    host = host_of(response.url)
    try:
        return json.loads(body)
    except ValueError as error:
        if body.lstrip()[:1] in (b"{", b"["):
            raise PassingError(fetch_fault("cut", host=host, bytes=len(body))) from error
        raise FetchError(fetch_fault("not_json", host=host, words=first_words(body) or "-")) from error


def _checked_answer(content: dict[str, Any], *, host: str) -> dict[str, Any]:
    if "remark" in content:
        raise PassingError(fetch_fault("gave_up", host=host, remark=content["remark"]))
    if not isinstance(content.get("elements"), list):
        raise FetchError(fetch_fault("not_overpass", host=host))
    return content


def _copy_with_body(response: requests.Response, body: bytes) -> requests.Response:
    """Return the response for OSMnx to read again, since its stream is used up."""
    copy = requests.Response()
    copy.status_code, copy.reason, copy.url = response.status_code, response.reason, response.url
    copy.headers, copy.encoding, copy.request = response.headers, "utf-8", response.request
    copy.raw = io.BytesIO(body)
    return copy


#: Longitude, latitude and tags of nodes; node ids and tags of ways; both by id.
_Nodes = dict[int, tuple[float, float, dict[str, str]]]
_Ways = dict[int, tuple[list[int], dict[str, str]]]


def _elements(answers: Sequence[Mapping[str, Any]]) -> tuple[_Nodes, _Ways]:
    """Return the nodes and the ways in the order of their ids."""
    nodes: _Nodes = {}
    ways: _Ways = {}
    try:
        for element in (element for answer in answers for element in answer["elements"]):
            tags = {str(key): str(value) for key, value in element.get("tags", {}).items()}
            if element["type"] == "node":
                nodes[int(element["id"])] = (float(element["lon"]), float(element["lat"]), tags)
            elif element["type"] == "way":
                ways[int(element["id"])] = ([int(ref) for ref in element["nodes"]], tags)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FetchError(fetch_fault("element", detail=f"{type(error).__name__} {error}")) from error
    if not ways:
        raise FetchError(fetch_fault("no_roads"))
    absent = {ref for refs, _ in ways.values() for ref in refs} - nodes.keys()
    if absent:
        raise FetchError(fetch_fault("incomplete", absent=len(absent), example=min(absent)))
    return dict(sorted(nodes.items())), dict(sorted(ways.items()))


def _write_extract(out: Path, nodes: _Nodes, ways: _Ways, note: Mapping[str, Any]) -> None:
    """Write the extract and the `note` beside it, aside first."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as aside:
        new = Path(aside) / f"new{_SUFFIX}"
        _write_pbf(new, nodes, ways)
        sidecar = Path(aside) / "new.toml"
        sidecar.write_text(tomlkit.dumps({**note, "sha256": file_digest(new)}), encoding="utf-8")
        # The extract comes last: where it lies, its attribution lies beside it.
        sidecar.replace(out.with_name(f"{out.name.removesuffix('.pbf')}.toml"))
        new.replace(out)


def _write_pbf(path: Path, nodes: _Nodes, ways: _Ways) -> None:
    header = osmium.io.Header()
    header.set("generator", "truso fetch")
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for node_id, (lon, lat, tags) in nodes.items():
            writer.add_node(osmium.osm.mutable.Node(id=node_id, location=(lon, lat), tags=tags))
        for way_id, (refs, tags) in ways.items():
            writer.add_way(osmium.osm.mutable.Way(id=way_id, nodes=refs, tags=tags))


def _require_area(answers: Sequence[Mapping[str, Any]], area: shapely.Polygon) -> None:
    nodes, _ = _elements(answers)
    west, south, east, north = area.buffer(0.05).bounds
    if not any(west <= lon <= east and south <= lat <= north for lon, lat, _ in nodes.values()):
        lon, lat, _ = next(iter(nodes.values()))
        raise FetchError(fetch_fault("elsewhere", lat=f"{lat:.3f}", lon=f"{lon:.3f}"))


def _osm_base(answer: Mapping[str, Any]) -> str:
    return str(answer.get("osm3s", {}).get("timestamp_osm_base", ""))
