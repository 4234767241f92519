"""The tables that pass between the modules: the data dictionary.

Every table is indexed by its id, a string, and joined by id only. A numeric column carries its unit in its name.
Inside the package geometry is in the city's metric CRS (``City.crs``); EPSG:4326 is met only in files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyproj
import shapely
from numpy.typing import NDArray
from pandera.typing import Series
from pandera.typing.geopandas import GeoSeries

from geo.errors import GeoError

WGS84 = "EPSG:4326"

#: How a clause of the resolution names an old commune.
RELATIONS = ("whole", "part", "remainder", "part_area_only", "part_area_whole_population")
#: What a building was until the reform.
SITE_KINDS = ("district_office", "commune_office", "other")
#: Grades of a building's state; their scores are parameters.
CONDITIONS = ("good", "fair", "poor")
#: What a chosen building is used for.
ROLES = ("all_functions", "committee_one_stop", "party_council")
#: Why a travel time is missing.
UNREACHABLE = ("no_road_within_snap_limit", "island", "one_way_trap", "cut_off", "no_network", "across_water")
#: How a piece of an old commune was cut out; lines drawn by the user come after official polygons.
METHODS = ("whole", "official", "drawn", "modelled")
#: How narrow the range of a piece's area share is; see :mod:`geo.merge.sureness`.
SURENESS = ("sure", "fair", "unsure")
#: How the share of its people that a piece carries was found, surest first; see :mod:`geo.merge.population`.
POPULATION_METHODS = ("whole", "clause", "points", "streets", "land")
#: The value of ``data_source`` that marks a row as made by a model; every output then says so.
MODELLED = "modelled"


class _Table(pa.DataFrameModel):
    class Config:
        strict = True
        coerce = True
        ordered = False


class Communes(_Table):
    """Old communes, until the reform. Index: commune_id."""

    name: Series[str]
    kind: Series[str] = pa.Field(nullable=True)
    district_id: Series[str]
    district_name: Series[str] = pa.Field(nullable=True)
    population: Series[float] = pa.Field(ge=0, nullable=True)
    population_earlier: Series[float] = pa.Field(ge=0, nullable=True)  # of an earlier count
    area_km2: Series[float] = pa.Field(gt=0, nullable=True)  # official figure, not the polygon's
    data_source: Series[str]
    geometry: GeoSeries


class Clauses(_Table):
    """One row per old commune named in a clause, in the order of the resolution. Index: 0, 1, 2, ..."""

    clause: Series[int]
    unit_id: Series[str]
    unit_name: Series[str]
    commune_id: Series[str]
    commune_name: Series[str]
    relation: Series[str] = pa.Field(isin=RELATIONS)
    area_share: Series[float] = pa.Field(ge=0, le=1, nullable=True)


class UnitFacts(_Table):
    """What is known of the new units. Index: unit_id. A unit without an official polygon has an empty geometry."""

    name: Series[str]
    kind: Series[str] = pa.Field(nullable=True)
    area_km2: Series[float] = pa.Field(gt=0, nullable=True)
    population: Series[float] = pa.Field(ge=0, nullable=True)
    staff: Series[float] = pa.Field(ge=0, nullable=True)
    lon: Series[float] = pa.Field(nullable=True)
    lat: Series[float] = pa.Field(nullable=True)
    data_source: Series[str]
    geometry: GeoSeries = pa.Field(nullable=True)


class DivisionLines(_Table):
    """Lines that a user drew to divide communes, and points or polygons that label a side. Index: 0, 1, 2, ..."""

    unit_id: Series[str] = pa.Field(nullable=True)  # of a label: whose side it lies on
    file: Series[str]
    row: Series[int]  # in the file
    geometry: GeoSeries


class Pieces(_Table):
    """What an old commune gave to a unit. Index: 0, 1, 2, ... in the order of the clauses."""

    commune_id: Series[str]
    unit_id: Series[str]
    relation: Series[str] = pa.Field(isin=RELATIONS)
    method: Series[str] = pa.Field(isin=METHODS)
    area_km2: Series[float] = pa.Field(ge=0)  # on the ellipsoid
    area_share: Series[float] = pa.Field(ge=0, le=1)  # of the old commune
    share_low: Series[float] = pa.Field(ge=0, le=1)  # the area share lies between the two, as far as the data show
    share_high: Series[float] = pa.Field(ge=0, le=1)
    sureness: Series[str] = pa.Field(isin=SURENESS)
    population: Series[float] = pa.Field(ge=0, nullable=True)
    population_share: Series[float] = pa.Field(ge=0, le=1, nullable=True)
    population_method: Series[str] = pa.Field(isin=POPULATION_METHODS)  # how the share was found
    geometry: GeoSeries


class Units(_Table):
    """The new units. Index: unit_id."""

    name: Series[str]
    kind: Series[str] = pa.Field(nullable=True)
    area_km2: Series[float] = pa.Field(ge=0)  # on the ellipsoid, of the polygon
    official_area_km2: Series[float] = pa.Field(gt=0, nullable=True)
    population: Series[float] = pa.Field(ge=0)
    staff: Series[float] = pa.Field(ge=0, nullable=True)  # where a table gives it
    geometry: GeoSeries


class Districts(_Table):
    """Old districts, the dissolve of their communes. Index: district_id."""

    name: Series[str] = pa.Field(nullable=True)
    area_km2: Series[float] = pa.Field(ge=0)
    population: Series[float] = pa.Field(ge=0, nullable=True)
    geometry: GeoSeries


class Audit(_Table):
    """Findings of the merge, breaches first. Index: 0, 1, 2, ...; checks: :data:`geo.merge.audit.CHECKS`."""

    check: Series[str]
    severity: Series[str] = pa.Field(isin=("breach", "notice"))  # what a failure is
    passed: Series[bool]
    subject_kind: Series[str] = pa.Field(isin=("city", "unit", "commune"))
    subject: Series[str]  # "city", or an id
    other_kind: Series[str] = pa.Field(isin=("", "unit", "commune"))
    other: Series[str]  # ids of who else takes part, with spaces between
    value: Series[float]
    unit: Series[str]  # unit of value and limit
    limit: Series[float]
    at_stake_km2: Series[float] = pa.Field(ge=0, nullable=True)  # of a failure: the land it leaves in doubt
    lon: Series[float] = pa.Field(nullable=True)
    lat: Series[float] = pa.Field(nullable=True)
    remedy: Series[str]  # code of what would mend it; empty where it passed
    figures: Series[str]  # JSON: what its words need besides


class Inventory(_Table):
    """Buildings as the inventory lists them. Index: site_id."""

    name: Series[str]
    kind: Series[str] = pa.Field(isin=SITE_KINDS)
    address: Series[str] = pa.Field(nullable=True)
    commune_id: Series[str] = pa.Field(nullable=True)  # its owner, or the commune it stood in
    district_id: Series[str] = pa.Field(nullable=True)
    floor_area_m2: Series[float] = pa.Field(gt=0, nullable=True)
    usable_area_m2: Series[float] = pa.Field(gt=0, nullable=True)  # clear internal dimensions
    land_area_m2: Series[float] = pa.Field(gt=0, nullable=True)
    parking_area_m2: Series[float] = pa.Field(ge=0, nullable=True)
    hall_seats: Series[float] = pa.Field(ge=0, nullable=True)
    year_built: Series[float] = pa.Field(nullable=True)
    condition: Series[str] = pa.Field(isin=CONDITIONS, nullable=True)
    position_source: Series[str] = pa.Field(nullable=True)
    data_source: Series[str]
    geometry: GeoSeries


class Sites(Inventory):
    """Candidate sites: the buildings, with the unit that contains each. Index: site_id."""

    unit_id: Series[str]


class DemandPoints(_Table):
    """Where people start from: points on the road network that carry the population. Index: demand_id."""

    unit_id: Series[str]
    population: Series[float] = pa.Field(ge=0)
    node: Series[int]  # node of the RoadNetwork, -1 where none
    reason: Series[str] = pa.Field(isin=("", *UNREACHABLE))  # why there is no node
    geometry: GeoSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadNetwork:
    """Road segments between consecutive OSM nodes, for every mode at once.

    Attributes
    ----------
    lon, lat : ndarray of float64, shape (n_nodes,)
        Degrees, WGS 84.
    tail, head : ndarray of int32, shape (n_segments,)
        End nodes, in the direction the way is drawn.
    length_m : ndarray of float64, shape (n_segments,)
        Geodesic length; a ferry line is one segment.
    highway : ndarray of uint8, shape (n_segments,)
        Position in :data:`geo.params.HIGHWAY_CLASSES`.
    open_to : ndarray of uint8, shape (n_segments,)
        Bit ``2 * m`` allows mode ``m`` of :data:`geo.params.MODES` along the segment, bit ``2 * m + 1`` against it.
    duration_s : ndarray of float64, shape (n_segments,)
        Crossing time of a ferry whose ``duration`` is tagged, NaN elsewhere.
    wait_s : ndarray of float64, shape (n_segments,)
        Mean wait for a ferry whose ``interval`` is tagged, half of that; NaN elsewhere.
    surface : ndarray of uint8, shape (n_segments,)
        Position in :data:`geo.params.SURFACES`; 0 where it is not known.
    spanning : ndarray of bool, shape (n_segments,)
        On a bridge or in a tunnel, where nobody gets on or off.
    rivers : ndarray of float64, shape (n_pieces, 4)
        Straight pieces of rivers and canals: longitude and latitude of one end and of the other.
    modelled : bool
        The file says that it was made by a model.
    digest : str
        SHA-256 of the file.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.float64]
    highway: NDArray[np.uint8]
    open_to: NDArray[np.uint8]
    duration_s: NDArray[np.float64]
    wait_s: NDArray[np.float64]
    surface: NDArray[np.uint8]
    spanning: NDArray[np.bool_]
    rivers: NDArray[np.float64]
    modelled: bool
    digest: str

    def node_points(self, crs: pyproj.CRS) -> NDArray[np.object_]:
        """Return the nodes as points in `crs`."""
        return np.asarray(gpd.points_from_xy(self.lon, self.lat, crs=WGS84).to_crs(crs))

    def river_lines(self, crs: pyproj.CRS) -> NDArray[np.object_]:
        """Return the pieces of rivers as lines in `crs`."""
        ends = self.rivers.reshape(-1, 2)
        points = gpd.points_from_xy(ends[:, 0], ends[:, 1], crs=WGS84).to_crs(crs)
        return np.asarray(shapely.linestrings(shapely.get_coordinates(points).reshape(-1, 2, 2)))


def check(model: type[_Table], frame: Any, *, crs: Any = None) -> Any:
    """Return `frame` validated against `model`, its columns in the model's order.

    Parameters
    ----------
    model : type
        One of the tables above.
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        Indexed by the table's id. Not modified.
    crs : pyproj.CRS or str, optional
        CRS the geometry must be in.

    Raises
    ------
    GeoError
        A column is missing, unknown, or holds a value that the model forbids; or the CRS is another one.
        Tables from users are checked by :mod:`geo.sources` first, so this is an error of the program.
    """
    if crs is not None and (not isinstance(frame, gpd.GeoDataFrame) or frame.crs != crs):
        raise GeoError(f"{model.__name__}: CRS is {getattr(frame, 'crs', None)}, expected {crs}")
    if not frame.index.is_unique:
        duplicates = list(frame.index[frame.index.duplicated()][:5])
        raise GeoError(f"{model.__name__}: ids occur more than once: {duplicates}")
    try:
        valid = model.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases[["column", "check", "failure_case", "index"]].head(10)
        raise GeoError(f"{model.__name__}:\n{cases.to_string(index=False)}") from error
    columns = list(model.to_schema().columns)
    ordered: pd.DataFrame = valid[columns]
    return ordered
