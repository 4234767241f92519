"""The parts of the boundary model, on toys that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from geo.demo.arcs import trace_coverage
from geo.demo.contest import count_cells, draw_communes
from geo.demo.rivers import read_rivers
from geo.demo.targets import find_false_boxes, fit_areas
from geo.demo.tidy import join_loose
from geo.demo.windows import Raster, Windows

UTM = "EPSG:32648"


def make_raster(rows: int, columns: int) -> Raster:
    return Raster(west_m=0.0, south_m=0.0, cell_m=100.0, rows=rows, columns=columns)


def test_a_cell_goes_to_the_cheapest_label_whose_window_holds_it():
    """::

    0 0 .      costs of label 0: 1 everywhere
    0 ? 1      costs of label 1: 0.5; its window is the right half
    . 1 1
    """
    raster = make_raster(3, 3)
    windows = Windows(raster, [(slice(0, 3), slice(0, 2)), (slice(0, 2), slice(1, 3))])
    cost = windows.flatten([np.full((3, 2), 1.0), np.full((2, 2), 0.5)])
    labels, lowest = windows.assign(cost, np.full(len(windows.cells), 9.0))
    assert labels.tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, -1]]
    assert lowest[2, 2] == np.inf


@given(st.integers(0, 10_000))
def test_assigning_agrees_with_looking_at_every_label(seed):
    rng = np.random.default_rng(seed)
    raster = make_raster(6, 7)
    windows = Windows(raster, [raster.window(*sorted_box(rng)) for _ in range(5)])
    cost = rng.integers(0, 4, len(windows.label)).astype(float)
    labels, _ = windows.assign(cost, np.full(len(windows.cells), 2.5))
    dense = np.full((5, 6, 7), np.inf)
    for label, (view, window) in enumerate(zip(windows.views(cost), windows.windows, strict=True)):
        dense[label][window] = view
    assert (labels == np.where(dense.min(axis=0) < 2.5, dense.argmin(axis=0), -1)).all()


def sorted_box(rng: np.random.Generator) -> tuple[float, float, float, float]:
    west, east = np.sort(rng.uniform(0, 700, 2))
    south, north = np.sort(rng.uniform(0, 600, 2))
    return west, south, east, north


def test_two_communes_share_a_field_by_their_areas():
    """::

    +-----------+
    |  0  :  1  |      both boxes are the whole field, areas 3 : 1
    +-----------+
    """
    raster = make_raster(20, 40)
    windows = Windows(raster, [(slice(0, 20), slice(0, 40))] * 2)
    x, _ = raster.centres((slice(0, 20), slice(0, 40)))
    costs = [np.abs(x - 1000) / 4000, np.abs(x - 3000) / 4000]
    target = np.array([600.0, 200.0])
    contest = draw_communes(windows, costs, target, boxed=np.array([False, False]))
    assert count_cells(contest.labels, 2) == pytest.approx(target, rel=0.1)
    assert set(contest.labels[:, :5].ravel()) == {0}


@given(st.integers(0, 10_000))
def test_traced_labels_are_one_valid_coverage_of_about_the_same_areas(seed):
    rng = np.random.default_rng(seed)
    seeds = rng.uniform(5, 45, (6, 2))
    rows, columns = np.mgrid[:50, :50]
    far = np.hypot(rows[..., None] - seeds[:, 0], columns[..., None] - seeds[:, 1])
    labels = far.argmin(axis=2).astype(np.int32)
    labels[far.min(axis=2) > 18] = -1
    labels = join_loose(labels, 6)
    shapes = trace_coverage(labels, crs=UTM, origin=(0.0, 0.0), cell_m=100.0)
    assert shapes.is_valid.all()
    assert shapes.is_valid_coverage()
    cells = count_cells(labels, 6)
    assert list(shapes.index) == np.flatnonzero(cells).tolist()
    assert shapes.area.sum() / 1e4 == pytest.approx(cells.sum(), rel=0.05)


def test_a_slanting_line_of_cells_becomes_a_straight_line():
    rows, columns = np.mgrid[:40, :40]
    labels = (columns > rows / 2 + 10).astype(np.int32)
    left = trace_coverage(labels, crs=UTM, origin=(0.0, 0.0), cell_m=1.0)[0]
    line = shapely.LineString([(10.75, 0), (30.5, 40)])
    inner = shapely.clip_by_rect(left.exterior, 12, 3, 30, 37)
    assert shapely.hausdorff_distance(inner, shapely.clip_by_rect(line, 12, 3, 30, 37)) < 1.0
    assert len(shapely.get_coordinates(inner)) < 12


def test_loose_parts_and_holes_go_to_their_neighbours():
    """::

    0 0 0 1 1
    0 . 0 1 0      a hole in 0, and a cell of 0 lost in 1
    0 0 0 1 1
    """
    labels = np.array([[0, 0, 0, 1, 1], [0, -1, 0, 1, 0], [0, 0, 0, 1, 1]], dtype=np.int32)
    joined = join_loose(labels, 2)
    assert joined.tolist() == [[0, 0, 0, 1, 1]] * 3
    assert ndimage.label(joined == 0)[1] == 1
    assert labels[1, 1] == -1


def make_communes(**changes: list[float]) -> pd.DataFrame:
    columns = {
        "district_id": ["001"] * 3,
        "area_km2": [5.0, 5.0, np.nan],
        "box_km2": [10.0, 10.0, 10.0],
        "x_m": [0.0, 1.0, 2.0],
        "y_m": [0.0, 0.0, 0.0],
    }
    return pd.DataFrame(columns | changes)


def test_a_box_smaller_than_its_commune_is_false():
    communes = make_communes(box_km2=[10.0, 4.0, 0.3])
    assert find_false_boxes(communes).tolist() == [False, True, True]


def test_of_two_communes_at_one_point_the_better_filled_box_stays():
    communes = make_communes(x_m=[0.0, 0.0, 2.0], area_km2=[9.0, 9.4, np.nan])
    assert find_false_boxes(communes).tolist() == [False, True, False]


def test_a_missing_area_follows_from_the_unit():
    """Unit 0 (8 km2) is commune 0 (5) and half of commune 2; unit 1 (8) is commune 1 (5) and the other half."""
    communes = make_communes().assign(false_box=False)
    units = pd.DataFrame({"area_km2": [8.0, 8.0]})
    pieces = pd.DataFrame({"commune": [0, 1, 2, 2], "unit": [0, 1, 0, 1], "area_share": [1, 1, 0.5, 0.5]})
    assert fit_areas(communes, units, pieces) == pytest.approx([5, 5, 3, 3], rel=0.02)


def test_a_piece_without_a_share_still_has_some_land():
    communes = make_communes().assign(false_box=False)
    units = pd.DataFrame({"area_km2": [5.0, 5.0, 5.0]})
    pieces = pd.DataFrame({"commune": [0, 1, 2, 2], "unit": [0, 1, 2, 0], "area_share": [1, 1, 1, np.nan]})
    areas = fit_areas(communes, units, pieces)
    assert 0.001 < areas[3] < 0.02
    assert np.bincount(pieces["unit"], areas) == pytest.approx([5, 5, 5])


def test_the_left_bank_is_positive_and_narrow_rivers_can_be_left_out(tmp_path):
    table = "river,seq,lon,lat,width_m\nA,1,105.8,21.0,500\nA,2,105.8,21.1,500\nB,1,105,21,20\nB,2,105,22,20\n"
    (tmp_path / "rivers.csv").write_text(table, encoding="utf-8")
    (river,) = read_rivers(tmp_path / "rivers.csv", crs=UTM, min_width_m=60)
    middle = river.points[len(river.points) // 2]
    distance = river.bank_distance(middle[0] + np.array([-1000.0, 2000.0]), np.full(2, middle[1]))
    assert river.name == "A"
    assert distance == pytest.approx([1000, -2000], rel=0.01)
