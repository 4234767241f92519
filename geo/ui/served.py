"""What the map loads, written into the folder that the app itself serves: scripts, styles and the city's geometry.

Files are named by their content and never change, so they are written once, aside, and then renamed. Whoever reaches
the app can read a served file, so the buildings of a reader's own inventory are in none: they go to that reader's map.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.city import City
from geo.params import HIGHWAY_CLASSES
from geo.schemas import WGS84
from geo.ui.colours import PALETTE

#: As the component's frame, two folders below the app, sees the served folder.
_URL = "../../app/static"
_OWN = Path(__file__).resolve().parent / "assets"
_VENDORED = Path(__file__).resolve().parent.parent / "publish" / "assets"
_SCRIPTS = ("leaflet/leaflet.js", "jquery/jquery.min.js", "leaflet-fullscreen/Control.FullScreen.umd.js", "citymap.js")
_STYLES = ("leaflet/leaflet.css", "leaflet-fullscreen/Control.FullScreen.css", "citymap.css")
_TOLERANCE_M = 50.0
#: Width of the line of a road, by class, from the thickest.
_ROADS = {"motorway": 2.6, "trunk": 2.2, "primary": 1.6, "secondary": 1.0}


@dataclass(frozen=True, slots=True)
class Served:
    """Addresses of what the map loads, in the order in which it must be loaded; and, as JSON, what is in no file."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    own_sites: str = "null"


def serve_city(city: City, *, folder: Path) -> Served:
    """Write the assets and the geometry of `city` into `folder` and return their addresses."""
    assets = _write_assets(folder)
    geometry = folder / f"city-{city.digest}-{_version(json.dumps(PALETTE).encode())}.js"
    if not geometry.exists():
        _write_aside(geometry, _script(city_geometry(city)))
    return _served(assets, geometry.name)


def serve_ground(city: City, *, folder: Path) -> Served:
    """Write what :func:`serve_city` does but the sites of `city`, which are handed to the map itself.

    The geometry is named by what is written, so that inventories of one data folder share it.
    """
    data = city_geometry(city)
    sites, script = data.pop("sites"), _script({**data, "sites": []})
    assets, geometry = _write_assets(folder), folder / f"ground-{_version(script)}.js"
    if not geometry.exists():
        _write_aside(geometry, script)
    # Templates around the map read braces, and streamlit-folium renames what holds an underscore.
    return replace(_served(assets, geometry.name), own_sites=_json(sites).replace("_", "\\u005f"))


def _served(assets: str, geometry: str) -> Served:
    return Served(
        scripts=(*(f"{_URL}/{assets}/{name}" for name in _SCRIPTS), f"{_URL}/{geometry}"),
        styles=tuple(f"{_URL}/{assets}/{name}" for name in _STYLES),
    )


def _script(data: dict[str, Any]) -> bytes:
    return f"trusoCity.load({_json(data)});\n".encode()


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _write_assets(folder: Path) -> str:
    """Copy every asset into a folder named by their content; return its name."""
    name = f"assets-{_assets_version()}"
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder))
        for root in (_VENDORED, _OWN):
            shutil.copytree(root, aside, dirs_exist_ok=True)
        aside.chmod(0o755)
        _rename(aside, folder / name)
    return name


@cache
def _assets_version() -> str:
    files = (path for root in (_VENDORED, _OWN) for path in sorted(root.rglob("*")) if path.is_file())
    return _version(*(path.read_bytes() for path in files))


def _rename(aside: Path, target: Path) -> None:
    try:
        aside.rename(target)
    except OSError:  # another session was faster with the same content
        shutil.rmtree(aside, ignore_errors=True)


def _write_aside(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(path)


def _version(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def city_geometry(city: City) -> dict[str, Any]:
    """Return what the map draws: simplified units, old communes, main roads and sites, as latitude and longitude.

    Units and sites keep the order of ``city.units`` and ``city.sites``: scores are sent by position.
    """
    units = _simplified(city.units)
    inside = units.geometry.representative_point().to_crs(WGS84)
    sites = city.sites.geometry.to_crs(WGS84)
    west, south, east, north = units.to_crs(WGS84).total_bounds
    return {
        "palette": PALETTE,
        "bounds": [[_degrees(south), _degrees(west)], [_degrees(north), _degrees(east)]],
        "units": [
            {"id": str(id_), "name": name, "lat": _degrees(point.y), "lon": _degrees(point.x), "rings": _rings(shape)}
            for id_, name, point, shape in zip(
                units.index, units["name"], inside, units.geometry.to_crs(WGS84), strict=True
            )
        ],
        "sites": [
            {"id": str(id_), "name": name, "lat": _degrees(point.y), "lon": _degrees(point.x)}
            for id_, name, point in zip(city.sites.index, city.sites["name"], sites, strict=True)
        ],
        "communes": _lines(_simplified(city.communes).boundary.union_all(), city=city),
        "roads": list(_roads(city)),
    }


def _simplified(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `areas` with fewer vertices and shared borders still shared."""
    return areas.set_geometry(
        gpd.GeoSeries(shapely.coverage_simplify(areas.geometry.array, _TOLERANCE_M), index=areas.index, crs=areas.crs)
    )


def _roads(city: City) -> Iterable[dict[str, Any]]:
    """Yield the main roads by class, segments joined into long lines."""
    if city.network is None:
        return
    points = shapely.get_coordinates(city.network.node_points(city.crs))
    for name, weight in _ROADS.items():
        of_class = np.flatnonzero(city.network.highway == HIGHWAY_CLASSES.index(name))
        if not len(of_class):
            continue
        ends = np.stack([points[city.network.tail[of_class]], points[city.network.head[of_class]]], axis=1)
        yield {"weight": weight, "lines": _lines(shapely.multilinestrings(shapely.linestrings(ends)), city=city)}


def _lines(shape: Any, *, city: City) -> list[list[list[float]]]:
    merged = shapely.simplify(shapely.line_merge(shape), _TOLERANCE_M / 2)
    parts = gpd.GeoSeries(shapely.get_parts(merged), crs=city.crs).to_crs(WGS84)
    return [_path(part.coords) for part in parts if not part.is_empty]


def _rings(shape: Any) -> list[list[list[list[float]]]]:
    """Return a (multi)polygon as Leaflet nests it: polygons, rings, points."""
    return [[_path(ring.coords) for ring in (p.exterior, *p.interiors)] for p in shapely.get_parts(shape)]


def _path(coords: Iterable[Any]) -> list[list[float]]:
    return [[_degrees(y), _degrees(x)] for x, y, *_ in coords]


def _degrees(value: float) -> float:
    return round(float(value), 5)
