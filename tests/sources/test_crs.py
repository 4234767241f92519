"""VN-2000 in every spelling lands where it is; a file without a system is recognised by what is known, or refused."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import pyproj
import pytest
import shapely

from geo.settings import Settings
from geo.sources.crs import official_vn2000, vn2000_systems
from geo.sources.folder import Folder, read_folder
from tests.toy import errors_in, faults_in, told, write_shapefile, write_text

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hanoi"
ESRI = (
    'PROJCS["{name}",GEOGCS["{geogcs}",DATUM["{datum}",SPHEROID["WGS_1984",6378137.0,298.257223563]{shift}],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],'
    'PARAMETER["Scale_Factor",{scale}],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
SEVEN = ",TOWGS84[-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278]"
SPELLINGS = {
    "as ArcGIS knows it": ("VN_2000_TM-3_105-00", "GCS_VN_2000", "D_Vietnam_2000", ""),
    "under a datum of another name": ("VN2000_HaNoi", "GCS_VN2000", "D_VN2000", ""),
    "under an unknown datum": ("VN-2000 HN", "GCS_unknown", "D_unknown", ""),
    "under a datum based on the ellipsoid": ("HaNoi_105", "unnamed", "Unknown_based_on_WGS84_ellipsoid", ""),
    "with the seven parameters": ("HaNoi_105", "unnamed", "unnamed", SEVEN),
}


def read(folder: Path) -> Folder:
    return read_folder(folder, settings=Settings())


def rewrite(folder: Path, part: str, *, epsg: int, prj: str | None, suffix: str = ".shp") -> Path:
    """Replace the GeoJSON of a part by a shapefile in `epsg` whose .prj says `prj`."""
    place = folder / "boundaries" / f"{part}.geojson"
    frame = gpd.read_file(place).to_crs(epsg)
    place.unlink()
    path = write_shapefile(place.with_suffix(".shp"), frame)
    path.with_suffix(".prj").unlink()
    if prj is not None:
        write_text(path.with_suffix(".prj"), prj)
    if suffix == ".zip":
        with zipfile.ZipFile(place.with_suffix(".zip"), "w") as archive:
            for each in sorted(place.parent.glob(f"{part}.*")):
                if each.suffix != ".zip":
                    archive.write(each, each.name)
                    each.unlink()
    return path


def off_m(folder: Path, expected: Folder) -> float:
    """Return how far the communes lie from where they should."""
    found = read(folder).communes.to_crs(32648).geometry
    return float(found.hausdorff_distance(expected.communes.to_crs(32648).geometry, align=True).max())


@pytest.fixture
def truth(folder: Path) -> Folder:
    return read(folder)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_hanois_system_lands_where_it_is(folder: Path, truth: Folder, spelling: str) -> None:
    name, geogcs, datum, shift = SPELLINGS[spelling]
    prj = ESRI.format(name=name, geogcs=geogcs, datum=datum, shift=shift, meridian=105.0, scale=0.9999)
    rewrite(folder, "communes", epsg=5897, prj=prj, suffix=".zip")
    assert off_m(folder, truth) < 0.1
    assert errors_in(folder) == []


def test_a_utm_zone_of_vn2000_lands_where_it_is(folder: Path, truth: Folder) -> None:
    prj = ESRI.format(name="VN2000_UTM", geogcs="g", datum="D_unknown", shift="", meridian=105.0, scale=0.9996)
    rewrite(folder, "communes", epsg=3405, prj=prj)
    assert off_m(folder, truth) < 0.1
    (fault,) = [fault for fault in faults_in(folder) if fault.key == "crs_named"]
    assert told(fault)["used"].startswith("EPSG:3405 ")


def test_a_system_of_two_minds_is_told_of(folder: Path) -> None:
    prj = ESRI.format(name="VN-2000", geogcs="GCS_WGS_1984", datum="D_WGS_1984", shift="", meridian=105.0, scale=0.9999)
    rewrite(folder, "communes", epsg=5897, prj=prj)
    assert "crs_of_two_minds" in {fault.key for fault in faults_in(folder)}


def test_a_code_alone_in_the_prj_is_enough(folder: Path, truth: Folder) -> None:
    rewrite(folder, "communes", epsg=5897, prj="epsg:5897\n", suffix=".zip")
    assert off_m(folder, truth) < 0.1
    assert not [fault for fault in faults_in(folder) if fault.key.startswith("crs")]


def test_an_unknown_code_in_the_prj_is_refused(folder: Path) -> None:
    rewrite(folder, "communes", epsg=5897, prj="EPSG:99999")
    assert [fault.key for fault in errors_in(folder)] == ["crs_unknown"]


def test_official_systems_and_others_are_left_alone() -> None:
    for epsg in (5897, 9210, 3405, 32648, 4326, 4756, 2154, 2243):  # the last one warns of a grid that is not here
        assert official_vn2000(pyproj.CRS.from_epsg(epsg)) is None


def test_every_zone_is_told_by_its_meridian() -> None:
    for zone in vn2000_systems():
        origin = {p.name: p.value for p in zone.coordinate_operation.params}
        prj = ESRI.format(
            name="VN2000", geogcs="g", datum="D_x", shift="",
            meridian=origin["Longitude of natural origin"], scale=origin["Scale factor at natural origin"],
        )  # fmt: skip
        found = official_vn2000(pyproj.CRS.from_user_input(prj))
        assert found is not None
        assert found.to_epsg() == zone.to_epsg()


@pytest.mark.parametrize(
    ("part", "epsg"), [("communes", 5897), ("communes", 9209), ("communes", 3405), ("units", 5897), ("units", 32648)]
)
def test_a_file_without_a_system_is_recognised_by_what_others_know(
    folder: Path, truth: Folder, part: str, epsg: int
) -> None:
    rewrite(folder, part, epsg=epsg, prj=None)
    (fault,) = [fault for fault in faults_in(folder) if fault.key == "crs_recognised"]
    assert (fault.severity, fault.file) == ("warning", f"boundaries/{part}.shp")
    assert told(fault)["used"].startswith(f"EPSG:{epsg} ")
    assert off_m(folder, truth) < 0.1
    same = read(folder).units.geometry.to_crs(32648).hausdorff_distance(truth.units.geometry.to_crs(32648))
    assert same.max() < 0.1


def test_two_files_without_a_system_are_known_by_the_buildings(folder: Path, truth: Folder) -> None:
    thicken_inventory(folder, truth)
    rewrite(folder, "communes", epsg=5897, prj=None)
    rewrite(folder, "units", epsg=3405, prj=None)
    used = {fault.file: told(fault)["used"][:9] for fault in faults_in(folder) if fault.key == "crs_recognised"}
    assert used == {"boundaries/communes.shp": "EPSG:5897", "boundaries/units.shp": "EPSG:3405"}
    assert off_m(folder, truth) < 0.1


def thicken_inventory(folder: Path, truth: Folder) -> None:
    """Put a building into every corner of every commune."""
    rows = ["site_id,name,commune_id,lon,lat"]
    for key, shape in truth.communes.geometry.items():
        west, south, east, north = shape.buffer(-0.0005).bounds
        for i, (lon, lat) in enumerate([(west, south), (east, south), (east, north), (west, north)]):
            rows.append(f"{key}-{i},Nhà,{key},{lon:.6f},{lat:.6f}")
    write_text(folder / "buildings" / "inventory.csv", "\n".join(rows) + "\n")


def test_evidence_that_fits_several_systems_is_refused_with_them(folder: Path) -> None:
    """Four buildings in the middle of their communes cannot tell VN-2000 from WGS 84 in the same zone."""
    (folder / "boundaries" / "units.geojson").unlink()
    rewrite(folder, "communes", epsg=3405, prj=None)
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) == ("crs_ambiguous", "boundaries/communes.shp")
    assert "EPSG:3405 VN-2000 / UTM zone 48N (4 / 4)" in told(fault)["candidates"]
    assert "EPSG:32648 WGS 84 / UTM zone 48N (4 / 4)" in told(fault)["candidates"]
    write_text(folder / "boundaries" / "communes.prj", "EPSG:3405")
    assert errors_in(folder) == []


def test_northings_that_stand_first_are_told_of(folder: Path) -> None:
    """Surveyors call the northing x, as VN-2000 does; files put the easting first."""
    path = rewrite(folder, "communes", epsg=5897, prj=None)
    frame = gpd.read_file(path)
    frame.geometry = shapely.transform(frame.geometry.values, lambda xy: xy[:, ::-1])
    frame = frame.set_crs(None, allow_override=True)
    write_shapefile(path, frame)
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file) == ("crs_swapped", "boundaries/communes.shp")
    assert told(fault)["used"].startswith("EPSG:5897 ")


def test_a_file_that_fits_nothing_is_refused_as_before(folder: Path) -> None:
    path = rewrite(folder, "communes", epsg=5897, prj=None)
    frame = gpd.read_file(path)
    frame.geometry = frame.translate(3_000_000, 0)
    write_shapefile(path, frame)
    path.with_suffix(".prj").unlink(missing_ok=True)
    assert [fault.key for fault in errors_in(folder)] == ["crs_undeclared"]


def test_a_geopackage_without_a_system_is_recognised_too(folder: Path, truth: Folder) -> None:
    place = folder / "boundaries" / "communes.geojson"
    frame = gpd.read_file(place).to_crs(5897).set_crs(None, allow_override=True)
    place.unlink()
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(place.with_suffix(".gpkg"), layer="communes", driver="GPKG")
    assert off_m(folder, truth) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_geopackage_may_spell_it_so_too(folder: Path, truth: Folder, spelling: str) -> None:
    name, geogcs, datum, shift = SPELLINGS[spelling]
    unheard = f"{name} {folder.parent.name}"  # GDAL remembers what it has mended once
    wkt = ESRI.format(name=unheard, geogcs=geogcs, datum=datum, shift=shift, meridian=105.0, scale=0.9999)
    place = folder / "boundaries" / "communes.geojson"
    frame = gpd.read_file(place).to_crs(5897)
    place.unlink()
    frame.to_file(place.with_suffix(".gpkg"), layer="communes", driver="GPKG")
    with contextlib.closing(sqlite3.connect(place.with_suffix(".gpkg"))) as connection:
        connection.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('x', 100001, 'NONE', 100001, ?, '')", (wkt,))
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = 100001")
        connection.execute("UPDATE gpkg_contents SET srs_id = 100001")
        connection.commit()
    assert off_m(folder, truth) < 0.1


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real boundaries are not here (../shared/data/hanoi)")
@pytest.mark.parametrize("epsg", [5897, 3405, 32648])
def test_the_real_communes_are_recognised_by_the_official_outlines(tmp_path: Path, epsg: int) -> None:
    folder = tmp_path / "hanoi"
    shutil.copytree(Settings().data_dir, folder, ignore=shutil.ignore_patterns("facts", "network"))
    shutil.copy(SHARED / "units_2025.geojson", folder / "boundaries" / "units.geojson")
    frame = gpd.read_file(SHARED / "communes_pre2025_source.geojson").to_crs(epsg)
    frame.geometry = shapely.make_valid(frame.geometry.values)
    frame = frame[["code", "name", "district_code", "geometry"]]
    (folder / "boundaries" / "communes.geojson").unlink()
    path = write_shapefile(folder / "boundaries" / "communes.shp", frame)
    path.with_suffix(".prj").unlink()
    used = [told(fault)["used"] for fault in faults_in(folder) if fault.key == "crs_recognised"]
    assert [text.split()[0] for text in used] == [f"EPSG:{epsg}"]
