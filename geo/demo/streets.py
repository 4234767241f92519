"""Country roads, villages and streets: the unnamed part of the modelled network, denser where more people live."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from geo.demo.roads import Road, random_of, rows_of

_TOWN_PER_KM2 = 5000.0  # a commune denser than this is built up all over
_VILLAGE_PER_KM2 = 11000.0  # people on the built-up land of a village
_VILLAGE_KM2 = 0.32
_FIELD_M = (600.0, 800.0)
_WARP_M = 0.22  # share of the spacing by which lattice points leave their place


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Land with streets of one density.

    Attributes
    ----------
    shape : shapely.Geometry
        In :data:`geo.demo.roads.MODEL_CRS`.
    spacing_m : float
        Between streets; blocks are longer one way than the other.
    kind : {"town", "village", "field"}
    """

    shape: shapely.Geometry
    spacing_m: float
    kind: str


def lay_zones(communes: gpd.GeoDataFrame, *, water: shapely.Geometry, anchors: pd.Series) -> list[Zone]:
    """Return towns and villages of the communes.

    Parameters
    ----------
    communes : geopandas.GeoDataFrame
        Index commune_id, column ``population``; geometry in :data:`geo.demo.roads.MODEL_CRS`.
    water : shapely.Geometry
        Where nobody lives.
    anchors : pandas.Series of shapely.Point
        Reference point by commune_id: the centre of the main village.
    """
    zones: list[Zone] = []
    for commune in rows_of(communes):
        land = commune.geometry.difference(water)
        people = float(commune.population)
        built_m2 = people / _VILLAGE_PER_KM2 * 1e6
        if people / (land.area / 1e6) > _TOWN_PER_KM2 or built_m2 > 0.6 * land.area:
            spacing = float(np.clip(13_800 / np.sqrt(people / (land.area / 1e6)), 76, 160))
            zones.append(Zone(shape=land, spacing_m=spacing, kind="town"))
        else:
            zones += _villages(str(commune.Index), land, built_m2, anchors[commune.Index])
    return zones


def _villages(key: str, land: shapely.Geometry, built_m2: float, anchor: shapely.Point) -> list[Zone]:
    rng = random_of("villages", key)
    count = int(np.clip(round(built_m2 / 1e6 / _VILLAGE_KM2), 1, 9))
    shares = rng.dirichlet(np.full(count, 6.0))
    shares = np.sort(shares)[::-1]
    zones = []
    for centre, share in zip(_centres(rng, land, anchor, count), shares, strict=True):
        blob = _blob(rng, centre, share * built_m2).intersection(land)
        if blob.area > 10_000:
            zones.append(Zone(shape=blob, spacing_m=float(rng.uniform(104, 138)), kind="village"))
    return zones


def _centres(
    rng: np.random.Generator, land: shapely.Geometry, anchor: shapely.Point, count: int
) -> NDArray[np.float64]:
    """Return `count` places on `land`, far from each other and from its border; the first is the anchor."""
    west, south, east, north = land.bounds
    trial = rng.uniform((west, south), (east, north), (400, 2))
    trial = trial[shapely.contains_xy(land.buffer(-150), trial)]
    if not len(trial):
        trial = shapely.get_coordinates(land.representative_point())
    dry = anchor if land.contains(anchor) else land.representative_point()
    chosen = [shapely.get_coordinates(dry)[0]]
    while len(chosen) < count:
        far = cKDTree(np.array(chosen)).query(trial)[0]
        # The very farthest place would always be a corner.
        chosen.append(trial[np.argsort(far)[int(0.8 * (len(far) - 1))]])
    return np.array(chosen)


def _blob(rng: np.random.Generator, centre: NDArray[np.float64], area_m2: float) -> shapely.Polygon:
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    wave = sum(rng.uniform(0, 0.16) * np.cos(k * turn + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 4))
    stretch, tilt = rng.uniform(1.0, 1.9), rng.uniform(0, np.pi)
    x, y = (1 + wave) * np.cos(turn) * stretch, (1 + wave) * np.sin(turn)
    ring = np.column_stack([x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt)])
    ring *= np.sqrt(area_m2 / shapely.Polygon(ring).area)
    return shapely.Polygon(centre + ring).buffer(0)


def link_places(
    hubs: NDArray[np.float64], villages: NDArray[np.float64], *, water: shapely.Geometry, avoid: list[Road]
) -> list[Road]:
    """Return country roads: a Gabriel graph of the hubs (tertiary) and one that takes the villages in (unclassified).

    Parameters
    ----------
    hubs, villages : ndarray of float64, shape (n, 2)
        In :data:`geo.demo.roads.MODEL_CRS`.
    water : shapely.Geometry
        No link crosses it.
    avoid : list of Road
        A link that runs along one of these is left out.
    """
    existing = shapely.STRtree([road.line for road in avoid])
    roads = _links(hubs, np.ones(len(hubs), bool), water, existing, "tertiary")
    both = np.vstack([hubs, villages])
    is_hub = np.arange(len(both)) < len(hubs)
    wider = shapely.STRtree([*existing.geometries, *(road.line for road in roads)])
    return roads + _links(both, ~is_hub, water, wider, "unclassified")


