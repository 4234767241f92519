"""The page that compares two files of parameters: figures, sentences, tables and map; what is wrong with a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, make_plan
from geo.study.compare import compare_plans
from geo.text import LANGUAGES, t
from geo.ui.diffmap import difference_chart, unit_shapes
from tests.test_plan import SMALL
from tests.ui.toyapp import HOSTILE

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]
OTHER = """
[access]
scenario = "rush_hour"
[choice]
max_sites = 2
[weights]
size = 0.9
[constraints]
pinned_sites = ["S4"]
"""


def put(app: AppTest, side: str, text: str | bytes, *, name: str = "b.toml") -> AppTest:
    """Choose a file as a reader would."""
    content = text.encode() if isinstance(text, str) else text
    (place,) = [one for one in app.get("file_uploader") if one.key == f"compare_{side}"]
    place.set_value((name, content, "application/toml"))
    return app.run()


def shown(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in ("markdown", "error", "info", "caption") for one in app.get(kind))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_file_the_page_asks_for_one(start: Start, go: Go, lang: str) -> None:
    app = go(start(lang=lang), "compare")
    assert not app.exception
    assert [info.value for info in app.info] == [t("compare.missing", lang=lang)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_file_is_compared_with_the_controls_or_with_another(start: Start, go: Go, lang: str) -> None:
    app = put(go(start(lang=lang), "compare"), "after", OTHER)
    assert not app.exception
    assert not app.error
    params, totals, units = [frame.value for frame in app.dataframe]
    assert {"weights.size", "choice.max_sites", "access.scenario", "constraints.pinned_sites"} <= set(params["name"])
    assert len(totals) == 7
    assert len(units) == 2
    assert "UBND Phường Ánh" in units["sites_before"].tolist()  # a planner knows buildings by name
    assert t("compare.controls", lang=lang) in shown(app)
    app = put(app, "before", OTHER, name="a.toml")
    assert not app.exception
    assert [info.value for info in app.info] == [t("compare.same", lang=lang)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "[weights\n",
        b"\xff\xfe",
        "[weights]\nsize = 7\n",
        '[constraints]\npinned_sites = ["nowhere"]\n',
        '[choice]\nmax_sites = 2\n[constraints]\ntwo_site_units = ["00020"]\n',
        '[access]\nscenario = "/etc/passwd.toml"\n',
        f'[access]\nscenario = "{HOSTILE}"\n',
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_the_language_of_the_reader(
    start: Start, go: Go, lang: str, text: str | bytes
) -> None:
    app = put(go(start(lang=lang), "compare"), "after", text, name="**x**.toml")
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value == t("compare.unreadable", lang=lang, file=r"\*\*x\*\*\.toml")
    assert "<img" not in shown(app).replace(r"\<img", ""), "nothing of a stranger's file is markup"
    assert not app.dataframe


def test_a_large_file_is_refused_before_it_is_read(start: Start, go: Go) -> None:
    app = put(go(start(lang="en"), "compare"), "after", b"#" * 300_000)
    assert "the most a file of parameters may have is 256 kB" in app.error[0].value


@pytest.mark.parametrize("side", ["before", "after"])
def test_the_browser_sends_no_file_much_larger_than_is_read(start: Start, go: Go, side: str) -> None:
    app = go(start(lang="en"), "compare")
    (place,) = [one for one in app.get("file_uploader") if one.key == f"compare_{side}"]
    assert place.proto.max_upload_size_mb == 1


def test_a_file_that_asks_for_too_many_weightings_is_refused(start: Start, go: Go) -> None:
    app = put(go(start(lang="en"), "compare"), "after", "[robustness]\nn_weightings = 2001")
    assert not app.exception
    assert "n\\_weightings" in shown(app)
    assert "2000" in shown(app)
    assert not app.dataframe


@pytest.mark.parametrize("text", [f"x = {'[' * 3000}{']' * 3000}", f"x = {'9' * 5000}"], ids=["deep", "long"])
def test_a_hostile_file_is_told_and_not_a_fault_of_the_page(start: Start, go: Go, text: str) -> None:
    app = put(go(start(lang="en"), "compare"), "after", text)
    assert not app.exception
    assert len(app.error) == 1


def test_a_hostile_title_and_place_are_shown_as_they_stand(start: Start, go: Go) -> None:
    text = f"""
[access.scenario]
title = {{ en = '{HOSTILE}' }}
[[access.scenario.restrictions]]
name = '{HOSTILE}'
lon = 105.805
lat = 21.015
"""
    app = put(go(start(lang="en"), "compare"), "after", text)
    assert not app.exception
    assert not app.error
    params = app.dataframe[0].value.set_index("name")
    assert params.loc["access.scenario", "after"] == HOSTILE, "a table shows text and no markup"
    assert "<img" not in shown(app).replace(r"\<img", "")


def test_the_chart_outlines_the_units_whose_choice_changes(toy_city: City) -> None:
    plans = [make_plan(toy_city, params) for params in (SMALL, SMALL.with_values({"choice.max_sites": 2}))]
    found = compare_plans(*plans)
    units = found.units.loc[toy_city.units.index]
    changed = np.asarray(units["change"] != "none")
    assert changed.tolist() == [False, True]
    options: dict[str, Any] = {"measure": "added_min", "lang": "en", "height": 300, "whole": False}
    chart = difference_chart(units, toy_city, unit_shapes(toy_city), outlined=changed, **options)
    assert len(chart["layer"]) == 2
    assert len(chart["layer"][1]["data"]["values"]) == 1


def test_a_plan_under_a_profile_is_a_link_away(start: Start, go: Go) -> None:
    app = go(start(lang="en", access__scenario="rush_hour"), "export")
    assert not app.exception
    assert any("Rush hour" in warning.value for warning in app.warning) or "Rush hour" in shown(app)
    assert app.query_params["access.scenario"] == "rush_hour"
    assert "access.scenario" not in start(lang="en", access__scenario="nope").query_params
