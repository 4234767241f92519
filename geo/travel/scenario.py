"""Scenarios: other speeds, closed bridges and zones, laid over a network that stays the same.

A scenario is a TOML file, so that a planner can copy and edit it::

    title = { en = "Rush hour", vi = "...", fr = "..." }
    source = "where the figures come from"
    assumption = true

    [speed_factors.motorbike]     # times the speed of the parameters; a class that is not named keeps it, 0 closes it
    primary = 0.6

    [[restrictions]]
    bridge = "Cầu Long Biên"      # or zone = "...", or lon, lat and radius_m, or ring = [[lon, lat], ...]
    modes = ["car"]               # all of them if left out
    max_kmh = 0                   # 0 closes, 4.8 lets people go on on foot
    since = 2026-07-01            # for a scenario whose `on` is earlier, nothing is restricted
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
import tomlkit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.errors import Fault, ParamsError
from geo.params import HIGHWAY_CLASSES, MODES, Mode, digest_of
from geo.schemas import WGS84, RoadNetwork
from geo.settings import Settings
from geo.travel.network import TravelGraph

_KMH_TO_M_S = 1 / 3.6
_RADIUS_M = 150.0
#: Around the middle of a bridge only the bridge itself is a main road; one that is not is told from the streets on the
#: banks by being nearer.
_MAIN_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_SMALL_BRIDGE_RADIUS_M = 60.0


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _check_classes(names: Iterable[str]) -> None:
    for name in names:
        if name not in HIGHWAY_CLASSES:
            raise ValueError(f"unknown highway class {name!r}; allowed: {', '.join(HIGHWAY_CLASSES)}")


class Restriction(_Group):
    """A place where some modes are slowed down or stopped: a disc, or a ring of corners, in degrees (WGS 84).

    A disc holds every road that touches it. A ring holds the roads whose middle lies inside and further than
    ``edge_open_m`` from its edge, because the edge of a zone is a street that stays open. A bridge by name is a disc
    around its middle for main roads alone, or, of a bridge that is none, a smaller one for all.
    """

    name: str
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    radius_m: float = Field(_RADIUS_M, gt=0, le=50_000)
    ring: tuple[tuple[float, float], ...] = ()
    edge_open_m: float = Field(60.0, ge=0, le=1000)
    classes: tuple[str, ...] = Field((), description="highway classes; all of them if empty")
    modes: tuple[Mode, ...] = MODES
    max_kmh: float = Field(0.0, ge=0, le=130, description="0 closes")
    since: date | None = None

    @model_validator(mode="after")
    def _known_classes(self) -> Restriction:
        _check_classes(self.classes)
        return self

    @model_validator(mode="after")
    def _one_place(self) -> Restriction:
        if (self.lon is None) != (self.lat is None) or (self.lon is None) == (not self.ring):
            raise ValueError("give one place: bridge, zone, lon and lat, or ring")
        if self.ring and (len(self.ring) < 3 or not shapely.Polygon(self.ring).is_valid):
            raise ValueError("a ring needs three corners or more and must not cross itself")
        return self

    def holds(self, mode: str, *, on: date | None) -> bool:
        """Return whether `mode` is restricted on that day; without a day, every restriction holds."""
        return mode in self.modes and (on is None or self.since is None or self.since <= on)


class Scenario(_Group):
    """What differs from the base; everything else stays as the parameters say.

    Attributes
    ----------
    name : str
        Name of the file without its suffix.
    title, about : dict of str to str
        Words by language.
    source : str
        Where the figures and places come from.
    assumption : bool
        The figures are modelling assumptions, not measurements.
    on : date or None
        The day looked at.
    speed_factors : dict of str to dict of str to float
        By mode and highway class; times the speed, so 0.5 doubles the time and 0 closes the class.
    restrictions : tuple of Restriction
    """

    name: str
    title: dict[str, str] = Field(default_factory=dict)
    about: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    assumption: bool = True
    on: date | None = None
    speed_factors: dict[Mode, dict[str, float]] = Field(default_factory=dict)
    restrictions: tuple[Restriction, ...] = ()

    @model_validator(mode="after")
    def _known_classes(self) -> Scenario:
        for mode, table in self.speed_factors.items():
            _check_classes(table)
            for name, factor in table.items():
                if not 0 <= factor <= 2:
                    raise ValueError(f"factor of {mode}.{name} is {factor}; allowed: 0 (closed) to 2")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the scenario as canonical JSON, first 16 hexadecimal digits."""
        return digest_of(self)

    def words(self, lang: str) -> str:
        """Return the title in `lang`, else the name."""
        return self.title.get(lang) or self.name

    def to_toml(self) -> str:
        """Return the scenario as TOML with every place as degrees; :func:`read_scenario` reads it back."""
        return tomlkit.dumps(self.model_dump(mode="json", exclude_none=True, exclude={"name"}))


