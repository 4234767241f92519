from pathlib import Path

import pytest

from geo.errors import InputError
from geo.params import Params
from geo.profile import HIGHWAY_CLASSES, MODES, list_scenarios, read_scenario, resolve_profile
from geo.publish.speeds import speed_table
from geo.publish.tables import write_csv
from geo.settings import Settings
from geo.sources.speeds import read_speeds
from geo.text import LANGUAGES
from tests.toy import write_text


def read(path: Path) -> dict[str, dict[str, float]]:
    return read_speeds(path, settings=Settings())


def errors(path: Path, text: str) -> list[tuple]:
    with pytest.raises(InputError) as error:
        read(write_text(path / "speeds.csv", text))
    for fault in error.value.faults:
        assert all(len(fault.describe(lang=lang)) > 40 for lang in LANGUAGES)
    return [(fault.key, fault.row, fault.column, fault.value) for fault in error.value.faults]


def test_the_table_has_every_mode_on_every_class_and_is_read_back_unchanged(tmp_path: Path) -> None:
    access = Params().with_values({"access.speeds_kmh.car.trunk": 41.3}).access
    table = speed_table(access)
    assert len(table) == len(MODES) * len(HIGHWAY_CLASSES)
    write_csv(table, tmp_path / "speeds.csv")
    assert read(tmp_path / "speeds.csv") == access.speeds_kmh


@pytest.mark.parametrize("profile", sorted(list_scenarios()))
def test_the_table_of_a_network_profile_is_read_back_without_counting_it_twice(tmp_path: Path, profile: str) -> None:
    params = Params().with_values({"access.speeds_kmh.car.trunk": 41.3, "access.scenario": resolve_profile(profile)})
    write_csv(speed_table(params.access), tmp_path / "speeds.csv")
    again = params.with_values({"access.speeds_kmh": read(tmp_path / "speeds.csv")})
    assert again == params


def test_every_speed_says_where_it_comes_from() -> None:
    access = Params().with_values({"access.speeds_kmh.car.trunk": 41.3, "access.scenario": read_scenario("rush_hour")})
    rows = speed_table(access.access).set_index(["mode", "highway"])
    assert rows.loc[("motorbike", "primary"), ["kmh", "factor", "used_kmh"]].tolist() == [38.0, 0.6, 22.8]
    assert "Rush hour" in rows.loc[("motorbike", "primary"), "source"]
    assert rows.loc[("motorbike", "path"), ["factor", "assumption"]].tolist() == [1.0, "true"]
    assert rows.loc[("car", "trunk"), "source"].startswith("Given by the user.")
    assert (rows["used_kmh"] == (rows["kmh"] * rows["factor"]).round(6)).all()


def test_a_table_of_a_few_rows_names_a_few_speeds_in_any_order_of_columns(tmp_path: Path) -> None:
    path = write_text(tmp_path / "speeds.csv", "note;kmh;Highway;MODE\nslow;12,5;Living Street;walk\n;0;steps;walk\n")
    assert read(path) == {"walk": {"living_street": 12.5, "steps": 0.0}}


def test_every_wrong_cell_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    text = (
        "mode,highway,kmh\nmotorbike,primary,fast\ntram,primary,30\ncar,boulevard,30\ncar,trunk,131\ncar,track,-1\n"
        "walk,steps,\nwalk,path,4\nwalk,path,5\n"
    )
    assert sorted(errors(tmp_path, text), key=lambda fault: fault[1]) == [
        ("not_a_number", 2, "kmh", "fast"),
        ("unknown_value", 3, "mode", "tram"),
        ("unknown_value", 4, "highway", "boulevard"),
        ("out_of_range", 5, "kmh", "131"),
        ("out_of_range", 6, "kmh", "-1"),
        ("value_missing", 7, "kmh", None),
        ("id_duplicate", 9, "highway", "walk path"),
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [("", "empty_file"), ("mode,highway,kmh\n", "no_rows"), ("mode,highway\ncar,trunk\n", "column_missing")],
)
def test_a_file_that_is_no_such_table_is_an_error(tmp_path: Path, text: str, key: str) -> None:
    assert errors(tmp_path, text)[0][0] == key


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.csv"):
        read(tmp_path / "missing.csv")
