"""What a rounded figure may not say."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo.plan import Plan
from geo.publish.reasons import attribution_texts, coverage_text, percent_text, source_text
from geo.publish.why import explanations_table
from geo.text import LANGUAGES, t


@pytest.mark.parametrize("decimals", [0, 1])
@given(share=st.floats(0.9, 1.1))
@example(share=0.995)
@example(share=0.9995)
def test_only_all_of_them_read_as_a_hundred_percent(decimals: int, share: float) -> None:
    for lang in LANGUAGES:
        all_of_them = percent_text(1.0, lang=lang, decimals=decimals)
        if share < 1 - 1e-9:
            assert percent_text(share, lang=lang, decimals=decimals) != all_of_them


def test_nearly_all_reads_as_more_than_what_the_places_can_hold() -> None:
    texts = [percent_text(0.99966, lang=lang, decimals=1) for lang in LANGUAGES]
    assert [text.replace("\xa0", " ") for text in texts] == ["> 99,9 %", ">99.9%", "> 99,9 %"]
    assert percent_text(0.9949, lang="en") == "99%"
    assert percent_text(0.9951, lang="en") == ">99%"
    assert percent_text(1 - 1e-12, lang="en") == "100%"
    assert percent_text(1.004, lang="en") == "100%"


def test_a_code_of_the_data_is_told_in_words_and_the_words_of_a_user_stand() -> None:
    codes = ["modelled", "osm_bus_stop (60 m)", "GPS, 2024", None, float("nan"), "osm_pois"]
    assert [source_text(code, lang="fr") for code in codes] == [
        "modélisé", "arrêt de bus sur OpenStreetMap (60 m)", "GPS, 2024", "", "", "osm_pois",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_only_a_plan_of_hanoi_names_its_resolution(plan: Plan, lang: str) -> None:
    elsewhere = replace(plan, units=plan.units.set_axis(["01001", "01002", "01004"]))
    told = [" ".join(attribution_texts(each, lang=lang)) for each in (plan, elsewhere)]
    assert ["1656/NQ-UBTVQH15" in text for text in told] == [True, False]
    assert all("155/2025" in text for text in told)


def test_the_headline_says_how_many_units_and_people_it_leaves_out(plan: Plan) -> None:
    told = coverage_text(plan, lang="en")
    assert told.startswith("Travel times cover 2 of 3 units (50% of the people).")
    everywhere = replace(plan, totals=plan.totals | {"units_without_network": []})
    assert coverage_text(everywhere, lang="en") == ""
    without_site = replace(everywhere, units=plan.units.assign(n_sites=[2, 0, 0]))
    assert coverage_text(without_site, lang="en").startswith("2 of 3 units have no site;")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_figure_that_is_not_known_carries_no_unit(plan: Plan, lang: str) -> None:
    """The second unit of the toy has no roads: "not known min" is no sentence."""
    unknown = t("publish.unknown", lang=lang)
    texts = [text for text in explanations_table(plan, lang=lang)["text"] if unknown in text]
    assert texts
    assert not [text for text in texts if re.search(rf"{unknown}\s*(min|phút|m²|percentage|điểm|points)", text)]
