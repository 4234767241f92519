"""Read the folder's inventory of buildings."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geo.schemas import WGS84, Inventory
from geo.sources.boundaries import Part, geo_table, read_part
from geo.sources.columns import INVENTORY
from geo.sources.files import FolderFiles
from geo.sources.places import layer_of_points
from geo.sources.tables import TABLE_SUFFIXES
from geo.sources.vectors import VECTOR_SUFFIXES

FOLDER = "buildings"
_OLD_OFFICE_FORMATS = (".xls", ".xlsb", ".xlsm", ".ods", ".doc", ".docx", ".pdf")


def read_inventory(files: FolderFiles, *, required: bool = True) -> Part | None:
    """Read the one inventory in ``buildings/``, a table or a vector file; None where there may be none."""
    suffixes = (*TABLE_SUFFIXES, *VECTOR_SUFFIXES)
    paths = files.candidates(FOLDER, suffixes=suffixes)
    if not paths:
        for path in files.candidates(FOLDER, suffixes=_OLD_OFFICE_FORMATS):
            files.log.add("format_unsupported", file=files.name(path), value=path.suffix, allowed=", ".join(suffixes))
        if required:
            files.log.add("part_missing", file=f"{FOLDER}/", expected=", ".join(f"*{suffix}" for suffix in suffixes))
    part = read_part(files, files.one_of(paths, part=FOLDER), INVENTORY)
    if part is not None:
        part.layer = layer_of_points(part.raw, part.frame, files.log)
    return part


def inventory_table(inventory: Part | None) -> gpd.GeoDataFrame:
    """Return the table :class:`~geo.schemas.Inventory` in EPSG:4326, sorted by id; empty without a file."""
    if inventory is None:
        columns: dict[str, list[object]] = {name: [] for name in Inventory.to_schema().columns if name != "geometry"}
        return gpd.GeoDataFrame(columns, geometry=[], index=pd.Index([], dtype="str", name="site_id"), crs=WGS84)
    frame = inventory.frame.drop(columns=["lon", "lat"])
    frame["kind"] = frame["kind"].fillna("other")
    frame["data_source"] = frame["data_source"].fillna("inventory")
    assert inventory.layer is not None
    return geo_table(frame, "site_id", inventory.layer.geometry)
