"""A point that separates thousands is seen; sound decimals are left in peace."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import Fault, InputError
from geo.settings import Settings
from geo.sources.columns import COMMUNES, INVENTORY, WHOLE_BY_NATURE
from geo.sources.statistics import read_statistic
from geo.sources.thousands import point_meaning
from tests.toy import faults_in, told, toy_folder, write_text

IDS = ["00001", "00002", "00003", "00004"]
GROUPED = ["6.070", "913", "12.400", "1.001"]


def grouped(number: int) -> str:
    """Return a number as it is written in Vietnam."""
    return f"{number:,}".replace(",", ".")


def table(path: Path, figures: list[str], *, delimiter: str = ",") -> Path:
    """Write the figures of the four communes under the header x."""
    rows = [("commune_id", "name", "x"), *((key, f"Xã {key}", text) for key, text in zip(IDS, figures, strict=True))]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def refused(path: Path, **columns: list[str]) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        read_statistic(path, commune_ids=IDS, settings=Settings(), **columns)
    return list(caught.value.faults)


def figures(path: Path, **columns: list[str]) -> list[float]:
    return read_statistic(path, commune_ids=IDS, settings=Settings(), **columns).figures["x"].tolist()


@given(st.lists(st.integers(1, 999_999), min_size=1).filter(lambda figures: max(figures) >= 1000))
def test_a_column_of_counts_written_with_points_is_never_taken_for_decimals(figures: list[int]) -> None:
    assert point_meaning([grouped(n) for n in figures], grouped_below=WHOLE_BY_NATURE) == "thousands"


@given(st.lists(st.integers(0, 10**8), min_size=1), st.sampled_from([0.0, 100.0, WHOLE_BY_NATURE]))
def test_what_has_one_digit_too_many_or_nought_before_its_point_is_decimal(figures: list[int], below: float) -> None:
    for proof in ("0.125", "1234.125", "1.2500", "1.25e3"):
        assert point_meaning([*(f"{n / 1000:.3f}" for n in figures), proof], grouped_below=below) == "decimals"


def test_every_cell_in_question_is_named_with_both_readings(tmp_path: Path) -> None:
    faults = refused(table(tmp_path / "table.csv", GROUPED), add=["x"])
    places = [(fault.key, fault.file, fault.row, fault.column, fault.value) for fault in faults]
    assert places == [("number_grouped", "table.csv", row, "x", GROUPED[row - 2]) for row in (2, 4, 5)]
    assert told(faults[0]) == {"mark": ".", "whole": "6070", "short": "6.07", "long": "6.0700"}


def test_a_workbook_that_took_thousands_for_decimals_is_refused_though_it_dropped_zeros(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (("commune_id", "x"), *zip(IDS, [6.07, 913, 12.435, 1.001], strict=True)):
        book.active.append(row)
    book.save(tmp_path / "table.xlsx")
    assert [fault.value for fault in refused(tmp_path / "table.xlsx", add=["x"])] == ["6.07", "12.435", "1.001"]


def test_a_comma_that_separates_thousands_is_refused_where_commas_are_decimal(tmp_path: Path) -> None:
    path = table(tmp_path / "table.csv", [text.replace(".", ",") for text in GROUPED], delimiter=";")
    (first, *_) = refused(path, add=["x"])
    assert first.key == "number_grouped"
    assert told(first) == {"mark": ",", "whole": "6070", "short": "6,07", "long": "6,0700"}


def test_both_remedies_work(tmp_path: Path) -> None:
    for spelling in (["6.07", "913", "12.40", "1.00"], ["6.0700", "913", "12.4000", "1.0010"]):
        assert figures(table(tmp_path / "table.csv", spelling), add=["x"]) == [float(text) for text in spelling]


@pytest.mark.parametrize(
    "rates",
    [
        ["0.225", "0.362", "0.417", "0.120"],  # shares, to three places
        ["22.533", "36.231", "100", "12.000"],  # the same in percent, one of them all
        ["5.5", "12.25", "8.125", "3"],  # hectares
        ["1250.500", "900.250", "12.125", "8.000"],
    ],
)
def test_sound_rates_are_read_as_they_stand_and_without_a_word(tmp_path: Path, rates: list[str]) -> None:
    statistic = read_statistic(
        table(tmp_path / "table.csv", rates), average=["x"], commune_ids=IDS, settings=Settings()
    )
    assert statistic.figures["x"].tolist() == [float(text) for text in rates]
    assert statistic.notes == ()


def test_a_rate_whose_sizes_fit_only_as_thousands_is_refused(tmp_path: Path) -> None:
    """An income of 1.250 beside one of 985 and one of 870 is 1250."""
    faults = refused(table(tmp_path / "table.csv", ["1.250", "985", "870", "1.105"]), average=["x"])
    assert [fault.value for fault in faults] == ["1.250", "1.105"]


def test_a_rate_that_may_be_either_is_read_as_decimals_and_said_once(tmp_path: Path) -> None:
    path = table(tmp_path / "table.csv", ["22.533", "36.231", "41.745", "12.000"])
    statistic = read_statistic(path, average=["x"], commune_ids=IDS, settings=Settings())
    assert statistic.figures["x"].tolist() == [22.533, 36.231, 41.745, 12]
    (note,) = statistic.notes
    assert (note.key, note.severity, note.row, note.value) == ("number_open", "warning", 2, "22.533")


def test_a_number_in_millions_settles_its_column() -> None:
    assert point_meaning(["1.234.567", "985.123"], grouped_below=0) == "thousands"


@pytest.mark.parametrize(
    ("name", "table", "text", "meaning"),
    [
        ("land_area_m2", INVENTORY, ["1.250", "12.340", "3.400"], "thousands"),
        ("land_area_m2", INVENTORY, ["850.125", "120.500", "640.250"], "decimals"),
        ("floor_area_m2", INVENTORY, ["1.250", "850", "12.345"], "thousands"),
        ("hall_seats", INVENTORY, ["1.200", "300"], "thousands"),
        ("lat", INVENTORY, ["21.012", "20.998", "21"], "decimals"),
        ("area_km2", COMMUNES, ["1.250", "21.680", "400"], "decimals"),
    ],
)
def test_the_nature_of_a_column_decides(name: str, table: tuple, text: list[str], meaning: str) -> None:
    column = next(column for column in table if column.name == name)
    assert point_meaning(text, grouped_below=column.grouped_below) == meaning


def test_people_written_with_points_stop_the_work_also_where_only_some_are(tmp_path: Path) -> None:
    toy_folder(tmp_path)
    write_text(tmp_path / "population" / "communes.csv", "commune_id,population\n00001,19.752\n00002,945\n00003,8000\n")
    (fault,) = [fault for fault in faults_in(tmp_path) if fault.severity == "error"]
    assert (fault.key, fault.file, fault.row) == ("number_grouped", "population/communes.csv", 2)


def test_modelled_people_at_points_keep_their_decimals(tmp_path: Path) -> None:
    """Output of a model: three places, from a fraction of a person to a house."""
    toy_folder(tmp_path)
    draw = random.Random(3)
    rows = [f"{105.801 + i / 1e4:.4f},21.015,{draw.uniform(0.2, 40):.3f}" for i in range(50)]
    write_text(tmp_path / "population" / "homes.csv", "\n".join(["lon,lat,population", *rows, ""]))
    assert [fault.key for fault in faults_in(tmp_path) if fault.key.startswith("number_")] == []
