from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from geo.city import load_city
from geo.cli import app
from geo.errors import Fault
from geo.merge.crosswalk import convert_statistic, note_gaps
from geo.publish.crosswalk import crosswalk_csv
from tests.toy import told, toy_folder

# A whole to W; B in two: W has 1 of its 4 km2 but, by the clause, nobody; C whole to E.
PIECES = pd.DataFrame(
    {
        "commune_id": ["A", "B", "B", "C"],
        "unit_id": ["W", "W", "E", "E"],
        "relation": ["whole", "part_area_only", "remainder", "whole"],
        "area_km2": [2.0, 1.0, 3.0, 5.0],
        "area_share": [1.0, 0.25, 0.75, 1.0],
        "population": [100.0, 0.0, 300.0, 600.0],
        "population_share": [1.0, 0.0, 1.0, 1.0],
    }
)
TABLE = pd.DataFrame({"households": [30.0, 80.0, 150.0], "income": [9.0, 5.0, 2.0]}, index=["A", "B", "C"])


def test_a_count_goes_with_the_people_and_a_rate_is_averaged_over_them() -> None:
    units = convert_statistic(TABLE, PIECES, add=["households"], average=["income"])
    assert units.loc["W", ["households", "income"]].tolist() == [30, 9]
    assert units.loc["E", ["households", "income"]].tolist() == [230, pytest.approx((300 * 5 + 600 * 2) / 900)]


def test_what_goes_with_the_land_follows_the_area() -> None:
    rice = pd.DataFrame({"rice_ha": [10.0, 40.0, 7.0]}, index=["A", "B", "C"])
    assert convert_statistic(rice, PIECES, add=["rice_ha"], by="area")["rice_ha"].tolist() == [37, 20]


def test_an_unknown_figure_leaves_a_gap_and_not_a_sum_too_small() -> None:
    units = convert_statistic(TABLE.drop(index="C"), PIECES, add=["households"])
    assert np.isnan(units.loc["E", "households"])
    assert units["n_unknown"].to_dict() == {"E": 1, "W": 0}


def test_a_census_that_lacks_one_commune_changes_no_other_unit() -> None:
    extra = {"commune_id": "D", "unit_id": "N", "area_km2": 1.0, "area_share": 1.0, "population_share": 1.0}
    pieces = pd.concat([PIECES, pd.DataFrame([extra])], ignore_index=True)
    table = pd.concat([TABLE, pd.DataFrame({"households": 1.0, "income": 4.0}, index=["D"])])
    income = convert_statistic(table, pieces, average=["income"])["income"]
    assert income["E"] == pytest.approx((300 * 5 + 600 * 2) / 900)
    assert np.isnan(income["N"])


def test_a_commune_that_sends_nobody_needs_no_figure() -> None:
    assert convert_statistic(TABLE.loc[["A"]], PIECES, add=["households"]).loc["W", "households"] == 30


def test_a_rate_whose_weight_is_not_known_is_counted_as_unknown() -> None:
    pieces = PIECES.assign(population=[100.0, 0.0, 300.0, np.nan])
    units = convert_statistic(TABLE, pieces, add=["households"], average=["income"])
    assert np.isnan(units.loc["E", "income"])
    assert units["n_unknown"].to_dict() == {"E": 1, "W": 0}
    assert units.loc["E", "households"] == 230


def test_a_rate_needs_no_commune_in_which_nobody_lives() -> None:
    pieces = PIECES.assign(population=[100.0, 0.0, 300.0, 0.0])
    units = convert_statistic(TABLE.drop(index="C"), pieces, average=["income"])
    assert units["income"].to_dict() == {"E": 5, "W": 9}
    assert units["n_unknown"].to_dict() == {"E": 0, "W": 0}


def test_a_unit_in_which_nobody_lives_has_no_rate() -> None:
    units = convert_statistic(TABLE, PIECES.assign(population=[0.0, 0.0, 300.0, 600.0]), average=["income"])
    assert np.isnan(units.loc["W", "income"])


def test_a_rate_is_weighted_by_the_count_that_it_is_a_rate_of() -> None:
    """Of 30, 80 and 150 houses 9, 5 and 2 % are tiled: in E 80 houses of B and 150 of C, whoever lives in them."""
    houses = TABLE.rename(columns={"households": "houses", "income": "tiled_pct"})
    units = convert_statistic(houses, PIECES, average=["tiled_pct"], weight="houses")
    assert units["tiled_pct"].to_dict() == {"W": 9, "E": pytest.approx((80 * 5 + 150 * 2) / 230)}
    by_area = convert_statistic(houses, PIECES, average=["tiled_pct"], weight="houses", by="area")
    assert by_area.loc["W", "tiled_pct"] == pytest.approx((30 * 9 + 20 * 5) / 50)
    unknown = convert_statistic(houses.assign(houses=[30, 80, np.nan]), PIECES, average=["tiled_pct"], weight="houses")
    assert unknown["n_unknown"].to_dict() == {"E": 1, "W": 0}


