from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from geo.cli import app
from geo.cli.console import params_of
from tests.toy import replace_in, write_text


def truso(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, words), "--lang", "en"])
    return result.exit_code, result.output


def test_a_table_of_speeds_is_written_edited_and_taken(tmp_path: Path) -> None:
    path = tmp_path / "speeds.csv"
    assert truso("speeds", "--out", path)[0] == 0
    assert params_of(None, None, None, speeds=path) == params_of(None, None, None)
    replace_in(path, "car,trunk,50.0", "car,trunk,44")
    assert params_of(None, None, None, speeds=path).access.speeds_kmh["car"]["trunk"] == 44
    assert (
        params_of(None, None, ["access.speeds_kmh.car.trunk=43"], speeds=path).access.speeds_kmh["car"]["trunk"] == 43
    )


def test_a_scenario_shows_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "speeds.csv"
    assert truso("speeds", "--out", path, "--scenario", "rush_hour")[0] == 0
    rows = pd.read_csv(path).set_index(["mode", "highway"])
    assert rows.loc[("car", "primary"), "used_kmh"] == pytest.approx(rows.loc[("car", "primary"), "kmh"] * 0.4)
    under = ["access.scenario=rush_hour"]
    assert params_of(None, None, under, speeds=path) == params_of(None, None, under), "unedited, it changes nothing"
    code, output = truso("speeds", "--out", path, "--scenario", "siesta")
    assert code == 1
    assert "rush_hour" in output


def test_a_wrong_table_stops_every_command_that_plans_before_it_starts(tmp_path: Path) -> None:
    path = write_text(tmp_path / "speeds.csv", "mode,highway,kmh\ncar,boulevard,30\n")
    for command in ("plan", "explain", "frontier", "robust", "mcda", "scenario"):
        name = ["rush_hour"] if command == "scenario" else []
        code, output = truso(command, *name, "--out", tmp_path / "out", "--speeds", path)
        assert code == 1
        assert "speeds.csv, row 2, column highway, value “boulevard”" in output
