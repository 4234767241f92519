"""Real files of Hanoi, copied into a folder as they are, pass the door; and so does the embedded data."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pytest

from geo.settings import Settings
from geo.sources.folder import read_folder
from tests.toy import errors_in

ROOT = Path(__file__).resolve().parents[2]
HANOI = ROOT.parent / "shared" / "data" / "hanoi"
INVENTORY = ROOT / "data" / "buildings"

needs_hanoi = pytest.mark.skipif(not HANOI.is_dir(), reason="the real files of Hanoi are not here")


@pytest.fixture
def hanoi(tmp_path: Path) -> Path:
    for part in ("boundaries", "network"):
        (tmp_path / part).mkdir()
    shutil.copy(HANOI / "communes_pre2025.geojson", tmp_path / "boundaries" / "communes.geojson")
    shutil.copy(HANOI / "units_2025.geojson", tmp_path / "boundaries" / "units.geojson")
    shutil.copy(HANOI / "districts_pre2025.geojson", tmp_path / "boundaries" / "districts.geojson")
    shutil.copy(ROOT / "data" / "facts" / "clauses_1656.csv", tmp_path / "boundaries" / "clauses.csv")
    shutil.copy(ROOT / "data" / "facts" / "units_2025.csv", tmp_path / "boundaries" / "units.csv")
    shutil.copy(HANOI / "osm" / "hanoi_inner_roads.osm.pbf", tmp_path / "network" / "roads.osm.pbf")
    shutil.copytree(INVENTORY, tmp_path / "buildings")
    return tmp_path


@needs_hanoi
def test_the_real_files_of_hanoi_are_read_unchanged(hanoi: Path) -> None:
    folder = read_folder(hanoi, settings=Settings())
    assert (len(folder.communes), len(folder.units), len(folder.clauses)) == (526, 126, 795)
    assert folder.units.geometry.notna().all()
    assert folder.units["population"].sum() == 8_807_523  # the mended figures of units.csv
    assert folder.communes["population"].sum() == 8_053_663
    assert folder.communes["district_name"].nunique() == 30
    assert folder.network_path is not None
    assert "boundaries" not in folder.modelled


@needs_hanoi
def test_real_communes_in_the_zone_of_another_province_are_noticed(hanoi: Path) -> None:
    """EPSG:9210 (central meridian 105 45') is often written on files of EPSG:5897 (105 00')."""
    path = hanoi / "boundaries" / "communes.geojson"
    frame = gpd.read_file(path)[["code", "name", "district_code", "geometry"]].to_crs(5897)
    path.unlink()
    frame.set_crs(9210, allow_override=True).to_file(hanoi / "boundaries" / "communes.gpkg")
    assert ("crs_far", "boundaries/communes.gpkg") in [(fault.key, fault.file) for fault in errors_in(hanoi)]


def test_the_embedded_data_is_read_without_errors() -> None:
    folder = read_folder(ROOT / "data", settings=Settings(data_dir=ROOT / "data"))
    assert (len(folder.communes), len(folder.units), len(folder.inventory)) == (526, 126, 903)
    assert folder.modelled == ("boundaries", "buildings", "population")
    assert folder.notes == ()
