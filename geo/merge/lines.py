"""Cut divided communes by lines that the user drew, and give every face to the unit it belongs to.

A face goes to the unit whose label lies in it; else to the unit whose whole communes it borders on twice as long as on
those of any other; else, where one face and one unit without land are left, to that unit. What remains open is a
fault that names the candidates, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import Fault, InputError
from geo.schemas import WGS84

#: A face borders on a commune that lies within this distance: lines of sources rarely meet.
_BESIDE_M = 50.0
#: The longest common border decides if it is so many times the next one.
_CLEARLY = 2.0
#: A drawn line cuts if so much of it lies between two faces.
_LEAST_CUT_M = 1.0
_ON_THE_LINE_M = 0.01
#: A label polygon stands for a face if it shares more than this with it, of the smaller of the two.
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What the lines settle.

    Attributes
    ----------
    parts : dict of int to shapely.Geometry
        Land of each clause row, by its position.
    unused : geopandas.GeoDataFrame
        Lines in communes that nothing is left to divide of.
    """

    parts: dict[int, shapely.Geometry]
    unused: gpd.GeoDataFrame


@dataclass(slots=True, kw_only=True)
class _Commune:
    """A commune to be cut: its land, and by unit_id the position of the clause row and the name with the id.

    `settled` are the units that have their part of it already.
    """

    name: str
    shape: shapely.Geometry
    rows: dict[str, int]
    unit_names: dict[str, str]
    settled: set[str]
    lines: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


def cut_by_lines(
    lines: gpd.GeoDataFrame,
    *,
    land: gpd.GeoSeries,
    rest: gpd.GeoSeries,
    clauses: pd.DataFrame,
    open_rows: NDArray[np.bool_],
) -> Cut:
    """Cut what is left of divided communes by drawn lines.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.DivisionLines`, in the CRS of `rest`.
    land, rest : geopandas.GeoSeries
        Land of every commune, as found and less what official polygons took. Index: commune_id.
    clauses : pandas.DataFrame
        Table :class:`~geo.schemas.Clauses`.
    open_rows : ndarray of bool, shape (len(clauses),)
        Rows that are still to be given land.

    Raises
    ------
    InputError
        Lines lie outside the city or cut nothing, faces are too few or cannot be told apart; every fault at once.
    """
    faults: list[Fault] = []
    communes = _open_communes(rest, clauses, open_rows)
    outside, unused = _assign(lines, communes, land)
    faults += [_fault("line_outside", lines, [i]) for i in outside]
    whole = _whole_communes(rest, clauses)
    parts: dict[int, shapely.Geometry] = {}
    cutting: set[int] = set()
    for commune in communes:
        if commune.lines:
            faces, useful = _faces(commune, lines)
            cutting |= useful
            if useful:
                parts |= _allot(commune, faces, lines, whole, faults)
    touched = {i for commune in communes for i in commune.lines}
    faults += [_fault("line_cuts_nothing", lines, [i]) for i in sorted(touched - cutting)]
    if faults:
        raise InputError(faults)
    return Cut(parts=parts, unused=lines.loc[unused])


def _open_communes(rest: gpd.GeoSeries, clauses: pd.DataFrame, open_rows: NDArray[np.bool_]) -> list[_Commune]:
    positions = pd.Series(np.arange(len(clauses)))[open_rows]
    named = clauses.groupby("commune_id")["unit_id"].agg(set).to_dict()
    communes = []
    for commune_id, rows in positions.groupby(clauses["commune_id"].to_numpy()[open_rows]):
        own = clauses.iloc[rows.to_numpy()]
        if len(own) > 1:
            communes.append(
                _Commune(
                    name=f"{own['commune_name'].iloc[0]} ({commune_id})",
                    shape=rest[commune_id],
                    rows=dict(zip(own["unit_id"], rows.tolist(), strict=True)),
                    unit_names={id_: f"{n} ({id_})" for id_, n in zip(own["unit_id"], own["unit_name"], strict=True)},
                    settled=named[commune_id] - set(own["unit_id"]),
                )
            )
    return communes


def _assign(lines: gpd.GeoDataFrame, communes: list[_Commune], land: gpd.GeoSeries) -> tuple[list[int], list[int]]:
    """Give lines and labels to the open communes they meet; return those outside the city, and lines that meet none."""
    shapes = np.asarray(lines.geometry)
    is_line = shapely.get_dimensions(shapes) == 1
    tree = shapely.STRtree([commune.shape for commune in communes])
    met: set[int] = set()
    for i, j in tree.query(shapes, predicate="intersects").T:
        (communes[j].lines if is_line[i] else communes[j].labels).append(int(i))
        met.add(int(i))
    in_city = set(shapely.STRtree(np.asarray(land)).query(shapes, predicate="intersects")[0].tolist())
    outside = [i for i in range(len(lines)) if i not in in_city and i not in met]
    return outside, [i for i in np.flatnonzero(is_line).tolist() if i in in_city and i not in met]


def _whole_communes(rest: gpd.GeoSeries, clauses: pd.DataFrame) -> dict[str, NDArray[np.object_]]:
    """Return the polygons of the communes that each unit takes over whole."""
    whole = clauses[~clauses["commune_id"].duplicated(keep=False)]
    return {str(id_): np.asarray(rest[rows]) for id_, rows in whole.groupby("unit_id")["commune_id"]}


