"""Load a data folder: compose sources, boundaries and buildings into a City."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo.buildings import place_sites
from geo.cache import Arrays, cached, digest_of_text
from geo.errors import Fault, InputError
from geo.merge.boundaries import merge_communes
from geo.merge.population import find_homes
from geo.progress import Clock, Progress
from geo.schemas import RoadNetwork
from geo.settings import Settings
from geo.sources.folder import Folder, check_folder, read_folder
from geo.sources.network import SUFFIXES, read_network
from geo.sources.osm import file_digest

#: Goes into the digest of every city and so into the name of all that is cached of it; raise it when
#: :mod:`geo.sources.segments` reads differently.
_READER_VERSION = "4"


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything a plan starts from, checked and in one metric CRS.

    Attributes
    ----------
    name : str
        From ``city.toml``, else the name of the folder.
    crs : pyproj.CRS
        Metric CRS of every geometry below.
    communes, districts, units, pieces : geopandas.GeoDataFrame
        Tables :class:`~geo.schemas.Communes`, ``Districts``, ``Units`` and ``Pieces``.
    audit : pandas.DataFrame
        Table :class:`~geo.schemas.Audit` of the merge.
    sites : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Sites`.
    population_points : geopandas.GeoDataFrame or None
        People at points (columns ``population``, ``geometry``), where the folder brings such a file.
    network : RoadNetwork or None
        The roads, if the folder has any.
    notes : tuple of Fault
        Warnings: what was left out or done without.
    modelled : tuple of str
        Which of ``boundaries``, ``buildings``, ``network`` and ``population`` hold modelled data.
    digest : str
        SHA-256 over the content of the files read and the version of the reader, first 16 hexadecimal digits.
    seconds : dict of str to float
        Wall-clock seconds of each step of loading.
    """

    name: str
    crs: pyproj.CRS
    communes: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame
    audit: pd.DataFrame
    sites: gpd.GeoDataFrame
    population_points: gpd.GeoDataFrame | None
    network: RoadNetwork | None
    notes: tuple[Fault, ...]
    modelled: tuple[str, ...]
    digest: str
    seconds: dict[str, float] = field(default_factory=dict, compare=False)


def load_city(
    path: str | Path | None = None,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    need_buildings: bool = True,
) -> City:
    """Read, check and merge a data folder.

    Parameters
    ----------
    path : path-like, optional
        The folder; the embedded data if left out.
    settings : Settings, optional
    progress : callable, optional
        Called with the name of a step and the share done; what it raises stops the work.
    need_buildings : bool
        Whether a folder without an inventory is at fault. A plan needs one, the boundaries do not: without it,
        ``sites`` has no row.

    Raises
    ------
    InputError
        Something is wrong with the folder; carries every fault found.
    """
    settings = settings or Settings()
    clock = Clock(progress)
    root = Path(path or settings.data_dir)
    with clock("read"):
        folder = _read(root, settings, need_buildings=need_buildings)
    crs = folder.metric_crs or folder.communes.estimate_utm_crs()
    with clock("network"):
        network = None if folder.network_path is None else _network(folder.network_path, root, settings)
    points = None if folder.population_points is None else folder.population_points.to_crs(crs)
    communes = folder.communes.to_crs(crs)
    with clock("merge"):
        merge = merge_communes(
            communes,
            folder.clauses,
            folder.units.to_crs(crs),
            lines=None if folder.lines is None else folder.lines.to_crs(crs),
            homes=None if network is None else find_homes(network, crs=crs),
            points=points,
        )
    return City(
        name=folder.name,
        crs=crs,
        communes=communes,
        districts=merge.districts,
        units=merge.units,
        pieces=merge.pieces,
        audit=merge.audit,
        sites=_placed(folder, merge.units),
        population_points=points,
        network=network,
        notes=folder.notes,
        modelled=(*folder.modelled, "network") if network is not None and network.modelled else folder.modelled,
        digest=_digest(folder.file_digests),
        seconds=clock.seconds,
    )


def check_city(path: str | Path | None = None, *, settings: Settings | None = None) -> list[Fault]:
    """Return everything that is wrong with a data folder, the road network included; empty if nothing is.

    Parameters
    ----------
    path : path-like, optional
        The folder; the embedded data if left out.
    settings : Settings, optional
    """
    settings = settings or Settings()
    root = Path(path or settings.data_dir)
    faults = [*check_folder(root, settings=settings), *_network_faults(root, settings)]
    if any(fault.severity == "error" for fault in faults):
        return faults
    try:
        load_city(root, settings=settings)
    except InputError as error:
        faults += error.faults
    return faults


def _read(root: Path, settings: Settings, *, need_buildings: bool) -> Folder:
    """Read a folder; where something is wrong with it, tell what is wrong with its roads as well."""
    try:
        return read_folder(root, settings=settings, need_buildings=need_buildings)
    except InputError as error:
        raise InputError([*error.faults, *_network_faults(root, settings)]) from error


def _placed(folder: Folder, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    file = next((name for name in folder.file_digests if name.startswith("buildings/")), None)
    sites, faults = place_sites(folder.inventory.to_crs(units.crs), units, rows=folder.inventory_rows, file=file)
    if faults:
        raise InputError(faults)
    return sites


def _digest(file_digests: Mapping[str, str]) -> str:
    return digest_of_text(_READER_VERSION, *(f"{name}:{digest}" for name, digest in sorted(file_digests.items())))


def _network(path: Path, root: Path, settings: Settings) -> RoadNetwork:
    try:
        digest = file_digest(path)
    except OSError:
        return _read_network(path, root)  # which says why it cannot be read
    network = cached(
        settings.cache_dir,
        f"network-{_READER_VERSION}-{digest[:16]}",
        make=lambda: _read_network(path, root),
        pack=_pack_network,
        unpack=_unpack_network,
    )
    return replace(network, digest=digest)


def _read_network(path: Path, root: Path) -> RoadNetwork:
    try:
        return read_network(path)
    except InputError as error:
        name = path.relative_to(root).as_posix()
        raise InputError([replace(fault, file=name) for fault in error.faults]) from error


def _network_faults(root: Path, settings: Settings) -> list[Fault]:
    """Return what is wrong with the road networks of a folder; one that was read before is not read again."""
    faults: list[Fault] = []
    for path in sorted(path for path in root.glob("network/*") if path.name.lower().endswith(SUFFIXES)):
        try:
            _network(path, root, settings)
        except InputError as error:
            faults += error.faults
    return faults


def _pack_network(network: RoadNetwork) -> Arrays:
    return {name: np.asarray(value) for name, value in asdict(network).items()}


def _unpack_network(arrays: Arrays) -> RoadNetwork:
    scalars = {"modelled": bool(arrays["modelled"]), "digest": str(arrays["digest"])}
    columns: dict[str, Any] = {**arrays, **scalars}
    return RoadNetwork(**columns)
