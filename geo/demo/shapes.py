"""What a point and a bounding box say about the shape of a commune: a cost for every cell of its box.

The box is strong evidence: the commune lies in it and touches all four sides. The cost grows from the reference point
to the sides as a superellipse; across a river that the commune's middle does not lie on, it grows once more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.demo.rivers import River
from geo.demo.targets import MEAN_FILL
from geo.demo.windows import Raster
from geo.schemas import WGS84

#: Exponent of the superellipse, and of the cost along a ray.
_ROUNDNESS, _STEEPNESS = 3.0, 3.0
#: How far the centre moves from the middle of the box to the reference point, and its limit in half widths.
_PULL, _MAX_PULL = 0.8, 0.6
#: Cost of lying across a river, the distance over which it grows, and the mass across that makes a commune straddle.
_RIVER_COST, _RIVER_REACH_M, _STRADDLE = 1.0, 300.0, 0.25
#: What a commune saves at its own reference point, more than any price.
_OWN_POINT = 20.0
#: A commune with a false box may reach this many half widths from its point.
_LOOSE = 2.0

Floats = NDArray[np.float64]


def measure_boxes(communes: pd.DataFrame, *, crs: str) -> pd.DataFrame:
    """Return points and boxes in metres: x_m, y_m, west_m, south_m, east_m, north_m and box_km2.

    Parameters
    ----------
    communes : pandas.DataFrame
        Columns lon, lat, west, south, east, north in degrees.
    crs : str
        Metric CRS of the result.
    """
    transform = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True).transform
    x, y = transform(communes["lon"].to_numpy(), communes["lat"].to_numpy())
    # meridian convergence turns a box a little: the mean of its two ends stands for each side
    west_s, south_w = transform(communes["west"].to_numpy(), communes["south"].to_numpy())
    east_n, north_e = transform(communes["east"].to_numpy(), communes["north"].to_numpy())
    west_n, north_w = transform(communes["west"].to_numpy(), communes["north"].to_numpy())
    east_s, south_e = transform(communes["east"].to_numpy(), communes["south"].to_numpy())
    sides = {
        "x_m": x,
        "y_m": y,
        "west_m": (west_s + west_n) / 2,
        "south_m": (south_w + south_e) / 2,
        "east_m": (east_s + east_n) / 2,
        "north_m": (north_w + north_e) / 2,
    }
    boxes = pd.DataFrame(sides, index=communes.index)
    boxes["box_km2"] = (boxes["east_m"] - boxes["west_m"]) * (boxes["north_m"] - boxes["south_m"]) / 1e6
    return boxes


def place_windows(communes: pd.DataFrame, raster: Raster) -> list[tuple[slice, slice]]:
    """Return the cells that each commune may hold: those of its box, or around its point where the box is false."""
    reach = np.where(communes["false_box"], _LOOSE, 1.0)
    x, y, half_x, half_y = frames(communes)
    boxes = np.c_[x - reach * half_x, y - reach * half_y, x + reach * half_x, y + reach * half_y]
    return [raster.window(*box) for box in boxes]


def frames(communes: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """Return centre and half widths of the boxes in metres; a false box gives way to a square about the point."""
    false_box = communes["false_box"].to_numpy()
    square = np.sqrt(communes["area_km2"].to_numpy() * 1e6 / MEAN_FILL) / 2
    x = np.where(false_box, communes["x_m"], (communes["west_m"] + communes["east_m"]) / 2)
    y = np.where(false_box, communes["y_m"], (communes["south_m"] + communes["north_m"]) / 2)
    half_x = np.where(false_box, square, (communes["east_m"] - communes["west_m"]) / 2)
    half_y = np.where(false_box, square, (communes["north_m"] - communes["south_m"]) / 2)
    return x, y, half_x, half_y


def price_cells(
    communes: pd.DataFrame, raster: Raster, windows: Sequence[tuple[slice, slice]], rivers: Sequence[River]
) -> list[Floats]:
    """Return for every commune the cost of each cell of its window: 0 at its centre, 1 at the sides of its box.

    Parameters
    ----------
    communes : pandas.DataFrame
        Columns of :func:`measure_boxes`, false_box and area_km2.
    raster : Raster
        The cells.
    windows : sequence of (slice, slice)
        From :func:`place_windows`.
    rivers : sequence of River
        In the CRS of the raster.
    """
    x, y, half_x, half_y = frames(communes)
    points, loose = communes[["x_m", "y_m"]].to_numpy(), communes["false_box"].to_numpy()
    costs: list[Floats] = []
    for i, window in enumerate(windows):
        at_x, at_y = raster.centres(window)
        across = _stretch((at_x - x[i]) / half_x[i], (points[i, 0] - x[i]) / half_x[i])
        upward = _stretch((at_y - y[i]) / half_y[i], (points[i, 1] - y[i]) / half_y[i])
        far = (across**_ROUNDNESS + upward**_ROUNDNESS) ** (1 / _ROUNDNESS)
        if loose[i]:
            far = np.where(far > 1, 1 + 0.2 * (far - 1), far)
        near = [river for river in rivers if _is_near(river, x[i], y[i], half_x[i], half_y[i])]
        cost = far**_STEEPNESS + sum(_price_crossing(river, at_x, at_y, far) for river in near)
        own = _around(at_x, at_y, points[i], raster.cell_m)
        priced: Floats = np.where(own, cost - _OWN_POINT, cost)
        costs.append(priced.round(9))
    return costs


def mark_points(communes: pd.DataFrame, raster: Raster) -> NDArray[np.bool_]:
    """Return the cells at and beside the reference points, which no other commune may hold."""
    marked = np.zeros((raster.rows, raster.columns), bool)
    reach = 1.5 * raster.cell_m
    for x, y in communes[["x_m", "y_m"]].to_numpy():
        marked[raster.window(x - reach, y - reach, x + reach, y + reach)] = True
    return marked


def _around(x: Floats, y: Floats, point: Floats, cell_m: float) -> NDArray[np.bool_]:
    return (np.abs(x - point[0]) < 1.5 * cell_m) & (np.abs(y - point[1]) < 1.5 * cell_m)


def _stretch(offset: Floats, pull: float) -> Floats:
    """Return the distance from a shifted centre, still 1 at both sides of the box."""
    shift = _PULL * float(np.clip(pull, -_MAX_PULL, _MAX_PULL))
    return np.where(offset > shift, (offset - shift) / (1 - shift), (shift - offset) / (1 + shift))


def _is_near(river: River, x: float, y: float, half_x: float, half_y: float) -> bool:
    return bool(river.tree.query([x, y])[0] < 1.5 * np.hypot(half_x, half_y))


def _price_crossing(river: River, x: Floats, y: Floats, far: Floats) -> Floats:
    """Return the cost of lying across `river`; none where the commune's mass straddles it."""
    bank, mass = river.bank_distance(x, y), np.maximum(0, 1 - far)
    left, right = mass[bank > 0].sum(), mass[bank <= 0].sum()
    if min(left, right) > _STRADDLE * (left + right):
        return np.zeros_like(far)
    beyond = np.maximum(0, -bank if left > right else bank)
    return _RIVER_COST * np.tanh(beyond / _RIVER_REACH_M)
