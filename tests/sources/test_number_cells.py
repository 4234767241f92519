"""Cells as clerks write them: spaces between thousands, dates where a year is asked for, words in their language."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sources.cells import read_columns
from geo.sources.columns import INVENTORY
from geo.sources.faultlog import FaultLog
from geo.sources.tables import RawTable
from tests.toy import errors_in, replace_in, told

_HEADERS = ("site_id", "name", "floor_area_m2", "year_built")


def _read(*cells: object, header: str, decimal_comma: bool = False) -> tuple[list[float], list[str]]:
    """Return the numbers of one column of an inventory, and the keys of what is wrong."""
    n, log = len(cells), FaultLog()
    columns = {name: [name] * n for name in _HEADERS[:2]} | {header: list(cells)}
    rows = list(range(2, n + 2))
    raw = RawTable(
        file="x.csv", headers=tuple(columns), cells=list(columns.values()), rows=rows, decimal_comma=decimal_comma
    )
    return read_columns(raw, INVENTORY, log)[header].tolist(), [fault.key for fault in log.faults()]


@given(number=st.integers(1000, 999_999_999), space=st.sampled_from(" \u00a0\u202f"))
def test_spaces_between_thousands_change_nothing(number: int, space: str) -> None:
    assert _read(f"{number:,}".replace(",", space), header="floor_area_m2") == ([number], [])


def test_spaces_go_with_the_decimal_sign_of_the_file() -> None:
    assert _read("2\u00a0080,36", "512,5", header="floor_area_m2", decimal_comma=True) == ([2080.36, 512.5], [])
    assert _read("2 080.36", "512.5", header="floor_area_m2") == ([2080.36, 512.5], [])


@pytest.mark.parametrize("text", ["12 34", "1 2345", "1  250", "1 250 m2", "0 100"])
def test_other_spaces_are_no_thousands(text: str) -> None:
    assert _read(text, header="floor_area_m2")[1] == ["not_a_number"]


@pytest.mark.parametrize("cell", [dt.datetime(1998, 3, 1), dt.date(1998, 3, 1), "01/03/1998", "03/1998", "1.3.1998"])
def test_a_date_gives_its_year_where_a_year_is_asked_for(cell: object) -> None:
    assert _read(cell, header="year_built") == ([1998], [])


def test_a_year_that_a_spreadsheet_shows_as_a_date_of_1905_is_refused() -> None:
    number_2005 = dt.datetime(1899, 12, 30) + dt.timedelta(days=2005)
    assert number_2005.year == 1905
    assert _read(number_2005, header="year_built")[1] == ["not_a_number"]


def test_a_date_is_no_area() -> None:
    assert _read(dt.datetime(1998, 3, 1), header="floor_area_m2")[1] == ["not_a_number"]


def test_the_words_allowed_are_told_in_every_language_that_is_read(folder: Path) -> None:
    replace_in(folder / "buildings" / "inventory.csv", ",good,", ",splendid,")
    (fault,) = errors_in(folder)
    assert told(fault)["allowed"].startswith("good (tốt, còn tốt, bon, bon état), fair (")


def test_a_workbook_with_dates_for_years_is_read(folder: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([*_HEADERS, "lon", "lat"])
    book.active.append(["S1", "House", "1 250", dt.datetime(1998, 3, 1), 105.805, 21.015])
    book.save(folder / "buildings" / "inventory.xlsx")
    (folder / "buildings" / "inventory.csv").unlink()
    assert errors_in(folder) == []
