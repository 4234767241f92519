"""Modelled boundaries of Hanoi: 526 old communes, 30 districts and 126 units that nest in one another.

No surveyed line is used. What goes in are points, bounding boxes, official areas, the clauses of the resolution,
area shares and the rough courses of the rivers; what comes out is one coverage of pieces (old commune x new unit), of
which communes, districts and units are dissolves. Every row is labelled ``modelled``.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.demo.arcs import trace_coverage
from geo.demo.contest import draw_communes
from geo.demo.partition import divide_communes, tabulate_parts
from geo.demo.rivers import read_rivers
from geo.demo.shapes import mark_points, measure_boxes, place_windows, price_cells
from geo.demo.targets import find_false_boxes, fit_areas
from geo.demo.tidy import tidy_pieces
from geo.demo.windows import Raster, Windows
from geo.schemas import MODELLED, WGS84

#: CRS of the model: UTM 48N.
METRIC_CRS = "EPSG:32648"
#: Width of its cells.
CELL_M = 50.0
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


def build_boundaries(facts: Path, *, cell_m: float = CELL_M) -> DemoBoundaries:
    """Model the boundaries of communes, districts and units.

    Parameters
    ----------
    facts : pathlib.Path
        Folder with ``communes_2024.csv``, ``units_2025.csv``, ``clauses_1656.csv``, ``crosswalk_area_shares.csv`` and
        ``rivers.csv``.
    cell_m : float
        Width of the cells of the model in metres.

    Returns
    -------
    DemoBoundaries
        One valid coverage: the same facts give the same boundaries.
    """
    tables = read_tables(facts)
    communes, units, pieces = _prepare(facts, tables)
    raster = _frame(communes, cell_m)
    windows = place_windows(communes, raster)
    costs = price_cells(communes, raster, windows, read_rivers(facts / "rivers.csv", crs=METRIC_CRS, min_width_m=60))
    parts = tabulate_parts(pieces, communes, units, cell_m=cell_m)
    boxed = ~communes["false_box"].to_numpy()
    drawn = draw_communes(Windows(raster, windows), costs, parts.commune_cells, boxed=boxed)
    divided = divide_communes(drawn, parts)
    labels = tidy_pieces(divided.labels, divided.windows, parts, fixed=mark_points(communes, raster))
    shapes = trace_coverage(labels, crs=METRIC_CRS, origin=(raster.west_m, raster.south_m), cell_m=cell_m)
    ids = pieces.loc[shapes.index, ["commune_id", "unit_id"]]
    return assemble(gpd.GeoDataFrame(ids, geometry=shapes), tables=tables)


def _prepare(facts: Path, tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return communes with their boxes, units and pieces, by position, in metres, their areas in agreement."""
    units = tables["units"].sort_values("unit_id", ignore_index=True)
    transformer = pyproj.Transformer.from_crs(WGS84, METRIC_CRS, always_xy=True)
    units["x_m"], units["y_m"] = transformer.transform(units["lon"].to_numpy(), units["lat"].to_numpy())
    communes = _read_boxes(facts, tables["communes"])
    pieces = tables["clauses"].drop_duplicates(["commune_id", "unit_id"]).reset_index(drop=True)
    pieces["commune"] = pd.Index(communes["commune_id"]).get_indexer(pieces["commune_id"])
    pieces["unit"] = pd.Index(units["unit_id"]).get_indexer(pieces["unit_id"])
    pieces["area_km2"] = fit_areas(communes, units, pieces)
    communes["area_km2"] = pieces.groupby("commune")["area_km2"].sum()
    # a point that belongs to another commune says nothing: the unit's own point stands in
    alone = pieces.drop_duplicates("commune").set_index("commune")["unit"]
    copies = communes.index[communes["false_box"] & communes.duplicated(["x_m", "y_m"], keep=False)]
    communes.loc[copies, ["x_m", "y_m"]] = units.loc[alone[copies], ["x_m", "y_m"]].to_numpy()
    return communes, units, pieces


def _read_boxes(facts: Path, communes: pd.DataFrame) -> pd.DataFrame:
    numbers = ["lon", "lat", "west", "south", "east", "north"]
    boxes = _read(facts / "communes_2024.csv").set_index("code")[numbers].astype(float)
    table = communes.merge(boxes, left_on="commune_id", right_index=True, validate="1:1")
    table = table.sort_values("commune_id", ignore_index=True)
    table = table.join(measure_boxes(table, crs=METRIC_CRS))
    table["false_box"] = find_false_boxes(table)
    return table


def _frame(communes: pd.DataFrame, cell_m: float) -> Raster:
    """Return a raster that reaches a kilometre beyond all boxes, its corner on whole kilometres."""
    west, south = (np.floor(communes[side].min() / 1000) * 1000 - 1000 for side in ("west_m", "south_m"))
    east, north = (np.ceil(communes[side].max() / 1000) * 1000 + 1000 for side in ("east_m", "north_m"))
    return Raster(
        west_m=float(west),
        south_m=float(south),
        cell_m=cell_m,
        rows=int((north - south) / cell_m),
        columns=int((east - west) / cell_m),
    )


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
    numbers = new[["area_km2", "population", "lon", "lat"]].astype(float).astype({"population": int})
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
    """Return the name with a capital after its kind; the source writes ``Xã Đại áng``."""
    return " ".join(word if word == "trấn" else word[:1].upper() + word[1:] for word in name.split())


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
    aside.replace(path)
