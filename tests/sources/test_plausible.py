"""Populations that lost zeros are seen beside the sum of their parts; sound ones are left in peace."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geo.errors import Fault
from geo.settings import Settings
from tests.toy import INVENTORY, faults_in, polygon, told, write_features, write_text

KEYS = (
    "population_too_small", "population_too_large", "population_part", "population_scale", "population_unlike",
    "population_none",
)  # fmt: skip
FACTS = Path(__file__).parents[2] / "data" / "facts" / "units_2025.csv"

#: Six units of three communes each, in one row of squares; the third commune of each is divided with the next unit.
#:
#:   0a 0b 0c | 1a 1b 1c | ... | 5a 5b 5c      10,000 people in every commune
N_UNITS = 6
COMMUNES = [f"{unit}{letter}" for unit in range(N_UNITS) for letter in "abc"]


def write_city(root: Path, *, people: dict[str, str] | None = None, units: dict[str, str] | None = None) -> Path:
    """Write the folder; `people` and `units` replace the figure of a commune or a unit."""
    features = [
        {
            "type": "Feature",
            "properties": {"commune_id": key, "name": f"Xã {key}", "district_id": "1" if i < 9 else "2"},
            "geometry": polygon(round(105.80 + 0.01 * i, 6), 21.01),
        }
        for i, key in enumerate(COMMUNES)
    ]
    write_features(root / "boundaries" / "communes.geojson", features)
    rows = ["clause,unit_id,unit_name,commune_id,commune_name,relation"]
    for unit in range(N_UNITS):
        rows += [f"{unit + 1},U{unit},Xã {unit},{unit}{letter},,whole" for letter in "ab"]
        if unit + 1 < N_UNITS:
            rows.append(f"{unit + 1},U{unit},Xã {unit},{unit}c,,part")
        else:
            rows.append(f"{unit + 1},U{unit},Xã {unit},{unit}c,,whole")
        if unit:
            rows.append(f"{unit + 1},U{unit},Xã {unit},{unit - 1}c,,remainder")
    write_text(root / "boundaries" / "clauses.csv", "\n".join(rows) + "\n")
    figures = {f"U{unit}": "33000" for unit in range(N_UNITS)} | {"U0": "27500", "U5": "38500"} | (units or {})
    write_text(root / "boundaries" / "units.csv", table("unit_id", figures))
    write_text(
        root / "population" / "communes.csv", table("commune_id", dict.fromkeys(COMMUNES, "10000") | (people or {}))
    )
    write_text(root / "buildings" / "inventory.csv", INVENTORY.splitlines()[0] + "\nS1,Nhà,,,0a,1,105.805,21.015,,,\n")
    return root


def table(column: str, figures: dict[str, str]) -> str:
    return "\n".join([f"{column},population", *(f"{key},{value}" for key, value in figures.items())]) + "\n"


def suspicions(folder: Path) -> list[Fault]:
    return [fault for fault in faults_in(folder) if fault.key in KEYS]


def test_sound_figures_are_left_in_peace(tmp_path: Path) -> None:
    assert suspicions(write_city(tmp_path)) == []


@pytest.mark.parametrize(("value", "factor"), [("3300", "10"), ("330", "100"), ("33", "1000")])
def test_a_unit_that_lost_zeros_is_named_with_row_value_and_expected_size(
    tmp_path: Path, value: str, factor: str
) -> None:
    (fault,) = suspicions(write_city(tmp_path, units={"U2": value}))
    assert (fault.key, fault.severity) == ("population_too_small", "warning")
    assert (fault.file, fault.row, fault.column) == ("boundaries/units.csv", 4, "population")
    assert fault.value == str(int(float(value)))
    assert told(fault) == {"factor": factor, "expected": "33000", "other": "population/communes.csv"}


def test_a_unit_with_a_zero_too_many_is_named(tmp_path: Path) -> None:
    (fault,) = suspicions(write_city(tmp_path, units={"U2": "330000"}))
    assert (fault.key, fault.row, told(fault)["factor"]) == ("population_too_large", 4, "10")


@pytest.mark.parametrize(("value", "factor"), [("1000", "10"), ("10", "1000")])
def test_a_commune_that_lost_zeros_is_named(tmp_path: Path, value: str, factor: str) -> None:
    (fault,) = suspicions(write_city(tmp_path, people={"2a": value}))
    assert (fault.key, fault.file, fault.row) == ("population_part", "population/communes.csv", 8)
    assert told(fault) == {"factor": factor, "expected": "10000", "whole": "U2"}


def test_one_of_two_that_may_have_lost_a_zero_is_not_guessed(tmp_path: Path) -> None:
    assert suspicions(write_city(tmp_path, people={"2a": "2000", "2b": "2000"})) == []


def test_a_column_in_thousands_is_said_once(tmp_path: Path) -> None:
    units = {"U0": "27.5", "U5": "38.5"} | {f"U{unit}": "33" for unit in range(1, 5)}
    (fault,) = suspicions(write_city(tmp_path, units=units))
    assert (fault.key, fault.file) == ("population_scale", "boundaries/units.csv")
    assert told(fault) == {"found": "198", "expected": "180000", "other": "population/communes.csv"}


def test_the_total_of_a_district_tells_which_of_its_communes_lost_a_zero(tmp_path: Path) -> None:
    """No unit has a figure here, and no density helps: the communes of one count must make their district."""
    write_city(tmp_path, people={"1c": "1000"}, units=dict.fromkeys((f"U{unit}" for unit in range(N_UNITS)), ""))
    write_text(tmp_path / "boundaries" / "districts.csv", "district_id,name,population\n1,A,90000\n2,B,90000\n")
    (fault,) = suspicions(tmp_path)
    assert (fault.key, fault.row, told(fault)["whole"]) == ("population_part", 7, "1")


def test_a_district_that_lost_a_zero_is_named(tmp_path: Path) -> None:
    write_city(tmp_path)
    write_text(tmp_path / "boundaries" / "districts.csv", "district_id,name,population\n1,A,90000\n2,B,9000\n")
    (fault,) = suspicions(tmp_path)
    assert (fault.file, fault.row, told(fault)["expected"]) == ("boundaries/districts.csv", 3, "90000")


def test_what_is_not_known_is_not_compared(tmp_path: Path) -> None:
    write_city(tmp_path, units={"U2": "3300"})
    figures = (tmp_path / "population" / "communes.csv").read_text().splitlines()
    write_text(tmp_path / "population" / "communes.csv", "\n".join(line for line in figures if "2b" not in line) + "\n")
    assert suspicions(tmp_path) == []


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "data"
    shutil.copytree(Settings().data_dir, folder, ignore=shutil.ignore_patterns("facts", "network"))
    return folder


@pytest.fixture
def spoil(embedded: Path) -> Iterator[Callable[[dict[str, float]], None]]:
    """Divide the population of units of the embedded data; put it back afterwards."""
    place = embedded / "boundaries" / "units.geojson"
    before = place.read_bytes()

    def run(divisors: dict[str, float]) -> None:
        document = json.loads(before)
        for feature in document["features"]:
            feature["properties"]["population"] /= divisors.get(feature["properties"]["unit_id"], 1)
        place.write_text(json.dumps(document), encoding="utf-8")

    yield run
    place.write_bytes(before)


def test_the_figures_of_hanoi_are_left_in_peace(embedded: Path) -> None:
    assert suspicions(embedded) == []


def test_the_eight_units_that_lost_a_zero_in_the_public_map_are_all_found(
    embedded: Path, spoil: Callable[[dict[str, float]], None]
) -> None:
    with FACTS.open(encoding="utf-8", newline="") as stream:
        mended = [row["code"] for row in csv.DictReader(stream) if "zero" in row["population_note"]]
    assert len(mended) == 8
    spoil(dict.fromkeys(mended, 10))
    rows = {feature["properties"]["unit_id"]: i for i, feature in enumerate(units_of(embedded), start=1)}
    found = suspicions(embedded)
    assert {fault.key for fault in found} == {"population_too_small"}
    assert sorted(fault.row for fault in found) == sorted(rows[code] for code in mended)
    assert {told(fault)["factor"] for fault in found} == {"10"}


def units_of(folder: Path) -> list[dict]:
    features: list[dict] = json.loads((folder / "boundaries" / "units.geojson").read_bytes())["features"]
    return features


def write_two_counts(root: Path, *, now: dict[str, str], header: str = "population_2009") -> Path:
    """Write the city, without figures of its units, with an earlier count of 8,000 beside each 10,000."""
    folder = write_city(root)
    (folder / "boundaries" / "units.csv").unlink()
    rows = [f"{key},{now.get(key, '10000')},8000" for key in COMMUNES]
    write_text(folder / "population" / "communes.csv", "\n".join([f"commune_id,population,{header}", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("header", ["population_2009", "Dân số năm 2009"])
def test_a_lost_zero_shows_beside_another_count_of_the_same_file(tmp_path: Path, header: str) -> None:
    (fault,) = suspicions(write_two_counts(tmp_path, now={"2c": "1000"}, header=header))
    assert (fault.key, fault.severity, fault.row, fault.value) == ("population_unlike", "warning", 10, "1000")
    assert told(fault) == {"factor": "10", "expected": "10000", "other": header}


def test_communes_that_grew_or_shrank_are_left_in_peace(tmp_path: Path) -> None:
    assert suspicions(write_two_counts(tmp_path, now={"2c": "50000", "3a": "2000"})) == []


def test_a_column_that_is_no_count_is_no_witness(tmp_path: Path) -> None:
    assert suspicions(write_two_counts(tmp_path, now={"2c": "7000"}, header="population_density")) == []


def test_communes_without_anybody_are_noted_once(tmp_path: Path) -> None:
    (fault,) = suspicions(write_city(tmp_path, people=dict.fromkeys(COMMUNES, "0")))
    assert (fault.key, fault.file) == ("population_none", "population/communes.csv")
