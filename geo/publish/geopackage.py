"""``plan.gpkg``: the plan with its geometry, for a GIS."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.plan import Plan
from geo.publish.provenance import provenance_rows
from geo.publish.tables import sites_table, units_table
from geo.schemas import WGS84

#: GDAL writes this time into the file instead of the clock's, so that the same plan gives the same bytes.
_FIXED_TIME = "2025-07-01T00:00:00Z"
_LOCK = threading.Lock()


def plan_gpkg(plan: Plan, *, lang: str) -> bytes:
    """Return the plan as a GeoPackage in EPSG:4326.

    Layers ``units`` (columns of ``units.csv``), ``sites`` (columns of ``sites.csv``), ``communes``, ``districts`` and
    ``pieces`` (what an old commune gave to a unit, how, how sure) and ``audit`` (findings, with a point where they have
    a place); table without geometry ``provenance`` (key, value: version, digests, what is modelled, attribution).
    Isochrones take as long as all this and stand in files of their own: :func:`geo.publish.access.write_access`.
    """
    with tempfile.TemporaryDirectory() as folder, fixed_time():
        path = Path(folder) / "plan.gpkg"
        for name, table in layers_of(plan, lang=lang).items():
            multi = isinstance(table, gpd.GeoDataFrame) and name not in ("sites", "audit")
            pyogrio.write_dataframe(
                table, path, layer=name, driver="GPKG", append=path.exists(), promote_to_multi=multi
            )
        return path.read_bytes()


def layers_of(plan: Plan, *, lang: str) -> dict[str, pd.DataFrame]:
    """Return the tables of the GeoPackage by the name of their layer; geometry in EPSG:4326."""
    city = plan.city
    units = units_table(plan, lang=lang)
    sites = sites_table(plan)
    sites.insert(2, "name", plan.sites["name"].to_numpy())
    sites.insert(3, "kind", plan.sites["kind"].to_numpy())
    unit_shapes = city.units.geometry.to_crs(WGS84).loc[units["unit_id"]]
    return {
        "units": gpd.GeoDataFrame(units, geometry=unit_shapes.to_numpy(), crs=WGS84),
        "sites": gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(sites["lon"], sites["lat"]), crs=WGS84),
        "communes": city.communes.to_crs(WGS84).rename_axis("commune_id").reset_index(),
        "districts": city.districts.to_crs(WGS84).rename_axis("district_id").reset_index(),
        "pieces": city.pieces.to_crs(WGS84).reset_index(drop=True),
        "audit": findings_layer(city.audit),
        "provenance": pd.DataFrame(provenance_rows(plan, lang=lang), columns=["key", "value"]),
    }


def findings_layer(audit: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the audit with a point in EPSG:4326 for every finding that has a place."""
    table = audit.reset_index(drop=True)
    points = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)
    return gpd.GeoDataFrame(table, geometry=points.where(table["lon"].notna().to_numpy(), None), crs=WGS84)


@contextmanager
def fixed_time() -> Iterator[None]:
    """Make GDAL write a fixed time into files, so that the same tables give the same bytes."""
    # The option belongs to the whole process: a second thread must not reset it halfway through.
    with _LOCK:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_TIME})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
