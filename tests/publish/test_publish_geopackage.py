from __future__ import annotations

import sqlite3

import geopandas as gpd
import pyogrio
import pytest

from geo.publish.geopackage import plan_gpkg
from geo.publish.tables import SITE_COLUMNS, UNIT_COLUMNS

LAYERS = ("units", "sites", "communes", "districts", "pieces", "audit", "provenance")


@pytest.fixture(scope="module")
def path(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "plan.gpkg"
    path.write_bytes(plan_gpkg(plan, lang="en"))
    return path


def test_it_holds_the_layers_of_the_plan_and_of_the_merge(path):
    assert tuple(pyogrio.list_layers(path)[:, 0]) == LAYERS


def test_units_carry_the_columns_of_the_csv_and_their_polygons(plan, path):
    units = gpd.read_file(path, layer="units")
    assert list(units.columns) == [*UNIT_COLUMNS, "geometry"]
    assert units["unit_id"].tolist() == list(plan.units.index)
    assert units.crs == "EPSG:4326"
    back = units.geometry.to_crs(plan.city.crs)
    assert back.area.round(0).tolist() == plan.city.units.area.round(0).tolist()


def test_sites_carry_the_columns_of_the_csv_and_lie_in_their_units(path):
    sites, units = gpd.read_file(path, layer="sites"), gpd.read_file(path, layer="units")
    assert set(SITE_COLUMNS) < set(sites.columns)
    joined = sites.sjoin(units[["unit_id", "geometry"]], predicate="within", lsuffix="site", rsuffix="polygon")
    assert (joined["unit_id_site"] == joined["unit_id_polygon"]).all()
    assert len(joined) == len(sites)


def test_hostile_names_come_back_unchanged(plan, path):
    assert gpd.read_file(path, layer="sites")["name"].tolist() == plan.sites["name"].tolist()


def test_the_provenance_says_what_is_modelled_and_whom_the_data_are_owed_to(plan, path):
    table = gpd.read_file(path, layer="provenance").set_index("key")["value"]
    assert table["params_digest"] == plan.params.digest
    assert table["data_digest"] == plan.city.digest
    assert "boundaries and population" in table["modelled"]
    assert "OpenStreetMap" in table["attribution"]


def test_findings_are_points_where_they_have_a_place(plan, path):
    audit = gpd.read_file(path, layer="audit")
    assert len(audit) == len(plan.city.audit)
    assert audit.geometry.notna().tolist() == plan.city.audit["lon"].notna().tolist()


def test_no_clock_is_in_the_file(path):
    with sqlite3.connect(path) as connection:
        times = {row[0] for row in connection.execute("select last_change from gpkg_contents")}
    connection.close()
    assert times == {"2025-07-01T00:00:00Z"}


def test_the_time_of_gdal_is_put_back(plan):
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2020-01-01T00:00:00Z"})
    try:
        plan_gpkg(plan, lang="en")
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == "2020-01-01T00:00:00Z"
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
