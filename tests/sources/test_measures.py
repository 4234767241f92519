"""Figures in another unit of measure, and projections that measure wrongly, are told instead of computed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.errors import Fault
from tests.toy import INVENTORY, edit_features, errors_in, faults_in, replace_in, told, write_text

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
