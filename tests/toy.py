"""A tiny valid data folder, for tests to use and to spoil.

::

        105.80  105.81  105.82  105.83
    21.02 +-------+-------+-------+
          |       |       |       |
          |  A 1  |  B *  |  C 2  |      each commune about 1 km by 1.1 km
          |       | *   * |       |      1-4 buildings
    21.01 +-------+---*---+-------+      A whole -> unit W, B divided W | E at its middle, C and D whole -> unit E
                  |  D 3  |
                  |    4  |
    21.00         +-------+
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd

from geo.errors import Fault
from geo.settings import Settings
from geo.sources.folder import check_folder
from geo.text import LANGUAGES

COMMUNES = {
    "00001": ("Phường Ánh", "001", 105.80, 21.01, 1000),
    "00002": ("Phường Bưởi", "001", 105.81, 21.01, 2000),
    "00003": ("Xã Cửa", "002", 105.82, 21.01, 3000),
    "00004": ("Xã Đông", "002", 105.81, 21.00, 4000),
}
DISTRICTS = {"001": "Quận Nhất", "002": "Huyện Nhì"}
CLAUSES = """clause,unit_id,unit_name,commune_id,commune_name,relation,area_share
1,00010,Phường Tây,00001,Phường Ánh,whole,
1,00010,Phường Tây,00002,Phường Bưởi,part,0.5
2,00020,Phường Đông,00002,Phường Bưởi,remainder,0.5
2,00020,Phường Đông,00003,Xã Cửa,whole,
2,00020,Phường Đông,00004,Xã Đông,whole,
"""
INVENTORY = """site_id,name,kind,address,commune_id,district_id,lon,lat,floor_area_m2,condition,year_built
S1,UBND Phường Ánh,commune_office,1 Phố Một,00001,001,105.805,21.015,600,good,2001
S2,UBND Xã Cửa,commune_office,,00003,002,105.825,21.015,500,fair,
S3,UBND Huyện Nhì,district_office,3 Phố Ba,00004,002,105.815,21.007,2500,poor,1985
S4,Nhà văn hoá,other,,00004,002,105.817,21.003,,,
"""


def square(lon: float, lat: float, *, size: float = 0.01) -> list[list[float]]:
    """Return the ring of a square, counter-clockwise, by its lower left corner."""
    east, north = round(lon + size, 6), round(lat + size, 6)
    return [[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]


def polygon(lon: float, lat: float, **options: float) -> dict[str, Any]:
    """Return the square as a GeoJSON geometry."""
    return {"type": "Polygon", "coordinates": [square(lon, lat, **options)]}


def commune_features() -> list[dict[str, Any]]:
    """Return the four communes as GeoJSON features."""
    return [
        {
            "type": "Feature",
            "properties": {
                "commune_id": commune_id,
                "name": name,
                "district_id": district_id,
                "district_name": DISTRICTS[district_id],
                "population": population,
                "area_km2": 1.1,
            },
            "geometry": polygon(lon, lat),
        }
        for commune_id, (name, district_id, lon, lat, population) in COMMUNES.items()
    ]


def unit_features() -> list[dict[str, Any]]:
    """Return the official polygons of the two units; B is cut at 105.815."""
    west = [[105.80, 21.01], [105.815, 21.01], [105.815, 21.02], [105.80, 21.02], [105.80, 21.01]]
    east = [
        [105.815, 21.01], [105.81, 21.01], [105.81, 21.00], [105.82, 21.00], [105.82, 21.01], [105.83, 21.01],
        [105.83, 21.02], [105.815, 21.02], [105.815, 21.01],
    ]  # fmt: skip
    rows = (("00010", "Phường Tây", west), ("00020", "Phường Đông", east))
    return [
        {
            "type": "Feature",
            "properties": {"unit_id": unit_id, "name": name, "kind": "ward", "population": 5000},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for unit_id, name, ring in rows
    ]


def write_features(path: Path, features: list[dict[str, Any]], **members: Any) -> Path:
    """Write a GeoJSON FeatureCollection."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"type": "FeatureCollection", **members, "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file as UTF-8 with unix line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def toy_folder(path: Path) -> Path:
    """Write the valid folder into `path`: communes, official units, clauses, inventory; no network, no population."""
    write_features(path / "boundaries" / "communes.geojson", commune_features())
    write_features(path / "boundaries" / "units.geojson", unit_features())
    write_text(path / "boundaries" / "clauses.csv", CLAUSES)
    write_text(path / "buildings" / "inventory.csv", INVENTORY)
    write_text(path / "city.toml", 'name = "Toy"\nmetric_crs = "EPSG:32648"\n')
    return path


def write_shapefile(path: Path, frame: gpd.GeoDataFrame) -> Path:
    """Write a shapefile in UTF-8, whose format cuts names to ten letters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        frame.to_file(path, encoding="UTF-8")
    return path


def told(fault: Fault) -> dict[str, str]:
    """Return what a fault says besides its place."""
    return fault.values


def replace_in(path: Path, old: str, new: str, *, count: int = 1) -> Path:
    """Replace text in a file; the text must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    return write_text(path, text.replace(old, new, count))


def edit_features(path: Path, change: Callable[[list[dict[str, Any]]], None], **members: Any) -> Path:
    """Apply `change` to the features of a GeoJSON file."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    change(features)
    return write_features(path, features, **members)


def faults_in(path: Path, **limits: Any) -> list[Fault]:
    """Return everything wrong with a folder, having told each fault in every language."""
    faults = check_folder(path, settings=Settings(**limits))
    for fault in faults:
        for lang in LANGUAGES:
            assert len(fault.describe(lang=lang)) > 20
    return faults


def errors_in(path: Path, **limits: Any) -> list[Fault]:
    """Return the errors alone."""
    return [fault for fault in faults_in(path, **limits) if fault.severity == "error"]
