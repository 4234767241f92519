"""The door: read a data folder and say everything that is wrong with it at once.

Inside, nothing defends itself against bad input again: what passes here is right.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from geo.errors import Fault, InputError
from geo.schemas import MODELLED, WGS84, Clauses, Communes, Inventory, UnitFacts, check
from geo.settings import Settings
from geo.sources import network
from geo.sources.boundaries import (
    Part,
    clauses_table,
    communes_table,
    read_clauses,
    read_communes,
    read_districts,
    read_units,
    units_table,
)
from geo.sources.buildings import inventory_table, read_inventory
from geo.sources.cells import note_duplicates
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.lines import read_lines
from geo.sources.measures import (
    note_building_areas,
    note_distortion,
    note_fractions,
    note_rough_places,
    note_strays,
)
from geo.sources.places import note_far_layers, note_outside, note_shift
from geo.sources.placing import place_polygons
from geo.sources.plausible import note_lost_zeros
from geo.sources.population import note_unpeopled, points_table, read_population, with_population
from geo.sources.references import align_boundaries, align_to_communes, check_relations

CITY_FILE = "city.toml"
_OTHER_NETWORKS = (".pbf", ".osm", ".osm.gz", ".osm.bz2", ".xml", ".geojson", ".json.gz", ".gpkg", ".shp", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The tables of a data folder, checked; every table sorted by its id.

    Attributes
    ----------
    name : str
        From ``city.toml``, else the name of the folder.
    metric_crs : pyproj.CRS or None
        From ``city.toml``.
    communes : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Communes`, EPSG:4326.
    units : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.UnitFacts` of every unit of the clauses, EPSG:4326; geometry None where no official
        polygon is given.
    inventory : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Inventory`, EPSG:4326.
    clauses : pandas.DataFrame
        Table :class:`~geo.schemas.Clauses`.
    lines : geopandas.GeoDataFrame or None
        Table :class:`~geo.schemas.DivisionLines`, EPSG:4326.
    population_points : geopandas.GeoDataFrame or None
        Columns ``population`` and ``geometry``, EPSG:4326.
    network_path : pathlib.Path or None
        The OSM extract or answer of Overpass, not opened yet.
    notes : tuple of Fault
        Warnings.
    modelled : tuple of str
        Which of ``boundaries``, ``communes``, ``buildings`` and ``population`` hold rows made by a model; ``communes``
        where the old communes do, but every unit has a polygon that is none of a model.
    file_digests : dict of str to str
        SHA-256 of every file used, by its path in the folder.
    inventory_rows : pandas.Series
        Row of every building in its file. Index: site_id.
    """

    name: str
    metric_crs: pyproj.CRS | None
    communes: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    inventory: gpd.GeoDataFrame
    clauses: pd.DataFrame
    lines: gpd.GeoDataFrame | None
    population_points: gpd.GeoDataFrame | None
    network_path: Path | None
    notes: tuple[Fault, ...]
    modelled: tuple[str, ...]
    file_digests: dict[str, str]
    inventory_rows: pd.Series


@dataclass(slots=True, kw_only=True)
class _Parts:
    """What was read, as far as it could be."""

    city: dict[str, Any] = field(default_factory=dict)
    communes: Part | None = None
    districts: Part | None = None
    units: tuple[Part | None, Part | None] = (None, None)
    clauses: Part | None = None
    lines: gpd.GeoDataFrame | None = None
    inventory: Part | None = None
    population: tuple[Part | None, Part | None] = (None, None)
    network_path: Path | None = None


def read_folder(path: Path, *, settings: Settings, need_buildings: bool = True) -> Folder:
    """Read a data folder.

    Parameters
    ----------
    path : pathlib.Path
        With ``boundaries/``, ``buildings/`` and, optionally, ``network/``, ``population/`` and ``city.toml``.
    settings : Settings
        Limits on size and number of rows.
    need_buildings : bool
        Whether a folder without an inventory is at fault; else its inventory is empty.

    Raises
    ------
    InputError
        Something is wrong; it carries every error found in the whole folder.
    """
    files, parts = _examine(Path(path), settings, need_buildings=need_buildings)
    faults = files.log.faults()
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        raise InputError(errors)
    return _folder_of(files, parts, notes=tuple(faults))


