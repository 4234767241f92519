"""The unit card tells why when asked; the page of a unit tells it in parts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, Params, make_plan
from geo.publish.why import explanation_parts, explanation_texts
from geo.study.explain import explain_unit
from geo.study.sensitivity import robustness_tables
from geo.text import LANGUAGES, t
from geo.ui.charts import ranges_chart
from geo.ui.words import plain


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_unit_card_explains_the_choice_when_asked(start: Callable[..., AppTest], lang: str) -> None:
    app = start(lang=lang, unit="00020")
    before = len(app.markdown)
    toggle = app.toggle(key="card_why")
    assert toggle.label == t("choice.card.why", lang=lang)
    toggle.set_value(True).run()
    assert not app.exception
    assert len(app.markdown) == before + 1
    assert t("publish.firmness.firm", lang=lang) in app.markdown[-1].value or "%" in app.markdown[-1].value


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_a_unit_shows_every_part_of_the_explanation(
    start: Callable[..., AppTest], go: Callable[[AppTest, str], AppTest], toy_city: City, lang: str
) -> None:
    app = go(start(lang=lang, unit="00020"), "unit")
    assert not app.exception
    plan = make_plan(toy_city)
    shown = "\n".join(text.value for text in app.markdown)
    parts = explanation_parts(plan, explain_unit(plan, "00020"), lang=lang)
    assert {"chosen", "turning", "firmness"} <= set(parts)
    for name, sentences in parts.items():
        if name != "reason":
            assert f"**{t(f'study.why.{name}', lang=lang)}**" in shown
            assert all(plain(sentence) in shown for sentence in sentences)


@pytest.mark.parametrize("unit_id", ["00010", "00020"])
def test_the_parts_hold_every_sentence_once_and_in_order(toy_city: City, unit_id: str) -> None:
    plan = make_plan(toy_city)
    explained = explain_unit(plan, unit_id)
    parts = explanation_parts(plan, explained, lang="en")
    assert [text for texts in parts.values() for text in texts] == explanation_texts(plan, explained, lang="en")


def test_the_chart_shows_how_far_each_weight_may_move(
    start: Callable[..., AppTest], go: Callable[[AppTest, str], AppTest]
) -> None:
    app = go(start(lang="en", unit="00020"), "unit")
    (chart,) = [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]
    assert chart["title"]["text"] == t("study.why.ranges", lang="en")
    ranges = pd.DataFrame({"criterion": ["Size"], "low": [0.1], "now": [0.3], "high": [0.75]})
    drawn = ranges_chart(ranges, title="", words={"low": "", "now": "", "high": ""}, lang="fr")
    assert drawn["data"]["values"] == ranges.to_dict("records")
    assert [layer["encoding"]["x"]["field"] for layer in drawn["layer"]] == ["low", "now"]


def test_the_table_of_candidates_tells_how_often_each_building_wins(
    start: Callable[..., AppTest], go: Callable[[AppTest, str], AppTest], toy_city: City
) -> None:
    app = go(start(lang="en", unit="00020"), "unit")
    (table,) = [frame.value for frame in app.dataframe if "wins" in frame.value]
    _, sites = robustness_tables(make_plan(toy_city, Params().with_values({"robustness.n_weightings": 2000})))
    expected = 100 * sites.loc[sites["unit_id"] == "00020", "chosen_share"]
    assert sorted(table["wins"]) == pytest.approx(sorted(expected))
