"""Divided communes are cut into the pieces that went to different units, all pieces steered to their areas at once.

A piece is drawn to the rest of its unit and to the unit's reference point. First each divided commune is cut inside its
own line; then all pieces compete for cells, so that lines of communes and of units settle together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from geo.demo.contest import REACH, SMOOTHING, Contest, blur, count_cells, open_contest
from geo.demo.windows import Labels, Windows

#: Rounds and steps of the cut inside the communes; steps of the joint contest; how often the pull is renewed.
_CUT_ROUNDS, _CUT_STEPS, _JOINT_STEPS, _RENEW = 4, 12, 30, 5
#: Weight of the pull in the joint contest, of the whole unit's point, and of the smoothing of unit lines.
_PULL, _UNIT_POINT, _UNIT_SMOOTHING = 0.25, 0.8, 0.4
#: Weight of a unit's point against the distance to the rest of the unit, where a commune is cut.
_POINT_SHARE = 1.0
_CUT_RATE, _JOINT_RATE, _HALF = 0.15, 0.25, 20
#: Rate at which a unit is tilted until its centroid lies on its point, and the steepest tilt.
_TILT_RATE, _MAX_TILT = 0.4, 0.3
#: A cost that no price makes up for.
_BARRED = 99.0

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The pieces: which commune gave how much to which unit.

    Attributes
    ----------
    commune, unit : numpy.ndarray of int
        Position of the commune and of the unit of each piece.
    cells : numpy.ndarray of float
        Area of each piece in cells.
    commune_xy, unit_xy : numpy.ndarray of float, shape (n, 2)
        Reference points of all communes and units in metres.
    unit_size_m : numpy.ndarray of float
        Square root of each unit's area.
    """

    commune: Ints
    unit: Ints
    cells: Floats
    commune_xy: Floats
    unit_xy: Floats
    unit_size_m: Floats

    @property
    def divided(self) -> NDArray[np.bool_]:
        """Which pieces belong to a commune that has several."""
        return np.asarray(np.bincount(self.commune)[self.commune] > 1)

    @property
    def commune_cells(self) -> Floats:
        """Area of every commune in cells."""
        return np.bincount(self.commune, self.cells).astype(float)


def divide_communes(communes: Contest, parts: Parts) -> Contest:
    """Return the contest of the pieces when it has settled.

    Parameters
    ----------
    communes : Contest
        The settled contest of the communes.
    parts : Parts
        The pieces; every commune has at least one.
    """
    windows = Windows(communes.windows.raster, [communes.windows.windows[i] for i in parts.commune])
    own = list(communes.windows.views(communes.cost))
    contest = open_contest(windows, windows.flatten([own[i] for i in parts.commune]), parts.cells)
    by_cell = np.full(communes.labels.size, communes.outside.max())
    by_cell[communes.windows.cells] = communes.outside
    contest.outside = by_cell[windows.cells]
    cut = _cut_inside(communes, windows, parts)
    contest.labels, contest.price = cut.labels, cut.price + communes.price[parts.commune]
    contest.cost = contest.cost + _UNIT_POINT * windows.flatten(_unit_distances(windows, parts))
    return _settle(contest, parts)


def _settle(contest: Contest, parts: Parts) -> Contest:
    cost, pull = contest.cost, np.zeros(0)
    offset = _offsets(contest.windows, parts)
    unit = parts.unit[contest.windows.label]
    tilt = np.zeros((len(parts.unit_xy), 2))
    for step in range(_JOINT_STEPS):
        slow = 1 / (1 + step / _HALF)
        if step % _RENEW == 0:
            pull = _PULL * contest.windows.flatten(_pull(contest.windows, contest.labels, parts))
        tilt = np.clip(tilt + _TILT_RATE * slow * _miss_points(contest, parts), -_MAX_TILT, _MAX_TILT)
        contest.cost = cost + pull - tilt[unit, 0] * offset[0] - tilt[unit, 1] * offset[1]
        contest.advance(contest.windows.flatten(_smooth(contest, parts)), rate=_JOINT_RATE * slow)
    return contest


def _offsets(windows: Windows, parts: Parts) -> tuple[Floats, Floats]:
    """Return how far east and north of its unit's point each cell lies, in sizes of the unit; flat."""
    centres = [windows.raster.centres(window) for window in windows.windows]
    scale = list(zip(parts.unit_xy[parts.unit], parts.unit_size_m[parts.unit], strict=True))
    east = [(x - point[0]) / size for (x, _), (point, size) in zip(centres, scale, strict=True)]
    north = [(y - point[1]) / size for (_, y), (point, size) in zip(centres, scale, strict=True)]
    return windows.flatten(east), windows.flatten(north)


def _miss_points(contest: Contest, parts: Parts) -> Floats:
    """Return how far the centroid of each unit lies from the unit's point, in sizes of the unit; shape (units, 2)."""
    raster = contest.windows.raster
    rows, columns = np.nonzero(contest.labels >= 0)
    unit, count = parts.unit[contest.labels[rows, columns]], len(parts.unit_xy)
    held = np.maximum(1, np.bincount(unit, minlength=count))
    x = raster.west_m + raster.cell_m * (0.5 + np.bincount(unit, columns, count) / held)
    y = raster.south_m + raster.cell_m * (0.5 + np.bincount(unit, rows, count) / held)
    return (parts.unit_xy - np.c_[x, y]) / parts.unit_size_m[:, None]


