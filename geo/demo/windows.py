"""A raster, and labels that compete for its cells, each inside a window of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """Square cells in a metric CRS; row 0 lies in the south.

    Attributes
    ----------
    west_m, south_m : float
        South-west corner.
    cell_m : float
        Width of a cell.
    rows, columns : int
        Number of cells.
    """

    west_m: float
    south_m: float
    cell_m: float
    rows: int
    columns: int

    def window(self, west: float, south: float, east: float, north: float) -> tuple[slice, slice]:
        """Return the rows and columns whose centres a box covers; at least one cell."""
        first_column, last_column = self._span(west - self.west_m, east - self.west_m, self.columns)
        first_row, last_row = self._span(south - self.south_m, north - self.south_m, self.rows)
        return slice(first_row, last_row), slice(first_column, last_column)

    def _span(self, low: float, high: float, count: int) -> tuple[int, int]:
        first = int(np.clip(round(low / self.cell_m), 0, count - 1))
        return first, int(np.clip(round(high / self.cell_m), first + 1, count))

    def pad(self, window: tuple[slice, slice], share: float) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return the window grown by a share of its size on each side, and the old window inside it."""
        grown, inner = [], []
        for part, count in zip(window, (self.rows, self.columns), strict=True):
            margin = int(share * (part.stop - part.start)) + 2
            start = max(0, part.start - margin)
            grown.append(slice(start, min(count, part.stop + margin)))
            inner.append(slice(part.start - start, part.stop - start))
        return (grown[0], grown[1]), (inner[0], inner[1])

    def centres(self, window: tuple[slice, slice]) -> tuple[Floats, Floats]:
        """Return x and y of the centres of a window's cells, in metres, each of the window's shape."""
        rows, columns = np.mgrid[window]
        return self.west_m + (columns + 0.5) * self.cell_m, self.south_m + (rows + 0.5) * self.cell_m


class Windows:
    """Labels 0, 1, 2, ... with one window each, flattened one after another.

    A *flat* array holds one value per label and cell of its window. Only those pairs are ever looked at, which keeps
    500 labels on a million cells cheap.

    Parameters
    ----------
    raster : Raster
        The cells.
    windows : sequence of (slice, slice)
        Rows and columns of each label.
    """

    def __init__(self, raster: Raster, windows: Sequence[tuple[slice, slice]]) -> None:
        self.raster = raster
        self.windows = list(windows)
        shapes = [(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in self.windows]
        self.shapes = shapes
        sizes = [rows * columns for rows, columns in shapes]
        self.starts = np.r_[0, np.cumsum(sizes)]
        self.label = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        grid = np.arange(raster.rows * raster.columns).reshape(raster.rows, raster.columns)
        cell = np.concatenate([grid[window].ravel() for window in self.windows])
        self._order = np.argsort(cell, kind="stable")
        ordered = cell[self._order]
        self._first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        self._group = np.repeat(np.arange(len(self._first)), np.diff(np.r_[self._first, len(ordered)]))
        #: Flat index of every cell that some window covers, ascending.
        self.cells = ordered[self._first]

    def __len__(self) -> int:
        return len(self.windows)

    def views(self, flat: Floats) -> Iterator[Floats]:
        """Yield the part of a flat array that belongs to each label, as a raster of its window."""
        for start, stop, shape in zip(self.starts[:-1], self.starts[1:], self.shapes, strict=True):
            yield flat[start:stop].reshape(shape)

    def flatten(self, parts: Sequence[Floats] | Sequence[Bools]) -> Floats:
        """Return one raster per label as a flat array."""
        return np.concatenate([np.ravel(part) for part in parts]).astype(float)

    def assign(self, cost: Floats, outside: Floats) -> tuple[Labels, Floats]:
        """Return the cheapest label of every cell, and its cost.

        Parameters
        ----------
        cost : numpy.ndarray, flat
            Cost of each cell for each label. The lower label wins a tie.
        outside : numpy.ndarray, one value per covered cell
            Cost of belonging to none.

        Returns
        -------
        labels : numpy.ndarray of int, shape (rows, columns)
            -1 where no label wins.
        lowest : numpy.ndarray of float, shape (rows, columns)
            Cost of the winner; infinite where no window lies.
        """
        ordered = cost[self._order]
        lowest = np.minimum.reduceat(ordered, self._first)
        hits = np.flatnonzero(ordered == lowest[self._group])
        groups = self._group[hits]
        winner = self.label[self._order[hits[np.r_[True, groups[1:] != groups[:-1]]]]]
        holder = self._spread(np.where(lowest < outside, winner, -1), -1)
        return holder.astype(np.int32), self._spread(np.minimum(lowest, outside), np.inf)

    def _spread(self, values: Floats | Labels, empty: float) -> Floats:
        full = np.full(self.raster.rows * self.raster.columns, float(empty))
        full[self.cells] = values
        return full.reshape(self.raster.rows, self.raster.columns)