def _faces(commune: _Commune, lines: gpd.GeoDataFrame) -> tuple[NDArray[np.object_], set[int]]:
    """Return the faces that the lines cut the commune into, and which lines part two of them."""
    drawn = np.asarray(lines.geometry.iloc[commune.lines])
    outline = shapely.boundary(commune.shape)
    network = shapely.union_all([outline, *drawn])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(network)))
    faces = faces[shapely.contains(commune.shape, shapely.point_on_surface(faces))]
    seams = shapely.difference(shapely.union_all(shapely.boundary(faces)), shapely.buffer(outline, _ON_THE_LINE_M))
    cut_m = shapely.length(shapely.intersection(seams, shapely.buffer(drawn, _ON_THE_LINE_M)))
    return faces, {i for i, length in zip(commune.lines, cut_m, strict=True) if length > _LEAST_CUT_M}


def _allot(
    commune: _Commune,
    faces: NDArray[np.object_],
    lines: gpd.GeoDataFrame,
    whole: dict[str, NDArray[np.object_]],
    faults: list[Fault],
) -> dict[int, shapely.Geometry]:
    """Return the land of each unit's row; what cannot be told goes into `faults`."""
    if len(faces) < len(commune.rows):
        faults.append(_of_commune("line_faces_few", commune, lines, faces=str(len(faces))))
        return {}
    owner = _labelled(commune, faces, lines, faults)
    open_faces = [number for number in range(len(faces)) if number not in owner]
    for number in open_faces:
        unit_id = _bordering(faces[number], commune, whole)
        if unit_id:
            owner[number] = unit_id
    open_faces = [number for number in open_faces if number not in owner]
    landless = sorted(set(commune.rows) - set(owner.values()))
    if len(open_faces) == 1 and len(landless) == 1:
        owner[open_faces.pop()] = landless.pop()
    for number in open_faces:
        faults.append(_of_face(faces[number], commune, lines))
    if not open_faces:
        faults += [
            _of_commune("line_unit_landless", commune, lines, unit=commune.unit_names[unit_id]) for unit_id in landless
        ]
    return {
        row: shapely.union_all(faces[[number for number in owner if owner[number] == unit_id]])
        for unit_id, row in commune.rows.items()
    }


def _labelled(
    commune: _Commune, faces: NDArray[np.object_], lines: gpd.GeoDataFrame, faults: list[Fault]
) -> dict[int, str]:
    """Return the unit of every face that a label lies in; labels of others in it are faults, of settled units idle."""
    owner: dict[int, str] = {}
    for position in commune.labels:
        shape, unit_id = lines.geometry.iloc[position], lines["unit_id"].iloc[position]
        if unit_id in commune.settled:
            continue
        smaller = np.maximum(np.minimum(shapely.area(faces), shape.area), 1e-9)
        shared = shapely.area(shapely.intersection(faces, shape)) / smaller
        here = np.flatnonzero(shapely.contains(faces, shape) if shape.area == 0 else shared > _MOSTLY)
        if len(here) and unit_id not in commune.rows:
            faults.append(_fault("label_unit", lines, [position], **_named(commune)))
            continue
        for number in here.tolist():
            if owner.setdefault(number, unit_id) != unit_id:
                both = f"{commune.unit_names[owner[number]]}, {commune.unit_names[unit_id]}"
                faults.append(_fault("label_conflict", lines, [position], units=both))
    return owner


def _bordering(face: shapely.Geometry, commune: _Commune, whole: dict[str, NDArray[np.object_]]) -> str:
    """Return the unit whose whole communes the face borders on clearly longest; empty where none does."""
    edge = shapely.boundary(face)
    near = shapely.buffer(face, _BESIDE_M)
    metres = []
    for unit_id in commune.rows:
        own = whole.get(unit_id, np.array([], dtype=object))
        own = own[shapely.intersects(own, near)]
        beside = shapely.intersection(edge, shapely.buffer(shapely.union_all(own), _BESIDE_M)) if len(own) else None
        metres.append((0.0 if beside is None else beside.length, unit_id))
    (most, unit_id), *others = sorted(metres, reverse=True)
    return unit_id if most > _BESIDE_M and most >= _CLEARLY * others[0][0] else ""


def _named(commune: _Commune) -> dict[str, str]:
    return {"commune": commune.name, "candidates": ", ".join(commune.unit_names[id_] for id_ in sorted(commune.rows))}


def _fault(key: str, lines: gpd.GeoDataFrame, positions: list[int], **values: str) -> Fault:
    feature = lines.iloc[positions[0]]
    return Fault(key=key, file=feature["file"], row=int(feature["row"]), values=values)


def _of_commune(key: str, commune: _Commune, lines: gpd.GeoDataFrame, **values: str) -> Fault:
    return _fault(key, lines, commune.lines, units=str(len(commune.rows)), **_named(commune), **values)


def _of_face(face: shapely.Geometry, commune: _Commune, lines: gpd.GeoDataFrame) -> Fault:
    place = gpd.GeoSeries([shapely.point_on_surface(face)], crs=lines.crs).to_crs(WGS84)[0]
    return _of_commune(
        "line_face_ambiguous",
        commune,
        lines,
        place=f"{place.x:.6f}, {place.y:.6f}",
        km2=f"{face.area / 1e6:.3f}",
    )
