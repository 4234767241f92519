"""The polygons of Hanoi's 126 units that :mod:`geo.sources.units` fetches, each pinned by a hash of what it is.

``hanoi_units.csv`` holds the names of the repository's files, the names and official areas of the units from
``data/facts/units_2025.csv``, and the SHA-256 of each polygon, taken of a copy of the repository of 2 August 2026; by
its notes no release since then has changed a line in Hanoi.
"""

from __future__ import annotations

import csv
import hashlib
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import shapely


class Pin(NamedTuple):
    """A file, the unit whose polygon it holds, its official area in km2, and the polygon's :func:`polygon_digest`."""

    file: str
    name: str
    area_km2: float
    polygon_sha256: str

    @property
    def unit_id(self) -> str:
        """The code the name of the file begins with."""
        return self.file.partition("_")[0]


def read_pins() -> list[Pin]:
    """Return the 126 units, by code."""
    text = files("geo.sources").joinpath("hanoi_units.csv").read_text(encoding="utf-8")
    return [
        Pin(row["file"], row["name"], float(row["area_km2"]), row["polygon_sha256"])
        for row in csv.DictReader(text.splitlines())
    ]


def polygon_digest(shape: shapely.Polygon | shapely.MultiPolygon) -> str:
    """Return the SHA-256 of a polygon's sides, to a millionth of a degree (0.1 m).

    It is that of the land, not of a file: the same however the file is laid out, wherever its rings begin, whichever
    way they run, and however often they repeat a corner.

    Parameters
    ----------
    shape : shapely.Polygon or shapely.MultiPolygon
        In EPSG:4326, in degrees.

    Returns
    -------
    str
        64 hexadecimal digits: of the sides as sorted rows (lon, lat, lon, lat), little-endian float64, in 1e-6 degree.
    """
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)), return_index=True)
    corner = np.rint(xy * 1e6) + 0.0  # no negative zero
    first = np.flatnonzero((ring[1:] == ring[:-1]) & (corner[1:] != corner[:-1]).any(axis=1))
    one, other = corner[first], corner[first + 1]
    forward = (one[:, 0] < other[:, 0]) | ((one[:, 0] == other[:, 0]) & (one[:, 1] < other[:, 1]))
    side = np.where(forward[:, None], np.hstack([one, other]), np.hstack([other, one]))
    side = side[np.lexsort(side.T[::-1])]
    return hashlib.sha256(side.astype("<f8").tobytes()).hexdigest()