COMMUNE_NAMES = pd.Series({"A": "An", "B": "Bưởi", "C": "Cửa"})
UNIT_NAMES = pd.Series({"W": "Tây", "E": "Đông"})


def notes(table: pd.DataFrame, pieces: pd.DataFrame = PIECES, **columns: Any) -> list[Fault]:
    return note_gaps(table, pieces, communes=COMMUNE_NAMES, units=UNIT_NAMES, file="table.csv", **columns)


def test_nothing_is_said_where_every_unit_has_a_value() -> None:
    assert notes(TABLE, add=["households"], average=["income"]) == []
    assert notes(TABLE.loc[["A", "B"]], PIECES[:3], add=["households"]) == []


def test_a_gap_names_the_communes_and_counts_the_units() -> None:
    (note,) = notes(TABLE.drop(index=["B", "C"]), add=["households"])
    assert (note.key, note.severity, note.column) == ("statistic_gap", "warning", "households")
    assert told(note)["list"] == "B Bưởi, C Cửa"
    assert (told(note)["units"], told(note)["total"], told(note)["n"]) == ("1", "2", "2")


@pytest.mark.parametrize(
    ("people", "weight", "key", "listed"),
    [
        ([100.0, 0.0, 300.0, np.nan], None, "statistic_weight_gap", "C Cửa"),
        ([0.0, 0.0, 300.0, 600.0], None, "statistic_weightless", "W Tây"),
        ([100.0, 0.0, 300.0, 600.0], "houses", "statistic_weight_gap", "B Bưởi"),
    ],
)
def test_a_rate_without_its_weight_says_so(people: list[float], weight: str | None, key: str, listed: str) -> None:
    table = TABLE.assign(houses=[1, np.nan, 3])
    (note,) = notes(table, PIECES.assign(population=people), average=["income"], weight=weight)
    assert (note.key, told(note)["list"], told(note)["weight"]) == (key, listed, weight or "population")


def test_rates_weighted_by_the_land_for_want_of_people_are_noted() -> None:
    pieces = PIECES.assign(population=np.nan)
    assert [note.key for note in notes(TABLE, pieces, average=["income"])] == ["statistic_by_land"]
    assert notes(TABLE, pieces, average=["income"], by="area") == []
    assert notes(TABLE.assign(area=1.0), pieces, average=["income"], weight="area") == []


