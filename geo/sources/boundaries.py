"""Read the folder's boundaries: old communes, facts and polygons of the new units, clauses of the resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.schemas import WGS84
from geo.sources.cells import read_columns
from geo.sources.columns import CLAUSES, COMMUNES, DISTRICTS, UNITS, Column
from geo.sources.files import FolderFiles
from geo.sources.places import Layer
from geo.sources.tables import TABLE_SUFFIXES, RawTable, read_table
from geo.sources.vectors import VECTOR_SUFFIXES, read_vector

FOLDER = "boundaries"
OFFICIAL = "official"


@dataclass(slots=True, kw_only=True)
class Part:
    """A file of the folder with its typed columns; `layer` where it has places."""

    raw: RawTable
    frame: pd.DataFrame
    layer: Layer | None = None

    def row_of(self, column: str) -> dict[str, int]:
        """Return the row in the file of every id in `column`."""
        return dict(zip(self.frame[column], self.raw.rows, strict=True))

    def ids(self, column: str) -> set[str]:
        """Return the ids in `column`."""
        return {value for value in self.frame[column] if isinstance(value, str)}


def read_part(
    files: FolderFiles, path: Path | None, columns: tuple[Column, ...], *, attributes_only: bool = False
) -> Part | None:
    """Read one file, table or vector, with typed columns; None where there is none or it cannot be read."""
    if path is None:
        return None
    is_table = path.suffix.lower() in TABLE_SUFFIXES
    raw = read_table(files, path, columns) if is_table else read_vector(files, path, attributes_only=attributes_only)
    return None if raw is None else Part(raw=raw, frame=read_columns(raw, columns, files.log))


def find_part(files: FolderFiles, stem: str, *, suffixes: tuple[str, ...], needed: bool = False) -> Path | None:
    """Return the file of ``boundaries/`` that holds a part; note where a needed one is missing."""
    paths = files.candidates(FOLDER, suffixes=suffixes, stem=stem)
    if not paths and needed and not _note_strays(files, stem, suffixes):
        expected = ", ".join(f"{FOLDER}/{stem}{suffix}" for suffix in suffixes)
        files.log.add("part_missing", file=f"{FOLDER}/{stem}", expected=expected)
    return files.one_of(paths, part=f"{FOLDER}/{stem}")


def _note_strays(files: FolderFiles, stem: str, allowed: tuple[str, ...]) -> bool:
    """Note a file that bears the name of a part in a format that is not read; say whether there is one."""
    known = (*VECTOR_SUFFIXES, *TABLE_SUFFIXES)
    named = files.candidates(FOLDER, suffixes=("",), stem=stem)
    strays = [] if any(path.name.lower().endswith(known) for path in named) else named
    for path in strays[:1]:
        files.log.add("format_unsupported", file=files.name(path), value=path.suffix, allowed=", ".join(allowed))
    return bool(strays)


def read_communes(files: FolderFiles) -> Part | None:
    """Read ``boundaries/communes.*``, polygons of the old communes; where they lie is told later."""
    return read_part(files, find_part(files, "communes", suffixes=VECTOR_SUFFIXES, needed=True), COMMUNES)


def read_districts(files: FolderFiles) -> Part | None:
    """Read ``boundaries/districts.*``: only the names are used."""
    path = find_part(files, "districts", suffixes=(*VECTOR_SUFFIXES, *TABLE_SUFFIXES))
    return read_part(files, path, DISTRICTS, attributes_only=True)


def read_units(files: FolderFiles) -> tuple[Part | None, Part | None]:
    """Read the official polygons of the units and the table of their attributes, both optional.

    Where the polygons lie is told later.
    """
    polygons = read_part(files, find_part(files, "units", suffixes=VECTOR_SUFFIXES), UNITS)
    table = read_part(files, find_part(files, "units", suffixes=TABLE_SUFFIXES), UNITS)
    _note_strays(files, "units", (*VECTOR_SUFFIXES, *TABLE_SUFFIXES))
    return polygons, table


def read_clauses(files: FolderFiles) -> Part | None:
    """Read ``boundaries/clauses.csv``: which old commune went to which unit."""
    return read_part(files, find_part(files, "clauses", suffixes=TABLE_SUFFIXES, needed=True), CLAUSES)


def communes_table(communes: Part, districts: Part | None) -> gpd.GeoDataFrame:
    """Return the table :class:`~geo.schemas.Communes` in EPSG:4326, sorted by id."""
    frame = communes.frame.drop(columns="district_name")
    names = communes.frame["district_name"]
    if districts is not None:
        listed = districts.frame.set_index("district_id")["name"]
        names = frame["district_id"].map(listed).fillna(names)
    frame["district_name"] = names
    frame["data_source"] = frame["data_source"].fillna(OFFICIAL)
    assert communes.layer is not None
    return geo_table(frame, "commune_id", communes.layer.geometry)


def geo_table(frame: pd.DataFrame, index: str, geometry: np.ndarray) -> gpd.GeoDataFrame:
    """Return `frame` with `geometry` (EPSG:4326), indexed by id and sorted by it."""
    table = gpd.GeoDataFrame(text_columns(frame), geometry=gpd.GeoSeries(geometry, crs=WGS84))
    table.attrs = {}
    return table.set_index(index).sort_index()


def text_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its object columns as pandas strings, missing ones NaN."""
    return frame.astype({name: "str" for name in frame.columns if frame[name].dtype == object})