def _cut_inside(communes: Contest, windows: Windows, parts: Parts) -> Contest:
    """Return the contest in which only the pieces of a commune compete for the commune's cells."""
    raster = communes.labels
    held = [raster[window] == i for i, window in zip(parts.commune, windows.windows, strict=True)]
    barred = _BARRED * (1 - windows.flatten(held))
    scale = count_cells(raster, len(communes.target)) / communes.target
    contest = open_contest(windows, barred, parts.cells * scale[parts.commune])
    contest.outside = np.full(len(windows.cells), _BARRED / 2)
    pull = windows.flatten(_lean(windows, parts))
    for _ in range(_CUT_ROUNDS):
        contest.cost = barred + pull / 2
        for step in range(_CUT_STEPS):
            contest.advance(0.0, rate=_CUT_RATE / (1 + step / 10))
        pull = windows.flatten(_pull(windows, contest.labels, parts))
    return contest


def _lean(windows: Windows, parts: Parts) -> list[Floats]:
    """Return the first pull of each piece: a plane that falls toward the other pieces of its unit."""
    goals = _goals(parts)
    return [_plane(windows, parts, piece, goals[piece]) for piece in range(len(windows))]


def _goals(parts: Parts) -> Floats:
    """Return the mean of the points of the unit's other communes and of its own, by area."""
    weight, share = parts.cells[:, None], 0.3
    points = parts.commune_xy[parts.commune]
    count = len(parts.unit_xy)
    sums = np.stack([np.bincount(parts.unit, (weight * points)[:, axis], count) for axis in (0, 1)], axis=1)
    total = np.bincount(parts.unit, parts.cells, count)[parts.unit][:, None]
    others = sums[parts.unit] - weight * points + share * total * parts.unit_xy[parts.unit]
    return np.asarray(others / (total * (1 + share) - weight))


def _plane(windows: Windows, parts: Parts, piece: int, goal: Floats) -> Floats:
    x, y = windows.raster.centres(windows.windows[piece])
    start = parts.commune_xy[parts.commune[piece]]
    ahead = (goal - start) / (np.hypot(*(goal - start)) + 1)
    return -((x - start[0]) * ahead[0] + (y - start[1]) * ahead[1]) / _commune_size_m(windows, parts, piece)


def _commune_size_m(windows: Windows, parts: Parts, piece: int) -> float:
    return float(np.sqrt(parts.commune_cells[parts.commune[piece]]) * windows.raster.cell_m)


def _pull(windows: Windows, labels: Labels, parts: Parts) -> list[Floats]:
    """Return for each piece of a divided commune how far each cell is from the rest of its unit; else zeros."""
    unit = np.where(labels >= 0, parts.unit[labels], -1)
    commune = np.where(labels >= 0, parts.commune[labels], -1)
    fields, goals, divided = [], _goals(parts), parts.divided
    for piece, window in enumerate(windows.windows):
        if not divided[piece]:
            fields.append(np.zeros(windows.shapes[piece]))
            continue
        grown, inner = windows.raster.pad(window, 0.5)
        rest = (unit[grown] == parts.unit[piece]) & (commune[grown] != parts.commune[piece])
        if rest.sum() < 3:
            fields.append((1 + _POINT_SHARE) * _plane(windows, parts, piece, goals[piece]))
            continue
        gap = ndimage.distance_transform_edt(~rest)[inner] * windows.raster.cell_m
        far = _distance(windows, piece, parts.unit_xy[parts.unit[piece]])
        fields.append((gap + _POINT_SHARE * far) / _commune_size_m(windows, parts, piece))
    return fields


def _distance(windows: Windows, piece: int, point: Floats) -> Floats:
    x, y = windows.raster.centres(windows.windows[piece])
    return np.hypot(x - point[0], y - point[1])


def _unit_distances(windows: Windows, parts: Parts) -> list[Floats]:
    """Return the distance of each cell to the unit's point, in sizes of the unit."""
    return [_distance(windows, p, parts.unit_xy[u]) / parts.unit_size_m[u] for p, u in enumerate(parts.unit)]


def _smooth(contest: Contest, parts: Parts) -> list[Floats]:
    """Return the share of the same commune and of the same unit around each cell, weighted."""
    unit = np.where(contest.labels >= 0, parts.unit[contest.labels], -1)
    commune = np.where(contest.labels >= 0, parts.commune[contest.labels], -1)
    reach = REACH * np.sqrt(parts.commune_cells)
    fields: list[Floats] = []
    by_commune: dict[int, Floats] = {}
    for i, k, window in zip(parts.commune, parts.unit, contest.windows.windows, strict=True):
        if i not in by_commune:
            by_commune[i] = SMOOTHING * blur(commune[window] == i, reach[i])
        around = _UNIT_SMOOTHING * blur(unit[window] == k, reach[i], mode="nearest")
        fields.append(by_commune[i] + around)
    return fields


def tabulate_parts(pieces: pd.DataFrame, communes: pd.DataFrame, units: pd.DataFrame, *, cell_m: float) -> Parts:
    """Return the pieces of a table with columns commune, unit (positions) and area_km2.

    Parameters
    ----------
    pieces : pandas.DataFrame
        One row per piece.
    communes, units : pandas.DataFrame
        Columns x_m, y_m; the units also area_km2.
    cell_m : float
        Width of a cell.
    """
    return Parts(
        commune=pieces["commune"].to_numpy(),
        unit=pieces["unit"].to_numpy(),
        cells=pieces["area_km2"].to_numpy() * 1e6 / cell_m**2,
        commune_xy=communes[["x_m", "y_m"]].to_numpy(),
        unit_xy=units[["x_m", "y_m"]].to_numpy(),
        unit_size_m=np.sqrt(units["area_km2"].to_numpy() * 1e6),
    )
