import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.divide import divide_communes
from tests.merge.test_boundaries import box, clauses, communes

# The four communes of test_boundaries: A is W's, C and D are E's, B is divided.

DISTRICT = pd.Series({"A": "1", "B": "1", "C": "2", "D": "2"})


def divide(
    source: gpd.GeoDataFrame | None = None, *, area_km2: tuple[float, float] = (np.nan, np.nan), **options: list[float]
) -> dict[tuple[str, str], shapely.Geometry]:
    source = communes() if source is None else source
    rows = clauses(options.get("rows"), options.get("shares"))
    shapes = np.asarray(source.geometry[rows["commune_id"]])
    area = pd.Series(area_km2, index=["W", "E"])
    parts = divide_communes(shapes, rows, area_km2=area, district=DISTRICT)
    return dict(zip(zip(rows["commune_id"], rows["unit_id"], strict=True), parts, strict=True))


@pytest.mark.parametrize("west_km2", [1.2, 1.5, 1.9])
def test_the_line_lies_where_the_areas_say_and_each_part_beside_its_unit(west_km2: float) -> None:
    parts = divide(area_km2=(west_km2, 4 - west_km2))
    assert parts["B", "W"].area / 1e6 == pytest.approx(west_km2 - 1, abs=0.02)
    assert parts["B", "W"].centroid.x < parts["B", "E"].centroid.x
    assert parts["A", "W"] == box(0, 1000), "a whole commune is not touched"


def test_a_commune_goes_mostly_to_the_unit_of_its_district() -> None:
    parts = divide()
    assert parts["B", "W"].area > 0.8e6
    assert parts["B", "E"].area > 0, "but the law names the other too"


def test_land_without_people_is_a_small_part() -> None:
    rows = [("W", "A", "whole"), ("W", "B", "part_area_only"), ("E", "B", "remainder"), ("E", "C", "whole")]
    parts = divide(rows=rows)
    assert 0 < parts["B", "W"].area < 0.1e6


def test_given_shares_are_kept() -> None:
    parts = divide(shares=[1, 0.25, 0.75, 1, 1], area_km2=(1.9, 2.1))
    assert parts["B", "W"].area == pytest.approx(0.25e6, rel=1e-6)


def test_a_given_share_leaves_the_rest_to_those_without() -> None:
    rows = [("W", "A", "whole"), ("W", "B", "part"), ("N", "B", "part"), ("E", "B", "remainder"), ("E", "C", "whole")]
    parts = divide(rows=rows, shares=[1, 0.4, np.nan, np.nan, 1])
    assert parts["B", "W"].area == pytest.approx(0.4e6, rel=1e-6)
    assert parts["B", "N"].area > 0
    assert parts["B", "E"].area > 0


def test_where_nothing_is_left_to_divide_the_parts_are_empty() -> None:
    source = communes({"A": box(0, 1000), "B": shapely.Polygon(), "C": box(2000, 3000), "D": box(3000, 4000)})
    parts = divide(source)
    assert parts["B", "W"].is_empty
    assert parts["B", "E"].is_empty


@pytest.mark.parametrize("side_m", [1e-2, 1e-6])
def test_specks_far_apart_are_divided_like_any_land(side_m: float) -> None:
    corners = [box(1000, 1000 + side_m, north=side_m), box(2000 - side_m, 2000, south=1000 - side_m)]
    source = communes({"A": box(0, 1000), "B": shapely.union_all(corners), "C": box(2000, 3000), "D": box(3000, 4000)})
    parts = divide(source)
    assert parts["B", "W"].area + parts["B", "E"].area == pytest.approx(2 * side_m**2, rel=1e-3)


def test_where_the_given_shares_leave_nobody_anything_they_count_for_nothing() -> None:
    parts = divide(shares=[1, 0, 0, 1, 1], area_km2=(1.5, 2.5))
    assert parts["B", "W"].area == pytest.approx(0.5e6, abs=2e4)
    assert parts["B", "W"].area + parts["B", "E"].area == pytest.approx(1e6, rel=1e-9)


@st.composite
def islands(draw: st.DrawFn) -> shapely.Geometry:
    """A commune of one to three triangles, thin or fat."""
    corner = st.tuples(st.floats(1000, 2000), st.floats(0, 1000))
    triangles = [shapely.Polygon(draw(st.tuples(corner, corner, corner))) for _ in range(draw(st.integers(1, 3)))]
    shape = shapely.union_all([triangle for triangle in triangles if triangle.area > 100])
    return shapely.transform(shape, lambda xy: xy + np.array(shapely.get_coordinates(box(0, 1))[1]))


@given(islands(), st.floats(1.05, 1.95))
def test_the_parts_of_a_commune_are_a_partition_of_it_in_any_order_of_rows(shape: shapely.Geometry, km2: float) -> None:
    source = communes({"A": box(0, 1000), "B": shape, "C": box(2000, 3000), "D": box(3000, 4000)})
    parts = divide(source, area_km2=(km2, 4 - km2))
    west, east = parts["B", "W"], parts["B", "E"]
    assert west.area + east.area == pytest.approx(shape.area, rel=1e-9, abs=1e-5)
    assert west.intersection(east).area <= 1e-5
    rows = clauses().iloc[::-1]
    shapes = np.asarray(source.geometry[rows["commune_id"]])
    area = pd.Series({"E": 4 - km2, "W": km2})
    turned = divide_communes(shapes, rows, area_km2=area, district=DISTRICT)[::-1]
    assert shapely.area(turned).tolist() == [part.area for part in parts.values()]
