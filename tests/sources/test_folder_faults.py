"""Each thing that can be wrong with the content of a folder is an error that names file, row, column and value."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from geo.errors import Fault
from geo.sources.faultlog import SHOWN_PER_KIND
from tests.toy import (
    INVENTORY,
    edit_features,
    errors_in,
    faults_in,
    polygon,
    replace_in,
    told,
    unit_features,
    write_features,
    write_shapefile,
    write_text,
)

COMMUNES = "boundaries/communes.geojson"
UNITS = "boundaries/units.geojson"
CLAUSES = "boundaries/clauses.csv"
INVENTORY_CSV = "buildings/inventory.csv"


def places(faults: list[Fault]) -> list[tuple[str, str | None, int | None, str | None, str | None]]:
    return [(fault.key, fault.file, fault.row, fault.column, fault.value) for fault in faults]


def change(folder: Path, name: str, edit: Callable[[list[dict[str, Any]]], None], **members: Any) -> None:
    edit_features(folder / name, edit, **members)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (INVENTORY_CSV, "S3,", "S1,", ("id_duplicate", INVENTORY_CSV, 4, "site_id", "S1")),
        (INVENTORY_CSV, ",lon,", ",easting,", ("column_missing", INVENTORY_CSV, 1, "lon", None)),
        (INVENTORY_CSV, "site_id,", "reference,", ("column_missing", INVENTORY_CSV, 1, "site_id", None)),
        (INVENTORY_CSV, ",address,", ",name,", ("column_twice", INVENTORY_CSV, 1, "name", None)),
        (INVENTORY_CSV, "S2,UBND Xã Cửa", "S2,", ("value_missing", INVENTORY_CSV, 3, "name", None)),
        (INVENTORY_CSV, ",105.825,", ",,", ("value_missing", INVENTORY_CSV, 3, "lon", None)),
        (INVENTORY_CSV, ",600,", ",600 m2,", ("not_a_number", INVENTORY_CSV, 2, "floor_area_m2", "600 m2")),
        (INVENTORY_CSV, ",600,", ",nan,", ("not_a_number", INVENTORY_CSV, 2, "floor_area_m2", "nan")),
        (INVENTORY_CSV, ",600,", ",1e999,", ("not_a_number", INVENTORY_CSV, 2, "floor_area_m2", "1e999")),
        (INVENTORY_CSV, ",600,", ",-600,", ("out_of_range", INVENTORY_CSV, 2, "floor_area_m2", "-600")),
        (INVENTORY_CSV, ",600,", ",0,", ("out_of_range", INVENTORY_CSV, 2, "floor_area_m2", "0")),
        (INVENTORY_CSV, ",2001", ",201", ("out_of_range", INVENTORY_CSV, 2, "year_built", "201")),
        (INVENTORY_CSV, ",2001", ",2001.5", ("not_a_number", INVENTORY_CSV, 2, "year_built", "2001.5")),
        (INVENTORY_CSV, ",good,", ",fine,", ("unknown_value", INVENTORY_CSV, 2, "condition", "fine")),
        (INVENTORY_CSV, ",other,", ",palace,", ("unknown_value", INVENTORY_CSV, 5, "kind", "palace")),
        (INVENTORY_CSV, ",00003,", ",00009,", ("id_unknown", INVENTORY_CSV, 3, "commune_id", "00009")),
        (INVENTORY_CSV, ",00001,001,", ",00001,009,", ("id_unknown", INVENTORY_CSV, 2, "district_id", "009")),
        (INVENTORY_CSV, ",1 Phố Một,", ",1, Phố Một,", ("row_width", INVENTORY_CSV, 2, None, None)),
        (CLAUSES, "00003", "00009", ("id_unknown", CLAUSES, 5, "commune_id", "00009")),
        (CLAUSES, ",whole,", ",all,", ("unknown_value", CLAUSES, 2, "relation", "all")),
        (CLAUSES, "1,00010", "0,00010", ("out_of_range", CLAUSES, 2, "clause", "0")),
        (CLAUSES, ",part,0.5", ",part,1.5", ("out_of_range", CLAUSES, 3, "area_share", "1.5")),
        (CLAUSES, ",part,", ",remainder,", ("remainder_twice", CLAUSES, 4, "relation", "remainder")),
        (CLAUSES, ",remainder,", ",part,", ("remainder_missing", CLAUSES, 4, "relation", "part")),
        (CLAUSES, ",remainder,", ",whole,", ("whole_divided", CLAUSES, 4, "relation", "whole")),
        (CLAUSES, "2,00020,Phường Đông,00002", "2,00010,,00002", ("pair_twice", CLAUSES, 4, "commune_id", "00002")),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_with_its_place(
    folder: Path, name: str, old: str, new: str, expected: tuple[Any, ...]
) -> None:
    replace_in(folder / name, old, new)
    assert expected in places(errors_in(folder))


def test_a_missing_column_says_what_there_is_and_what_is_allowed(folder: Path) -> None:
    replace_in(folder / CLAUSES, "unit_id", "đơn vị")
    (fault,) = errors_in(folder)
    assert (fault.key, fault.column) == ("column_missing", "unit_id")
    assert "đơn vị, unit_name" in told(fault)["found"]
    assert "new_code" in told(fault)["allowed"]


@pytest.mark.parametrize("name", [COMMUNES, INVENTORY_CSV, CLAUSES])
def test_a_name_in_another_unicode_form_is_named_with_the_letter(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    write_text(folder / name, text.replace("Xã Cửa", unicodedata.normalize("NFD", "Xã Cửa")))
    (fault,) = errors_in(folder)
    column = "commune_name" if name == CLAUSES else "name"
    row = {COMMUNES: 3, INVENTORY_CSV: 3, CLAUSES: 5}[name]
    assert (fault.key, fault.file, fault.row, fault.column) == ("not_nfc", name, row, column)
    assert told(fault)["found_letter"] == "U+0061 U+0303"
    assert told(fault)["nfc_letter"] == "ã U+00E3"
    assert "NFC" in str(fault)


def test_a_building_outside_the_city_is_named_with_its_distance(folder: Path) -> None:
    replace_in(folder / INVENTORY_CSV, "105.825,21.015", "105.925,21.015")
    (fault,) = errors_in(folder)
    assert places([fault]) == [("place_outside", INVENTORY_CSV, 3, "lon, lat", "105.925, 21.015")]
    assert told(fault)["km"] == "9.9"  # 0.095 degrees at 21 degrees north


@pytest.mark.parametrize(("lon", "n_errors"), [("105.8315", 0), ("105.8325", 1)])
def test_a_building_may_lie_two_hundred_metres_outside(folder: Path, lon: str, n_errors: int) -> None:
    replace_in(folder / INVENTORY_CSV, "105.825,21.015", f"{lon},21.015")  # the city ends at 105.83; 0.001 is 104 m
    assert len(errors_in(folder)) == n_errors


def test_swapped_columns_are_recognised_because_swapping_mends_them(folder: Path) -> None:
    replace_in(folder / INVENTORY_CSV, ",lon,lat,", ",lat,lon,")
    faults = errors_in(folder)
    assert [(fault.key, fault.row) for fault in faults] == [("lonlat_swapped", row) for row in (2, 3, 4, 5)]


def test_one_swapped_row_is_recognised(folder: Path) -> None:
    replace_in(folder / INVENTORY_CSV, "105.825,21.015", "21.015,105.825")
    (fault,) = errors_in(folder)
    assert places([fault]) == [("lonlat_swapped", INVENTORY_CSV, 3, "lon, lat", "21.015, 105.825")]


@pytest.mark.parametrize("name", [COMMUNES, UNITS])
def test_polygons_in_latitude_longitude_are_recognised(folder: Path, name: str) -> None:
    def swap(features: list[dict[str, Any]]) -> None:
        for feature in features:
            ring = feature["geometry"]["coordinates"][0]
            feature["geometry"]["coordinates"] = [[[y, x] for x, y in ring]]

    change(folder, name, swap)
    (fault,) = errors_in(folder)
    assert places([fault]) == [("lonlat_swapped", name, 1, "geometry", "21.01, 105.8")]


def test_one_swapped_point_of_a_geopackage_is_named_by_its_row(folder: Path) -> None:
    points = [shapely.Point(105.805, 21.015), shapely.Point(21.015, 105.825), shapely.Point(105.815, 21.007)]
    frame = gpd.GeoDataFrame({"site_id": list("ABC"), "name": list("ABC")}, geometry=points, crs=4326)
    frame.to_file(folder / "buildings" / "inventory.gpkg")
    (folder / INVENTORY_CSV).unlink()
    (fault,) = errors_in(folder)
    assert places([fault]) == [("lonlat_swapped", "buildings/inventory.gpkg", 2, "geometry", "21.015, 105.825")]


def test_swapped_polygons_are_recognised_even_where_both_orders_are_degrees(tmp_path: Path, folder: Path) -> None:
    """A city at 10 E, 50 N: 50 E, 10 N is a place, too."""
    for name in (COMMUNES, UNITS):
        text = (folder / name).read_text(encoding="utf-8")
        write_text(folder / name, text.replace("105.8", "10.8").replace("21.0", "50.0"))
    text = (folder / INVENTORY_CSV).read_text(encoding="utf-8")
    write_text(folder / INVENTORY_CSV, text.replace("105.8", "10.8").replace("21.0", "50.0"))
    replace_in(folder / "city.toml", "32648", "32632")
    assert errors_in(folder) == []
    change(folder, UNITS, lambda features: [_swap(feature) for feature in features] and None)
    assert [(fault.key, fault.file) for fault in errors_in(folder)] == [("lonlat_swapped", UNITS)]
    for line in ("10.805,50.015", "10.825,50.015", "10.815,50.007", "10.817,50.003"):
        replace_in(folder / INVENTORY_CSV, line, ",".join(reversed(line.split(","))))
    write_features(folder / UNITS, [])
    (folder / UNITS).unlink()
    assert [(fault.key, fault.row) for fault in errors_in(folder)] == [("lonlat_swapped", row) for row in (2, 3, 4, 5)]


def _swap(feature: dict[str, Any]) -> bool:
    ring = feature["geometry"]["coordinates"][0]
    feature["geometry"]["coordinates"] = [[[y, x] for x, y in ring]]
    return True


def declare(epsg: int) -> dict[str, Any]:
    return {"crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}}


def features_in(folder: Path, name: str, epsg: int) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads(gpd.read_file(folder / name).to_crs(epsg).to_json(drop_id=True))[
        "features"
    ]
    return features


def test_metres_in_a_table_are_told_once_and_one_wrong_number_by_its_row(folder: Path) -> None:
    text = INVENTORY.replace("105.8", "5843").replace("21.0", "23240")
    write_text(folder / INVENTORY_CSV, text)
    assert places(errors_in(folder)) == [("crs_undeclared", INVENTORY_CSV, 2, "lon, lat", "584305, 2324015")]
    write_text(folder / INVENTORY_CSV, INVENTORY.replace("105.825,", "1058.25,"))
    assert places(errors_in(folder)) == [("out_of_range", INVENTORY_CSV, 3, "lon, lat", "1058.25, 21.015")]
    write_text(folder / INVENTORY_CSV, INVENTORY.replace("105.825,21.015", "105.825,91"))
    assert places(errors_in(folder)) == [("out_of_range", INVENTORY_CSV, 3, "lon, lat", "105.825, 91")]


def test_metres_without_a_declared_system_are_refused_where_nothing_tells_it(folder: Path) -> None:
    metres = gpd.read_file(folder / COMMUNES).to_crs(32648)
    (folder / "boundaries" / "units.geojson").unlink()
    write_text(folder / INVENTORY_CSV, INVENTORY.replace(",commune_id,", ",owner,"))
    write_shapefile(folder / "boundaries" / "communes.shp", metres)
    (folder / COMMUNES).unlink()
    (folder / "boundaries" / "communes.prj").unlink()
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) == ("crs_undeclared", "boundaries/communes.shp")


def test_metres_that_claim_to_be_degrees_are_refused(folder: Path) -> None:
    write_features(folder / COMMUNES, features_in(folder, COMMUNES, 32648))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) == ("crs_wrong", COMMUNES)
    assert "WGS 84" in told(fault)["crs"]


def test_degrees_that_claim_to_be_metres_are_refused(folder: Path) -> None:
    change(folder, COMMUNES, lambda features: None, **declare(32648))
    assert [(fault.key, fault.file) for fault in errors_in(folder)] == [("crs_wrong", COMMUNES)]


def test_coordinates_outside_the_area_of_use_are_refused(folder: Path) -> None:
    write_features(folder / COMMUNES, features_in(folder, COMMUNES, 32648), **declare(32633))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) in {("crs_wrong", COMMUNES), ("crs_far", COMMUNES)}


def test_the_zone_of_another_province_is_noticed_because_the_rest_lies_elsewhere(folder: Path) -> None:
    write_features(folder / COMMUNES, features_in(folder, COMMUNES, 5897), **declare(9210))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) == ("crs_far", COMMUNES)
    assert told(fault)["other"] == UNITS
    assert "9210" in told(fault)["crs"]


def test_units_in_another_zone_are_named_not_the_communes(folder: Path) -> None:
    write_features(folder / UNITS, features_in(folder, UNITS, 5897), **declare(9210))
    assert [(fault.key, fault.file) for fault in errors_in(folder)] == [("crs_far", UNITS)]


@pytest.mark.parametrize("name", ["HN-72 local", "EPSG:5773", "EPSG:4978", "IAU_2015:49900", "ESRI:104905"])
def test_a_system_that_means_no_place_on_earth_is_named_once(folder: Path, name: str) -> None:
    """A word, heights, geocentric axes, Mars twice."""
    change(folder, COMMUNES, lambda features: None, crs={"type": "name", "properties": {"name": name}})
    assert places(errors_in(folder)) == [("crs_unknown", COMMUNES, None, None, name)]


def test_a_metric_system_in_degrees_is_refused(folder: Path) -> None:
    replace_in(folder / "city.toml", "EPSG:32648", "EPSG:4326")
    assert places(errors_in(folder)) == [("crs_not_metric", "city.toml", None, "metric_crs", "EPSG:4326")]
    replace_in(folder / "city.toml", "EPSG:4326", "EPSG:0")
    assert places(errors_in(folder)) == [("crs_unknown", "city.toml", None, "metric_crs", "EPSG:0")]
    replace_in(folder / "city.toml", '"EPSG:0"', '["EPSG:0"]')
    assert [fault.key for fault in errors_in(folder)] == ["crs_unknown"]


def test_a_broken_city_file_is_named(folder: Path) -> None:
    write_text(folder / "city.toml", "name = ")
    assert [(fault.key, fault.file) for fault in errors_in(folder)] == [("toml_broken", "city.toml")]
    write_text(folder / "city.toml", "name = 5\ncolour = 'red'")
    assert [(fault.key, fault.severity) for fault in faults_in(folder)][:2] == [
        ("city_unknown", "warning"),
        ("city_name", "error"),
    ]


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[105.80, 21.01], [105.81, 21.02], [105.81, 21.01], [105.80, 21.02], [105.80, 21.01]]],
}


def test_an_invalid_polygon_says_why_and_where(folder: Path) -> None:
    change(folder, COMMUNES, lambda features: features[0].update(geometry=BOW_TIE))
    assert places(errors_in(folder))[0] == (
        "geometry_invalid",
        COMMUNES,
        1,
        "geometry",
        "Self-intersection[105.805 21.015]",
    )


@pytest.mark.parametrize(
    ("geometry", "key"),
    [
        (None, "geometry_empty"),
        ({"type": "Polygon", "coordinates": []}, "geometry_empty"),
        ({"type": "Point", "coordinates": [105.805, 21.015]}, "geometry_type"),
        ({"type": "LineString", "coordinates": [[105.8, 21.0], [105.8, 21.1]]}, "geometry_type"),
        ({"type": "Polygon", "coordinates": [[[105.8, 21.0], [105.8, 21.1]]]}, "geometry_unreadable"),
        ({"type": "Blob"}, "geometry_unreadable"),
        ("POLYGON ((0 0))", "geometry_unreadable"),
    ],
)
def test_a_geometry_that_is_no_polygon_is_refused(folder: Path, geometry: Any, key: str) -> None:
    change(folder, COMMUNES, lambda features: features[1].update(geometry=geometry))
    faults = [fault for fault in errors_in(folder) if fault.column == "geometry"]
    assert (faults[0].key, faults[0].file, faults[0].row) == (key, COMMUNES, 2)


def test_a_commune_that_no_clause_names_is_noted_in_the_communes(folder: Path) -> None:
    replace_in(folder / CLAUSES, "2,00020,Phường Đông,00003,Xã Cửa,whole,\n", "")
    (fault,) = errors_in(folder)
    assert places([fault]) == [("commune_without_clause", COMMUNES, 3, "commune_id", "00003")]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (
            [("2,00020,Phường Đông,00002", "1,00020,,00002"), ("1,00010,Phường Tây,00002", "2,00010,,00002")],
            [("remainder_not_last", CLAUSES, 4, "relation", "remainder")],
        ),
        (
            [(",00001,Phường Ánh,whole", ",00001,,remainder")],
            [("part_of_undivided", CLAUSES, 2, "relation", "remainder")],
        ),
        (
            [(",part,0.5\n", ",part_area_whole_population,\n3,00030,,00002,,part,\n"), ("2,00020,Ph", "4,00020,Ph")],
            [("people_twice", CLAUSES, 4, "relation", "part")],
        ),
        (
            [(",00001,Phường Ánh,whole", ",00001,,part"), (",Xã Cửa,whole", ",Xã Cửa,remainder")],
            [("part_of_undivided", CLAUSES, row, "relation", word) for row, word in ((2, "part"), (5, "remainder"))],
        ),
    ],
)  # fmt: skip
def test_clauses_of_a_folder_keep_the_rules_of_a_resolution(
    folder: Path, edits: list[tuple[str, str]], expected: list[tuple[Any, ...]]
) -> None:
    for old, new in edits:
        replace_in(folder / CLAUSES, old, new)
    faults = errors_in(folder)
    assert places(faults) == expected
    assert all(told(fault)["allowed"] in str(fault) for fault in faults)


@pytest.mark.parametrize(("old", "new"), [(",remainder,", ",rest,"), ("2,00020,Phường Đông,00002", "x,00020,,00002")])
def test_a_bad_cell_of_a_clause_is_told_once_and_not_as_a_missing_remainder_too(
    folder: Path, old: str, new: str
) -> None:
    replace_in(folder / CLAUSES, old, new)
    (fault,) = errors_in(folder)
    assert (fault.key, fault.row) in (("unknown_value", 4), ("not_a_number", 4))


def test_a_unit_of_two_clauses_is_noted_since_a_resolution_builds_it_in_one(folder: Path) -> None:
    replace_in(folder / CLAUSES, "2,00020,Phường Đông,00003", "3,00020,Phường Đông,00003")
    replace_in(folder / CLAUSES, "2,00020,Phường Đông,00004", "3,00020,Phường Đông,00004")
    (fault,) = [fault for fault in faults_in(folder) if fault.key == "unit_twice"]
    assert places([fault]) == [("unit_twice", CLAUSES, 5, "clause", "3")]
    assert fault.severity == "warning"
    assert told(fault) == {"unit": "Phường Đông (00020)", "clause": "2"}


def test_a_unit_that_no_clause_names_is_unknown(folder: Path) -> None:
    change(folder, UNITS, lambda features: features[1]["properties"].update(unit_id="00099"))
    faults = faults_in(folder)
    assert ("id_unknown", UNITS, 2, "unit_id", "00099") in places(faults)
    assert ("unit_without_facts", UNITS, None, "unit_id", "00020") in places(faults)


def test_communes_without_population_are_noted(folder: Path) -> None:
    change(folder, COMMUNES, lambda features: features[1]["properties"].update(population=None))
    noted = [fault for fault in faults_in(folder) if fault.key == "population_missing"]
    assert places(noted) == [("population_missing", COMMUNES, None, "population", "00002")]


def test_ids_that_meet_when_their_zeros_come_back_are_duplicates(folder: Path) -> None:
    text = "commune_id,population\n00001,5\n1,6\n"
    write_text(folder / "population" / "communes.csv", text)
    assert places(errors_in(folder)) == [("id_duplicate", "population/communes.csv", 3, "commune_id", "00001")]
    (folder / "population" / "communes.csv").unlink()
    replace_in(folder / COMMUNES, '"00002"', '"1"')
    found = places(errors_in(folder))
    assert ("id_duplicate", COMMUNES, 2, "commune_id", "00001") in found
    assert ("id_unknown", CLAUSES, 3, "commune_id", "00002") in found


def test_population_of_an_unknown_commune_is_an_error(folder: Path) -> None:
    write_text(folder / "population" / "communes.csv", "commune_id,population\n00001,5\n99999,5\n00002,-1\n")
    assert places(errors_in(folder)) == [
        ("out_of_range", "population/communes.csv", 4, "population", "-1"),
        ("id_unknown", "population/communes.csv", 3, "commune_id", "99999"),
    ]


def test_people_outside_the_city_are_an_error(folder: Path) -> None:
    text = "lon,lat,population\n105.805,21.015,5\n105.815,21.005,5\n106.9,21.015,5\n"
    write_text(folder / "population" / "cells.csv", text)
    assert places(errors_in(folder)) == [
        ("place_outside", "population/cells.csv", 4, "lon, lat", "106.9, 21.015"),
    ]


def test_many_faults_of_one_kind_are_cut_and_counted(folder: Path) -> None:
    rows = "".join(f"X{i},Nhà {i},other,,,,105.805,21.015,-1,,\n" for i in range(50))
    write_text(folder / INVENTORY_CSV, INVENTORY + rows + "S1,Nhà,other,,,,105.805,21.015,5,,\n")
    faults = errors_in(folder)
    shown = [fault for fault in faults if fault.key == "out_of_range"]
    assert [fault.row for fault in shown] == list(range(6, 6 + SHOWN_PER_KIND))
    (rest,) = [fault for fault in faults if fault.key == "and_more"]
    assert (rest.column, told(rest)["n"]) == ("floor_area_m2", "30")
    assert faults.index(rest) == faults.index(shown[-1]) + 1
    assert faults[-1].key == "id_duplicate"


def test_faults_of_several_files_are_told_at_once(folder: Path) -> None:
    """The issue's list of bad input, all in one folder."""
    replace_in(folder / INVENTORY_CSV, "105.825,21.015", "21.015,105.825")
    replace_in(folder / INVENTORY_CSV, "105.817,21.003", "107.817,21.003")
    replace_in(folder / INVENTORY_CSV, "S3,", "S1,")
    replace_in(folder / CLAUSES, "Xã Cửa", unicodedata.normalize("NFD", "Xã Cửa"))
    write_features(folder / UNITS, unit_features(), **declare(32648))
    write_text(folder / "population" / "communes.csv", "commune_id,people\n00001,5\n")
    write_text(folder / "boundaries" / "districts.csv", "")
    assert {(fault.key, fault.file) for fault in errors_in(folder)} == {
        ("empty_file", "boundaries/districts.csv"),
        ("crs_wrong", UNITS),
        ("not_nfc", CLAUSES),
        ("id_duplicate", INVENTORY_CSV),
        ("column_missing", "population/communes.csv"),
        ("lonlat_swapped", INVENTORY_CSV),
        ("place_outside", INVENTORY_CSV),
    }


def test_checking_changes_nothing_in_the_folder(folder: Path) -> None:
    replace_in(folder / INVENTORY_CSV, "S3,", "S1,")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    faults_in(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_empty_point_in_a_geopackage_is_named(folder: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"site_id": ["S1", "S2"], "name": ["A", "B"]},
        geometry=[shapely.Point(105.805, 21.015), shapely.Point()],
        crs=4326,
    )
    frame.to_file(folder / "buildings" / "inventory.gpkg")
    (folder / INVENTORY_CSV).unlink()
    assert [(f.key, f.row) for f in errors_in(folder)] == [("geometry_empty", 2)]


def test_a_hole_in_the_ring_order_of_squares_is_no_fault(folder: Path) -> None:
    change(folder, COMMUNES, lambda features: features[0]["geometry"]["coordinates"][0].reverse())
    assert errors_in(folder) == []
    assert polygon(0, 0)["type"] == "Polygon"