def clauses_table(clauses: Part, *, unit_names: pd.Series, commune_names: pd.Series) -> pd.DataFrame:
    """Return the table :class:`~geo.schemas.Clauses`, sorted by clause, then unit and commune.

    Names the file leaves out are taken from the other files, at last the id itself.
    """
    frame = clauses.frame.sort_values(["clause", "unit_id", "commune_id"]).reset_index(drop=True)
    frame["clause"] = frame["clause"].astype("int64")
    for name, key, names in (
        ("unit_name", "unit_id", unit_names),
        ("commune_name", "commune_id", commune_names),
    ):
        frame[name] = frame[name].fillna(frame[key].map(names)).fillna(frame[key])
    frame.attrs = {}
    return text_columns(frame)


def units_table(clauses: Part, polygons: Part | None, table: Part | None) -> gpd.GeoDataFrame:
    """Return the table :class:`~geo.schemas.UnitFacts` of every unit of the clauses, in EPSG:4326, sorted by id.

    Figures of ``units.csv`` come before those beside the polygons; the name at last comes from the clauses.
    """
    named = clauses.frame.drop_duplicates("unit_id").set_index("unit_id")["unit_name"]
    facts = pd.DataFrame({column.name: pd.Series(dtype=object) for column in UNITS}).set_index("unit_id")
    for part in (table, polygons):
        if part is not None:
            facts = facts.combine_first(part.frame.set_index("unit_id").astype(object))
    facts = facts.reindex(sorted(named.index))
    facts["name"] = facts["name"].fillna(named).fillna(pd.Series(facts.index, index=facts.index))
    facts["data_source"] = facts["data_source"].fillna(OFFICIAL)
    numbers = [column.name for column in UNITS if column.kind == "number"]
    facts = facts.astype(dict.fromkeys(numbers, "float64"))
    return geo_table(facts.reset_index(names="unit_id"), "unit_id", _polygons_of(polygons, list(facts.index)))


def _polygons_of(polygons: Part | None, ids: list[str]) -> np.ndarray:
    drawn: dict[Any, Any] = {}
    if polygons is not None and polygons.layer is not None:
        drawn = dict(zip(polygons.frame["unit_id"], polygons.layer.geometry, strict=True))
    geometry = np.full(len(ids), None, dtype=object)
    geometry[:] = [drawn.get(each) for each in ids]
    return geometry
