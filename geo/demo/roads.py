"""Named roads, bridges and river barriers of the modelled network, from the facts tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import GeoError
from geo.schemas import WGS84

#: Metric CRS the network is drawn in; files carry EPSG:4326.
MODEL_CRS = "EPSG:32648"
#: Rank of a road's class: where two share a stretch, the first one names it.
CLASS_ORDER = (
    "motorway", "motorway_link", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
    "living_street", "service", "track", "ferry",
)  # fmt: skip

_BARRIER_SHARE = 0.3  # of the river's width to each side: what lies between is water, whatever the season
_BARRIER_MIN_M = 18.0
_MOUTH_M = 1500.0
_CAUSEWAY_M = 25.0
_BRIDGE_APPROACH_M = 12.0
_BRIDGE_REACH_M = 2500.0
_CURVED = ("motorway", "trunk", "primary", "secondary", "tertiary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A line of the network before it is cut at its crossings.

    Attributes
    ----------
    line : shapely.LineString
        In :data:`MODEL_CRS`.
    highway : str
        Value of the OSM tag.
    name, ref : str
        Empty where the road has none.
    oneway, bridge : bool
    carries : str
        What may use it, as ``bridges.csv`` says; empty for everything.
    minutes : float
        Of a ferry's crossing.
    odd : bool
        Part of a deliberate oddity.
    """

    line: shapely.LineString
    highway: str
    name: str = ""
    ref: str = ""
    oneway: bool = False
    bridge: bool = False
    carries: str = ""
    minutes: float = 0.0
    odd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A crossing, straightened to the river it crosses.

    Attributes
    ----------
    name, river, highway, carries : str
    ends : ndarray, shape (2, 2)
        The two ends on dry land, in :data:`MODEL_CRS`.
    """

    name: str
    river: str
    highway: str
    carries: str
    ends: NDArray[np.float64]


def random_of(*parts: object) -> np.random.Generator:
    """Return a generator that depends on `parts` only, so that one place does not disturb another."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def to_metric(lon: Iterable[float], lat: Iterable[float]) -> NDArray[np.float64]:
    """Return an (n, 2) array in :data:`MODEL_CRS` from degrees (EPSG:4326)."""
    points = gpd.GeoSeries(gpd.points_from_xy(list(lon), list(lat)), crs=WGS84).to_crs(MODEL_CRS)
    return np.asarray(shapely.get_coordinates(points.to_numpy()))


def read_rivers(facts: Path) -> gpd.GeoDataFrame:
    """Return the centre lines of the rivers.

    Returns
    -------
    geopandas.GeoDataFrame
        Index river (name). Columns ``width_m`` and ``geometry`` in :data:`MODEL_CRS`.
    """
    table = pd.read_csv(facts / "rivers.csv").sort_values(["river", "seq"], kind="stable")
    rows = {}
    for river, part in table.groupby("river", sort=False):
        rows[river] = (float(part["width_m"].iloc[0]), shapely.LineString(to_metric(part["lon"], part["lat"])))
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["width_m", "geometry"])
    return gpd.GeoDataFrame(frame.rename_axis("river"), geometry="geometry", crs=MODEL_CRS)


