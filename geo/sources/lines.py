"""Read the lines that a user drew to divide communes, and the labels that say which side is whose."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.schemas import WGS84, DivisionLines, check
from geo.sources.boundaries import find_part
from geo.sources.cells import read_columns
from geo.sources.columns import Column
from geo.sources.files import FolderFiles
from geo.sources.tables import RawTable
from geo.sources.vectors import VECTOR_SUFFIXES, read_vector

#: Files of ``boundaries/``: both may hold lines and labels, since a shapefile cannot hold two types of geometry.
STEMS = ("division_lines", "division_labels")
COLUMNS = (Column(name="unit_id", aliases=("new_code", "mã đơn vị mới", "mã đơn vị", "mã xã mới"), kind="id"),)
_TYPES = ("LineString", "MultiLineString", "Point", "Polygon", "MultiPolygon")


def read_lines(files: FolderFiles) -> gpd.GeoDataFrame | None:
    """Read the drawn lines and labels of a data folder.

    Returns
    -------
    geopandas.GeoDataFrame or None
        Table :class:`~geo.schemas.DivisionLines` in EPSG:4326; None where the folder has no such file. What is wrong
        with it goes into the log of `files`.
    """
    tables = []
    for stem in STEMS:
        path = find_part(files, stem, suffixes=VECTOR_SUFFIXES)
        raw = None if path is None else read_vector(files, path)
        if raw is not None:
            tables.append(_read(raw, files))
    if not tables:
        return None
    both = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=WGS84)
    lines: gpd.GeoDataFrame = check(DivisionLines, both, crs=WGS84)
    return lines


def _read(raw: RawTable, files: FolderFiles) -> gpd.GeoDataFrame:
    log, shapes = files.log, raw.geometry
    shapes = np.full(len(raw), None, dtype=object) if shapes is None else shapes.copy()
    unit_ids = read_columns(raw, COLUMNS, log)["unit_id"]
    for i, shape in enumerate(shapes):
        if shape is None or shape.is_empty or not np.isfinite(shape.bounds).all():
            log.add("geometry_empty", file=raw.file, row=raw.rows[i], column="geometry")
            shapes[i] = None
        elif shape.geom_type not in _TYPES:
            allowed = ", ".join(_TYPES)
            log.add(
                "geometry_type",
                file=raw.file,
                row=raw.rows[i],
                column="geometry",
                value=shape.geom_type,
                allowed=allowed,
            )
            shapes[i] = None
        elif "Line" not in shape.geom_type and not isinstance(unit_ids[i], str):
            log.add("label_without_unit", file=raw.file, row=raw.rows[i], column="unit_id")
    table = gpd.GeoDataFrame(
        {"unit_id": unit_ids, "file": raw.file, "row": raw.rows}, geometry=shapes, crs=_crs_of(raw, files)
    )
    return table[~shapely.is_missing(shapes)].to_crs(WGS84)


def _crs_of(raw: RawTable, files: FolderFiles) -> pyproj.CRS:
    """Return the declared system, else degrees where the numbers can be degrees; else note that none is declared."""
    if raw.crs is not None:
        return raw.crs
    if raw.placed and raw.geometry is not None:
        far = np.abs(shapely.get_coordinates(raw.geometry)).max(initial=0.0) > 180
        note = files.log.add if far else files.log.warn
        note("crs_undeclared" if far else "crs_assumed", file=raw.file, used=WGS84)
    return pyproj.CRS(WGS84)
