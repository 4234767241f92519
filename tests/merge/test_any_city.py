"""Drawn cities with every fault that maps have: whatever comes in, land and people come out."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.boundaries import Merge, merge_communes
from geo.merge.coverage import is_drawn
from tests.merge.test_boundaries import clauses, unit_facts
from tests.roads import CRS, ORIGIN

pytestmark = pytest.mark.slow

FAULTS = ["moved", "grown", "enclave", "island", "speck", "twin"]
RELATIONS = ["part", "part_area_only"]


@dataclass(frozen=True, kw_only=True)
class City:
    """What a merge starts from."""

    communes: gpd.GeoDataFrame
    clauses: pd.DataFrame
    units: gpd.GeoDataFrame

    def merge(self) -> Merge:
        return merge_communes(self.communes, self.clauses, self.units)

    def shuffled(self, rng: np.random.Generator) -> "City":
        """Return the same city with the rows of its tables in another order."""
        communes, rows, units = (
            table.iloc[rng.permutation(len(table))] for table in (self.communes, self.clauses, self.units)
        )
        return City(communes=communes, clauses=rows.reset_index(drop=True), units=units)


@st.composite
def cities(draw: st.DrawFn) -> City:
    """Return a city of 3 to 15 communes with faults, and of units whose lines few of theirs follow."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = draw(st.sampled_from([3e3, 6e4]))
    cells, blocks = (_cells(rng, n, side) for n in (draw(st.integers(3, 15)), draw(st.integers(2, 5))))
    shapes = _spoil(rng, cells, side, draw(st.sets(st.sampled_from(FAULTS))))
    share = shapely.area(shapely.intersection(shapes[:, None], blocks)) / shapely.area(shapes)[:, None]
    rows = _rows(np.where(share.max(axis=1, keepdims=True) > 0, share, rng.random(share.shape)))
    named = sorted({unit for unit, *_ in rows})
    known = {"all": True, "none": False, "some": None}[draw(st.sampled_from(["all", "none", "some", "some"]))]
    polygons = {
        unit: blocks[int(unit[1:])] if (rng.random() < 0.5 if known is None else known) else None for unit in named
    }
    people = np.where(rng.random(len(shapes)) < 0.1, 0, rng.lognormal(9, 1, len(shapes)).round())
    ids = pd.Index([f"C{i:02d}" for i in range(len(shapes))], name="commune_id")
    columns = {"name": ids, "kind": None, "district_id": "1", "district_name": "Một", "population": people}
    table = gpd.GeoDataFrame(
        columns | {"area_km2": np.nan, "data_source": "drawn"}, geometry=shapes, index=ids, crs=CRS
    )
    return City(communes=table, clauses=clauses(rows), units=unit_facts(polygons))


def _cells(rng: np.random.Generator, n: int, side: float) -> np.ndarray:
    points = shapely.MultiPoint(rng.uniform(0, side, (n, 2)) + ORIGIN)
    square = shapely.box(*ORIGIN, *(np.array(ORIGIN) + side))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    return np.asarray(shapely.intersection(cells, square))


def _spoil(rng: np.random.Generator, cells: np.ndarray, side: float, faults: set[str]) -> np.ndarray:
    shapes = cells.copy()
    first, second = rng.permutation(len(cells))[:2]
    if "moved" in faults:
        shapes = np.array([shapely.transform(shape, lambda xy: xy + rng.normal(0, side / 100, 2)) for shape in shapes])
    if "grown" in faults:
        shapes = np.array([shape.buffer(rng.uniform(0, side / 100)) for shape in shapes])
    if "enclave" in faults:
        inner = shapely.point_on_surface(shapes[first]).buffer(side / 100) & shapes[first]
        shapes[first], shapes[second] = shapes[first] - inner, shapes[second] | inner
    if "island" in faults:
        x, y = ORIGIN
        shapes[first] = shapes[first] | shapely.box(x + 2 * side, y, x + 2 * side + 300, y + 200)
    if "speck" in faults:
        shapes[first] = shapely.point_on_surface(shapes[first]).buffer(rng.choice([0.2, 30]))
    if "twin" in faults:
        shapes[second] = shapes[first]
    return shapes


def _rows(share: np.ndarray) -> list[tuple[str, str, str]]:
    """Return clauses that give each commune to the units that have a tenth of it, or most."""
    rows = []
    for commune, of_unit in enumerate(share):
        units = np.flatnonzero(of_unit >= min(0.1, of_unit.max()))[:3]
        words = ["whole"] if len(units) == 1 else [*RELATIONS[: len(units) - 1], "remainder"]
        rows += [(f"U{unit}", f"C{commune:02d}", word) for unit, word in zip(units, words, strict=True)]
    return sorted(rows)


def by_pair(merge: Merge, column: str) -> pd.Series:
    return merge.pieces.set_index(["commune_id", "unit_id"])[column].sort_index()


@given(cities())
def test_land_and_people_are_conserved_and_every_unit_is_sound(city: City) -> None:
    merge = city.merge()
    pieces, units = merge.pieces, merge.units
    assert pieces.is_valid.all()
    assert units.is_valid.all()
    assert pieces["population"].sum() == pytest.approx(city.communes["population"].sum(), rel=1e-9)
    np.testing.assert_allclose(pieces.groupby("commune_id")[["area_share", "population_share"]].sum(), 1, rtol=1e-9)
    of_pieces = pieces.area.groupby(pieces["unit_id"]).sum().reindex(units.index)
    np.testing.assert_allclose(of_pieces, units.area, rtol=1e-9, atol=1e-6)
    assert units.area.sum() == pytest.approx(units.union_all().area, rel=1e-8), "no land is counted twice"
    official = city.units[is_drawn(city.units.geometry)]
    assert units.geometry[official.index].geom_equals(official.geometry).all()


@given(cities(), st.integers(0, 1000))
def test_the_order_of_rows_decides_nothing(city: City, seed: int) -> None:
    merge = city.merge()
    other = city.shuffled(np.random.default_rng(seed)).merge()
    city_km2 = merge.units["area_km2"].sum()
    for column, least in (("area_km2", 1e-9 * city_km2), ("population", 1e-6)):
        np.testing.assert_allclose(by_pair(other, column), by_pair(merge, column), rtol=1e-9, atol=least)
