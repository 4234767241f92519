"""Place the buildings of an inventory in the units that contain them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import Fault
from geo.schemas import Sites, check

#: A building this near to a unit belongs to it although no polygon contains it: boundaries are drawn that roughly.
TOLERANCE_M = 200.0


def place_sites(
    inventory: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, rows: pd.Series | None = None, file: str | None = None
) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Return the buildings as candidate sites, each with the unit that contains it.

    Parameters
    ----------
    inventory : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Inventory`, in the CRS of `units`.
    units : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Units`.
    rows : pandas.Series, optional
        Row of each building in its file, by site_id; for the faults.
    file : str, optional
        Name of that file.

    Returns
    -------
    sites : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Sites`, in the order of `inventory`, without the buildings outside the city. On a
        shared boundary the unit that comes first in `units` has the building.
    faults : list of Fault
        One error per building more than :data:`TOLERANCE_M` outside every unit.
    """
    tree = shapely.STRtree(np.asarray(units.geometry))
    building, unit = tree.query_nearest(np.asarray(inventory.geometry), max_distance=TOLERANCE_M, all_matches=True)
    position = np.full(len(inventory), len(units))
    np.minimum.at(position, building, unit)
    inside = position < len(units)
    sites = inventory[inside].copy()
    sites["unit_id"] = units.index[position[inside]]
    faults = [
        Fault(
            key="building_outside",
            file=file,
            row=None if rows is None else int(rows[site_id]),
            column="lon/lat",
            value=str(site_id),
        )
        for site_id in inventory.index[~inside]
    ]
    return check(Sites, sites, crs=units.crs), faults