def read_lakes(facts: Path, *, roads: list[Road]) -> shapely.Geometry:
    """Return the lakes, less the named roads that run over their modelled shores."""
    table = pd.read_csv(facts / "lakes.csv").sort_values(["lake", "seq"], kind="stable")
    shapes = [shapely.Polygon(to_metric(part["lon"], part["lat"])) for _, part in table.groupby("lake", sort=False)]
    round_shapes = shapely.buffer(shapely.buffer(shapes, 60), -60)
    causeways = shapely.buffer([road.line for road in roads], _CAUSEWAY_M)
    return shapely.union_all(round_shapes).difference(shapely.union_all(causeways))


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples; their fields have no type worth checking."""
    yield from table.itertuples()


def make_barrier(rivers: gpd.GeoDataFrame) -> shapely.Geometry:
    """Return the water that no road crosses but on a bridge."""
    half = np.maximum(_BARRIER_SHARE * rivers["width_m"].to_numpy(), _BARRIER_MIN_M)
    lines = rivers.geometry.to_numpy()
    water = list(shapely.buffer(lines, half, quad_segs=4))
    for i, line in enumerate(lines):
        others = shapely.union_all(np.delete(lines, i))
        for mouth in (shapely.get_point(line, 0), shapely.get_point(line, -1)):
            # A tributary drawn a little short would leave a ford at its mouth.
            if 0 < mouth.distance(others) < _MOUTH_M:
                water.append(shapely.shortest_line(mouth, others).buffer(half[i], quad_segs=4))
    return shapely.union_all(water)


def read_bridges(facts: Path, *, rivers: gpd.GeoDataFrame, barrier: shapely.Geometry) -> dict[str, Bridge]:
    """Return the bridges by name, each moved to the nearest place of its river and laid square across it.

    Raises
    ------
    GeoError
        A bridge names a river that the rivers table does not have.
    """
    table = pd.concat([pd.read_csv(facts / name) for name in ("bridges.csv", "crossings.csv")])
    places = shapely.points(to_metric(table["lon"], table["lat"]))
    bridges: dict[str, Bridge] = {}
    for row, place in zip(rows_of(table), places, strict=True):
        if row.river not in rivers.index:
            raise GeoError(f"bridge {row.name}: river {row.river!r} is not in rivers.csv")
        ends = _span(rivers.geometry[row.river], place, barrier)
        bridges[row.name] = Bridge(
            name=row.name, river=row.river, highway=row.road_class, carries=row.carries, ends=ends
        )
    return bridges


def _span(river: shapely.LineString, place: shapely.Point, barrier: shapely.Geometry) -> NDArray[np.float64]:
    """Return the ends of the shortest nearly square crossing of the barrier at the river's point next to `place`."""
    along = river.project(place)
    centre = shapely.get_coordinates(river.interpolate(along))[0]
    before, after = (shapely.get_coordinates(river.interpolate(max(along + d, 0)))[0] for d in (-150, 150))
    tangent = (after - before) / np.linalg.norm(after - before)
    best: NDArray[np.float64] | None = None
    for degrees in (0, -15, 15, -30, 30, -45, 45):
        angle = np.radians(90 + degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        ends = np.array(
            [centre + s * _shore(centre, s * (turn @ tangent), barrier) * (turn @ tangent) for s in (1, -1)]
        )
        if best is None or np.linalg.norm(ends[0] - ends[1]) < 0.8 * np.linalg.norm(best[0] - best[1]):
            best = ends
    assert best is not None
    return best


def _shore(centre: NDArray[np.float64], direction: NDArray[np.float64], barrier: shapely.Geometry) -> float:
    """Return the distance from `centre` along `direction` to dry land."""
    ray = shapely.LineString([centre, centre + _BRIDGE_REACH_M * direction])
    dry = ray.difference(barrier)
    if dry.is_empty:
        return _BRIDGE_REACH_M
    return float(shapely.distance(dry, shapely.Point(centre))) + _BRIDGE_APPROACH_M


def read_roads(facts: Path, *, bridges: dict[str, Bridge], barrier: shapely.Geometry) -> list[Road]:
    """Return the named roads: curved outside the water, straight on their bridges, cut where they meet water.

    Raises
    ------
    GeoError
        A road runs over a bridge that no table knows.
    """
    table = pd.read_csv(facts / "roads.csv", keep_default_na=False, dtype=str)
    table["seq"] = table["seq"].astype(int)
    roads: list[Road] = []
    for _, part in table.sort_values(["road_id", "seq"], kind="stable").groupby("road_id", sort=True):
        roads += _lay_road(part, bridges, barrier)
    crossed = {road.name for road in roads if road.bridge}
    for bridge in bridges.values():
        if bridge.name not in crossed:
            roads.append(_bridge_road(bridge, bridge.ends, highway=bridge.highway))
    return roads


def _lay_road(part: pd.DataFrame, bridges: dict[str, Bridge], barrier: shapely.Geometry) -> list[Road]:
    first = part.iloc[0]
    corners, spans = _corners(part, bridges)
    corners = _shift(corners, float(first["offset_m"]))
    cuts = [0, *(i for start in spans for i in (start, start + 1)), len(corners) - 1]
    roads: list[Road] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=True):
        if end > start:
            line = shapely.LineString(
                _curve(corners[start : end + 1]) if first["highway"] in _CURVED else corners[start : end + 1]
            )
            dry = shapely.get_parts(line.difference(barrier))
            roads += [_named(first, piece) for piece in dry if piece.length > 30]
    for start, name in spans.items():
        roads.append(_bridge_road(bridges[name], corners[start : start + 2], highway=first["highway"], road=first))
    return roads


