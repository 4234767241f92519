import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from geo import Params, load_city, make_plan
from geo.cli import app
from geo.settings import Settings
from tests.toy import toy_folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs ``truso`` with a cache of its own, in English."""
    monkeypatch.setenv("GEO_CACHE_DIR", str(tmp_path / "cache"))
    return lambda *words: CliRunner().invoke(app, [*map(str, words)])


def test_plan_writes_every_file_and_says_what_it_did(run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("plan", "--data", toy_folder(tmp_path / "toy"), "--out", out, "--lang", "en")
    assert result.exit_code == 0, result.output
    sites = json.loads((out / "summary.json").read_text(encoding="utf-8"))["totals"]["sites"]
    assert f"{sites} sites for 2 units" in result.output
    names = {path.name for path in out.iterdir()}
    assert {"units.csv", "sites.csv", "plan.gpkg", "plan.xlsx", "map.html", "summary.json"} <= names


def test_the_command_and_the_library_give_the_same_plan(run, tmp_path: Path) -> None:
    folder, out = toy_folder(tmp_path / "toy"), tmp_path / "out"
    assert run("plan", "--data", folder, "--out", out, "--set", "norms.base_staff=10").exit_code == 0
    params = Params().with_values({"norms.base_staff": 10})
    plan = make_plan(load_city(folder, settings=Settings()), params, settings=Settings())
    written = pd.read_csv(out / "units.csv", dtype={"unit_id": str, "site_id_1": str, "site_id_2": str})
    assert written["site_id_1"].tolist() == plan.units["site_id_1"].tolist()
    assert json.loads((out / "summary.json").read_text(encoding="utf-8"))["params_digest"] == params.digest


def test_the_written_parameters_make_the_same_files_again(run, tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    one, two = tmp_path / "one", tmp_path / "two"
    assert run("plan", "--data", folder, "--out", one, "--set", "weights.size=0.7").exit_code == 0
    assert run("plan", "--data", folder, "--out", two, "--params", one / "params.toml").exit_code == 0
    for path in one.iterdir():
        if path.name != "summary.json":
            assert path.read_bytes() == (two / path.name).read_bytes(), path.name
    summaries = [json.loads((out / "summary.json").read_text(encoding="utf-8")) for out in (one, two)]
    for summary in summaries:
        del summary["seconds"]
    assert summaries[0] == summaries[1]


def test_bad_input_ends_with_1_names_everything_and_writes_nothing(run, tmp_path: Path) -> None:
    folder, out = toy_folder(tmp_path / "toy"), tmp_path / "out"
    inventory = folder / "buildings" / "inventory.csv"
    text = inventory.read_text(encoding="utf-8").replace("S2,", "S1,").replace("105.815,21.007", "21.007,105.815")
    inventory.write_text(text, encoding="utf-8")
    result = run("plan", "--data", folder, "--out", out, "--lang", "en")
    assert result.exit_code == 1
    assert "S1" in result.output
    assert "row 3" in result.output, "the duplicate"
    assert "row 4" in result.output, "the swapped place"
    assert "inventory.csv" in result.output
    assert not out.exists()


def test_a_wrong_parameter_ends_with_1_and_says_what_is_allowed(run, tmp_path: Path) -> None:
    result = run("plan", "--out", tmp_path / "out", "--set", "weights.size=5", "--lang", "en")
    assert result.exit_code == 1
    assert "weights.size" in result.output
    assert "allowed: ≤ 1" in result.output


def test_too_small_a_budget_ends_with_1_and_names_the_least(run, tmp_path: Path) -> None:
    result = run(
        "plan", "--data", toy_folder(tmp_path / "toy"), "--out", tmp_path / "out", "--set", "choice.max_sites=1",
        "--lang", "en",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "every unit needs a site): choice.max_sites = 1." in (told := " ".join(result.output.split()))
    assert told.endswith("smallest changes, each enough on its own (“−” means giving it up): choice.max_sites = 2.")


@pytest.mark.parametrize(
    ("lang", "words"), [("vi", "Không có lỗi"), ("en", "Nothing stands"), ("fr", "Rien ne s’oppose")]
)
def test_check_passes_a_sound_folder_in_every_language(run, tmp_path: Path, lang: str, words: str) -> None:
    result = run("check", toy_folder(tmp_path / "toy"), "--lang", lang)
    assert result.exit_code == 0, result.output
    assert words in result.output


def test_check_ends_with_1_on_a_folder_that_cannot_be_used(run, tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    (folder / "boundaries" / "clauses.csv").unlink()
    result = run("check", folder, "--lang", "en")
    assert result.exit_code == 1
    assert "clauses" in result.output


def test_audit_passes_a_sound_folder_and_writes_every_finding(run, tmp_path: Path) -> None:
    result = run("audit", toy_folder(tmp_path / "toy"), "--out", tmp_path / "audit.csv", "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "0 break what must hold" in result.output
    assert "area_lost_share" in (tmp_path / "audit.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("lang", "words"), [("vi", "Vi phạm điều kiện"), ("en", "Breaches of what must"), ("fr", "Manquements à ce qui")]
)
def test_audit_ends_with_1_on_a_breach_and_says_what_mends_it(run, tmp_path: Path, lang: str, words: str) -> None:
    folder = toy_folder(tmp_path / "toy")
    units = folder / "boundaries" / "units.geojson"
    document = json.loads(units.read_text(encoding="utf-8"))
    for feature in document["features"]:
        feature["properties"]["area_km2"] = 9.9
    units.write_text(json.dumps(document), encoding="utf-8")
    result = run("audit", folder, "--lang", lang)
    assert result.exit_code == 1
    assert words in result.output
    assert "Phường Tây" in result.output
    assert "→" in result.output


def test_audit_and_convert_tell_what_reading_the_folder_noted(run, tmp_path: Path) -> None:
    folder, table = toy_folder(tmp_path / "toy"), tmp_path / "households.csv"
    table.write_text("commune_id,households\n00001,10\n00002,10\n00003,10\n00004,10\n", encoding="utf-8")
    (folder / "city.toml").write_text('colour = "red"\n', encoding="utf-8")
    for words in (
        ("audit", folder),
        ("convert", table, "--data", folder, "--sum", "households", "--out", tmp_path / "o.csv"),
    ):
        result = run(*words, "--lang", "en")
        assert result.exit_code == 0, result.output
        assert "city.toml" in result.output
        assert "colour" in result.output


def test_audit_and_convert_need_no_buildings_but_a_plan_does(run, tmp_path: Path) -> None:
    folder, table, out = toy_folder(tmp_path / "toy"), tmp_path / "households.csv", tmp_path / "out.csv"
    shutil.rmtree(folder / "buildings")
    table.write_text("commune_id,households\n00001,10\n00002,10\n00003,10\n00004,10\n", encoding="utf-8")
    audited = run("audit", folder, "--lang", "en")
    assert audited.exit_code == 0, audited.output
    assert "0 break what must hold" in audited.output
    converted = run("convert", table, "--data", folder, "--sum", "households", "--out", out, "--lang", "en")
    assert converted.exit_code == 0, converted.output
    assert pd.read_csv(out)["households"].sum() == 40
    planned = run("plan", "--data", folder, "--out", tmp_path / "plan", "--lang", "en")
    assert planned.exit_code == 1
    assert "buildings/: This part is missing; without it there is no plan." in " ".join(planned.output.split())


def test_audit_refuses_a_format_it_does_not_write(run, tmp_path: Path) -> None:
    assert run("audit", toy_folder(tmp_path / "toy"), "--out", tmp_path / "audit.doc").exit_code == 2


def test_an_unknown_language_is_refused(run) -> None:
    assert run("check", "--lang", "xx").exit_code == 2
