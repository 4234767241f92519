"""Isochrones on the page of a unit: asked for by the reader, drawn under the buildings of the proposed option only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, make_plan
from geo.study.isochrones import unit_isochrones
from geo.text import LANGUAGES
from geo.ui import longwork
from geo.ui.pages import unit as unit_page
from geo.ui.sketch import draw_unit


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_isochrones_are_drawn_on_request_and_follow_the_sites_not_the_weights(
    start: Callable[..., AppTest],
    go: Callable[[AppTest, str], AppTest],
    monkeypatch: pytest.MonkeyPatch,
    lang: str,
) -> None:
    longwork.answers.clear()
    asked, drawn = [], []

    def counted(*args: Any, **options: Any) -> gpd.GeoDataFrame:
        asked.append(options["unit_ids"])
        return unit_isochrones(*args, **options)

    def seen(*args: Any, **options: Any) -> str:
        drawn.append(options["isochrones"])
        return draw_unit(*args, **options)

    monkeypatch.setattr(unit_page, "unit_isochrones", counted)
    monkeypatch.setattr(unit_page, "draw_unit", seen)
    app = go(start(lang=lang, unit="00010"), "unit")
    assert not app.exception
    assert not asked
    app.toggle(key="unit_reached").set_value(True).run()
    assert not app.exception
    assert [found is not None for found in drawn] == [False, True]
    app.select_slider(key="weights.size").set_value(0.9).run()
    assert asked == [["00010"]]


def test_one_unit_alone_has_the_isochrones_that_it_has_among_all(toy_city: City) -> None:
    plan = make_plan(toy_city)
    every = unit_isochrones(plan)
    alone = unit_isochrones(plan, unit_ids=["00020"])
    expected = every[every["unit_id"] == "00020"].reset_index(drop=True)
    assert len(expected) == 5
    assert alone.reset_index(drop=True).equals(expected)


def test_the_sketch_draws_the_farthest_first_and_names_each_limit(toy_city: City) -> None:
    plan = make_plan(toy_city)
    found = unit_isochrones(plan, unit_ids=["00010"])
    scores = plan.sites.loc[plan.sites["unit_id"] == "00010", "score_0_1"]
    picture = draw_unit(toy_city, "00010", shares=scores, roles={}, lang="vi", isochrones=found, minutes_text="{} phút")
    root = ElementTree.fromstring(picture)
    svg = "{http://www.w3.org/2000/svg}"
    fills = [path.get("fill") for path in root.findall(f"{svg}path") if path.get("stroke") == "none"]
    legend = [rect.get("fill") for rect in root.findall(f"{svg}rect")[1:]]
    assert fills == legend[::-1]
    assert [text.text for text in root.findall(f"{svg}text")][:5] == ["5", "10", "15", "20", "30 phút"]
