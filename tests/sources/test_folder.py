"""A valid folder gives checked tables, whatever the format, the headers and the order of the rows."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo import load_city
from geo.errors import InputError
from geo.settings import Settings
from geo.sources.folder import Folder, read_folder
from geo.sources.statistics import read_statistic
from tests.toy import (
    CLAUSES,
    INVENTORY,
    commune_features,
    edit_features,
    faults_in,
    replace_in,
    told,
    toy_folder,
    unit_features,
    write_features,
    write_shapefile,
    write_text,
)


def read(path: Path) -> Folder:
    return read_folder(path, settings=Settings())


def communes_of(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder / "boundaries" / "communes.geojson")


def test_the_toy_folder_is_read_without_errors(folder: Path) -> None:
    toy = read(folder)
    assert toy.name == "Toy"
    assert toy.metric_crs is not None
    assert toy.metric_crs.to_epsg() == 32648
    assert list(toy.communes.index) == ["00001", "00002", "00003", "00004"]
    assert list(toy.units.index) == ["00010", "00020"]
    assert list(toy.inventory.index) == ["S1", "S2", "S3", "S4"]
    assert toy.communes.crs.to_epsg() == toy.units.crs.to_epsg() == toy.inventory.crs.to_epsg() == 4326
    assert toy.inventory.loc["S3", "geometry"].coords[0] == (105.815, 21.007)
    assert list(toy.clauses["relation"]) == ["whole", "part", "remainder", "whole", "whole"]
    assert toy.population_points is None
    assert toy.network_path is None
    assert toy.modelled == ()


def test_missing_optional_parts_are_notes(folder: Path) -> None:
    assert [(note.key, note.severity, note.file) for note in read(folder).notes] == [
        ("part_absent", "warning", "population/"),
        ("part_absent", "warning", "network/"),
    ]


def test_every_file_used_has_its_digest(folder: Path) -> None:
    (folder / "network").mkdir()
    (folder / "network" / "roads.osm.pbf").write_bytes(b"not parsed at the door")
    write_text(folder / "boundaries" / "README.md", "not data")
    toy = read(folder)
    assert toy.network_path == folder / "network" / "roads.osm.pbf"
    assert list(toy.file_digests) == [
        "boundaries/clauses.csv",
        "boundaries/communes.geojson",
        "boundaries/units.geojson",
        "buildings/inventory.csv",
        "city.toml",
        "network/roads.osm.pbf",
    ]
    for name, digest in toy.file_digests.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_without_city_toml_the_folder_gives_the_name(folder: Path) -> None:
    (folder / "city.toml").unlink()
    toy = read(folder)
    assert (toy.name, toy.metric_crs) == ("toy", None)


def test_rows_of_the_inventory_are_kept_for_later_faults(folder: Path) -> None:
    assert read(folder).inventory_rows.to_dict() == {"S1": 2, "S2": 3, "S3": 4, "S4": 5}


def test_empty_cells_are_missing_values_and_defaults_are_filled(folder: Path) -> None:
    inventory = read(folder).inventory
    assert pd.isna(inventory.loc["S4", "floor_area_m2"])
    assert pd.isna(inventory.loc["S4", "condition"])
    assert pd.isna(inventory.loc["S2", "address"])
    assert set(inventory["data_source"]) == {"inventory"}
    replace_in(folder / "buildings" / "inventory.csv", ",kind,", ",whatever,")
    assert set(read(folder).inventory["kind"]) == {"other"}


@given(seed=st.integers(0, 10_000))
def test_any_order_of_rows_gives_the_same_tables(seed: int) -> None:
    shuffle = random.Random(seed).shuffle

    def shuffled(text: str) -> str:
        head, *rows = text.splitlines()
        shuffle(rows)
        return "\n".join([head, *rows]) + "\n"

    with tempfile.TemporaryDirectory() as place:
        first = toy_folder(Path(place) / "first")
        second = toy_folder(Path(place) / "second")
        write_text(second / "boundaries" / "clauses.csv", shuffled(CLAUSES))
        write_text(second / "buildings" / "inventory.csv", shuffled(INVENTORY))
        for name in ("communes", "units"):
            edit_features(second / "boundaries" / f"{name}.geojson", shuffle)
        one, other = read(first), read(second)
    assert_frame_equal(one.clauses, other.clauses)
    for name in ("communes", "units", "inventory"):
        assert_frame_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("format_", ["geojson", "gpkg", "shp", "zip"])
@pytest.mark.parametrize("epsg", [5897, *(pytest.param(code, marks=pytest.mark.slow) for code in (4326, 32648))])
def test_any_format_and_any_declared_crs_give_the_same_communes(folder: Path, format_: str, epsg: int) -> None:
    expected = read(folder).communes
    source = communes_of(folder).to_crs(epsg)
    boundaries = folder / "boundaries"
    (boundaries / "communes.geojson").unlink()
    if format_ == "zip":
        write_shapefile(folder / "any.shp", source)
        with zipfile.ZipFile(boundaries / "communes.zip", "w") as archive:
            for part in folder.glob("any.*"):
                archive.write(part, f"somewhere/{part.name}")
    elif format_ == "geojson":
        document = json.loads(source.to_json(drop_id=True))
        crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
        write_features(boundaries / "communes.geojson", document["features"], crs=crs)
    elif format_ == "shp":
        write_shapefile(boundaries / "communes.shp", source)
    else:
        source.to_file(boundaries / "communes.gpkg")
    communes = read(folder).communes
    assert_frame_equal(communes.drop(columns="geometry"), expected.drop(columns="geometry"))
    assert communes.normalize().geom_equals_exact(expected.normalize(), 1e-6).all()


def test_an_inventory_may_be_a_geopackage_of_points(folder: Path) -> None:
    expected = read(folder).inventory
    source = expected.to_crs(5897).reset_index()
    source.to_file(folder / "buildings" / "inventory.gpkg")
    (folder / "buildings" / "inventory.csv").unlink()
    inventory = read(folder).inventory
    assert_frame_equal(inventory.drop(columns="geometry"), expected.drop(columns="geometry"))
    assert inventory.geometry.geom_equals_exact(expected.geometry, 1e-6).all()


VIETNAMESE = {
    "site_id": "Mã trụ sở", "name": "Tên trụ sở", "kind": "Loại", "address": "Địa chỉ", "commune_id": "Mã xã",
    "district_id": "Mã quận, huyện", "lon": "KINH ĐỘ", "lat": " Vĩ  độ", "floor_area_m2": "Diện tích sàn (m²)",
    "condition": "Tình trạng", "year_built": "Năm xây dựng",
}  # fmt: skip
WORDS = {"good": "Tốt", "fair": "Trung bình", "poor": "kém", "commune_office": "Trụ sở xã", "other": "khác",
         "district_office": "Trụ sở huyện"}  # fmt: skip


def vietnamese_rows() -> list[list[str]]:
    head, *rows = [line.split(",") for line in INVENTORY.splitlines()]
    return [[VIETNAMESE[name] for name in head], *[[WORDS.get(cell, cell) for cell in row] for row in rows]]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_headers_and_words_of_officials_are_understood(folder: Path, form: str, delimiter: str) -> None:
    expected = read(folder).inventory
    head, *rows = vietnamese_rows()
    rows = [[f'"{cell}"' if "," in cell else cell for cell in row] for row in rows]
    head = [f'"{unicodedata.normalize(form, name)}"' for name in head]
    text = "\r\n".join(delimiter.join(row) for row in [head, *rows])
    write_text(folder / "buildings" / "inventory.csv", "\ufeff" + text)
    assert_frame_equal(read(folder).inventory, expected)


def test_a_semicolon_file_may_use_decimal_commas(folder: Path) -> None:
    expected = read(folder).inventory
    rows = [line.replace(".", "\0").replace(",", ";").replace("\0", ",") for line in INVENTORY.splitlines()]
    write_text(folder / "buildings" / "inventory.csv", "\n".join(rows))
    assert_frame_equal(read(folder).inventory, expected)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("commune_id;rate\n00001;0,2\n00002;0,3\n", id="as many decimal commas as semicolons"),
        pytest.param("rate;more;commune_id\n0,2;0,1;00001\n0,3;0,1;00002\n", id="no fewer of them in a wide row"),
        pytest.param('commune_id,rate,note\n00001,0.2,"a; b; c; d; e"\n00002,0.3,"f; g; h; i; k"\n', id="in quotes"),
        pytest.param("Bảng 1, năm 2019, xã, phường\ncommune_id;rate\n00001;0,2\n00002;0,3\n", id="in a title"),
    ],
)
def test_what_parts_the_columns_is_what_every_line_has(tmp_path: Path, text: str) -> None:
    path = write_text(tmp_path / "table.csv", text)
    read = read_statistic(path, commune_ids=["00001", "00002"], settings=Settings(), average=["rate"])
    assert read.figures["rate"].tolist() == [0.2, 0.3]


def test_a_workbook_with_a_title_above_the_header_is_read(folder: Path) -> None:
    expected = read(folder).inventory
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Danh mục trụ sở"])
    sheet.append([])
    head, *rows = vietnamese_rows()
    sheet.append(head)
    for row in rows:
        cells = [None if cell == "" else float(cell) if i in (6, 7, 8, 10) else cell for i, cell in enumerate(row)]
        sheet.append(cells)
    (folder / "buildings" / "inventory.csv").unlink()
    book.save(folder / "buildings" / "Danh mục.xlsx")
    toy = read(folder)
    assert_frame_equal(toy.inventory, expected)
    assert toy.inventory_rows.to_dict() == {"S1": 4, "S2": 5, "S3": 6, "S4": 7}


def test_ids_that_a_spreadsheet_robbed_of_their_zeros_are_padded_with_a_warning(folder: Path) -> None:
    expected = read(folder).inventory
    replace_in(folder / "buildings" / "inventory.csv", ",00001,001,", ",1,1.0,")
    toy = read(folder)
    assert_frame_equal(toy.inventory, expected)
    padded = [(n.row, n.column, n.value, told(n)["used"]) for n in toy.notes if n.key == "id_padded"]
    assert padded == [(2, "commune_id", "1", "00001"), (2, "district_id", "1", "001")]


def test_communes_that_lost_their_zeros_are_padded_after_the_clauses(folder: Path) -> None:
    expected = read(folder).communes

    def rob(features: list[dict]) -> None:
        for feature in features:
            feature["properties"]["commune_id"] = int(feature["properties"]["commune_id"])

    edit_features(folder / "boundaries" / "communes.geojson", rob)
    assert_frame_equal(read(folder).communes, expected)


def test_units_without_polygons_come_from_a_table(folder: Path) -> None:
    (folder / "boundaries" / "units.geojson").unlink()
    text = "code,name,type,area_km2,population,lat,lon,biên chế\n00010,Phường Tây,ward,1.7,2000,21.015,105.805,40\n"
    write_text(folder / "boundaries" / "units.csv", text)
    toy = read(folder)
    assert list(toy.units["staff"])[:1] == [40.0]
    assert toy.units["geometry"].isna().all()
    assert toy.units.loc["00020", "name"] == "Phường Đông"  # from the clauses
    assert [(n.key, n.value) for n in toy.notes if n.key == "unit_without_facts"] == [("unit_without_facts", "00020")]


def test_units_may_be_known_from_the_clauses_alone(folder: Path) -> None:
    (folder / "boundaries" / "units.geojson").unlink()
    units = read(folder).units
    assert list(units["name"]) == ["Phường Tây", "Phường Đông"]
    assert units["geometry"].isna().all()


def test_a_table_beside_the_polygons_adds_and_overrides_figures(folder: Path) -> None:
    write_text(folder / "boundaries" / "units.csv", "unit_id,population,staff\n00010,777,41\n00020,,42\n")
    units = read(folder).units
    assert list(units["population"]) == [777.0, 5000.0]
    assert list(units["staff"]) == [41.0, 42.0]
    assert units["geometry"].notna().all()


def test_units_may_be_points_or_nothing_where_no_polygon_is_official(folder: Path) -> None:
    def blur(features: list[dict]) -> None:
        features[0]["geometry"] = None
        features[1]["geometry"] = {"type": "Point", "coordinates": [105.82, 21.01]}

    edit_features(folder / "boundaries" / "units.geojson", blur)
    assert read(folder).units["geometry"].isna().all()


def test_districts_give_names_only(folder: Path) -> None:
    write_text(folder / "boundaries" / "districts.csv", "district_id,name\n001,Quận Mới\n")
    names = read(folder).communes["district_name"]
    assert list(names) == ["Quận Mới", "Quận Mới", "Huyện Nhì", "Huyện Nhì"]


def test_the_population_table_overrides_and_scaled_figures_win_over_the_census(folder: Path) -> None:
    rows = "commune_id,population_2019,population,data_source\n00001,1,1500,modelled\n00002,2,2500,official\n"
    write_text(folder / "population" / "communes.csv", rows)
    toy = read(folder)
    assert list(toy.communes["population"]) == [1500.0, 2500.0, 3000.0, 4000.0]
    assert toy.modelled == ("population",)
    assert [(n.value, told(n)["n"]) for n in toy.notes if n.key == "population_partial"] == [("00003, 00004", "2")]


def test_people_of_an_earlier_count_come_with_the_communes_or_the_table_and_change_what_the_audit_expects(
    folder: Path,
) -> None:
    assert read(folder).communes["population_earlier"].isna().all()
    before = expected_people(folder)
    text = "commune_id,population,population_2009\n00001,1000,500\n00002,2000,2000\n00003,3000,\n00004,4000,4000\n"
    write_text(folder / "population" / "communes.csv", text)
    assert read(folder).communes["population_earlier"].tolist() == pytest.approx([500, 2000, np.nan, 4000], nan_ok=True)
    after = expected_people(folder)
    assert after["00010"] < before["00010"], "the unit of the commune that has doubled"
    assert after.sum() == pytest.approx(before.sum(), abs=1)


def expected_people(folder: Path) -> pd.Series:
    audit = load_city(folder).audit.set_index("check").loc["population_error_pct"]
    figures = audit["figures"].map(lambda text: json.loads(text)["expected_people"])
    return pd.Series(figures.to_numpy(float), audit["subject"].to_numpy())


def test_population_may_come_at_points(folder: Path) -> None:
    rows = "lon,lat,population\n105.815,21.005,30\n105.805,21.015,12.5\n"
    write_text(folder / "population" / "cells.csv", rows)
    points = read(folder).population_points
    assert points is not None
    assert list(points["population"]) == [12.5, 30.0]
    assert points.crs.to_epsg() == 4326


def test_modelled_parts_are_named(folder: Path) -> None:
    text = INVENTORY.replace("year_built\n", "year_built,data_source\n").replace("2001\n", "2001,modelled\n")
    text = "".join(line + ("\n" if line.count(",") == 11 else ",\n") for line in text.splitlines())
    write_text(folder / "buildings" / "inventory.csv", text)
    edit_features(
        folder / "boundaries" / "communes.geojson", lambda f: f[0]["properties"].update(data_source="modelled")
    )
    assert read(folder).modelled == ("communes", "buildings"), "the official outlines of the units rule"
    (folder / "boundaries" / "units.geojson").unlink()
    assert read(folder).modelled == ("boundaries", "buildings")


def test_an_outline_that_is_modelled_or_missing_makes_modelled_communes_count(folder: Path) -> None:
    modelled = {"data_source": "modelled"}
    edit_features(folder / "boundaries" / "communes.geojson", lambda f: f[0]["properties"].update(modelled))
    edit_features(folder / "boundaries" / "units.geojson", lambda f: f[1].update(geometry=None))
    assert read(folder).modelled == ("boundaries",)
    edit_features(folder / "boundaries" / "units.geojson", lambda f: f[0]["properties"].update(modelled))
    assert read(folder).modelled == ("boundaries",)


def test_texts_that_look_like_formulas_or_hide_characters_are_kept_with_a_warning(folder: Path) -> None:
    inventory = folder / "buildings" / "inventory.csv"
    replace_in(inventory, "1 Phố Một", "=1+1")
    replace_in(inventory, "3 Phố Ba", "3 Phố\u200b Ba")
    toy = read(folder)
    assert toy.inventory.loc["S1", "address"] == "=1+1"
    found = [(n.key, n.row, n.column) for n in toy.notes if n.key.startswith("text_")]
    assert found == [("text_formula", 2, "address"), ("text_control", 4, "address")]


def test_a_ring_that_touches_itself_is_mended_with_a_warning(folder: Path) -> None:
    """A ring walked through one corner twice.

    ::

        +---+
        |   |
        +---o---+      o is visited twice: one ring, two squares
            |   |
            +---+
    """
    ring = [[105.80, 21.01], [105.805, 21.01], [105.805, 21.005], [105.81, 21.005], [105.81, 21.01], [105.805, 21.01],
            [105.805, 21.02], [105.80, 21.02], [105.80, 21.01]]  # fmt: skip

    def touch(features: list[dict]) -> None:
        features[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}

    edit_features(folder / "boundaries" / "communes.geojson", touch)
    toy = read(folder)
    assert toy.communes.geometry.is_valid.all()
    assert [(n.row, n.value) for n in toy.notes if n.key == "geometry_mended"] == [
        (1, "Ring Self-intersection[105.805 21.01]")
    ]


def test_a_shapefile_without_prj_in_degrees_is_assumed_to_be_wgs84(folder: Path) -> None:
    boundaries = folder / "boundaries"
    write_shapefile(boundaries / "communes.shp", communes_of(folder))
    (boundaries / "communes.geojson").unlink()
    (boundaries / "communes.prj").unlink()
    assert "crs_assumed" in [note.key for note in read(folder).notes]


def test_an_outline_that_is_moved_as_a_whole_gets_a_warning(folder: Path) -> None:
    def move(features: list[dict]) -> None:
        for feature in features:
            ring = feature["geometry"]["coordinates"][0]
            feature["geometry"]["coordinates"] = [[[x + 0.00163, y + 0.00728] for x, y in ring]]

    edit_features(folder / "boundaries" / "units.geojson", move)
    (note,) = [note for note in read(folder).notes if note.key == "crs_shifted"]
    assert note.file == "boundaries/units.geojson"
    assert abs(int(told(note)["dy_m"]) - 806) < 10


def test_a_workbook_with_two_filled_sheets_is_read_with_a_warning(folder: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for line in INVENTORY.splitlines():
        first.append([cell or None for cell in line.split(",")])
    book.create_sheet("Ghi chú").append(["text"])
    (folder / "buildings" / "inventory.csv").unlink()
    book.save(folder / "buildings" / "inventory.xlsx")
    assert [(f.key, f.value) for f in faults_in(folder) if f.key == "sheet_ignored"] == [("sheet_ignored", "Ghi chú")]


def test_reading_raises_all_errors_of_the_whole_folder_at_once(folder: Path) -> None:
    replace_in(folder / "buildings" / "inventory.csv", "S2,", "S1,")
    replace_in(folder / "boundaries" / "clauses.csv", "remainder", "rest")
    edit_features(folder / "boundaries" / "communes.geojson", lambda f: f[3]["properties"].pop("name"))
    with pytest.raises(InputError) as caught:
        read(folder)
    assert {(f.key, f.file, f.row) for f in caught.value.faults} == {
        ("id_duplicate", "buildings/inventory.csv", 3),
        ("unknown_value", "boundaries/clauses.csv", 4),
        ("value_missing", "boundaries/communes.geojson", 4),
    }
    assert "boundaries/clauses.csv, row 4, column relation, value “rest”" in str(caught.value)


def test_the_tables_of_units_and_communes_match_what_was_drawn(folder: Path) -> None:
    toy = read(folder)
    for table, features in ((toy.communes, commune_features()), (toy.units, unit_features())):
        drawn = gpd.GeoDataFrame.from_features(features, crs=4326)
        assert table.geometry.reset_index(drop=True).geom_equals(drawn.geometry).all()
