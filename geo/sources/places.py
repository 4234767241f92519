"""Where things lie: geometry of the right type, in a CRS that is true, inside the city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.schemas import WGS84
from geo.sources.columns import LAT, LON
from geo.sources.faultlog import FaultLog
from geo.sources.tables import RawTable

#: A building may lie this far outside the communes, whose lines are not surveyed.
OUTSIDE_TOLERANCE_M = 200.0
#: Mending a ring may change its area by this share at most.
_MENDED_AREA_SHARE = 1e-9
#: An outline counts as moved from this distance on, if its four sides agree but for this share of it.
_SHIFT_M = 100.0
_SHIFT_SPREAD = 0.1
_DEGREES = "-180 … 180, -90 … 90"
_AREA_OF_USE_MARGIN_DEG = 1.0
#: Countries keep one zone of UTM far beyond its sides, Norway the 33rd up to 31°E; ways and areas grow by 3 % there.
_UTM_MARGIN_DEG = 15.0
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_POINTS = (shapely.GeometryType.POINT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Geometry of one file in EPSG:4326; None inside where it could not be used."""

    raw: RawTable
    geometry: np.ndarray
    columns: str = "geometry"

    def points(self) -> np.ndarray:
        """Return lon and lat of a point inside every usable geometry, shape (n, 2)."""
        usable = self.geometry[~shapely.is_missing(self.geometry)]
        return shapely.get_coordinates(shapely.point_on_surface(usable))


def layer_of_polygons(raw: RawTable, log: FaultLog, *, partial: bool = False) -> Layer:
    """Return the polygons of a file in EPSG:4326, checked and mended where that changes nothing.

    With `partial`, a feature may have no polygon: nothing, or only a point.
    """
    geometry = _checked_geometry(raw, log, types=_POLYGONS, expected="Polygon, MultiPolygon", partial=partial)
    valid = np.array([_valid_polygon(raw, i, each, log) for i, each in enumerate(geometry)], dtype=object)
    return Layer(raw=raw, geometry=_on_one_side(raw, _to_wgs84(raw, valid, log), log))


def _on_one_side(raw: RawTable, polygons: np.ndarray, log: FaultLog) -> np.ndarray:
    """Return polygons in degrees without those around the globe, which is what becomes of one on the 180th meridian."""
    west, _, east, _ = shapely.bounds(polygons).T
    around = east - west > 180
    for i in np.flatnonzero(around):
        log.add("antimeridian", file=raw.file, row=raw.rows[i], column="geometry")
    kept = polygons.copy()
    kept[around] = None
    return kept


def lacks_crs(raw: RawTable) -> bool:
    """Say whether a file declares no CRS and its coordinates cannot be degrees."""
    if raw.geometry is None or raw.crs is not None or not raw.placed:
        return False
    return _is_majority(~_are_degrees(shapely.bounds(raw.geometry)), raw.geometry)


def layer_of_points(raw: RawTable, frame: pd.DataFrame, log: FaultLog) -> Layer:
    """Return the points of a file in EPSG:4326: its geometry, else its columns ``lon`` and ``lat``."""
    if raw.geometry is not None and not shapely.is_missing(raw.geometry).all():
        points = _checked_geometry(raw, log, types=_POINTS, expected="Point")
        return Layer(raw=raw, geometry=_to_wgs84(raw, points, log))
    headers = frame.attrs["headers"]
    absent = [column for column in (LON, LAT) if headers[column.name] not in raw.headers]
    for column in absent:
        log.add(
            "column_missing",
            file=raw.file,
            row=raw.header_row,
            column=column.name,
            found=", ".join(raw.headers),
            allowed=", ".join(column.headers),
        )
    if not absent:
        _note_without_position(raw, frame, log)
    columns = f"{headers['lon']}, {headers['lat']}"
    return Layer(raw=raw, geometry=_points_of_columns(raw, frame, columns, log), columns=columns)