def check_folder(path: Path, *, settings: Settings) -> list[Fault]:
    """Return everything that is wrong with a data folder, errors and warnings; see :func:`read_folder`."""
    files, _ = _examine(Path(path), settings)
    return files.log.faults()


def _examine(path: Path, settings: Settings, *, need_buildings: bool = True) -> tuple[FolderFiles, _Parts]:
    files = FolderFiles(path, settings=settings, log=FaultLog())
    if not path.is_dir():
        files.log.add("folder_missing", file=path.name or str(path))
        return files, _Parts()
    parts = _Parts(
        city=_read_city(files),
        communes=read_communes(files),
        districts=read_districts(files),
        units=read_units(files),
        clauses=read_clauses(files),
        lines=read_lines(files),
        inventory=read_inventory(files, required=need_buildings),
        population=read_population(files),
        network_path=_find_network(files),
    )
    _check_together(parts, files.log)
    return files, parts


def _check_together(parts: _Parts, log: FaultLog) -> None:
    if parts.clauses is not None:
        if parts.communes is not None:
            align_boundaries(parts.communes, parts.clauses, units=parts.units, districts=parts.districts, log=log)
        check_relations(parts.clauses, log)
    place_polygons(parts.communes, parts.units, parts.inventory, parts.clauses, log)
    if parts.communes is not None:
        for part in (parts.inventory, *parts.population):
            align_to_communes(part, parts.communes, log)
        note_unpeopled(parts.communes, parts.population[0], log)
        note_fractions((parts.communes, parts.population[0], *parts.units), log)
        note_lost_zeros(parts.communes, parts.population[0], parts.units, parts.districts, parts.clauses, log)
        _check_places(parts, log)
    note_building_areas(parts.inventory, log)
    _check_unique(parts, log)  # last, because padded ids may meet


def _check_unique(parts: _Parts, log: FaultLog) -> None:
    indexed = (
        (parts.communes, "commune_id"),
        (parts.districts, "district_id"),
        (parts.units[0], "unit_id"),
        (parts.units[1], "unit_id"),
        (parts.inventory, "site_id"),
        (parts.population[0], "commune_id"),
    )
    for part, column in indexed:
        if part is not None:
            note_duplicates(part.frame, part.raw, column, log)


def _check_places(parts: _Parts, log: FaultLog) -> None:
    assert parts.communes is not None
    communes = parts.communes.layer
    others = [part.layer for part in (parts.units[0], parts.inventory, parts.population[1]) if part and part.layer]
    if communes is None:
        return
    crs = _metric_crs(parts)
    far = note_far_layers(communes, others, log)
    if communes.raw.file in far or crs is None:
        return
    if parts.city.get("metric_crs") is not None and len(communes.points()):
        note_distortion(parts.city["metric_crs"], communes, file=CITY_FILE, log=log)
    for part in (parts.inventory, parts.population[1]):
        if part and part.layer and part.raw.file not in far:
            note_outside(part.layer, communes, crs=crs, log=log)
    inventory = parts.inventory
    if inventory and inventory.layer and inventory.raw.file not in far:
        note_strays(inventory, parts.communes, crs=crs, log=log)
        note_rough_places(inventory, log)
    if parts.units[0] and parts.units[0].layer and parts.units[0].raw.file not in far:
        note_shift(communes, parts.units[0].layer, crs=crs, log=log)


def _metric_crs(parts: _Parts) -> pyproj.CRS | None:
    declared: pyproj.CRS | None = parts.city.get("metric_crs")
    if declared is not None or parts.communes is None or parts.communes.layer is None:
        return declared
    polygons = gpd.GeoSeries(parts.communes.layer.geometry, crs=WGS84).dropna()
    return polygons.estimate_utm_crs() if len(polygons) else None


