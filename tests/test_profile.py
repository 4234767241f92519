"""The network profile of a plan: how it is written, read and resolved."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ParamsError
from geo.params import HIGHWAY_CLASSES, MODES, Params, parse_params, read_params
from geo.profile import Restriction, Scenario, digest_of, list_scenarios, read_scenario, resolve_profile

INLINE = """
[access.scenario]
title = { en = "Market day" }
speed_factors = { motorbike = { primary = 0.5 } }

[[access.scenario.restrictions]]
bridge = "Cầu Đuống"
since = 2026-07-01
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def profile_of(text: str) -> Scenario:
    profile = parse_params(text.encode()).access.scenario
    assert profile is not None
    return profile


def faults_of(text: str) -> list[tuple[str, str | None]]:
    with pytest.raises(ParamsError) as error:
        parse_params(text.encode(), file="mine.toml")
    assert {fault.file for fault in error.value.faults} == {"mine.toml"}
    assert str(error.value)
    return [(fault.key, fault.column) for fault in error.value.faults]


def test_a_profile_by_name_is_the_content_of_its_file(tmp_path: Path) -> None:
    for name in list_scenarios():
        named = read_params(overrides=[f"access.scenario={name}"])
        profile, file = named.access.scenario, read_scenario(name)
        assert profile is not None
        assert (profile.speed_factors, profile.restrictions, profile.title) == (
            file.speed_factors, file.restrictions, file.title,
        )  # fmt: skip
        path = written(tmp_path / "params.toml", named.to_toml())
        assert read_params(path) == named, "what is written is read back, every place resolved"
        assert read_params(path).digest == named.digest


def test_the_digest_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    """Two names for one content are one profile; another content under the old name is another."""
    text = 'title = { en = "Market day" }\n[speed_factors.motorbike]\nprimary = 0.5\n'
    for name in ("one", "two"):
        written(tmp_path / "scenarios" / f"{name}.toml", text)
    one, two = (read_params(overrides=[f"access.scenario={name}"], data_dir=tmp_path) for name in ("one", "two"))
    assert one == two
    assert one.digest == two.digest != Params().digest
    written(tmp_path / "scenarios" / "two.toml", text.replace("0.5", "0.4"))
    assert read_params(overrides=["access.scenario=two"], data_dir=tmp_path).digest != one.digest


def test_a_profile_stands_in_the_file_as_a_table_or_as_a_path_beside_it(tmp_path: Path) -> None:
    table = read_params(written(tmp_path / "table.toml", INLINE))
    lines = INLINE.replace("[access.scenario]\n", "").replace("access.scenario.", "")
    written(tmp_path / "files" / "market.toml", lines)
    path = written(tmp_path / "path.toml", '[access]\nscenario = "files/market.toml"\n')
    assert read_params(path) == table
    assert profile_of(INLINE).restrictions[0].lon == pytest.approx(105.9, abs=0.1)
    assert profile_of(INLINE).restrictions[0].since == datetime.date(2026, 7, 1)


def test_a_file_without_a_title_is_called_by_its_name(tmp_path: Path) -> None:
    written(tmp_path / "scenarios" / "market.toml", "[speed_factors.car]\nprimary = 0.5\n")
    profile = resolve_profile("market", data_dir=tmp_path)
    assert profile is not None
    assert profile.words("vi") == "market"


def test_several_profiles_are_laid_one_over_the_other() -> None:
    both = profile_of('[access]\nscenario = ["rush_hour", "duong_bridge_closed"]\n')
    assert both.speed_factors == read_scenario("rush_hour").speed_factors
    assert both.restrictions == read_scenario("duong_bridge_closed").restrictions
    assert both.words("en") == "Rush hour + Đuống bridge closed"
    assert both.words("fr") == "Heure de pointe + Pont Đuống fermé"
    assert "facts/bridges.csv" in both.source
    assert "Modelling assumption" in both.source


def test_restrictions_of_the_base_hold_as_on_its_own_day_whatever_day_is_laid_over_it() -> None:
    """Ring Road 1 holds from 2026 on, 2 from 2028, 3 from 2030."""
    base = read_scenario("ring_roads_on_foot", on=datetime.date(2029, 1, 1))
    assert [one.name for one in base.restrictions if one.holds("motorbike", on=base.on)] == [
        "Vành đai 1", "Vành đai 2",
    ]  # fmt: skip
    both = Scenario(on=datetime.date(2025, 1, 1)).over(base)
    assert [one.name for one in both.restrictions if one.holds("motorbike", on=both.on)] == [
        "Vành đai 1", "Vành đai 2",
    ]  # fmt: skip


def test_closed_ferries_over_the_rush_hour_keep_the_rush_hour() -> None:
    rush = read_scenario("rush_hour")
    both = Scenario(speed_factors={"motorbike": {"ferry": 0}, "walk": {"ferry": 0}}).over(rush)
    assert both.speed_factors["motorbike"] == {**rush.speed_factors["motorbike"], "ferry": 0}
    assert both.speed_factors["car"] == rush.speed_factors["car"]
    assert both.speed_factors["walk"]["ferry"] == 0