def _points_of_columns(raw: RawTable, frame: pd.DataFrame, columns: str, log: FaultLog) -> np.ndarray:
    """Return points of ``lon`` and ``lat``; a latitude up to 180 stays, because it may be a swapped longitude."""
    numbers = frame[["lon", "lat"]].to_numpy()
    given = np.isfinite(numbers).all(axis=1)
    degrees = given & (np.abs(np.where(given[:, None], numbers, 0)) <= 180).all(axis=1)
    points = np.full(len(raw), None, dtype=object)
    points[degrees] = shapely.points(numbers[degrees])
    odd = np.flatnonzero(given & ~degrees)
    if 2 * len(odd) > given.sum():
        log.add("crs_undeclared", file=raw.file, row=raw.rows[odd[0]], column=columns, value=_pair(*numbers[odd[0]]))
        return points
    for i in odd:
        where: dict[str, Any] = {"file": raw.file, "row": raw.rows[i], "column": columns}
        log.add("out_of_range", **where, value=_pair(*numbers[i]), allowed=_DEGREES)
    return points


def _note_without_position(raw: RawTable, frame: pd.DataFrame, log: FaultLog) -> None:
    for name in ("lon", "lat"):
        header = frame.attrs["headers"][name]
        cells = raw.cells[raw.headers.index(header)]
        for row, cell in zip(raw.rows, cells, strict=True):
            if cell is None or not str(cell).strip() or (isinstance(cell, float) and np.isnan(cell)):
                log.add("value_missing", file=raw.file, row=row, column=header)


def _checked_geometry(
    raw: RawTable, log: FaultLog, *, types: tuple[int, ...], expected: str, partial: bool = False
) -> np.ndarray:
    if raw.geometry is None:
        log.add("geometry_none", file=raw.file, expected=expected)
        return np.full(len(raw), None, dtype=object)
    checked = raw.geometry.copy()
    for i, each in enumerate(raw.geometry):
        where: dict[str, Any] = {"file": raw.file, "row": raw.rows[i], "column": "geometry"}
        if partial and (each is None or shapely.get_type_id(each) in _POINTS):
            checked[i] = None
        elif each is None:
            log.add("geometry_empty", **where)
        elif shapely.get_type_id(each) not in types:
            log.add("geometry_type", **where, value=each.geom_type, allowed=expected)
            checked[i] = None
        elif each.is_empty or not np.isfinite(each.bounds).all():
            log.add("geometry_empty", **where)
            checked[i] = None
    return checked


def _valid_polygon(raw: RawTable, i: int, polygon: shapely.Geometry | None, log: FaultLog) -> shapely.Geometry | None:
    if polygon is None or polygon.is_valid:
        return polygon
    where: dict[str, Any] = {"file": raw.file, "row": raw.rows[i], "column": "geometry"}
    reason = shapely.is_valid_reason(polygon)
    mended = shapely.make_valid(polygon)
    change = abs(mended.area - polygon.area)
    if shapely.get_type_id(mended) in _POLYGONS and change <= _MENDED_AREA_SHARE * mended.area:
        log.warn("geometry_mended", **where, value=reason)
        return mended
    log.add("geometry_invalid", **where, value=reason)
    return None


def _to_wgs84(raw: RawTable, geometry: np.ndarray, log: FaultLog) -> np.ndarray:
    """Return `geometry` in EPSG:4326, None where the file's CRS cannot be true of it."""
    if not raw.placed or shapely.is_missing(geometry).all():
        return np.full(len(geometry), None, dtype=object)
    if raw.crs is not None and not raw.crs.is_geographic:
        degrees = _transformed(geometry, raw.crs)
        strange = ~_in_area_of_use(raw.crs, degrees, margin=_AREA_OF_USE_MARGIN_DEG)
        beside = strange & _is_beside_zone(raw.crs, geometry, degrees)
        for i in np.flatnonzero(beside)[:1]:
            place = _pair(*np.round(shapely.get_coordinates(degrees[i])[0], 5))
            log.warn("crs_beside", file=raw.file, row=raw.rows[i], column="geometry", value=place, crs=_name(raw.crs))
        return _without(degrees, strange & ~beside, raw, log, shown=geometry, key="crs_wrong")
    odd = ~_are_degrees(shapely.bounds(geometry))
    if raw.crs is None:
        if _is_majority(odd, geometry):
            return _without(geometry, odd, raw, log, shown=geometry, key="crs_undeclared")
        log.warn("crs_assumed", file=raw.file, used=WGS84)
    swapped = odd & _are_degrees(shapely.bounds(geometry)[:, [1, 0, 3, 2]])
    kept = _without(geometry, odd & ~swapped, raw, log, shown=geometry, key="crs_wrong")
    kept = _without(kept, swapped, raw, log, shown=geometry, key="lonlat_swapped")
    return kept if raw.crs is None else _transformed(kept, raw.crs)


