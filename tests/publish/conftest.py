"""A toy plan whose every name tries to break the file it is written to."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
from shapely import MultiPolygon, Point, Polygon, box

from geo.city import City
from geo.params import Params
from geo.plan import Plan
from geo.schemas import Audit, Communes, Districts, Pieces, Sites, Units, check

CRS = pyproj.CRS.from_epsg(32648)
X0, Y0, SIDE = 580_000.0, 2_320_000.0, 2_000.0

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
FORMULA = '=HYPERLINK("http://evil.example","Bấm vào đây")'
BACKTICKS = "`${alert(3)}` \\ {x} & <b>"


def square(column: int, row: int = 0, *, height: float = SIDE) -> Polygon:
    x, y = X0 + column * SIDE, Y0 + row * height
    return box(x, y, x + SIDE, y + height)


def toy_city() -> City:
    """Three units in a row; the first of two old communes, with all roads; the second without any.

    ::

        +-------+-------+-------+
        | C2  b |       |       |   unit 00004  sites a, b, c
        +-------+ d   e |   f   |   unit 00025  sites d, e      no roads
        | C1 a c|       |       |   unit 09556  site f          one candidate
        +-------+-------+-------+
          00004   00025   09556
    """
    half = SIDE / 2
    communes = gpd.GeoDataFrame(
        {
            "name": ["Phúc Xá", "Trúc Bạch", HOSTILE, "Hòa Lạc"],
            "kind": ["ward", "ward", "ward", None],
            "district_id": ["001", "001", "001", "002"],
            "district_name": ["Ba Đình", "Ba Đình", "Ba Đình", None],
            "population": [12_000.0, 8_000.0, 30_000.0, 9_500.0],
            "population_earlier": [10_000.0, None, 25_000.0, 9_500.0],
            "area_km2": [2.0, 2.0, 4.0, 4.0],
            "data_source": "modelled",
        },
        index=pd.Index(["C1", "C2", "C3", "C4"], name="commune_id"),
        geometry=[square(0, 0, height=half), square(0, 1, height=half), square(1), square(2)],
        crs=CRS,
    )
    units = gpd.GeoDataFrame(
        {
            "name": ["Ba Đình", HOSTILE, FORMULA],
            "kind": ["ward", "ward", None],
            "area_km2": 4.0,
            "official_area_km2": [4.0, 4.0, None],
            "population": [20_000.0, 30_000.0, 9_500.0],
            "staff": [139.0, None, None],
        },
        index=pd.Index(["00004", "00025", "09556"], name="unit_id"),
        geometry=[square(0), MultiPolygon([square(1)]), square(2)],
        crs=CRS,
    )
    pieces = gpd.GeoDataFrame(
        {
            "commune_id": communes.index,
            "unit_id": ["00004", "00004", "00025", "09556"],
            "relation": "whole",
            "method": "whole",
            "area_km2": communes["area_km2"].to_numpy(),
            "area_share": 1.0,
            "share_low": 1.0,
            "share_high": 1.0,
            "sureness": "sure",
            "population": communes["population"].to_numpy(),
            "population_share": 1.0,
            "population_method": "whole",
        },
        geometry=communes.geometry.to_numpy(),
        crs=CRS,
    )
    districts = gpd.GeoDataFrame(
        {"name": ["Ba Đình", None], "area_km2": [8.0, 4.0], "population": [50_000.0, None]},
        index=pd.Index(["001", "002"], name="district_id"),
        geometry=[box(X0, Y0, X0 + 2 * SIDE, Y0 + SIDE), square(2)],
        crs=CRS,
    )
    audit = pd.DataFrame(
        {
            "check": ["area_error_pct", "gap_km2"],
            "severity": "breach",
            "passed": [False, True],
            "subject_kind": ["unit", "city"],
            "subject": ["09556", "city"],
            "other_kind": "",
            "other": "",
            "value": [7.25, 0.0],
            "unit": ["pct", "km2"],
            "limit": [5.0, 0.001],
            "at_stake_km2": [0.58, None],
            "lon": [105.8, None],
            "lat": [21.0, None],
            "remedy": ["check_official_area", ""],
            "figures": ['{"area_km2": 8.58, "official_km2": 8.0}', '{"spots": 0}'],
        }
    )
    return City(
        name="Toy city",
        crs=CRS,
        communes=check(Communes, communes, crs=CRS),
        districts=check(Districts, districts, crs=CRS),
        units=check(Units, units, crs=CRS),
        pieces=check(Pieces, pieces, crs=CRS),
        audit=check(Audit, audit),
        sites=check(Sites, _inventory(), crs=CRS),
        population_points=None,
        network=None,
        notes=(),
        modelled=("boundaries", "population"),
        digest="0123456789abcdef",
    )


def _inventory() -> gpd.GeoDataFrame:
    places = [(0.8, 0.3), (0.8, 1.6), (1.6, 0.3), (2.3, 1.0), (3.6, 1.0), (5.0, 1.0)]
    return gpd.GeoDataFrame(
        {
            "name": ["UBND phường Phúc Xá", BACKTICKS, "+84 24 3", HOSTILE, "\tTab", "-5 Lê Lợi"],
            "kind": ["district_office", "commune_office", "other", "commune_office", "other", "commune_office"],
            "address": [None, "1 Hoàng Hoa Thám", None, None, None, None],
            "commune_id": ["C1", "C2", "C1", "C3", "C3", None],
            "district_id": ["001", "001", "001", "001", "001", None],
            "floor_area_m2": [4_000.0, 700.0, None, 650.0, 300.0, 500.0],
            "usable_area_m2": [3_000.0, 520.0, None, None, None, 375.0],
            "land_area_m2": None,
            "parking_area_m2": None,
            "hall_seats": None,
            "year_built": None,
            "condition": ["good", "fair", None, "poor", "fair", "good"],
            "position_source": ["osm", "modelled", "modelled", "osm", None, "modelled"],
            "data_source": ["osm", "modelled", "modelled", "osm", "modelled", "modelled"],
            "unit_id": ["00004", "00004", "00004", "00025", "00025", "09556"],
        },
        index=pd.Index(list("abcdef"), name="site_id"),
        geometry=[Point(X0 + x * 1000, Y0 + y * 1000) for x, y in places],
        crs=CRS,
    )


def toy_plan() -> Plan:
    city = toy_city()
    return Plan(
        city=city,
        params=Params().with_values({"weights.size": 0.5, "choice.max_sites": 4}),
        version="0.1.0",
        units=_units(city),
        sites=_sites(city),
        options=_options(),
        totals={
            "units": 3,
            "candidates": 6,
            "sites": 4,
            "units_with_one": 2,
            "units_with_two": 1,
            "units_without": 0,
            "population": 59_500.0,
            "mean_time_min": 6.125,
            "share_within_30min": 0.97,
            "norm_met_pct": 71.25,
            "units_without_network": ["00025"],
        },
        optimality={
            "status": "optimal",
            "solver": "greedy",
            "gap": 0.0,
            "objective": 0.61,
            "bound": 0.61,
        },
        notes=(),
        seconds={"access": 0.25, "score": 0.01},
    )


def _units(city: City) -> pd.DataFrame:
    nan = float("nan")
    return pd.DataFrame(
        {
            "name": city.units["name"],
            "n_sites": [2, 1, 1],
            "site_id_1": ["a", "d", "f"],
            "site_id_2": ["b", "", ""],
            "one_site_score": [0.7123456, 0.5, 0.31],
            "two_site_score": [0.8, 0.55, nan],
            "second_site_gain": [0.0876544, 0.05, nan],
            "mean_time_min": [5.4321, nan, 7.0],
            "p95_time_min": [11.2, nan, 14.0],
            "share_within_30min": [1.0, nan, 0.94],
            "norm_met_pct": [102.34, 20.3125, nan],
            "norm_met_pct_1": [130.43, 20.3125, nan],
            "norm_met_pct_2": [45.63, nan, nan],
            "population": city.units["population"],
            "staff": [139.0, 80.0, 24.0],
            "need_m2": [3_439.6, 2_400.0, nan],
            "win_share": [0.95, 0.5, 1.0],
            "firmness": ["firm", "contestable", "firm"],
            "reason": ["two_sites_gain", "one_site_budget", "one_candidate"],
            "access_reason": ["", "no_network", ""],
            "unreachable_population": [0.0, 30_000.0, 120.0],
        }
    )


def _sites(city: City) -> pd.DataFrame:
    nan = float("nan")
    lonlat = city.sites.geometry.to_crs("EPSG:4326")
    return pd.DataFrame(
        {
            "unit_id": city.sites["unit_id"],
            "name": city.sites["name"],
            "kind": city.sites["kind"],
            "lon": lonlat.x,
            "lat": lonlat.y,
            "score_0_1": [0.7123456, 0.52, 0.4, 0.5, 0.21, 0.31],
            "location_0_1": [0.9, 0.8, 0.2, 0.6, 0.1, 0.4],
            "size_0_1": [0.87, 0.15, nan, 0.2, 0.1, 0.3],
            "access_0_1": [0.8, 0.6, 0.6, nan, nan, 0.77],
            "conditions_0_1": [1.0, 0.6, nan, 0.2, 0.6, 1.0],
            "usable_area_m2": [3_000.0, 520.0, nan, 487.5, 225.0, 375.0],
            "mean_time_min": [5.4321, 8.0, 6.6, nan, nan, 7.0],
            "p95_time_min": [11.2, 15.0, 13.0, nan, nan, 14.0],
            "share_within_30min": [1.0, 1.0, 1.0, nan, nan, 0.94],
            "access_reason": ["", "", "", "no_network", "no_network", ""],
            "chosen": [True, True, False, True, False, True],
            "role": ["committee_one_stop", "party_council", "", "all_functions", "", "all_functions"],
            "role_staff": [91.0, 48.0, nan, 80.0, nan, 24.0],
            "role_need_m2": [2_300.0, 1_139.6, nan, 2_400.0, nan, nan],
            "norm_met_pct": [130.43, 45.63, nan, 20.3125, nan, nan],
            "position_source": city.sites["position_source"],
            "data_source": city.sites["data_source"],
        }
    )


def _options() -> pd.DataFrame:
    nan = float("nan")
    return pd.DataFrame(
        {
            "unit_id": ["00004", "00004", "00025", "00025", "09556"],
            "n_sites": [1, 2, 1, 2, 1],
            "site_id_1": ["a", "a", "d", "d", "f"],
            "site_id_2": ["", "b", "", "e", ""],
            "score": [0.7123456, 0.8, 0.5, 0.55, 0.31],
            "location_0_1": [0.9, 0.85, 0.6, 0.5, 0.4],
            "size_0_1": [0.87, 1.0, 0.2, 0.3, 0.3],
            "access_0_1": [0.8, 0.8, nan, nan, 0.77],
            "conditions_0_1": [1.0, 0.9, 0.2, 0.4, 1.0],
            "penalty": [0.0, 0.03, 0.0, 0.02, 0.0],
            "minutes_between": [nan, 4.5, nan, nan, nan],
            "mean_time_min": [5.4321, 5.4321, nan, nan, 7.0],
            "p95_time_min": [11.2, 11.2, nan, nan, 14.0],
            "share_within_30min": [1.0, 1.0, nan, nan, 0.94],
            "usable_area_m2": [3_000.0, 3_520.0, 487.5, 712.5, 375.0],
            "norm_met_pct": [87.2, 102.34, 20.3, 48.0, nan],
            "chosen": [False, True, True, False, True],
        }
    )


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what explaining a plan puts on the disk away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def plan() -> Plan:
    return toy_plan()
