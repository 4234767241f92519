"""Tell where the polygons of the boundary files lie; recognise the system of a file that declares none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.sources.boundaries import Part
from geo.sources.crs import Fit, Places, recognise_crs, words_of
from geo.sources.faultlog import FaultLog
from geo.sources.places import lacks_crs, layer_of_polygons

#: A polygon is known by this many places along each side of its box, as far as they lie inside.
_GRID = 9
_Known = tuple[float, float, frozenset[str]]


def place_polygons(
    communes: Part | None,
    units: tuple[Part | None, Part | None],
    inventory: Part | None,
    clauses: Part | None,
    log: FaultLog,
) -> None:
    """Give the communes and the units their layer in EPSG:4326.

    A file without CRS whose coordinates are no degrees is tried in VN-2000 and UTM: it is in the one system in which
    its polygons hold what other files know to lie in them. Where the evidence leaves several, that is a fault.
    """
    members = _members(clauses)
    parts = [part for part in (communes, units[0]) if part is not None and part.raw.geometry is not None]
    undeclared = [part for part in parts if lacks_crs(part.raw)]
    for part in parts:
        if part not in undeclared:
            part.layer = layer_of_polygons(part.raw, log, partial=part is units[0])
    fits: dict[str, list[Fit]] = {}
    for part in [*undeclared, *undeclared]:  # twice, because one may be known by the other
        if part.layer is None:
            known = _known_of(part, communes, units, inventory, members)
            fits[part.raw.file] = recognise_crs(_geometry(part), _ids(part, communes), known)
            if len(fits[part.raw.file]) == 1:
                _take(part, fits[part.raw.file][0], log, partial=part is units[0])
    for part in undeclared:
        if part.layer is None:
            turned = shapely.transform(_geometry(part), lambda xy: xy[:, ::-1])
            known = _known_of(part, communes, units, inventory, members)
            swapped = recognise_crs(turned, _ids(part, communes), known) if not fits[part.raw.file] else []
            _refuse(part, fits[part.raw.file], swapped, log, partial=part is units[0])


def _take(part: Part, fit: Fit, log: FaultLog, *, partial: bool) -> None:
    log.warn("crs_recognised", file=part.raw.file, used=words_of(fit.crs), hits=fit.hits, n=fit.n)
    part.raw = replace(part.raw, crs=fit.crs)
    part.layer = layer_of_polygons(part.raw, log, partial=partial)


def _refuse(part: Part, fits: list[Fit], swapped: list[Fit], log: FaultLog, *, partial: bool) -> None:
    if fits:
        log.add("crs_ambiguous", file=part.raw.file, candidates="; ".join(str(fit) for fit in fits))
    elif swapped:
        log.add("crs_swapped", file=part.raw.file, used=words_of(swapped[0].crs))
    if fits or swapped:
        part.raw = replace(part.raw, placed=False)
    part.layer = layer_of_polygons(part.raw, log, partial=partial)


def _geometry(part: Part) -> NDArray[np.object_]:
    assert part.raw.geometry is not None
    return part.raw.geometry


def _ids(part: Part, communes: Part | None) -> list[str]:
    return [str(each) for each in part.frame["commune_id" if part is communes else "unit_id"]]


def _known_of(
    part: Part,
    communes: Part | None,
    units: tuple[Part | None, Part | None],
    inventory: Part | None,
    members: Mapping[str, Mapping[str, frozenset[str]]],
) -> Places:
    """Return what the other files know to lie in the polygons of a part."""
    if part is communes:
        known = _known_of_communes(units, inventory, members)
    else:
        known = _known_of_units(communes, units, inventory, members)
    lonlat = np.array([(lon, lat) for lon, lat, _ in known], dtype=float).reshape(-1, 2)
    return Places(lonlat=lonlat, ids=[ids for *_, ids in known])


def _members(clauses: Part | None) -> dict[str, dict[str, frozenset[str]]]:
    """Return the units of every commune and the communes of every unit, as the clauses name them."""
    if clauses is None:
        return {"commune_id": {}, "unit_id": {}}
    pairs = clauses.frame[["commune_id", "unit_id"]].dropna()
    return {
        "commune_id": _grouped(pairs["commune_id"], pairs["unit_id"]),
        "unit_id": _grouped(pairs["unit_id"], pairs["commune_id"]),
    }


def _grouped(keys: Iterable[str], values: Iterable[str]) -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for key, value in zip(keys, values, strict=True):
        groups.setdefault(key, set()).add(value)
    return {key: frozenset(group) for key, group in groups.items()}


def _known_of_communes(
    units: tuple[Part | None, Part | None], inventory: Part | None, members: Mapping[str, Mapping[str, frozenset[str]]]
) -> list[_Known]:
    own = [(lon, lat, frozenset({key})) for lon, lat, key in _buildings(inventory)]
    unit_places = [*_inside(units[0], "unit_id"), *_reference_points(units)]
    return own + [(lon, lat, members["unit_id"].get(key, frozenset())) for lon, lat, key in unit_places]


def _known_of_units(
    communes: Part | None,
    units: tuple[Part | None, Part | None],
    inventory: Part | None,
    members: Mapping[str, Mapping[str, frozenset[str]]],
) -> list[_Known]:
    own = [(lon, lat, frozenset({key})) for lon, lat, key in _reference_points(units)]
    commune_places = [*_inside(communes, "commune_id"), *_buildings(inventory)]
    return own + [(lon, lat, members["commune_id"].get(key, frozenset())) for lon, lat, key in commune_places]


def _buildings(inventory: Part | None) -> Iterator[tuple[float, float, str]]:
    """Yield where the buildings stand whose commune is told."""
    if inventory is None or inventory.layer is None:
        return
    for point, key in zip(inventory.layer.geometry, inventory.frame["commune_id"], strict=True):
        if point is not None and isinstance(key, str):
            yield point.x, point.y, key


def _reference_points(units: tuple[Part | None, Part | None]) -> Iterator[tuple[float, float, str]]:
    """Yield the points that the files give for the units."""
    for part in units:
        if part is not None:
            given = part.frame[["lon", "lat", "unit_id"]].dropna()
            yield from given.itertuples(index=False, name=None)


def _inside(part: Part | None, column: str) -> Iterator[tuple[float, float, str]]:
    """Yield places inside the polygons of a file whose system is known, on a grid."""
    if part is None or part.layer is None:
        return
    for polygon, key in zip(part.layer.geometry, part.frame[column], strict=True):
        if polygon is None or not isinstance(key, str):
            continue
        west, south, east, north = polygon.bounds
        steps = (np.arange(_GRID) + 0.5) / _GRID
        x, y = np.meshgrid(west + steps * (east - west), south + steps * (north - south))
        shapely.prepare(polygon)
        inside = shapely.contains_xy(polygon, x, y)
        yield from ((float(lon), float(lat), key) for lon, lat in zip(x[inside], y[inside], strict=True))
