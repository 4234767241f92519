"""Plans under a network profile, on the streets of tests/test_plan.py: 200 m apart, all of them residential."""

from __future__ import annotations

import dataclasses
import html
import io
import tempfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.city import City, load_city
from geo.params import CRITERIA, Params, parse_params, read_params
from geo.plan import Plan, make_plan
from geo.profile import Restriction, Scenario
from geo.publish import render_files
from geo.schemas import RoadNetwork
from geo.settings import Settings
from geo.text import LANGUAGES, t
from tests.test_plan import SMALL, streets_of
from tests.toy import toy_folder

PARAMS = SMALL.with_values({"weights.access": 1.0})


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("profiles")
    toy = load_city(toy_folder(folder / "toy"), settings=Settings(cache_dir=folder / "cache"))
    return dataclasses.replace(toy, network=streets_of(toy), digest="toy-with-streets")


def under(profile: Scenario, params: Params = PARAMS) -> Params:
    return params.with_values({"access.scenario": profile})


def slowed(city: City, times: np.ndarray | float, digest: str) -> City:
    """Return the city with the ways of its network so many times as long, which takes as many times the seconds."""
    assert city.network is not None
    network = dataclasses.replace(city.network, length_m=city.network.length_m * times)
    return dataclasses.replace(city, network=network, digest=digest)


def assert_same(one: Plan, other: Plan) -> None:
    for table in ("units", "sites", "options"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table), check_exact=True)
    assert (one.totals, one.optimality) == (other.totals, other.optimality)


def test_a_profile_of_factors_one_changes_nothing(city: City, settings: Settings) -> None:
    ones = Scenario(speed_factors={"motorbike": dict.fromkeys(Params().access.speeds_kmh["motorbike"], 1.0)})
    assert_same(make_plan(city, under(ones), settings=settings), make_plan(city, PARAMS, settings=settings))
    assert under(ones).digest != PARAMS.digest


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0])
@pytest.mark.parametrize("points", [False, True])
def test_a_plan_under_a_profile_is_that_of_a_city_slowed_by_hand(
    city: City, settings: Settings, factor: float, points: bool
) -> None:
    """Powers of two, so that both ways of slowing round alike."""
    params = PARAMS.with_values({"service.count_points": points, "service.points": {"1": (105.803, 21.012)}})
    profile = Scenario(speed_factors={"motorbike": {"residential": factor}})
    by_profile = make_plan(city, under(profile, params), settings=settings)
    by_hand = make_plan(slowed(city, 1 / factor, "by-hand"), params, settings=settings)
    assert_same(by_profile, by_hand)
    base = make_plan(city, params, settings=settings)
    assert (by_profile.units["mean_time_min"]["00010"] > base.units["mean_time_min"]["00010"]) == (factor < 1)


def touched(network: RoadNetwork, lon: float, lat: float, radius_m: float, crs: object) -> np.ndarray:
    """Return which segments lie within a disc, by sampling each at every metre."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    middle = np.array(to_metres.transform(lon, lat))
    xy = np.stack(to_metres.transform(network.lon, network.lat), axis=1)
    along = np.linspace(0, 1, 201)[:, None, None]
    ways = xy[network.tail] * (1 - along) + xy[network.head] * along
    return np.asarray(np.hypot(*(ways - middle).transpose(2, 0, 1)).min(axis=0) <= radius_m)


def test_a_closed_place_is_that_of_a_city_whose_roads_there_take_for_ever(city: City, settings: Settings) -> None:
    assert city.network is not None
    closed = Restriction(name="market", lon=105.8075, lat=21.0145, radius_m=330.0)
    held = touched(city.network, 105.8075, 21.0145, 330.0, city.crs)
    assert 0 < held.sum() < len(held) / 2
    by_profile = make_plan(city, under(Scenario(restrictions=(closed,))), settings=settings)
    by_hand = make_plan(slowed(city, np.where(held, 1e9, 1.0), "by-hand"), PARAMS, settings=settings)
    assert_same(by_profile, by_hand)
    assert by_profile.units["unreachable_population"]["00010"] > 0


def test_a_restriction_that_touches_no_road_is_a_note_of_the_plan(city: City, settings: Settings) -> None:
    places = {"Cầu xa": (100.0, 10.0), "Chợ": (105.8075, 21.0145)}
    far = Scenario(restrictions=tuple(Restriction(name=name, lon=x, lat=y) for name, (x, y) in places.items()))
    plan = make_plan(city, under(far), settings=settings)
    (note,) = [note for note in plan.notes if note.key == "profile_idle"]
    for lang, words in (("en", "touches no road"), ("vi", "không chạm"), ("fr", "ne touche aucune")):
        assert words in note.describe(lang=lang)
        assert "Cầu xa" in note.describe(lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_file_of_a_plan_names_its_profile_and_that_it_is_an_assumption(
    city: City, settings: Settings, lang: str
) -> None:
    profile = Scenario(title={"en": "Market day", "vi": "Ngày chợ", "fr": "Jour de marché"}, source="=a guess")
    files = render_files(make_plan(city, under(profile), settings=settings), lang=lang)
    title, assumed = profile.title[lang], t("publish.profile_assumed", lang=lang)
    for name in ("README.txt", "units.csv", "map.html", "params.toml", "summary.json"):
        assert title in files[name].decode(), name
    for name in ("README.txt", "units.csv", "map.html"):
        assert assumed in html.unescape(files[name].decode()), name
    sheets = openpyxl.load_workbook(io.BytesIO(files["plan.xlsx"]), read_only=True)
    cover = [cell for row in sheets.worksheets[0].iter_rows(values_only=True) for cell in row if cell]
    assert any(title in str(cell) and assumed in str(cell) for cell in cover)


def test_the_params_of_a_plan_written_and_read_back_make_the_same_plan(
    city: City, settings: Settings, tmp_path: Path
) -> None:
    params = read_params(overrides=['access.scenario=["rush_hour", "duong_bridge_closed"]', "norms.usable_share=0.7"])
    first = make_plan(city, params, settings=settings)
    path = tmp_path / "params.toml"
    path.write_text(first.params.to_toml(), encoding="utf-8")
    again = make_plan(city, read_params(path), settings=settings)
    assert again.params == first.params
    assert_same(first, again)
    assert first.totals["mean_time_min"] > make_plan(city, settings=settings).totals["mean_time_min"]


weights = st.fixed_dictionaries({name: st.integers(0, 20).map(lambda n: n / 20) for name in CRITERIA}).filter(
    lambda values: any(values.values())
)


@given(weights)
def test_a_file_of_weights_alone_gives_the_very_plan_of_those_weights(city: City, values: dict[str, float]) -> None:
    text = "\n".join(["[weights]", *(f"{name} = {value}" for name, value in values.items())])
    by_name = Params().with_values({f"weights.{name}": value for name, value in values.items()})
    with tempfile.TemporaryDirectory() as folder:
        cache = Settings(cache_dir=Path(folder))
        by_file = make_plan(city, parse_params(text.encode()), settings=cache)
        assert_same(by_file, make_plan(city, by_name, settings=cache))
