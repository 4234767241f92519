"""The page of the frontier: curves in every language, the marks of April and of the budget, and the file of the CLI."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from geo import City, Params, make_plan
from geo.progress import Progress
from geo.study.frontier import mark_budget, trace_frontier
from geo.text import LANGUAGES, t
from geo.ui import longwork
from geo.ui.charts import MEASURES, Measure, axis_ends, frontier_chart
from geo.ui.pages import frontier
from geo.ui.words import number_locale

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]


@pytest.fixture
def table() -> pd.DataFrame:
    """A frontier of three budgets, made up."""
    columns = {measure.column: [0.4, 0.5, 0.5] for measure in MEASURES}
    columns |= {"marginal_gain": [np.nan, 0.1, 0.0], "cost": [1234.5, 2000.0, 2000.0]}
    index = pd.Index([2, 3, 4], name="max_sites")
    return pd.DataFrame({**columns, "mark": ["one_each", "", ""]}, index=index)


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_has_its_curve_in_every_language(start: Start, go: Go, lang: str) -> None:
    app = go(start(lang=lang), "frontier")
    assert not app.exception
    assert not app.error
    assert app.title[0].value == t("study.frontier.title", lang=lang)
    titles = [chart["title"]["text"] for chart in charts(app)]
    assert t("study.frontier.measure.mean_time_min", lang=lang) in titles
    assert len(titles) == len(set(titles)) >= 7
    assert len(app.metric) == 4
    assert app.metric[2].delta.split(" ", 1)[1].startswith(t("ui.amount.points", lang=lang, value="").strip())


def test_the_table_is_that_of_the_command_line_and_marks_the_budget(start: Start, go: Go, toy_city: City) -> None:
    app = go(start(lang="en", choice__max_sites="3"), "frontier")
    expected = trace_frontier(make_plan(toy_city, Params().with_values({"choice.max_sites": 3})))
    shown = app.dataframe[0].value
    assert shown["max_sites"].tolist() == expected.index.tolist() == [2, 3, 4]
    assert shown["mark"].tolist() == ["●", "◆", ""]
    assert shown["mean_time_min"].tolist() == pytest.approx(expected["mean_time_min"].tolist())
    assert shown["marginal_gain"].tolist()[1:] == pytest.approx((1000 * expected["marginal_gain"]).tolist()[1:])


def test_the_budget_moves_the_mark_and_asks_for_nothing_anew(
    start: Start, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    longwork.answers.clear()
    asked = []

    def counted(*args: object, **options: object) -> pd.DataFrame:
        asked.append(args)
        return trace_frontier(*args, **options)

    monkeypatch.setattr(frontier, "trace_frontier", counted)
    app = go(start(lang="en", choice__max_sites="3"), "frontier")
    app.slider(key="choice.max_sites").set_value(4).run()
    assert app.dataframe[0].value["mark"].tolist() == ["●", "", "◆"]
    assert len(asked) == 1
    app.select_slider(key="weights.size").set_value(0.9).run()
    assert len(asked) == 2


def test_the_mark_is_all_that_a_budget_changes(table: pd.DataFrame) -> None:
    moved = mark_budget(table, 4)
    assert moved["mark"].tolist() == ["one_each", "", "budget"]
    assert moved.drop(columns="mark").equals(table.drop(columns="mark"))
    assert mark_budget(table, 99)["mark"].tolist() == table["mark"].tolist()


def test_the_frontier_tells_how_far_it_is_and_can_be_stopped(toy_city: City) -> None:
    shares: list[float] = []

    def stop_at_the_second(step: str, share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise KeyboardInterrupt

    progress: Progress = stop_at_the_second
    with pytest.raises(KeyboardInterrupt):
        trace_frontier(make_plan(toy_city), progress=progress)
    assert shares[0] == 0.0
    assert len(shares) == 2


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.column)
def test_a_chart_holds_what_is_known_and_writes_numbers_as_the_language_does(
    table: pd.DataFrame, measure: Measure, lang: str
) -> None:
    chart = frontier_chart(table, measure, lang=lang)
    assert json.loads(json.dumps(chart, allow_nan=False)) == chart
    assert len(chart["data"]["values"]) == table[measure.column].notna().sum()
    decimal = chart["config"]["locale"]["number"]["decimal"]
    assert decimal == ("." if lang == "en" else ",")


def test_the_separators_are_those_of_each_language() -> None:
    found = {lang: (number_locale(lang)["thousands"], number_locale(lang)["decimal"]) for lang in LANGUAGES}
    assert found == {"vi": (".", ","), "en": (",", "."), "fr": ("\u202f", ",")}


@given(st.lists(st.floats(0, 1e6) | st.just(float("nan")), max_size=8), st.floats(0.01, 100))
def test_an_axis_holds_every_value_and_never_makes_a_slope_of_noise(values: list[float], span: float) -> None:
    low, high = axis_ends(pd.Series(values, dtype=float), span=span)
    known = [value for value in values if not np.isnan(value)]
    assert all(low <= value <= high for value in known)
    assert low >= 0
    assert high - low >= min(span, high) - 1e-9