def test_night_over_the_rush_hour_is_night() -> None:
    night = read_scenario("night")
    assert night.over(read_scenario("rush_hour")).speed_factors == night.speed_factors


def test_no_profile_can_be_asked_for_in_place_of_that_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "params.toml", INLINE)
    assert read_params(path, overrides=["access.scenario="]).access.scenario is None
    assert read_params(path, overrides=["access.scenario=night"]).access.scenario != read_params(path).access.scenario


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[access]\nscenario = "nope"', [("params_value", "access.scenario")]),
        ("[access]\nscenario = 3", [("params_value", "access.scenario")]),
        ('[access]\nscenario = ["night", 3]', [("params_value", "access.scenario")]),
        ("[access.scenario]\nsurprise = 1", [("params_unknown", "access.scenario.surprise")]),
        ("[access.scenario.speed_factors.car]\nroad = 1", [("params_value", "access.scenario.speed_factors.car")]),
        (
            '[[access.scenario.restrictions]]\nbridge = "Cầu X"',
            [("params_value", "access.scenario.restrictions.bridge")],
        ),
        (
            '[access]\nscenario = "nope"\nmode = "tram"\n[weights]\nsize = 7',
            [("params_value", "access.scenario"), ("params_value", "weights.size"), ("params_value", "access.mode")],
        ),
    ],
)
def test_what_is_wrong_with_a_profile_is_told_with_the_rest_of_the_file(text: str, found: list) -> None:
    assert faults_of(text) == found


def test_a_stranger_cannot_make_a_file_of_this_machine_be_read(tmp_path: Path) -> None:
    """What is uploaded may name a shipped profile, and no path."""
    path = written(tmp_path / "secret.toml", "[speed_factors.car]\nprimary = 0.5\n")
    for asked in (str(path), "../secret.toml", "scenarios/../rush_hour", "rush_hour.toml"):
        assert faults_of(f"[access]\nscenario = '{asked}'") == [("params_value", "access.scenario")]


def test_the_example_of_the_data_page_is_read_and_written_back(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(\[weights\].*?)```", page, flags=re.S)
    params = read_params(written(tmp_path / "example.toml", example))
    profile = params.access.scenario
    assert profile is not None
    assert profile.words("vi") == "Ngày chợ phiên"
    assert [place.name for place in profile.restrictions] == ["Cầu Đuống"]
    assert (params.choice.max_sites, params.constraints.pinned_sites) == (220, ("DO-003",))
    assert read_params(written(tmp_path / "params.toml", params.to_toml())) == params


factors = st.dictionaries(
    st.sampled_from(MODES), st.dictionaries(st.sampled_from(HIGHWAY_CLASSES), st.floats(0, 2), max_size=4), max_size=3
)
words = st.dictionaries(st.sampled_from(("en", "vi", "fr")), st.text(max_size=20), max_size=3)
days = st.none() | st.dates()
discs = st.builds(
    Restriction,
    name=st.text(max_size=9),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    since=st.none() | st.dates(),
)
profiles = st.builds(
    Scenario, title=words, about=words, source=st.text(max_size=30), assumption=st.booleans(), on=days,
    speed_factors=factors, restrictions=st.lists(discs, max_size=3).map(tuple),
)  # fmt: skip


@given(profiles)
def test_any_profile_is_read_back_from_what_is_written(profile: Scenario) -> None:
    params = Params().with_values({"access.scenario": profile})
    back = parse_params(params.to_toml().encode())
    assert back == params
    assert back.digest == params.digest


@given(profiles, profiles, profiles)
def test_a_profile_over_itself_is_itself_and_laying_over_has_an_order_but_no_brackets(
    one: Scenario, two: Scenario, three: Scenario
) -> None:
    def effect(given_profile: Scenario) -> tuple:
        return given_profile.speed_factors, frozenset(given_profile.restrictions), given_profile.on

    assert one.over(one) == one
    assert one.over(None) == one
    assert effect(three.over(two.over(one))) == effect(three.over(two).over(one))
    assert effect(one.over(two.over(one)))[1] == effect(two.over(one))[1], "no restriction counts twice"


def test_the_words_of_a_profile_do_not_name_what_is_cached() -> None:
    """Another title is another file of parameters, and the same travel times."""
    rush = resolve_profile("rush_hour")
    assert rush is not None
    other = rush.model_copy(update={"title": {"en": "Monday"}, "about": {}, "source": "me"})
    faster = rush.model_copy(update={"speed_factors": {"car": {"primary": 0.9}}})
    named, renamed, changed, plain = (
        Params().with_values({"access.scenario": profile}) for profile in (rush, other, faster, None)
    )
    assert digest_of(named.access) == digest_of(renamed.access)
    assert digest_of(rush) == digest_of(other)
    assert named.digest != renamed.digest
    assert len({digest_of(params.access) for params in (named, changed, plain)}) == 3