def list_scenarios(data_dir: Path | None = None) -> dict[str, Path]:
    """Return the file of every scenario by its name: those of ``data_dir/scenarios`` before those that are shipped."""
    folders = [Path(data_dir)] if data_dir else []
    found: dict[str, Path] = {}
    for folder in (*folders, _shipped()):
        for path in sorted((folder / "scenarios").glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def read_scenario(name: str | Path, *, data_dir: Path | None = None, on: date | None = None) -> Scenario:
    """Read a scenario by its name, or from a TOML file.

    Parameters
    ----------
    name : str or path-like
        One of :func:`list_scenarios`, or a path that ends in ``.toml``.
    data_dir : pathlib.Path, optional
        Data folder with ``scenarios`` of its own.
    on : date, optional
        The day looked at, in place of the file's.

    Raises
    ------
    ParamsError
        The scenario is unknown, the file is not TOML, or a name, value or place in it is not allowed.
    """
    known = list_scenarios(data_dir)
    path = Path(name) if str(name).endswith(".toml") else known.get(str(name))
    if path is None:
        raise ParamsError(_not_allowed("scenario", str(name), known))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParamsError(Fault(key="params_unreadable", file=path.name, values={"detail": str(error)})) from error
    if isinstance(data.get("restrictions"), list):
        data["restrictions"] = [_placed(item, path.name) for item in data["restrictions"]]
    try:
        scenario = Scenario.model_validate({**data, "name": path.stem})
    except ValidationError as error:
        raise ParamsError(list(_faults(error, path.name))) from error
    return scenario if on is None else scenario.model_copy(update={"on": on})


def _shipped() -> Path:
    return cast("Path", Settings.model_fields["data_dir"].default)


def _placed(item: Any, file: str) -> Any:
    """Return a restriction with its bridge or zone as degrees; what is not a table is left to the validation."""
    if not isinstance(item, dict):
        return item
    item = dict(item)
    for kind, find in (("bridge", _bridges), ("zone", _zones)):
        place = item.pop(kind, None)
        if place is not None:
            places = find()
            if place not in places:
                raise ParamsError(replace(_not_allowed(f"restrictions.{kind}", str(place), places), file=file))
            item = {"name": place, **places[place], **item}
    return item


def _bridges() -> dict[str, dict[str, Any]]:
    table = pd.read_csv(_shipped() / "facts" / "bridges.csv")
    return {
        str(row.name): {
            "lon": row.lon,
            "lat": row.lat,
            **({"classes": _MAIN_ROADS} if row.road_class in _MAIN_ROADS else {"radius_m": _SMALL_BRIDGE_RADIUS_M}),
        }
        for row in table.itertuples(index=False)
    }


def _zones() -> dict[str, dict[str, Any]]:
    table = pd.read_csv(_shipped() / "facts" / "zones.csv").sort_values(["zone", "seq"])
    return {
        str(zone): {"ring": list(zip(rows["lon"].tolist(), rows["lat"].tolist(), strict=True))}
        for zone, rows in table.groupby("zone")
    }


def _not_allowed(column: str, value: str, allowed: Mapping[str, Any]) -> Fault:
    return Fault(key="params_value", column=column, value=value, values={"allowed": ", ".join(allowed)})


def _faults(error: ValidationError, file: str) -> Iterator[Fault]:
    for e in error.errors():
        yield Fault(
            key="params_unknown" if e["type"] == "extra_forbidden" else "params_value",
            file=file,
            column=".".join(str(part) for part in e["loc"]),
            value=str(e["input"])[:80],
            values={"allowed": e["msg"]},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A scenario on a network.

    Attributes
    ----------
    graph : TravelGraph
        The same nodes, arcs and components with other seconds; infinite where closed.
    idle : tuple of str
        Names of the restrictions that hold for the mode and the day, and touch no road.
    """

    graph: TravelGraph
    idle: tuple[str, ...]


def apply_scenario(
    graph: TravelGraph, network: RoadNetwork, scenario: Scenario, *, mode: str, crs: pyproj.CRS
) -> Applied:
    """Return `graph` with the seconds that it takes under `scenario`.

    ``seconds' = max(seconds / factor, length / max_kmh)``, so nothing but a factor above 1 shortens a way. A factor on
    a ferry counts for crossing and wait together.

    Parameters
    ----------
    graph : TravelGraph
        Of `mode`, from `network`.
    network : RoadNetwork
    scenario : Scenario
    mode : str
        One of :data:`geo.params.MODES`.
    crs : pyproj.CRS
        Metric CRS of the graph.
    """
    factors = scenario.speed_factors.get(cast("Mode", mode), {})
    factor = np.array([factors.get(name, 1.0) for name in HIGHWAY_CLASSES])[graph.highway[graph.segment]]
    with np.errstate(divide="ignore"):
        seconds = graph.seconds / factor
    idle = []
    for restriction in scenario.restrictions:
        if not restriction.holds(mode, on=scenario.on):
            continue
        touched = _touched(graph, restriction, crs)[graph.segment]
        if not touched.any():
            idle.append(restriction.name)
        speed_m_s = restriction.max_kmh * _KMH_TO_M_S
        length_m = network.length_m[graph.segment[touched]]
        least = length_m / speed_m_s if speed_m_s else np.inf
        seconds[touched] = np.maximum(seconds[touched], least)
    return Applied(graph=replace(graph, seconds=seconds), idle=tuple(idle))


def _touched(graph: TravelGraph, restriction: Restriction, crs: pyproj.CRS) -> NDArray[np.bool_]:
    """Return the segments that a restriction holds."""
    area = _area(restriction, crs)
    ends = graph.xy[graph.segment_ends]
    low, high = ends.min(axis=1), ends.max(axis=1)
    west, south, east, north = shapely.bounds(area)
    near = np.flatnonzero(((low <= [east, north]) & (high >= [west, south])).all(axis=1))
    if restriction.ring:
        held = shapely.contains_xy(area, ends[near].mean(axis=1))
    else:
        held = shapely.dwithin(shapely.linestrings(ends[near]), shapely.centroid(area), restriction.radius_m)
    touched = np.zeros(len(ends), bool)
    touched[near[held]] = True
    if restriction.classes:
        touched &= np.isin(graph.highway, [HIGHWAY_CLASSES.index(name) for name in restriction.classes])
    return touched


def _area(restriction: Restriction, crs: pyproj.CRS) -> shapely.Geometry:
    """Return the ring without its edge, or the square around the disc, in `crs`."""
    if restriction.ring:
        shape: shapely.Geometry = shapely.Polygon(restriction.ring)
        margin = -restriction.edge_open_m
    else:
        shape, margin = shapely.Point(restriction.lon, restriction.lat), restriction.radius_m
    metric = gpd.GeoSeries([shape], crs=WGS84).to_crs(crs).iloc[0]
    return metric.buffer(margin, cap_style="square", join_style="mitre")
