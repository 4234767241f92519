"""Workbooks as offices have them: titles, headers in two rows, merged and hidden cells, formulas without results.

::

    2                      BẢNG TỔNG HỢP TRỤ SỞ
    4 | Mã trụ sở | Tên trụ sở |  Tọa độ (merged)  |  Diện tích (m²) (merged)  | Mã xã |
    5 |           |            | Kinh độ |  Vĩ độ  |  Đất  |  Sàn   |  Sử dụng  |       |
    6 |    (1)    |    (2)     |   (3)   |   (4)   |  (5)  |  (6)   |    (7)    |  (8)  |
    7 |    S1     |   House    | 105.805 | 21.015  |  900  |  600   |    450    | 00001 |
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from geo.errors import Fault
from geo.settings import Settings
from geo.sources.columns import INVENTORY, match_headers
from geo.sources.folder import Folder, read_folder
from geo.sources.grids import split_header
from geo.sources.workbooks import Sheet, _with_traps
from tests.toy import errors_in, faults_in, told

_UPPER = ("Mã trụ sở", "Tên trụ sở", "Tọa độ", None, "Diện tích (m²)", None, None, "Mã xã")
_LOWER = (None, None, "Kinh độ", "Vĩ độ", "Đất", "Sàn", "Sử dụng", None)
_FILE = "buildings/inventory.xlsx"


def _sheet(book: openpyxl.Workbook, *, numbered: bool = True) -> Any:
    sheet = book.active
    sheet["A2"] = "BẢNG TỔNG HỢP TRỤ SỞ"
    for row, cells in ((4, _UPPER), (5, _LOWER), (6, tuple(f"({i})" for i in range(1, 9)) if numbered else ())):
        for column, cell in enumerate(cells, start=1):
            sheet.cell(row, column, cell)
    sheet.merge_cells("C4:D4")
    sheet.merge_cells("E4:G4")
    for column in "ABH":
        sheet.merge_cells(f"{column}4:{column}5")
    for i, (lon, lat) in enumerate(((105.805, 21.015), (105.825, 21.015), (105.815, 21.007)), start=1):
        sheet.append([f"S{i}", f"House {i}", lon, lat, 900, 600, 450, "00001"])
    return sheet


@pytest.fixture
def book() -> openpyxl.Workbook:
    return openpyxl.Workbook()


def _saved(book: openpyxl.Workbook, folder: Path) -> Path:
    (folder / "buildings" / "inventory.csv").unlink(missing_ok=True)
    book.save(folder / _FILE)
    return folder


def _read(folder: Path) -> Folder:
    return read_folder(folder, settings=Settings())


def _of(folder: Path, key: str) -> list[Fault]:
    return [fault for fault in faults_in(folder) if fault.key == key]


@pytest.mark.parametrize("numbered", [True, False])
def test_a_header_in_two_rows_is_read_as_one(folder: Path, book: openpyxl.Workbook, numbered: bool) -> None:
    _sheet(book, numbered=numbered)
    site = _read(_saved(book, folder)).inventory.loc["S1"]
    assert site[["floor_area_m2", "usable_area_m2", "land_area_m2"]].tolist() == [600, 450, 900]
    assert (site.geometry.x, site.geometry.y) == (105.805, 21.015)


def test_a_fault_below_a_header_in_two_rows_has_its_row_and_both_names(folder: Path, book: openpyxl.Workbook) -> None:
    _sheet(book)["F8"] = "rộng"
    (fault,) = errors_in(_saved(book, folder))
    assert (fault.row, fault.column, fault.value) == (8, "Diện tích Sàn (m²)", "rộng")


def test_hectares_above_are_not_taken_for_square_metres(folder: Path, book: openpyxl.Workbook) -> None:
    _sheet(book)["E4"] = "Diện tích (ha)"
    (note,) = _of(_saved(book, folder), "headers_unknown")
    assert "Diện tích Sàn (ha)" in told(note)["headers"]
    assert "floor_area_m2" in told(note)["missing"]


def test_a_first_row_of_data_is_no_second_header() -> None:
    upper = ["site_id", "name", "lon", "lat"]
    for first in (["S1", "kind", "5", "6"], ["1", "2", "5", "6"], ["1", "name", "condition", "2"]):
        headers, row, below = split_header([(1, upper), (2, first)], INVENTORY)
        assert (headers, row, below) == (tuple(upper), 1, [(2, first)])


@pytest.mark.parametrize(
    "numbers", [["1", "2", "3", "4"], ["A", "B", "(1)", "(2)", "(3)"], ["[1]", "[2]", "[3]", None]]
)
def test_a_row_that_numbers_the_columns_is_left_out(numbers: list[Any]) -> None:
    grid = [(1, ["site_id", "name", "lon", "lat"]), (2, numbers), (3, ["S1", "x", "5", "6"])]
    assert split_header(grid, INVENTORY)[2] == grid[2:]


def test_a_group_ends_where_the_next_header_stands() -> None:
    grid = [(1, ["Mã", "Diện tích (m2)", None, "Tên"]), (2, [None, "Đất", "Sàn", None]), (3, ["1", "2", "3", "x"])]
    headers, _, _ = split_header(grid, INVENTORY)
    assert headers == ("Mã", "Diện tích Đất (m2)", "Diện tích Sàn (m2)", "Tên")
    assert set(match_headers(headers, INVENTORY)) == {"site_id", "name", "land_area_m2", "floor_area_m2"}


def test_a_formula_without_its_result_is_an_error_not_an_empty_cell(folder: Path, book: openpyxl.Workbook) -> None:
    sheet = _sheet(book)
    sheet["G8"] = "=F8*0.75"
    sheet["A9"] = '="S"&3'
    faults = errors_in(_saved(book, folder))
    assert [(fault.key, fault.row, fault.value) for fault in faults] == [
        ("formula_unsaved", 9, '="S"&3'),
        ("formula_unsaved", 8, "=F8*0.75"),
    ]


def test_a_row_of_nothing_but_such_formulas_is_not_lost(folder: Path, book: openpyxl.Workbook) -> None:
    sheet = _sheet(book)
    for cell in sheet[9]:
        cell.value = f"=Nguồn!{cell.coordinate}"
    assert {(fault.key, fault.row) for fault in errors_in(_saved(book, folder))} >= {("formula_unsaved", 9)}


def test_rows_that_are_hidden_are_read_and_told(folder: Path, book: openpyxl.Workbook) -> None:
    sheet = _sheet(book)
    for row in (1, 8):  # the first one is no row of the table
        sheet.row_dimensions[row].hidden = True
    assert "S2" in _read(_saved(book, folder)).inventory.index
    (note,) = _of(folder, "rows_hidden")
    assert (note.severity, told(note)) == ("warning", {"n": "1", "rows": "8"})


def test_a_cell_merged_over_rows_of_data_is_told_and_one_of_the_header_is_not(
    folder: Path, book: openpyxl.Workbook
) -> None:
    _sheet(book).merge_cells("H7:H8")
    (note,) = _of(_saved(book, folder), "cells_merged")
    assert (note.column, told(note)) == ("Mã xã", {"n": "1", "rows": "7–8"})
    assert _read(folder).inventory["commune_id"].isna().tolist() == [False, True, False]


def test_a_plain_workbook_has_no_such_note(folder: Path, book: openpyxl.Workbook) -> None:
    _sheet(book)
    assert {fault.key for fault in faults_in(_saved(book, folder))} & {
        "rows_hidden", "cells_merged", "formula_unsaved",
    } == set()  # fmt: skip


def test_the_sheet_with_the_table_is_read_wherever_it_stands(folder: Path, book: openpyxl.Workbook) -> None:
    _sheet(book).title = "Tổng hợp"
    book.create_sheet("Bìa", 0).append(["Tên", "Danh mục trụ sở 2025"])
    book.create_sheet("Trống", 0)
    assert _read(_saved(book, folder)).inventory.index.tolist() == ["S1", "S2", "S3"]
    (note,) = _of(folder, "sheet_ignored")
    assert (note.value, told(note)) == ("Bìa", {"used": "Tổng hợp"})


def test_of_two_such_sheets_the_first_is_read(folder: Path, book: openpyxl.Workbook) -> None:
    _sheet(book).title = "2025"
    book.copy_worksheet(book.active).title = "2024"
    assert errors_in(_saved(book, folder)) == []
    assert [note.value for note in _of(folder, "sheet_ignored")] == ["2024"]


@pytest.mark.parametrize(("cell", "column"), [("A8", "Mã trụ sở"), ("B8", "Tên trụ sở"), ("F8", "Diện tích Sàn (m²)")])
def test_an_error_of_the_spreadsheet_is_no_value(folder: Path, book: openpyxl.Workbook, cell: str, column: str) -> None:
    _sheet(book)[cell] = "#REF!"
    (fault,) = errors_in(_saved(book, folder))
    assert (fault.key, fault.row, fault.column, fault.value) == ("cell_error", 8, column, "#REF!")


def test_looking_for_traps_takes_time_linear_in_the_sheet() -> None:
    """Text in CDATA may look like a million tags that never end."""
    for tag in (b"<c ", b"<row ", b"<mergeCell ref='", b"<c><f>"):
        assert _with_traps([], tag * 300_000 + b"]]>") == Sheet(rows=[])
