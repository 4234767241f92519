"""Cities at other ends of the earth: beside their zone of UTM, in the south and west, on the 180th meridian."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo.settings import Settings
from geo.sources.folder import read_folder
from tests.toy import errors_in, faults_in, write_text

_CLAUSES = "clause,unit_id,commune_id,relation\n1,U,0,whole\n1,U,1,whole\n"


def _city(folder: Path, lon: float, lat: float, *, epsg: int, made_in: int | None = None) -> Path:
    """Write two communes side by side, 3 km each, and a building in each."""
    to_metres = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(made_in or epsg)
    x, y = to_metres.x[0], to_metres.y[0]
    squares = [shapely.box(x + side - 3000, y, x + side, y + 3000) for side in (0, 3000)]
    columns = {"commune_id": ["0", "1"], "name": ["West", "East"], "district_id": "D", "population": [10, 20]}
    communes = gpd.GeoDataFrame(columns, geometry=squares, crs=made_in or epsg)
    places = communes.centroid.to_crs(4326)
    (folder / "boundaries").mkdir(parents=True)
    communes.set_crs(epsg, allow_override=True).to_file(folder / "boundaries" / "communes.gpkg")
    write_text(folder / "boundaries" / "clauses.csv", _CLAUSES)
    rows = [f"S{i},House,{place.x:.6f},{place.y:.6f}" for i, place in enumerate(places)]
    write_text(folder / "buildings" / "inventory.csv", "\n".join(["site_id,name,lon,lat", *rows]))
    return folder


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [(-57.95, -34.92, 5347), (-78.5, -0.005, 32717), (5.2, 46.2, 2154), (151.2, -33.9, 32756), (-21.9, 64.1, 32627)],
)
def test_a_city_anywhere_is_where_its_file_says(tmp_path: Path, lon: float, lat: float, epsg: int) -> None:
    folder = read_folder(_city(tmp_path / "city", lon, lat, epsg=epsg), settings=Settings())
    west, south, *_ = folder.communes.total_bounds
    assert (west, south) == pytest.approx((lon, lat), abs=0.1)
    assert folder.communes.estimate_utm_crs().axis_info[0].unit_name == "metre"


def test_a_country_that_keeps_one_zone_of_utm_is_read_with_a_note(tmp_path: Path) -> None:
    """Vadsø, Norway: 30°E in the zone of 15°E."""
    city = _city(tmp_path / "city", 29.75, 70.07, epsg=25833)
    assert errors_in(city) == []
    (note,) = [fault for fault in faults_in(city) if fault.key == "crs_beside"]
    assert (note.severity, note.file) == ("warning", "boundaries/communes.gpkg")
    assert note.value is not None
    assert note.value.startswith("29.")


def test_a_wrong_zone_of_utm_is_found_by_the_buildings(tmp_path: Path) -> None:
    city = _city(tmp_path / "city", 5.2, 46.2, epsg=32633, made_in=32631)
    assert {fault.key for fault in errors_in(city)} == {"crs_far"}


def test_a_polygon_on_the_180th_meridian_is_an_error(tmp_path: Path) -> None:
    city = _city(tmp_path / "city", 179.999, -16.8, epsg=3460)
    assert ("antimeridian", 2) in [(fault.key, fault.row) for fault in errors_in(city)]
