"""The parts of the app that need no page: what the map gets, what is served, the sketch, the words."""

from __future__ import annotations

import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import City, Params, Plan, make_plan
from geo.params import CRITERIA
from geo.schemas import ROLES
from geo.text import LANGUAGES, t
from geo.ui.citymap import FILLS, MapLayers, clicked_unit, map_state
from geo.ui.colours import PALETTE, colour
from geo.ui.served import city_geometry, serve_city
from geo.ui.sketch import draw_unit
from geo.ui.store import ARCHIVE, current_plan, plan_files
from geo.ui.words import plain
from tests.ui.toyapp import HOSTILE


@pytest.fixture
def plan(toy_city: City) -> Plan:
    return make_plan(toy_city, Params())


@pytest.mark.parametrize("fill", ["", *FILLS])
def test_the_map_gets_figures_by_position_and_nothing_else(plan: Plan, fill: str) -> None:
    state = map_state(plan, lang="vi", layers=MapLayers(fill=fill), unit_id="00020")
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert state["unit"] == 1
    assert state["scores"] == [round(1000 * score) for score in plan.sites["score_0_1"]]
    assert [role != "0" for role in state["roles"]] == plan.sites["chosen"].tolist()
    assert (state["fills"] is None) == (fill == "")
    assert HOSTILE not in json.dumps(state)


def test_the_digest_that_the_map_shows_changes_with_the_weights(toy_city: City, plan: Plan) -> None:
    other = make_plan(toy_city, Params().with_values({"weights.size": 0.9}))
    digests = {map_state(p, lang="vi", layers=MapLayers(), unit_id="")["digest"] for p in (plan, other, plan)}
    assert len(digests) == 2


def test_a_unit_without_travel_times_is_sent_as_not_known(plan: Plan) -> None:
    plan.units.loc["00010", "mean_time_min"] = np.nan
    state = map_state(plan, lang="vi", layers=MapLayers(fill="minutes"), unit_id="")
    assert state["minutes"][0] is None
    assert state["fills"][0] is None


def test_the_norm_itself_lies_in_the_middle_of_its_ramp(plan: Plan) -> None:
    plan.units["norm_met_pct"] = [50.0, 400.0]
    state = map_state(plan, lang="vi", layers=MapLayers(fill="norm"), unit_id="")
    assert state["scale"]["ticks"] == ["0", "100", "≥ 200"]
    assert state["fills"] == [250, 1000]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_has_one_name_on_its_slider_in_the_explanations_and_in_the_workbook(name: str, lang: str) -> None:
    word = t(f"ui.criterion.{name}", lang=lang).casefold()
    assert word in t(f"choice.criterion.{name}", lang=lang).casefold()
    assert word in t(f"publish.column.{name}_0_1", lang=lang).casefold()


def test_the_map_never_says_that_all_arrive_while_somebody_does_not(plan: Plan) -> None:
    plan.units["share_within_30min"] = [0.9983, 1.0]
    assert map_state(plan, lang="en", layers=MapLayers(), unit_id="")["shares"] == [">99%", "100%"]


@pytest.mark.parametrize(
    ("tooltip", "unit_id"),
    [
        ("u0|Phường Tây", "00010"),
        ("u1|Phường Đông", "00020"),
        ("s0|UBND", "00010"),
        ("s1|UBND", "00020"),
        ("u2|", None),
        ("s99|", None),
        ("", None),
        ("x u0|", None),
        (HOSTILE, None),
    ],
)
def test_a_click_stands_for_the_unit_at_its_position(plan: Plan, tooltip: str, unit_id: str | None) -> None:
    assert clicked_unit(plan, tooltip) == unit_id


def test_what_is_served_is_written_once_and_whole(toy_city: City, tmp_path: Path) -> None:
    served = serve_city(toy_city, folder=tmp_path / "static")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "static").rglob("*") if path.is_file()}
    assert serve_city(toy_city, folder=tmp_path / "static") == served
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "static").rglob("*") if path.is_file()} == files
    for address in (*served.scripts, *served.styles):
        assert (tmp_path / "static" / address.removeprefix("../../app/static/")).is_file()
    assert not [path for path in (tmp_path / "static").iterdir() if path.name.startswith("tmp")]


def test_sessions_that_start_at_the_same_moment_serve_the_same_whole_files(toy_city: City, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        served = list(pool.map(lambda _: serve_city(toy_city, folder=tmp_path), range(8)))
    assert len(set(served)) == 1
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["assets", "city"]


def test_sessions_share_a_plan_by_what_it_was_made_from(toy_city: City) -> None:
    heavy = Params().with_values({"weights.size": 0.9})
    assert current_plan(toy_city, Params()) is current_plan(toy_city, Params())
    assert current_plan(toy_city, heavy) is not current_plan(toy_city, Params())
    assert current_plan(toy_city, heavy).params == heavy


def test_the_geometry_keeps_the_order_of_the_tables_and_looks_like_the_city(toy_city: City) -> None:
    geometry = city_geometry(toy_city)
    assert [unit["id"] for unit in geometry["units"]] == list(toy_city.units.index)
    assert [site["id"] for site in geometry["sites"]] == list(toy_city.sites.index)
    assert geometry["bounds"] == [[21.0, 105.8], [21.02, 105.83]]
    assert geometry["sites"][0]["lat"] == pytest.approx(21.015)
    assert geometry["sites"][0]["lon"] == pytest.approx(105.805)
    assert geometry["communes"]
    assert geometry["roads"]


def test_a_script_that_is_served_holds_nothing_but_ascii(toy_city: City, tmp_path: Path) -> None:
    served = serve_city(toy_city, folder=tmp_path)
    script = (tmp_path / served.scripts[-1].rsplit("/", 1)[1]).read_bytes()
    assert script.isascii()
    assert script.startswith(b"trusoCity.load({")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sketch_is_an_image_with_a_sign_for_every_building(plan: Plan, lang: str) -> None:
    scores = plan.sites.loc[plan.sites["unit_id"] == "00020", "score_0_1"]
    roles = {scores.index[0]: ROLES[1], scores.index[1]: ROLES[2]}
    root = ElementTree.fromstring(draw_unit(plan.city, "00020", shares=scores, roles=roles, lang=lang))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{svg}circle")) == len(scores) - len(roles)
    signs = [path for path in root.findall(f"{svg}path") if path.get("stroke-width") == "2.4"]
    assert len(signs) == len(roles)
    assert [text.text for text in root.findall(f"{svg}text")] == ["0.5 km" if lang == "en" else "0,5 km"]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_share_is_never_darker(a: float, b: float) -> None:
    def lightness(value: str) -> float:
        red, green, blue = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    low, high = sorted((a, b))
    assert lightness(colour(low)) <= lightness(colour(high)) + 0.01
    assert colour(0.0) == PALETTE[0]
    assert colour(1.0) == PALETTE[-1]
    assert colour(float("nan")) == "#ffffff"


@given(st.text(max_size=80))
def test_plain_text_comes_out_of_markdown_as_it_went_in(text: str) -> None:
    written = plain(text)
    assert re.sub(r"\\(.)", r"\1", written) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`<>\[\]$:#|~&]", written)


def test_the_archive_holds_every_file_and_is_the_same_every_time(plan: Plan) -> None:
    files = plan_files(plan, "vi")
    with zipfile.ZipFile(BytesIO(files[ARCHIVE])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: content for name, content in files.items() if name != ARCHIVE
        }
        assert {info.date_time for info in archive.infolist()} == {(2025, 7, 1, 0, 0, 0)}
