"""What the command line says of a city that is not Hanoi."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from geo.text import LANGUAGES
from tests.toy import polygon, toy_folder, write_features, write_text

Run = Callable[..., Result]
_STAFF = ("norms.city_staff=40", "norms.staff_leaving=0", "norms.staff_not_placed=0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy_folder(tmp_path / "toy")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_check_and_plan_tell_of_the_staff_and_the_budget_of_hanoi(run: Run, folder: Path, lang: str) -> None:
    checked = run("check", folder, "--lang", lang)
    assert checked.exit_code == 0
    assert "norms.city_staff=" in checked.output
    assert "choice.max_sites=" in checked.output
    planned = run("plan", "--data", folder, "--out", folder.parent / "out", "--lang", lang)
    assert "8913" in planned.output
    notes = json.loads((folder.parent / "out" / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert sum("norms.city_staff=" in note or "choice.max_sites=" in note for note in notes) == 2


def test_who_sets_them_hears_no_more_of_hanoi(run: Run, folder: Path) -> None:
    given = [word for value in (*_STAFF, "choice.max_sites=3") for word in ("--set", value)]
    result = run("plan", "--data", folder, "--out", folder.parent / "out", "--lang", "en", *given)
    assert result.exit_code == 0
    assert "Hanoi" not in result.output


@pytest.mark.parametrize(
    "command",
    ["explain", "frontier", "access", *(pytest.param(word, marks=pytest.mark.slow) for word in ("robust", "mcda"))],
)
def test_every_question_about_a_plan_tells_of_the_figures_of_hanoi(run: Run, folder: Path, command: str) -> None:
    result = run(command, "--data", folder, "--out", folder.parent / "out", "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "The units are not Hanoi's" in result.output


def test_a_city_of_more_units_than_hanoi_has_sites_hears_whose_budget_it_is(run: Run, folder: Path) -> None:
    # Squares of 0.001 degrees side by side, each a commune, a unit and a building.
    n, features, clauses, sites = 233, [], ["clause,unit_id,commune_id,relation"], ["site_id,name,lon,lat"]
    for i in range(n):
        lon = 2 + i / 1000
        names = {"commune_id": f"C{i:03d}", "name": f"C {i}", "district_id": "D", "population": 10}
        features.append({"type": "Feature", "properties": names, "geometry": polygon(lon, 47, size=0.001)})
        clauses.append(f"{i + 1},U{i:03d},C{i:03d},whole")
        sites.append(f"S{i:03d},House {i},{lon + 0.0005:.4f},47.0005")
    for path in folder.glob("boundaries/*"):
        path.unlink()
    write_features(folder / "boundaries" / "communes.geojson", features)
    write_text(folder / "boundaries" / "clauses.csv", "\n".join(clauses))
    write_text(folder / "buildings" / "inventory.csv", "\n".join(sites))
    write_text(folder / "city.toml", 'name = "Elsewhere"')
    result = run("plan", "--data", folder, "--out", folder.parent / "out", "--lang", "en")
    assert result.exit_code == 1
    assert "The units are not Hanoi's, but the budget is: 232 sites, for 233 units here." in result.output


def test_a_frontier_whose_budget_is_past_its_end_says_so_in_words(run: Run, folder: Path) -> None:
    out = folder.parent / "frontier.csv"
    result = run("frontier", "--data", folder, "--out", out, "--lang", "fr")
    assert "inconnu" not in result.output
    assert "avec un budget de 232" in result.output
    assert len(pd.read_csv(out)) == 3


def test_figures_on_the_terminal_have_the_decimal_sign_of_the_language() -> None:
    from geo.cli.console import printable

    assert [printable({"x": 9.756}, lang)["x"] for lang in ("en", "fr", "vi")] == ["9.76", "9,76", "9,76"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_resolution_in_another_language_is_sent_to_the_table(run: Run, folder: Path, lang: str) -> None:
    law = write_text(folder / "law.txt", "1. Commune nouvelle de Bresse : Attignat, Buellas\n")
    result = run("clauses", law, "--communes", folder, "--out", folder / "clauses.csv", "--lang", lang)
    assert result.exit_code == 1
    assert "boundaries/clauses.csv" in result.output


def test_a_scenario_without_roads_says_that_there_are_none(run: Run, folder: Path) -> None:
    result = run("scenario", "rush_hour", "--data", folder, "--lang", "en")
    assert result.exit_code == 1
    assert "There is no road network" in result.output
    assert "access.mode" not in result.output
