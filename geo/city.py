"""Load a data folder: compose sources, boundaries and buildings into a City."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import pyproj

from geo.errors import Fault
from geo.schemas import RoadNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything a plan starts from, checked and in one metric CRS.

    Attributes
    ----------
    name : str
        From ``city.toml``, else the name of the folder.
    crs : pyproj.CRS
        Metric CRS of every geometry below.
    communes, districts, units, pieces : geopandas.GeoDataFrame
        Tables :class:`~geo.schemas.Communes`, ``Districts``, ``Units`` and ``Pieces``.
    audit : pandas.DataFrame
        Table :class:`~geo.schemas.Audit` of the merge.
    sites : geopandas.GeoDataFrame
        Table :class:`~geo.schemas.Sites`.
    population_points : geopandas.GeoDataFrame or None
        People at points (columns ``population``, ``geometry``), where the folder brings such a file.
    network : RoadNetwork or None
        The roads, if the folder has any.
    notes : tuple of Fault
        Warnings: what was left out or done without.
    modelled : tuple of str
        Which of ``boundaries``, ``buildings``, ``network`` and ``population`` hold modelled data.
    digest : str
        SHA-256 over the content of the files read, first 16 hexadecimal digits.
    """

    name: str
    crs: pyproj.CRS
    communes: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame
    audit: pd.DataFrame
    sites: gpd.GeoDataFrame
    population_points: gpd.GeoDataFrame | None
    network: RoadNetwork | None
    notes: tuple[Fault, ...]
    modelled: tuple[str, ...]
    digest: str
