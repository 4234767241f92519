"""Reference systems of Vietnamese files: VN-2000 in its many spellings, and files that declare none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyproj
import pyproj.database
import shapely
from numpy.typing import NDArray

from geo.schemas import WGS84
from geo.sources.files import FolderFiles

#: Only the 3-degree zones of VN-2000 are scaled by this on their central meridian.
_SCALE_OF_ZONES = 0.9999
_WGS84_DATUMS = ("World Geodetic System 1984", "World Geodetic System 1984 ensemble")
#: A system counts as recognised if this share of the known places fits, ...
_FITTING_SHARE = 0.8
#: ... there are so many of them, ...
_FEWEST_PLACES = 3
#: ... and every other system misses at least so many more, and more than chance would.
_CLEAR_LEAD = 3
#: What surveys in Vietnam use besides VN-2000.
_UTM_WGS84 = ("EPSG:32648", "EPSG:32649")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Places that are known from other files, and which polygons of a file may hold each.

    Attributes
    ----------
    lonlat : ndarray of float64, shape (n, 2)
        Degrees, WGS 84.
    ids : sequence of set of str, length n
        Ids of the polygons, any of which may hold the place.
    """

    lonlat: NDArray[np.float64]
    ids: Sequence[frozenset[str]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many of the known places a polygon of theirs holds, if the file is in `crs`."""

    crs: pyproj.CRS
    hits: int
    n: int

    def __str__(self) -> str:
        return f"{self.crs.to_string()} {self.crs.name} ({self.hits} / {self.n})"


def parse_crs(files: FolderFiles, path: Path, text: str) -> pyproj.CRS | None:
    """Return the CRS that `text` declares; a fault and None where it means no place on earth.

    VN-2000 under a datum that nobody knows would be taken for WGS 84, 200 m away: it is read as the official system,
    with its seven parameters, and a note says so.
    """
    try:
        crs = None if text.startswith("{") else pyproj.CRS.from_user_input(text)
        if crs is not None and (crs.is_geographic or crs.is_projected):
            pyproj.Transformer.from_crs(crs, WGS84)  # from a vertical system or another planet there is no way
            official = official_vn2000(crs)
            if official is not None:
                files.log.warn("crs_named", file=files.name(path), value=crs.name, used=words_of(official))
            elif _calls_itself_vn2000(crs) and _datum_name(crs) in _WGS84_DATUMS:
                files.log.warn("crs_of_two_minds", file=files.name(path), value=crs.name)
            return official or crs
    except pyproj.exceptions.ProjError:
        pass
    files.log.add("crs_unknown", file=files.name(path), value=text)
    return None


def official_vn2000(crs: pyproj.CRS) -> pyproj.CRS | None:
    """Return the official system that `crs` is, where it is VN-2000 without a way to WGS 84; else None."""
    parameters = _parameters(crs) if crs.is_projected and not crs.is_bound else None
    if parameters is None or not (_calls_itself_vn2000(crs) or parameters[1] == _SCALE_OF_ZONES):
        return None
    if not _has_no_datum_shift(crs):
        return None
    return next((zone for zone in vn2000_systems() if _parameters(zone) == parameters), None)


def _has_no_datum_shift(crs: pyproj.CRS) -> bool:
    """Say whether nobody knows how the datum of `crs` lies to WGS 84."""
    if _datum_name(crs) in _WGS84_DATUMS:
        return False
    ways = pyproj.transformer.TransformerGroup(crs, WGS84).transformers
    return bool(ways) and ways[0].accuracy < 0


def _calls_itself_vn2000(crs: pyproj.CRS) -> bool:
    text = crs.to_wkt().casefold()
    return any(word in text for word in ("vn-2000", "vn_2000", "vn2000", "vn 2000", "vietnam"))


def _datum_name(crs: pyproj.CRS) -> str:
    return "" if crs.datum is None else crs.datum.name


def _parameters(crs: pyproj.CRS) -> tuple[float, ...] | None:
    """Return meridian, scale, origin and offsets of a transverse Mercator in metres on WGS 84's ellipsoid."""
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if operation is None or ellipsoid is None or operation.method_name != "Transverse Mercator":
        return None
    if abs(ellipsoid.semi_major_metre - 6378137) > 0.1 or any(
        axis.unit_name.casefold() not in _METRES for axis in crs.axis_info
    ):
        return None
    values = {parameter.name: round(float(parameter.value), 9) for parameter in operation.params}
    return tuple(values.get(name, 0.0) for name in _PARAMETERS)


_METRES = ("metre", "meter")
_PARAMETERS = (
    "Longitude of natural origin",
    "Scale factor at natural origin",
    "Latitude of natural origin",
    "False easting",
    "False northing",
)


@lru_cache
def vn2000_systems() -> tuple[pyproj.CRS, ...]:
    """Return the projected systems of VN-2000 that EPSG lists: the 3-degree zones and UTM 48N and 49N."""
    kinds = [pyproj.enums.PJType.PROJECTED_CRS]
    listed = pyproj.database.query_crs_info(auth_name="EPSG", pj_types=kinds)
    codes = sorted({int(each.code) for each in listed if each.name.startswith("VN-2000 /")})
    return tuple(pyproj.CRS.from_epsg(code) for code in codes)


def recognise_crs(geometry: NDArray[np.object_], ids: Sequence[str], places: Places) -> list[Fit]:
    """Return the systems in which the polygons of a file may be, judged by places known from elsewhere.

    Parameters
    ----------
    geometry : ndarray of shapely polygons
        As the file has them; None inside where one is missing.
    ids : sequence of str
        Id of each polygon.
    places : Places
        What must lie in which of them.

    Returns
    -------
    list of Fit
        One: recognised. Several: the evidence does not tell them apart. None: no system fits, or too little is known.
    """
    if len(places) < _FEWEST_PLACES:
        return []
    tree = shapely.STRtree(geometry)
    systems = [*vn2000_systems(), *(pyproj.CRS(code) for code in _UTM_WGS84)]
    fits = sorted((_fit(tree, ids, places, crs) for crs in systems), key=lambda fit: -fit.hits)
    best = fits[0]
    if best.hits < _FITTING_SHARE * best.n:
        return []
    lead = max(_CLEAR_LEAD, 3 * np.sqrt(best.n - best.hits))
    return [fit for fit in fits if fit.hits > best.hits - lead]


def _fit(tree: shapely.STRtree, ids: Sequence[str], places: Places, crs: pyproj.CRS) -> Fit:
    x, y = _from_wgs84(crs).transform(*places.lonlat.T)
    known = np.isfinite(x) & np.isfinite(y)
    points = np.full(len(places), None, dtype=object)
    points[known] = shapely.points(np.column_stack([x, y])[known])
    pairs = tree.query(points, predicate="intersects").T
    hits = {int(place) for place, polygon in pairs if ids[polygon] in places.ids[place]}
    return Fit(crs=crs, hits=len(hits), n=len(places))


@lru_cache(maxsize=64)
def _from_wgs84(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)


def words_of(crs: pyproj.CRS) -> str:
    """Return code and name of a system."""
    return f"{crs.to_string()} ({crs.name})"
