import numpy as np
import pytest
import shapely

from geo.merge.planar import join, overlay_pairs


def test_polygons_join_with_all_their_land() -> None:
    # Two triangles that share a side but for the last bit of a coordinate: in full precision GEOS 3.14 loses one.
    south = shapely.Polygon(
        [
            (14513.42267453106, 15000.0),
            (13888.419984451266, 14482.317668131953),
            (2358.6331824888484, 10994.31666548898),
        ]
    )
    north = shapely.Polygon(
        [
            (2358.6331824888484, 10994.31666548898),
            (13888.419984451268, 14482.317668131953),
            (2387.60823613, 10889.46966828),
        ]
    )
    assert join(np.array([south, north])).area == pytest.approx(south.area + north.area, rel=1e-9)


def test_nothing_is_left_of_a_polygon_inside_another() -> None:
    # In full precision GEOS 3.14 says that all of it is: the crack in the polygon nearly runs through its corner.
    inside = shapely.Polygon(
        [
            (43873.76744036621, 19685.658700573775),
            (44930.32720038437, 21110.264622229253),
            (45133.44361363962, 20440.679542742568),
        ]
    )
    crack = [
        (43950.92922173856, 19600.009278743895),
        (43983.100442621435, 19649.20668291155),
        (45807.30564523213, 22438.847802355325),
    ]
    around = [
        (14358.819049149384, -347.12307960471134),
        (44086.91888154383, 36500.06596596157),
        (47995.26786129283, 19771.23878416492),
    ]
    whole = shapely.Polygon(around, [crack])
    (left,) = overlay_pairs(shapely.difference, np.array([inside]), np.array([whole]))
    assert left.area < 1


def test_lines_stay_where_they_are_where_the_library_is_right() -> None:
    square, third = shapely.box(0, 0, 1, 1), shapely.Polygon([(0, 0), (1, 0), (1, 1 / 3)])
    (left,) = overlay_pairs(shapely.difference, np.array([square]), np.array([third]))
    assert left.equals_exact(shapely.difference(square, third), 0), "to the last bit"
