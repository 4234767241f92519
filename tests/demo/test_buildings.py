from __future__ import annotations

import unicodedata

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.demo.buildings import COLUMNS
from geo.demo.sizes import draw_sizes
from geo.schemas import CONDITIONS, SITE_KINDS
from tests.demo.extract import DATA, TO_METRIC, read_extract

IDS = {"commune_id": str, "district_id": str}


@pytest.fixture(scope="module")
def inventory() -> gpd.GeoDataFrame:
    table = pd.read_csv(DATA / "buildings" / "inventory.csv", dtype=IDS)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326")


@pytest.fixture(scope="module")
def communes() -> pd.DataFrame:
    return pd.read_csv(DATA / "facts" / "communes_2024.csv", dtype={"code": str, "district_code": str}).set_index(
        "code"
    )


def layer(name: str) -> gpd.GeoDataFrame:
    return gpd.read_file(DATA / "boundaries" / f"{name}.geojson")


def test_there_are_903_buildings_of_the_three_kinds(inventory):
    assert len(inventory) == 903
    kinds = inventory["kind"].value_counts()
    assert kinds[list(SITE_KINDS)].to_dict() == {"district_office": 30, "commune_office": 526, "other": 347}
    assert list(inventory.columns[:-1]) == list(COLUMNS)


def test_ids_are_unique_and_readable(inventory, communes):
    assert inventory["site_id"].is_unique
    offices = inventory[inventory["kind"] == "commune_office"]
    assert set(offices["site_id"]) == {f"CO-{code}" for code in communes.index}
    districts = inventory[inventory["kind"] == "district_office"]
    assert set(districts["site_id"]) == {f"DO-{code}" for code in communes["district_code"]}
    assert inventory.loc[inventory["kind"] == "other", "site_id"].str.fullmatch(r"OT-\d{4}").all()


def test_every_unit_has_at_least_two(inventory):
    units = layer("units")
    joined = inventory.sjoin(units[["unit_id", "geometry"]], predicate="intersects")
    count = joined["unit_id"].value_counts().reindex(units["unit_id"], fill_value=0)
    assert count.min() >= 2


def test_every_building_stands_in_the_city(inventory):
    city = shapely.union_all(layer("communes").geometry.to_numpy())
    shapely.prepare(city)
    assert shapely.contains(city, inventory.geometry.to_numpy()).all()


def test_district_and_commune_belong_together(inventory, communes):
    assert (communes.loc[inventory["commune_id"], "district_code"].to_numpy() == inventory["district_id"]).all()


def test_real_places_are_where_the_facts_say(inventory):
    known = pd.read_csv(DATA / "facts" / "admin_buildings_osm.csv", dtype=str).query("best == 'yes'")
    real = inventory[inventory["position_source"].str.startswith("osm_")]
    assert len(real) == len(known) == 119
    places = np.column_stack(TO_METRIC.transform(known["lon"].astype(float), known["lat"].astype(float)))
    ours = np.column_stack(TO_METRIC.transform(real["lon"], real["lat"]))
    moved = real["position_source"].str.contains("moved").to_numpy()
    gap = shapely.distance(shapely.multipoints(places), shapely.points(ours))
    assert (gap[~moved] < 1.0).all()
    assert real["position_source"].str.contains(r"\(\d+ m\)").all()


@pytest.mark.slow
def test_modelled_places_lie_beside_a_road_of_the_network(inventory):
    extract = read_extract()
    roads = shapely.STRtree(extract.lines)
    modelled = inventory[inventory["position_source"] == "modelled"]
    points = shapely.points(np.column_stack(TO_METRIC.transform(modelled["lon"], modelled["lat"])))
    _, gap = roads.query_nearest(points, return_distance=True, all_matches=False)
    assert gap.max() < 30


def test_names_are_in_nfc_and_addresses_complete(inventory):
    for column in ("name", "address"):
        assert inventory[column].notna().all()
        assert all(text == unicodedata.normalize("NFC", text) for text in inventory[column])
    offices = inventory[inventory["kind"] == "commune_office"].set_index("site_id")["name"]
    assert offices["CO-00061"] == "Trụ sở UBND phường Hàng Bạc (cũ)"
    assert offices.str.match(r"Trụ sở UBND (phường|xã|thị trấn) ").all()


def test_sizes_are_those_of_the_case(inventory):
    usable = inventory.groupby("kind")["usable_area_m2"]
    office = inventory.loc[inventory["kind"] == "commune_office", "usable_area_m2"].dropna()
    assert office.between(360, 700).all()
    assert office.std() > 60
    assert usable.min()["district_office"] > 2500
    both = inventory.dropna(subset=["usable_area_m2", "floor_area_m2"])
    assert (both["usable_area_m2"] / both["floor_area_m2"]).between(0.65, 0.85).all()


def test_plots_are_small_in_wards_and_newer_houses_larger(inventory, communes):
    office = inventory[inventory["kind"] == "commune_office"]
    ward = communes.loc[office["commune_id"], "type"].to_numpy() == "Phường"
    assert office["land_area_m2"][ward].median() < 0.4 * office["land_area_m2"][~ward].median()
    assert office[["year_built", "usable_area_m2"]].corr(method="spearman").iloc[0, 1] > 0.2


def test_a_few_values_are_missing_but_never_both_areas(inventory):
    columns = ["usable_area_m2", "land_area_m2", "parking_area_m2", "hall_seats", "year_built", "condition"]
    assert inventory[columns].isna().mean().between(0.005, 0.08).all()
    assert inventory[["usable_area_m2", "floor_area_m2"]].notna().any(axis=1).all()
    assert set(inventory["condition"].dropna()) == set(CONDITIONS)


def test_every_row_says_that_it_is_modelled(inventory):
    assert set(inventory["data_source"]) == {"modelled"}


def test_a_new_building_leaves_the_others_as_they_are():
    def draw(ids: list[str]) -> pd.DataFrame:
        n = len(ids)
        kind = pd.Series(["commune"] * n)
        return draw_sizes(pd.Series(ids), kind=kind, people=np.full(n, 9000.0), urban=np.zeros(n, bool))

    pd.testing.assert_frame_equal(draw(["A", "B"]), draw(["A", "X", "B"]).drop(index=1).reset_index(drop=True))
