"""Figures in another unit of measure, and projections that measure wrongly, are told instead of computed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.errors import Fault
from geo.settings import Settings
from geo.sources.folder import read_folder
from tests.toy import COMMUNES, INVENTORY, edit_features, errors_in, faults_in, replace_in, told, write_text

_INVENTORY = "buildings/inventory.csv"


def _of(folder: Path, key: str) -> list[Fault]:
    return [fault for fault in faults_in(folder) if fault.key == key]


def test_hectares_under_square_metres_are_an_error(folder: Path) -> None:
    for m2 in ("600", "500", "2500"):
        replace_in(folder / _INVENTORY, f",{m2},", f",{int(m2) / 10_000:.4f},")
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file, fault.column) == ("area_tiny", _INVENTORY, "floor_area_m2")
    assert fault.value == "0.06"


def test_one_small_house_among_others_is_none(folder: Path) -> None:
    replace_in(folder / _INVENTORY, ",600,", ",4,")
    assert errors_in(folder) == []


def test_a_usable_area_larger_than_the_floor_is_told_by_row(folder: Path) -> None:
    lines = INVENTORY.splitlines()
    usable = ["usable_area_m2", "450", "700", "2510", ""]  # the third is larger by rounding only
    write_text(folder / _INVENTORY, "\n".join(f"{line},{m2}" for line, m2 in zip(lines, usable, strict=True)))
    (note,) = _of(folder, "area_usable_larger")
    assert (note.severity, note.row, note.value, told(note)["floor"]) == ("warning", 3, "700", "500")


def test_people_in_fractions_are_told_once_with_their_sum(folder: Path) -> None:
    def in_thousands(features: list[dict]) -> None:
        for feature in features:
            feature["properties"]["population"] /= 800

    edit_features(folder / "boundaries" / "communes.geojson", in_thousands)
    (note,) = _of(folder, "people_fractions")
    assert (note.severity, note.row, note.value) == ("warning", 1, "1.25")
    assert told(note) == {"n": "3", "total": "12.5"}


@pytest.mark.parametrize(
    ("code", "fits"),
    [
        ("EPSG:3857", False),  # Web Mercator: 15 % at this latitude
        ("EPSG:2154", False),  # France
        ("EPSG:32631", False),  # UTM, 102 degrees away
        ("EPSG:5897", True),
        ("EPSG:32649", True),  # UTM, the zone beside
        ("EPSG:6933", True),  # equal areas of the whole earth
    ],
)
def test_a_metric_system_measures_where_the_city_is(folder: Path, code: str, fits: bool) -> None:
    replace_in(folder / "city.toml", "EPSG:32648", code)
    assert [fault.key for fault in errors_in(folder)] == ([] if fits else ["crs_distorts"])


def test_two_names_of_one_figure_that_differ_are_told(folder: Path) -> None:
    lines = INVENTORY.replace("floor_area_m2", "diện tích sàn").splitlines()
    rivals = ["tổng diện tích sàn", "600", "550", "2500", ""]
    write_text(folder / _INVENTORY, "\n".join(f"{line},{m2}" for line, m2 in zip(lines, rivals, strict=True)))
    (note,) = _of(folder, "column_rival")
    assert (note.row, note.column, told(note)["used"]) == (3, "tổng diện tích sàn", "diện tích sàn")


@pytest.mark.parametrize(("header", "area"), [("floor_area_m2", "550"), ("diện tích sàn", "500")])
def test_the_name_of_the_column_itself_settles_it_and_equal_figures_are_no_rivals(
    folder: Path, header: str, area: str
) -> None:
    lines = INVENTORY.replace("floor_area_m2", header).splitlines()
    rivals = ["tổng diện tích sàn", "600", area, "2500", ""]
    write_text(folder / _INVENTORY, "\n".join(f"{line},{m2}" for line, m2 in zip(lines, rivals, strict=True)))
    assert _of(folder, "column_rival") == []


def test_buildings_far_from_the_commune_that_they_name_are_told(folder: Path) -> None:
    # A and C are 1 km apart, so the house of C may stand in A.
    replace_in(folder / _INVENTORY, "105.825,21.015", "105.805,21.015")
    assert _of(folder, "building_astray") == []
    edit_features(folder / "boundaries" / "communes.geojson", _move_the_last_away)
    replace_in(folder / _INVENTORY, "105.817,21.003", "105.805,21.016")
    notes = _of(folder, "building_astray")
    assert [note.row for note in notes] == [4, 5]
    note = notes[1]
    assert (note.severity, note.value) == ("warning", "105.805, 21.016")
    assert told(note)["commune"] == "Xã Đông (00004)"
    assert float(told(note)["km"]) == pytest.approx(12.8, abs=0.1)  # 0.116 degrees of latitude


def _move_the_last_away(features: list[dict]) -> None:
    """Put commune D 12 km to the south of the buildings S3 and S4, which name it."""
    (ring,) = features[-1]["geometry"]["coordinates"]
    away = [[lon, lat - 0.11] for lon, lat in ring]
    features[-1]["geometry"]["coordinates"] = [away]


@pytest.mark.parametrize(("decimals", "rough"), [(2, True), (3, False)])
def test_coordinates_rounded_to_a_kilometre_are_told_once(folder: Path, decimals: int, rough: bool) -> None:
    rows = [f"S{i},House,{105.8 + i / 100 + 1 / 10**decimals:.{decimals}f},21.01" for i in range(3)]
    write_text(folder / _INVENTORY, "\n".join(["site_id,name,lon,lat", *rows]))
    assert len(_of(folder, "places_rough")) == rough


@pytest.mark.parametrize("code", ["1,23457E+15", "1.23457E+15", "2025-02-01 00:00:00", "2025-02-01T00:00:00"])
def test_a_code_that_a_spreadsheet_has_changed_is_told(folder: Path, code: str) -> None:
    replace_in(folder / _INVENTORY, "S1,", f'"{code}",')
    (note,) = _of(folder, "id_changed")
    assert (note.severity, note.row, note.value) == ("warning", 2, code)


@pytest.mark.parametrize("code", ["1E", "E+15", "2025-02-01", "12E5", "A1E+5"])
def test_other_codes_are_left_in_peace(folder: Path, code: str) -> None:
    replace_in(folder / _INVENTORY, "S1,", f"{code},")
    assert _of(folder, "id_changed") == []


def test_a_table_by_commune_may_have_any_name(folder: Path) -> None:
    rows = ["code INSEE;population municipale", *(f"{commune};10" for commune in COMMUNES)]
    write_text(folder / "population" / "insee-2021.csv", "\n".join(rows))
    read = read_folder(folder, settings=Settings())
    assert read.communes["population"].tolist() == [10.0] * 4
    assert read.population_points is None


@pytest.mark.parametrize("header", ["commune_id,lon,lat,population", "id,population"])
def test_a_table_with_coordinates_or_a_mere_id_is_one_of_points(folder: Path, header: str) -> None:
    write_text(folder / "population" / "cells.csv", f"{header}\n1,105.815,21.015,5\n")
    keys = [fault.key for fault in errors_in(folder)]
    assert keys == ([] if "lon" in header else ["row_width", "column_missing", "column_missing"])
