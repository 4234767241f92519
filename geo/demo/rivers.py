"""The rough courses of the rivers, and on which bank a place lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from geo.schemas import WGS84

#: Distance between the points that stand for a river.
_STEP_M = 50.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class River:
    """A river as points along its course, downstream, each with its direction.

    Attributes
    ----------
    name : str
        Name without "sông".
    width_m : float
        Rough width of the bed.
    points, directions : numpy.ndarray of float, shape (n, 2)
        In metres of the CRS that the river was read in.
    """

    name: str
    width_m: float
    points: Floats
    directions: Floats
    tree: KDTree

    def bank_distance(self, x: Floats, y: Floats) -> Floats:
        """Return the distance to the course in metres, negative on the right bank; any shape."""
        places = np.c_[np.ravel(x), np.ravel(y)]
        distance, nearest = self.tree.query(places)
        ahead, away = self.directions[nearest], places - self.points[nearest]
        left = ahead[:, 0] * away[:, 1] - ahead[:, 1] * away[:, 0] > 0
        return np.where(left, distance, -distance).reshape(np.shape(x))


def read_rivers(path: Path, *, crs: str, min_width_m: float = 0.0) -> list[River]:
    """Read ``rivers.csv`` (river, seq, lon, lat, width_m) into `crs`, rivers narrower than `min_width_m` left out."""
    table = pd.read_csv(path).sort_values(["river", "seq"])
    transformer = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
    rivers = []
    for name, rows in table.groupby("river", sort=True):
        width_m = float(rows["width_m"].iloc[0])
        if width_m >= min_width_m:
            x, y = transformer.transform(rows["lon"].to_numpy(), rows["lat"].to_numpy())
            rivers.append(_densify(str(name), width_m, np.c_[x, y]))
    return rivers


def _densify(name: str, width_m: float, vertices: Floats) -> River:
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(vertices, axis=0).T))]
    steps = np.arange(0, along[-1], _STEP_M)
    points = np.c_[np.interp(steps, along, vertices[:, 0]), np.interp(steps, along, vertices[:, 1])]
    directions = np.gradient(ndimage.gaussian_filter1d(points, 2, axis=0), axis=0)
    return River(name=name, width_m=width_m, points=points, directions=directions, tree=KDTree(points))
