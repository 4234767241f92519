"""What is known of Hanoi's 126 units before their polygons come, and whether a polygon can be that of its unit.

``hanoi_units.csv`` holds the names of the repository's files and, from ``data/facts/units_2025.csv``, the name, the
official area and the reference point of each unit.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pyproj
import shapely

from geo.merge.prose import name_key

#: The public map draws one unit, Hòa Lạc, 23 % larger than its official area; every other one is within 10 %.
AREA_TOLERANCE = 0.25
CITY_AREA_TOLERANCE = 0.01
#: Reference points are rounded to three decimals.
POINT_TOLERANCE_DEG = 0.001
#: Neighbours share their lines; what rounding to six decimals leaves is far below a hectare.
OVERLAP_KM2 = 0.01
_ELLIPSOID = pyproj.Geod(ellps="WGS84")


class Pin(NamedTuple):
    """What is known of a unit before its file comes: area in km2, reference point in degrees (EPSG:4326)."""

    file: str
    name: str
    area_km2: float
    lon: float
    lat: float

    @property
    def unit_id(self) -> str:
        """The code the name of the file begins with."""
        return self.file.partition("_")[0]


class Deviation(NamedTuple):
    """What a polygon has, and what was expected of it, in words for the key ``fetch_`` + `key`."""

    key: str
    found: str
    expected: str


def read_pins() -> list[Pin]:
    """Return the 126 units, by code."""
    text = files("geo.sources").joinpath("hanoi_units.csv").read_text(encoding="utf-8")
    return [
        Pin(row["file"], row["name"], float(row["area_km2"]), float(row["lon"]), float(row["lat"]))
        for row in csv.DictReader(text.splitlines())
    ]


def find_deviation(pin: Pin, *, unit_id: str, name: str, shape: shapely.Geometry) -> Deviation | None:
    """Return in what a polygon contradicts the facts of its unit.

    Parameters
    ----------
    pin : Pin
    unit_id, name : str
        Code and name that came with the polygon.
    shape : shapely.Polygon or shapely.MultiPolygon
        Valid, in EPSG:4326.

    Returns
    -------
    Deviation or None
        The first of code, name, area and place that is wrong; None where all are right.
    """
    if unit_id != pin.unit_id or name_key(name) != name_key(pin.name):
        return Deviation("other_unit", f"{unit_id} {name}", f"{pin.unit_id} {pin.name}")
    area_km2 = _area_km2(shape)
    if not abs(area_km2 - pin.area_km2) <= AREA_TOLERANCE * pin.area_km2:
        return Deviation("unit_area", f"{area_km2:.2f} km2", f"{pin.area_km2:.2f} km2 ± {AREA_TOLERANCE:.0%}")
    if shapely.distance(shape, shapely.Point(pin.lon, pin.lat)) > POINT_TOLERANCE_DEG:
        inside = shape.representative_point()
        return Deviation("elsewhere_unit", f"{inside.y:.4f}, {inside.x:.4f}", f"{pin.lat:.4f}, {pin.lon:.4f}")
    return None


def find_joint_deviation(pins: Sequence[Pin], shapes: Mapping[str, shapely.Geometry]) -> Deviation | None:
    """Return in what all polygons together contradict the facts: they share no land and make up the city.

    Parameters
    ----------
    pins : sequence of Pin
    shapes : mapping of unit_id to shapely geometry
        Valid, in EPSG:4326.

    Returns
    -------
    Deviation or None
    """
    drawn = np.array([shapes[pin.unit_id] for pin in pins])
    one, other = shapely.STRtree(drawn).query(drawn, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared_km2 = np.array([_area_km2(shape) for shape in shapely.intersection(drawn[one], drawn[other])])
    if shared_km2.sum() > OVERLAP_KM2:
        worst = int(shared_km2.argmax())
        pair = f"{pins[one[worst]].unit_id}, {pins[other[worst]].unit_id}"
        return Deviation("units_overlap", f"{shared_km2.sum():.2f} km2", pair)
    area_km2, official_km2 = sum(map(_area_km2, drawn)), sum(pin.area_km2 for pin in pins)
    if abs(area_km2 - official_km2) > CITY_AREA_TOLERANCE * official_km2:
        return Deviation("units_sum", f"{area_km2:,.2f} km2", f"{official_km2:,.2f} km2 ± {CITY_AREA_TOLERANCE:.0%}")
    return None


def _area_km2(shape: shapely.Geometry) -> float:
    """Return the area of all polygons of a geometry on the ellipsoid."""
    parts = shapely.get_parts(shapely.get_parts(shape))  # a collection may hold multipolygons
    polygons = parts[shapely.get_dimensions(parts) == 2]
    # A hole counts as one only if it runs against its shell.
    return sum(_ELLIPSOID.geometry_area_perimeter(part)[0] for part in shapely.orient_polygons(polygons)) / 1e6
