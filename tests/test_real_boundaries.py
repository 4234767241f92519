"""The merge on real polygons of Hanoi: as found, against the official units and a crosswalk made independently."""

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.merge.audit import CHECKS, breaches
from geo.merge.boundaries import Merge, merge_communes
from geo.settings import Settings
from geo.sources.folder import Folder, read_folder

REAL = Path(__file__).parents[2] / "shared" / "data" / "hanoi"
EMBEDDED = Path(__file__).parents[1] / "data"
CRS = "EPSG:5897"
#: A difference of area shares that has to be explained.
LARGE = 0.05
#: Land that lies in a part in one merge and not in the other, by what the communes as found say of it.
KINDS = ("gap", "overlap", "own", "other_commune")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason="real files of Hanoi are not here (shared/data/hanoi)"),
]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Folder]:
    """Return a function that reads a file of communes, with or without the official polygons of the units."""

    def folder_of(communes: str, official: bool) -> Folder:
        root = tmp_path_factory.mktemp("real")
        for name in ("boundaries", "buildings"):
            (root / name).mkdir()
        shutil.copy(REAL / communes, root / "boundaries" / "communes.geojson")
        if official:
            shutil.copy(REAL / "units_2025.geojson", root / "boundaries" / "units.geojson")
        else:
            shutil.copy(EMBEDDED / "facts" / "units_2025.csv", root / "boundaries" / "units.csv")
        shutil.copy(EMBEDDED / "facts" / "clauses_1656.csv", root / "boundaries" / "clauses.csv")
        shutil.copy(EMBEDDED / "buildings" / "inventory.csv", root / "buildings")
        return read_folder(root, settings=Settings())

    return folder_of


def merge(folder: Folder) -> Merge:
    return merge_communes(folder.communes.to_crs(CRS), folder.clauses, folder.units.to_crs(CRS))


@pytest.fixture(scope="module")
def found(read: Callable[[str, bool], Folder]) -> Folder:
    """Return the communes as found, with their gaps and overlaps, and the official polygons."""
    return read("communes_pre2025_source.geojson", True)


@pytest.fixture(scope="module")
def fitted(read: Callable[[str, bool], Folder]) -> Folder:
    """Return the communes that the makers of the crosswalk fitted into the official polygons."""
    return read("communes_pre2025.geojson", True)


@pytest.fixture(scope="module")
def from_found(found: Folder) -> Merge:
    return merge(found)


@pytest.fixture(scope="module")
def crosswalk() -> pd.DataFrame:
    table = pd.read_csv(REAL / "crosswalk_2025.csv", dtype={"old_code": str, "new_code": str})
    return table.set_index(["old_code", "new_code"])


def likeness(one: gpd.GeoSeries, other: gpd.GeoSeries) -> pd.Series:
    """Return intersection over union."""
    other = other[one.index]
    return one.intersection(other).area / one.union(other).area


def by_pair(pieces: pd.DataFrame) -> pd.DataFrame:
    return pieces.set_index(["commune_id", "unit_id"])


@pytest.fixture(scope="module")
def alone(read: Callable[[str, bool], Folder]) -> Merge:
    """Return the merge of the communes as found, without any official polygon."""
    return merge(read("communes_pre2025_source.geojson", False))


def test_units_of_whole_communes_come_out_without_any_polygon_of_theirs(alone: Merge, found: Folder) -> None:
    whole = alone.pieces.groupby("unit_id")["method"].agg(lambda methods: (methods == "whole").all())
    ids = whole.index[whole]
    assert len(ids) == 26
    alike = likeness(alone.units.geometry[ids], found.units.geometry.to_crs(CRS))
    print(f"26 units of whole communes: mean {alike.mean():.4f}, least {alike.min():.4f}")
    assert alike.mean() >= 0.95


def test_without_polygons_the_clauses_and_the_official_areas_find_most_of_every_unit(
    alone: Merge, found: Folder
) -> None:
    alike = likeness(alone.units.geometry, found.units.geometry.to_crs(CRS))
    print(f"126 units without polygons: mean {alike.mean():.4f}, median {alike.median():.4f}, least {alike.min():.4f}")
    assert alike.mean() >= 0.85


def test_without_polygons_every_area_is_met_that_the_law_leaves_open(alone: Merge) -> None:
    """Two units cannot be met: the polygons of all their communes together are too small."""
    units = alone.units
    error = (units["area_km2"] / units["official_area_km2"] - 1).abs()
    of_commune = alone.pieces.groupby("commune_id")["area_km2"].sum()
    most = of_commune[alone.pieces["commune_id"]].groupby(alone.pieces["unit_id"].to_numpy()).sum()
    too_small = most < 0.95 * units["official_area_km2"]
    assert set(error.index[error > 0.05]) == set(too_small.index[too_small])
    assert too_small.sum() == 2


def test_official_polygons_are_the_units(found: Folder, from_found: Merge) -> None:
    official = found.units.geometry.to_crs(CRS)
    pieces = from_found.pieces.dissolve("unit_id").geometry
    for shapes in (from_found.units.geometry, pieces):
        assert likeness(shapes, official).min() >= 0.999
    assert len(pieces) == 126


