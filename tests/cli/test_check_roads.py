"""``truso check`` says where the roads of a folder do not reach its communes (a map is in tests/toy.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from geo.text import LANGUAGES
from tests.toy import toy_folder, write_text

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy_folder(tmp_path / "toy")


def _with_road(folder: Path, *places: tuple[float, float]) -> Path:
    nodes = [{"type": "node", "id": i, "lon": lon, "lat": lat} for i, (lon, lat) in enumerate(places, start=1)]
    way = {"type": "way", "id": 1, "nodes": [node["id"] for node in nodes], "tags": {"highway": "primary"}}
    answer = {"version": 0.6, "generator": "Overpass API", "elements": [*nodes, way]}
    write_text(folder / "network" / "roads.json", json.dumps(answer))
    return folder


@pytest.mark.parametrize("lang", LANGUAGES)
def test_roads_of_another_city_are_told_with_their_place(run: Run, folder: Path, lang: str) -> None:
    result = run("check", _with_road(folder, (5.1, 46.1), (5.2, 46.2)), "--lang", lang)
    assert result.exit_code == 0
    assert "5.150, 46.150" in result.output


def test_communes_without_a_road_are_named(run: Run, folder: Path) -> None:
    result = run("check", _with_road(folder, (105.805, 21.015), (105.815, 21.015)), "--lang", "en")
    assert "2 of 4 communes hold no road of the file: Xã Cửa (00003), Xã Đông (00004)." in result.output


def test_roads_in_every_commune_are_no_news(run: Run, folder: Path) -> None:
    places = ((105.805, 21.015), (105.815, 21.015), (105.825, 21.015), (105.815, 21.005))
    result = run("check", _with_road(folder, *places), "--lang", "en")
    assert "road of the file" not in result.output


def test_everything_that_is_wrong_is_told_where_the_city_cannot_be_loaded(run: Run, folder: Path) -> None:
    _with_road(folder, (5.1, 46.1), (5.2, 46.2))
    write_text(folder / "network" / "roads.json", "{")
    (folder / "boundaries" / "clauses.csv").unlink()
    result = run("check", folder, "--lang", "en")
    assert result.exit_code == 1
    assert "clauses" in result.output
    assert "roads.json" in result.output
