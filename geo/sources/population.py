"""Read where people live: by old commune, or at points."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.sources.boundaries import Part, read_part
from geo.sources.columns import COMMUNE_POPULATION, LAT, LON, POINT_POPULATION, fold
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.places import layer_of_points
from geo.sources.tables import TABLE_SUFFIXES, read_table
from geo.sources.vectors import VECTOR_SUFFIXES

FOLDER = "population"
_BY_COMMUNE = "communes"
#: Headers of ids that need not be those of communes.
_ANY_ID = ("id", "code", "mã")


def read_population(files: FolderFiles) -> tuple[Part | None, Part | None]:
    """Read ``population/``: a table by commune and a file of points, both optional.

    The first is called ``communes``, or has the ids of communes and no coordinates; any other is a file of points.
    """
    paths = files.candidates(FOLDER, suffixes=(*TABLE_SUFFIXES, *VECTOR_SUFFIXES))
    if not paths:
        files.log.warn("part_absent", file=f"{FOLDER}/")
    tables = [path for path in paths if path.name.split(".")[0].lower() == _BY_COMMUNE or _is_by_commune(files, path)]
    by_commune = read_part(files, files.one_of(tables, part=f"{FOLDER}/{_BY_COMMUNE}"), COMMUNE_POPULATION)
    others = [path for path in paths if path not in tables]
    at_points = read_part(files, files.one_of(others, part=FOLDER), POINT_POPULATION)
    if at_points is not None:
        at_points.layer = layer_of_points(at_points.raw, at_points.frame, files.log)
    return by_commune, at_points


def _is_by_commune(files: FolderFiles, path: Path) -> bool:
    """Say whether a table has a column that can only hold ids of communes, and no coordinates."""
    if path.suffix.lower() not in TABLE_SUFFIXES:
        return False
    peek = FolderFiles(files.root, settings=files.settings, log=FaultLog())  # what is wrong is told when it is read
    raw = read_table(peek, path, COMMUNE_POPULATION)
    if raw is None:
        return False
    headers = {fold(header) for header in raw.headers}
    names = {fold(name) for name in COMMUNE_POPULATION[0].headers} - {fold(name) for name in _ANY_ID}
    return bool(headers & names) and not headers & {fold(name) for name in (*LON.headers, *LAT.headers)}


def note_unpeopled(communes: Part, by_commune: Part | None, log: FaultLog) -> None:
    """Note the communes that the table leaves out, and those for which no file knows the population."""
    known = set(communes.frame.loc[communes.frame["population"].notna(), "commune_id"])
    if by_commune is not None:
        left_out = sorted(communes.ids("commune_id") - by_commune.ids("commune_id"))
        known |= by_commune.ids("commune_id")
        if left_out:
            log.warn("population_partial", file=by_commune.raw.file, value=", ".join(left_out), n=len(left_out))
    unknown = sorted(communes.ids("commune_id") - known)
    if unknown:
        log.warn("population_missing", file=communes.raw.file, column="population", value=", ".join(unknown))


def with_population(communes: gpd.GeoDataFrame, by_commune: Part | None) -> gpd.GeoDataFrame:
    """Return the communes with the people of the table, now and earlier, where it names them."""
    if by_commune is None:
        return communes
    counts = ["population", "population_earlier"]
    listed = by_commune.frame.set_index("commune_id")[counts].reindex(communes.index).fillna(communes[counts])
    table: gpd.GeoDataFrame = communes.assign(
        population=listed["population"], population_earlier=listed["population_earlier"]
    )
    return table


def points_table(at_points: Part) -> gpd.GeoDataFrame:
    """Return people at points: ``population`` and geometry in EPSG:4326, sorted by place."""
    assert at_points.layer is not None
    geometry = gpd.GeoSeries(at_points.layer.geometry, crs="EPSG:4326")
    order = np.lexsort((at_points.frame["population"], geometry.y, geometry.x))
    population = pd.DataFrame({"population": at_points.frame["population"]})
    return gpd.GeoDataFrame(population, geometry=geometry).iloc[order].reset_index(drop=True)
