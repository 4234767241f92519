from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from geo.errors import Fault, InputError
from geo.params import read_params
from geo.plan import make_plan
from geo.publish import FILES, files, render_files, write_plan
from geo.text import LANGUAGES


def without_seconds(content: bytes) -> dict:
    summary = json.loads(content)
    assert summary.pop("seconds").keys() == {"access", "score", "publish"}
    return summary


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_plan_gives_the_same_bytes_but_for_the_seconds(plan, lang):
    one, two = render_files(plan, lang=lang), render_files(plan, lang=lang)
    assert tuple(one) == FILES
    assert without_seconds(one.pop("summary.json")) == without_seconds(two.pop("summary.json"))
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_plan_made_by_the_chain_has_words_for_all_it_says(toy_city, settings, lang):
    made = render_files(make_plan(toy_city, settings=settings), lang=lang)
    assert tuple(made) == FILES
    assert all(made.values())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("decree", ["155/2025", "152/2017"])
def test_the_decree_whose_norms_are_used_is_named(plan, lang, decree):
    made = render_files(replace(plan, params=plan.params.with_values({"norms.decree": decree})), lang=lang)
    for name in ("README.txt", "map.html", "summary.json"):
        text = made[name].decode()
        assert f"{decree}/N" in text, name
        assert {"155/2025": "152/2017/N", "152/2017": "155/2025/N"}[decree] not in text, name


def test_an_unknown_language_is_an_error(plan):
    with pytest.raises(KeyError, match="klingon"):
        render_files(plan, lang="klingon")


def test_the_summary_holds_what_a_program_needs(plan):
    note = Fault(key="units_without_network", severity="warning", values={"units": "Ba Đình (00004)"})
    summary = json.loads(render_files(replace(plan, notes=(note,)), lang="en")["summary.json"])
    assert summary["version"] == plan.version
    assert summary["params"] == plan.params.model_dump(mode="json")
    assert summary["params_digest"] == plan.params.digest
    assert summary["data_digest"] == plan.city.digest
    assert summary["modelled"] == ["boundaries", "population"]
    assert summary["totals"] == plan.totals
    assert summary["optimality"].items() >= plan.optimality.items()
    assert "exchange argument" in summary["optimality"]["why"]
    assert "Ba Đình (00004)" in summary["notes"][0]
    assert any("OpenStreetMap" in line for line in summary["attribution"])


def test_a_figure_that_is_not_known_is_null_in_the_summary(plan):
    totals = {**plan.totals, "mean_time_min": float("nan")}
    summary = json.loads(render_files(replace(plan, totals=totals))["summary.json"])
    assert summary["totals"]["mean_time_min"] is None


def test_params_toml_makes_the_same_parameters_again(plan, tmp_path):
    path = tmp_path / "params.toml"
    path.write_bytes(render_files(plan)["params.toml"])
    assert read_params(path) == plan.params


def test_the_read_me_names_every_other_file_and_what_is_modelled(plan):
    text = render_files(plan, lang="fr")["README.txt"].decode()
    assert [name for name in FILES if name not in text] == ["README.txt"]
    assert "Données modélisées : limites et population." in text


@pytest.fixture
def quick(monkeypatch):
    """Make the files out of next to nothing, where only their places matter."""
    monkeypatch.setattr(files, "render_files", lambda plan, *, lang: {name: lang.encode() for name in FILES})


def test_a_plan_is_written_into_a_new_folder(plan, tmp_path):
    out = tmp_path / "deep" / "out"
    write_plan(plan, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_older_plan_is_replaced_as_a_whole(quick, plan, tmp_path):
    out = tmp_path / "out"
    write_plan(plan, out)
    (out / "map.html").write_text("old")
    (out / "sites.csv").unlink()
    write_plan(plan, out, lang="vi")
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    assert (out / "map.html").read_bytes() == b"vi"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(quick, plan, tmp_path):
    write_plan(plan, tmp_path)
    assert (tmp_path / "units.csv").exists()


def test_a_folder_that_holds_other_files_is_refused_and_left_alone(quick, plan, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError) as caught:
        write_plan(plan, tmp_path)
    (fault,) = caught.value.faults
    assert fault.key == "output_not_writable"
    assert "thesis.docx" in fault.values["detail"]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_folder_named_like_a_file_of_a_plan_is_not_taken_for_one(quick, plan, tmp_path):
    (tmp_path / "map.html").mkdir()
    with pytest.raises(InputError):
        write_plan(plan, tmp_path)


def test_a_file_in_the_way_is_refused(quick, plan, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(InputError) as caught:
        write_plan(plan, out)
    assert caught.value.faults[0].key == "output_not_writable"
    assert out.read_text() == "mine"


def test_a_crash_while_writing_leaves_the_older_plan_and_nothing_else(quick, plan, tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_plan(plan, out)
    (out / "map.html").write_text("old")
    write_bytes = Path.write_bytes

    def full_disk(self: Path, content: bytes) -> int:
        if self.name == "map.html":
            raise OSError(28, "No space left on device")
        return write_bytes(self, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(InputError) as caught:
        write_plan(plan, out)
    assert caught.value.faults[0].values["detail"] == "No space left on device"
    assert (out / "map.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_a_failed_swap_brings_the_older_plan_back(quick, plan, tmp_path, monkeypatch, error):
    out = tmp_path / "out"
    write_plan(plan, out)
    (out / "map.html").write_text("old")
    rename = Path.rename

    def fail_on_the_new_one(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_on_the_new_one)
    with pytest.raises((InputError, KeyboardInterrupt)):
        write_plan(plan, out)
    assert (out / "map.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nothing_is_written_when_a_file_cannot_be_made(plan, tmp_path, monkeypatch):
    def fail(*args: object, **kwargs: object) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setattr(files, "map_html", fail)
    with pytest.raises(RuntimeError):
        write_plan(plan, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
