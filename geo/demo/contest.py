"""Old communes compete for cells until each has its area, touches its box and has a smooth line.

The method is threshold dynamics (Merriman, Bence and Osher) with prices that steer areas, as in the auction dynamics
of Jacobs, Merkurjev and Esedoglu: a cell goes to the label with the lowest

    cost of its place - smoothing * (share of the label around the cell) - reward - price of the label

and the price of a label rises while its area is short of the target. Outside the city is a label without a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geo.demo.windows import Labels, Windows

#: Iterations, and the one from which lines are smoothed.
_STEPS, _SMOOTH_FROM = 30, 15
#: Weight of the smoothing, and its standard deviation as a share of the square root of the target area.
SMOOTHING, REACH = 0.6, 0.12
#: Rate at which prices move, and the number of steps after which the rate has halved.
_RATE, _HALF = 0.25, 40
#: Reward near the cheapest place on a side of the box that the commune does not touch yet.
_TOUCH = 0.1
#: Cost of the outside, of the city's inside for the outside, and the smoothing of the city's outline.
_OUTSIDE, _NEVER, _OUTLINE, _OUTLINE_REACH_M = 1.2, 9.0, 0.5, 500.0

Floats = NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Contest:
    """State of the competition for cells.

    Attributes
    ----------
    windows : Windows
        The labels and their windows.
    cost : numpy.ndarray, flat
        Cost of each cell for each label, without smoothing.
    target : numpy.ndarray of float
        Cells that each label should have.
    price : numpy.ndarray of float
        What is taken off the cost of each label.
    outside : numpy.ndarray
        Cost of the outside for each covered cell.
    labels : numpy.ndarray of int, shape (rows, columns)
        Who holds each cell; -1 is the outside.
    lowest : numpy.ndarray of float, shape (rows, columns)
        Cost of the holder.
    """

    windows: Windows
    cost: Floats
    target: Floats
    price: Floats
    outside: Floats
    labels: Labels
    lowest: Floats

    def advance(self, smoothing: Floats | float, *, rate: float) -> None:
        """Hand out the cells once and move the prices by `rate` toward the target areas."""
        bid = self.cost - smoothing - self.price[self.windows.label]
        self.labels, self.lowest = self.windows.assign(bid, self.outside - self._shape_outline())
        held = count_cells(self.labels, len(self.target))
        missing = np.log(np.maximum(self.target, 0.3) / np.maximum(held, 0.3))
        # rounded, so that another processor's last bits do not move a line
        self.price = np.round(self.price + rate * np.clip(missing, -1, 1), 9)

    def close_city(self) -> None:
        """Shut the outside out of what lies well inside the city."""
        cells = self.windows.raster.cell_m
        city = ndimage.binary_closing(self.labels >= 0, iterations=max(1, round(200 / cells)))
        core = ndimage.binary_erosion(ndimage.binary_fill_holes(city), iterations=max(1, round(300 / cells)))
        self.outside = np.where(core.ravel()[self.windows.cells], _NEVER, _OUTSIDE)

    def _shape_outline(self) -> Floats | float:
        if not (self.labels >= 0).any():
            return 0.0
        spread = blur(self.labels < 0, _OUTLINE_REACH_M / self.windows.raster.cell_m)
        return _OUTLINE * (spread.ravel()[self.windows.cells] - 0.5)


def open_contest(windows: Windows, cost: Floats, target: Floats) -> Contest:
    """Return a contest in which no cell is held yet."""
    shape = (windows.raster.rows, windows.raster.columns)
    return Contest(
        windows=windows,
        cost=cost,
        target=target,
        price=np.zeros(len(windows)),
        outside=np.full(len(windows.cells), _OUTSIDE),
        labels=np.full(shape, -1, np.int32),
        lowest=np.full(shape, np.inf),
    )


def draw_communes(windows: Windows, costs: Sequence[Floats], target: Floats, *, boxed: NDArray[np.bool_]) -> Contest:
    """Return the contest of the old communes when it has settled.

    Parameters
    ----------
    windows : Windows
        One window per commune.
    costs : sequence of numpy.ndarray
        Cost of each cell of each window.
    target : numpy.ndarray of float
        Area of each commune in cells.
    boxed : numpy.ndarray of bool
        Whose box is its own, so that its sides are to be touched.
    """
    contest = open_contest(windows, windows.flatten(costs), target)
    smoothing: Floats | float = 0.0
    for step in range(_STEPS):
        if step >= _SMOOTH_FROM:
            if step % 5 == 0:
                contest.cost = contest.cost + reward_sides(contest, smoothing, boxed)
            smoothing = SMOOTHING * windows.flatten(_blur_windows(contest))
        contest.advance(smoothing, rate=_RATE / (1 + step / _HALF))
        if step % 10 == 9:
            contest.close_city()
    return contest


def reward_sides(contest: Contest, smoothing: Floats | float, boxed: NDArray[np.bool_]) -> Floats:
    """Return the change of cost (flat, 0 or less) that draws communes to sides of their boxes they do not touch."""
    windows = contest.windows
    bid = contest.cost - smoothing - contest.price[windows.label]
    change = np.zeros_like(bid)
    parts = zip(windows.views(bid), windows.views(change), windows.windows, strict=True)
    for label, (own, into, window) in enumerate(parts):
        held = contest.labels[window] == label
        if not boxed[label] or not held.any():
            continue
        radius = max(1.5, REACH * float(np.sqrt(contest.target[label])))
        for row, column in _untouched(held, own - contest.lowest[window]):
            rows, columns = np.ogrid[: held.shape[0], : held.shape[1]]
            into -= _TOUCH * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * radius**2))
    return change


def _untouched(held: NDArray[np.bool_], margin: Floats) -> list[tuple[int, int]]:
    """Return the cell of the least margin on each side that is more than a cell away from what is held."""
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    last_row, last_column = held.shape[0] - 1, held.shape[1] - 1
    cells = []
    for row, gap in ((0, rows[0]), (last_row, last_row - rows[-1])):
        if gap > 1:
            cells.append((row, int(np.argmin(margin[row]))))
    for column, gap in ((0, columns[0]), (last_column, last_column - columns[-1])):
        if gap > 1:
            cells.append((int(np.argmin(margin[:, column])), column))
    return cells


def _blur_windows(contest: Contest) -> list[Floats]:
    reach = REACH * np.sqrt(contest.target)
    parts = enumerate(contest.windows.windows)
    return [blur(contest.labels[window] == label, reach[label]) for label, window in parts]


def blur(mask: NDArray[np.bool_], reach: float, *, mode: str = "constant") -> Floats:
    """Return the share of `mask` around each cell: a Gaussian mean with standard deviation `reach` in cells."""
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), reach, mode=mode))


def count_cells(labels: Labels, count: int) -> NDArray[np.intp]:
    """Return the number of cells of each label below `count`."""
    return np.bincount(labels[labels >= 0], minlength=count)
