import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from geo.city import City
from geo.errors import GeoError, InputError
from geo.params import Params
from geo.plan import Plan, make_plan
from geo.settings import Settings
from geo.sources.decided import read_decided
from geo.study.compare import compare_plans, decided_params
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
    }  # fmt: skip


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
