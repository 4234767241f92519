import dataclasses
import io
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from typer.testing import CliRunner

from geo.city import City
from geo.cli import app
from geo.errors import InputError
from geo.plan import Plan, make_plan
from geo.publish.access import access_sheet, reach_texts, write_access
from geo.publish.workbook import plan_xlsx
from geo.settings import Settings
from geo.study.isochrones import site_isochrones, unit_isochrones
from geo.study.reach import reach_table
from geo.text import LANGUAGES
from tests.test_plan import SMALL, streets_of
from tests.toy import toy_folder

FILES = {"access_units.csv", "access_points.csv", "access_receivers.csv", "isochrones.gpkg", "isochrones.geojson"}


@pytest.fixture
def plan(toy_city: City, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Return a plan of the toy city; unit 00010 has streets, unit 00020 hardly any."""
    monkeypatch.setenv("GEO_CACHE_DIR", str(settings.cache_dir))
    city = dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")
    return make_plan(city, SMALL, settings=settings)


def test_every_file_is_written_and_the_same_bytes_come_twice(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        write_access(plan, folder, settings=settings)
        assert {path.name for path in folder.iterdir()} == FILES
    for name in FILES:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_the_tables_hold_the_figures_of_the_library(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    reach = write_access(plan, tmp_path, settings=settings)
    units = pd.read_csv(tmp_path / "access_units.csv", dtype={"unit_id": str}).set_index("unit_id")
    assert units["mean_time_min"].tolist() == pytest.approx(
        reach.units["mean_time_min"].tolist(), abs=0.005, nan_ok=True
    )
    assert units.loc["00020", "access_reason"] == "no_network"
    points = pd.read_csv(tmp_path / "access_points.csv", dtype={"unit_id": str})
    assert len(points) == len(reach.points)
    people = points.groupby("unit_id")["population"].sum()
    assert people.tolist() == pytest.approx(units["population"][people.index].tolist(), abs=0.5)
    assert points["km"].isna().sum() == (points["reason"] == "no_network").sum() > 0
    receivers = pd.read_csv(tmp_path / "access_receivers.csv")
    assert receivers["population"].sum() == pytest.approx(units["population"]["00010"], abs=1)


def test_isochrones_lie_on_the_land_of_their_unit_and_those_of_sites_need_not(plan: Plan, settings: Settings) -> None:
    units = unit_isochrones(plan, settings=settings)
    assert set(units["unit_id"]) == {"00010", "00020"}
    own = units[units["unit_id"] == "00010"]
    land = plan.city.units.geometry["00010"]
    assert own["limit_min"].tolist() == [5, 10, 15, 20, 30]
    assert own["area_share"].is_monotonic_increasing
    assert 0.3 < own["area_share"].iloc[-1] <= 1
    assert all(shape.difference(land).area < 1e-6 for shape in own.geometry)
    sites = site_isochrones(plan, settings=settings)
    assert set(sites["site_id"]) == set(plan.sites.index[plan.sites["chosen"]])
    whole = sites[sites["site_id"] == plan.units.loc["00010", "site_id_1"]].geometry.iloc[-1]
    assert whole.difference(land).area > 0
    assert whole.intersection(land).symmetric_difference(own.geometry.iloc[-1]).area < 1e-3


def test_a_gis_reads_valid_polygons_in_degrees(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    write_access(plan, tmp_path, settings=settings)
    assert [name for name, _ in pyogrio.list_layers(tmp_path / "isochrones.gpkg")] == ["units", "sites"]
    for path, layer in (("isochrones.gpkg", "units"), ("isochrones.gpkg", "sites"), ("isochrones.geojson", None)):
        frame = gpd.read_file(tmp_path / path, **({"layer": layer} if layer else {}))
        assert frame.crs == "EPSG:4326"
        assert frame.geometry.is_valid.all()
        assert frame["area_km2"].max() > 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_and_sheet_are_there_in_every_language(plan: Plan, settings: Settings, lang: str) -> None:
    reach = reach_table(plan, settings=settings)
    texts = reach_texts(reach, lang=lang)
    assert len(texts) == 6
    assert "100" in texts[1]
    nearly = dataclasses.replace(reach, totals={**reach.totals, "share_within_30min": 0.9999})
    assert "99" in reach_texts(nearly, lang=lang)[1], "not all while somebody is left out"
    assert "5" in texts[2]
    assert access_sheet(plan, lang=lang, settings=settings)["access_reason"].iloc[1] not in ("", "no_network")
    book = openpyxl.load_workbook(io.BytesIO(plan_xlsx(plan, lang=lang)))
    (sheet,) = [s for s in book if s.max_column == 20 and s.cell(1, 11).value and "30" in str(s.cell(1, 11).value)]
    assert sheet.cell(2, 4).value == pytest.approx(reach.units["mean_time_min"].iloc[0])


def test_what_cannot_be_written_is_an_error(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        write_access(plan, tmp_path / "file", settings=settings)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_command_says_when_there_are_no_roads(tmp_path: Path, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_CACHE_DIR", str(tmp_path / "cache"))
    data, out = toy_folder(tmp_path / "toy"), tmp_path / "out"
    found = CliRunner().invoke(app, ["access", "--data", str(data), "--out", str(out), "--lang", lang])
    assert found.exit_code == 0, found.output
    assert {path.name for path in out.iterdir()} == {name for name in FILES if name.endswith(".csv")}
    assert str(out.name) in found.output
