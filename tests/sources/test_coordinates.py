from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.sources.coordinates import build_polygons

#  +-----+
#  | +-+ |   +-+
#  | +-+ |   | |
#  +-----+   +-+
SHELL = [[2.0, 2], [9, 2.5], [9, 9], [2, 9], [2.0, 2]]
HOLE = [[4, 4], [5, 4], [5, 5], [4, 4]]
ISLE = [[12, 2], [14, 2], [14, 4], [12, 2]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def parsed_one_by_one(geometries: list[dict[str, Any]]) -> np.ndarray:
    return shapely.from_geojson(np.array([json.dumps(each) for each in geometries], dtype=object))


numbers = st.floats(-180, 180).filter(lambda x: x not in (0, 1)) | st.integers(2, 90)
open_rings = st.lists(st.tuples(numbers, numbers).map(list), min_size=3, max_size=6)
rings = open_rings.map(lambda points: [*points, points[0]])
parts = st.lists(rings, min_size=1, max_size=3)
shapes = parts.map(lambda each: polygon(*each)) | st.lists(parts, min_size=1, max_size=3).map(
    lambda each: {"type": "MultiPolygon", "coordinates": each}
)


@given(st.lists(shapes, min_size=1, max_size=5))
def test_polygons_are_those_that_each_text_gives(geometries: list[dict[str, Any]]) -> None:
    built = build_polygons(geometries)
    assert built is not None
    assert shapely.to_wkb(built).tolist() == shapely.to_wkb(parsed_one_by_one(geometries)).tolist()


def test_holes_and_parts_stay_where_they_are() -> None:
    several = {"type": "MultiPolygon", "coordinates": [[SHELL, HOLE], [ISLE]]}
    one, other = build_polygons([polygon(SHELL, HOLE), several])
    assert one.equals(shapely.Polygon(SHELL, [HOLE]))
    assert other.equals(shapely.MultiPolygon([shapely.Polygon(SHELL, [HOLE]), shapely.Polygon(ISLE)]))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "POLYGON EMPTY",
        {"type": "Point", "coordinates": [2, 2]},
        {"type": ["Polygon"], "coordinates": [SHELL]},
        {"type": "Polygon"},
        polygon(),
        polygon([]),
        polygon(SHELL[:-1]),
        polygon(SHELL[:2] + SHELL[:1]),
        polygon([[*point, 5.0] for point in SHELL]),
        polygon([*SHELL[:4], [2.0, 2, 5.0]]),
        polygon([[str(x), str(y)] for x, y in SHELL]),
        polygon([[2, 2], [True, 3.5], [4, 4], [2, 2]]),
        polygon([[2, 2], [None, 3.5], [4, 4], [2, 2]]),
        polygon([[2, 2], [float("inf"), 3.5], [4, 4], [2, 2]]),
        polygon([[2, 2], [10**400, 3.5], [4, 4], [2, 2]]),
        polygon("SHELL"),
        polygon(2.0),
        {"type": "MultiPolygon", "coordinates": [SHELL]},
        {"type": "MultiPolygon", "coordinates": [[SHELL], []]},
        {"type": "Polygon", "coordinates": {"a": SHELL}},
    ],
    ids=str,
)
def test_whatever_is_out_of_the_ordinary_is_left_to_the_parser(odd: object) -> None:
    assert build_polygons([polygon(SHELL), odd]) is None
