"""The page of scenarios: nothing before a click, then figures, sentences, the map and the table, in every language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, make_plan
from geo.profile import Scenario, list_scenarios
from geo.study.impact import Impact, compare_scenario
from geo.text import LANGUAGES, t
from geo.ui.diffmap import MEASURES, around_changes, difference_chart, has_unknown, scale_end, share_change, unit_shapes

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]
SLOW = Scenario(name="slow", speed_factors={"motorbike": {"primary": 0.5, "residential": 0.2}})


def pick(app: AppTest, name: str) -> AppTest:
    app.session_state["scenario"] = name
    return app.run()


@pytest.fixture
def impact(toy_city: City) -> Impact:
    return compare_scenario(make_plan(toy_city), SLOW)


def chart(impact: Impact, city: City, **options: Any) -> dict[str, Any]:
    given = {"measure": "added_min", "lang": "en", "height": 300, "whole": True, **options}
    return difference_chart(impact.units, city, unit_shapes(city), **given)


def test_a_unit_of_which_nothing_is_known_is_not_drawn_as_unchanged(impact: Impact, toy_city: City) -> None:
    assert not has_unknown(impact.units, "added_min")
    impact.units.loc[impact.units.index[0], "added_min"] = np.nan
    assert has_unknown(impact.units, "added_min")
    layer = chart(impact, toy_city)["layer"][0]
    assert [feature["properties"]["unknown"] for feature in layer["data"]["values"]] == [True, False]
    assert layer["data"]["values"][0]["properties"]["value"] is not None, "Vega draws nothing without a value"
    tests = [case["test"] for case in layer["encoding"]["color"]["condition"]]
    assert "datum.properties.unknown" in tests


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_click_shows_what_the_scenario_does(start: Start, go: Go, lang: str) -> None:
    app = go(start(lang=lang), "scenarios")
    assert not app.exception
    assert not app.metric
    assert [info.value for info in app.info] == [t("scenario.none", lang=lang)]
    for name in list_scenarios():
        pick(app, name)
        assert not app.exception
        assert not app.error
        assert len(app.metric) == 4
    (table,) = [frame.value for frame in app.dataframe]
    assert len(table) == 2


def test_rush_hour_costs_minutes_and_a_zone_elsewhere_nothing(start: Start, go: Go) -> None:
    app = pick(go(start(lang="en"), "scenarios"), "rush_hour")
    (table,) = [frame.value for frame in app.dataframe]
    assert (table["added_min"] > 0).all()
    pick(app, "ring_road_1_barred")
    (table,) = [frame.value for frame in app.dataframe]
    assert (table["added_min"] == 0).all()


def test_the_scenario_stands_in_the_link(start: Start, go: Go) -> None:
    app = pick(go(start(lang="en"), "scenarios"), "rush_hour")
    assert app.query_params["scenario"] == "rush_hour"
    linked = go(start(lang="en", scenario="rush_hour"), "scenarios")
    assert not linked.exception
    assert len(linked.metric) == 4
    assert len(go(go(linked, "unit"), "scenarios").metric) == 4, "a change of page keeps it"
    assert not go(start(lang="en", scenario="nope"), "scenarios").metric


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sites_are_chosen_again_when_asked_for(start: Start, go: Go, lang: str) -> None:
    app = go(start(lang=lang, scenario="rush_hour"), "scenarios")
    (before,) = [frame.value for frame in app.dataframe]
    assert "sites_anew" not in before
    (toggle,) = [one for one in app.toggle if one.key == "scenario_anew"]
    toggle.set_value(True).run()
    assert not app.exception
    assert not app.error
    (table,) = [frame.value for frame in app.dataframe]
    assert {"sites_anew", "mean_time_min_anew"} <= set(table)
    sentence = {"vi": "Nếu chọn lại theo kịch bản", "en": "Chosen anew under", "fr": "Choisies de nouveau"}[lang]
    assert any(sentence in text.value for text in app.markdown)


def test_a_scenario_over_a_plan_of_the_same_profile_says_that_nothing_counts_twice(start: Start, go: Go) -> None:
    app = go(start(lang="en", scenario="rush_hour", access__scenario="rush_hour"), "scenarios")
    assert not app.exception
    (table,) = [frame.value for frame in app.dataframe]
    assert table["added_min"].abs().max() < 1e-6
    assert any("what both say counts once" in text.value for text in app.markdown)


def test_a_scenario_file_of_the_folder_is_offered_and_a_broken_one_is_told(
    start: Start, go: Go, data_dir: Path
) -> None:
    folder = data_dir / "scenarios"
    folder.mkdir()
    try:
        (folder / "mine.toml").write_text('title = { en = "**x**" }\n[speed_factors.motorbike]\nresidential = 0.5\n')
        (folder / "broken.toml").write_text("surprise = 1\n")
        app = pick(go(start(lang="en"), "scenarios"), "mine")
        assert not app.exception
        assert len(app.metric) == 4
        assert any("broken" in text.value for text in app.markdown)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("measure", MEASURES)
def test_the_chart_holds_every_unit_with_figure_and_words(
    impact: Impact, toy_city: City, measure: str, lang: str
) -> None:
    units = chart(impact, toy_city, measure=measure, lang=lang)["layer"][0]
    rows = [feature["properties"] for feature in units["data"]["values"]]
    assert [row["name"] for row in rows] == list(impact.units["name"])
    if measure != "lost_pct":
        assert [row["value"] for row in rows] == impact.units[measure].round(3).tolist()
    scale = units["encoding"]["color"]["scale"]
    assert scale["domain"][-1] >= max(row["value"] for row in rows) * 0.9
    assert len(scale["domain"]) == (3 if measure == "added_min" else 2)
    assert units["encoding"]["color"]["legend"]["title"] == t(f"scenario.legend.{measure}", lang=lang)


def test_the_scale_is_even_on_both_sides_of_zero_and_never_empty() -> None:
    assert scale_end(pd.Series([-3.2, 1.0]), step=0.5) == 3.5
    assert scale_end(pd.Series([0.0, 0.0]), step=0.5) == 0.5
    assert scale_end(pd.Series([np.nan]), step=0.5) == 0.5


def test_the_map_shows_what_lies_around_the_changes_or_everything(impact: Impact, toy_city: City) -> None:
    assert around_changes(impact.units, toy_city).all()
    units = impact.units.assign(added_min=0.0, lost_population=[0.0, 5.0])
    assert around_changes(units, toy_city).tolist()[1]
    none = units.assign(lost_population=0.0)
    assert around_changes(none, toy_city).all()
    assert around_changes(none, toy_city, also=np.array([True, False])).tolist()[0]


def test_a_change_that_rounds_to_nothing_is_not_shown_as_one(impact: Impact) -> None:
    def told(after: float | None) -> tuple[str, str | None]:
        totals = {"share_within_30min_before": 0.9, "share_within_30min_after": after}
        return share_change(Impact(scenario=SLOW, units=impact.units, totals=totals, idle=()), lang="en")

    assert told(0.8999) == ("90.0%", None)
    assert told(0.8) == ("80.0%", "-10.0")
    assert told(None)[1] is None
