import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geo.city import City
from geo.errors import GeoError, InputError
from geo.params import Params
from geo.plan import Plan, make_plan, prepare
from geo.profile import Restriction, Scenario
from geo.publish.compare import compared_units, comparison_texts, params_table, write_comparison
from geo.settings import Settings
from geo.sources.decided import read_decided
from geo.study.compare import compare_plans, decided_params
from geo.text import LANGUAGES
from tests.test_plan import SMALL, streets_of


@pytest.fixture
def city(toy_city: City) -> City:
    return dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")


def plan_with(city: City, settings: Settings, **values: object) -> Plan:
    return make_plan(city, SMALL.with_values({f"constraints.{k}": v for k, v in values.items()}), settings=settings)


def test_a_plan_agrees_with_itself(city: City, settings: Settings) -> None:
    plan = plan_with(city, settings)
    found = compare_plans(plan, plan)
    assert set(found.units["change"]) == {"none"}
    assert (found.totals["difference"] == 0).all()
    assert found.agreement == {
        "units": 2, "same_number": 2, "same_buildings": 2, "people_elsewhere": 0.0, "mean_moved_m": 0.0,
        "added_min": 0.0, "slower_population": 0.0, "faster_population": 0.0, "lost_population": 0.0,
        "regained_population": 0.0,
    }  # fmt: skip
    assert found.params.empty
    assert found.paired


def test_what_changes_is_told_with_where_and_for_how_many(city: City, settings: Settings) -> None:
    two, one = plan_with(city, settings), plan_with(city, settings, one_site_units=["00020"], pinned_sites=["S4"])
    found = compare_plans(two, one)
    row = found.units.loc["00020"]
    assert two.units.loc["00020", "n_sites"] == 2
    assert row["change"] == "number"
    assert row["sites_after"] == "S4"
    assert row["sites_before"] == f"{two.units.loc['00020', 'site_id_1']} + {two.units.loc['00020', 'site_id_2']}"
    place = city.sites.geometry
    assert row["moved_m"] == pytest.approx(place[two.units.loc["00020", "site_id_1"]].distance(place["S4"]))
    assert found.agreement["same_number"] == found.agreement["same_buildings"] == 1
    assert found.agreement["people_elsewhere"] == city.units.loc["00020", "population"]
    assert found.totals.loc["sites", "difference"] == -1
    assert found.units["population"].sum() == city.units["population"].sum(), "nobody is lost"


SLOW = Scenario(
    title={"en": "Slow", "vi": "=Chậm"},
    speed_factors={"motorbike": {"residential": 0.5}, "car": {"residential": 0.4}},
)


def test_two_files_that_differ_in_everything_are_compared_in_everything(city: City, settings: Settings) -> None:
    before = make_plan(city, SMALL, settings=settings)
    values = {
        "weights.size": 0.2, "norms.usable_share": 0.5, "choice.max_sites": 2, "access.scenario": SLOW,
        "constraints.pinned_sites": ("S4",), "constraints.forbidden_pairs": (("S2", "S3"),),
    }  # fmt: skip
    after = make_plan(city, SMALL.with_values(values), settings=settings)
    found = compare_plans(before, after, settings=settings)
    table = params_table(found, lang="en").set_index("name")
    factor = "access.scenario.speed_factors.motorbike.residential"
    assert set(table.index) == {*values, factor}
    assert table.loc["weights.size"].tolist() == ["0.9", "0.2"]
    assert table.loc["access.scenario"].tolist() == ["", "Slow"]
    assert table.loc[factor].tolist() == ["", "0.5"]
    assert table.loc["constraints.pinned_sites"].tolist() == ["", "S4"]
    assert table.loc["constraints.forbidden_pairs"].tolist() == ["", "S2 + S3"]
    assert found.totals.loc["sites"].tolist() == [3, 2, -1]
    back = compare_plans(after, before, settings=settings)
    assert back.agreement["slower_population"] == found.agreement["faster_population"]
    assert back.agreement["lost_population"] == found.agreement["regained_population"]
    assert back.agreement["added_min"] == pytest.approx(-found.agreement["added_min"])


def test_minutes_are_counted_person_by_person(city: City, settings: Settings) -> None:
    """Told anew: everybody of the west takes twice the time on the road, and the way from it stays."""
    before = make_plan(city, SMALL, settings=settings)
    after = make_plan(city, SMALL.with_values({"access.scenario": SLOW}), settings=settings)
    found = compare_plans(before, after, settings=settings)
    row, unit = found.units.loc["00010"], prepare(city, SMALL, settings=settings).times.units["00010"]
    assert row["change"] == "none"
    slow = prepare(city, after.params, settings=settings).times.units["00010"]
    added = (slow.minutes - unit.minutes)[:, 0]
    assert row["added_min"] == pytest.approx((added * unit.population).sum() / unit.population.sum())
    assert row["slower_population"] == pytest.approx(unit.population[added >= 1].sum())
    assert 0 < row["slower_population"] < row["arriving_population"] == pytest.approx(row["population"])
    assert row["added_min"] == pytest.approx(row["mean_time_min_after"] - row["mean_time_min_before"])
    assert np.isnan(found.units.loc["00020", "added_min"]), "no network there"


