"""Modelled boundaries of Hanoi: 526 old communes, 30 districts and 126 units that nest in one another.

No surveyed line is used. What goes in are points, bounding boxes, official areas, the clauses of the resolution,
area shares and the rough courses of the rivers; what comes out is one coverage of pieces (old commune x new unit), of
which communes, districts and units are dissolves. Every row is labelled ``modelled``.
"""

from __future__ import annotations

import json
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.schemas import MODELLED, WGS84

#: Decimals of the coordinates in degrees: 0.1 m.
DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBoundaries:
    """The modelled boundaries, in EPSG:4326, and the clauses that tie communes to units.

    Attributes
    ----------
    communes, districts, units : geopandas.GeoDataFrame
        Columns as in the files (see ``data/boundaries/README.md``); one row per id, ascending.
    clauses : pandas.DataFrame
        One row per old commune named in a clause, in the order of the resolution; ``area_share`` is missing where
        the share is too small to be known.
    """

    communes: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    clauses: pd.DataFrame


def write_boundaries(boundaries: DemoBoundaries, out: Path) -> None:
    """Write ``communes``, ``districts`` and ``units`` as GeoJSON and ``clauses.csv`` into the folder `out`.

    GeoJSON follows RFC 7946, one feature a line; the same boundaries give the same bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in ("communes", "districts", "units"):
        _write_text(out / f"{name}.geojson", _geojson(getattr(boundaries, name)))
    _write_text(out / "clauses.csv", boundaries.clauses.to_csv(index=False, lineterminator="\n"))


def assemble(pieces: gpd.GeoDataFrame, *, tables: dict[str, pd.DataFrame]) -> DemoBoundaries:
    """Dissolve `pieces` (columns commune_id, unit_id; any CRS) into communes, districts and units.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        One valid coverage.
    tables : dict of str to pandas.DataFrame
        The attributes of ``communes``, ``units`` and the ``clauses``, as in the files.
    """
    fine = pieces.to_crs(WGS84)
    fine["geometry"] = shapely.transform(fine.geometry.to_numpy(), lambda xy: np.round(xy, DECIMALS))
    fine = fine.merge(tables["communes"][["commune_id", "district_id"]], on="commune_id", validate="many_to_one")
    districts = tables["communes"][["district_id", "district_name"]].drop_duplicates("district_id")
    districts = districts.rename(columns={"district_name": "name"}).assign(data_source=MODELLED)
    return DemoBoundaries(
        communes=_dissolve(fine, tables["communes"], key="commune_id"),
        districts=_dissolve(fine, districts, key="district_id"),
        units=_dissolve(fine, tables["units"], key="unit_id"),
        clauses=tables["clauses"],
    )


def _dissolve(pieces: gpd.GeoDataFrame, table: pd.DataFrame, *, key: str) -> gpd.GeoDataFrame:
    shapes = pieces[[key, "geometry"]].dissolve(key, method="coverage").geometry
    shapes = gpd.GeoSeries(shapely.orient_polygons(shapes.to_numpy()), index=shapes.index, crs=WGS84)
    rows = table.sort_values(key, ignore_index=True)
    return gpd.GeoDataFrame(rows, geometry=shapes.loc[rows[key]].to_numpy(), crs=WGS84)


def read_tables(facts: Path) -> dict[str, pd.DataFrame]:
    """Return the attributes of communes and units and the clauses, with the columns of the files, names in NFC."""
    old = _read(facts / "communes_2024.csv")
    communes = pd.DataFrame(
        {
            "commune_id": old["code"],
            "name": old["name"].map(_capitalise),
            "kind": old["type"],
            "district_id": old["district_code"],
            "district_name": old["district"],
            "area_km2": old["area_km2_official"].astype(float),
            "data_source": MODELLED,
        }
    )
    new = _read(facts / "units_2025.csv")
    numbers = new[["area_km2", "population", "lon", "lat"]].astype(float)
    units = pd.concat([new[["code", "name", "type"]], numbers], axis=1)
    units = units.rename(columns={"code": "unit_id", "type": "kind"}).assign(data_source=MODELLED)
    return {"communes": communes, "units": units, "clauses": _read_clauses(facts)}


def _read_clauses(facts: Path) -> pd.DataFrame:
    shares = _read(facts / "crosswalk_area_shares.csv")[["old_code", "new_code", "area_share"]]
    rows = _read(facts / "clauses_1656.csv").merge(shares, on=["old_code", "new_code"], how="left", validate="1:1")
    rows = rows.rename(
        columns={
            "new_code": "unit_id",
            "new_name": "unit_name",
            "old_code": "commune_id",
            "old_name": "commune_name",
        }
    )
    columns = ["clause", "unit_id", "unit_name", "commune_id", "commune_name", "relation", "area_share"]
    return rows[columns].astype({"clause": int, "area_share": float})


def _read(path: Path) -> pd.DataFrame:
    """Return a table of strings in NFC."""
    table = pd.read_csv(path, dtype=str)
    return table.apply(lambda column: column.map(_to_nfc, na_action="ignore"))


def _to_nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _capitalise(name: str) -> str:
    """Return the name with every word in a capital; the source writes ``Xã Đại áng``."""
    return " ".join(word[:1].upper() + word[1:] for word in name.split())


def _geojson(frame: gpd.GeoDataFrame) -> str:
    attributes = frame.drop(columns="geometry")
    records = attributes.astype(object).where(attributes.notna(), None).to_dict("records")
    geometries = shapely.to_geojson(frame.geometry.to_numpy())
    features = [_feature(record, geometry) for record, geometry in zip(records, geometries, strict=True)]
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"


def _feature(record: dict[str, Any], geometry: str) -> str:
    feature = {"type": "Feature", "properties": record, "geometry": json.loads(geometry)}
    return json.dumps(feature, ensure_ascii=False, separators=(",", ":"))


def _write_text(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(aside, path)
