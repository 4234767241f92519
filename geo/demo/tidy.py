"""The last touch on the cells: every piece exists, every piece hangs together, the city has no hole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geo.demo.contest import count_cells
from geo.demo.partition import Parts
from geo.demo.windows import Labels, Windows

#: Least number of cells of a piece, and the part of its target below which a piece is placed anew.
_MIN_CELLS, _MIN_SHARE = 5, 0.4
#: Passes after which what is still loose is left as it is.
_PASSES = 8

Bools = NDArray[np.bool_]


def tidy_pieces(labels: Labels, windows: Windows, parts: Parts, *, fixed: Bools) -> Labels:
    """Return the labels with every piece present and connected, and no hole in the city.

    Parameters
    ----------
    labels : numpy.ndarray of int, shape (rows, columns)
        Piece that holds each cell; -1 outside. Not modified.
    windows : Windows
        The windows of the pieces.
    parts : Parts
        The pieces.
    fixed : numpy.ndarray of bool, shape (rows, columns)
        Cells of reference points, which must stay with their commune.
    """
    tidy = labels.copy()
    for _ in range(_PASSES):
        before = tidy.copy()
        _reach_points(tidy, windows, parts)
        tidy = join_loose(tidy, len(windows))
        _place_missing(tidy, windows, parts, fixed)
        if (tidy == before).all():
            break
    return tidy


def join_loose(labels: Labels, count: int) -> Labels:
    """Return the labels after every part of a label but its largest went to the nearest other holder.

    Holes of the outside inside the city are filled in the same way.
    """
    loose = ndimage.binary_fill_holes(labels >= 0) & (labels < 0)
    for label, box in enumerate(ndimage.find_objects(labels + 1, max_label=count)):
        if box is None:
            continue
        parts, number = ndimage.label(labels[box] == label)
        if number > 1:
            largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
            loose[box] |= (parts > 0) & (parts != largest)
    if not loose.any():
        return labels
    solid = (labels >= 0) & ~loose
    nearest = ndimage.distance_transform_edt(~solid, return_distances=False, return_indices=True)
    joined = labels.copy()
    joined[loose] = labels[tuple(nearest[:, loose])]
    return joined


def _reach_points(labels: Labels, windows: Windows, parts: Parts) -> None:
    """Join a reference point that lies apart from its commune to it, by a strip three cells wide."""
    _, first = np.unique(parts.commune, return_index=True)
    for piece in first:
        window, commune = windows.windows[piece], parts.commune[piece]
        view = labels[window]
        x, y = windows.raster.centres(window)
        point = parts.commune_xy[commune]
        row, column = np.unravel_index(int(np.argmin(np.hypot(x - point[0], y - point[1]))), view.shape)
        places, number = ndimage.label((view >= 0) & (parts.commune[view] == commune))
        if not number:
            continue
        main = 1 + int(np.argmax(np.bincount(places.ravel())[1:]))
        if places[row, column] != main:
            _lay_strip(view, (int(row), int(column)), places == main)


def _lay_strip(view: Labels, start: tuple[int, int], main: Bools) -> None:
    rows, columns = np.nonzero(main)
    nearest = int(np.argmin(np.hypot(rows - start[0], columns - start[1])))
    end = (int(rows[nearest]), int(columns[nearest]))
    steps = 2 * max(abs(end[0] - start[0]), abs(end[1] - start[1])) + 1
    strip = np.zeros(view.shape, bool)
    along = np.rint(np.linspace(start, end, steps)).astype(int)
    strip[along[:, 0], along[:, 1]] = True
    view[ndimage.binary_dilation(strip, np.ones((3, 3), bool))] = view[end]


def _place_missing(labels: Labels, windows: Windows, parts: Parts, fixed: Bools) -> None:
    """Give every piece that is missing or far too small a spot of its commune, beside the rest of its unit."""
    held = count_cells(labels, len(windows))
    for piece in np.flatnonzero(held < np.maximum(_MIN_CELLS, _MIN_SHARE * parts.cells)):
        wanted = max(_MIN_CELLS, round(float(parts.cells[piece])))
        window, _ = windows.raster.pad(windows.windows[piece], 0.5)
        view = labels[window]
        commune, unit = parts.commune[view], parts.unit[view]
        rich = count_cells(labels, len(windows))[view] > 3 * wanted
        free = (view >= 0) & (commune == parts.commune[piece]) & rich & ~fixed[window]
        rest = (view >= 0) & (unit == parts.unit[piece]) & (commune != parts.commune[piece])
        if not free.any():
            continue
        view[_pick_spot(free, rest, wanted)] = piece


def _pick_spot(free: Bools, rest: Bools, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the `wanted` free cells around the one nearest to `rest`."""
    rows, columns = np.nonzero(free)
    gap = ndimage.distance_transform_edt(~rest)[rows, columns] if rest.any() else np.zeros(len(rows))
    seed = int(np.argmin(gap))
    near = np.hypot(rows - rows[seed], columns - columns[seed])
    # a spot hugs the line: its cells are counted nearer the nearer they lie to the rest of the unit
    order = np.argsort(near + gap - gap.min(), kind="stable")[:wanted]
    return rows[order], columns[order]
