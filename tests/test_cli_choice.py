from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from geo.cli import app
from geo.text import LANGUAGES
from tests.toy import toy_folder
from tests.ui.toyapp import write_streets


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs ``truso`` on the toy folder with a cache of its own."""
    monkeypatch.setenv("GEO_CACHE_DIR", str(tmp_path / "cache"))
    folder = toy_folder(tmp_path / "toy")
    return lambda *words: CliRunner().invoke(app, [*map(str, words), "--data", str(folder)])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_explain_says_why_in_every_language(run, lang: str) -> None:
    result = run("explain", "00020", "--lang", lang)
    assert result.exit_code == 0, result.output
    assert "Phường Đông (00020)" in result.output
    assert result.output.count("\n- ") >= 4


@pytest.mark.parametrize("lang", LANGUAGES)
def test_explain_writes_the_sentences_of_every_unit(run, tmp_path: Path, lang: str) -> None:
    result = run("explain", "--out", tmp_path / "why.csv", "--lang", lang)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "why.csv", dtype={"unit_id": str})
    assert table["unit_id"].unique().tolist() == ["00010", "00020"]
    alone = run("explain", "00020", "--lang", lang).output
    assert all(text in alone for text in table.loc[table["unit_id"] == "00020", "text"])
    assert run("explain", "--lang", lang).exit_code == 2, "a unit or a file is needed"


def test_explain_names_an_unknown_unit(run) -> None:
    result = run("explain", "1", "--lang", "en")
    assert result.exit_code == 1
    assert "no unit of this id" in result.output


def test_frontier_writes_a_row_for_every_budget(run, tmp_path: Path) -> None:
    result = run("frontier", "--out", tmp_path / "frontier.csv", "--lang", "en", "--set", "choice.max_sites=3")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "frontier.csv")
    assert table["max_sites"].tolist() == [2, 3, 4]
    assert table["mark"].fillna("").tolist() == ["one_each", "budget", ""]
    assert "3 budgets written" in result.output


@pytest.mark.slow
def test_robust_writes_units_and_buildings(run, tmp_path: Path) -> None:
    result = run("robust", "--out", tmp_path / "robust", "--weightings", "50", "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "50 weightings tried" in result.output
    assert len(pd.read_csv(tmp_path / "robust" / "robust_units.csv")) == 2
    assert len(pd.read_csv(tmp_path / "robust" / "robust_sites.csv")) == 4


@pytest.mark.parametrize("lang", LANGUAGES)
def test_mcda_says_on_how_many_units_the_methods_agree(run, tmp_path: Path, lang: str) -> None:
    result = run("mcda", "--out", tmp_path / "mcda", "--lang", lang)
    assert result.exit_code == 0, result.output
    assert "PROMETHEE II" in result.output
    assert len(pd.read_csv(tmp_path / "mcda" / "mcda_units.csv")) == 2
    assert (tmp_path / "mcda" / "mcda_sites.csv").exists()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_compare_tells_what_a_scenario_or_a_decision_changes(run, tmp_path: Path, lang: str) -> None:
    (tmp_path / "other.toml").write_text("[choice]\nmax_sites = 2\n", encoding="utf-8")
    (tmp_path / "decided.csv").write_text("unit_id,site_id_1,site_id_2\n00020,S4,\n", encoding="utf-8")
    for option, file in (("--with", "other.toml"), ("--decided", "decided.csv")):
        out = tmp_path / f"{file}.csv"
        result = run("compare", option, tmp_path / file, "--out", out, "--lang", lang)
        assert result.exit_code == 0, result.output
        assert len(pd.read_csv(out)) == 2
        params = pd.read_csv(out.with_name(f"{out.stem}_params.csv"))
        assert "choice.max_sites" in set(params["name"])
        assert result.output.count("→") == 7 + len(params)
    assert run("compare", "--out", tmp_path / "x.csv").exit_code == 2, "one of the two is needed"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_conflict_is_told_in_the_language_of_the_reader(run, tmp_path: Path, lang: str) -> None:
    wanted = ["--set", 'constraints.two_site_units=["00020"]', "--set", "choice.max_sites=2"]
    result = run("plan", "--out", tmp_path / "out", "--lang", lang, *wanted)
    assert result.exit_code == 1
    assert "choice.max_sites = 3" in result.output
    assert {"vi": "đáp ứng đồng thời", "en": "No choice keeps", "fr": "Aucun choix"}[lang] in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_every_question_is_answered_under_a_network_profile(run, tmp_path: Path) -> None:
    """With streets, slow ones: each command takes the profile from the file and says under which the plan is made."""
    write_streets(tmp_path / "toy" / "network" / "toy.osm.pbf")
    profile = (
        '[access.scenario]\ntitle = { en = "Market day" }\nspeed_factors = { motorbike = { residential = 0.5 } }\n'
    )
    (tmp_path / "market.toml").write_text(profile, encoding="utf-8")
    asked = ["--params", tmp_path / "market.toml", "--lang", "en"]
    told = {
        name: run(*words, *asked)
        for name, words in {
            "plan": ("plan", "--out", tmp_path / "plan"),
            "explain": ("explain", "00020"),
            "frontier": ("frontier", "--out", tmp_path / "frontier.csv"),
            "robust": ("robust", "--out", tmp_path / "robust", "--weightings", "20"),
            "mcda": ("mcda", "--out", tmp_path / "mcda"),
            "compare": ("compare", "--with", tmp_path / "plan" / "params.toml", "--out", tmp_path / "diff.csv"),
            "scenario": ("scenario", "rush_hour", "--anew"),
        }.items()
    }
    assert {name: result.output for name, result in told.items() if result.exit_code} == {}
    for name in ("plan", "explain", "scenario"):
        assert "Market day" in told[name].output, name
    assert "No parameter differs" in told["compare"].output, "the params.toml of a plan is the file that it came from"
    minutes = pd.read_csv(tmp_path / "plan" / "units.csv")["mean_time_min"]
    assert run("plan", "--out", tmp_path / "free").exit_code == 0
    assert (minutes > pd.read_csv(tmp_path / "free" / "units.csv")["mean_time_min"]).all()