@st.composite
def crosswalks(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = []
    for commune in "ABCDE"[: draw(st.integers(1, 5))]:
        weights = draw(st.lists(st.floats(0.01, 10), min_size=1, max_size=4))
        share = np.array(weights) / sum(weights)
        rows += [(commune, f"U{i}", s, s * 7.0) for i, s in enumerate(share)]
    pieces = pd.DataFrame(rows, columns=["commune_id", "unit_id", "area_share", "area_km2"])
    ids = pieces["commune_id"].unique()
    value = st.floats(-1e6, 1e6)
    return pieces, pd.DataFrame({"x": [draw(value) for _ in ids]}, index=ids)


@given(crosswalks())
def test_sums_are_conserved_and_averages_lie_between_the_values(case: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    pieces, table = case
    units = convert_statistic(table, pieces, add=["x"], by="area")
    assert units["x"].sum() == pytest.approx(table["x"].sum(), rel=1e-9, abs=1e-6)
    mean = convert_statistic(table, pieces, average=["x"], by="area")["x"]
    assert mean.between(table["x"].min() - 1e-6, table["x"].max() + 1e-6).all()


def convert(tmp_path: Path, text: str, *words: str | Path) -> tuple[Result, Path]:
    source = tmp_path / "table.csv"
    source.write_text(text, encoding="utf-8")
    out = tmp_path / "units.csv"
    command = ["convert", source, "--data", toy_folder(tmp_path / "toy"), "--out", out, "--lang", "en", *words]
    return CliRunner().invoke(app, [str(word) for word in command]), out


def test_the_command_converts_a_table_with_the_headers_officials_use(tmp_path: Path) -> None:
    text = "Mã xã,Số hộ\n1,10\n00002,20\n00003,30\n00004,40\n"
    result, out = convert(tmp_path, text, "--sum", "Số hộ", "--by", "area")
    assert result.exit_code == 0, result.output
    units = pd.read_csv(out, dtype={"unit_id": str}).set_index("unit_id")
    assert units["Số hộ"].to_dict() == pytest.approx({"00010": 20, "00020": 80}, rel=1e-4)


def test_the_command_names_every_fault_and_writes_nothing(tmp_path: Path) -> None:
    text = "Mã xã,Số hộ\n00001,ten\n00099,20\n00002,1\n00002,2\n"
    result, out = convert(tmp_path, text, "--sum", "Số hộ", "--mean", "thu nhập")
    assert result.exit_code == 1
    for words in ("ten", "00099", "00002", "thu nhập", "table.csv"):
        assert words in result.output
    assert not out.exists()


def test_the_crosswalk_reproduces_the_figures_of_the_command(tmp_path: Path) -> None:
    text = "commune_id,households\n00001,10\n00002,20\n00003,30\n00004,40\n"
    result, out = convert(tmp_path, text, "--sum", "households", "--crosswalk", tmp_path / "crosswalk.csv")
    assert result.exit_code == 0, result.output
    ids = {"commune_id": str, "unit_id": str}
    shares = pd.read_csv(tmp_path / "crosswalk.csv", dtype=ids)
    assert shares["population_method"].tolist() == ["whole", "land", "land", "whole", "whole"]
    assert (tmp_path / "crosswalk.csv").read_bytes() == crosswalk_csv(load_city(tmp_path / "toy")), "as a plan has it"
    given = pd.read_csv(tmp_path / "table.csv", dtype=ids).set_index("commune_id")["households"]
    ours = (shares["population_share"] * shares["commune_id"].map(given)).groupby(shares["unit_id"]).sum()
    units = pd.read_csv(out, dtype=ids).set_index("unit_id")
    assert ours.to_dict() == pytest.approx(units["households"].to_dict(), rel=1e-8)


def test_the_command_weighs_a_rate_by_a_column_of_the_table(tmp_path: Path) -> None:
    text = "commune_id,houses,tiled\n00001,10,50\n00002,0,\n00003,30,20\n00004,10,60\n"
    result, out = convert(tmp_path, text, "--mean", "tiled", "--weight", "houses")
    assert result.exit_code == 0, result.output
    units = pd.read_csv(out, dtype={"unit_id": str}).set_index("unit_id")
    assert units["tiled"].to_dict() == {"00010": 50, "00020": 30}
    assert list(units) == ["name", "tiled", "n_unknown"]


def test_a_weight_below_nought_or_of_no_rate_is_refused(tmp_path: Path) -> None:
    text = "commune_id,houses,tiled\n00001,-10,50\n"
    result, _ = convert(tmp_path, text, "--mean", "tiled", "--weight", "houses")
    assert (result.exit_code, "-10" in result.output) == (1, True)
    assert convert(tmp_path, text, "--sum", "houses", "--weight", "houses")[0].exit_code == 2
    assert convert(tmp_path, text, "--mean", "tiled", "--weight", "tiled")[0].exit_code == 2


@pytest.mark.parametrize("name", ["commune_id", "Mã xã", "ma xa"])
def test_the_ids_are_no_figure(tmp_path: Path, name: str) -> None:
    result, out = convert(tmp_path, "Mã xã,Số hộ\n00001,10\n", "--sum", name)
    assert (result.exit_code, out.exists()) == (1, False)
    for words in ("table.csv", "row 1", "Mã xã", "Số hộ"):
        assert words in result.output


@pytest.mark.parametrize("option", ["--out", "--crosswalk"])
def test_no_table_of_the_user_is_written_over(tmp_path: Path, option: str) -> None:
    text = "commune_id,households\n00001,10\n"
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    for name in ("table.csv", "link.csv"):
        result, _ = convert(tmp_path, text, "--sum", "households", option, tmp_path / name)
        assert (result.exit_code, option in result.output) == (2, True)
        assert (tmp_path / "table.csv").read_text() == text


def test_the_two_files_of_the_command_are_two(tmp_path: Path) -> None:
    text = "commune_id,households\n00001,10\n"
    result, out = convert(tmp_path, text, "--sum", "households", "--crosswalk", tmp_path / "units.csv")
    assert (result.exit_code, out.exists()) == (2, False)


def test_the_command_says_which_units_it_leaves_empty_and_why(tmp_path: Path) -> None:
    result, _ = convert(tmp_path, "commune_id,households\n00001,10\n00002,5\n00003,\n", "--sum", "households")
    assert result.exit_code == 0
    words = " ".join(result.output.split())
    assert "1 of 2 units have no value here" in words
    assert "2 communes are not known: 00003 Xã Cửa, 00004 Xã Đông." in words


def test_the_command_says_how_the_folder_was_read(tmp_path: Path) -> None:
    """A system of coordinates that was guessed, a population that looks too small: the shares rest on them."""
    text = "commune_id,households\n00001,10\n00002,5\n00003,3\n00004,2\n"
    assert "network/" in convert(tmp_path, text, "--sum", "households")[0].output
