"""Scenarios on the toy folder of tests/toy.py with the streets of tests/ui/toyapp.py."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from geo import City, NetworkError, Params, Plan, Settings, load_city, make_plan
from geo.cli import app
from geo.profile import Restriction, Scenario
from geo.publish.impact import impact_texts, write_impact
from geo.study.impact import Impact, anew_table, build_stage, choose_anew, compare_scenario
from geo.study.people import NOTICED_MIN
from geo.text import LANGUAGES
from tests.toy import toy_folder
from tests.ui.toyapp import write_streets

SLOW = Scenario(name="slow", speed_factors={"motorbike": {"primary": 0.5, "residential": 0.2}})
#: Closes all streets of unit 00020 south of 21.01, where S3 and S4 stand.
SOUTH = Restriction(name="south", ring=((105.80, 20.99), (105.84, 20.99), (105.84, 21.009), (105.80, 21.009)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = toy_folder(tmp_path / "toy")
    write_streets(path / "network" / "toy.osm.pbf")
    return path


@pytest.fixture
def settings(shared_settings: Settings) -> Settings:
    """Return settings whose cache the tests share: they all begin with the same plan."""
    return shared_settings


@pytest.fixture
def plan(folder: Path, settings: Settings) -> Plan:
    return make_plan(load_city(folder, settings=settings), settings=settings)


def compare(plan: Plan, scenario: Scenario, settings: Settings) -> Impact:
    return compare_scenario(plan, scenario, settings=settings)


def test_an_empty_scenario_changes_nothing_to_the_last_bit(plan: Plan, settings: Settings) -> None:
    impact = compare(plan, Scenario(name="base"), settings)
    for name in ("mean_time_min", "p95_time_min", "share_within_30min", "unreachable_population"):
        assert (impact.units[f"{name}_before"] == impact.units[f"{name}_after"]).all()
    assert impact.units["mean_time_min_before"].tolist() == plan.units["mean_time_min"].tolist()
    assert impact.totals["mean_time_min_before"] == plan.totals["mean_time_min"]
    assert (impact.units[["added_min", "worst_added_min", "slower_population", "lost_population"]] == 0).all().all()
    assert impact.totals["units_changed"] == 0


@pytest.mark.parametrize("reception", ["committee_site", "both_sites"])
def test_times_under_a_scenario_are_those_of_a_plan_with_these_speeds(
    folder: Path, settings: Settings, reception: str
) -> None:
    city = load_city(folder, settings=settings)
    speeds = {
        f"access.speeds_kmh.motorbike.{kind}": 0.5 * Params().access.speeds_kmh["motorbike"][kind]
        for kind in ("primary", "residential")
    }
    halved = Scenario(name="half", speed_factors={"motorbike": {"primary": 0.5, "residential": 0.5}})
    plan = make_plan(city, Params().with_values({"choice.reception": reception}), settings=settings)
    pinned = {"constraints.pinned_sites": tuple(plan.sites.index[plan.sites["chosen"]])}
    other = make_plan(
        city, Params().with_values({"choice.reception": reception, **speeds, **pinned}), settings=settings
    )
    impact = compare(plan, halved, settings)
    same = other.units["site_id_1"] == plan.units["site_id_1"]
    assert same.any()
    after = impact.units["mean_time_min_after"][same]
    assert after.tolist() == pytest.approx(other.units["mean_time_min"][same].tolist(), abs=1e-6)


def test_slower_streets_never_shorten_a_way(plan: Plan, settings: Settings) -> None:
    units = compare(plan, SLOW, settings).units
    assert (units["added_min"] > 0).all()
    assert (units["worst_added_min"] >= units["added_min"]).all()
    assert (units["share_within_30min_after"] <= units["share_within_30min_before"]).all()
    assert (units["p95_time_min_after"] >= units["p95_time_min_before"]).all()
    assert (units["slower_population"] > 0).all()
    assert (units[["faster_population", "lost_population", "regained_population"]] == 0).all().all()
    fast = Scenario(name="fast", speed_factors={"motorbike": {"primary": 2, "residential": 2}})
    assert (compare(plan, fast, settings).units["added_min"] < 0).all()


def test_people_who_lose_their_way_are_counted_once_with_the_reason(plan: Plan, settings: Settings) -> None:
    impact = compare(plan, Scenario(name="x", restrictions=(SOUTH,)), settings)
    units = impact.units
    lost = units["lost_population"]
    assert lost["00020"] > 0
    assert units["lost_reason"]["00020"] in ("home_closed", "site_closed")
    reasons = units.filter(regex=r"^lost_\w+_population$").sum(axis=1)
    assert reasons.tolist() == pytest.approx(lost.tolist())
    people = units["arriving_population"] + lost + units["unreachable_population_before"]
    assert people.tolist() == pytest.approx(units["population"].tolist())
    assert impact.totals["lost_population"] == pytest.approx(lost.sum())


def test_a_closed_street_at_the_office_cuts_off_the_whole_unit_and_says_so(plan: Plan, settings: Settings) -> None:
    site = plan.sites.loc[plan.units["site_id_1"]["00010"]]
    closed = Restriction(name="front", lon=site["lon"], lat=site["lat"], radius_m=200.0)
    around = compare(plan, Scenario(name="x", restrictions=(closed,)), settings)
    assert around.units["lost_site_closed_population"]["00010"] > 0
    assert around.units["mean_time_min_after"].isna()["00010"]


def test_the_same_input_gives_the_same_bytes(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    one = Scenario(name="x", restrictions=(SOUTH,), speed_factors=SLOW.speed_factors)
    stage = build_stage(plan.city, plan.params.access)
    write_impact(compare_scenario(plan, one, stage=stage, settings=settings), tmp_path / "a")
    write_impact(compare(plan, one, settings), tmp_path / "b")
    for name in ("scenario_units.csv", "scenario.toml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    table = pd.read_csv(tmp_path / "a" / "scenario_units.csv", dtype={"unit_id": str})
    assert table["unit_id"].tolist() == list(plan.units.index)
    assert table["population"].tolist() == [5000, 5000]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_scenario_comes_to_is_told_in_every_language(plan: Plan, settings: Settings, lang: str) -> None:
    nowhere = Restriction(name="Nơi xa", lon=0, lat=0)
    texts = impact_texts(compare(plan, Scenario(name="x", restrictions=(SOUTH, nowhere)), settings), lang=lang)
    assert len(texts) >= 6
    assert any("Nơi xa" in text for text in texts)


def test_choosing_anew_is_what_a_plan_with_these_speeds_chooses(folder: Path, settings: Settings) -> None:
    kinds = ("primary", "residential")
    speeds = {
        f"access.speeds_kmh.motorbike.{kind}": 0.5 * Params().access.speeds_kmh["motorbike"][kind] for kind in kinds
    }
    halved = Scenario(name="half", speed_factors={"motorbike": dict.fromkeys(kinds, 0.5)})
    params = Params().with_values({"weights.access": 1.0, "weights.size": 0.0})
    plan = make_plan(load_city(folder, settings=settings), params, settings=settings)
    other = make_plan(plan.city, params.with_values(speeds), settings=settings)
    anew = choose_anew(plan, halved, settings=settings)
    units, totals = anew_table(plan, anew), anew.totals
    assert units["site_id_1_anew"].tolist() == other.units["site_id_1"].tolist()
    assert units["site_id_2_anew"].tolist() == other.units["site_id_2"].tolist()
    assert units["mean_time_min_anew"].tolist() == pytest.approx(other.units["mean_time_min"].tolist(), abs=1e-6)
    assert totals["mean_time_min"] == pytest.approx(other.totals["mean_time_min"], abs=1e-6)
    same = (units[["site_id_1_anew", "site_id_2_anew"]].to_numpy() == plan.units[["site_id_1", "site_id_2"]]).all(
        axis=1
    )
    assert (units["other_sites"] == ~same).all()


def test_a_site_that_nobody_reaches_is_left_for_another_when_chosen_anew(plan: Plan, settings: Settings) -> None:
    by_access = make_plan(
        plan.city, Params().with_values({"weights.access": 1.0, "weights.size": 0.0}), settings=settings
    )
    anew = choose_anew(by_access, Scenario(name="x", restrictions=(SOUTH,)), settings=settings)
    units = anew_table(by_access, anew)
    assert units["site_id_1_anew"]["00020"] == "S2", "the only one north of the zone"


def test_a_scenario_over_a_plan_that_is_made_under_it_changes_nothing(plan: Plan, settings: Settings) -> None:
    """Rush hour over rush hour is rush hour: nothing is counted twice."""
    twice = Scenario(speed_factors=SLOW.speed_factors, restrictions=(SOUTH,))
    made = choose_anew(plan, twice, settings=settings)
    impact = compare(made, twice, settings)
    for name in ("mean_time_min", "p95_time_min", "share_within_30min", "unreachable_population"):
        before, after = (impact.units[f"{name}_{label}"].fillna(-1) for label in ("before", "after"))
        assert before.tolist() == pytest.approx(after.tolist(), abs=1e-9)
    assert (impact.units["lost_population"] == 0).all()
    assert choose_anew(made, twice, settings=settings).params == made.params


def test_a_scenario_is_laid_over_the_profile_of_the_plan(plan: Plan, settings: Settings) -> None:
    """A closed zone in rush hour: the speeds of the profile stay, and only the zone makes the difference."""
    slow = make_plan(plan.city, plan.params.with_values({"access.scenario": SLOW}), settings=settings)
    closed = Scenario(name="closed", restrictions=(SOUTH,))
    impact = compare(slow, closed, settings)
    assert impact.units["mean_time_min_before"].tolist() == slow.units["mean_time_min"].tolist()
    both = compare(plan, Scenario(name="x", speed_factors=SLOW.speed_factors, restrictions=(SOUTH,)), settings)
    same = slow.units["site_id_1"] == plan.units["site_id_1"]
    assert same.any()
    after = [one.units["mean_time_min_after"][same].fillna(-1).tolist() for one in (impact, both)]
    assert after[0] == pytest.approx(after[1])
    quick = Scenario(name="quick", speed_factors={"motorbike": {"primary": 1.0}})
    assert compare(slow, quick, settings).totals["added_min"] < 0, "its speeds take the place of the profile's"


@pytest.mark.parametrize("reception", ["committee_site", "both_sites"])
def test_service_points_count_as_they_do_in_the_plan(folder: Path, settings: Settings, reception: str) -> None:
    """Who is cut off from the site and not from a point is not lost; a plan under the scenario says the same."""
    values = {
        "service.count_points": True,
        "service.points": {"1": (105.8126, 21.0174), "2": (105.8251, 21.0101)},
        "choice.reception": reception,
    }
    plan = make_plan(load_city(folder, settings=settings), Params().with_values(values), settings=settings)
    alone = make_plan(plan.city, Params().with_values({"choice.reception": reception}), settings=settings)
    front = Restriction(name="front", lon=105.805, lat=21.015, radius_m=200.0)
    closed = Scenario(name="x", restrictions=(front,), speed_factors=SLOW.speed_factors)
    impact = compare(plan, closed, settings)
    assert impact.units["mean_time_min_before"].tolist() == plan.units["mean_time_min"].tolist()
    assert impact.totals["lost_population"] < compare(alone, closed, settings).totals["lost_population"]
    pins = {"constraints.pinned_sites": tuple(plan.sites.index[plan.sites["chosen"]]), "access.scenario": closed}
    other = make_plan(plan.city, plan.params.with_values(pins), settings=settings)
    same = (other.units["site_id_1"] == plan.units["site_id_1"]).to_numpy()
    assert same.any()
    for name in ("mean_time_min", "share_within_30min", "unreachable_population"):
        after = impact.units[f"{name}_after"][same].fillna(-1)
        assert after.tolist() == pytest.approx(other.units[name][same].fillna(-1).tolist(), abs=1e-6)


def test_a_city_without_roads_has_no_scenarios(toy_city: City, settings: Settings) -> None:
    with pytest.raises(NetworkError):
        compare(make_plan(toy_city, settings=settings), SLOW, settings)


def test_progress_is_told_and_what_it_raises_stops_the_work(plan: Plan, settings: Settings) -> None:
    steps: list[str] = []
    compare_scenario(plan, SLOW, settings=settings, progress=lambda step, _share: steps.append(step))
    assert set(steps) == {"hierarchy", "access"}

    def stop(_step: str, _share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_scenario(plan, SLOW, settings=settings, progress=stop)


def test_a_minute_is_what_one_notices(plan: Plan, settings: Settings) -> None:
    barely = Scenario(name="x", speed_factors={"motorbike": {"primary": 0.999, "residential": 0.999}})
    units = compare(plan, barely, settings).units
    assert (units["worst_added_min"] < NOTICED_MIN).all()
    assert (units["added_min"] > 0).all()
    assert (units["slower_population"] == 0).all()


def test_the_command_writes_the_differences_and_lists_the_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "400")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["scenario", *words, "--data", str(folder), "--lang", "en"])
        return result.exit_code, result.output

    code, output = run("rush_hour", "--anew", "--out", str(tmp_path / "out"))
    assert code == 0, output
    assert "min longer on average" in output
    assert "Chosen anew under the scenario" in output
    assert "site_id_1_anew" in (tmp_path / "out" / "scenario_units.csv").read_text(encoding="utf-8")
    assert np.all(pd.read_csv(tmp_path / "out" / "scenario_units.csv")["added_min"] > 0)
    assert "rush_hour: Rush hour" in run()[1]
    assert "2 of 2 units" in run(str(tmp_path / "out" / "scenario.toml"))[1]
    assert run("nope")[0] == 1
    (tmp_path / "taken").write_text("")
    assert run("rush_hour", "--out", str(tmp_path / "taken"))[0] == 1


@pytest.mark.slow
def test_the_shipped_scenarios_change_something_in_the_embedded_city(
    embedded_city: City, shared_settings: Settings
) -> None:
    from geo.profile import list_scenarios, read_scenario

    plan = make_plan(embedded_city, settings=shared_settings)
    stage = build_stage(embedded_city, plan.params.access)
    for name in list_scenarios():
        impact = compare_scenario(plan, read_scenario(name), stage=stage, settings=shared_settings)
        assert impact.idle == ()
        assert impact.totals["units_changed"] > 0
        if name != "night":
            assert impact.units["added_min"].min() >= 0
            assert impact.totals["regained_population"] == 0
