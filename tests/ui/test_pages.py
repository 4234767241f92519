"""Every page in every language, and the road from a control to a plan and back to the URL."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, Params, make_plan
from geo.errors import InfeasibleError
from geo.params import CRITERIA
from geo.text import LANGUAGES, t
from geo.ui import state
from geo.ui.tables import MISSING
from geo.ui.words import plain
from tests.toy import toy_folder
from tests.ui.toyapp import HOSTILE

PAGES = ("overview", "unit", "export", "data")
Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]


def assert_no_error(app: AppTest) -> None:
    assert not app.exception
    assert not app.error


def table_with(app: AppTest, *columns: str) -> pd.DataFrame:
    """Return the only table on the page that has these columns."""
    (table,) = [frame.value for frame in app.dataframe if set(columns) <= set(frame.value.columns)]
    return table


def unit_table(app: AppTest) -> pd.DataFrame:
    return table_with(app, "n_sites")


def url(app: AppTest) -> dict[str, str]:
    return {name: text if isinstance(text, str) else text[0] for name, text in app.query_params.items()}


def sliders(app: AppTest) -> dict[str, float]:
    return {slider.key: slider.value for slider in (*app.slider, *app.select_slider)}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_in_every_language(start: Start, go: Go, lang: str, page: str) -> None:
    app = go(start(lang=lang), page)
    assert_no_error(app)
    title = "ui.overview.title" if page == "overview" else f"ui.page.{page}"
    assert app.title[0].value == t(title, lang=lang, city="Toy")
    assert app.select_slider[0].label == t("ui.criterion.location", lang=lang)
    assert {frame.proto.placeholder for frame in app.dataframe} <= {MISSING}


@pytest.mark.parametrize("page", ["overview", "frontier", "export"])
def test_every_page_says_which_units_its_travel_times_leave_out(
    start: Start, go: Go, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_DATA_DIR", str(toy_folder(tmp_path / "roadless")))
    app = go(start(lang="en"), page)
    assert_no_error(app)
    assert [warning for warning in app.warning if "cover 0 of 2 units" in warning.value]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_headline_counts_the_units_that_meet_the_norm_and_the_sites_that_are_left(
    start: Start, toy_city: City, lang: str
) -> None:
    plan = make_plan(toy_city, Params())
    met = sum(1 for share in plan.units["norm_met_pct"] if share >= 100)
    app = start(lang=lang)
    (shown,) = [metric for metric in app.metric if metric.label == t("ui.figure.norm", lang=lang)]
    assert shown.value == f"{met} / {len(plan.units)}"
    left = str(Params().choice.max_sites - plan.totals["sites"])
    assert t("ui.figure_help.sites_left", lang=lang, left=left) in [caption.value for caption in app.caption]


def test_no_gain_is_spoken_of_where_it_is_buildings_that_lack(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = toy_folder(tmp_path / "bare")
    inventory = folder / "buildings" / "inventory.csv"
    inventory.write_text("".join(inventory.read_text("utf-8").splitlines(keepends=True)[:2]), "utf-8")
    monkeypatch.setenv("GEO_DATA_DIR", str(folder))
    app = start(lang="en")
    assert [warning for warning in app.warning if "1 of 2 units have no site" in warning.value]
    assert not [caption for caption in app.caption if "left over" in caption.value]


def test_vietnamese_is_the_default_language(start: Start) -> None:
    assert start().selectbox(key="lang").value == "vi"


def test_choosing_a_language_changes_the_page_at_once_and_keeps_the_weights(start: Start) -> None:
    app = start(weights__size="0.8")
    app.selectbox(key="lang").select("fr").run()
    assert app.title[0].value == "Toy : des sièges pour les nouvelles unités"
    assert sliders(app)["weights.size"] == 0.8


@pytest.mark.parametrize(("lang", "written"), [("vi", "0,33"), ("en", "0.33"), ("fr", "0,33")])
def test_a_weight_is_written_as_the_language_does_and_may_lie_between_two_steps(
    start: Start, lang: str, written: str
) -> None:
    app = start(lang=lang, weights__size="0.33")
    slider = app.select_slider(key="weights.size")
    assert slider.value == 0.33
    assert written in slider.options
    slider.set_value(0.5).run()
    assert_no_error(app)
    assert sliders(app)["weights.size"] == 0.5


def test_a_slider_gives_the_plan_that_the_api_gives(start: Start, toy_city: City) -> None:
    app = start()
    before = unit_table(app)
    app.select_slider(key="weights.size").set_value(1.0).run()
    app.select_slider(key="weights.access").set_value(0.1).run()
    app.slider(key="choice.max_sites").set_value(3).run()
    params = Params().with_values({"weights.size": 1.0, "weights.access": 0.1, "choice.max_sites": 3})
    expected = make_plan(toy_city, params).units
    shown = unit_table(app)
    assert shown["n_sites"].tolist() == expected["n_sites"].tolist()
    score = expected["two_site_score"].where(expected["n_sites"] == 2, expected["one_site_score"])
    assert shown["score"].tolist() == pytest.approx(score.tolist(), abs=1e-12)
    assert shown["score"].tolist() != before["score"].tolist()


def test_the_travel_mode_reaches_the_plan(start: Start, toy_city: City) -> None:
    app = start()
    app.selectbox(key="access.mode").select("walk").run()
    assert_no_error(app)
    expected = make_plan(toy_city, Params().with_values({"access.mode": "walk"})).units
    assert unit_table(app)["mean_time_min"].tolist() == pytest.approx(expected["mean_time_min"].tolist())


def test_a_link_brings_back_everything_that_was_set(start: Start) -> None:
    link = {"lang": "en", "unit": "00020", "weights.size": "0.8", "choice.max_sites": "3", "access.mode": "walk"}
    app = start(**link)
    assert_no_error(app)
    assert sliders(app)["weights.size"] == 0.8
    assert sliders(app)["choice.max_sites"] == 3
    assert app.selectbox(key="access.mode").value == "walk"
    assert url(app) == link


def test_what_is_set_goes_into_the_url_and_survives_a_change_of_page(start: Start, go: Go) -> None:
    app = start()
    assert url(app) == {}
    app.select_slider(key="weights.location").set_value(0.9).run()
    assert url(app) == {"weights.location": "0.9"}
    app.query_params.clear()  # what Streamlit does to the URL when the page changes
    app = go(app, "unit")
    assert sliders(app)["weights.location"] == 0.9
    assert url(app) == {"weights.location": "0.9"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights__size": "2"},
        {"weights__size": "nan"},
        {"weights__size": "x"},
        {"choice__max_sites": "0"},
        {"access__mode": "rocket"},
        {"lang": "xx"},
        {"unit": HOSTILE},
    ],
)
def test_a_wrong_value_in_the_url_keeps_the_default(start: Start, wrong: dict[str, str]) -> None:
    app = start(**wrong)
    assert_no_error(app)
    assert sliders(app)["weights.size"] == Params().weights.size
    assert app.selectbox(key="access.mode").value == "motorbike"
    assert url(app) == {}


def test_all_weights_at_zero_are_explained_and_can_be_undone(start: Start) -> None:
    app = start(lang="en", **{f"weights.{name}": "0" for name in CRITERIA[1:]})
    app.select_slider(key="weights.location").set_value(0.0).run()
    assert not app.exception
    assert app.error[0].value == t("ui.failed.params", lang="en")
    app.button[0].click().run()
    assert_no_error(app)
    assert sliders(app)["weights.size"] == Params().weights.size


def test_a_broken_data_folder_is_told_fault_by_fault(
    start: Start, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("GEO_DATA_DIR", str(tmp_path / "empty"))
    app = start(lang="en")
    assert not app.exception
    assert app.error[0].value == t("ui.failed.input", lang="en")
    faults = app.markdown[-1].value.splitlines()
    assert len(faults) >= 2
    assert any("buildings/" in fault for fault in faults)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_choice_that_is_not_possible_is_explained_in_the_language_of_the_reader(
    start: Start, monkeypatch: pytest.MonkeyPatch, toy_city: City, lang: str
) -> None:
    too_few = Params().with_values({"choice.max_sites": 1})
    with pytest.raises(InfeasibleError) as caught:
        make_plan(toy_city, too_few)
    monkeypatch.setattr(state, "chosen_params", lambda: too_few)
    app = start(lang=lang)
    assert not app.exception
    assert app.error[0].value == t("ui.failed.plan", lang=lang)
    told = caught.value.faults[0].describe(lang=lang)
    assert plain(told) in app.markdown[-1].value
    assert "choice.max_sites = 2" in told


def test_the_decree_whose_norms_are_used_is_named(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    older = Params().with_values({"norms.decree": "152/2017"})
    monkeypatch.setattr(state, "chosen_params", lambda: older)
    app = start(lang="en")
    assert any("Decree 152/2017/ND-CP" in caption.value for caption in app.caption)
    assert any("Decree 152/2017/ND-CP" in metric.help for metric in app.metric)


def test_no_name_of_a_building_is_ever_read_as_markup(start: Start, go: Go, toy_city: City) -> None:
    assert HOSTILE in set(toy_city.sites["name"])
    app = go(start(lang="en", unit="00020"), "unit")
    texts = [element.value for kind in ("markdown", "caption", "info", "title") for element in app.get(kind)]
    named = [text for text in texts if "onerror" in text]
    assert named
    for text in named:
        assert plain(HOSTILE) in text
        assert not re.search(r"(?<!\\)(<img|\*b|\]\(|`\$|:red)", text)
    assert table_with(app, "score")["name"].eq(HOSTILE).any()


def test_the_unit_page_puts_one_site_beside_two(start: Start, go: Go, toy_city: City) -> None:
    app = go(start(lang="en", unit="00020"), "unit")
    plan = make_plan(toy_city)
    options = plan.options[plan.options["unit_id"] == "00020"].set_index("n_sites")
    shown = app.table[0].value
    assert list(shown.columns) == ["One site", "Two sites", "Difference"]
    assert shown.loc["Overall score", "One site"] == f"{options.loc[1, 'score']:.3f}"
    assert shown.loc["Overall score", "Two sites"] == f"{options.loc[2, 'score']:.3f}"
    gain = options.loc[2, "score"] - options.loc[1, "score"]
    assert shown.loc["Overall score", "Difference"] == f"{'+' if gain > 0 else '−'}{abs(gain):.3f}"
    assert len(table_with(app, "score")) == 3


def test_a_unit_with_one_building_says_that_there_is_no_pair(start: Start, go: Go) -> None:
    app = go(start(lang="en", unit="00010"), "unit")
    assert_no_error(app)
    assert t("ui.unit.no_option", lang="en") in [caption.value for caption in app.caption]


def test_choosing_a_unit_in_the_list_puts_it_into_the_link(start: Start, go: Go) -> None:
    app = go(start(), "unit")
    app.selectbox(key="unit_choice").select("00020").run()
    assert url(app) == {"unit": "00020"}
    assert app.selectbox(key="unit_choice").value == "00020"


def test_a_folder_without_a_model_shows_no_warning_and_one_with_a_model_does_on_every_page(
    start: Start, go: Go, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not start().warning
    modelled = Path(shutil.copytree(data_dir, tmp_path / "modelled"))
    inventory = modelled / "buildings" / "inventory.csv"
    header, *rows = inventory.read_text(encoding="utf-8").splitlines()
    inventory.write_text("\n".join([f"{header},data_source", *(f"{row},modelled" for row in rows)]), encoding="utf-8")
    monkeypatch.setenv("GEO_DATA_DIR", str(modelled))
    app = start(lang="en")
    for page in PAGES:
        assert "buildings" in go(app, page).warning[0].value


def test_leaving_the_map_in_the_midst_of_a_run_forgets_nothing(start: Start, go: Go) -> None:
    app = start(lang="en", unit="00020", weights__size="0.8")
    app.toggle(key="map_communes").set_value(True).run()
    assert app.button[0].label == t("ui.card.open", lang="en")
    app.button[0].click().run()
    assert_no_error(app)
    assert app.title[0].value == t("ui.page.unit", lang="en")
    assert sliders(app)["weights.size"] == 0.8
    assert go(app, "overview").toggle(key="map_communes").value is True
