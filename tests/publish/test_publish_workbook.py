from __future__ import annotations

import dataclasses
import io
import math
import zipfile

import openpyxl
import pytest

from geo.params import DECREES
from geo.publish.norms import figure_rows, norm_rows
from geo.publish.surplus import surplus_table
from geo.publish.why import explanations_table
from geo.publish.workbook import plan_xlsx
from geo.text import LANGUAGES, t
from tests.publish.conftest import HOSTILE

SHEETS = ("cover", "units", "sites", "options", "explanations", "norm", "figures", "surplus", "audit")


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
    assert [cell.value for cell in norms] == [1.023, 0.203, None]
    assert {cell.number_format for cell in norms} == {"0.0%"}
    assert [cell.value for cell in column(sheet, "Unit code")] == ["00004", "00025", "09556"]


def test_the_source_of_a_building_is_told_in_the_language(opened):
    book, lang = opened
    cells = column(book.worksheets[2], t("publish.column.data_source", lang=lang))
    assert t("publish.source.modelled", lang=lang) in [cell.value for cell in cells]


def test_no_code_of_the_solver_stands_on_the_cover(opened):
    book, lang = opened
    cells = {row[0]: row[1] for row in book.worksheets[0].iter_rows(values_only=True)}
    told = cells[t("publish.optimality.solver", lang=lang)]
    assert told == t("publish.optimality.solver_greedy", lang=lang) != "greedy"


def test_the_cover_counts_the_units_that_meet_the_norm(book):
    cells = {row[0]: row[1] for row in book["Cover"].iter_rows(values_only=True)}
    assert cells["Units that meet the norm"] == 1


def test_the_cover_says_for_how_many_its_travel_times_speak(book):
    assert "Travel times cover 2 of 3 units (50% of the people)." in book["Cover"]["A3"].value


def test_a_share_of_people_has_the_places_that_tell_nearly_all_from_all(book):
    assert {cell.number_format for cell in column(book["Units"], "Within 30 min")} == {"0.00%"}


def test_hostile_names_stay_text(plan, book):
    assert [cell.value for cell in column(book["Units"], "Name")] == plan.units["name"].tolist()


def test_headers_are_frozen_and_can_be_filtered(book):
    for name in ("Units", "Buildings", "One or two sites", "Why", "Not kept", "Audit"):
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
    assert [row.number for row in rows] == ["1", "1.1", "1.2", "2", "2.1", "3", "3.1", ""]
    for whole, *parts in (rows[:3], rows[3:5], rows[5:7], [rows[7], rows[0], rows[3], rows[5]]):
        for name in ("existing_m2", "people", "norm_m2"):
            figures = [getattr(part, name) for part in parts if not math.isnan(getattr(part, name))]
            assert sum(figures) == pytest.approx(getattr(whole, name)) or not figures
    assert rows[0].existing_m2 == 3_520
    assert rows[7].people == 243


def test_each_house_is_held_against_what_its_own_role_needs(plan):
    rows = norm_rows(plan, lang="en")
    assert rows[1].comparison == pytest.approx(3_000 / 2_300)
    assert rows[2].comparison == pytest.approx(520 / 1_139.6)
    assert rows[0].comparison == pytest.approx(3_520 / 3_439.6), "the total alone would hide it"
    assert rows[2].note == "Party committee and People's Council"


def test_a_staff_that_is_estimated_is_noted_and_one_that_is_little_more_than_the_base_twice(plan):
    rows = norm_rows(plan, lang="en")
    assert rows[0].note == ""
    assert rows[3].note == "staff estimated by the model"
    assert rows[5].note.endswith("ask the unit how many rooms it needs")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_of_the_norms_says_what_it_is_and_how_sure(plan, lang):
    rows = {row[0]: row for row in figure_rows(plan, lang=lang)}
    assert rows["norms.secretary_m2"][3] == t("publish.sureness.source", lang=lang)
    assert rows["norms.staff_leaving"][1:] == (
        876, t("publish.figure.staff_leaving", lang=lang), t("publish.sureness.unverified", lang=lang)
    )  # fmt: skip
    assert rows[""][1] == 8913
    changed = dataclasses.replace(plan, params=plan.params.with_values({"norms.staff_leaving": 900}))
    assert figure_rows(changed, lang=lang)[12][3] == t("publish.sureness.set", lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_areas_of_the_older_decree_are_neither_called_sourced_nor_those_of_the_new_one(plan, lang):
    older = dataclasses.replace(plan, params=plan.params.with_values({"norms.decree": "152/2017"}))
    rows = {row[0]: row for row in figure_rows(older, lang=lang)}
    assert rows["norms.secretary_m2"][1] == 15
    assert "155" not in rows["norms.secretary_m2"][2]
    for title in DECREES["152/2017"]:
        assert rows[f"norms.{title}"][3] == t("publish.sureness.unverified", lang=lang)
    assert rows["norms.city_staff"][3] == t("publish.sureness.source", lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_workbook_says_why_in_the_very_sentences_of_truso_explain(plan, lang):
    book = openpyxl.load_workbook(io.BytesIO(plan_xlsx(plan, lang=lang)))
    sheet = book[t("publish.sheet.explanations", lang=lang)]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [row[3] for row in rows] == explanations_table(plan, lang=lang)["text"].tolist()
    assert {row[0] for row in rows} == set(plan.units.index)
    assert any(HOSTILE in row[3] for row in rows), "a hostile name is a text like any other"


def test_the_surplus_list_holds_every_building_that_is_not_kept(plan, book):
    table = surplus_table(plan, lang="en")
    assert table["site_id"].tolist() == ["c", "e"]
    assert table["old_owner"].tolist() == ["Phúc Xá, Ba Đình", f"{HOSTILE}, Ba Đình"]
    assert table["new_unit"].tolist() == ["Ba Đình", HOSTILE]
    assert table["floor_area_m2"].tolist()[1] == 300
    assert table["condition"].tolist() == ["", "fair"]
    assert (table[["proposed_use", "legal_status"]] == "").all(axis=None)
    assert [cell.value for cell in column(book["Not kept"], "Building code")] == ["c", "e"]


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
