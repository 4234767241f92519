from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.choice.choose import REASONS
from geo.plan import Plan
from geo.publish import reason_text
from geo.publish.reasons import list_text, number_text, percent_text
from geo.publish.tables import csv_bytes, neutralise_formula, sites_csv, units_csv
from geo.schemas import UNREACHABLE
from geo.text import LANGUAGES, catalogue

UNIT_HEADER = (
    "unit_id,name,n_sites,site_id_1,site_id_2,one_site_score,two_site_score,second_site_gain,mean_time_min,"
    "p95_time_min,share_within_30min,norm_met_pct,norm_met_pct_1,norm_met_pct_2,population,staff,need_m2,"
    "win_share,firmness,reason"
)
SITE_HEADER = (
    "site_id,unit_id,lon,lat,score_0_1,location_0_1,size_0_1,access_0_1,conditions_0_1,chosen,role,role_staff,"
    "role_need_m2,norm_met_pct"
)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_units_csv_is_as_agreed(plan, file_regression):
    file_regression.check(units_csv(plan, lang="en"), binary=True, extension=".csv")


def test_sites_csv_is_as_agreed(plan, file_regression):
    file_regression.check(sites_csv(plan), binary=True, extension=".csv")


def test_columns_stand_in_the_order_of_the_data_dictionary(plan):
    assert units_csv(plan, lang="vi").decode("utf-8-sig").split("\n")[0] == UNIT_HEADER
    assert sites_csv(plan).decode("utf-8-sig").split("\n")[0] == SITE_HEADER


def test_every_unit_and_every_building_has_one_row_in_the_order_of_the_city(plan):
    assert [row[0] for row in rows_of(units_csv(plan, lang="fr"))[1:]] == list(plan.city.units.index)
    assert [row[0] for row in rows_of(sites_csv(plan))[1:]] == list(plan.city.sites.index)


def test_excel_gets_its_byte_order_mark_and_pandas_does_not_see_it(plan):
    content = units_csv(plan, lang="vi")
    assert content.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(io.BytesIO(content), dtype={"unit_id": str})
    assert list(table.columns) == UNIT_HEADER.split(",")
    assert table.loc[0, "name"] == "Ba Đình"
    assert table["mean_time_min"].isna().tolist() == [False, True, False]


def test_lines_end_with_a_line_feed_alone(plan):
    for content in (units_csv(plan, lang="en"), sites_csv(plan)):
        assert b"\r" not in content
        assert content.endswith(b"\n")


def test_numbers_have_fixed_decimals_and_a_point_in_every_language(plan):
    for lang in LANGUAGES:
        row = rows_of(units_csv(plan, lang=lang))[1]
        assert row[5:13] == ["0.7123", "0.8000", "0.0877", "5.43", "11.20", "1.0000", "102.3", "130.4"]


def test_a_loss_stays_a_number_and_nothing_reads_minus_zero():
    table = pd.DataFrame({"x": [-0.25, -0.00001, float("nan")]})
    assert rows_of(csv_bytes(table.round(4) + 0.0, {"x": 4}))[1:] == [["-0.2500"], ["0.0000"], [""]]


@pytest.mark.parametrize("text", ["=1+1", "+84 24", "-5", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＠x"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert neutralise_formula(text) == f"'{text}"


@given(st.text(max_size=30))
def test_no_text_cell_ever_begins_like_a_formula_or_breaks_its_row(text):
    table = pd.DataFrame({"id": ["1"], "name": [text]})
    _, (number, value) = rows_of(csv_bytes(table, {"id": None, "name": None}))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert number == "1"
    assert value in (lines, f"'{lines}")
    assert not value.startswith(tuple("=+-@\t\r\n＝＋－＠"))


def test_hostile_names_come_back_as_they_were_but_for_the_apostrophe(plan):
    names = [row[1] for row in rows_of(units_csv(plan, lang="en"))[1:]]
    given_names = plan.units["name"].tolist()
    assert names == [given_names[0], given_names[1], f"'{given_names[2]}"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_sentence(plan, lang):
    messages = catalogue(lang)
    wanted = [f"publish.reason.{code}" for code in REASONS]
    wanted += [f"publish.access_{kind}.{code}" for code in UNREACHABLE for kind in ("reason", "label")]
    wanted += [f"publish.part.{part}" for part in ("boundaries", "buildings", "network", "population")]
    assert not [key for key in wanted if not messages.get(key)]
    for code in REASONS:
        unit = plan.units.loc["00004"].copy()
        unit["reason"] = code
        assert "{" not in reason_text(unit, lang=lang, max_sites=232)


def test_a_reason_names_the_gain_the_norm_and_the_minutes(plan):
    reason = reason_text(plan.units.loc["00004"], lang="en", max_sites=4)
    assert reason == (
        "Two sites: the second raises the score by 0.088 to 0.800, and the city's budget reaches it. The floor area "
        "meets 102% of the norm: 130% where the People's Committee works, 46% where the Party committee and the council"
        " do. Citizens travel 5.4 min on average; 100% of them arrive within 30 min."
    )


def test_a_unit_without_roads_says_that_it_was_planned_without_travel_times(plan):
    reason = reason_text(plan.units.loc["00025"], lang="vi", max_sites=4)
    assert "hạn mức 4 trụ sở" in reason
    assert "không có thời gian đi lại" in reason
    assert "nan" not in reason


def test_a_unit_without_a_building_says_nothing_about_travel(plan):
    unit = plan.units.loc["00004"].copy()
    unit[["reason", "n_sites", "norm_met_pct"]] = ["no_candidate", 0, float("nan")]
    assert reason_text(unit, lang="en") == "No site: no building of the inventory lies in the unit."


def test_the_reason_in_the_table_ends_with_what_is_modelled(plan):
    reasons = [row[-1] for row in rows_of(units_csv(plan, lang="en"))[1:]]
    assert all(reason.endswith("Modelled data: boundaries and population.") for reason in reasons)
    real = replace(plan, city=replace(plan.city, modelled=()))
    assert "odelled" not in units_csv(real, lang="en").decode()


def test_numbers_are_written_as_the_language_writes_them():
    assert [number_text(1234.5, lang=lang, decimals=1) for lang in ("en", "vi")] == ["1,234.5", "1.234,5"]
    assert re.fullmatch(r"1\s234,5", number_text(1234.5, lang="fr", decimals=1))
    assert [percent_text(0.975, lang=lang, decimals=1) for lang in LANGUAGES] == ["97,5\xa0%", "97.5%", "97,5\xa0%"]
    assert number_text(float("nan"), lang="en") == "not known"
    assert number_text(-0.0001, lang="en", decimals=1) == "0.0"


def test_a_list_reads_as_a_list():
    assert list_text([], lang="en") == "none"
    assert list_text(["a"], lang="en") == "a"
    assert list_text(["a", "b", "c"], lang="fr") == "a, b et c"


def test_the_tables_do_not_touch_the_plan(plan: Plan):
    before = plan.units.copy()
    units_csv(plan, lang="en")
    pd.testing.assert_frame_equal(plan.units, before)
