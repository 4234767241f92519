from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from geo.city import check_city, load_city
from geo.settings import Settings
from tests.toy import faults_in, toy_folder, write_features, write_shapefile

#: The toy's commune B (see tests/toy.py) is divided at 105.815; a line at 105.8175 gives three quarters to the west.
LINE = shapely.LineString([(105.8175, 21.0), (105.8175, 21.03)])


def feature(shape: shapely.Geometry, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the toy folder without official polygons."""
    root = toy_folder(tmp_path / "toy")
    (root / "boundaries" / "units.geojson").unlink()
    return root


def share_of_west(root: Path, settings: Settings) -> float:
    pieces = load_city(root, settings=settings).pieces
    (part,) = pieces[(pieces["commune_id"] == "00002") & (pieces["unit_id"] == "00010")].itertuples()
    assert part.method == "drawn"
    return float(part.area_share)


def test_lines_of_a_geojson_cut_the_commune(folder: Path, settings: Settings) -> None:
    write_features(folder / "boundaries" / "division_lines.geojson", [feature(LINE)])
    assert share_of_west(folder, settings) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize("name", ["division_lines.shp", "division_lines.gpkg"])
def test_lines_may_be_in_any_system(folder: Path, settings: Settings, name: str) -> None:
    layer = gpd.GeoDataFrame({"note": ["x"]}, geometry=[LINE], crs="EPSG:4326").to_crs("EPSG:5897")
    path = folder / "boundaries" / name
    write_shapefile(path, layer) if path.suffix == ".shp" else layer.to_file(path)
    assert share_of_west(folder, settings) == pytest.approx(0.75, abs=1e-3)


def test_labels_may_stand_in_a_file_of_their_own(folder: Path, settings: Settings) -> None:
    """Across: the south borders on D, which goes to E, so that W is left the north; a label says otherwise."""
    across = shapely.LineString([(105.80, 21.0175), (105.83, 21.0175)])
    write_features(folder / "boundaries" / "division_lines.geojson", [feature(across)])
    assert share_of_west(folder, settings) == pytest.approx(0.25, abs=1e-3)
    label = feature(shapely.Point(105.811, 21.011), unit_id="00010")
    write_features(folder / "boundaries" / "division_labels.geojson", [label])
    assert share_of_west(folder, settings) == pytest.approx(0.75, abs=1e-3)


def test_check_tells_of_lines_that_divide_nothing(folder: Path, settings: Settings) -> None:
    short = shapely.LineString([(105.8175, 21.0), (105.8175, 21.015)])
    write_features(folder / "boundaries" / "division_lines.geojson", [feature(short)])
    (fault,) = [fault for fault in check_city(folder, settings=settings) if fault.severity == "error"]
    assert (fault.key, fault.file, fault.row) == ("line_cuts_nothing", "boundaries/division_lines.geojson", 1)


def test_the_digest_of_the_city_counts_the_lines(folder: Path, settings: Settings) -> None:
    before = load_city(folder, settings=settings).digest
    write_features(folder / "boundaries" / "division_lines.geojson", [feature(LINE)])
    assert load_city(folder, settings=settings).digest != before


def test_what_is_wrong_with_the_layer_is_told_row_by_row(folder: Path) -> None:
    shapes = [feature(LINE), feature(shapely.Point(105.811, 21.01)), feature(shapely.MultiPoint([(105.8, 21.0)])),
              {"type": "Feature", "properties": {}, "geometry": None}]  # fmt: skip
    write_features(folder / "boundaries" / "division_lines.geojson", shapes)
    told = {(fault.key, fault.row) for fault in faults_in(folder) if fault.severity == "error"}
    assert told == {("label_without_unit", 2), ("geometry_type", 3), ("geometry_empty", 4)}
