import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.leftover import land_left, settle_detached
from tests.roads import CRS

# Commune A is W's. Commune B is divided between W and E by a line that cuts off its far corner; C is whose it is named.
#
#       0       1       2       3
#     1 +-------+---+---+-------+
#       |       | W | E |       |
#       |   A   |   | +-+   C   |
#       |       |   | |w|       |
#     0 +-------+---+-+-+-------+
A, WEST, CORNER, C = (shapely.box(*box) for box in ((0, 0, 1, 1), (1, 0, 1.5, 1), (1.8, 0, 2, 0.4), (2, 0, 3, 1)))
B = shapely.box(1, 0, 2, 1)
EAST = shapely.difference(B, shapely.union(WEST, CORNER))


def settle(rows: list[tuple[str, str, shapely.Geometry]], *, fixed: str = "") -> list[shapely.Geometry]:
    commune, unit, parts = (np.array(column, object) for column in zip(*rows, strict=True))
    movable = np.array([fixed not in (commune, unit) for commune, unit, _ in rows])
    return list(settle_detached(parts, commune=commune, unit=unit, movable=movable))


def is_unchanged(result: list[shapely.Geometry], rows: list[tuple[str, str, shapely.Geometry]]) -> bool:
    return all(part.equals(shape) for part, (*_, shape) in zip(result, rows, strict=True))


def test_a_corner_cut_off_from_its_unit_goes_to_the_neighbour_in_its_commune() -> None:
    rows = [("A", "W", A), ("B", "W", WEST | CORNER), ("B", "E", EAST), ("C", "E", C)]
    whole, west, east, other = settle(rows)
    assert west.equals(WEST)
    assert east.equals(EAST | CORNER)
    assert (whole, other) == (A, C), "communes that go whole stay as they are"


def test_a_corner_that_touches_its_unit_beyond_the_commune_stays() -> None:
    rows = [("A", "W", A), ("B", "W", WEST | CORNER), ("B", "E", EAST), ("C", "W", shapely.box(1, -1, 3, 0) | C)]
    assert is_unchanged(settle(rows), rows)


def test_a_part_that_lies_wholly_apart_stays_because_the_law_names_it() -> None:
    rows = [("A", "W", A), ("B", "W", CORNER), ("B", "E", EAST | WEST), ("C", "E", C)]
    assert is_unchanged(settle(rows), rows)


@pytest.mark.parametrize("fixed", ["B", "W", "E"])
def test_a_part_that_is_given_neither_loses_nor_gets_land(fixed: str) -> None:
    rows = [("A", "W", A), ("B", "W", WEST | CORNER), ("B", "E", EAST), ("C", "E", C)]
    assert is_unchanged(settle(rows, fixed=fixed), rows)


@given(st.permutations(range(7)), st.lists(st.sampled_from("UVW"), min_size=16, max_size=16))
def test_a_commune_keeps_its_land_and_the_order_of_rows_changes_nothing(order: list[int], owner: list[str]) -> None:
    # Two communes side by side, each of 4 x 2 cells that fall to three units as they come.
    cells = [(shapely.box(x, y, x + 1, y + 1), "AB"[x // 4], owner[8 * y + x]) for x in range(8) for y in range(2)]
    named = [(commune, unit) for commune in "AB" for unit in "UVW"]
    land = [shapely.union_all([cell for cell, *of in cells if tuple(of) == name]) for name in named]
    rows = [(*name, shape) for name, shape in zip(named, land, strict=True)] + [("C", "U", shapely.box(0, 2, 8, 3))]
    result = settle(rows)
    for first in (0, 3):
        assert shapely.union_all(result[first : first + 3]).area == pytest.approx(8)
        assert sum(part.area for part in result[first : first + 3]) == pytest.approx(8)
    assert all(part.is_empty == before.is_empty for part, before in zip(result, land, strict=False))
    assert settle([rows[n] for n in order]) == [result[n] for n in order]


@pytest.mark.parametrize("names", ["AB", "BA"])
def test_of_two_communes_with_one_polygon_the_first_id_has_the_land_in_any_order_of_rows(names: str) -> None:
    land = gpd.GeoSeries({name: shapely.box(0, 0, 1, 1) for name in names}, crs=CRS)
    left = land_left(land, pd.Series(["A", "B"]), gpd.GeoSeries([], crs=CRS))
    assert left.index.tolist() == list(names)
    assert left.area.to_dict() == {"A": 1, "B": 0}
