from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from geo.publish.workbook import norm_rows, plan_xlsx
from geo.text import LANGUAGES, t

SHEETS = ("cover", "units", "sites", "options", "norm", "audit")


@pytest.fixture(scope="module", params=LANGUAGES)
def opened(plan, request):
    book = openpyxl.load_workbook(io.BytesIO(plan_xlsx(plan, lang=request.param)))
    yield book, request.param
    book.close()


@pytest.fixture(scope="module")
def book(plan):
    book = openpyxl.load_workbook(io.BytesIO(plan_xlsx(plan, lang="en")))
    yield book
    book.close()


def column(sheet, header):
    (cells,) = [cells for cells in sheet.columns if cells[0].value == header]
    return list(cells[1:])


def test_sheets_and_headers_are_in_the_language(opened):
    book, lang = opened
    assert book.sheetnames == [t(f"publish.sheet.{name}", lang=lang) for name in SHEETS]
    assert book.worksheets[1]["A1"].value == t("publish.column.unit_id", lang=lang)


def test_nothing_in_the_workbook_is_a_formula_or_a_link(opened):
    book, _ = opened
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not [cell for cell in cells if cell.hyperlink]


def test_numbers_are_numbers_and_percentages_are_percentages(book):
    sheet = book["Units"]
    scores, norms = column(sheet, "Score with one site"), column(sheet, "Norm met")
    assert [cell.value for cell in scores] == [0.7123, 0.5, 0.31]
    assert [cell.value for cell in norms] == [1.023, 0.48, None]
    assert {cell.number_format for cell in norms} == {"0.0%"}
    assert [cell.value for cell in column(sheet, "Unit code")] == ["00004", "00025", "09556"]


def test_hostile_names_stay_text(plan, book):
    assert [cell.value for cell in column(book["Units"], "Name")] == plan.units["name"].tolist()


def test_headers_are_frozen_and_can_be_filtered(book):
    for name in ("Units", "Buildings", "One or two sites", "Audit"):
        assert book[name].freeze_panes is not None
        assert book[name].auto_filter.ref.startswith("A1:")
        assert book[name].print_title_rows == "$1:$1"


def test_one_site_stands_beside_two(book):
    sheet = book["One or two sites"]
    counts, chosen = column(sheet, "Sites"), column(sheet, "Chosen")
    assert [(a.value, b.value) for a, b in zip(counts, chosen, strict=True)] == [
        (1, "no"), (2, "yes"), (1, "yes"), (2, "no"), (1, "yes"),
    ]  # fmt: skip


def test_the_norm_table_has_the_columns_officials_fill_in(book):
    header = [cell.value for cell in book["Space norms"][1]]
    assert header == ["No.", "Item", "Existing (m²)", "People", "Area by the norm (m²)", "Comparison (%)", "Note"]


def test_the_norm_table_adds_up(plan):
    rows = norm_rows(plan, lang="en")
    assert [row[0] for row in rows] == ["1", "1.1", "1.2", "2", "2.1", "3", "3.1"]
    assert rows[0][2] == rows[1][2] + rows[2][2] == 3_520
    assert rows[0][5] == pytest.approx(rows[0][2] / rows[0][4], abs=5e-5)
    assert rows[0][6] == ""
    assert rows[3][6] == "staff estimated by the model"


def test_the_cover_says_what_is_modelled_and_carries_the_parameters(plan, book):
    cells = {row[0]: row[1] for row in book["Cover"].iter_rows(values_only=True)}
    assert any(str(key).startswith("Modelled data: boundaries and population.") for key in cells)
    assert cells["weights.size"] == 0.5
    assert cells["choice.max_sites"] == 4
    assert cells["Digest of the parameters"] == plan.params.digest
    assert cells["Share of the population within 30 min"] == 0.97
    assert cells["Why"].endswith("(exchange argument).")


def test_the_workbook_carries_no_clock(plan):
    with zipfile.ZipFile(io.BytesIO(plan_xlsx(plan, lang="en"))) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert b"2025-07-01T00:00:00Z" in archive.read("docProps/core.xml")