def _links(
    places: NDArray[np.float64],
    counted: NDArray[np.bool_],
    water: shapely.Geometry,
    existing: shapely.STRtree,
    highway: str,
) -> list[Road]:
    pairs = _gabriel(places)
    pairs = pairs[counted[pairs].any(axis=1)]
    length = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    pairs = pairs[(length > 120) & (length < 7000)]
    roads = []
    shapely.prepare(water)
    for a, b in places[pairs]:
        line = _bend(a, b)
        if line.intersects(water):
            line = shapely.LineString([a, b])
        if not line.intersects(water) and not _runs_along(line, existing):
            roads.append(Road(line=line, highway=highway))
    return roads


def _gabriel(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the pairs, sorted, between which no third place lies in the circle over them."""
    triangles = Delaunay(places).simplices
    pairs = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0)
    middle = places[pairs].mean(axis=1)
    radius = np.linalg.norm(places[pairs[:, 0]] - middle, axis=1)
    nearest = cKDTree(places).query(middle)[0]
    return np.asarray(pairs[nearest >= radius - 1e-6])


def _bend(a: NDArray[np.float64], b: NDArray[np.float64]) -> shapely.LineString:
    rng = random_of("bend", *np.round(np.concatenate([a, b]), 1))
    length = float(np.linalg.norm(b - a))
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / length
    t = np.linspace(0, 1, max(int(length // 220), 2) + 1)
    waves = np.array([rng.normal(0, 0.045 / k) * np.sin(k * np.pi * t) for k in (1, 2, 3)])
    return shapely.LineString(a + t[:, None] * (b - a) + (waves.sum(axis=0) * length)[:, None] * normal)


def _runs_along(line: shapely.LineString, existing: shapely.STRtree) -> bool:
    """Whether most of `line` lies within a stone's throw of an existing road."""
    points = shapely.line_interpolate_point(line, np.linspace(0.1, 0.9, 9), normalized=True)
    near = existing.query(points, predicate="dwithin", distance=70.0)[0]
    return len(np.unique(near)) >= 5


def lay_streets(
    faces: list[shapely.Polygon], zones: list[Zone], *, outline: shapely.Geometry, water: shapely.Geometry
) -> list[Road]:
    """Return the streets of every face between the roads: a warped lattice along its longer side.

    Parameters
    ----------
    faces : list of shapely.Polygon
        What the roads enclose, without water.
    zones : list of Zone
        Towns and villages; what they leave of a face is fields.
    outline : shapely.Geometry
        The city: no street leaves it.
    """
    tree = shapely.STRtree([zone.shape for zone in zones])
    shapely.prepare(outline)
    roads: list[Road] = []
    for face in faces:
        if not outline.intersects(face):
            continue
        inside = face if outline.contains(face) else face.intersection(outline)
        hits = [zones[i] for i in np.sort(tree.query(inside, predicate="intersects"))]
        roads += _streets_in(inside, _clip_zones(hits, inside))
    return roads


def _clip_zones(hits: list[Zone], face: shapely.Geometry) -> list[Zone]:
    """Return the part of every village in the face, and all its towns as one, so that no seam runs through a block."""
    clipped = [replace(zone, shape=zone.shape.intersection(face)) for zone in hits]
    towns = [zone for zone in clipped if zone.kind == "town"]
    rest = [zone for zone in clipped if zone.kind != "town"]
    if towns:
        weight = np.array([zone.shape.area + 1 for zone in towns])
        spacing = float(np.average([zone.spacing_m for zone in towns], weights=weight))
        shape = shapely.union_all([zone.shape.buffer(2, quad_segs=1) for zone in towns])
        rest.insert(0, Zone(shape=shape, spacing_m=spacing, kind="town"))
    return rest


def _streets_in(face: shapely.Geometry, zones: list[Zone]) -> list[Road]:
    rng = random_of("face", *np.round(shapely.get_coordinates(face.centroid)[0], 0))
    tilt = _orientation(face)
    roads: list[Road] = []
    for zone in zones:
        own = tilt if zone.kind == "town" or rng.random() < 0.5 else rng.uniform(0, np.pi)
        roads += _lattice(rng, face, face.intersection(zone.shape), zone.spacing_m, own, zone.kind)
    fields = face.difference(shapely.union_all([zone.shape for zone in zones])) if zones else face
    if fields.area > 60_000:
        roads += _lattice(rng, face, fields.buffer(60), float(rng.uniform(*_FIELD_M)), tilt, "field")
    return roads


def _orientation(face: shapely.Geometry) -> float:
    box = shapely.oriented_envelope(face)
    if box.geom_type != "Polygon":
        return 0.0
    ring = shapely.get_coordinates(box)
    sides = np.diff(ring, axis=0)[:2]
    longer = sides[np.argmax(np.linalg.norm(sides, axis=1))]
    return float(np.arctan2(longer[1], longer[0]))


def _lattice(
    rng: np.random.Generator,
    face: shapely.Geometry,
    zone: shapely.Geometry,
    spacing_m: float,
    tilt: float,
    kind: str,
) -> list[Road]:
    """Return the streets of `zone` within `face`; those that leave it go on to the face's edge if that is near."""
    if zone.is_empty or zone.area < spacing_m**2:
        return []
    core = zone.intersection(face.buffer(-0.4 * min(spacing_m, 200)))
    points, shape = _lattice_points(rng, zone, spacing_m, tilt)
    shapely.prepare([core, face])
    inside = shapely.contains_xy(core, points)
    index = np.arange(len(points)).reshape(shape)
    pairs = [(index[:-1].ravel(), index[1:].ravel(), 0), (index[:, :-1].ravel(), index[:, 1:].ravel(), 1)]
    roads: list[Road] = []
    for tail, head, direction in pairs:
        # Tails of one street share a column of the lattice when it runs along the first axis, else a row.
        street = tail // shape[1] if direction else tail % shape[1]
        highway = _classes(rng, max(shape), kind, direction)[street]
        both = np.flatnonzero(inside[tail] & inside[head])
        ends = points[np.column_stack([tail[both], head[both]])]
        clear = shapely.contains(face, shapely.linestrings(ends)) if len(both) else both > 0
        roads += _as_roads(ends[clear], highway[both][clear])
        out = np.flatnonzero(inside[tail] != inside[head])
        start = np.where(inside[tail[out]], tail[out], head[out])
        end = np.where(inside[tail[out]], head[out], tail[out])
        reached, ends = _reach_edge(points[start], points[end], face)
        roads += _as_roads(ends, highway[out[reached]])
    return roads


def _lattice_points(
    rng: np.random.Generator, zone: shapely.Geometry, spacing_m: float, tilt: float
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the points of a tilted, jittered lattice over `zone`, and its rows and columns."""
    cos, sin = np.cos(tilt), np.sin(tilt)
    turn = np.array([[cos, -sin], [sin, cos]])
    ring = shapely.get_coordinates(zone) @ turn
    low, high = ring.min(axis=0), ring.max(axis=0)
    step = spacing_m * np.array([1.3, 0.8])
    count = np.ceil((high - low) / step).astype(int) + 2
    u = low[0] + step[0] * (np.arange(count[0]) - rng.uniform(0, 1))
    v = low[1] + step[1] * (np.arange(count[1]) - rng.uniform(0, 1))
    grid = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    # Long waves bend whole streets, the jitter moves single corners.
    for wave_m, size in ((9 * spacing_m, 0.5 * spacing_m), (4 * spacing_m, 0.15 * spacing_m)):
        phase = rng.uniform(0, 2 * np.pi, 2)
        grid = grid + size * np.sin(2 * np.pi * grid[:, ::-1] / wave_m + phase)
    grid = grid + rng.normal(0, 0.4 * _WARP_M, grid.shape) * step
    return grid @ turn.T, (int(count[0]), int(count[1]))


def _reach_edge(
    start: NDArray[np.float64], end: NDArray[np.float64], face: shapely.Geometry
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which lines from `start` towards `end` get to the edge of `face`, and those up to there."""
    if not len(start):
        return np.empty(0, np.int64), np.empty((0, 2, 2))
    rays = shapely.linestrings(np.stack([start, start + 1.6 * (end - start)], axis=1))
    hits = shapely.intersection(rays, face.boundary)
    reached = np.flatnonzero(~shapely.is_empty(hits))
    origin = start[reached]
    edge = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(shapely.points(origin), hits[reached]), 1))
    # A hair beyond the edge, so that the street and the road surely cross.
    beyond = edge + 0.6 * (edge - origin) / np.maximum(np.linalg.norm(edge - origin, axis=1, keepdims=True), 1)
    return reached, np.stack([origin, beyond], axis=1)


def _classes(rng: np.random.Generator, count: int, kind: str, direction: int) -> NDArray[np.object_]:
    """Return the class of every street of a lattice; the cross streets of towns and villages are often alleys."""
    dice = rng.random(count)
    if kind == "field":
        return np.where(dice < 0.85, "track", "unclassified").astype(object)
    return np.where(dice < (0.45 if direction else 0.05), "service", "residential").astype(object)


def _as_roads(ends: NDArray[np.float64], highway: NDArray[np.object_]) -> list[Road]:
    lines = shapely.linestrings(ends) if len(ends) else []
    return [Road(line=line, highway=str(name)) for line, name in zip(lines, highway, strict=True)]