def _read_city(files: FolderFiles) -> dict[str, Any]:
    path = files.root / CITY_FILE
    content = files.read(path) if path.is_file() else None
    if content is None:
        return {}
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        files.log.add("toml_broken", file=CITY_FILE, detail=error)
        return {}
    for key in sorted(set(data) - {"name", "metric_crs"}):
        files.log.warn("city_unknown", file=CITY_FILE, column=key)
    return {"name": _city_name(data, files.log), "metric_crs": _city_crs(data, files.log)}


def _city_name(data: dict[str, Any], log: FaultLog) -> str | None:
    name = data.get("name")
    if name is None or (isinstance(name, str) and name.strip()):
        return name
    log.add("city_name", file=CITY_FILE, column="name", value=name)
    return None


def _city_crs(data: dict[str, Any], log: FaultLog) -> pyproj.CRS | None:
    text = data.get("metric_crs")
    if text is None:
        return None
    try:
        crs = pyproj.CRS.from_user_input(text)
    except (pyproj.exceptions.CRSError, TypeError, ValueError):
        log.add("crs_unknown", file=CITY_FILE, column="metric_crs", value=text)
        return None
    if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info[:2]):
        log.add("crs_not_metric", file=CITY_FILE, column="metric_crs", value=text)
        return None
    return crs


def _find_network(files: FolderFiles) -> Path | None:
    paths = files.candidates("network", suffixes=network.SUFFIXES)
    if not paths:
        for other in files.candidates("network", suffixes=_OTHER_NETWORKS):
            allowed = ", ".join(f"*{suffix}" for suffix in network.SUFFIXES)
            files.log.warn("format_unsupported", file=files.name(other), value=other.suffix, allowed=allowed)
        files.log.warn("part_absent", file="network/")
        return None
    path = files.one_of(paths, part="network")
    return path if path is not None and files.keep_digest(path) else None


def _folder_of(files: FolderFiles, parts: _Parts, *, notes: tuple[Fault, ...]) -> Folder:
    assert parts.communes is not None
    assert parts.clauses is not None
    by_commune, at_points = parts.population
    communes = with_population(communes_table(parts.communes, parts.districts), by_commune)
    units = units_table(parts.clauses, *parts.units)
    inventory = inventory_table(parts.inventory)
    clauses = clauses_table(parts.clauses, unit_names=units["name"], commune_names=communes["name"])
    rows = pd.Series(dtype=int)
    if parts.inventory is not None:
        rows = pd.Series(parts.inventory.raw.rows, index=pd.Index(parts.inventory.frame["site_id"], dtype="str"))
    return Folder(
        name=parts.city.get("name") or files.root.resolve().name,
        metric_crs=parts.city.get("metric_crs"),
        communes=check(Communes, communes, crs=WGS84),
        units=check(UnitFacts, units, crs=WGS84),
        inventory=check(Inventory, inventory, crs=WGS84),
        clauses=check(Clauses, clauses),
        lines=parts.lines,
        population_points=None if at_points is None else points_table(at_points),
        network_path=parts.network_path,
        notes=notes,
        modelled=_modelled(parts),
        file_digests=dict(sorted(files.digests.items())),
        inventory_rows=rows.sort_index().rename("row"),
    )


def _modelled(parts: _Parts) -> tuple[str, ...]:
    outlines = "communes" if _units_are_official(parts) else "boundaries"
    groups = (
        ("boundaries", parts.units),
        (outlines, (parts.communes,)),
        ("buildings", (parts.inventory,)),
        ("population", parts.population),
    )
    return tuple(dict.fromkeys(name for name, members in groups if any(_is_modelled(part) for part in members)))


def _is_modelled(part: Part | None) -> bool:
    return part is not None and bool((part.frame["data_source"] == MODELLED).any())


def _units_are_official(parts: _Parts) -> bool:
    """Say whether every unit has a polygon of its own, which rules then: the communes only say what lies inside."""
    polygons, clauses = parts.units[0], parts.clauses
    if polygons is None or polygons.layer is None or clauses is None or _is_modelled(polygons):
        return False
    drawn = polygons.frame["unit_id"][~shapely.is_missing(polygons.layer.geometry)]
    return clauses.ids("unit_id") <= set(drawn)
