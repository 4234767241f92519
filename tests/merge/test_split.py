import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.split import split_polygon

SQUARE = shapely.box(0, 0, 1000, 1000)


def test_two_seeds_cut_a_square_by_a_straight_line_at_the_share() -> None:
    west, east = split_polygon(SQUARE, seeds=np.array([[0.0, 500.0], [1000.0, 500.0]]), shares=np.array([0.3, 0.7]))
    assert west.area == pytest.approx(300_000, rel=1e-3)
    assert west.bounds[2] == pytest.approx(300, abs=2)
    assert east.bounds[0] == pytest.approx(300, abs=2)


def test_seeds_far_outside_still_share_the_land() -> None:
    parts = split_polygon(
        SQUARE, seeds=np.array([[50_000.0, 0.0], [60_000.0, 100.0], [-9000.0, 9.0]]), shares=np.array([1.0, 1, 1])
    )
    assert shapely.area(parts) == pytest.approx(1e6 / 3, rel=1e-3)


def test_an_empty_polygon_gives_empty_parts() -> None:
    parts = split_polygon(shapely.Polygon(), seeds=np.zeros((2, 2)), shares=np.array([1.0, 1]))
    assert shapely.is_empty(parts).all()


coordinates = st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000))


@given(st.lists(st.tuples(coordinates, st.floats(0.05, 1)), min_size=2, max_size=5, unique_by=lambda p: p[0]))
def test_the_parts_are_a_partition_with_the_shares_asked_for(seeds: list) -> None:
    crescent = SQUARE.difference(shapely.Point(1000, 500).buffer(400))
    shares = np.array([share for _, share in seeds])
    parts = split_polygon(crescent, seeds=np.array([place for place, _ in seeds]), shares=shares)
    assert shapely.area(parts).sum() == pytest.approx(crescent.area, rel=1e-9)
    assert shapely.area(shapely.intersection(parts, crescent)) == pytest.approx(shapely.area(parts), rel=1e-9)
    for part in parts:
        others = parts[[other is not part for other in parts]]
        assert shapely.area(shapely.intersection(part, others, grid_size=1e-8)).sum() < 1e-3
    assert shapely.area(parts) / crescent.area == pytest.approx(shares / shares.sum(), abs=1e-5)


def test_a_share_of_nothing_is_an_empty_part() -> None:
    parts = split_polygon(SQUARE, seeds=np.array([[0.0, 0], [1, 0], [2, 0]]), shares=np.array([0.5, 0, 0.5]))
    assert shapely.area(parts).tolist() == pytest.approx([5e5, 0, 5e5])