def test_the_audit_of_the_found_communes_breaches_only_where_two_official_lines_do(from_found: Merge) -> None:
    """Hòa Lạc (22.8 %) and Yên Xuân (9.3 %): their common line is drawn elsewhere than the official areas say."""
    broken = breaches(from_found.audit)
    assert broken["check"].tolist() == ["area_error_pct"] * 2
    assert broken["remedy"].tolist() == ["check_shared_line"] * 2
    assert set(broken["subject"]) == set(broken["other"])
    failed = from_found.audit[~from_found.audit["passed"]]
    spots = failed[failed["check"].isin(["commune_gap", "commune_overlap", "commune_outside", "commune_sliver"])]
    assert len(spots) > 2000
    assert spots[["lon", "lat"]].notna().all(axis=None)
    assert set(failed["check"]) <= set(CHECKS)


def test_the_pairs_are_those_of_the_crosswalk_and_one_that_it_misses(
    from_found: Merge, crosswalk: pd.DataFrame
) -> None:
    ours = by_pair(from_found.pieces)
    assert set(ours.index) - set(crosswalk.index) == {("09013", "09817")}, "Văn Khê -> Ô Diên"
    assert set(crosswalk.index) <= set(ours.index)
    kind = ours["relation"].where(ours["relation"].isin(["whole", "remainder"]), "part")
    assert kind[crosswalk.index].tolist() == crosswalk["share_kind"].tolist()


def test_shares_of_the_polygons_as_found_agree_with_all_794(found: Folder, crosswalk: pd.DataFrame) -> None:
    from geo.merge.coverage import overlay

    communes = found.communes.geometry.to_crs(CRS)
    shared = overlay(communes, found.units.geometry.to_crs(CRS)).set_index(["old_id", "new_id"])["area_m2"]
    share = shared / communes.area[shared.index.get_level_values(0)].to_numpy()
    theirs = crosswalk["area_share_source_polygon"]
    assert len(theirs) == theirs.notna().sum() == 794
    assert (share.reindex(theirs.index, fill_value=0) - theirs).abs().max() < 5e-4


def test_shares_of_the_same_fitted_polygons_agree(fitted: Folder, crosswalk: pd.DataFrame) -> None:
    ours = by_pair(merge(fitted).pieces)["area_share"]
    theirs = crosswalk["area_share"].dropna()
    assert len(theirs) == 780
    assert (ours[theirs.index] - theirs).abs().max() < 1e-3


def explain(found: Folder, fitted: Folder, pieces: gpd.GeoDataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """Return every share that differs much from the crosswalk's, with the kind of land that makes the difference.

    The parts of the commune in both merges differ by land that no commune as found covers (``gap``), that several cover
    (``overlap``), that is another commune's (``other_commune``) or this one's own (``own``); the largest is the cause.
    Where the crosswalk misses a pair of the commune, that is the cause (``missing_pair``).
    """
    ours = by_pair(pieces)
    theirs = crosswalk["area_share"].dropna()
    difference = ours["area_share"].reindex(theirs.index) - theirs
    large = difference[difference.abs() > LARGE]
    communes, units = found.communes.geometry.to_crs(CRS), found.units.geometry.to_crs(CRS)
    refitted = fitted.communes.geometry.to_crs(CRS)
    missing = {commune for commune, _ in set(ours.index) - set(crosswalk.index)}
    causes = {}
    for commune in large.index.unique(level=0):
        parts = ours.geometry.loc[commune]
        moved = [part.symmetric_difference(refitted[commune].intersection(units[unit])) for unit, part in parts.items()]
        land = sum((_kinds_of_land(shape, commune, communes) for shape in moved), start=np.zeros(4)) / parts.area.sum()
        cause = "missing_pair" if commune in missing else KINDS[int(land.argmax())]
        causes[commune] = {"cause": cause, **dict(zip(KINDS, land, strict=True))}
    table = pd.DataFrame.from_dict(causes, orient="index").loc[large.index.get_level_values(0)].set_index(large.index)
    return table.assign(ours=ours["area_share"].reindex(large.index), theirs=theirs[large.index])


def _kinds_of_land(shape: shapely.Geometry, commune: str, communes: gpd.GeoSeries) -> np.ndarray:
    """Return how much of `shape` (m2) is land of each of KINDS."""
    near = communes[communes.intersects(shape)]
    shared = np.asarray(near.intersection(shape))
    covered, several = shapely.union_all(shared).area, shapely.area(shared).sum()
    own = shapely.area(shared[near.index == commune]).sum()
    twice = several - covered
    alone = max(own - twice, 0.0)
    return np.array([shape.area - covered, twice, alone, max(covered - twice - alone, 0.0)])


def test_every_large_difference_from_the_crosswalk_has_its_cause(
    found: Folder, fitted: Folder, from_found: Merge, crosswalk: pd.DataFrame
) -> None:
    table = explain(found, fitted, from_found.pieces, crosswalk)
    names = crosswalk.loc[table.index, ["old_name", "new_name", "precision"]]
    print("\n", names.join(table.round(3)).to_string(), "\n", table["cause"].value_counts().to_dict())
    assert len(table) < 20, "of 780"
    moved = table[list(KINDS)].sum(axis=1)
    assert (moved >= (table["ours"] - table["theirs"]).abs() - 0.02).all(), "the land accounts for the difference"
    assert set(names["precision"][table["cause"] != "missing_pair"]) == {"coarse"}
    assert set(table["cause"]) <= {"gap", "overlap", "other_commune", "missing_pair"}, "never the commune's own land"