def test_who_no_longer_arrives_is_counted(city: City, settings: Settings) -> None:
    front = Scenario(restrictions=(Restriction(name="Chợ", lon=105.805, lat=21.015, radius_m=250.0),))
    plans = [make_plan(city, p, settings=settings) for p in (SMALL, SMALL.with_values({"access.scenario": front}))]
    found = compare_plans(*plans, settings=settings)
    assert found.units.loc["00010", "lost_population"] == pytest.approx(5000)
    assert params_table(found, lang="vi").set_index("name").loc["access.scenario.restrictions", "after"] == "Chợ"
    assert compare_plans(*reversed(plans), settings=settings).agreement["regained_population"] == pytest.approx(5000)


def test_people_who_cannot_be_followed_are_not_counted(city: City, settings: Settings) -> None:
    """Another grid puts them at other places: the means are compared, and the sentence says so."""
    plans = [make_plan(city, SMALL.with_values({"access.demand_cell_m": m}), settings=settings) for m in (400, 150)]
    found = compare_plans(*plans, settings=settings)
    assert not found.paired
    assert found.agreement["slower_population"] is None
    means = [plan.units.loc["00010", "mean_time_min"] for plan in plans]
    assert found.units.loc["00010", "added_min"] == pytest.approx(means[1] - means[0])
    assert "nobody is followed" in comparison_texts(found, lang="en")[-1]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_changes_is_written_and_told_in_every_language(
    city: City, settings: Settings, tmp_path: Path, lang: str
) -> None:
    values = {"choice.max_sites": 2, "access.scenario": SLOW}
    plans = [make_plan(city, p, settings=settings) for p in (SMALL, SMALL.with_values(values))]
    found = compare_plans(*plans, settings=settings)
    write_comparison(found, tmp_path / "diff.csv", lang=lang)
    units = pd.read_csv(tmp_path / "diff.csv", dtype={"unit_id": str})
    assert list(units.columns) == list(compared_units(found).columns)
    assert units["population"].sum() == 10_000
    params = pd.read_csv(tmp_path / "diff_params.csv", dtype=str, keep_default_na=False)
    assert params["name"].tolist() == list(found.params.index)
    title = params.set_index("name").loc["access.scenario", "after"]
    assert title == {"vi": "'=Chậm"}.get(lang, "Slow"), "no spreadsheet runs a title as a formula"
    texts = comparison_texts(found, lang=lang)
    assert len(texts) == 5
    assert "Phường Tây" in texts[-1], "the only unit with roads, and it loses"
    assert len(comparison_texts(compare_plans(*plans[::-1], settings=settings), lang=lang)) == 5


def test_a_decision_is_pinned_and_measured_like_a_plan(city: City, settings: Settings) -> None:
    free = make_plan(
        city, SMALL.with_values({"constraints.min_hall_seats": 0, "choice.max_sites": 2}), settings=settings
    )
    decided = pd.DataFrame({"site_id_1": ["S2"], "site_id_2": ["S4"]}, index=pd.Index(["00020"], name="unit_id"))
    params = decided_params(decided, free)
    made = make_plan(city, params, settings=settings)
    assert {made.units.loc["00020", "site_id_1"], made.units.loc["00020", "site_id_2"]} == {"S2", "S4"}
    assert params.choice.max_sites == 3, "the decision takes what it takes"
    assert (
        made.optimality["objective"]
        <= make_plan(city, SMALL.with_values({"choice.max_sites": 3}), settings=settings).optimality["objective"]
    )


def test_the_units_csv_of_a_plan_is_a_decision(city: City, settings: Settings, tmp_path: Path) -> None:
    plan = plan_with(city, settings)
    path = tmp_path / "units.csv"
    plan.units.rename_axis("unit_id").reset_index()[["unit_id", "site_id_1", "site_id_2"]].to_csv(path, index=False)
    ids = {"unit_ids": list(city.units.index), "site_ids": list(city.sites.index)}
    params = decided_params(read_decided(path, **ids, settings=settings), plan)
    found = compare_plans(plan, make_plan(city, params, settings=settings))
    assert found.agreement["same_buildings"] == 2


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("unit_id,site_id_1\n00020,S9\n", "id_unknown"),
        ("unit_id,site_id_1\n99999,S2\n", "id_unknown"),
        ("unit_id\n00020\n", "column_missing"),
        ("unit_id,site_id_1\n00020,S2\n00020,S3\n", "id_duplicate"),
    ],
)
def test_what_is_wrong_with_a_decision_is_named(
    city: City, settings: Settings, tmp_path: Path, text: str, key: str
) -> None:
    path = tmp_path / "decided.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_decided(path, unit_ids=list(city.units.index), site_ids=list(city.sites.index), settings=settings)
    assert [fault.key for fault in error.value.faults] == [key]


def test_a_building_of_another_unit_is_refused(city: City, settings: Settings) -> None:
    decided = pd.DataFrame({"site_id_1": ["S1"], "site_id_2": [None]}, index=pd.Index(["00020"], name="unit_id"))
    with pytest.raises(InputError) as error:
        decided_params(decided, make_plan(city, SMALL, settings=settings))
    assert error.value.faults[0].key == "decided_elsewhere"


def test_plans_of_different_cities_are_not_compared(city: City, settings: Settings) -> None:
    plan = make_plan(city, Params(), settings=settings)
    other = dataclasses.replace(plan, city=dataclasses.replace(city, digest="another"))
    with pytest.raises(GeoError, match="different data"):
        compare_plans(plan, other)