def _without(
    geometry: np.ndarray, odd: np.ndarray, raw: RawTable, log: FaultLog, *, shown: np.ndarray, key: str
) -> np.ndarray:
    """Return `geometry` without the odd ones: each is noted, or the file once where they are the most of it."""
    odd = odd & ~shapely.is_missing(geometry)
    several = _is_majority(odd, geometry)
    for i in np.flatnonzero(odd)[: 1 if several else None]:
        value = _pair(*shapely.get_coordinates(shown[i])[0])
        crs = "-" if raw.crs is None else _name(raw.crs)
        log.add(key, file=raw.file, row=raw.rows[i], column="geometry", value=value, crs=crs)
    kept = geometry.copy()
    kept[np.full(len(odd), True) if several else odd] = None
    return kept


def _is_majority(odd: np.ndarray, geometry: np.ndarray) -> bool:
    usable = ~shapely.is_missing(geometry)
    return bool(2 * (odd & usable).sum() > usable.sum())


def _transformed(geometry: np.ndarray, crs: pyproj.CRS) -> np.ndarray:
    if crs == pyproj.CRS(WGS84) or crs.to_string() == "OGC:CRS84":
        return geometry
    to_degrees = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    moved: np.ndarray = shapely.transform(geometry, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    return moved


def _are_degrees(bounds: np.ndarray) -> np.ndarray:
    """Say of every row of west, south, east, north whether it can be degrees; a missing geometry can."""
    west, south, east, north = bounds.T
    fits: np.ndarray = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    return fits | np.isnan(west)


def _in_area_of_use(crs: pyproj.CRS, degrees: np.ndarray, *, margin: float) -> np.ndarray:
    """Say of every geometry whether its middle lies where `crs` is meant to be used, with a margin in degrees."""
    west, south, east, north = shapely.bounds(degrees).T
    area = crs.area_of_use
    if area is None or area.west > area.east:
        return _are_degrees(shapely.bounds(degrees))
    lon, lat = (west + east) / 2, (south + north) / 2
    inside: np.ndarray = (area.west - margin <= lon) & (lon <= area.east + margin)
    return inside & (area.south - margin <= lat) & (lat <= area.north + margin)


def _is_beside_zone(crs: pyproj.CRS, geometry: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Say of every geometry whether it lies in a neighbour of its zone of UTM, and its coordinates are no degrees."""
    if "UTM zone" not in crs.name:
        return np.full(len(degrees), False)
    return ~_are_degrees(shapely.bounds(geometry)) & _in_area_of_use(crs, degrees, margin=_UTM_MARGIN_DEG)


def _name(crs: pyproj.CRS) -> str:
    return f"{crs.name} ({crs.to_string()})" if len(crs.to_string()) < 30 else crs.name


def _first(layer: Layer) -> dict[str, Any]:
    """Return file, row, columns and position of the first usable place."""
    i = int(np.flatnonzero(~shapely.is_missing(layer.geometry))[0])
    value = _pair(*shapely.get_coordinates(layer.geometry[i])[0])
    return {"file": layer.raw.file, "row": layer.raw.rows[i], "column": layer.columns, "value": value}


def _pair(x: float, y: float) -> str:
    return f"{x:.10g}, {y:.10g}"


def note_far_layers(communes: Layer, others: list[Layer], log: FaultLog) -> set[str]:
    """Note files whose places lie mostly elsewhere; return them, so that their rows are not listed one by one.

    Where two other files agree with each other and not with the communes, the communes are the ones that are wrong.
    """
    layers = [layer for layer in (communes, *others) if not shapely.is_missing(layer.geometry).all()]
    if len(layers) < 2 or layers[0] is not communes:
        return set()
    apart = [layer for layer in layers[1:] if not _overlap(communes, layer)]
    anchor = communes
    if len(apart) >= 2 and all(_overlap(apart[0], layer) for layer in apart[1:]):
        anchor, apart = apart[0], [communes]
    for layer in apart:
        key = "lonlat_swapped" if _overlap(anchor, layer, swapped=True) else "crs_far"
        if key == "crs_far" or layer.columns == "geometry":
            log.add(
                key,
                **_first(layer),
                crs="-" if layer.raw.crs is None else _name(layer.raw.crs),
                other=anchor.raw.file,
            )
    return {
        layer.raw.file for layer in apart if layer.columns == "geometry" or not _overlap(anchor, layer, swapped=True)
    }


def note_shift(communes: Layer, units: Layer, *, crs: pyproj.CRS, log: FaultLog) -> None:
    """Note where the outline of the units is that of the communes, moved: a datum or zone taken for another."""
    usable = [layer.geometry[~shapely.is_missing(layer.geometry)] for layer in (communes, units)]
    if not all(len(geometry) for geometry in usable):
        return
    old, new = (shapely.total_bounds(_into(geometry, crs)) for geometry in usable)
    moved = new - old
    shift = (moved[:2] + moved[2:]) / 2
    spread = np.abs(moved[:2] - moved[2:]).max()
    if np.hypot(*shift) > _SHIFT_M and spread < _SHIFT_SPREAD * np.hypot(*shift):
        log.warn(
            "crs_shifted",
            file=units.raw.file,
            dx_m=f"{shift[0]:.0f}",
            dy_m=f"{shift[1]:.0f}",
            other=communes.raw.file,
        )


def _overlap(anchor: Layer, layer: Layer, *, swapped: bool = False) -> bool:
    """Say whether at least half of the layer's places lie in the box of the anchor."""
    box = shapely.total_bounds(anchor.geometry)
    points = layer.points()[:, ::-1] if swapped else layer.points()
    margin = 0.02 * np.hypot(box[2] - box[0], box[3] - box[1]) + 0.002
    inside = ((points >= box[:2] - margin) & (points <= box[2:] + margin)).all(axis=1)
    return bool(inside.mean() >= 0.5)


def note_outside(layer: Layer, communes: Layer, *, crs: pyproj.CRS, log: FaultLog) -> None:
    """Note every point that no commune holds or has within the tolerance; say where swapping its numbers mends it."""
    usable = ~shapely.is_missing(communes.geometry)
    if not usable.any():
        return
    city = shapely.STRtree(_into(communes.geometry[usable], crs))
    rows = np.flatnonzero(~shapely.is_missing(layer.geometry))
    degrees = shapely.get_coordinates(layer.geometry[rows])
    away_m = _distances_m(degrees, city, crs)
    swapped_away_m = _distances_m(degrees[:, ::-1], city, crs)
    for i, (lon, lat), away, swapped in zip(rows, degrees, away_m, swapped_away_m, strict=True):
        if away <= OUTSIDE_TOLERANCE_M:
            continue
        where: dict[str, Any] = {
            "file": layer.raw.file,
            "row": layer.raw.rows[i],
            "column": layer.columns,
            "value": _pair(lon, lat),
        }
        if swapped <= OUTSIDE_TOLERANCE_M:
            log.add("lonlat_swapped", **where)
        elif np.isfinite(away):
            log.add("place_outside", **where, km=f"{away / 1000:.1f}", other=communes.raw.file)
        else:
            log.add("out_of_range", **where, allowed=_DEGREES)


def _into(geometry: np.ndarray, crs: pyproj.CRS) -> np.ndarray:
    forward = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
    moved: np.ndarray = shapely.transform(geometry, lambda xy: np.column_stack(forward.transform(*xy.T)))
    return moved


def _distances_m(degrees: np.ndarray, city: shapely.STRtree, crs: pyproj.CRS) -> np.ndarray:
    away = np.full(len(degrees), np.inf)
    possible = np.flatnonzero(np.abs(degrees[:, 1]) <= 90)
    points = _into(shapely.points(degrees[possible]), crs)
    finite = np.isfinite(shapely.get_coordinates(points)).all(axis=1)
    (found, _), distance = city.query_nearest(points[finite], return_distance=True, all_matches=False)
    away[possible[finite][found]] = distance
    return away
