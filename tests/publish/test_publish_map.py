from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from geo.city import load_city
from geo.plan import Plan, make_plan
from geo.publish.webmap import map_data, map_html, unit_shapes
from geo.publish.why import explanations_table
from geo.schemas import ROLES, WGS84
from geo.settings import Settings
from geo.text import LANGUAGES


def data_of(page: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    return json.loads(text)


@pytest.fixture(scope="module")
def page(plan):
    return map_html(plan, lang="vi").decode()


def test_the_page_asks_for_nothing(page):
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.findall(r"\b(?:src|href|action|data)\s*=", markup)
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL))
    assert not re.findall(r"@import|url\((?!#)", styles)
    assert "sourceMappingURL" not in page
    # What is left are the name of an XML space and the credit of Leaflet, which the page replaces.
    code = re.sub(r"/\*.*?\*/", "", page.split('id="data"')[0] + page.split("</script>", 1)[1], flags=re.DOTALL)
    assert set(re.findall(r"https?://([^/\"'\s)<>]+)", code)) <= {"leafletjs.com", "www.w3.org"}


def test_the_content_policy_allows_the_two_scripts_of_the_page_and_no_other(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src &#x27;none&#x27;" in policy
    assert policy.count("sha256-") == 2
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_a_name_cannot_leave_its_place_in_the_page(page):
    assert page.count("<script") == 3
    assert "<img" not in page
    assert "onerror=alert" in data_of(page)["units"][1]["name"]


def test_a_name_that_looks_like_a_placeholder_stays_what_it_is(plan):
    named = replace(plan, city=replace(plan.city, name="@data@ <b>"))
    assert "<h1>Headquarters plan for @data@ &lt;b&gt;</h1>" in map_html(named, lang="en").decode()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_in_the_language_and_says_what_is_modelled(plan, lang):
    page = map_html(plan, lang=lang).decode()
    assert page.startswith(f'<!doctype html>\n<html lang="{lang}">')
    assert {"vi": "Dữ liệu mô phỏng", "en": "Modelled data", "fr": "Données modélisées"}[lang] in page
    assert "OpenStreetMap" in page


def test_figures_of_the_map_are_those_of_the_table(plan):
    unit = map_data(plan, lang="en")["units"][0]
    assert unit["cells"] == ["2", "0.800"]
    assert unit["values"] == [
        "00004", "UBND phường Phúc Xá (a)", "`${alert(3)}` \\ {x} & <b> (b)", "0.712", "0.800", "0.088",
        "5.4", "11.2", "100%", "102%", "130%", "46%", "20,000", "139", "3,440",
    ]  # fmt: skip


def test_the_page_says_why_in_the_sentences_of_truso_explain(plan):
    told = explanations_table(plan, lang="vi").set_index("unit_id")["text"]
    for unit in map_data(plan, lang="vi")["units"]:
        assert unit["why"] == told[unit["id"]].tolist()[1:], "the first is the reason, which stands above"


def test_what_is_not_known_has_no_class(plan):
    data = map_data(plan, lang="en")
    classes = {unit["id"]: unit["classes"] for unit in data["units"]}
    assert classes["00025"]["mean_time_min"] == -1
    assert classes["09556"]["norm_met_pct"] == -1
    assert all(classes[unit_id]["score"] >= 0 for unit_id in classes)


def test_every_class_that_is_drawn_stands_in_the_legend(plan):
    data = map_data(plan, lang="en")
    for measure in data["measures"]:
        used = {unit["classes"][measure["key"]] for unit in data["units"]} - {-1}
        assert used <= set(range(len(measure["classes"])))
        assert len({entry["colour"] for entry in measure["classes"]}) == len(measure["classes"])


def test_a_unit_short_of_room_never_shares_a_class_with_one_that_has_enough(plan):
    units = plan.units.assign(norm_met_pct=[99.0, 101.0, 450.0])
    data = map_data(replace(plan, units=units), lang="en")
    classes = [unit["classes"]["norm_met_pct"] for unit in data["units"]]
    measure = next(measure for measure in data["measures"] if measure["key"] == "norm_met_pct")
    assert [measure["classes"][i]["label"] for i in classes] == ["75% – 100%", "100% – 150%", "> 150%"]


def test_a_measure_that_no_unit_has_is_drawn_as_not_known(plan):
    units = plan.units.assign(mean_time_min=np.nan)
    data = map_data(replace(plan, units=units), lang="en")
    measure = next(measure for measure in data["measures"] if measure["key"] == "mean_time_min")
    assert measure["classes"] == []
    assert {unit["classes"]["mean_time_min"] for unit in data["units"]} == {-1}


def test_the_chosen_sites_are_drawn_last_with_the_symbol_of_their_role(plan):
    symbols = [site["symbol"] for site in map_data(plan, lang="en")["sites"]]
    assert symbols == ["other", "other", "committee_one_stop", "party_council", "all_functions", "all_functions"]


def test_a_sign_means_the_same_as_in_the_app(page):
    paths = dict(re.findall(r'(\w+): \{ path: "M([^"]*) Z"', page))
    corners = {role: [[float(x) for x in corner.split()] for corner in paths[role].split("L")] for role in ROLES}
    assert [len(corners[role]) for role in ROLES] == [4, 4, 3]
    level = {role: any(a[1] == b[1] for a, b in pairwise(corners[role])) for role in ROLES}
    assert level == dict(zip(ROLES, (True, False, True), strict=True))  # ■ ◆ ▲


def test_the_page_says_for_how_many_its_travel_times_speak(page):
    (told,) = re.findall(r'<p class="modelled" role="note">(.*?)</p>', page)
    assert "chỉ tính được ở 2 trên 3 đơn vị (50\xa0% dân số)" in told


def test_neighbours_share_their_line_after_simplifying():
    """Two units with a ragged line between them, and a hole in the left one.

    ::

        +----\\----+
        | o  /    |
        |    \\    |
        +----/----+
    """
    y = np.linspace(0, 2_000, 81)
    ragged = np.column_stack([1_000 + 15 * np.sin(np.arange(81)), y])
    left = Polygon([(0, 0), *ragged, (0, 2_000)], [box(300, 900, 500, 1_100).exterior.coords])
    right = Polygon([(2_000, 2_000), *ragged[::-1], (2_000, 0)])
    crs = "EPSG:32648"
    frame = gpd.GeoDataFrame(index=["l", "r"], geometry=[left, right], crs=crs).translate(580_000, 2_320_000)
    shapes = unit_shapes(gpd.GeoDataFrame(geometry=frame, crs=crs))
    drawn = {
        name: shapely.MultiPolygon([(rings[0], rings[1:]) for rings in polygons]) for name, polygons in shapes.items()
    }
    points = sum(len(shapely.get_coordinates(shape)) for shape in drawn.values())
    assert points < 40
    assert len(drawn["l"].geoms[0].interiors) == 1
    assert drawn["l"].intersection(drawn["r"]).area < 1e-12
    assert shapely.coverage_is_valid(list(drawn.values()))
    # Latitude comes first, as Leaflet wants it.
    assert 20 < shapely.get_coordinates(drawn["l"])[0, 0] < 22


@contextmanager
def opened(browser: Any, file: Path, *, asked: list[str], said: list[str]) -> Iterator[Any]:
    """Open a file in Chromium, where every request but the file itself is cut off."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def only_the_file(route: Any) -> None:
        asked.append(route.request.url)
        route.continue_() if route.request.url == file.as_uri() else route.abort()

    page.route("**/*", only_the_file)
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-units]", timeout=60_000)
    yield page
    page.close()


@pytest.mark.browser
def test_the_page_opens_from_a_file_and_fetches_nothing(browser, plan, tmp_path):
    file = tmp_path / "map.html"
    file.write_bytes(map_html(plan, lang="vi"))
    asked: list[str] = []
    said: list[str] = []
    with opened(browser, file, asked=asked, said=said) as page:
        assert page.locator("path.unit").count() == 3
        assert page.locator(".site svg").count() == 4
        assert page.locator("path.candidate").count() == 2
        assert page.locator(".leaflet-control-attribution").inner_text() == "Leaflet"

        page.fill("#search", "BA DINH")
        assert page.locator("#units tr:visible").count() == 1
        page.locator("#units tr:visible button").press("Enter")
        assert page.locator(".card h3").inner_text() == "Ba Đình"
        assert page.locator("#units tr[aria-current=true]").count() == 1

        page.fill("#search", "img src")
        page.locator("#units tr:visible button").click()
        page.locator(".card h3", has_text="<img src=x").wait_for()
        assert page.locator("img").count() == 0

        def fills() -> list[str]:
            return sorted(path.get_attribute("fill") for path in page.locator("path.unit").all())

        page.select_option("#measure", label="Số trụ sở")
        assert page.locator("#legend li").count() == 2 + 4
        assert fills() == ["#00224e", "#00224e", "#fee838"]
        page.select_option("#measure", label="Thời gian đi trung bình (phút)")
        assert page.locator("#legend li").count() == 2 + 1 + 4
        assert len(set(fills())) == 3
        assert "#ffffff" in fills()
    assert asked == [file.as_uri()]
    assert said == []


@pytest.fixture(scope="module")
def embedded(tmp_path_factory) -> Plan:
    if not any((Settings().data_dir / "boundaries").glob("communes.*")):
        pytest.skip("the embedded data are not built: truso build-demo")
    settings = Settings(cache_dir=tmp_path_factory.mktemp("cache"))
    return make_plan(load_city(settings=settings), settings=settings)


@pytest.mark.slow
def test_the_map_of_the_embedded_city_is_small_enough_to_be_mailed(embedded):
    page = map_html(embedded, lang="vi")
    assert len(page) < 3_000_000
    data = data_of(page.decode())
    assert len(data["units"]) == len(embedded.units)
    assert len(data["sites"]) == len(embedded.sites)


@pytest.mark.browser
def test_the_map_of_the_embedded_city_draws_every_unit(browser, embedded, tmp_path):
    file = tmp_path / "map.html"
    file.write_bytes(map_html(embedded, lang="en"))
    asked: list[str] = []
    said: list[str] = []
    with opened(browser, file, asked=asked, said=said) as page:
        assert page.locator("path.unit").count() == len(embedded.units)
        assert page.locator(".site svg").count() == int(embedded.sites["chosen"].sum())
        page.screenshot(path=tmp_path / "map.png")
    assert asked == [file.as_uri()]
    assert said == []


def test_the_shapes_are_in_degrees_of_the_city(plan):
    (west, south, east, north) = plan.city.units.to_crs(WGS84).total_bounds
    points = np.array(
        [point for unit in map_data(plan, lang="en")["units"] for ring in unit["shape"][0] for point in ring]
    )
    assert points.min(axis=0) == pytest.approx([south, west], abs=1e-5)
    assert points.max(axis=0) == pytest.approx([north, east], abs=1e-5)