def _named(first: pd.Series, line: shapely.LineString) -> Road:
    return Road(
        line=line, highway=first["highway"], name=first["name"], ref=first["ref"], oneway=first["oneway"] == "yes"
    )


def _bridge_road(bridge: Bridge, ends: NDArray[np.float64], *, highway: str, road: pd.Series | None = None) -> Road:
    return Road(
        line=shapely.LineString(ends),
        highway=highway,
        name=bridge.name,
        ref="" if road is None else road["ref"],
        oneway=road is not None and road["oneway"] == "yes",
        bridge=True,
        carries=bridge.carries if "no cars" in bridge.carries else "",
    )


def _corners(part: pd.DataFrame, bridges: dict[str, Bridge]) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Return the road's corners with each bridge as two of them, and the first corner of every bridge."""
    place = part["bridge"] == ""
    xy = np.full((len(part), 2), np.nan)
    xy[place] = to_metric(part.loc[place, "lon"].astype(float), part.loc[place, "lat"].astype(float))
    unknown = set(part.loc[~place, "bridge"]) - set(bridges)
    if unknown:
        raise GeoError(f"roads.csv: {part['name'].iloc[0]} runs over unknown bridges {sorted(unknown)}")
    corners: list[NDArray[np.float64]] = []
    spans: dict[int, str] = {}
    for i, name in enumerate(part["bridge"]):
        if not name:
            corners.append(xy[i])
            continue
        ends = bridges[name].ends
        before = [corners[-1]] if corners else []
        after = [xy[i + 1]] if i + 1 < len(part) and not np.isnan(xy[i + 1, 0]) else []
        forward = sum(np.linalg.norm(ends[0] - p) for p in before) + sum(np.linalg.norm(ends[1] - p) for p in after)
        back = sum(np.linalg.norm(ends[1] - p) for p in before) + sum(np.linalg.norm(ends[0] - p) for p in after)
        spans[len(corners)] = name
        corners += list(ends if forward <= back else ends[::-1])
    return np.array(corners), spans


def _shift(corners: NDArray[np.float64], offset_m: float) -> NDArray[np.float64]:
    """Return the corners moved to the left of the road by `offset_m`, mitred."""
    if offset_m == 0:
        return corners
    step = np.diff(corners, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    normals = np.column_stack([-step[:, 1], step[:, 0]])
    at = np.vstack([normals[:1], normals[:-1] + normals[1:], normals[-1:]])
    at /= np.maximum(np.linalg.norm(at, axis=1, keepdims=True), 0.5)
    return np.asarray(corners + offset_m * at)


def _curve(corners: NDArray[np.float64], *, spacing_m: float = 250.0) -> NDArray[np.float64]:
    """Return a Catmull-Rom curve through all corners, so that roads still meet at the corners they share."""
    if len(corners) < 3:
        return corners
    padded = np.vstack([2 * corners[0] - corners[1], corners, 2 * corners[-1] - corners[-2]])
    parts = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        length = float(np.linalg.norm(p2 - p1))
        t = np.linspace(0, 1, max(int(length // spacing_m), 1) + 1)[:-1, None]
        # Tangents no longer than the chord: uneven corners then make no loops.
        m1, m2 = (_tangent(a, b, length) for a, b in ((p0, p2), (p1, p3)))
        parts.append(
            (2 * t**3 - 3 * t**2 + 1) * p1
            + (t**3 - 2 * t**2 + t) * m1
            + (3 * t**2 - 2 * t**3) * p2
            + (t**3 - t**2) * m2
        )
    return np.vstack([*parts, corners[-1:]])


def _tangent(a: NDArray[np.float64], b: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    chord = b - a
    return np.asarray(chord / max(float(np.linalg.norm(chord)), 1.0) * length)
