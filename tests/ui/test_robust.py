"""The page of robustness: each question in every language, on demand, kept, stopped, and told in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, Params, make_plan
from geo.study.sensitivity import FIGURES, robustness_tables, try_times, vary_figures
from geo.text import LANGUAGES, catalogue, t
from geo.ui import longwork
from geo.ui.charts import figures_chart
from geo.ui.pages import robust

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]
FAST = {"robustness.n_time_draws": 2}


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    longwork.answers.clear()


def open_part(app: AppTest, part: str) -> AppTest:
    app.session_state["robust_part"] = part
    return app.run()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_part_shows_in_every_language(start: Start, go: Go, lang: str) -> None:
    app = go(start(lang=lang), "robust")
    assert app.title[0].value == t("study.robust.title", lang=lang)
    assert len(app.dataframe[0].value) == 2
    for part in ("methods", "figures", "weights"):
        open_part(app, part)
        assert not app.exception
        assert not app.error


def test_the_weights_are_those_of_the_command_line(start: Start, go: Go, toy_city: City) -> None:
    app = go(start(lang="en"), "robust")
    units, sites = robustness_tables(make_plan(toy_city, Params().with_values({"robustness.n_weightings": 2000})))
    shown = app.dataframe[0].value.set_index("name")
    expected = units.set_index("name")
    assert shown["win_share"].to_dict() == pytest.approx((100 * expected["win_share"]).to_dict())
    assert shown["win_share"].is_monotonic_increasing, "the most contestable first"
    low, high = expected.loc["Phường Đông", ["size_low", "size_high"]]
    assert shown.loc["Phường Đông", "size"] == f"{low:.2f} – {high:.2f}"
    disputed = sites[(sites["chosen_share"] > 0) & (sites["chosen_share"] < 1)]
    shown_sites = app.dataframe[1].value["chosen_share"] if len(app.dataframe) > 1 else pd.Series(dtype=float)
    assert len(shown_sites) == len(disputed)
    assert (shown_sites - 50).abs().is_monotonic_increasing, "the closest calls first"


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_figures_are_varied_after_a_click_and_then_kept(
    start: Start, go: Go, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    asked = []

    def counted(*args: Any, **options: Any) -> pd.DataFrame:
        asked.append(args)
        return vary_figures(*args, **options)

    monkeypatch.setattr(robust, "vary_figures", counted)
    app = open_part(go(start(lang=lang), "robust"), "figures")
    assert not app.dataframe
    assert not asked, "nothing is computed before the click"
    app.button(key="ask_figures").click().run()
    assert not app.exception
    table = app.dataframe[0].value
    assert t("study.figure.travel_times", lang=lang) in set(table["figure"])
    assert set(table["now"]) & {"0,75", "0.75"} == {"0.75" if lang == "en" else "0,75"}
    app.run()
    assert len(asked) == 1
    assert len(app.dataframe) == 1


def test_the_travel_times_err_after_a_click(start: Start, go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Params().with_values(FAST)
    monkeypatch.setattr("geo.ui.state.chosen_params", lambda: few)
    app = open_part(go(start(lang="en"), "robust"), "times")
    assert not app.dataframe
    app.button(key="ask_times").click().run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 2


@pytest.mark.parametrize(("work", "steps"), [(vary_figures, len(FIGURES)), (try_times, 2)])
def test_the_work_tells_how_far_it_is_and_stops_where_it_is_told_to(
    toy_city: City, work: Callable[..., Any], steps: int
) -> None:
    shares: list[float] = []

    def stop_at_the_second(step: str, share: float) -> None:
        shares.append(share)
        if len(shares) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(make_plan(toy_city, Params().with_values(FAST)), progress=stop_at_the_second)
    assert shares[0] == 0
    assert 0 < shares[1] <= 1 / steps + 1e-9


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_that_is_varied_has_a_name(lang: str) -> None:
    assert not [name for name in (*FIGURES, "norms.decree") if f"study.figure.{name}" not in catalogue(lang)]


def test_the_chart_puts_the_strongest_figure_on_top() -> None:
    bars = pd.DataFrame({"figure": ["a", "a", "b"], "side": ["-", "+", "+"], "units_changed": [1, 2, 5]})
    chart = figures_chart(bars, title="", lang="vi")
    assert chart["encoding"]["y"]["sort"] == ["b", "a"]
    assert chart["encoding"]["color"]["scale"]["domain"] == ["-", "+"]
